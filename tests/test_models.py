"""The networks: the papers' sizes and initial weights, DCGAN's rules, shapes that are refused."""

import copy
import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import count
from torch import Tensor, nn

from ganlab import models
from ganlab.errors import ConfigError, GanlabError, ShapeError
from ganlab.models.conditional import one_hot

PAIRS = {
    "2014": (models.Generator2014(side=8, hidden=20), models.Discriminator2014(side=8, units=6)),
    "MLP": (models.MLPGenerator(z_dim=5, side=8), models.MLPDiscriminator(side=8)),
    "toy": (models.ToyGenerator(z_dim=4), models.ToyDiscriminator()),
    "DCGAN 28": (models.DCGANGenerator(28, 1, 4, 7), models.DCGANDiscriminator(28, 1, 4)),
    "DCGAN 32": (models.DCGANGenerator(32, 3, 4, 7), models.DCGANDiscriminator(32, 3, 4)),
    "DCGAN 8": (models.DCGANGenerator(8, 1, 4, 7), models.DCGANDiscriminator(8, 1, 4)),
    "DCGAN 20, the paper's text": (
        models.DCGANGenerator(20, 2, 4, 7, variant="text"),
        models.DCGANDiscriminator(20, 2, 4, variant="text"),
    ),
    "LSGAN": (models.LSGANGenerator(16, 2, 4, 7), models.LSGANDiscriminator(16, 2, 4)),
    "LSGAN without batch norm": (
        models.LSGANGenerator(20, 1, 4, 7, norm=False),
        models.LSGANDiscriminator(20, 1, 4, norm=False),
    ),
    "LSGAN's scenes": (models.LSGANSceneGenerator(32, 3, 2, 7), models.LSGANDiscriminator(32, 3, 2)),
    "DCGAN 64": (models.DCGANGenerator(64, 3, 2, 7), models.DCGANDiscriminator(64, 3, 2)),
}
pairs = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())


@pairs
def test_a_pair_fits_together(pair):
    G, D = pair
    fake = G(torch.randn(6, G.z_dim))
    assert fake.shape == (6, *G.sample_shape)
    assert D(fake).shape == (6,)
    if G.output_range is not None:
        low, high = G.output_range
        assert low <= fake.min()
        assert fake.max() <= high


@pairs
def test_every_weight_of_both_gets_a_gradient(pair):
    G, D = pair
    D(G(torch.randn(6, G.z_dim))).square().sum().backward()
    for model in pair:
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name
        model.zero_grad()


@pairs
def test_a_network_is_rebuilt_from_its_specification(pair):
    for model in pair:
        again = models.build(json.loads(json.dumps(model.spec)))
        assert again.spec == model.spec
        assert again.state_dict().keys() == model.state_dict().keys()
        again.load_state_dict(model.state_dict())
        n_in = (model.z_dim,) if hasattr(model, "z_dim") else model.sample_shape
        x = torch.rand(3, *n_in)
        assert torch.equal(model.eval()(x), again.eval()(x))
        model.train()


@pairs
def test_a_copy_keeps_the_specification(pair):
    for model in pair:
        assert copy.deepcopy(model).spec == model.spec


def test_the_specification_is_the_modules_own():
    hidden = [4, 5]
    G = models.MLPGenerator(side=8, hidden=hidden)
    hidden.append(6)
    assert G.spec == {"name": "MLPGenerator", "z_dim": 64, "channels": 1, "side": 8, "hidden": [4, 5]}


@pairs
def test_in_evaluation_each_sample_is_judged_alone(pair):
    _, D = pair
    x = torch.rand(4, *D.sample_shape)
    together = D.eval()(x)
    alone = torch.cat([D(one[None]) for one in x])
    D.train()
    torch.testing.assert_close(together, alone)


@pairs
def test_wrong_shapes_are_refused_with_both_shapes(pair):
    G, D = pair
    for model, wrong, wanted in (
        (G, torch.zeros(3, G.z_dim + 1), f"[n, {G.z_dim}]"),
        (G, torch.zeros(G.z_dim), f"[n, {G.z_dim}]"),
        (D, torch.zeros(3, *D.sample_shape[:-1], 5), "[n, " + ", ".join(map(str, D.sample_shape)) + "]"),
        (G, torch.zeros(3, G.z_dim, dtype=torch.int64), "torch.int64"),
        (D, torch.zeros(3, *D.sample_shape, dtype=torch.uint8), "torch.uint8"),
    ):
        with pytest.raises(ShapeError) as caught:
            model(wrong)
        assert str(list(wrong.shape)) in str(caught.value)
        assert wanted in str(caught.value)
        assert "\n" not in str(caught.value)


# The 2014 pair ------------------------------------------------------------------------------------------------------


def test_the_2014_pair_has_the_published_sizes_and_weights():
    G, D = models.Generator2014(), models.Discriminator2014()
    assert (count(G), count(D)) == (2_503_984, 1_231_441)
    for model, half_width in ((G, 0.05), (D, 0.005)):
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                assert parameter.abs().max() == 0, name
            else:
                assert 0.99 * half_width < parameter.abs().max() <= half_width or parameter.numel() < 500, name
                assert parameter.std().item() == pytest.approx(half_width / math.sqrt(3), rel=0.1), name
    assert G.output_range == (0.0, 1.0)


def test_the_untrained_2014_generator_is_right_on_average():
    G = models.Generator2014(side=8)
    mean = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(0))
    mean[0, 0, 0] = 0
    G.set_output_bias(mean)
    torch.testing.assert_close(G(torch.zeros(1, 100))[0], mean.clamp(1e-7, 1 - 1e-7))
    with pytest.raises(ShapeError, match=r"\[8, 8\]; give \[1, 8, 8\]"):
        G.set_output_bias(mean[0])
    with pytest.raises(ShapeError, match=r"ranges over \[-1, 1\]; give the mean of pixels in \[0, 1\]"):
        G.set_output_bias(torch.linspace(-1, 1, 64).reshape(1, 8, 8))


@given(batch=st.integers(1, 4), n_in=st.integers(1, 5), units=st.integers(1, 4), pieces=st.integers(1, 4))
def test_maxout_takes_the_largest_of_each_group(batch: int, n_in: int, units: int, pieces: int):
    layer = models.Maxout(n_in, units, pieces)
    x = torch.randn(batch, n_in)
    weight, bias = layer.linear.weight.detach().numpy(), layer.linear.bias.detach().numpy()
    expected = np.empty((batch, units))
    for i in range(batch):
        outputs = weight @ x[i].numpy() + bias
        for unit in range(units):
            expected[i, unit] = max(outputs[unit * pieces : (unit + 1) * pieces])
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-4, atol=1e-5)


def test_the_2014_discriminator_drops_and_rescales():
    D = models.Discriminator2014()
    dropouts = [module for module in D.net if isinstance(module, nn.Dropout)]
    seen: list[tuple[Tensor, Tensor]] = []

    def see(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        seen.append((inputs[0], output))

    for dropout in dropouts:
        dropout.register_forward_hook(see)
    torch.manual_seed(0)
    D(torch.rand(200, 1, 28, 28) + 0.1)
    assert [tuple(before.shape) for before, _ in seen] == [(200, 784), (200, 240), (200, 240)]
    for keep, (before, after) in zip((0.8, 0.5, 0.5), seen, strict=True):
        kept = after != 0
        torch.testing.assert_close(after[kept], before[kept] / keep)
        assert kept.float().mean().item() == pytest.approx(keep, abs=0.01)


def test_the_2014_discriminator_equals_a_plain_loop():
    D = models.Discriminator2014(side=3, units=4, pieces=5).eval()
    x = torch.rand(6, 1, 3, 3)
    state = {name: value.numpy() for name, value in D.state_dict().items()}
    expected = []
    for image in x.numpy():
        h = image.reshape(-1)
        for layer in ("net.1.linear", "net.3.linear"):
            outputs = state[f"{layer}.weight"] @ h + state[f"{layer}.bias"]
            h = np.array([max(outputs[5 * unit : 5 * unit + 5]) for unit in range(4)])
        expected.append((state["net.5.weight"] @ h + state["net.5.bias"]).item())
    np.testing.assert_allclose(D(x).detach().numpy(), expected, rtol=1e-4, atol=1e-9)


# Toy pair -----------------------------------------------------------------------------------------------------------


def test_the_toy_pair_is_lsgans():
    G, D = models.ToyGenerator(), models.ToyDiscriminator()
    assert [module.out_features for module in G.modules() if isinstance(module, nn.Linear)] == [128, 128, 2]
    assert [module.out_features for module in D.modules() if isinstance(module, nn.Linear)] == [128, 128, 1]
    assert G.z_dim == 256
    for model in (G, D):
        for module in model.modules():
            if isinstance(module, nn.Linear):
                W = module.weight.detach()
                W = W if W.shape[0] <= W.shape[1] else W.T
                torch.testing.assert_close(W @ W.T, 1.4**2 * torch.eye(len(W)), atol=1e-5, rtol=0)
                assert module.bias.abs().max() == 0
    assert any(isinstance(module, nn.ReLU) for module in models.ToyGenerator(activation="relu").modules())


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: models.DCGANGenerator(size=30), "size is 30; give a multiple of 4 from 8 to 128"),
        (lambda: models.DCGANDiscriminator(size=132), "size is 132; give a multiple of 4 from 8 to 128"),
        (lambda: models.DCGANGenerator(size=4), "size is 4"),
        (lambda: models.DCGANGenerator(variant="theirs"), "variant is 'theirs'; give one of text, authors, torch"),
        (lambda: models.DCGANDiscriminator(variant=["text"]), "variant is"),  # pyright: ignore[reportArgumentType]
        (lambda: models.DCGANDiscriminator(width=0), "width is 0"),
        (lambda: models.MLPGenerator(hidden=(10, 0)), r"hidden\[1\] is 0"),
        (lambda: models.Discriminator2014(pieces=-1), "pieces is -1"),
        (lambda: models.Discriminator2014(side=8, max_norm=-1), "max_norm is -1; give a positive number"),
        (lambda: models.Discriminator2014(side=8, max_norm=math.nan), "max_norm is nan; give a positive number"),
        (lambda: models.Discriminator2014(side=8, max_norm=0), "max_norm is 0; give a positive number"),
        (lambda: models.Discriminator2014(side=8, max_norm=True), "max_norm is True; give a positive number"),
        (lambda: models.ToyGenerator(activation="gelu"), "'gelu'"),  # pyright: ignore[reportArgumentType]
        (lambda: models.DCGANGenerator(size=32.0), "size is 32.0"),  # pyright: ignore[reportArgumentType]
        (lambda: models.MLPDiscriminator(hidden=5), "hidden is 5"),  # pyright: ignore[reportArgumentType]
        (lambda: models.ToyDiscriminator(gain=math.nan), "gain is nan; give a positive number"),
        (lambda: models.ToyGenerator(gain=-1), "gain is -1"),
        (lambda: models.build({"name": ["VAE"]}), "'VAE'"),
        (lambda: models.build({"name": "VAE"}), "'VAE'; give one of"),
        (lambda: models.build({}), "None"),
        (lambda: models.build({"name": "ToyGenerator", "zdim": 3}), "takes no zdim; give some of z_dim"),
    ],
)
def test_wrong_arguments_are_named(build, named: str):
    with pytest.raises(ConfigError, match=named) as caught:
        build()
    assert isinstance(caught.value, GanlabError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("other", [np.zeros((3, 4)), [[0.0] * 4], None])
def test_what_is_no_tensor_is_named(other: Any):
    with pytest.raises(ShapeError, match=rf"z is a {type(other).__name__}; give a tensor \[n, 4\]"):
        models.ToyGenerator(z_dim=4)(other)
    with pytest.raises(ShapeError, match=rf"y is a {type(other).__name__}; give int64 labels \[3\]"):
        one_hot(other, 3, 10)

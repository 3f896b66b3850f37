"""The networks: the papers' sizes and initial weights, DCGAN's rules, shapes that are refused."""

import copy
import itertools
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ganlab import models
from ganlab.errors import ConfigError, GanlabError, ShapeError

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
    "DCGAN 64": (models.DCGANGenerator(64, 3, 2, 7), models.DCGANDiscriminator(64, 3, 2)),
}
pairs = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


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


# DCGAN --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [28, 32, 64])
def test_dcgans_guidelines(size: int):
    G, D = models.DCGANGenerator(size, 3, 8), models.DCGANDiscriminator(size, 3, 8)
    for model in (G, D):
        assert not {type(m) for m in model.net} & {nn.MaxPool2d, nn.AvgPool2d, nn.Linear, nn.Upsample}
    up, down = [m for m in G.net if isinstance(m, nn.ConvTranspose2d)], [m for m in D.net if isinstance(m, nn.Conv2d)]
    assert all(layer.stride == (2, 2) for layer in up[1:] + down[:-1])
    assert all(layer.kernel_size == (4, 4) for layer in up[1:] + down[:-1])
    g_layers, d_layers = list(G.net), list(D.net)
    # Batch norm has its own bias: a convolution before it has none.
    assert [layer.bias is None for layer in up] == [True] * (len(up) - 1) + [False]
    assert [layer.bias is None for layer in down] == [False] + [True] * (len(down) - 2) + [False]
    # Batch norm after every convolution except at G's output and D's input (and at D's output, which is one number).
    normed = [isinstance(after, nn.BatchNorm2d) for layer, after in itertools.pairwise(g_layers) if layer in up]
    assert normed == [True] * (len(up) - 1) + [False]
    normed = [isinstance(after, nn.BatchNorm2d) for layer, after in itertools.pairwise(d_layers) if layer in down]
    assert normed == [False] + [True] * (len(down) - 2)
    activations = [type(m) for m in g_layers if not isinstance(m, nn.ConvTranspose2d | nn.BatchNorm2d)]
    assert activations == [nn.ReLU] * (len(up) - 1) + [nn.Tanh]
    leaky = [m for m in d_layers if not isinstance(m, nn.Conv2d | nn.BatchNorm2d)]
    assert [m.negative_slope for m in leaky] == [0.2] * (len(down) - 1)


def test_dcgans_initial_weights():
    for model in (models.DCGANGenerator(64, 3, 32), models.DCGANDiscriminator(64, 3, 32)):
        gains = torch.cat([m.weight.detach() for m in model.modules() if isinstance(m, nn.BatchNorm2d)])
        assert gains.mean().item() == pytest.approx(1, abs=0.005)
        assert gains.std().item() == pytest.approx(0.02, rel=0.15)
        weights = [m.weight.detach() for m in model.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
        for W in weights:
            assert W.std().item() == pytest.approx(0.02, rel=0.1)
            assert abs(W.mean().item()) < 0.003
        assert all(p.abs().max() == 0 for name, p in model.named_parameters() if name.endswith("bias"))


@settings(max_examples=15, deadline=None)
@given(
    size=st.sampled_from(range(8, 129, 4)),
    channels=st.integers(1, 4),
    width=st.integers(1, 3),
    z_dim=st.integers(1, 9),
    variant=st.sampled_from(list(models.VARIANTS)),
)
def test_dcgan_of_any_size_width_and_channels(size: int, channels: int, width: int, z_dim: int, variant: str):
    G = models.DCGANGenerator(size, channels, width, z_dim, variant=variant)
    D = models.DCGANDiscriminator(size, channels, width, variant=variant)
    images: Tensor = G(torch.randn(2, z_dim))
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    last = D(images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(last, D(images))


AT_64 = {
    # maps of G: 1024, 512, 256, 128, 3 with 5×5 kernels; of D the same backwards; gains and shifts of batch norm
    "authors": (
        100 * 16384 + 2 * 16384 + 25 * (1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3) + 2 * (512 + 256 + 128),
        25 * (3 * 128 + 128 * 256 + 256 * 512 + 512 * 1024) + 2 * (256 + 512 + 1024) + 16384,
    ),
    "text": (
        100 * 16384 + 25 * (1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3) + 2 * (1024 + 512 + 256 + 128) + 3,
        25 * (3 * 128 + 128 * 256 + 256 * 512 + 512 * 1024) + 128 + 2 * (256 + 512 + 1024) + 16384 + 1,
    ),
    # half as many maps, 4×4 kernels
    "torch": (
        16 * (100 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * 3) + 2 * (512 + 256 + 128 + 64) + 3,
        16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512) + 64 + 2 * (128 + 256 + 512) + 1,
    ),
}


@pytest.mark.parametrize("variant", models.VARIANTS)
def test_dcgans_published_sizes(variant: str):
    """Of the authors' code, with its maps and kernels at 64×64×3; the other two by the same addition."""
    width = models.VARIANTS[variant].width
    G = models.DCGANGenerator(64, 3, width, variant=variant)
    D = models.DCGANDiscriminator(64, 3, width, variant=variant)
    assert (count(G), count(D)) == AT_64[variant]
    assert width == (64 if variant == "torch" else 128)
    shapes = {name: tuple(p.shape) for name, p in G.named_parameters() if p.ndim == 4}
    assert list(shapes.values())[-1] == ((64, 3, 4, 4) if variant == "torch" else (128, 3, 5, 5))


def test_the_authors_code_has_no_biases_and_knows_batches_alone():
    G = models.DCGANGenerator(16, 1, 4, 7, variant="authors")
    D = models.DCGANDiscriminator(16, 1, 4, variant="authors")
    for model in (G, D):
        norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
        assert norms
        assert all(norm.eps == 1e-8 and norm.running_mean is None for norm in norms)
        assert not any(getattr(m, "bias", None) is not None for m in model.modules() if m not in norms)
    assert [tuple(m.weight.shape) for m in G.modules() if isinstance(m, nn.BatchNorm1d)] == [(8 * 16,)]  # per unit
    z = torch.randn(6, 7)
    x = torch.rand(6, 1, 16, 16)
    for model, given_ in ((G, z), (D, x)):
        with torch.no_grad():
            training, evaluation = model.train()(given_), model.eval()(given_)
            assert torch.equal(training, evaluation)
            assert not torch.allclose(model(given_[:3]), evaluation[:3])
    with pytest.raises(ShapeError, match=r"z has shape \[1, 7\]; give at least 2"):
        G(z[:1])


def test_a_fully_connected_first_layer_is_a_transposed_convolution():
    """Of the text and of the Torch version: the same map, the same law of its weights."""
    layers = models.VARIANTS["text"].project(5, 4, 3)
    as_conv = models.VARIANTS["torch"].project(5, 4, 3)
    z = torch.randn(6, 5)
    with torch.no_grad():
        as_conv[0].weight.copy_(layers[0].weight.T.reshape(5, 4, 3, 3))  # pyright: ignore[reportCallIssue, reportArgumentType]
        expected = layers[1](layers[0](z))
        torch.testing.assert_close(as_conv[0](z[:, :, None, None]), expected)


def test_a_specification_from_before_the_variants_makes_the_same_network():
    before = {"name": "DCGANGenerator", "size": 28, "channels": 1, "width": 4, "z_dim": 7}
    torch.manual_seed(0)
    again = models.build(before)
    torch.manual_seed(0)
    G = models.DCGANGenerator(28, 1, 4, 7)
    assert G.spec == again.spec == before
    assert all(torch.equal(a, b) for a, b in zip(G.state_dict().values(), again.state_dict().values(), strict=True))
    other = models.DCGANGenerator(28, 1, 4, 7, variant="text")
    assert other.spec == before | {"variant": "text"}


def test_the_defaults_first_weights_are_those_of_before():
    """Drawn in this order: every kernel, then every gain, layer by layer, after the constructors' own draws."""
    torch.manual_seed(5)
    G = models.DCGANGenerator(8, 1, 2, 3)
    torch.manual_seed(5)
    layers = [nn.ConvTranspose2d(3, 2, 4, bias=False), nn.BatchNorm2d(2), nn.ConvTranspose2d(2, 1, 4, 2, 1)]
    with torch.no_grad():
        layers[0].weight.normal_(0, 0.02)
        layers[1].weight.normal_(1, 0.02)
        layers[2].weight.normal_(0, 0.02)
    ours = dict(G.named_parameters())
    assert list(ours) == ["net.0.weight", "net.1.weight", "net.1.bias", "net.3.weight", "net.3.bias"]
    for name, layer in zip(("net.0", "net.1", "net.3"), layers, strict=True):
        assert torch.equal(ours[f"{name}.weight"], layer.weight)


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

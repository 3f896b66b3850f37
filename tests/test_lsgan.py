"""LSGAN's networks: the layers and sizes of its authors' code, first weights, and what is left out with batch norm."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import count, run
from torch import nn

from ganlab import models
from ganlab.errors import ConfigError, ShapeError
from ganlab.objectives import least_squares
from ganlab.training import RMSProp, TrainConfig, Trainer

NORMS = {"both": (True, True), "D alone": (False, True), "none": (False, False)}
"""Who of G and D has batch norm in the paper's experiments."""
TINY = {"size": 32, "channels": 1, "width": 2}


def layers(net: nn.Module, kind: type | tuple[type, ...]) -> list:
    return [layer for layer in net.modules() if isinstance(layer, kind)]


def shapes(net: nn.Module, kind: type) -> list[tuple[int, int, int, int]]:
    """Maps in, maps out, side of the kernel, stride, of each convolution."""
    return [(m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0]) for m in layers(net, kind)]


# The published layers ------------------------------------------------------------------------------------------------


def test_the_scenes_generator_is_that_of_the_authors_code():
    """z of 1024 to 256·7·7; 256 by 2, 256, 256 by 2, 256, 128 by 2, 64 by 2, then the image, all 3×3."""
    with torch.device("meta"):
        G = models.LSGANSceneGenerator()
    assert (G.z_dim, G.sample_shape, G.output_range) == (1024, (3, 112, 112), (-1.0, 1.0))
    assert shapes(G, nn.ConvTranspose2d) == [
        *((256, 256, 3, 2), (256, 256, 3, 1), (256, 256, 3, 2), (256, 256, 3, 1)),
        *((256, 128, 3, 2), (128, 64, 3, 2), (64, 3, 3, 1)),
    ]
    assert [type(layer) for layer in G.net] == [
        *(nn.Linear, nn.Unflatten, nn.BatchNorm2d, nn.ReLU),
        *[nn.ConvTranspose2d, nn.BatchNorm2d, nn.ReLU] * 6,
        *(nn.ConvTranspose2d, nn.Tanh),
    ]
    first = 1024 * 256 * 49
    kernels = 9 * (4 * 256 * 256 + 256 * 128 + 128 * 64 + 64 * 3)
    gains_and_shifts = 2 * (5 * 256 + 128 + 64)
    assert count(G) == first + kernels + gains_and_shifts + 3 == 15_577_667


def test_the_scenes_discriminator_is_that_of_the_authors_code():
    """5×5 by 2: 64 without batch norm, 128, 256, 512; then one number from 512·7·7."""
    with torch.device("meta"):
        D = models.LSGANDiscriminator(112)
    assert D.sample_shape == (3, 112, 112)
    halving = [(3, 64, 5, 2), (64, 128, 5, 2), (128, 256, 5, 2), (256, 512, 5, 2)]
    assert shapes(D, nn.Conv2d) == halving
    assert [type(layer) for layer in D.net] == [
        *(nn.Conv2d, nn.LeakyReLU),
        *[nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU] * 3,
        *(nn.Flatten, nn.Linear),
    ]
    assert [layer.negative_slope for layer in layers(D, nn.LeakyReLU)] == [0.2] * 4
    kernels = 25 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512)
    assert count(D) == kernels + 64 + 2 * (128 + 256 + 512) + 512 * 49 + 1 == 4_332_545


G_64 = 1024 * 8192 + 25 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * 3) + 3
"""From z to 512·4·4, then 256, 128, 64 and the image; the image alone has biases."""
D_64 = 25 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + 64 + 8192 + 1
"""64, 128, 256, 512, then a number from 512·4·4; the first layer and the number have biases."""
SIZES = {
    # batch norm: a gain and a shift for each map; without it: a bias for each, of the first layer for each unit
    "both": (G_64 + 2 * (512 + 256 + 128 + 64), D_64 + 2 * (128 + 256 + 512)),
    "D alone": (G_64 + 8192 + 256 + 128 + 64, D_64 + 2 * (128 + 256 + 512)),
    "none": (G_64 + 8192 + 256 + 128 + 64, D_64 + 128 + 256 + 512),
}


@pytest.mark.parametrize("norms", NORMS)
def test_the_stability_pair_is_that_of_the_authors_code(norms: str):
    of_G, of_D = NORMS[norms]
    with torch.device("meta"):
        G, D = models.LSGANGenerator(norm=of_G), models.LSGANDiscriminator(norm=of_D)
    assert (G.z_dim, G.sample_shape, D.sample_shape) == (1024, (3, 64, 64), (3, 64, 64))
    up = [(512, 256, 5, 2), (256, 128, 5, 2), (128, 64, 5, 2), (64, 3, 5, 2)]
    assert shapes(G, nn.ConvTranspose2d) == up
    assert shapes(D, nn.Conv2d) == [(maps, maps_in, *rest) for maps_in, maps, *rest in reversed(up)]
    assert [len(layers(net, nn.BatchNorm2d)) for net in (G, D)] == [4 * of_G, 3 * of_D]
    assert (count(G), count(D)) == SIZES[norms]


def test_with_batch_norm_it_is_dcgan_of_the_papers_text_half_as_wide():
    for ours, theirs in (
        (models.LSGANGenerator(28, 1, 4, 9), models.DCGANGenerator(28, 1, 4, 9, variant="text")),
        (models.LSGANDiscriminator(28, 1, 4), models.DCGANDiscriminator(28, 1, 4, variant="text")),
    ):
        ours.load_state_dict(theirs.state_dict())
        x = torch.rand(5, 9) if hasattr(ours, "z_dim") else torch.rand(5, 1, 28, 28)
        assert torch.equal(ours(x), theirs(x))


# Weights, sizes, what is refused -------------------------------------------------------------------------------------


def test_first_weights():
    """N(0, 0.02²); in D's convolutions nothing beyond 0.04, which leaves 0.88 of the spread; no biases."""
    cut = math.sqrt(1 - 2 * 2 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))
    for net in (
        models.LSGANSceneGenerator(32, 3, 16, 64),
        models.LSGANGenerator(32, 3, 16, 64, norm=False),
        models.LSGANDiscriminator(32, 3, 16, norm=False),
        models.LSGANDiscriminator(32, 3, 16),
    ):
        for layer in layers(net, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            weight, is_cut = layer.weight.detach(), isinstance(layer, nn.Conv2d)
            spread, n = 0.02 * (cut if is_cut else 1), weight.numel()
            assert weight.std().item() == pytest.approx(spread, rel=4 / math.sqrt(2 * n))
            assert abs(weight.mean().item()) < 4 * spread / math.sqrt(n)
            assert (weight.abs().max().item() <= 0.04) == is_cut or n < 1000
            assert layer.bias is None or not layer.bias.any()
        for norm in layers(net, nn.BatchNorm2d):
            assert (norm.weight == 1).all()
            assert not norm.bias.any()
            assert (norm.eps, norm.momentum) == (1e-5, 0.1)


def test_a_bias_stands_where_no_batch_norm_follows():
    for net in (
        models.LSGANSceneGenerator(32, 1, 2, 3),
        *(models.LSGANGenerator(32, 1, 2, 3, norm=norm) for norm in (True, False)),
        *(models.LSGANDiscriminator(32, 1, 2, norm=norm) for norm in (True, False)),
    ):
        kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
        chain = [layer for layer in net.net if not isinstance(layer, nn.Unflatten)]
        for layer, after in itertools.pairwise([*chain, nn.Identity()]):
            if isinstance(layer, kinds):
                assert (layer.bias is None) == isinstance(after, nn.BatchNorm2d)


@settings(max_examples=12, deadline=None)
@given(size=st.sampled_from(range(8, 129, 4)), channels=st.integers(1, 3), width=st.integers(1, 2), norm=st.booleans())
def test_any_size_width_and_channels(size: int, channels: int, width: int, norm: bool):
    G = models.LSGANGenerator(size, channels, width, 5, norm)
    D = models.LSGANDiscriminator(size, channels, width, norm)
    images = G(torch.rand(2, 5) * 2 - 1)
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    assert D(images).shape == (2,)
    if size % 16 == 0 and size >= 32:
        assert models.LSGANSceneGenerator(size, channels, width, 5)(torch.rand(2, 5)).shape == images.shape


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: models.LSGANSceneGenerator(size=100), "size is 100; give a multiple of 16 from 32 to 128"),
        (lambda: models.LSGANSceneGenerator(size=16), "size is 16; give a multiple of 16"),
        (lambda: models.LSGANSceneGenerator(width=0), "width is 0"),
        (lambda: models.LSGANGenerator(size=30), "size is 30; give a multiple of 4 from 8 to 128"),
        (lambda: models.LSGANGenerator(z_dim=0), "z_dim is 0"),
        (lambda: models.LSGANGenerator(norm=1), "norm is 1; give True or False"),  # pyright: ignore[reportArgumentType]
        (lambda: models.LSGANDiscriminator(norm="no"), "norm is 'no'"),  # pyright: ignore[reportArgumentType]
        (lambda: models.LSGANDiscriminator(size=132), "size is 132"),
    ],
)
def test_wrong_arguments_are_named(make, named: str):
    with pytest.raises(ConfigError, match=named):
        make()


def test_wrong_shapes_are_named():
    with pytest.raises(ShapeError, match=r"z has shape \[2, 4\]"):
        models.LSGANSceneGenerator(**TINY, z_dim=3)(torch.zeros(2, 4))
    with pytest.raises(ShapeError, match=r"x has shape \[2, 1, 28, 28\]"):
        models.LSGANDiscriminator(32, 1, 2)(torch.zeros(2, 1, 28, 28))


# Training ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norms", [*NORMS, "scenes"])
def test_all_pairs_train(norms: str):
    of_G, of_D = NORMS.get(norms, (True, True))
    D = models.LSGANDiscriminator(**TINY, norm=of_D)
    G = (
        models.LSGANSceneGenerator(**TINY, z_dim=8)
        if norms == "scenes"
        else models.LSGANGenerator(**TINY, z_dim=8, norm=of_G)
    )
    before = [weight.detach().clone() for net in (G, D) for weight in net.parameters()]
    images = torch.randint(0, 256, (12, 1, 32, 32), dtype=torch.uint8)
    same = RMSProp(1e-3)
    config = TrainConfig(steps=2, batch=4, device="cpu", noise="uniform", optimizer_d=same, optimizer_g=same)
    trainer = run(Trainer(G, D, least_squares(-1, 1, 0), images, config))
    assert trainer.history.isfinite().all()
    after = [weight for net in (G, D) for weight in net.parameters()]
    assert all(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert trainer.sample(3).shape == (3, 1, 32, 32)

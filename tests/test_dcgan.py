"""DCGAN in its three variants: guidelines, sizes, first weights, and what its authors' code does."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import count
from torch import Tensor, nn

from ganlab import models
from ganlab.errors import ShapeError


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
    with pytest.raises(ShapeError, match="z holds 1; give at least 2"):
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

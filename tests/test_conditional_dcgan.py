"""The conditional DCGAN: how labels join, sizes, guidelines, what is refused, and that its files are made again."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from own import refusal
from tiny import count, run
from torch import nn

from ganlab import data, models, training
from ganlab.errors import ConfigError, ShapeError
from ganlab.models.guidelines import check
from ganlab.objectives import NON_SATURATING
from ganlab.training import TrainConfig, Trainer

DCGAN: dict[str, Any] = {"size": 16, "channels": 2, "width": 3}


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("variant", models.VARIANTS)
def test_labels_join_z_and_the_image(variant: str):
    """By loops: a row of z with its label's 1 behind it, an image with a map of ones among those of the classes."""
    G = models.ConditionalDCGANGenerator(**DCGAN, z_dim=5, classes=4, variant=variant)
    D = models.ConditionalDCGANDiscriminator(**DCGAN, classes=4, variant=variant)
    plain_G = models.DCGANGenerator(**DCGAN, z_dim=9, variant=variant)
    plain_D = models.DCGANDiscriminator(16, 6, 3, variant=variant)
    for labelled, plain in ((G, plain_G), (D, plain_D)):
        plain.load_state_dict({name.removeprefix("plain."): value for name, value in labelled.state_dict().items()})
    z, y, x = torch.randn(6, 5), torch.tensor([3, 0, 1, 3, 2, 0]), torch.rand(6, 2, 16, 16)
    rows = [[*point.tolist(), *[float(label == c) for c in range(4)]] for point, label in zip(z, y, strict=True)]
    images = []
    for image, label in zip(x, y.tolist(), strict=True):
        maps = [torch.ones(16, 16) if c == label else torch.zeros(16, 16) for c in range(4)]
        images.append(torch.stack([*image, *maps]))
    torch.testing.assert_close(G(z, y), plain_G(torch.tensor(rows)))
    torch.testing.assert_close(D(x, y), plain_D(torch.stack(images)))


def test_each_label_gives_another_image_and_another_answer():
    G, D = models.ConditionalDCGANGenerator().eval(), models.ConditionalDCGANDiscriminator().eval()
    y = torch.arange(10)
    with torch.no_grad():
        x, t = G(torch.randn(1, 100).expand(10, 100), y), D(torch.rand(1, 1, 28, 28).expand(10, 1, 28, 28), y)
    for a, b in itertools.combinations(range(10), 2):
        assert (x[a] - x[b]).abs().max() > 1e-4
        assert (t[a] - t[b]).abs() > 1e-7


@settings(max_examples=15, deadline=None)
@given(
    size=st.sampled_from(range(8, 129, 4)),
    channels=st.integers(1, 3),
    width=st.integers(1, 3),
    z_dim=st.integers(1, 9),
    classes=st.integers(1, 12),
    variant=st.sampled_from(list(models.VARIANTS)),
)
def test_any_size_width_and_number_of_classes(
    size: int, channels: int, width: int, z_dim: int, classes: int, variant: str
):
    G = models.ConditionalDCGANGenerator(size, channels, width, z_dim, classes, variant)
    D = models.ConditionalDCGANDiscriminator(size, channels, width, classes, variant)
    y = torch.tensor([classes - 1, 0])
    images = G(torch.randn(2, z_dim), y)
    assert images.shape == (2, *G.sample_shape) == (2, *D.sample_shape) == (2, channels, size, size)
    assert images.abs().max() <= 1
    torch.testing.assert_close(D(images.to(memory_format=torch.channels_last), y), D(images, y))
    for network in (G, D):
        again = models.build(network.spec)
        assert (again.spec, again.classes) == (network.spec, classes)
        assert [p.shape for p in again.parameters()] == [p.shape for p in network.parameters()]


def test_the_parameters_at_28_pixels():
    """By hand, with 32 maps next to the image: kernels, gains, shifts, biases; ten inputs more than without labels."""
    G, D = models.ConditionalDCGANGenerator(width=32), models.ConditionalDCGANDiscriminator(width=32)
    assert count(G) == 110 * 64 * 7 * 7 + 2 * 64 + 64 * 32 * 16 + 2 * 32 + 32 * 16 + 1
    assert count(D) == 11 * 32 * 16 + 32 + 32 * 64 * 16 + 2 * 64 + 64 * 7 * 7 + 1
    assert count(G) - count(models.DCGANGenerator(28, 1, 32)) == 10 * 64 * 7 * 7
    assert count(D) - count(models.DCGANDiscriminator(28, 1, 32)) == 10 * 32 * 16


@pytest.mark.parametrize("variant", models.VARIANTS)
@pytest.mark.parametrize("size", [8, 28, 64])
def test_the_guidelines_are_kept(size: int, variant: str):
    G = models.ConditionalDCGANGenerator(size, 3, 4, variant=variant)
    D = models.ConditionalDCGANDiscriminator(size, 3, 4, variant=variant)
    report = check(G, D)
    assert (report.broken, report.unread) == ((), ())
    assert len(report.findings) == 7


def test_what_breaks_a_guideline_is_seen_behind_labels_too():
    G, D = models.ConditionalDCGANGenerator(16, 1, 4), models.ConditionalDCGANDiscriminator(16, 1, 4)
    D.plain.net[1] = nn.ReLU()
    assert check(G, D).broken == ("D: LeakyReLU",)
    del G.classes
    with pytest.raises(ShapeError, match="G on an example"):
        check(G, D)


def test_labels_of_ones_own_are_checked_with():
    G = models.ConditionalDCGANGenerator(16, 1, 4, classes=3)
    D = models.ConditionalDCGANDiscriminator(16, 1, 4, classes=3)
    assert check(G, D, y=torch.tensor([2, 2, 1, 0])).broken == ()
    with pytest.raises(ShapeError, match="G on an example"):
        check(G, D, y=torch.tensor([3, 2, 1, 0]))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"classes": 0}, "classes is 0; give an integer of at least 1"),
        ({"classes": "ten"}, "classes is 'ten'"),
        ({"channels": 0}, "channels is 0"),
        ({"size": 30}, "size is 30; give a multiple of 4"),
        ({"variant": "tensorflow"}, "variant is 'tensorflow'; give one of text, authors, torch"),
        ({"width": 0}, "width is 0"),
    ],
    ids=str,
)
def test_what_makes_no_network_is_refused(arguments: dict[str, Any], said: str):
    for kind in (models.ConditionalDCGANGenerator, models.ConditionalDCGANDiscriminator):
        with pytest.raises(ConfigError, match=said):
            kind(**arguments)


def test_wrong_inputs_are_refused():
    G, D = models.ConditionalDCGANGenerator(**DCGAN, z_dim=5, classes=4), models.ConditionalDCGANDiscriminator(**DCGAN)
    z, x, y = torch.randn(3, 5), torch.rand(3, 2, 16, 16), torch.tensor([0, 1, 2])
    assert "z has shape [3, 9]" in refusal(lambda: G(torch.randn(3, 9), y))
    assert "x has shape [3, 12, 16, 16]" in refusal(lambda: D(torch.rand(3, 12, 16, 16), y))
    for call in (lambda y: G(z, y), lambda y: D(x, y)):
        assert "y has shape [2]" in refusal(lambda call=call: call(y[:2]))
        assert "y has shape [3] torch.float32" in refusal(lambda call=call: call(y.float()))
        assert "y holds labels from 0 to 11" in refusal(lambda call=call: call(torch.tensor([0, 1, 11])))
    alone = models.ConditionalDCGANGenerator(**DCGAN, z_dim=5, classes=4, variant="authors")
    assert "z holds 1; give at least 2" in refusal(lambda: alone(z[:1], y[:1]))


@pytest.mark.parametrize("variant", ["torch", "authors"])
def test_a_trained_pair_is_exported_and_made_again(variant: str, tmp_path: Path):
    digits = data.load("digits", limit=64)
    G = models.ConditionalDCGANGenerator(8, 1, 4, 6, variant=variant)
    D = models.ConditionalDCGANDiscriminator(8, 1, 4, variant=variant)
    config = TrainConfig(steps=4, batch=16, ema=0.9, device="cpu", noise="uniform")
    trainer = run(Trainer(G, D, NON_SATURATING, digits, config, labels=True))
    training.export_generator(trainer, tmp_path / "g")
    again, info = training.load_generator(tmp_path / "g")
    assert (info.classes, info.spec) == (10, G.spec)
    for labels in (None, 7):
        samples = training.sample(again, 12, labels=labels, noise=info.noise, seed=2)
        assert torch.equal(samples, trainer.sample(12, labels=labels, seed=2))

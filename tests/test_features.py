"""Features of images: what goes in is what is seen, whatever it comes as, and what does not fit is named."""

import math

import pytest
import torch
from torch import nn

from ganlab import data, models
from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics import features
from ganlab.metrics.features import features_of

IMAGES = data.load("digits", split="test").images[:60]


@pytest.fixture(scope="module")
def judge() -> nn.Module:
    return models.trained("digits")


def test_they_are_the_networks_own(judge: models.Classifier):
    """One image at a time, scaled by hand: black is −1, white 1."""
    found = features_of(IMAGES, judge, "test digits")
    assert found.values.shape == (60, 64)
    assert found.values.dtype is torch.float64
    assert not found.values.requires_grad
    assert (found.images, found.network, len(found)) == ("test digits", str(judge), 60)
    assert "digits, seed 0" in found.network
    for image, values in zip(IMAGES, found.values, strict=True):
        by_hand = torch.tensor([[[[pixel / 255 * 2 - 1 for pixel in row] for row in image[0].tolist()]]])
        torch.testing.assert_close(judge.features(by_hand)[0].double(), values, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("value_range", [(0.0, 1.0), (-1.0, 1.0), (2.0, 5.0)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_bytes_and_floats_of_any_range_are_the_same_images(judge: nn.Module, value_range, dtype: torch.dtype):
    low, high = value_range
    given = (IMAGES.double() / 255 * (high - low) + low).to(dtype)
    if dtype is torch.bfloat16:  # 8 bits, sign and exponent beside: some grey levels are not told apart
        given = ((IMAGES > 127).double() * (high - low) + low).to(dtype)
    wanted = (IMAGES > 127).byte() * 255 if dtype is torch.bfloat16 else IMAGES
    one, other = features_of(given, judge, "g", value_range=value_range), features_of(wanted, judge, "g")
    assert torch.equal(one.values, other.values)


def test_parts_change_nothing(judge: nn.Module, monkeypatch: pytest.MonkeyPatch):
    whole = features_of(IMAGES, judge, "whole").values
    monkeypatch.setattr(features, "AT_ONCE", 7)
    torch.testing.assert_close(features_of(IMAGES, judge, "parts").values, whole, atol=1e-5, rtol=1e-5)


def test_a_network_in_training_is_judged_as_it_will_be_and_left_as_it_was():
    network = models.Classifier(8)
    network.maps.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    alone, among = features_of(IMAGES[:1], network, "one").values, features_of(IMAGES, network, "all").values
    torch.testing.assert_close(alone[0], among[0], atol=1e-6, rtol=1e-5)  # no batch norm over the batch
    network.train()
    modes = [module.training for module in network.modules()]
    torch.testing.assert_close(features_of(IMAGES, network, "all").values, among)
    assert all(modes)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_values_a_rounding_beyond_the_range_are_taken_and_others_are_not(judge: nn.Module):
    given = IMAGES.float() / 127.5 - 1
    near = features_of(given * 1.0005, judge, "near", value_range=(-1, 1))
    assert torch.equal(near.values, features_of(IMAGES, judge, "digits").values)
    with pytest.raises(ShapeError, match=r"far range over \[-1.01, 1.01\], and value_range is \(-1, 1\)"):
        features_of(given * 1.01, judge, "far", value_range=(-1, 1))


@pytest.mark.parametrize(
    ("images", "options", "named"),
    [
        (torch.zeros(4, 1, 28, 28).byte(), {}, r"G are images \[4, 1, 28, 28\]; the network takes \[n, 1, 8, 8\]"),
        (torch.zeros(4, 3, 8, 8).byte(), {}, r"G are images \[4, 3, 8, 8\]"),
        (torch.zeros(4, 8, 8).byte(), {}, r"G are images \[4, 8, 8\]"),
        (data.load("digits"), {}, r"G are a ImageSet; give a tensor \[n, C, H, W\], as data.load"),
        (torch.zeros(0, 1, 8, 8).byte(), {}, r"G are images \[0, 1, 8, 8\]"),
        (torch.zeros(4, 1, 8, 8), {}, r"unknown range; give models\.value_range\(G\)"),
        (torch.zeros(4, 1, 8, 8).long(), {}, "G are torch.int64 images"),
        (
            torch.full((4, 1, 8, 8), -1.0),
            {"value_range": (0, 1)},
            r"G range over \[-1, -1\], and value_range is \(0, 1",
        ),
        (torch.full((4, 1, 8, 8), math.nan), {"value_range": (0, 1)}, r"G range over \[nan, nan\]"),
        (torch.full((4, 1, 8, 8), math.inf), {"value_range": (0, 1)}, r"G range over \[inf, inf\]"),
    ],
)
def test_images_that_do_not_fit_are_named(judge: nn.Module, images: torch.Tensor, options: dict, named: str):
    with pytest.raises(ShapeError, match=named) as caught:
        features_of(images, judge, "G", **options)
    assert "\n" not in str(caught.value)


def test_a_network_without_features_is_named():
    network = nn.Linear(2, 2)
    for wanted in ("features", "sample_shape", "input_range"):
        with pytest.raises(ConfigError, match=rf"network is a Linear without {wanted}; give models\.trained"):
            features_of(IMAGES, network, "G")
        setattr(network, wanted, torch.zeros(1))


class Pixels(nn.Module):
    """A network of the user's own, without weights."""

    sample_shape, input_range = (1, 8, 8), (0.0, 1.0)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1)


def test_a_network_without_weights_has_features():
    found = features_of(IMAGES, Pixels(), "G")
    torch.testing.assert_close(found.values, IMAGES.flatten(1).double() / 255, atol=1e-7, rtol=0)


def test_what_is_no_network_is_named():
    class Plain:
        sample_shape, input_range, features = Pixels.sample_shape, Pixels.input_range, Pixels.features

    with pytest.raises(ConfigError, match=r"network is a Plain, no nn\.Module; give models\.trained\('mnist'\)"):
        features_of(IMAGES, Plain(), "G")


def test_a_damaged_network_is_named():
    network = models.Classifier(8)
    with torch.no_grad():
        network.hidden.weight.fill_(math.nan)
    with pytest.raises(ShapeError, match="60 of 60 features of G are not finite"):
        features_of(IMAGES, network, "G")

"""DCGANs without one guideline: each breaks its own and no other, in both networks, at several sizes."""

import pytest
import torch
from torch import nn

from ganlab.errors import ConfigError
from ganlab.models import value_range
from ganlab.models.ablated import OFF, without
from ganlab.models.guidelines import check


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def kinds(network: nn.Module) -> list[type[nn.Module]]:
    return [type(layer) for layer in network.get_submodule("net").children()]


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (16, 3), (28, 1)])
@pytest.mark.parametrize("guideline", OFF)
def test_each_breaks_its_guideline_and_no_other(guideline: str, size: int, channels: int):
    G, D = without(guideline, size=size, channels=channels, width=8, z_dim=20)
    images = G(torch.randn(3, 20))
    low, high = value_range(G)
    assert images.shape == (3, channels, size, size)
    assert low <= images.min() < (low + high) / 2 < images.max() <= high
    assert D(images).shape == (3,)
    report = check(G, D)
    assert (report.broken, report.unread) == ((guideline,), ())


def test_all_guidelines_that_are_checked_can_be_switched_off():
    report = check(*without(None))
    assert [finding.guideline for finding in report.findings] == [*OFF]
    assert report.broken == ()


def test_what_is_switched_off_is_off_everywhere():
    (G, D), (of_G, of_D) = without("batch norm"), without("strides instead of pooling")
    assert nn.BatchNorm2d not in kinds(G) + kinds(D)
    assert all(layer.bias is not None for layer in (*G.modules(), *D.modules()) if isinstance(layer, nn.Conv2d))
    assert kinds(of_D).count(nn.MaxPool2d) == kinds(of_G).count(nn.Upsample) == 2
    assert nn.LeakyReLU not in kinds(without("D: LeakyReLU")[1])
    G, _ = without("G: ReLU, tanh at the end")
    assert nn.ReLU not in kinds(G)
    assert nn.Tanh not in kinds(G)
    G, D = without("no hidden fully connected layer")
    assert nn.Linear in kinds(G)
    assert kinds(D).count(nn.Linear) == 2


def test_what_is_not_switched_off_has_the_layers_of_a_dcgan():
    whole = without(None)
    for guideline in ("initialisation", "D: LeakyReLU", "D: raw logits or sigmoid"):
        assert kinds(without(guideline)[0]) == kinds(whole[0])
    assert kinds(without("initialisation")[1]) == kinds(whole[1])


def test_an_unknown_guideline_is_refused():
    with pytest.raises(ConfigError, match=r"^guideline is 'luck'; give one of strides .*, or None\.$"):
        without("luck")

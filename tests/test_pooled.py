"""Pooled features against a plain pass through the layers, and where they stand in the vector."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ganlab import models
from ganlab.models.pooled import pooled_features

X = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture
def D() -> models.DCGANDiscriminator:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        D = models.DCGANDiscriminator(28, 1, 6)
        with torch.no_grad():
            D(X)  # so that running averages are not those of the start
    return D


def test_they_are_those_of_a_plain_pass(D: models.DCGANDiscriminator):
    found = pooled_features(D, X)
    assert D.training
    D.eval()
    with torch.no_grad():
        first = D.net[:2](X)  # [5, 6, 14, 14]
        second = D.net[2:5](first)  # [5, 12, 7, 7]
    wanted = torch.cat([F.adaptive_max_pool2d(maps, 4).flatten(1) for maps in (first, second)], dim=1)
    assert found.shape == (5, (6 + 12) * 16)
    torch.testing.assert_close(found, wanted)
    assert not found.requires_grad


def test_the_windows_by_a_plain_loop(D: models.DCGANDiscriminator):
    """Seven places in four windows: from ⌊7i/4⌋ to ⌈7(i + 1)/4⌉, each starting within the map."""
    D.eval()
    maps = D.net[:5](X)
    found = pooled_features(D, X, layers=[-1]).view(5, 12, 4, 4)
    for i in range(4):
        for j in range(4):
            rows, columns = (slice(7 * k // 4, -(-7 * (k + 1) // 4)) for k in (i, j))
            torch.testing.assert_close(found[:, :, i, j], maps[:, :, rows, columns].amax(dim=(2, 3)).detach())


def test_layers_and_sides(D: models.DCGANDiscriminator):
    whole = pooled_features(D, X)
    assert torch.equal(pooled_features(D, X, layers=[0]), whole[:, : 6 * 16])
    assert torch.equal(
        pooled_features(D, X, layers=(-1, 0)), torch.cat([whole[:, 6 * 16 :], whole[:, : 6 * 16]], dim=1)
    )
    assert pooled_features(D, X, side=10).shape == (5, 6 * 100 + 12 * 49)  # the smaller map as it is
    largest = pooled_features(D, X, side=1)
    assert torch.equal(largest[:, 0], whole[:, :16].amax(dim=1))
    assert largest.shape == (5, 18)


def test_the_papers_sizes():
    """SVHN: 64, 128 and 256 maps, each pooled to 4×4, are 7,168 numbers; CIFAR-10's six layers 28,672."""
    D = nn.Sequential(
        *(nn.Conv2d(3, 64, 5, 2, 2), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(64, 128, 5, 2, 2, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(128, 256, 5, 2, 2, bias=False), nn.BatchNorm2d(256), nn.LeakyReLU(0.2)),
        *(nn.Flatten(), nn.Linear(4096, 1)),
    )
    assert pooled_features(D, torch.zeros(2, 3, 32, 32)).shape == (2, 7168)
    maps = (3, 128, 128, 256, 256, 512, 512)
    layers = [nn.Conv2d(a, b, 3, 1 + i % 2, 1) for i, (a, b) in enumerate(itertools.pairwise(maps))]
    D = nn.Sequential(*(part for layer in layers for part in (layer, nn.LeakyReLU(0.2))), nn.Flatten())
    assert pooled_features(D, torch.zeros(2, 3, 32, 32)).shape == (2, 28672)


def test_an_image_does_not_depend_on_its_companions(D: models.DCGANDiscriminator):
    torch.testing.assert_close(pooled_features(D, X[:1]), pooled_features(D, X)[:1])


def test_images_of_another_precision_are_taken(D: models.DCGANDiscriminator):
    torch.testing.assert_close(pooled_features(D, X.double()), pooled_features(D, X))

"""What the tools that take a GAN apart say to do, done: refused first, and taken when it is followed."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import pytest
import torch
from own import refusal, wrong
from torch import Tensor, nn

from ganlab import models, panels
from ganlab.metrics import probe
from ganlab.models import guided, latent, pooled

X = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
Z = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(6) % 2
D = models.DCGANDiscriminator(8, 1, 4)
CONVOLUTION = nn.Conv2d(1, 4, 3)


def network(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(1), nn.Flatten(0))


class Pair(nn.Module):
    """Gives its answer and its maps, as a tuple."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.flatten(1).sum(dim=1), x


class WrittenOver(nn.Module):
    """Doubles what its convolution gave, in place."""

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        self.convolution, self.in_place = nn.Conv2d(1, 2, 3), in_place

    def forward(self, x: Tensor) -> Tensor:
        maps = self.convolution(x)
        maps = maps.mul_(2) if self.in_place else maps * 2
        return maps.sum(dim=(1, 2, 3))


def panel(result: int) -> Any:
    rows = {"+ a": X[:3], "− b": X[:3], "+ c": X[:3]}
    images = X.repeat(2, 1, 1, 1)
    return panels.arithmetic(rows, images[:result], X[:1], title="a − b + c", value_range=(-1, 1))


def probed(points: Tensor) -> probe.Probe:
    return probe.linear_probe(points, LABELS, points, LABELS, points, LABELS)


def seen(D_: Any, x: Any = X, **options: Any) -> Tensor:
    return pooled.pooled_features(D_, x, **options)


ADVICE: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "give nine, with what was asked for in the middle": (lambda: panel(8), lambda: panel(9)),
    "give features that tell points apart": (lambda: probed(torch.zeros(6, 4)), lambda: probed(X.flatten(1))),
    "give one number for each of the 9 z": (
        lambda: latent.direction(Z, torch.zeros(9, 2)),
        lambda: latent.direction(Z, torch.arange(9)),
    ),
    "so that images depend on others; give it some": (
        lambda: seen(network(CONVOLUTION, nn.BatchNorm2d(4, track_running_stats=False))),
        lambda: seen(network(CONVOLUTION, nn.BatchNorm2d(4, track_running_stats=True))),
    ),
    "give a tensor of images [n, C, H, W]": (lambda: seen(D, X.numpy()), lambda: seen(D, X)),
    "give images [n, C, H, W].": (lambda: seen(network(CONVOLUTION), X[0]), lambda: seen(network(CONVOLUTION), X)),
    "give a network that gives one tensor": (
        lambda: seen(nn.Sequential(CONVOLUTION, Pair())),
        lambda: seen(network(CONVOLUTION)),
    ),
    "give a network of convolutions": (lambda: seen(network(nn.Flatten())), lambda: seen(network(CONVOLUTION))),
    "let it keep it (out of place)": (lambda: seen(WrittenOver(True)), lambda: seen(WrittenOver(False))),
    "give images that it takes": (
        lambda: seen(network(CONVOLUTION), X.expand(-1, 3, -1, -1)),
        lambda: seen(network(CONVOLUTION), X),
    ),
    "give numbers of layers, such as [0, −1], or None for all": (
        lambda: seen(D, layers=wrong(0)),
        lambda: [seen(D, layers=layers) for layers in ([0, -1], None)],
    ),
    "is defined for ReLU and LeakyReLU alone": (
        lambda: guided.guided_gradient(network(CONVOLUTION, nn.Tanh()), X, 0, 0),
        lambda: guided.guided_gradient(network(CONVOLUTION, nn.ReLU()), X, 0, 0),
    ),
}


@pytest.mark.parametrize("advice", ADVICE)
def test_advice(advice: str):
    asked, followed = ADVICE[advice]
    assert advice in refusal(asked)
    assert followed() is not None
    plt.close("all")

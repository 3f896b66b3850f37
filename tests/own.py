"""Small networks as people write them, and what tests of them share."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tiny import TinyD, examples
from torch import Tensor, nn

from ganlab import data, models
from ganlab.errors import GanlabError
from ganlab.objectives import NON_SATURATING
from ganlab.training import Ensemble, TrainConfig, Trainer

DIGITS = data.load("digits", limit=64)


class ImageG(nn.Module):
    """z [n, 4] → images [n, 1, 8, 8] through a last layer of choice, as people write it."""

    z_dim = 4

    output_range: Any

    def __init__(self, last: Callable[[Tensor], Tensor] = torch.tanh) -> None:
        super().__init__()
        self.net, self.last = nn.Linear(4, 64), last

    def forward(self, z: Tensor) -> Tensor:
        return self.last(self.net(z)).view(-1, 1, 8, 8)


class ImageD(nn.Module):
    """Images [n, 1, 8, 8] → logits [n], then through whatever is given."""

    def __init__(self, last: Callable[[Tensor], object] = lambda t: t) -> None:
        super().__init__()
        self.net, self.last = nn.Sequential(nn.Flatten(), nn.Linear(64, 1)), last

    def forward(self, x: Tensor) -> object:
        return self.last(self.net(x).squeeze(1))


def image_trainer(
    G: Any = None, D: Any = None, x: Any = DIGITS.images, objective: Any = NON_SATURATING, **options: Any
) -> Trainer:
    torch.manual_seed(1)
    config = TrainConfig(**{"steps": 3, "batch": 16, "device": "cpu", **options})
    return Trainer(ImageG() if G is None else G, ImageD() if D is None else D, objective, x, config)


def tiny_trainer_of(G: nn.Module) -> Trainer:
    return Trainer(G, TinyD(), NON_SATURATING, examples(), TrainConfig(steps=3, batch=8, device="cpu"))


def refusal(make: Callable[[], object]) -> str:
    """The one line in which something is refused."""
    with pytest.raises(GanlabError) as caught:
        make()
    line = str(caught.value)
    assert "\n" not in line
    assert "0x" not in line
    return line


def seeded(make: Callable[[], Any]) -> Any:
    """What is made with these first weights."""
    torch.manual_seed(2)
    return make()


def toy_pair() -> tuple[nn.Module, nn.Module]:
    return models.ToyGenerator(z_dim=4, width=8), models.ToyDiscriminator(width=8)


def toy_ensemble(make: Any = toy_pair, seeds: Any = (0, 1), x: Any = None, **options: Any) -> Ensemble:
    config = TrainConfig(**{"steps": 2, "batch": 16, "device": "cpu", **options})
    return Ensemble(make, NON_SATURATING, data.ring() if x is None else x, config, seeds=seeds)


def wrong(value: Any) -> Any:
    """A value of another kind than is wanted, which type checkers let pass."""
    return value

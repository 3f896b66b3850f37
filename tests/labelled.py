"""Points with labels, and a small pair of networks that takes them."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganlab.objectives import NON_SATURATING, RELATIVISTIC, Objective
from ganlab.training import TrainConfig, Trainer

CLASSES = 5
LABELS = torch.arange(50) % CLASSES
POINTS = torch.stack([LABELS.float(), torch.arange(50) / 50], dim=1)
"""Each example's first number is its label, so that a batch tells whose labels belong to it."""
ON_PAIRS = pytest.mark.parametrize("objective", [NON_SATURATING, RELATIVISTIC], ids=lambda objective: objective.name)


class LabelledG(nn.Module):
    """z [n, 3] and a learned vector for y → points [n, 2]."""

    z_dim = 3

    def __init__(self, classes: int = CLASSES) -> None:
        super().__init__()
        self.table = nn.Embedding(classes, 2)
        self.net = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.net(torch.cat([z, self.table(y)], dim=1))


class LabelledD(nn.Module):
    """Points [n, 2] and a learned vector for y → logits [n]."""

    def __init__(self, classes: int = CLASSES) -> None:
        super().__init__()
        self.table = nn.Embedding(classes, 2)
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.net(torch.cat([x, self.table(y)], dim=1)).squeeze(1)


def labelled(
    objective: Objective = NON_SATURATING,
    labels: Any = LABELS,
    x: Any = POINTS,
    G: Any = None,
    D: Any = None,
    **options,
) -> Trainer:
    rank = options.pop("rank", 0)
    config = TrainConfig(**{"steps": 12, "batch": 8, "device": "cpu", **options})
    torch.manual_seed(1)
    G, D = G or LabelledG(), D or LabelledD()
    return Trainer(G, D, objective, x, config, labels=labels, rank=rank)

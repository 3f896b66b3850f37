"""Networks for tests: a few weights, with batch norm and dropout so that every kind of state is there."""

import torch
from torch import Tensor, nn

from ganlab.objectives import NON_SATURATING, Objective
from ganlab.training import TrainConfig, Trainer


class TinyG(nn.Module):
    z_dim = 3

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z)


class TinyD(nn.Module):
    def __init__(self, dropout: float = 0.3) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Dropout(dropout), nn.Linear(8, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).squeeze(1)


def examples(n: int = 50) -> Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(7))


def tiny_trainer(objective: Objective = NON_SATURATING, *, dropout: float = 0.3, rank: int = 0, **options) -> Trainer:
    config = TrainConfig(**{"steps": 20, "batch": 8, "device": "cpu", **options})
    torch.manual_seed(1)
    return Trainer(TinyG(), TinyD(dropout), objective, examples(), config, rank=rank)


def run(trainer: Trainer, steps: int | None = None) -> Trainer:
    """Train to the end, or for this many steps."""
    for record in trainer.run():
        if steps is not None and record.step == steps:
            break
    return trainer


def parameters(trainer: Trainer) -> Tensor:
    """All weights of both networks, in one row."""
    return torch.cat([p.detach().flatten() for model in (trainer.G, trainer.D) for p in model.parameters()])


def count(model: nn.Module) -> int:
    """How many weights a network has."""
    return sum(parameter.numel() for parameter in model.parameters())


def assert_equal(left: object, right: object) -> None:
    """Bit for bit, through nested dicts and lists."""
    if isinstance(left, torch.Tensor):
        assert isinstance(right, torch.Tensor)
        assert torch.equal(left, right)
    elif isinstance(left, dict):
        assert isinstance(right, dict)
        assert left.keys() == right.keys()
        for key in left:
            assert_equal(left[key], right[key])
    elif isinstance(left, list | tuple):
        assert isinstance(right, list | tuple)
        assert len(left) == len(right)
        for a, b in zip(left, right, strict=True):
            assert_equal(a, b)
    else:
        assert left == right

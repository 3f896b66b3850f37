"""Laws of one's own: told apart by all that they hold, and drawn from as they are written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from own import refusal
from tiny import TinyD, TinyG, run
from torch import Tensor, nn

from ganlab import data
from ganlab.objectives import NON_SATURATING
from ganlab.training import TrainConfig, Trainer
from ganlab.training.sources import described


def on(law: Any, **options: Any) -> Trainer:
    torch.manual_seed(1)
    return Trainer(
        TinyG(), TinyD(), NON_SATURATING, law, TrainConfig(**{"steps": 4, "batch": 8, "device": "cpu"} | options)
    )


@dataclass
class Points:
    """Samples are some of these, and a dataclass's repr cuts them short."""

    points: Any

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        points = torch.as_tensor(self.points["all"] if isinstance(self.points, dict) else self.points)
        return points[torch.randint(len(points), (n,), generator=generator)]


class Network(nn.Module):
    """Samples are what a network makes of noise; a network's repr says nothing of its weights."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.net = nn.Linear(2, 2)
        self.net.weight = nn.Parameter(weight)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        with torch.no_grad():
            return self.net(torch.randn(n, 2, generator=generator))


@dataclass
class Made(Points):
    """Samples of a law within."""

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        return self.points.sample(n, generator)


POINTS = torch.randn(2000, 2, generator=torch.Generator().manual_seed(3))
IN_THE_MIDDLE = POINTS.clone()
IN_THE_MIDDLE[100:1900] += 50
IN_THE_FIFTH_PLACE = POINTS.clone()
IN_THE_FIFTH_PLACE[0, 0] += 1e-5


@pytest.mark.parametrize("moved", [IN_THE_MIDDLE, IN_THE_FIFTH_PLACE], ids=["in the middle", "in the fifth place"])
@pytest.mark.parametrize(
    "law",
    [
        Points,
        lambda points: Points(points.numpy()),
        lambda points: Points({"all": points, "more": [1, "a"]}),
        lambda points: Made(Points(points)),
        lambda points: Network(points[[0, 500]]),
        lambda points: Made(Network(points[[0, 500]])),
    ],
    ids=["tensor", "array", "dict", "law within", "network", "network within"],
)
def test_a_run_does_not_go_on_with_other_numbers_in_its_law(
    tmp_path: Path, law: Callable[[Tensor], Any], moved: Tensor
):
    place = tmp_path / "run.ckpt"
    run(on(law(POINTS)), steps=2).save(place)
    assert on(law(POINTS.clone())).resume(place)
    assert "belongs to another run (data: " in refusal(lambda: on(law(moved)).resume(place))


def test_a_resumed_law_goes_on_that_counts_in_what_it_holds(tmp_path: Path):
    class Counting(Network):
        def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
            self.seen += 1
            return super().sample(n, generator)

    def law() -> Counting:
        torch.manual_seed(5)
        made = Counting(POINTS[:2])
        made.register_buffer("seen", torch.zeros(()))
        return made

    place = tmp_path / "run.ckpt"
    run(on(law()), steps=2).save(place)
    assert (resumed := on(law())).resume(place)
    assert torch.equal(run(resumed).history, run(on(law())).history)


def test_objects_in_an_array_are_described_without_their_addresses():
    one, other = (described(Points(np.array([nn.Linear, {1: POINTS}, lambda: 3], dtype=object))) for _ in range(2))
    assert one == other


def test_laws_of_the_project_are_described_as_in_checkpoints_that_are_there():
    written = "Mixture(means=((0.0,),), sigmas=(1.0,), weights=(1.0,))"
    assert described(data.gaussian()) == written
    assert on(data.ring()).source.fingerprint == repr(data.ring())

"""Laws of one's own: told apart by all that they hold, and drawn from as they are written."""

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from labelled import LabelledD, LabelledG, labelled
from own import refusal, seeded, wrong
from tiny import TinyD, TinyG, run
from torch import Tensor, nn

from ganlab import data
from ganlab.objectives import NON_SATURATING, RELATIVISTIC, Objective
from ganlab.training import R1, TrainConfig, Trainer
from ganlab.training.sources import described, say_of_other_randomness


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


# Random numbers -------------------------------------------------------------------------------------------------------


class Drawing:
    """Samples are what a function draws."""

    def __init__(self, draw: Callable[[int, torch.Generator], Tensor]) -> None:
        self.draw = draw

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self.draw(n, generator)


def of_python(n: int, _: torch.Generator) -> Tensor:
    return torch.tensor([[random.random()] * 2 for _ in range(n)])


def of_numpy(n: int, _: torch.Generator) -> Tensor:
    return torch.from_numpy(np.random.randn(n, 2))  # noqa: NPY002


def seeding_numpy(n: int, generator: torch.Generator) -> Tensor:
    return torch.from_numpy(np.random.default_rng(generator.initial_seed()).normal(size=(n, 2)))


def of_generator(n: int, generator: torch.Generator) -> Tensor:
    return torch.randn(n, 2, generator=generator)


def of_torch(n: int, _: torch.Generator) -> Tensor:
    return torch.randn(n, 2)


@pytest.mark.parametrize("draw", [of_python, of_numpy], ids=lambda draw: draw.__name__)
def test_a_law_that_draws_from_elsewhere_is_said(draw: Any):
    with pytest.warns(
        UserWarning, match=r"data is a Drawing, .* let its sample\(n, generator\) draw from this generator alone"
    ):
        trainer = on(Drawing(draw))
    assert not torch.equal(trainer.real_batch(0), trainer.real_batch(0))
    before = random.getstate(), np.random.get_state(legacy=False)["state"]["pos"]  # noqa: NPY002
    assert say_of_other_randomness(wrong(Drawing(draw)), 8, torch.device("cpu")) != []
    assert before == (random.getstate(), np.random.get_state(legacy=False)["state"]["pos"])  # noqa: NPY002


@pytest.mark.parametrize("draw", [of_generator, of_torch, seeding_numpy], ids=lambda draw: draw.__name__)
def test_of_a_law_whose_run_goes_on_to_the_same_end_nothing_is_said(tmp_path: Path, draw: Any):
    place = tmp_path / "run.ckpt"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(on(Drawing(draw)), steps=2).save(place)
        whole, resumed = run(on(Drawing(draw))), on(Drawing(draw))
    assert resumed.resume(place)
    assert torch.equal(run(resumed).history, whole.history)


class Inferring:
    """Draws in inference mode, whose tensors no graph may hold; its class is whether the first number is positive."""

    classes = ("no", "yes")

    @torch.inference_mode()
    def sample_labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x = torch.randn(n, 2, generator=generator)
        return x, (x[:, 0] > 0).long()

    @torch.inference_mode()
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self.sample_labelled(n, generator)[0]


@pytest.mark.parametrize("objective", [NON_SATURATING, RELATIVISTIC], ids=lambda objective: objective.name)
@pytest.mark.parametrize("options", [{}, {"update": "simultaneous"}, {"penalty": R1()}], ids=str)
def test_a_law_may_draw_in_inference_mode(objective: Objective, options: dict[str, Any]):
    torch.manual_seed(1)
    config = TrainConfig(steps=3, batch=8, device="cpu", **options)
    trainers = [
        Trainer(seeded(TinyG), seeded(TinyD), objective, law, config) for law in (Inferring(), Drawing(of_generator))
    ]
    one, other = map(run, trainers)
    assert torch.equal(one.history, other.history)
    assert run(labelled(objective, True, Inferring(), G=LabelledG(2), D=LabelledD(2), **options)).step == 12

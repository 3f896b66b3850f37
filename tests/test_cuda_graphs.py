"""compile=True on a GPU: CUDA graphs. There is no GPU here; what is held is what training does around the graphs.

In their place stands what they do to memory: all that a pass gave in one step is overwritten when the next one begins.
"""

import contextlib
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from labelled import labelled
from own import image_trainer, toy_ensemble
from tiny import assert_equal, run, tiny_trainer
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode

from ganlab.objectives import RELATIVISTIC
from ganlab.training import R1, Adam, Trainer
from ganlab.training.compilation import compiled

GPU = torch.device("cuda")


class Graphs:
    """In the place of torch's: passes are counted, and what they gave is NaN from the next step on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.modes: list[Any] = []
        self.passes: list[int] = []
        self.live: list[Tensor] = []
        self.failing: Exception | None = None
        graphs = self

        def compile_(network: nn.Module, **how: Any) -> None:
            graphs.modes.append(how)
            network._compiled_call_impl = lambda *given: graphs.replay(network, *given)

        monkeypatch.setattr(nn.Module, "compile", compile_)
        monkeypatch.setattr(torch.compiler, "cudagraph_mark_step_begin", self.begin)
        monkeypatch.setattr("ganlab.training.trainer.compiled", lambda _, **networks: compiled(GPU, **networks))

    def begin(self) -> None:
        self.passes.append(0)
        with torch.no_grad():
            for given in self.live:
                given.fill_(torch.nan)
        self.live = []

    def replay(self, network: nn.Module, *given: Tensor) -> Tensor:
        if self.failing is not None and network.training:
            raise self.failing
        self.passes[-1] += 1
        made: Any = network._call_impl(*given)
        self.live.append(made.detach())
        return made


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> Graphs:
    return Graphs(monkeypatch)


RUNS: dict[str, tuple[Callable[..., Trainer], int]] = {
    "alternating": (lambda **more: tiny_trainer(ema=0.9, **more), 5),
    "k": (lambda **more: tiny_trainer(k=3, **more), 11),
    "pairs": (lambda **more: tiny_trainer(RELATIVISTIC, **more), 6),
    "simultaneous": (lambda **more: tiny_trainer(update="simultaneous", **more), 3),
    "one per minibatch": (lambda **more: tiny_trainer(update="one per minibatch", **more), 5),
    "shared samples": (lambda **more: tiny_trainer(update="shared samples", **more), 4),
    "one pass through D": (lambda **more: tiny_trainer(dropout=0.0, instance_noise=0.1, **more), 4),
    "labels": (lambda **more: labelled(**more), 4),
    "an ensemble": (lambda **more: toy_ensemble(**more), 4),
}


@pytest.mark.parametrize(("make", "passes"), RUNS.values(), ids=RUNS.keys())
def test_nothing_that_a_graph_gave_is_used_after_its_step(make: Callable[..., Trainer], passes: int, graphs: Graphs):
    plain = run(make())
    trainer = run(make(compile=True))
    assert graphs.modes == [{"mode": "reduce-overhead"}] * 2
    assert graphs.passes == [passes] * trainer.step  # the beginning of each step is marked, once
    assert all(weight.grad is None for network in (trainer.G, trainer.D) for weight in network.parameters())
    graphs.begin()
    assert_equal(trainer.state_dict(), plain.state_dict() | {"run": trainer.description})
    assert_equal(trainer.sample(9), plain.sample(9))
    assert graphs.passes[-1] == 0  # samples, which are kept, are no graph's


def test_a_penalty_is_paid_as_the_networks_are_written(graphs: Graphs, monkeypatch: pytest.MonkeyPatch):
    """Graphs are differentiated once; torch is told so, as it is for networks that are compiled without graphs."""
    stances: list[str] = []

    def set_stance(stance: str) -> contextlib.AbstractContextManager[None]:
        stances.append(stance)
        return contextlib.nullcontext()

    monkeypatch.setattr(torch.compiler, "set_stance", set_stance)
    monkeypatch.setitem(sys.modules, "torch._dynamo", torch)
    assert run(image_trainer(penalty=R1(), compile=True)).step == 3
    assert stances == ["force_eager"] * (1 + 3)  # in the first look, and in each step


@pytest.mark.parametrize("module", ["torch._dynamo.exc", "torch._inductor.exc"])
def test_where_it_cannot_compile_it_runs_as_written_and_says_so_once(module: str, graphs: Graphs):
    graphs.failing = type("TritonMissing", (Exception,), {"__module__": module})("its own\nlong text")
    plain = run(tiny_trainer())
    with pytest.warns(UserWarning, match="torch.compile fails on") as said:
        trainer = run(tiny_trainer(compile=True))
    lines = [str(warning.message) for warning in said]
    assert lines == [
        f"torch.compile fails on {role} (TritonMissing), which runs as it is written, without CUDA graphs; install"
        " Triton and a C++ compiler if they are missing."
        for role in ("G", "D")
    ]
    assert_equal(trainer.history, plain.history)
    graphs.failing = None  # what the message says
    assert run(tiny_trainer(compile=True), steps=1).step == 1
    assert graphs.passes[-1] == 5


def test_other_errors_of_a_pass_are_its_own(graphs: Graphs):
    graphs.failing = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        run(tiny_trainer(compile=True))


def test_on_the_processor_networks_are_compiled_without_graphs(monkeypatch: pytest.MonkeyPatch):
    asked: list[Any] = []
    monkeypatch.setattr(nn.Module, "compile", lambda _, **how: asked.append(how))
    monkeypatch.setattr(torch.compiler, "cudagraph_mark_step_begin", lambda: 1 / 0)
    assert run(tiny_trainer(compile=True)).step == 20
    assert asked == [{}, {}]


@pytest.mark.parametrize(("place", "capturable"), [("cuda", True), ("cpu", False)])
def test_adam_may_be_held_by_a_graph_on_a_gpu_alone(place: str, capturable: bool):
    """Also after a state is loaded that was saved elsewhere."""
    with FakeTensorMode():
        weights = [nn.Parameter(torch.empty(2, device=place))]
        optimizer = Adam().build(weights)
        elsewhere = optimizer.state_dict()
        elsewhere["param_groups"][0]["capturable"] = not capturable
        assert [group["capturable"] for group in optimizer.param_groups] == [capturable]
        optimizer.load_state_dict(elsewhere)
    (group,) = optimizer.param_groups
    assert (group["fused"], group["capturable"]) == (True, capturable)

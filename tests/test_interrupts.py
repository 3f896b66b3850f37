"""Ctrl-C takes effect when a step is done: once, as whoever called wants it, and not in other threads."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from tiny import TinyD, TinyG, assert_equal, examples, parameters, run, tiny_trainer
from torch import Tensor

from ganlab.objectives import NON_SATURATING
from ganlab.training import TrainConfig, Trainer
from ganlab.training.interrupts import interrupts_deferred


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """What a handler of one's own is told."""
    told: list[Any] = []
    before = signal.signal(signal.SIGINT, lambda *arguments: told.append(arguments))
    yield told
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_the_block_is_done_before_it_is_interrupted():
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts_deferred():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        done.append("the step")
    assert done == ["the step"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_ones_own_is_told_once_and_stays(told: list[Any]):
    own = signal.getsignal(signal.SIGINT)
    with interrupts_deferred():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert told == []
    ((number, frame),) = told
    assert number == signal.SIGINT
    assert frame is not None
    with interrupts_deferred():
        pass
    assert len(told) == 1
    assert signal.getsignal(signal.SIGINT) is own


def test_an_error_in_the_block_is_the_one_that_is_raised(told: list[Any]):
    own = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), interrupts_deferred():
        _ = 1 / 0
    assert signal.getsignal(signal.SIGINT) is own
    assert told == []


@pytest.mark.usefixtures("told")
def test_where_ctrl_c_is_ignored_it_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts_deferred():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_run_in_another_thread_is_the_same_run():
    """Only the main thread may set handlers, and Ctrl-C reaches no other."""
    trainer = tiny_trainer(steps=3)
    thread = threading.Thread(target=run, args=(trainer,))
    thread.start()
    thread.join()
    assert_equal(trainer.state_dict(), run(tiny_trainer(steps=3)).state_dict())
    assert trainer.step == 3


class InterruptedD(TinyD):
    """Sends Ctrl-C to this process in the middle of a step."""

    def __init__(self, at_pass: int) -> None:
        super().__init__()
        self.left = at_pass

    def forward(self, x: Tensor) -> Tensor:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return super().forward(x)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to oneself")
@pytest.mark.filterwarnings("ignore:D's forward pass changes left, which no checkpoint holds")
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_takes_effect_between_two_steps(tmp_path):
    def build(at_pass: int) -> Trainer:
        torch.manual_seed(1)
        return Trainer(
            TinyG(), InterruptedD(at_pass), NON_SATURATING, examples(), TrainConfig(batch=8, steps=20, device="cpu")
        )

    trainer = build(at_pass=14)  # in the middle of step 5
    with pytest.raises(KeyboardInterrupt):
        run(trainer)
    assert trainer.step == 5
    assert len(trainer.history) == 5
    trainer.save(tmp_path / "run.ckpt")
    resumed = build(at_pass=-1)
    resumed.resume(tmp_path / "run.ckpt")
    assert torch.equal(parameters(run(resumed)), parameters(run(build(at_pass=-1))))

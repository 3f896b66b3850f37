"""Ctrl-C takes effect when a step is done: once, as whoever called wants it, and not in other threads."""

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tiny import assert_equal, run, tiny_trainer

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

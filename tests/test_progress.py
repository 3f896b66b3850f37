"""The bar over a study's units: when it is drawn, what it takes over, and that nothing runs on behind it."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ganlab.experiments import progress
from ganlab.experiments.units import Unit

MAIN = threading.main_thread()


class Watched(progress.Board):
    """A board that counts how often the watcher looks at it; each look takes `seconds` more."""

    looks, seconds = 0, 0.0

    def taken_over(self) -> float:
        if threading.current_thread() is not MAIN:
            self.looks += 1
            time.sleep(self.seconds)
        return super().taken_over()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.01)


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_each_unit_has_a_note_of_its_own_and_a_report_without_one_keeps_it(monkeypatch: pytest.MonkeyPatch):
    board = progress.Board(3)
    monkeypatch.setattr(progress, "_board", board)
    units = [Unit(f"seed {number}", Path(), "key", number) for number in range(3)]
    for unit in units[1:]:
        unit.progress(0.25, f"nats of {unit.name} · " + "x" * 200)
        unit.progress(0.5)
    for number, said in enumerate(["", "nats of seed 1 · ", "nats of seed 2 · "]):
        assert board.note(number).rstrip("x") == said
        assert len(board.note(number).encode()) == (100 if said else 0)
    assert list(board.done) == [0, 0.5, 0.5]


def test_a_screen_sees_parts_of_units_as_they_are_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    board, seen = progress.Board(2), []
    with progress.shown(board, ["a", "b"], finished=1):
        for done in (0.2, 0.4):
            board.write(1, done, f"at {done}")

            def drawn(done: float = done) -> bool:
                seen.append(capsys.readouterr().err)
                return f"{1 + done} of 3 units" in "".join(seen) and f"b: at {done}" in "".join(seen)

            wait_for(drawn)


def test_a_file_is_not_flooded(capsys: pytest.CaptureFixture[str]):
    """One line at the start and one at the end, whatever the units say in the minute between."""
    board = Watched(1)
    with progress.shown(board, ["a"], finished=0):
        for step in range(1, 6):
            board.write(0, step / 8, f"step {step}")
            seen = board.looks
            wait_for(lambda seen=seen: board.looks >= seen + 2)
    lines = capsys.readouterr().err.replace("\r", "\n").split("\n")
    assert 1 <= len([line for line in lines if "units" in line]) <= 2
    assert "0.6 of 1 units" in lines[-2]
    assert "a: step 5" in lines[-2]


def test_nobody_looks_on_when_the_block_is_left():
    board, before = Watched(1), threading.active_count()
    board.seconds = 0.2
    with progress.shown(board, ["a"], finished=0):
        wait_for(lambda: board.looks)
    assert threading.active_count() <= before

"""One bar over all units of a study, which run in processes of their own."""

import contextlib
import math
import multiprocessing
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from tqdm import tqdm

NOTE = 100
"""Bytes for what a unit says of itself."""
EVERY, EVERY_IN_A_FILE = 1.0, 60.0
"""Seconds between two looks, on a screen and where the bar is written to a file."""
FORMAT = "{percentage:3.0f}%|{bar:20}| {n:.1f} of {total} units [{elapsed}, {remaining} left]{postfix}"


class Board:
    """How far each unit has come, in memory that all processes share. Each writes its own places alone: no locks."""

    def __init__(self, units: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.begun: Any = context.RawArray("d", [math.nan] * units)
        self.done: Any = context.RawArray("d", units)
        self.notes: Any = context.RawArray("c", units * NOTE)

    def write(self, number: int, done: float, note: str) -> None:
        """Unit `number` is `done`, in [0, 1]. What it says first, unless it is the end, is taken over from before."""
        if math.isnan(self.begun[number]):
            self.begun[number] = done if done < 1 else 0
        self.done[number] = done
        if note:
            self.notes[number * NOTE : (number + 1) * NOTE] = note.encode()[:NOTE].ljust(NOTE, b"\0")

    def taken_over(self) -> float:
        """The units that were done before, in parts."""
        return sum(part for part in self.begun if not math.isnan(part))

    def note(self, number: int) -> str:
        """What unit `number` said last."""
        return self.notes[number * NOTE : (number + 1) * NOTE].rstrip(b"\0").decode(errors="ignore")


_board: Board | None = None


def attach(board: Board) -> None:
    """Let this process report to `board`."""
    global _board
    _board = board


def report(number: int, done: float, note: str = "") -> None:
    """Say how far a unit of this process is. Nobody listens outside of a study."""
    if _board is not None:
        _board.write(number, done, note)


@contextlib.contextmanager
def shown(board: Board, names: Sequence[str], *, finished: int) -> Iterator[None]:
    """Show a bar for `names`, and `finished` units from before, on stderr until the block is done."""
    total, interval = finished + len(names), EVERY if sys.stderr.isatty() else EVERY_IN_A_FILE
    bar = tqdm(total=total, initial=finished, bar_format=FORMAT, smoothing=0, miniters=0, mininterval=interval)
    stop = threading.Event()
    said = [""] * len(names)

    def look() -> None:
        bar.initial = finished + board.taken_over()
        for number, name in enumerate(names):
            if (note := board.note(number)) != said[number]:
                said[number] = note
                bar.set_postfix_str(f"{name}: {note}", refresh=False)
        bar.update(finished + sum(board.done) - bar.n)

    def watch() -> None:
        while not stop.wait(EVERY):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()
        look()
        bar.close()

"""A study as a contributor adds one: this file, copied into ganlab/experiments. Its units wait for a file `go`."""

import time
from pathlib import Path
from typing import Any

from ganlab.experiments.study import Preset, Record, Row, Study
from ganlab.experiments.tables import mean_and_range
from ganlab.experiments.units import Unit


def measure(unit: Unit, *, seed: int, epochs: float) -> dict[str, Any]:
    """The square of the seed. All but the first wait until the file `go` is there."""
    with Path("begun.txt").open("a") as begun:
        begun.write(f"{unit.name}, {epochs:g}\n")
    while seed and not Path("go").exists():
        unit.progress(0.5, "waiting")
        time.sleep(0.05)
    unit.picture.write_bytes(f"a picture of {seed}".encode())
    return {"seed": seed, "square": epochs * seed**2}


def rows(record: Record) -> list[Row]:
    """One row."""
    return [Row("squares", mean_and_range([result["square"] for result in record["results"]]))]


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each seed."""
    return [(f"seed {result['seed']}", f"{result['square']:g}") for result in record["results"]]


STUDY = Study(
    name="tiny",
    about="how large squares are",
    lesson="99",
    measure=measure,
    seeds=3,
    presets={"laptop": Preset("no time at all", {"epochs": 1.0}), "paper": Preset("no more", {"epochs": 10.0})},
    uses=("epochs",),
    rule="there is one value each",
    rows=rows,
    columns=("square of", "value"),
    every=every,
)

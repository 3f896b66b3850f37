"""gan2014-mnist-copies: does the 2014 recipe copy training images of MNIST? Its samples beside their nearest ones.

The samples are those of the pictures beside the record of gan2014-mnist: 32 of each seed, of the weights themselves and
of averaged ones, in 256 grey levels. They are held against 1,000 validation images, which no G was shown.

Expected before the first run, of 96 samples each: of the weights themselves, fewer than 10 lie as near to a training
image as 5 % of the held-out images do. Averaged weights make smoother images, which lie nearer to all others: the
median distance is smaller, by a tenth at least, with every seed. Refuted by 10 or more, and by one seed.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ganlab import data, plots
from ganlab.experiments import records
from ganlab.experiments.study import Preset, Record, Study
from ganlab.experiments.units import Unit
from ganlab.metrics import neighbours

KINDS = ("the weights themselves", "averaged weights")
"""The upper and the lower half of a picture of gan2014-mnist."""
QUANTILE = 0.05
SHOWN = 10


def measure(unit: Unit, *, seed: int, root: Path | None = None) -> dict[str, Any]:
    """The distances of one seed's samples to training images, against held-out ones; plain values for a record.

    The picture has four rows: samples of the weights themselves, below each the training image nearest to it, and the
    same for averaged weights. Raises `DatasetUnavailable` without MNIST.
    """
    train, validation, _ = data.three_parts("mnist", root)
    images, held_out = train.float() / 255, validation.float() / 255
    drawn = records.images(f"gan2014-mnist-seed-{seed}", train.shape[-1])
    found: dict[str, Any] = {"seed": seed}
    rows = []
    for kind, samples in zip(KINDS, drawn.chunk(2), strict=True):
        check = neighbours.copies(samples, images, held_out, QUANTILE)
        found[kind] = {name: round(value, 4) for name, value in asdict(check).items()}
        first = samples[:SHOWN]
        rows += [first, images[neighbours.nearest(first, images)[1]]]
        unit.progress(len(rows) / 4)
    plots.save_grid_png(torch.cat(rows), unit.picture, columns=SHOWN, value_range=(0, 1))
    return found


def nearer(record: Record, kind: str) -> list[int]:
    """How many of each seed's samples of a kind lie nearer than all but 5 % of the held-out images."""
    return [result[kind]["nearer"] for result in record["results"]]


def medians(record: Record, kind: str) -> list[float]:
    """The median distance of each seed's samples of a kind to their nearest training image."""
    return [result[kind]["median"] for result in record["results"]]


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each seed."""
    return [
        (f"the 2014 recipe, 250 epochs, seed {result['seed']}", *(_shown(result[kind]) for kind in KINDS))
        for result in record["results"]
    ]


def _shown(check: dict[str, Any]) -> str:
    medians = f"{check['median']:.2f} (held-out {check['held_out_median']:.2f})"
    return f"{check['nearer']} of {check['generated']}; {medians}"


def _no_rows(_record: Record) -> list[Any]:
    return []


STUDY = Study(
    name="gan2014-mnist-copies",
    about="whether the 2014 recipe copies training images of MNIST: its samples' nearest neighbours",
    lesson="06",
    measure=measure,
    seeds=3,
    presets={"laptop": Preset("a minute on one core")},
    uses=("root",),
    rule="the samples are those of the record's pictures; all of them count",
    rows=_no_rows,
    columns=(
        "samples on MNIST nearer to a training image than all but 5 % of 1,000 held-out images; median distance",
        *KINDS,
    ),
    every=every,
)

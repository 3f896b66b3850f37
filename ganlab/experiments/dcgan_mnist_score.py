"""dcgan-mnist-score: how near the samples of a DCGAN come to MNIST, in five minutes on two cores and in a longer run.

TUNING
"""

from dataclasses import replace
from functools import partial

from ganlab.experiments import recipes, scored
from ganlab.experiments.study import Preset, Record, Row, Study, one_per_seed
from ganlab.training import Adam

_OURS = recipes.get("dcgan-mnist")
RECIPE = replace(
    _OURS,
    G=_OURS.G | {"width": 32},
    D=_OURS.D | {"width": 32},
    config=replace(_OURS.config, update="shared samples", optimizer_d=Adam(1e-3), optimizer_g=Adam(1e-3)),
)


def rows(record: Record, which: str = "end") -> list[Row]:
    """The distance."""
    return [scored.row("DCGAN", record["results"], which)]


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each seed."""
    return [(f"{one['epochs']:g} epochs, seed {one['seed']}", *scored.cells(one)) for one in record["results"]]


STUDY = Study(
    name="dcgan-mnist-score",
    about="a DCGAN on MNIST, trained for five minutes: Fréchet distance, with what real images get",
    lesson="08",
    measure=scored.measure,
    seeds=3,
    units=partial(one_per_seed, recipe=RECIPE, looks=8),
    presets={"laptop": Preset("14 epochs: five minutes a seed on one core in bfloat16", {"epochs": 14.0})},
    uses=("epochs", "precision", "device", "root"),
    rule=scored.RULE,
    rows=rows,
    columns=("DCGAN, Fréchet distances from test images", *scored.COLUMNS),
    every=every,
)
LONG = replace(
    STUDY,
    name="dcgan-mnist-score-long",
    about="the same DCGAN trained on: the whole curve, its best weights and its last",
    seeds=1,
    units=partial(one_per_seed, recipe=RECIPE, looks=20),
    presets={"long": Preset("80 epochs: half an hour a seed on one core in bfloat16", {"epochs": 80.0})},
    rows=partial(rows, which="best"),
)

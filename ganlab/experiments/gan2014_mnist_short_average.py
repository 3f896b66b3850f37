"""gan2014-mnist-short-average: as gan2014-mnist, with weights averaged over 20 epochs instead of all."""

from dataclasses import replace
from functools import partial

from ganlab.experiments import gan2014_mnist, table_1
from ganlab.experiments.study import one_per_seed

ABOUT = "the same trainings carried on, {epochs:g} epochs"
AVERAGED = "averaged over the last tenth, at most 20 epochs"
AVERAGE = {"ema": 0.9999, "ema_warmup": 9}
"""Reaches back a tenth of the run, at most 20 epochs."""

STUDY = replace(
    gan2014_mnist.STUDY,
    name="gan2014-mnist-short-average",
    about="the same with a shorter average over weights: a tenth of the run, at most 20 epochs",
    units=partial(one_per_seed, recipe="gan2014-mnist", **AVERAGE),
    rows=partial(table_1.rows, about=ABOUT, averaged=AVERAGED),
    every=partial(table_1.every, about=f"{ABOUT}, {AVERAGED}"),
)

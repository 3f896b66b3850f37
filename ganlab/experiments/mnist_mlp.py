"""mnist-mlp: the score of Table 1 of the 2014 paper, for what one would take today in place of its networks."""

from dataclasses import replace
from functools import partial

from ganlab.experiments import gan2014_mnist, table_1
from ganlab.experiments.study import Preset, one_per_seed

ABOUT = "a modern recipe, {epochs:g} epochs"
AVERAGED = "averaged over the whole run"

STUDY = replace(
    gan2014_mnist.STUDY,
    name="mnist-mlp",
    about="the same score for a modern MLP pair: batch norm, LeakyReLU, Adam, updates in turns",
    units=partial(one_per_seed, recipe="mnist-mlp"),
    presets={
        "laptop": Preset("10 epochs: 2 minutes on four cores in bfloat16", {"epochs": 10.0}),
        "paper": Preset("30 epochs: 7 minutes on four cores in bfloat16", {"epochs": 30.0}),
    },
    rows=partial(table_1.rows, about=ABOUT, averaged=AVERAGED),
    every=partial(table_1.every, about=f"{ABOUT}, {AVERAGED}"),
)

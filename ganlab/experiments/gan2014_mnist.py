"""gan2014-mnist: Table 1 of the 2014 paper on MNIST, with the paper's own networks and training."""

from functools import partial

from ganlab.experiments import table_1
from ganlab.experiments.study import Preset, Study, one_per_seed

ABOUT = "the 2014 recipe, {epochs:g} epochs"
AVERAGED = "averaged over the whole run"

STUDY = Study(
    name="gan2014-mnist",
    about="Table 1 of the 2014 paper on MNIST; beside the weights, their average over the whole run",
    lesson="06",
    measure=table_1.measure,
    units=partial(one_per_seed, recipe="gan2014-mnist"),
    seeds=3,
    presets={
        "laptop": Preset("20 epochs: 6 minutes on four cores in bfloat16", {"epochs": 20.0}),
        "paper": Preset("1000 epochs: over 3 hours on four cores in bfloat16; for a GPU", {"epochs": 1000.0}),
    },
    uses=table_1.USES,
    published=(table_1.PUBLISHED,),
    rule=table_1.RULE,
    rows=partial(table_1.rows, about=ABOUT, averaged=AVERAGED),
    columns=table_1.COLUMNS,
    every=partial(table_1.every, about=f"{ABOUT}, {AVERAGED}"),
)

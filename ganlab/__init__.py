"""ganlab: a course on generative adversarial networks, and the package behind it.

The way through it: an objective written once in sympy (`ganlab.objectives`) becomes the losses that train
(`ganlab.training`) a generator and a discriminator (`ganlab.models`) on data (`ganlab.data`); what comes out is
measured (`ganlab.metrics`), drawn (`ganlab.plots`) and claimed (`ganlab.claims`).

Nothing heavy is imported here; torchvision, matplotlib and scikit-learn are loaded where they are used.
"""

import importlib
import os
from typing import Any

if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
    # torch's threads wait for each other several hundred times a step. They spin while they wait, for milliseconds
    # unless told otherwise before torch is loaded; where other programs run beside, they wait for what cannot run.
    os.environ["GOMP_SPINCOUNT"] = "30000"  # about one and a half milliseconds: less costs small networks their speed

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """What moved to `ganlab.experiments`, for copies of lessons that people made before."""
    if name in ("recipes", "records"):
        return importlib.import_module(f"ganlab.experiments.{name}")
    raise AttributeError(f"module 'ganlab' has no attribute {name!r}")

"""The first cell of every notebook: `from ganlab.notebook import setup; setup()`."""

import os
import random

import numpy as np
import torch

import ganlab
from ganlab import plots
from ganlab.training import pick_device

SEED = 0


def setup() -> None:
    """Seed every source of randomness, set the course's plot style, and say what was found."""
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002 (libraries that draw from the global state)
    torch.manual_seed(SEED)
    plots.use_style()
    device = pick_device("auto")
    print(f"ganlab {ganlab.__version__}, torch {torch.__version__}, {device.type}, {os.cpu_count()} cores, seed {SEED}")

"""What `machines.py` has every kernel import first: it moves all seeds, and keeps what claims measured."""

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

from IPython.core.getipython import get_ipython


def move_seeds(by: int) -> None:
    """Add `by` to every seed that torch's and NumPy's generators are given from now on."""
    import numpy as np
    import torch

    class Moved(torch.Generator):
        def manual_seed(self, seed: int) -> torch.Generator:
            return super().manual_seed((seed + by) % 2**63)

    fixed, rng = torch.manual_seed, np.random.default_rng
    torch.Generator = Moved
    torch.manual_seed = lambda seed: fixed((int(seed) + by) % 2**63)
    np.random.default_rng = lambda seed=None: rng(seed + by if isinstance(seed, int) else seed)


def keep_claims(_: object) -> None:
    """Write the claims that held so far, with their numbers, to the file that the environment names."""
    if claims := sys.modules.get("ganlab.claims"):
        rows: list[Any] = [dataclasses.asdict(claim) for claim in claims.ledger if claim.measured]
        Path(os.environ["GANLAB_KEPT_CLAIMS"]).write_text(json.dumps(rows), encoding="utf-8")


if moved := int(os.environ.get("GANLAB_MOVED_SEEDS", "0")):
    move_seeds(moved)
if (shell := get_ipython()) and "GANLAB_KEPT_CLAIMS" in os.environ:
    shell.events.register("post_run_cell", keep_claims)

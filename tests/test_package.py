"""The package as a whole: what it imports, which way dependencies point, what its files say."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from ganlab import models

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "ganlab").rglob("*.py"))
HEAVY = ("torchvision", "torchmetrics", "matplotlib", "scipy", "sklearn", "IPython", "tyro")
METRICS = ("modes", "parzen", "frechet", "precision_recall", "neighbours")
CORE = ("objectives", "models", "data", "training", *(f"metrics.{name}" for name in METRICS), "claims", "exercises")


def test_the_core_imports_nothing_heavy():
    code = "; ".join(f"import ganlab.{name}" for name in CORE) + "; import sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(run.stdout.split())


@pytest.mark.skipif(sys.platform != "linux", reason="libgomp is Linux's")
@pytest.mark.parametrize(
    ("said", "spins"), [({}, "30000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "")]
)
def test_waiting_threads_sleep_soon_unless_told_otherwise(said: dict[str, str], spins: str):
    """Read off what torch's own threads say of themselves when their library is loaded."""
    others = {key: value for key, value in os.environ.items() if key not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    code = "import ctypes, sys, ganlab; ctypes.CDLL(sys.argv[1])"
    installed = Path(torch.__file__).parent
    (of_torch, *_) = [*installed.glob("lib/libgomp*"), *installed.parent.glob("torch.libs/libgomp*")]
    run = subprocess.run(
        [sys.executable, "-c", code, of_torch],
        env=others | said | {"OMP_DISPLAY_ENV": "VERBOSE"},
        capture_output=True,
        text=True,
        check=True,
    )
    (found,) = re.findall(r"GOMP_SPINCOUNT = '(\d+)'", run.stderr)
    assert found == spins or (not spins and int(found) > 10**6)


ALLOWED = {
    "theory": {"errors"},
    "losses": {"errors"},
    "objectives": {"errors", "losses", "theory"},
    "models": {"errors"},
    "data": {"errors"},
    "metrics": {"errors"},
    "shown": set(),
    "measured": {"shown"},
    "claims": {"errors", "measured", "shown"},
    "ledger": {"errors", "claims"},
    "faults": {"errors", "experiments", "metrics"},
    "exercises": {"data", "errors", "experiments", "faults", "metrics", "models", "objectives", "shown", "theory"},
    "legible": set(),
    "plots": {"errors", "legible"},
    "diagrams": {"plots", "theory"},
    "scenes": {"objectives", "plots", "theory"},
    "paths": {"data", "metrics", "plots", "scenes", "theory"},
    "moving": {"inline", "plots"},
    "training": {"errors", "objectives", "losses", "models"},
    "experiments": {"errors", "objectives", "models", "data", "metrics", "training", "plots"},
    "bench": {"objectives", "models", "data", "metrics", "training", "plots"},
    "widgets": {"errors", "inline", "bench", "data"},
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_dependencies_point_one_way(path: Path):
    room = path.relative_to(ROOT / "ganlab").parts[0].removesuffix(".py")
    used = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ganlab"):
            rest = (node.module or "").split(".")[1:]
            used |= {rest[0]} if rest else {alias.name for alias in node.names}
    assert used - {room} <= ALLOWED.get(room, used)
    if room == "theory":
        assert "import torch" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_network_needs_is_not_told_from_its_class(path: Path):
    """Outside of `models`, nothing asks whether a network is of one of its classes."""
    classes = {name for name, value in vars(models).items() if isinstance(value, type)} | {"Stacked"}
    if path.parent.name == "models":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
            asked = {getattr(part, "attr", getattr(part, "id", "")) for part in ast.walk(node)}
            assert not asked & classes


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_what_moved_is_found_by_copies_of_lessons_from_before():
    names: dict[str, Any] = {}
    exec("from ganlab import recipes, records", names)
    assert names["records"].read("mode-counts")["study"] == "mode-counts"
    assert "digits" in names["recipes"].RECIPES
    with pytest.raises(ImportError, match="cannot import name 'recods'"):
        exec("from ganlab import recods")

"""The package as a whole: what it imports, which way dependencies point, what its files say."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "ganlab").rglob("*.py"))
HEAVY = ("torchvision", "torchmetrics", "matplotlib", "sklearn", "IPython", "tyro")
CORE = ("objectives", "models", "data", "training", "metrics.modes", "claims", "exercises")


def test_the_core_imports_nothing_heavy():
    code = "; ".join(f"import ganlab.{name}" for name in CORE) + "; import sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(run.stdout.split())


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
    "exercises": {"errors", "models", "objectives", "shown", "theory"},
    "plots": {"errors"},
    "diagrams": {"plots", "theory"},
    "training": {"errors", "objectives", "losses", "models"},
    "records": {"errors"},
    "side_by_side": {"errors"},
    "reproduction": {"errors", "data", "metrics", "models", "plots", "training", "recipes"},
    "anchors": {"data", "metrics", "reproduction"},
    "score_itself": {"errors", "data", "metrics", "plots", "training", "recipes", "reproduction"},
    "studies": {"errors", "objectives", "models", "data", "metrics", "training", "side_by_side"},
    "widgets": {"errors", "objectives", "models", "data", "metrics", "training", "plots"},
    "recipes": {"errors", "objectives", "models", "data", "training"},
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
def test_files_are_short(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300

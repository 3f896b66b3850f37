"""The course's records, and the studies that the README says are predicted and not measured yet."""

import re
from pathlib import Path
from typing import Any

import pytest

from ganlab.experiments import records

ROOT = Path(__file__).parents[1]
SAID = "Predicted, and not measured yet"


def awaited() -> set[str]:
    """Their names."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    return {name for line in lines if line.startswith(SAID) for name in re.findall(r"`([a-z0-9-]+)`", line)}


def record_of(name: str) -> dict[str, Any]:
    """A study's record; the test is skipped for one that is still to be measured, and for no other."""
    if name in awaited():
        pytest.skip(f"{name} is not measured yet")
    return records.read(name, ROOT / records.FOLDER)

"""The judge of bounds on unlike machines: what it calls tight, and that it really moves seeds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from machines import MACHINES, report, rooms, tight


def a_result(machine: str, *values: float, green: bool = True) -> dict:
    measured = {"values": values, "low": 0.5, "high": float("inf"), "needed": len(values)}
    claims = [
        {"kind": "observed", "statement": "share of good samples", "measured": measured},
        {"kind": "verified", "statement": "two sides meet", "measured": measured},
    ]
    return {"machine": machine, "part": "05_training_dynamics", "green": green, "seconds": 3, "claims": claims}


@pytest.mark.parametrize(
    ("worst", "best", "is_tight"),
    [(0.5, 0.7, True), (0.59, 0.8, True), (0.7, 0.8, False), (0.61, 0.8, False), (0.6, 0.6, False)],
)
def test_a_bound_is_tight_when_the_worst_machine_leaves_less_than_half_the_range(worst, best, is_tight):
    of = rooms([a_result("one", worst, 0.9), a_result("two", best)])
    assert list(of) == [("05", "share of good samples")]
    assert tight(of["05", "share of good samples"]) == is_tight


def test_other_seeds_do_not_widen_the_range_of_the_machines():
    moved = next(machine.name for machine in MACHINES if machine.moved_seeds)
    assert not tight({"one": 0.3, "two": 0.35, moved: 0.01})
    assert tight({"one": 0.3, "two": 1.35, moved: 2.0})


def test_a_bound_that_a_machine_misses_is_tight_as_soon_as_another_keeps_it():
    assert tight({"one": -0.1, "two": 0.3})


def test_the_report_names_what_failed_and_what_is_tight():
    text = report([a_result("one", 0.51), a_result("two", 0.9, green=False)])
    assert "| one | ✓ 3 s |" in text
    assert "| two | ✗ 3 s |" in text
    assert "| 05 | share of good samples | 0.01 | 0.4 | **too tight** | one |" in text
    assert "two sides meet" not in text


def test_moved_seeds_are_other_seeds():
    """About 4 s: torch is imported anew."""
    code = """
import torch, numpy as np
fixed = [torch.randn(2, generator=torch.Generator().manual_seed(8)).tolist(), np.random.default_rng(8).random()]
torch.manual_seed(8); fixed.append(torch.randn(2).tolist())
import machines_startup
moved = [torch.randn(2, generator=torch.Generator().manual_seed(3)).tolist(), np.random.default_rng(3).random()]
torch.manual_seed(3); moved.append(torch.randn(2).tolist())
assert moved == fixed, (moved, fixed)
"""
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    variables = os.environ | {"GANLAB_MOVED_SEEDS": "5", "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code], env=variables, check=True, timeout=300)

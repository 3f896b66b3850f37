"""What readers, lessons and the ledger see of claims."""

import math
from pathlib import Path

import nbformat
import pytest
import sympy as sp
from nbformat.v4 import new_code_cell, new_notebook, new_output

from ganlab import claims
from ganlab.errors import ConfigError
from ganlab.ledger import format_ledger, read_ledger

x, y = sp.symbols("x y", positive=True)


@pytest.fixture(autouse=True)
def empty_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "ledger", [])


def make_all() -> None:
    claims.proved("D* is p_d/(p_d + p_g)", x, x, answers=["D5", "E6"])
    claims.proved("D* stays in [0, 1]", x, x)
    claims.verified("quadrature [of V] meets sampling", 1.0, 1.0, tolerance=1e-3, answers=["C19"])
    claims.observed("keeps 8 modes", [8, 7, 1], at_least=7, in_seeds=2, answers=["B2"])
    claims.observed("one run", [0.4], at_most=0.5)


STABLE = [
    "✓ proved: D* is p_d/(p_d + p_g) [D5, E6]",
    "✓ proved: D* stays in [0, 1]",
    "✓ verified: quadrature [of V] meets sampling, within 0.001 [C19]",
    "✓ observed: keeps 8 modes, at least 7 in at least 2 of 3 seeds [B2]",
    "✓ observed: one run, at most 0.5 in 1 seed",
]
MEASURED = ["", "", " (largest difference: 0)", " (measured: 8, 7, 1)", " (measured: 0.4)"]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What claims publish in a notebook."""
    bundles: list[dict[str, str]] = []
    monkeypatch.setattr("ganlab.shown.in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda bundle, **_raw: bundles.append(bundle))
    return bundles


def test_each_claim_prints_one_line_with_what_was_measured(capsys: pytest.CaptureFixture[str]):
    make_all()
    assert capsys.readouterr().out.splitlines() == [line + value for line, value in zip(STABLE, MEASURED, strict=True)]


def test_in_a_notebook_the_plain_text_is_the_same_on_every_machine(published: list[dict[str, str]]):
    make_all()
    claims.observed("a < b & c", [1 / 3], at_most=1)
    assert [bundle["text/plain"] for bundle in published[:-1]] == STABLE
    assert all(bundle["text/html"].startswith("<!-- result -->\n<pre ") for bundle in published)
    for bundle, line, value in zip(published, STABLE, MEASURED, strict=False):
        assert f">{line}{value}</pre>" in bundle["text/html"]
    assert "✓ observed: a &lt; b &amp; c, at most 1 in 1 seed (measured: 0.3333)</pre>" in published[-1]["text/html"]


@pytest.mark.parametrize(
    ("values", "bounds", "said"),
    [
        ([3.0], {"at_least": 1}, "(measured: 3)"),
        ([-0.0, 12345.6, 1234567], {"at_least": -1}, "(measured: 0, 12,346, 1,234,567)"),
        ([0.00012345, 123.456, -1.5, -1.25e-7], {"at_least": -2}, "(measured: 0.00012, 123.5, −1.5, −1.2e−07)"),
        ([5, math.nan, math.inf], {"at_least": 0, "in_seeds": 2}, "(measured: 5, nan, inf)"),
        (range(8), {"at_least": 0}, "(measured: 0, 1, 2, 3, 4, 5, 6, 7)"),
        (range(9), {"at_least": 0}, "(measured: 0 to 8, the worst: 0)"),
        (range(9), {"at_most": 9}, "(measured: 0 to 8, the worst: 8)"),
        (range(16), {"at_least": 3, "in_seeds": 12}, "(measured: 0 to 15, number 12 from the best: 4)"),
        (range(16), {"at_most": 9, "in_seeds": 2}, "(measured: 0 to 15, number 2 from the best: 1)"),
    ],
)
def test_few_values_are_shown_and_of_many_the_one_that_decides(values, bounds, said):
    claims.observed("it holds", values, **bounds)
    assert str(claims.ledger[0].measured) == said


def test_the_ledger_is_read_from_what_the_lessons_printed_or_published(
    tmp_path: Path, published: list[dict[str, str]], capsys: pytest.CaptureFixture[str]
):
    make_all()
    printed = "some text\n" + STABLE[0] + "\n✓ proven: no claim\n"
    outputs = [
        new_output("stream", name="stdout", text=printed),
        *(new_output("display_data", data=bundle) for bundle in published[1:]),
        new_output("display_data", data={"text/html": f"<pre>{STABLE[0]}</pre>", "image/png": "AAAA"}),
    ]
    ran = new_code_cell("…", outputs=outputs)
    not_run = new_code_cell("claims.proved('not run', 1, 1)")
    nbformat.write(new_notebook(cells=[ran, not_run]), tmp_path / "03_lesson.ipynb")
    entries = read_ledger(tmp_path)
    assert [entry.claim for entry in entries] == claims.ledger
    assert {entry.notebook for entry in entries} == {"03_lesson"}
    table = format_ledger(entries)
    assert "observed (2)\n  03  keeps 8 modes, at least 7 in at least 2 of 3 seeds [B2]" in table
    assert "questions (4)\n  B2   observed in 03\n  C19  verified in 03\n  D5   proved in 03" in table


def test_a_folder_without_lessons_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="holds no lessons"):
        read_ledger(tmp_path)


def test_the_summary_of_a_lesson_counts_by_kind(capsys: pytest.CaptureFixture[str]):
    make_all()
    capsys.readouterr()
    claims.summary()
    out = capsys.readouterr().out
    assert "proved: 2\n  D* is" in out
    assert "observed: 2\n" in out
    assert "✓" not in out


def test_reasons_are_shown_as_text_whatever_signs_are_in_them(monkeypatch: pytest.MonkeyPatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    claims.derived("half", (x / 2, "p_d is 50 % & #1"), (x - x / 2, "p_g"))
    assert r"\textit{p\_d is 50 \% \& \#1}" in shown[0].data
    assert r"\textit{p\_g}" in shown[0].data


@pytest.mark.parametrize("held", ["", '{"cells": [{"cell_type"', "[]", '{"metadata": {}}'])
def test_half_a_notebook_is_named(tmp_path: Path, held: str):
    (tmp_path / "00_half.ipynb").write_text(held, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"00_half\.ipynb is no notebook, or only a part of one; fetch it again"):
        read_ledger(tmp_path)

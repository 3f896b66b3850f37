"""The course as a whole: which questions the lessons answer, and how firmly."""

import re
from pathlib import Path

import nbformat
import pytest

from ganlab.ledger import read_ledger

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
ENTRIES = read_ledger(NOTEBOOKS)
SYMBOLS = re.compile(r"""\b(?:Symbol|symbols|Dummy)\(\s*r?["']([^"']+)["']""")
OPERATOR = re.compile(r"(?<!_)[-−+*/^=()]")

# What a question needs at least: P proved, V verified by a computation, O observed in an experiment.
NEEDED = {
    **dict.fromkeys(["A3", "A4", "A5", "A6", "A7", "A8", "C5", "C6", "C7", "C8", "C19", "C20"], "P"),
    **dict.fromkeys(["A2", "C2", "C3", "D1", "E2", "E5", "E11"], "V"),
    **dict.fromkeys(["E1", "E3", "E9", "C4"], "P"),
    "B2": "PO",
    **dict.fromkeys(["D2", "D5", "D6", "D7", "D8", "D11", "E4", "E8", "E10"], "PV"),
    **dict.fromkeys(["A1", "C1"], "O"),
    **dict.fromkeys(["A9", "D4"], "V"),
    **dict.fromkeys(["C16", "C17"], "PV"),
    **dict.fromkeys(["C9", "C10", "C11"], "PVO"),
    **dict.fromkeys(["C12", "C13", "D14"], "VO"),
    **dict.fromkeys(["C14", "C18"], "PVO"),
    **dict.fromkeys(["C21", "C22"], "PO"),
    **dict.fromkeys(["D3", "E7"], "O"),
    **dict.fromkeys(["D12", "D15"], "PO"),
    **dict.fromkeys(["D9", "D13"], "VO"),
    "D10": "PVO",
    "B1": "PVO",
    "C15": "PO",
    "E6": "PVO",
    **dict.fromkeys(["B5", "B6", "B7"], "P"),
    **dict.fromkeys(["B3", "B4", "B8"], "PV"),
    **dict.fromkeys(["B9", "B10"], "PVO"),
}
KIND = {"P": "proved", "V": "verified", "O": "observed"}


@pytest.mark.parametrize(("question", "kind"), [(q, KIND[k]) for q, kinds in NEEDED.items() for k in kinds])
def test_each_question_is_answered_by_a_claim_of_the_kind_that_it_needs(question: str, kind: str):
    assert any(question in entry.claim.answers and entry.claim.kind == kind for entry in ENTRIES)


def test_no_lesson_answers_a_question_that_is_not_listed_here():
    assert {answer for entry in ENTRIES for answer in entry.claim.answers} == NEEDED.keys()


def test_the_theory_is_proved_rather_than_observed():
    kinds = [entry.claim.kind for entry in ENTRIES if "01" <= entry.notebook[:2] <= "04"]
    assert kinds.count("proved") >= 2 * kinds.count("observed")


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")), ids=lambda path: path.stem)
def test_no_symbol_of_a_lesson_is_named_like_a_formula(path: Path):
    """A page shows the name "1-D" without brackets: (1 − D)ʸ would read as 1 − Dʸ."""
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    names = [name for source in cells for found in SYMBOLS.findall(source) for name in re.split(r"[\s,]+", found)]
    assert [name for name in names if OPERATOR.search(name)] == []


def test_names_like_formulas_are_seen():
    (found,) = SYMBOLS.findall('Q = sp.Symbol("1-D", positive=True)')
    assert OPERATOR.search(found)
    assert not any(map(OPERATOR.search, ("t_+", "t_-", "D_*", "theta_d", "x_1")))

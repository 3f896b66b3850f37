"""Each lesson gives its reader work of every kind: to predict, to write by hand, to break, and a project."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from ganlab import exercises
from ganlab.exercises.broken import Broken

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
LESSONS = {
    path.stem[:2]: nbformat.read(path, as_version=4).cells for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
}
KINDS = {"by hand", "break it", "project"}
HEADING = re.compile(r"### (\d\d\.\d+) (?:.+?)(?: \(([a-z ]+)\))?")
RUBRIC = re.compile(r"\| part \| it is good if \|\n\|---\|---\|\n((?:\| [^|\n]+ \| [^|\n]+ \|\n?)+)")
LETTERS = re.compile(r"(?<![a-z])([a-f]): ")


def headed(lesson: str) -> list[tuple[str, str, int]]:
    """The exercises of a lesson: id, kind ("" for none), and the number of the cell."""
    cells = [(i, cell) for i, cell in enumerate(LESSONS[lesson]) if cell.cell_type == "markdown"]
    found = [(HEADING.fullmatch(cell.source.splitlines()[0]), i) for i, cell in cells if cell.source]
    return [(match[1], match[2] or "", i) for match, i in found if match]


def of_kind(lesson: str, kind: str) -> list[tuple[str, int]]:
    return [(id_, i) for id_, kind_, i in headed(lesson) if kind_ == kind]


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_each_kind_and_each_title_names_one(lesson: str):
    found = headed(lesson)
    assert [id_ for id_, *_ in found] == [f"{lesson}.{i}" for i in range(1, len(found) + 1)]
    assert {kind for _, kind, _ in found} == KINDS
    assert any("exercises.predict(" in cell.source for cell in LESSONS[lesson])


@pytest.mark.parametrize(("lesson", "id_", "at"), [(n, *one) for n in LESSONS for one in of_kind(n, "break it")])
def test_what_is_broken_is_predicted_and_explained_by_letters_that_the_text_gives(lesson: str, id_: str, at: int):
    judge = exercises.find(id_).judge
    assert isinstance(judge, Broken)
    text, code = LESSONS[lesson][at].source, LESSONS[lesson][at + 1].source
    for said in ("**Change one thing:**", "**Predict", "**Why?**"):
        assert text.count(said) == 1
    guesses, reasons = text.split("**Why?**")
    assert LETTERS.findall(guesses) == list(judge.outcomes)
    assert LETTERS.findall(reasons) == list(judge.reasons)
    assert judge.outcome in judge.outcomes
    assert list(judge.reasons.values()).count("") == 1
    assert text.index("**Predict") < text.index("**Why?**")
    assert code.index("raise NotImplementedError") < code.index('predicted = "…"') < code.index("print(")
    assert "return predicted, " in code


@pytest.mark.parametrize(("lesson", "id_", "at"), [(n, *one) for n in LESSONS for one in of_kind(n, "project")])
def test_a_project_has_a_table_to_judge_it_by_and_a_cell_to_start_from_or_is_judged(lesson: str, id_: str, at: int):
    cell, start = LESSONS[lesson][at : at + 2]
    if id_ in {one.id for one in exercises.of_lesson(lesson)}:
        assert exercises.find(id_).judge is not None
        return
    table = RUBRIC.search(cell.source)
    assert table is not None
    assert 4 <= len(table[1].splitlines()) <= 5
    assert "**before you run**" in cell.source[: table.start()]
    assert "?" in cell.source[: table.start()]
    assert start.cell_type == "code"
    assert not any(output.output_type == "error" for output in start.outputs)


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("### 02.3 Two bells (by hand)", "by hand"),
        ("### 02.3 Two bells", ""),
        ("### 02.3 The law (x, y)", ""),
        ("## Exercises", None),
        ("### Where there is no data", None),
    ],
)
def test_titles_are_read(title: str, kind: Any):
    match = HEADING.fullmatch(title)
    assert (match and (match[2] or "")) == kind

"""Work for the reader: each exercise names its kind, and each lesson has one of each kind that a reader needs."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest

from ganlab.exercises import of_lesson

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
LESSONS = {
    path.stem[:2]: nbformat.read(path, as_version=4).cells for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
}
KINDS = ("by hand", "in code", "find one", "break it", "project")
NEEDED = {"by hand", "break it", "project"}
DONE = {"04", "05", "06", "07", "08", "09", "10"}
"""The lessons whose exercises name their kinds."""
LACKS = {"07": {"project"}, "08": {"break it", "project"}}
"""What some of these have not got yet."""
NOT_YET = {"00", "01", "02", "03"}
EXERCISE = re.compile(r"### (\d\d\.\d) (.+)")
NAMED = re.compile(rf"\S.* \(({'|'.join(KINDS)})\)")
RUBRIC = re.compile(r"(?m)^\| \*\*[\w ]+\*\* \| .{10,} \|$")


class Heading(NamedTuple):
    """An exercise in its lesson: its id, its title with the kind, and the cells from here to the next heading."""

    id: str
    title: str
    cells: list[Any]


def headings(lesson: str) -> list[Heading]:
    cells = LESSONS[lesson]
    starts = [i for i, cell in enumerate(cells) if cell.cell_type == "markdown" and cell.source.startswith("##")]
    found = []
    for start, end in zip(starts, [*starts[1:], len(cells)], strict=True):
        if matched := EXERCISE.fullmatch(cells[start].source.splitlines()[0]):
            found.append(Heading(*matched.groups(), cells[start:end]))
    return found


def kind(heading: Heading) -> str:
    named = NAMED.fullmatch(heading.title)
    return named[1] if named else ""


def test_every_lesson_is_done_or_listed():
    assert DONE | NOT_YET == LESSONS.keys()
    assert not DONE & NOT_YET
    assert LACKS.keys() <= DONE


@pytest.mark.parametrize("lesson", sorted(DONE))
def test_each_exercise_of_a_lesson_names_its_kind_and_no_kind_is_missing(lesson: str):
    found = headings(lesson)
    assert [heading.title for heading in found if not kind(heading)] == []
    assert NEEDED - {kind(heading) for heading in found} == LACKS.get(lesson, set())


@pytest.mark.parametrize("lesson", sorted(DONE))
def test_exercises_stand_in_order_and_each_is_checked_but_for_projects(lesson: str):
    found = headings(lesson)
    assert [heading.id for heading in found] == [f"{lesson}.{i}" for i in range(1, len(found) + 1)]
    checked = {exercise.id for exercise in of_lesson(lesson)}
    assert checked <= {heading.id for heading in found}
    assert {kind(heading) for heading in found if heading.id not in checked} <= {"project"}


@pytest.mark.parametrize("lesson", sorted(DONE))
def test_a_project_has_a_rubric_or_is_checked_and_a_cell_to_start_with(lesson: str):
    """What is written down before anything runs stands in that cell, with what would refute it or how it is judged."""
    checked = {exercise.id for exercise in of_lesson(lesson)}
    for heading in headings(lesson):
        if kind(heading) == "project":
            text, start, *_ = heading.cells
            assert heading.id in checked or 4 <= len(RUBRIC.findall(text.source)) <= 5
            assert "before" in text.source or heading.id in checked
            assert start.cell_type == "code"
            assert re.search('"refuted if"|"verdict"', start.source)


@pytest.mark.parametrize("lesson", sorted(DONE - {"07", "10"}))
def test_what_is_broken_is_predicted_first(lesson: str):
    """Lessons 07 and 10 ask for an explanation and for a search."""
    broken = [heading for heading in headings(lesson) if kind(heading) == "break it"]
    assert all("**Predict first" in heading.cells[0].source for heading in broken)


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("How much louder? (by hand)", "by hand"),
        ("Another cure (project)", "project"),
        ("How much louder?", ""),
        ("How much louder? (loud)", ""),
        ("(by hand)", ""),
        ("A slope (by hand) again", ""),
    ],
)
def test_kinds_are_read_from_the_end_of_a_heading(title: str, named: str):
    assert kind(Heading("99.1", title, [])) == named

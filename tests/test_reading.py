"""Reading order and reading time: nothing is used before it is explained, and the time at the top is true."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import pytest
import reading
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from ganlab import glossary
from ganlab.glossary import Term

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
LESSONS = {
    path.stem[:2]: nbformat.read(path, as_version=4).cells for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
}
CELLS = {cell.id: cell for cells in LESSONS.values() for cell in cells}
TIME = re.compile(r"\*\*Time\*\* (\d+)(?: \+ (\d+))? minutes")
MOST_MINUTES = 45
WHERE = re.compile(r"\*\*Where we are\.\*\* \*So far:\* (.+) \*Here:\* (.+) \*Next:\* (.+)")
LETTERS = Path(__file__).with_name("letters.md").read_text(encoding="utf-8")


def term(name: str, cell: str, *forms: str, others: tuple[str, ...] = ()) -> Term:
    return Term(name, "", forms, others, "", "", "", cell)


def text(source: str, cell: str) -> Any:
    return new_markdown_cell(source, id=cell)


def found(lessons: dict[str, list[str]], *terms: Term) -> list[tuple[str, str]]:
    """The terms that come too early in made lessons, whose cells are called 00-0, 00-1 and so on."""
    made = {
        number: [text(source, f"{number}-{i}") for i, source in enumerate(sources)]
        for number, sources in lessons.items()
    }
    return [(use.cell, use.term) for use in reading.too_early(made, terms)]


def test_no_lesson_uses_a_word_or_symbol_before_it_is_explained():
    assert reading.too_early(LESSONS, glossary.terms()) == []


@pytest.mark.parametrize("one", glossary.terms(), ids=lambda one: one.name)
def test_each_term_is_in_the_cell_that_introduces_it_and_has_its_names(one: Term):
    cell = CELLS[one.cell]
    assert cell.cell_type == "markdown"
    assert one.cell not in {cells[0].id for cells in LESSONS.values()}
    assert any(one.name in reading.used(sentence, [one]) for sentence in reading.sentences(cell.source))
    assert min(map(len, (one.japanese, one.korean, one.meaning))) > 0
    assert not one.meaning.endswith(".")
    assert len(one.meaning) <= 100


def test_terms_are_listed_once_and_in_the_order_of_the_lessons():
    forms = [form for one in glossary.terms() for form in (one.name, *one.forms)]
    assert [form for form, times in Counter(forms).items() if times > 1] == []
    lessons = [one.lesson for one in glossary.terms()]
    assert lessons == sorted(lessons)


def test_lesson_00_shows_the_glossary_as_it_is():
    (cell,) = [cell for cell in LESSONS["00"] if "glossary.table()" in cell.source]
    assert cell.outputs[0]["data"]["text/markdown"] == glossary.table()


def test_the_glossary_names_a_symbol_as_the_code_writes_it():
    rows = [row for row in glossary.table().splitlines() if row.startswith("| $z$ ")]
    assert rows == [
        "| $z$ | the latent vector, also called noise | `z` | 潜在ベクトル、ノイズ | 잠재 벡터, 노이즈 | 00 |"
    ]


def test_the_glossary_shows_abbreviations_and_no_other_forms():
    names = [row.split(" | ")[0].removeprefix("| ") for row in glossary.table().splitlines()]
    assert {"Jensen–Shannon divergence, JSD", "R1, R2", "saturation", "density"} <= set(names)


@pytest.mark.parametrize(
    ("said", "too_early"),
    [
        ("A logit is large.", True),
        ("Two *logits*, and no more.", True),
        ("The log\nodds of it.", True),
        ("The log-odds of it.", True),
        ("Logits are large.", True),
        ("A logitech mouse.", False),
        ("In code, `logit`.", False),
        ("See [here](https://example.org/logit).", False),
        ("It is called logit (lesson 00).", False),
        ("It is called logit (lesson 03).", False),
        ("That is for later (lesson 03). A logit is large.", True),
        ("| a table | with a logit |", True),
    ],
)
def test_a_word_that_comes_too_early_is_found(said: str, too_early: bool):
    lesson = {"00": ["# Opening", said, "The **logit**."]}
    assert found(lesson, term("logit", "00-2", "log odds")) == [("00-1", "logit")] * too_early


def test_a_lesson_that_points_back_does_not_excuse_what_comes():
    lessons = {"00": ["# Opening"], "01": ["# Opening", "As in lesson 00, a logit."], "02": ["# Opening", "A logit."]}
    assert found(lessons, term("logit", "02-1")) == [("01-1", "logit")]
    lessons["01"][1] = "As in lesson 00, a logit (lessons 00 and 02)."
    assert found(lessons, term("logit", "02-1")) == []


def test_symbols_are_found_in_maths_alone_and_whole():
    late = term("$p_g$", "00-2")
    assert found({"00": ["#", "The law $p_g(x)$.", "$p_g$"]}, late) == [("00-1", "$p_g$")]
    assert found({"00": ["#", "Then $$\\int p_g\\,dx = 1$$", "$p_g$"]}, late) == [("00-1", "$p_g$")]
    assert found({"00": ["#", "The word p_g, and $p_gain$ and $wp_g$.", "$p_g$"]}, late) == []


def test_a_longer_term_hides_the_shorter_ones_in_it():
    terms = [term("cross-entropy", "00-1"), term("entropy", "00-2")]
    assert found({"00": ["#", "The cross-entropy.", "The entropy."]}, *terms) == []
    assert found({"00": ["#", "The cross-entropy, an entropy.", ""]}, *terms) == [("00-1", "entropy")]
    terms = [term("mode", "00-2", others=("evaluation mode",))]
    assert found({"00": ["#", "In evaluation mode.", ""]}, *terms) == []
    assert found({"00": ["#", "In each mode.", ""]}, *terms) == [("00-1", "mode")]


def test_capitals_count_where_a_term_has_them():
    late = term("Adam", "00-2")
    assert found({"00": ["#", "As adam said, madam.", ""]}, late) == []
    assert found({"00": ["#", "With Adam.", ""]}, late) == [("00-1", "Adam")]


def test_openings_and_sources_may_name_what_comes():
    lessons = {
        "00": ["# What is a logit?", "Text.", "## Sources\n\n- A book on logits."],
        "01": ["# Opening", "A logit."],
    }
    assert found(lessons, term("logit", "01-1")) == []


def test_claims_are_read_too_with_the_text_above_them():
    printed = new_output("stream", name="stdout", text="✓ proved: the logit is t [C19]\nloss: a logit\n")
    claim = new_code_cell("claims.proved(…)", outputs=[printed], id="00-2")
    late = [term("logit", "00-3")]
    lesson = [text("#", "00-0"), text("A number.", "00-1"), claim, text("The logit.", "00-3")]
    assert reading.too_early({"00": lesson}, late) == [reading.Use("00", "00-2", "logit", "the logit is t")]
    lesson[1] = text("A logit (lesson 05).", "00-1")
    assert reading.too_early({"00": lesson}, late) == []


def test_reading_time_counts_words_and_visible_lines():
    folded = new_code_cell("a\n" * 600, metadata={"jupyter": {"source_hidden": True}})
    cells = [text("one two " * 150, "a"), new_code_cell("x = 1\n\ny = 2\n" * 6), folded]
    assert reading.minutes(cells) == pytest.approx(300 / 150 + 12 / 12)


def halves(cells: list[Any]) -> list[list[Any]]:
    """A lesson's parts: what comes before its break, and the rest; the whole, if it has none."""
    breaks = [
        i for i, cell in enumerate(cells) if cell.cell_type == "markdown" and cell.source.startswith("## A break")
    ]
    return [cells[low:high] for low, high in zip([0, *breaks], [*breaks, len(cells)], strict=True)]


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_reading_time_at_the_top_is_true(lesson: str):
    stated = TIME.search(LESSONS[lesson][0].source)
    assert stated is not None
    parts = halves(LESSONS[lesson])
    said = [int(minutes) for minutes in stated.groups() if minutes]
    for minutes, counted in zip(said, map(reading.minutes, parts), strict=True):
        assert counted <= minutes <= min(1.25 * counted, MOST_MINUTES)


def test_three_lessons_have_a_break_and_what_follows_begins_with_what_is_needed():
    after_it = {lesson: halves(cells)[1] for lesson, cells in LESSONS.items() if len(halves(cells)) > 1}
    assert {lesson: cells[1].source.splitlines()[0] for lesson, cells in after_it.items()} == {
        "04": "## Lost in rounding",
        "09": "## What training follows",
        "10": "## How many modes does training want?",
    }
    assert all(len(recap.source.split()) >= 80 for recap, *_ in after_it.values())


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_lesson_says_where_we_are(lesson: str):
    (line,) = [line for line in LESSONS[lesson][0].source.splitlines() if line.startswith("**Where we are.**")]
    parts = WHERE.fullmatch(line)
    assert parts is not None
    before, _, after = parts.groups()
    assert len(line.split()) <= 65
    following = f"{int(lesson) + 1:02}"
    assert f"lesson {following}" in after
    assert ("planned" in after) == (following not in LESSONS)
    known = {number for pair in reading.POINTER.findall(before) for number in pair if number}
    assert all(number < lesson for number in known)
    assert known or lesson == "00"


def letters_of_lesson(lesson: str) -> tuple[list[str], list[str]]:
    """What the list says: the lesson's own letters, and those that mean the same in all lessons."""
    own = re.findall(rf"(?m)^\| {lesson} \| (\S+) \| .{{3,}} \|$", LETTERS)
    everywhere = re.findall(r"(?m)^\| ([A-Za-z]|\\[A-Za-z]+) \| .{3,} \|$", LETTERS)
    return own, everywhere


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_letter_of_a_lesson_is_listed_with_one_meaning(lesson: str):
    own, everywhere = letters_of_lesson(lesson)
    used = reading.letters(LESSONS[lesson])
    assert sorted(used - {*own, *everywhere}) == []
    assert sorted(set(own) - used) == []
    assert len(own) == len(set(own))


def test_letters_are_told_from_names_indices_and_differentials():
    source = r"$\mathbb{E}_{i \sim q}[y] = \int p_\text{data}\,a\,dx$, `b`, $C^{\mathsf T}\theta \operatorname{k}$."
    assert reading.letters([text(source, "a")]) == {"x", "y", "p", "a", "C", "\\theta"}

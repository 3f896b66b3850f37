"""The figures of the lessons as they are kept: a message for whoever cannot see them, and a ground of their own."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
LESSONS = {path.stem: nbformat.read(path, as_version=4).cells for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
GRIDS = re.compile(r"\b(?:plots\.sample_grid|panels\.rows|players\.game)\(")
"""Pictures and the game, in which no lines are told apart: these need not be saved."""


def pictures(lesson: str) -> list[tuple[str, dict[str, str]]]:
    """The attributes of each picture among a lesson's outputs, by the id of its cell."""
    found: list[tuple[str, dict[str, str]]] = []
    for cell in LESSONS[lesson]:
        for output in cell.get("outputs", []):
            parser: Any = HTMLParser()
            parser.handle_starttag = lambda tag, attributes, id_=cell.id: (
                found.append((id_, dict(attributes))) if tag == "img" else None
            )
            parser.feed(output.get("data", {}).get("text/html", ""))
    return found


def is_message(words: str) -> bool:
    """Whether a text may be a sentence: four words or more, and neither a tuple nor the name of a file."""
    return len(re.findall(r"\w+", words)) >= 4 and not re.search(r"^[(\[]\s*['\"]|['\"],|\w\.png|\n", words)


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_picture_says_in_words_what_it_shows(lesson: str):
    assert [(id_, of.get("alt")) for id_, of in pictures(lesson) if not is_message(of.get("alt") or "")] == []


def test_what_is_no_message_is_seen():
    for words in ("", "Losses", "('The generator', 'after 300 steps')", "04_slopes.png of the four losses"):
        assert not is_message(words)


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_picture_is_shown_without_words(lesson: str):
    bare = [
        cell.id
        for cell in LESSONS[lesson]
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert bare == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_page_shows_through_a_picture(lesson: str):
    shown = [base64.b64decode(of["src"].partition(",")[2]) for _, of in pictures(lesson)]
    kept = [path.read_bytes() for path in (ROOT / "figures").glob(f"{lesson[:2]}_*.png")]
    assert shown
    assert kept
    for png in (*shown, *kept):
        assert np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))[..., 3].min() == 255


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_has_lines_is_saved_so_that_it_is_looked_at(lesson: str):
    """`plots.save` names what some cannot read, and a lesson that is run stops there."""
    cells = [cell for cell in LESSONS[lesson] if cell.cell_type == "code" and "plt.show()" in cell.source]
    drawn = [cell for cell in cells if not GRIDS.search(cell.source)]
    assert [cell.id for cell in drawn if "plots.save(" not in cell.source] == []

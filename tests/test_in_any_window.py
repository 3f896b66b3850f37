"""The lessons as they lie, opened in a real JupyterLab: in two widths, on a light and on a dark page, all is seen.

Nothing is run: what is looked at are the texts and the outputs that are kept.
"""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lab
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

LESSONS = sorted((Path(__file__).parents[1] / "notebooks").glob("[0-9][0-9]_*.ipynb"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(lab.CHROMIUM is None, reason="no Chromium on this machine: nothing was looked at in a browser"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, Any]]:
    """A folder, the address of its server, and a page on which nothing can be run. 5 s."""
    folder = tmp_path_factory.mktemp("lab")
    with lab.browsing(folder, autoStartDefaultKernel=False) as (address, page):
        yield folder, address, page


def hidden(place: tuple[Path, str, Any], notebook: str) -> list[str]:
    """What a reader of this notebook does not see, in any window."""
    folder, address, page = place
    (folder / "lesson.ipynb").write_text(notebook, encoding="utf-8")
    lab.show(page, address, "lesson.ipynb")
    lab.wait_for(lambda: page.evaluate(TYPESET))
    return lab.faults(page)


TYPESET = """() => {  // whether no formula is left as it was typed
    const cells = [...document.querySelectorAll('.jp-MarkdownCell')];
    const words = cells.map(cell => cell.querySelector('.jp-MarkdownOutput').cloneNode(true));
    words.forEach(shown => shown.querySelectorAll('code, pre, mjx-container').forEach(part => part.remove()));
    return document.querySelector('mjx-math') && !words.some(shown => shown.textContent.includes('$'));
}"""
SPOILT = {
    "formula": "$$" + " + ".join(f"x_{{{i}}}^2" for i in range(40)) + "$$",
    "table": "| a | b |\n| --- | --- |\n| `" + "long_name_" * 12 + "` | 1 |",
    "words": "A line of words that may be as long as it likes, since it is broken where the window ends. " * 3,
}


def picture(width: int) -> str:
    """A page with a black picture."""
    file = io.BytesIO()
    Image.new("L", (width, 9)).save(file, "PNG")
    return f'<img alt="wide" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def test_what_is_hidden_is_seen(place: tuple[Path, str, Any]):
    """A long formula, a wide table, a wide picture, one without words, black words and a black choice on a dark
    page; not words that are broken. 15 s."""
    cells = [new_markdown_cell(source, id=id_) for id_, source in SPOILT.items()]
    shown = {"picture": picture(1200), "black": '<p style="color: black">black</p>', "long": f"<pre>{'x' * 300}</pre>"}
    shown["bare"] = picture(9).replace('alt="wide"', "")
    shown["choice"] = '<select style="color: black; background: transparent"><option>one</option></select>'
    for id_, page in shown.items():
        output = new_output("display_data", data={"text/html": page})
        cells.append(new_code_cell("1", id=id_, outputs=[output], execution_count=1))
    found = hidden(place, nbformat.writes(new_notebook(cells=cells)))
    everywhere = {f"{theme}, {width} pixels" for theme in lab.THEMES for width in lab.WIDTHS}
    where = {id_: {line.split(": ")[0] for line in found if f": {id_}: " in line} for id_ in (*SPOILT, *shown)}
    assert where == {
        "formula": everywhere,
        "table": everywhere,
        "words": set(),
        "picture": everywhere,
        "bare": everywhere,
        "black": {window for window in everywhere if "Dark" in window},
        "choice": {window for window in everywhere if "Dark" in window},
        "long": set(),  # can be scrolled
    }


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_nothing_is_cut_off_or_too_pale(place: tuple[Path, str, Any], lesson: Path):
    """About 15 s each: 4 windows."""
    assert hidden(place, lesson.read_text(encoding="utf-8")) == []

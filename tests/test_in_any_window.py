"""The lessons as they lie, opened in a real JupyterLab: in two widths, on a light and on a dark page, all is seen.

Nothing is run: what is looked at are the texts and the outputs that are kept.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lab
import pytest

LESSONS = sorted((Path(__file__).parents[1] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
WIDTHS = (1280, 1024)
THEMES = ("JupyterLab Light", "JupyterLab Dark")
SETTINGS = {"windowingMode": "none", "autoStartDefaultKernel": False}
"""All cells are there at once, and nothing can be run."""
LOOK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(lab.CHROMIUM is None, reason="no Chromium on this machine: nothing was looked at in a browser"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, Any]]:
    """A folder, the address of its server, and a page. 5 s."""
    folder = tmp_path_factory.mktemp("lab")
    settings = folder / ".jupyter/lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(SETTINGS), encoding="utf-8")
    with lab.browsing(folder) as (address, page):
        yield folder, address, page


def hidden(place: tuple[Path, str, Any], notebook: str) -> list[str]:
    """What a reader of this notebook does not see, in any window."""
    folder, address, page = place
    (folder / "lesson.ipynb").write_text(notebook, encoding="utf-8")
    lab.show(page, address, "lesson.ipynb")
    found = []
    settled(page)
    for theme in THEMES:
        page.evaluate("it => window.jupyterapp.commands.execute('apputils:change-theme', {theme: it})", theme)
        lab.wait_for(lambda theme=theme: page.evaluate("document.body.dataset.jpThemeName") == theme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 1200})
            settled(page)
            found += [f"{theme}, {width} pixels: {what}" for what in page.evaluate(LOOK)]
    return found


def settled(page: Any) -> None:
    """Wait until all formulas are set, and until the page keeps its height."""
    before = None
    while before != (before := page.evaluate(SIZE)):
        page.wait_for_timeout(1500)


SIZE = """() => {
    const notebook = document.querySelector('.jp-Notebook');
    return notebook.querySelectorAll('mjx-container, img, table').length + ' ' + notebook.scrollHeight;
}"""


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_nothing_is_cut_off_or_too_pale(place: tuple[Path, str, Any], lesson: Path):
    """About 15 s each: 4 windows."""
    assert hidden(place, lesson.read_text(encoding="utf-8")) == []

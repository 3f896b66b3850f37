"""A reader at work in a real JupyterLab, where a Chromium is installed: one notebook for all tests, as a lesson is."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab
import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CHOSEN = ("00.2", "01.4", "02.1", "03.1", "04.2", "05.1", "06.2", "07.1", "09.1")
DID_NOT_RUN = "not attempted: its cell did not run"
SETUP = """from ganlab.notebook import setup; setup()
import numpy as np
from matplotlib import pyplot as plt
from ganlab import claims, exercises, players"""
BENCH = "from ganlab.widgets import Bench\n\nBench()"
MOVING = (
    "02-place-moving",
    "03-bells-moving",
    "03-flow-moving",
    "04-two-ways-moving",
    "05-field-moving",
    "05-back-moving",
    "07-007",
)
"""The cells of the lessons that hold a picture to move."""
GIVEN = """from types import SimpleNamespace
from ganlab import data, diagrams, paths, scenes
from ganlab.moving import Moving
x, w, y, setting = [1, 0, 2, 1, 2], [1, 2, 3], [2, 7, 5], SimpleNamespace(law=data.ring())
over_time = {at: setting.law.sample(200 + at) for at in range(3)}"""
"""What their lessons have by then, with samples of the data in the place of a run's."""
COVERED = """() => [...document.querySelectorAll('.widget-inline-hbox, .widget-button')].filter(it => {
    const box = it.getBoundingClientRect();
    const above = document.elementFromPoint(box.right - 4, box.top + box.height / 2);
    return box.width && above && !it.contains(above) && !above.closest('.Toastify');
}).map(it => it.innerText)"""
"""Controls whose right end something else lies upon."""
AT_MOVING = 3
"""The cell of the first picture to move."""
FIRST = AT_MOVING + len(MOVING)
"""The cell of the first exercise."""
SHOWN = "players.game(title='Two < players')\nplt.show()\nclaims.observed('it holds', [0.25], at_most=1)"


def source_of(id_: str) -> str:
    """The source of a lesson's cell."""
    (path,) = NOTEBOOKS.glob(f"{id_[:2]}_*.ipynb")
    (source,) = (cell.source for cell in nbformat.read(path, as_version=4).cells if cell.id == id_)
    return source


def cells_of(exercise: str) -> tuple[str, str, str]:
    """The stub, its check, and the solution as the reader would write it, from the lesson's notebook."""
    (path,) = NOTEBOOKS.glob(f"{exercise[:2]}_*.ipynb")
    sources = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    (at,) = (i for i, source in enumerate(sources) if source.startswith(f'exercises.check("{exercise}", '))
    stub, check, solution = sources[at - 1 : at + 2]
    (name,) = re.findall(r"def (\w+)", stub)
    solved = solution[solution.index("def ") : solution.index("exercises.")].strip()
    return stub, check, re.sub(r"def \w+", f"def {name}", solved)


class Notebook:
    """The notebook that is open, by the numbers of its cells."""

    def __init__(self, page: Any):
        self.page = page

    def write(self, number: int, source: str) -> None:
        self._choose(number)
        self.page.evaluate("window.jupyterapp.commands.execute('notebook:enter-edit-mode')")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)

    def run(self, number: int) -> str:
        """Run a cell, and give the text that it left."""
        self._choose(number)
        self.page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")
        cell = f"window.jupyterapp.shell.currentWidget.content.widgets[{number}].model"
        lab.wait_for(lambda: self.page.evaluate(f"{cell}.executionState") == "idle")
        outputs = self.page.evaluate(f"{cell}.outputs.toJSON()")
        return "".join("".join(output.get("text", output.get("evalue", ""))) for output in outputs).strip()

    def _choose(self, number: int) -> None:
        self.page.evaluate(f"window.jupyterapp.shell.currentWidget.content.activeCellIndex = {number}")


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(lab.CHROMIUM is None, reason="no Chromium on this machine: nothing was done in a browser"),
]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """Open, with its first cell run. 15 s."""
    sources = [source for id_ in CHOSEN for source in cells_of(id_)[:2]]
    with lab.opened(
        tmp_path_factory.mktemp("lab"), [SETUP, BENCH, GIVEN, *map(source_of, MOVING), *sources, SHOWN]
    ) as page:
        opened = Notebook(page)
        opened.run(0)
        yield opened


def test_the_bench_follows_the_reader(notebook: Notebook):
    """Choose, step, run, reset, change the objective: each changes the picture, and the console stays clean. 5 s."""
    page = notebook.page
    notebook.run(1)
    picture = page.locator(".widget-html img").first
    picture.wait_for(timeout=60_000)
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

    def source() -> str:
        return str(picture.get_attribute("src"))

    def after(act: Callable[[], Any]) -> None:
        before = source()
        act()
        lab.wait_for(lambda: source() != before)

    def press(name: str) -> None:
        page.get_by_role("button", name=name, exact=True).click()

    def choose(name: str, value: str) -> None:
        page.get_by_label(name).select_option(value)

    for name in ("D moves", "G moves", "one round"):
        after(lambda name=name: press(name))
    after(lambda: choose("data", "two moons"))
    after(lambda: choose("objective", "LSGAN (0, 1, 1)"))
    after(lambda: press("run"))
    seen = {source()}
    lab.wait_for(lambda: seen.add(source()) or len(seen) >= 8)  # one after the other, until it is stopped
    after(lambda: press("stop"))
    after(lambda: press("reset"))
    page.get_by_label("at a press").select_option("10")
    after(lambda: press("D moves"))
    page.get_by_alt_text("D alone: 10, loss").wait_for(timeout=60_000)
    after(lambda: press("reset"))
    if "GANLAB_SCREENSHOT" in os.environ:
        page.screenshot(path=os.environ["GANLAB_SCREENSHOT"])
    assert not errors


def test_what_is_printed_breaks_between_words(notebook: Notebook):
    """After `setup()`, whose own line is the first."""
    printed = notebook.page.locator(".jp-OutputArea-output pre").first
    assert printed.evaluate("it => getComputedStyle(it).wordBreak") == "normal"


@pytest.mark.parametrize("number", range(len(MOVING)), ids=MOVING)
def test_a_picture_moves_with_each_of_its_sliders(notebook: Notebook, number: int):
    """A step with each control changes its number, the picture and the picture's words, and back again. 3 s each."""
    page = notebook.page
    notebook.run(2)
    notebook.run(AT_MOVING + number)
    box = page.locator(".widget-vbox").last
    picture = box.locator("img")
    picture.wait_for(timeout=60_000)
    for handle, said in zip(box.locator(".noUi-handle").all(), box.locator(".widget-readout").all(), strict=True):
        _there_and_back(picture, said.inner_text, lambda key, handle=handle: handle.press(key))
    for choice in box.locator("select").all():
        options = {"ArrowRight": 0, "ArrowLeft": int(choice.evaluate("it => it.selectedIndex"))}
        _there_and_back(picture, choice.input_value, lambda key, c=choice, o=options: c.select_option(index=o[key]))


def _there_and_back(picture: Any, said: Callable[[], str], move: Callable[[str], Any]) -> None:
    """Move a control by a step and back: its text, the picture and what the picture is called follow."""
    text, shown, words = said(), picture.get_attribute("src"), picture.get_attribute("alt")
    move("ArrowRight")
    lab.wait_for(lambda: said() != text and picture.get_attribute("src") != shown)
    moved = picture.get_attribute("src")
    if re.search(r"\d", words):  # the numbers of the position
        assert picture.get_attribute("alt") != words
    move("ArrowLeft")
    lab.wait_for(lambda: said() == text and picture.get_attribute("src") != moved)
    assert picture.get_attribute("alt") == words


def test_one_exercise_of_each_lesson_unrun_wrong_and_right(notebook: Notebook):
    """A slip of syntax, a wrong answer, the right one; then a figure and a claim. 10 s."""
    for number, id_ in enumerate(CHOSEN):
        stub, _, right = cells_of(id_)
        at = FIRST + 2 * number
        slip, wrong = right.replace(":", "", 1), stub.replace("raise NotImplementedError", "return 0")
        work = [(slip, DID_NOT_RUN), (wrong, "not yet. "), (right, "right")]
        if not number:  # nothing written yet; and a slip, or the stub again, after all was right
            work = [(None, DID_NOT_RUN), *work, (slip, DID_NOT_RUN), (stub, "not attempted")]
        for written, said in work:
            if written is not None:
                notebook.write(at, written)
                notebook.run(at)
            found = notebook.run(at + 1)
            assert found == f"{id_}: {said}" or (found.startswith(f"{id_}: not yet. ") and written == wrong)
    notebook.run(FIRST + 2 * len(CHOSEN))
    notebook.page.get_by_alt_text("Two < players").wait_for(timeout=60_000)
    notebook.page.get_by_text("(measured: 0.25)").wait_for(timeout=60_000)


def test_the_bench_and_the_pictures_to_move_are_seen_in_any_window(notebook: Notebook):
    """Their labels, numbers and pictures, on a light and on a dark page, with the board of own data. 20 s."""
    page = notebook.page
    for number in range(FIRST):
        notebook.run(number)
    for label in ("data", "objective", "k", "rate of D", "at a press"):
        page.get_by_text(label, exact=True).first.wait_for(timeout=60_000)
    page.get_by_label("data").select_option("own")
    page.get_by_title("hump in row 1, column 1").wait_for(timeout=60_000)
    shown = [page.get_by_title(f"hump in row 1, column {column}").inner_text().strip() for column in (1, 2)]
    assert shown == ["●", ""]
    assert page.get_by_alt_text("; step 0: ").count() == 1
    assert lab.faults(page) == []
    page.set_viewport_size({"width": 1280 * 2 // 3, "height": 1200})  # a window of 1,280 pixels at 150 %
    page.locator(".widget-dropdown").first.scroll_into_view_if_needed()
    lab.settled(page)
    assert page.evaluate(COVERED) == []

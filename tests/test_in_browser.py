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
CHOSEN = ("00.2", "01.5", "02.1", "03.1", "04.2", "05.1", "06.3", "07.1", "09.1")
DID_NOT_RUN = "not attempted: its cell did not run"
SETUP = """from ganlab.notebook import setup; setup()
import numpy as np
from matplotlib import pyplot as plt
from ganlab import claims, exercises, players"""
BENCH = "from ganlab.widgets import Bench, Moving\n\nBench()"
MOVING = """from ganlab import diagrams

Moving(lambda at: diagrams.kernel_at([1, 0, 2, 1, 2], [2, 7, 5], [1, 2, 3], 2, 1, [at]), positions=3)"""
FIRST = 3
"""The cell of the first exercise."""
SHOWN = "players.game(title='Two < players')\nplt.show()\nclaims.observed('it holds', [0.25], at_most=1)"


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
    with lab.opened(tmp_path_factory.mktemp("lab"), [SETUP, BENCH, MOVING, *sources, SHOWN]) as page:
        opened = Notebook(page)
        opened.run(0)
        yield opened


def test_the_bench_follows_the_reader(notebook: Notebook):
    """Choose, step, run, reset, change the objective: each changes the picture, and the console stays clean. 5 s."""
    page = notebook.page
    notebook.run(1)
    picture = page.locator(".widget-image").first
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
    if "GANLAB_SCREENSHOT" in os.environ:
        page.screenshot(path=os.environ["GANLAB_SCREENSHOT"])
    assert not errors


def test_a_kernel_moves_with_its_slider(notebook: Notebook):
    """Two steps to the right and one back: a picture for each. 5 s."""
    page = notebook.page
    notebook.run(1)  # what it imports
    notebook.run(2)
    picture = page.locator(".widget-image").last
    picture.wait_for(timeout=60_000)
    said, handle = page.locator(".widget-readout").last, page.locator(".noUi-handle").last
    shown = [picture.get_attribute("src")]
    for key, position in (("ArrowRight", "1"), ("ArrowRight", "2"), ("ArrowLeft", "1")):
        handle.press(key)
        lab.wait_for(lambda position=position: said.inner_text() == position)
        lab.wait_for(lambda: picture.get_attribute("src") not in shown)
        shown.append(picture.get_attribute("src"))
    assert len(set(shown)) == 4


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

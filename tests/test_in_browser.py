"""A reader at work in a real JupyterLab, where a Chromium is installed."""

import re
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
from ganlab import claims, exercises, plots"""
SHOWN = "plots.game(title='Two < players')\nplt.show()\nclaims.observed('it holds', [0.25], at_most=1)"


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


@pytest.mark.slow
@pytest.mark.skipif(lab.CHROMIUM is None, reason="no Chromium on this machine: no exercise was done in a browser")
def test_one_exercise_of_each_lesson_unrun_wrong_and_right(tmp_path: Path):
    """A slip of syntax, a wrong answer, the right one; then a figure and a claim. 30 s, most of it for the start."""
    exercises = [cells_of(id_) for id_ in CHOSEN]
    sources = [source for stub, check, _ in exercises for source in (stub, check)]
    with lab.opened(tmp_path, [SETUP, *sources, SHOWN]) as page:
        notebook = Notebook(page)
        notebook.run(0)
        for number, (id_, (stub, _, right)) in enumerate(zip(CHOSEN, exercises, strict=True)):
            at = 1 + 2 * number
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
        notebook.run(len(sources) + 1)
        page.get_by_alt_text("Two < players").wait_for(timeout=60_000)
        page.get_by_text("(measured: 0.25)").wait_for(timeout=60_000)

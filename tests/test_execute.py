"""`make notebooks`: one form, no half-written lesson, no lesson that was not run."""

import ast
import base64
import importlib.util
import io
import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

ROOT = Path(__file__).parents[1]
specification = importlib.util.spec_from_file_location("execute", ROOT / "notebooks" / "execute.py")
assert specification is not None
assert specification.loader is not None
execute: Any = importlib.util.module_from_spec(specification)
specification.loader.exec_module(execute)


def ran(source: str, *outputs: Any, count: int | None = 1, **metadata: Any) -> Any:
    return new_code_cell(source, execution_count=count, outputs=list(outputs), metadata=metadata)


def written(folder: Path, *cells: Any) -> Path:
    path = folder / "00_lesson.ipynb"
    path.write_text(execute.normalised(new_notebook(cells=list(cells))), encoding="utf-8")
    return path


def test_the_form_is_fixed_and_normalising_twice_changes_nothing():
    widget = new_output("display_data", data={execute.WIDGET: {"model_id": "1"}, "text/plain": "0%|"})
    cell = ran(
        "print(1)",
        new_output("stream", name="stdout", text="1\n"),
        new_output("stream", name="stdout", text="2\n"),
        widget,
        new_output("stream", name="stderr", text="50%|"),
        new_output("display_data", data={"text/plain": "figure"}, metadata={"needs_background": "light"}),
        tags=["nbval-ignore-output"],
        execution={"iopub.status.idle": "2026-01-01T00:00:00Z"},
        collapsed=True,
    )
    notebook = new_notebook(
        cells=[cell], metadata={"widgets": {}, "kernelspec": {"name": "mine", "display_name": "Mine"}}
    )
    text = execute.normalised(notebook)
    again = nbformat.reads(text, as_version=4)
    assert execute.normalised(again) == text
    assert again.metadata == execute.METADATA
    assert again.cells[0].metadata == {"tags": ["nbval-ignore-output"]}
    assert [output.get("text") for output in again.cells[0].outputs] == ["1\n2\n", None]
    assert again.cells[0].outputs[1].metadata == {}


RAMP = np.linspace(0, 255, 200, dtype=np.uint8)


def as_png(picture: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def shrunk(png: str) -> Image.Image:
    """A cell's picture after normalising, which a second time changes nothing."""
    cell = ran("draw()", new_output("display_data", data={"image/png": png}))
    text = execute.normalised(new_notebook(cells=[cell]))
    again = nbformat.reads(text, as_version=4)
    assert execute.normalised(again) == text
    return Image.open(io.BytesIO(base64.b64decode(again.cells[0].outputs[0].data["image/png"])))


def levels_off(small: Image.Image, picture: np.ndarray) -> np.ndarray:
    """By how many of 255 levels each pixel differs, in the channel in which it differs most."""
    return np.abs(np.asarray(small.convert("RGB")).astype(int) - picture).max(axis=2)


@pytest.mark.parametrize("lesson", range(11))
def test_the_figures_of_the_lessons_shrink_and_look_the_same(lesson: int):
    """99 of 100 pixels are within 8 levels of what was drawn."""
    path = sorted((ROOT / "figures").glob(f"{lesson:02}_*.png"))[0]
    small = shrunk(base64.b64encode(path.read_bytes()).decode())
    assert small.mode == "P"
    assert (levels_off(small, np.asarray(Image.open(path).convert("RGB"))) > 8).mean() <= 0.01


def test_a_picture_gets_as_few_colours_as_do():
    greys = np.repeat(np.broadcast_to(RAMP, (200, 200))[..., None], 3, axis=2)
    plain, coloured = greys // 64 * 64, np.stack(np.broadcast_arrays(RAMP, RAMP[:, None], np.uint8(9)), axis=2)
    few, more, most = (shrunk(as_png(picture)) for picture in (plain, greys, coloured))
    assert [len(np.unique(np.asarray(small))) for small in (few, more)] == [4, 64]
    assert len(np.unique(np.asarray(most))) > 128
    assert [int(levels_off(*pair).max()) <= 4 for pair in ((few, plain), (more, greys))] == [True, True]
    assert levels_off(most, coloured).mean() < 12


def test_pictures_in_html_shrink_too_and_keep_their_words():
    encoded = as_png(np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8))
    page = f'<img alt="a &lt; b" src="data:image/png;base64,{encoded}">'
    text = execute.normalised(new_notebook(cells=[ran("draw()", new_output("display_data", data={"text/html": page}))]))
    again = nbformat.reads(text, as_version=4)
    assert execute.normalised(again) == text
    kept = again.cells[0].outputs[0].data["text/html"]
    assert kept.startswith('<img alt="a &lt; b" src="data:image/png;base64,')
    assert kept.endswith('">')
    assert len(kept) < len(page)


def test_a_warning_in_a_compared_cell_is_kept():
    cell = ran("f()", new_output("stream", name="stderr", text="a warning"))
    assert "a warning" in execute.normalised(new_notebook(cells=[cell]))


def test_an_expected_error_names_no_folder():
    error = new_output(
        "error", ename="ClaimFailed", evalue="1 is not 2", traceback=["File /home/me/ganlab/claims.py:9"]
    )
    text = execute.normalised(new_notebook(cells=[ran("f()", error, tags=["raises-exception"])]))
    assert "/home/me" not in text
    assert json.loads(text)["cells"][0]["outputs"][0]["traceback"] == ["ClaimFailed: 1 is not 2"]


def test_a_good_lesson_has_no_problems(tmp_path: Path):
    error = new_output("error", ename="ClaimFailed", evalue="", traceback=[])
    path = written(tmp_path, ran("1"), ran("", count=None), ran("raise", error, count=2, tags=["raises-exception"]))
    assert execute.problems(path) == []


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ([ran("1", count=None)], "not run from top to bottom"),
        ([ran("1", count=2)], "not run from top to bottom"),
        ([ran("1", count=2), ran("2", count=1)], "not run from top to bottom"),
        ([ran("1", new_output("error", ename="E", evalue="", traceback=[]))], "code cell 1 holds an error"),
        ([ran("1", new_output("stream", name="stderr", text="Warning"))], "code cell 1 writes a warning"),
        (
            [ran("1", new_output("display_data", data={"text/plain": "<f at 0x7f32a0>"}))],
            "code cell 1 shows a memory address",
        ),
        ([ran("1", new_output("stream", name="stdout", text="x" * 400_000))], "391 KB, more than 300"),
    ],
)
def test_problems_are_named(tmp_path: Path, cells: list[Any], problem: str):
    assert problem in execute.problems(written(tmp_path, *cells))


def test_a_lesson_saved_by_hand_is_noticed(tmp_path: Path):
    path = written(tmp_path, ran("1"))
    content = json.loads(path.read_text(encoding="utf-8"))
    content["metadata"]["widgets"] = {}
    path.write_text(json.dumps(content), encoding="utf-8")
    assert execute.problems(path) == ["saved in another form"]


def test_the_courses_own_lessons_are_in_order():
    paths = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    assert paths
    assert {path.name: execute.problems(path) for path in paths} == {path.name: [] for path in paths}


LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_figure_is_described(path: Path):
    cells = nbformat.read(path, as_version=4).cells
    shown = [output["data"] for cell in cells for output in cell.get("outputs", []) if "data" in output]
    assert not any("image/png" in data for data in shown)
    pictures = [data["text/html"] for data in shown if "<img" in data.get("text/html", "")]
    assert len(pictures) >= sum("<Figure" in data["text/plain"] for data in shown) > 0
    assert all(re.match(r'<img alt="[^"]{12,}" src="data:image/png;base64,', picture) for picture in pictures)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_folded_cells_say_what_they_check_and_hold_nothing_to_be_read(path: Path):
    """A folded cell checks, draws, solves, or gets ready what the folded cell after it checks or draws."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    for cell, after in zip(cells, [*cells[1:], new_code_cell()], strict=True):
        body = [ast.unparse(statement) for statement in ast.parse(cell.source).body]
        if is_folded(cell):
            assert re.match(r"# .{10,}", cell.source)
            gets_ready = is_folded(after) and checks_or_draws(after)
            assert checks_or_draws(cell) or gets_ready or cell.source.startswith("# Solution of ")
            assert not any(line.startswith(("import", "from")) for line in body)
        elif all(line.startswith(("claims.verified", "claims.observed", "said =")) for line in body):
            assert path.stem[:2] == "00", f"folds what only checks: {cell.source}"


def checks_or_draws(cell: Any) -> bool:
    return "claims." in cell.source or "plots.save(" in cell.source


def is_folded(cell: Any) -> bool:
    return cell.metadata.get("jupyter", {}).get("source_hidden", False)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_cells_are_short_and_the_first_one_sets_up(path: Path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert cells[0].source == "from ganlab.notebook import setup; setup()"
    assert "*No module named 'ganlab'*" in nbformat.read(path, as_version=4).cells[0].source.splitlines()[-1]
    for cell in cells:
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert len(lines) <= 15, cell.source
        assert "pip install" not in cell.source


PALE = """from matplotlib import pyplot as plt
from ganlab import plots
figure, axes = plt.subplots()
axes.plot([1, 2], color="gold", label="a")
axes.set_title("a line that few can see")
plots.save(figure, "pale")"""
TOO_PALE = "'a' has contrast 1.4 to its ground; take a colour that is stronger, with 3 or more."


@pytest.mark.slow
def test_running_writes_once_and_never_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    """About 12 s: six kernels are started."""
    monkeypatch.setattr(execute, "HERE", tmp_path)

    def run(*arguments: str) -> SimpleNamespace:
        with mock.patch.dict(os.environ):
            status = execute.main([*arguments])
        out, err = capfd.readouterr()
        return SimpleNamespace(returncode=status, stdout=out, stderr=err)

    good = tmp_path / "00_good.ipynb"
    source = "import os, sys\nprint(repr(os.environ['GANLAB_DATA']), sys.executable == " + repr(sys.executable) + ")"
    nbformat.write(new_notebook(cells=[new_code_cell(source), new_code_cell("2 + 2")]), good)
    assert run("--check").returncode == 1
    assert "00_good: written" in run().stdout
    assert "'' True" in good.read_text(encoding="utf-8")
    assert "00_good: unchanged" in run().stdout
    assert run("--check").returncode == 0

    bad = tmp_path / "01_bad.ipynb"
    for source, said in (
        ("1 / 0", "01_bad: code cell 2: ZeroDivisionError: division by zero (nothing written)\n"),
        ("raise ValueError('two\\nlines')", "01_bad: code cell 2: ValueError: two lines (nothing written)\n"),
        ("import os; os._exit(1)", "01_bad: code cell 2: DeadKernelError: Kernel died (nothing written)\n"),
        (PALE, f"01_bad: code cell 2: UserWarning: hard to read, pale: {TOO_PALE} (nothing written)\n"),
    ):
        nbformat.write(new_notebook(cells=[new_code_cell("1"), new_code_cell(""), new_code_cell(source)]), bad)
        before = bad.read_bytes()
        failed = run("01_bad")
        assert failed.returncode == 1
        assert failed.stderr.endswith(said)
        assert bad.read_bytes() == before
    assert run("02_none").returncode == 1

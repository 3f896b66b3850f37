"""Run the lessons and write their outputs, in one form: `python notebooks/execute.py [--check] [00_start_here …]`.

Lessons run in file order, on the embedded digits alone (no data folder is seen), and are written back without
timestamps, widget states or progress bars, with pictures in few colours, so that a second run changes nothing. Figures
are written to `figures/`: nothing else writes there.
`--check` runs nothing and reports lessons that were not run, hold an error, a warning or a memory address, are too
large, or were saved in another form.
"""

import base64
import io
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from PIL import Image

HERE = Path(__file__).resolve().parent
TIMEOUT_SECONDS = 600
MOST_BYTES = 300 * 1024
FEW_COLOURS, MOST_COLOURS = (64, 128), 256
OFF, MOST_OFF = 8, 0.01
"""A picture gets the fewest colours with which at most this share of its pixels is off by more of 255 levels."""
KEPT_CELL_METADATA = ("tags", "slideshow", "jupyter")
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
PICTURE = re.compile(r"(?<=data:image/png;base64,)[\w+/=]+")
WIDGET = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(notebook: Any, folder: Path) -> str:
    """Run all cells in place, with the interpreter that runs this; say in one line which failed, "" for none."""
    begun: list[int] = []
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT_SECONDS,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
        on_cell_execute=lambda cell, cell_index: begun.append(cell_index),  # noqa: ARG005 (named by nbclient)
    )
    try:
        client.execute()
    except CellExecutionError as error:
        reason = f"{error.ename}: {error.evalue}"
    except (CellTimeoutError, DeadKernelError) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
    else:
        return ""
    return f"code cell {len(begun)}: {' '.join(reason.split())}"


def normalised(notebook: Any) -> str:
    """The one text form of a notebook that was run."""
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in KEPT_CELL_METADATA if key in cell.metadata}
        if cell.cell_type == "code":
            cell.outputs = _outputs(cell)
    nbformat.validate(notebook)
    return nbformat.writes(notebook, indent=1) + "\n"


def _outputs(cell: Any) -> list[Any]:
    ignored = "nbval-ignore-output" in cell.metadata.get("tags", [])
    kept: list[Any] = []
    for output in cell.outputs:
        if WIDGET in output.get("data", {}) or (ignored and output.get("name") == "stderr"):
            continue
        if output.output_type == "stream" and kept and kept[-1].get("name") == output.name:
            kept[-1].text += output.text
            continue
        if output.output_type == "error":  # the whole traceback names folders of this machine
            output.traceback = [f"{output.ename}: {output.evalue}"]
        if "metadata" in output:
            output.metadata = {}
        for kind, shrink in (("image/png", _in_few_colours), ("text/html", _pictures_in_few_colours)):
            if kind in output.get("data", {}):
                output.data[kind] = shrink(output.data[kind])
        kept.append(output)
    return kept


def _in_few_colours(encoded: str) -> str:
    """A PNG with a palette: a third of the bytes, and nobody sees the difference."""
    image = Image.open(io.BytesIO(base64.b64decode(encoded)))
    if image.mode == "P":
        return encoded
    drawn = image.convert("RGB")
    fits = (small for number in FEW_COLOURS if _share_off(drawn, small := _with_palette(drawn, number)) <= MOST_OFF)
    small = next(fits, None) or _with_palette(drawn, MOST_COLOURS)
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _with_palette(drawn: Image.Image, colours: int) -> Image.Image:
    return drawn.quantize(colours, kmeans=1, dither=Image.Dither.NONE)


def _share_off(drawn: Image.Image, small: Image.Image) -> float:
    """The share of pixels of which some channel differs by more than `OFF`."""
    apart = np.abs(np.asarray(drawn, dtype=int) - np.asarray(small.convert("RGB"), dtype=int)).max(axis=2)
    return float((apart > OFF).mean())


def _pictures_in_few_colours(page: str) -> str:
    return PICTURE.sub(lambda found: _in_few_colours(found[0]), page)


def problems(path: Path) -> list[str]:
    """What keeps a lesson from being committed; empty when nothing does."""
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    found = []
    if [cell.execution_count for cell in cells] != list(range(1, len(cells) + 1)):
        found.append("not run from top to bottom")
    for number, cell in enumerate(cells, 1):
        expected = "raises-exception" in cell.metadata.get("tags", [])
        if not expected and any(output.output_type == "error" for output in cell.outputs):
            found.append(f"code cell {number} holds an error")
        if any(output.get("name") == "stderr" for output in cell.outputs):
            found.append(f"code cell {number} writes a warning")
        if ADDRESS.search(str(cell.outputs)):
            found.append(f"code cell {number} shows a memory address")
    if len(text.encode()) > MOST_BYTES:
        found.append(f"{len(text.encode()) // 1024} KB, more than {MOST_BYTES // 1024}")
    if text != normalised(notebook):
        found.append("saved in another form")
    return found


def _set_environment(home: str) -> None:
    """Hide data folders, so that the outputs are those of a machine that has none, and say where figures go.

    `home` is an empty folder.
    """
    os.environ.setdefault("MPLCONFIGDIR", str(Path.home() / ".cache" / "matplotlib"))
    os.environ.update(HOME=home, USERPROFILE=home, GANLAB_DATA="", PYTHONHASHSEED="0")
    os.environ["GANLAB_FIGURES"] = str(HERE.parent / "figures")
    os.environ["PYTHONWARNINGS"] = "error:hard to read"  # a figure that some cannot read is not kept


def _run(path: Path) -> bool:
    before = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(before, as_version=4)
    failure = execute(notebook, path.parent)
    if failure:
        print(f"{path.stem}: {failure} (nothing written)", file=sys.stderr)
        return False
    after = normalised(notebook)
    if after != before:
        temporary = path.with_name(path.name + ".tmp")
        temporary.write_text(after, encoding="utf-8", newline="\n")
        temporary.replace(path)
    print(f"{path.stem}: {'unchanged' if after == before else 'written'}")
    return True


def main(arguments: list[str]) -> int:
    """Run, or check, the named lessons or all. Status 1 when one fails."""
    check_only = "--check" in arguments
    names = [argument.removesuffix(".ipynb") for argument in arguments if argument != "--check"]
    paths = [HERE / f"{name}.ipynb" for name in names] or sorted(HERE.glob("[0-9][0-9]_*.ipynb"))
    missing = [path.stem for path in paths if not path.exists()]
    if missing or not paths:
        print(f"no lesson {', '.join(missing)}; give names in {HERE.name}/ without .ipynb", file=sys.stderr)
        return 1
    if not check_only:
        with tempfile.TemporaryDirectory(prefix="ganlab-", ignore_cleanup_errors=True) as home:
            _set_environment(home)
            if not all(_run(path) for path in paths):
                return 1
    found = [(path.stem, problem) for path in paths for problem in problems(path)]
    for name, problem in found:
        print(f"{name}: {problem}; run: make notebooks", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

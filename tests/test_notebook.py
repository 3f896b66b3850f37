"""What lessons set up: figures with a text for whoever cannot see them, and advice where a package is missing."""

import base64
import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from ganlab import inline, notebook, plots

INLINE = "module://matplotlib_inline.backend_inline"


@pytest.fixture
def lesson(shell: Any) -> Any:
    """A shell with the inline backend, as a kernel has, in which the course has set how figures are shown."""
    import matplotlib_inline.backend_inline as backend

    before = mpl.get_backend()
    plt.switch_backend(INLINE)
    configure: Any = backend.configure_inline_support
    configure.current_backend = "unset"
    configure(shell, INLINE)
    inline.describe_figures(shell)
    yield shell
    plt.switch_backend(before)


def test_a_figure_is_shown_with_its_title_as_alternative_text(lesson: Any):
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.set_title('D* < ½ & "rejected"', loc="left")
    bundle, _ = lesson.display_formatter.format(figure)
    assert bundle.keys() == {"text/plain", "text/html"}
    seen = []
    parser: Any = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: seen.append((tag, dict(attributes)))
    parser.feed(bundle["text/html"])
    ((tag, attributes),) = seen
    assert (tag, attributes["alt"]) == ("img", 'D* < ½ & "rejected"')
    picture = Image.open(io.BytesIO(base64.b64decode(attributes["src"].removeprefix("data:image/png;base64,"))))
    assert np.asarray(picture.convert("L")).std() > 1


def test_figures_outside_of_a_page_stay_as_they_are(shell: Any):
    inline.describe_figures(shell)
    bundle, _ = shell.display_formatter.format(plt.figure())
    assert "text/html" not in bundle


def test_the_upper_rows_of_a_grid_are_whole(tmp_path: Path):
    grid = tmp_path / "grid.png"
    images = np.arange(30, dtype=np.uint8).repeat(28 * 28).reshape(30, 1, 28, 28)
    plots.save_grid_png(images, grid, columns=3)  # ten rows
    upper = np.asarray(Image.open(io.BytesIO(notebook.top_of(grid, rows=2))))
    assert np.array_equal(upper, plots.grid_array(images[:6], columns=3))


def test_a_lesson_that_lacks_a_package_says_in_one_line_what_to_do(shell: Any, capsys: pytest.CaptureFixture[str]):
    inline.advise_on_missing_packages(shell)
    result = shell.run_cell("import a_package_that_is_not_here")
    assert not result.success  # "run all" stops here
    said = re.sub("\x1b\\[[\\d;]*m", "", capsys.readouterr().out).strip()
    assert said == (
        "MissingPackage: No module named 'a_package_that_is_not_here' for this kernel; choose the course's kernel"
        f" (Kernel → Change Kernel…), or run: {sys.executable} -m pip install --requirement requirements.txt"
    )
    assert shell.run_cell("1 + 1").result == 2


@pytest.mark.parametrize("package", ["tqdm", "torch"])
def test_setup_names_what_is_missing(package: str):
    code = f"""
import sys
class Hide:
    def find_spec(self, name, *_):
        if name.partition('.')[0] == {package!r}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
sys.meta_path.insert(0, Hide())
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.instance().run_cell("from ganlab.notebook import setup; setup()")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False)
    assert re.match(r"(\x1b\[[\d;]*m)?MissingPackage: No module named '" + package, done.stdout)
    assert done.stdout.strip().count("\n") == 0

"""What is said of compilers, Pythons and variables of the shell that are not as they should be, done.

What this machine has not is played by a stand-in; doing what the message says takes it away.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from own import image_trainer, refusal
from tiny import run

from ganlab import doctor

ROOT = Path(__file__).parents[1]


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
def test_a_compiler_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """torch looks for one in PATH, as this stand-in for its default backend does."""
    from torch._dynamo.exc import BackendCompilerFailed

    def needs_a_compiler(graph: torch.fx.GraphModule, _: list[torch.Tensor]) -> Callable[..., Any]:
        if shutil.which("a-compiler", path=str(tmp_path)) is None:
            raise FileNotFoundError("a-compiler")
        return graph.forward

    real = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda net, **_: real(net, backend=needs_a_compiler))
    torch._dynamo.reset()
    line = refusal(lambda: run(image_trainer(compile=True)))
    assert BackendCompilerFailed.__name__ in line
    assert "install a C++ compiler if there is none (for a GPU also Triton), or train without compile" in line
    assert run(image_trainer()).step == 3
    (tmp_path / "a-compiler").touch(mode=0o755)
    assert run(image_trainer(compile=True)).step == 3


def python_that_says(version: tuple[int, int], folder: Path) -> Path:
    """An interpreter of another version, as far as it tells."""
    place = folder / f"python{version[0]}.{version[1]}"
    code = 'import sys; sys.version_info = ({}, {}, 0, "final", 0); exec(sys.argv[1])'.format(*version)
    place.write_text(f"#!/bin/sh\nshift\nexec '{sys.executable}' -c '{code}' \"$@\"\n", encoding="utf-8")
    place.chmod(0o755)
    return place


@pytest.mark.skipif(sys.platform == "win32" or shutil.which("make") is None, reason="make is not here")
def test_make_is_given_a_newer_python(tmp_path: Path):
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (check,) = (line for line in text.splitlines() if "is too old" in line)
    (tmp_path / "Makefile").write_text(f"PYTHON ?= python3\nlab:\n{check}\n", encoding="utf-8")

    def make(version: tuple[int, int]) -> subprocess.CompletedProcess[str]:
        python = python_that_says(version, tmp_path)
        return subprocess.run(
            ["make", "lab", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    old = make((3, 10))
    assert old.returncode != 0
    assert "Python 3.10 is too old: set PYTHON to 3.11 or newer, as in make lab PYTHON=python3.12" in old.stderr
    for newer in ((3, 11), (3, 12)):
        assert make(newer).returncode == 0


def test_the_doctor_is_content_with_a_newer_python(monkeypatch: pytest.MonkeyPatch):
    def line() -> doctor.Check:
        return next(check for check in doctor.examine() if check.name == "Python")

    monkeypatch.setattr(sys, "version_info", (3, 10, 0, "final", 0))
    assert line().detail.endswith("; install Python 3.11 or newer")
    monkeypatch.setattr(sys, "version_info", (3, 11, 0, "final", 0))
    assert line().ok


def test_the_root_is_given_without_quotes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def line() -> doctor.Check:
        return next(check for check in doctor.examine() if check.name == "image sets")

    monkeypatch.setenv("GANLAB_DATA", f"'{tmp_path}'")
    assert line().detail.endswith("give the folder of the sets, without quotes")
    monkeypatch.setenv("GANLAB_DATA", str(tmp_path))
    assert line().ok

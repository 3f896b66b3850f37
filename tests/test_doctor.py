"""The doctor: what it calls OK it has read, and what is not OK comes with what to do."""

import importlib
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from ganlab import data, doctor

ROOT_LINE = "image sets"


def line_of(name: str, root: Path | None = None) -> doctor.Check:
    return next(check for check in doctor.examine(root) if check.name == name)


def test_it_tells_damage_from_absence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert doctor.report(tmp_path)
    folder = tmp_path / "MNIST/raw"
    folder.mkdir(parents=True)
    (folder / "train-images-idx3-ubyte").write_bytes(b"cut")
    capsys.readouterr()
    assert not doctor.report(tmp_path)
    out = capsys.readouterr().out
    assert "NOT OK  mnist" in out
    assert out.splitlines()[-1] == "not ready: 1 to fix, see NOT OK above"


def test_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    wanted = ["numpy>=99", "not-there>=1.0", "torch<2.0,>=1.0", "pytest>=999; extra == 'dev'", "sympy>=1.0"]
    monkeypatch.setattr(metadata, "requires", lambda _name: wanted)
    found = {check.name: check for check in doctor.examine()}
    assert "pip install 'numpy>=99'" in found["numpy"].detail
    assert "not installed; run: pip install 'not-there>=1.0'" in found["not-there"].detail
    assert [found[name].ok for name in ("numpy", "not-there", "torch", "sympy")] == [False, False, False, True]
    assert "pytest" not in found


@pytest.mark.parametrize("error", [ImportError(), RuntimeError("operator torchvision::nms does not exist")], ids=repr)
def test_builds_that_do_not_fit_are_named(monkeypatch: pytest.MonkeyPatch, error: Exception):
    load = importlib.import_module

    def fail(name: str) -> object:
        if name == "torchvision":
            raise error
        return load(name)

    monkeypatch.setattr(importlib, "import_module", fail)
    check = line_of("torch builds")
    assert not check.ok
    assert check.detail.startswith("torchvision does not load with torch ")
    assert check.detail.endswith("; install torch and torchvision together from the same index")


@pytest.mark.parametrize(
    ("given", "advised"),
    [("{}/none", ""), ('"{}"', ", without quotes"), ("'{}'", ", without quotes"), ("{}/a file", "")],
    ids=["absent", "in quotes", "in single quotes", "a file"],
)
@pytest.mark.parametrize("by_option", [True, False])
def test_a_root_that_is_no_folder_is_not_ok(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, advised: str, by_option: bool
):
    (tmp_path / "a file").touch()
    given = given.format(tmp_path)
    monkeypatch.setenv("GANLAB_DATA", str(tmp_path) if by_option else given)
    check = line_of(ROOT_LINE, Path(given) if by_option else None)
    source = "--root" if by_option else "GANLAB_DATA"
    assert check.detail == f"{source} is {given}, no folder here; give the folder of the sets{advised}"
    assert not check.ok
    assert check.needed


def test_the_usual_place_need_not_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANLAB_DATA", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    check = line_of(ROOT_LINE)
    shown = Path("~/.cache/ganlab")
    assert (check.ok, check.needed, check.detail) == (False, False, f"none yet in {shown}; the course does without")
    (tmp_path / ".cache/ganlab").mkdir(parents=True)
    assert line_of(ROOT_LINE).detail == f"looked for in {shown}"


def test_a_root_that_can_be_no_path_is_not_ok(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("GANLAB_DATA", "~a user who is not there")
    assert not doctor.report()
    assert "NOT OK  image sets     root is '~a user who is not there'; give the path of" in capsys.readouterr().out


def test_nothing_is_called_ok_that_does_not_load(tmp_path: Path):
    """Pages of a web server under the name of every file that is looked for."""
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    idx = [
        f"{folder}/raw/{name}{ending}"
        for folder in ("MNIST", "FashionMNIST")
        for name in names
        for ending in ("", ".gz")
    ]
    others = (
        "cifar-10-batches-py/data_batch_1",
        "celeba/list_eval_partition.txt",
        "celeba/img_align_celeba/000001.jpg",
        "TFD_48x48.mat",
        "bedroom_train_lmdb/data.mdb",
        "tower_val_lmdb/data.mdb",
    )
    for file in (*idx, *others):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("<!DOCTYPE html><title>Quota exceeded</title>")
    states = {found.name: found.state for found in data.status(tmp_path)}
    assert states.pop("digits") == "OK"
    assert states.pop("stacked-mnist") == "absent"  # it has no files of its own: the damage is MNIST's
    assert set(states.values()) == {"damaged"}
    for found in data.status(tmp_path):
        assert "\n" not in found.detail
        assert "0x" not in found.detail


def test_an_empty_root_is_ok_and_everything_absent(tmp_path: Path):
    states = {found.name: found.state for found in data.status(tmp_path)}
    assert states.pop("digits") == "OK"
    assert set(states.values()) == {"absent"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names of files are Unicode on this system")
def test_a_root_that_is_no_utf8_can_be_printed(tmp_path: Path):
    """About 5 s: on a terminal that takes nothing but ASCII, too."""
    place = tmp_path / "k\udce4tzchen"
    place.mkdir()
    environment = os.environ | {"GANLAB_DATA": str(place), "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "ganlab", "doctor"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"/k\\xe4tzchen" in done.stdout

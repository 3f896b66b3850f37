"""Studies from outside: one is added as a file, killed, continued, recorded, listed and tabled."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_study
from recorded import awaited

from ganlab.errors import ConfigError
from ganlab.experiments import progress, records, running, study, tables
from ganlab.experiments.units import units_of

ROOT = Path(__file__).parents[1]
TINY = tiny_study.STUDY


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package, to which the file of the tiny study is added; the working folder is another."""
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "ganlab", tmp_path / "course/ganlab", ignore=skipped)
    shutil.copy(ROOT / "tests/tiny_study.py", tmp_path / "course/ganlab/experiments/tiny.py")
    (tmp_path / "work").mkdir()
    return tmp_path / "course"


def contents(package: Path) -> dict[str, str]:
    files = (file for file in package.rglob("*") if file.is_file() and file.suffix != ".pyc")
    return {str(file.relative_to(package)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


SHOW = """
from pathlib import Path
from ganlab import cli
cli.reproduce(listed=True)
cli.table(folder=Path("runs/records"))
"""


def of(package: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"}


def started(package: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ganlab", *arguments],
        cwd=package.parent / "work",
        env=of(package),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )


def done(package: Path, *arguments: str) -> tuple[int, str, str]:
    process = started(package, *arguments)
    out, err = process.communicate(timeout=200)
    return process.returncode, out, err


def cut(package: Path, by: signal.Signals) -> tuple[int, str]:
    """Run the study until its first unit is done and its second has begun; end the command by a signal."""
    work = package.parent / "work"
    process = started(package, "reproduce", "tiny", "--workers", "1")
    end = time.monotonic() + 150
    while not (work / "begun.txt").exists() or "seed 1" not in (work / "begun.txt").read_text():
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.kill(process.pid, by)
    _, err = process.communicate(timeout=60)  # returns when the workers, which hold the pipe, have ended, too
    return process.returncode, err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_study_is_one_file_and_survives_a_kill(package: Path):
    """About 15 s: three processes, two of which start a worker."""
    work, before = package.parent / "work", contents(package)
    cut(package, signal.SIGKILL)
    kept = [file.name for file in (work / "runs/tiny").glob("*.json")]
    assert len(kept) == 1
    assert kept[0].startswith("seed-0-")
    (work / "go").touch()
    status, out, err = done(package, "reproduce", "tiny", "--workers", "1")
    assert status == 0, err
    assert "1 of 3 units are kept in" in out
    assert "| seed 2 | 4 |" in out
    assert "3.0 of 3 units" in err.replace("\r", "\n").splitlines()[-1]
    assert (work / "begun.txt").read_text().split("\n") == [
        *("seed 0, 1", "seed 1, 1"),
        *("seed 1, 1", "seed 2, 1", ""),
    ]
    record = json.loads((work / "runs/records/tiny.json").read_text(encoding="utf-8"))
    assert [one["square"] for one in record["results"]] == [0, 1, 4]
    assert all(one["seconds"] >= 0 for one in record["results"])
    said = {name: record[name] for name in ("study", "preset", "options", "seeds", "rule", "published")}
    assert said == {
        "study": "tiny",
        "preset": "laptop",
        "options": {"epochs": 1.0},
        "seeds": [0, 1, 2],
        "rule": "there is one value each",
        "published": [],
    }
    assert record["environment"] == records.environment()
    assert (work / "runs/records/tiny-seed-2.png").read_bytes() == b"a picture of 2"
    assert not list(work.rglob("*.tmp"))
    shown = subprocess.run(
        [sys.executable, "-c", SHOW], cwd=work, env=of(package), capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert "tiny (lesson 99): how large squares are" in shown
    assert "| squares | – | 2 (0 to 4) | [tiny]" in shown
    assert contents(package) == before


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_is_answered_in_a_line_and_nothing_is_lost(package: Path):
    """About 8 s."""
    status, err = cut(package, signal.SIGINT)
    assert status == 130
    assert "Traceback" not in err
    assert "stopped; what was saved before is kept" in err
    assert len(list((package.parent / "work/runs/tiny").glob("seed-0-*.json"))) == 1


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, units that do not wait, and no processes: jobs are done one by one, the last first."""
    monkeypatch.chdir(tmp_path)
    Path("go").touch()

    def one_by_one(job: Any, items: list[Any], **_: Any) -> Any:
        return [job(item) for item in reversed(items)]

    monkeypatch.setattr(running, "side_by_side", one_by_one)
    return tmp_path


def begun() -> list[str]:
    return Path("begun.txt").read_text().splitlines() if Path("begun.txt").exists() else []


@pytest.mark.usefixtures("here")
def test_kept_units_are_used_for_the_same_settings_alone(monkeypatch: pytest.MonkeyPatch):
    first = running.reproduce(TINY, {})
    assert [one["square"] for one in first["results"]] == [0, 1, 4]  # in the order of the units, not of their ends
    assert begun() == ["seed 2, 1", "seed 1, 1", "seed 0, 1"]
    assert running.reproduce(TINY, {"preset": "laptop"})["results"] == first["results"]
    assert len(begun()) == 3
    more = running.reproduce(TINY, {"seeds": 4})
    assert [one["square"] for one in more["results"]] == [0, 1, 4, 9]
    assert begun()[3:] == ["seed 3, 1"]
    paper = running.reproduce(TINY, {"preset": "paper"})
    assert [one["square"] for one in paper["results"]] == [0, 10, 40]
    assert len(begun()) == 7
    running.reproduce(TINY, {"epochs": 10.0})
    assert len(begun()) == 7
    monkeypatch.setattr("inspect.getsource", lambda _: "the file of the study was changed")
    running.reproduce(TINY, {})
    assert len(begun()) == 10


@pytest.mark.usefixtures("here")
def test_the_machines_that_measured_are_named_and_no_other(monkeypatch: pytest.MonkeyPatch):
    running.reproduce(TINY, {"seeds": 1})
    first = records.environment()
    assert "also measured on" not in running.reproduce(TINY, {"seeds": 1})
    monkeypatch.setattr(records, "environment", lambda: first | {"processor": "abacus"})
    assert running.reproduce(TINY, {"seeds": 1})["environment"] == first  # all was kept from before
    record = running.reproduce(TINY, {})
    assert record["environment"] == first
    assert record["also measured on"] == [first | {"processor": "abacus"}]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"precision": "bfloat16"}, "precision is given, and tiny does not use it; it uses preset, seeds, epochs."),
        ({"device": "cpu"}, "device is given, and tiny does not use it; it uses preset, seeds, epochs."),
        ({"root": Path()}, "root is given, and tiny does not use it; it uses preset, seeds, epochs."),
        ({"preset": "huge"}, "preset is 'huge'; tiny has laptop, paper."),
        ({"seeds": 0}, "seeds is 0; give a number of at least 1."),
        ({"epochs": float("nan")}, "epochs is nan; give a number of at least 1."),
        ({"epochs": float("inf")}, "epochs is inf; give a number of at least 1."),
    ],
)
def test_what_a_study_does_not_use_is_refused(given: dict[str, Any], said: str):
    with pytest.raises(ConfigError) as caught:
        running.reproduce(TINY, given)
    assert str(caught.value) == said
    assert begun() == []


def test_every_study_says_what_it_uses():
    for one in study.found().values():
        assert set(one.uses) <= set(study.OPTIONS)
        for name in {"seeds", *study.OPTIONS} - set(one.options):
            with pytest.raises(ConfigError, match=f"^{name} is given, and {one.name} does not use it; it uses preset"):
                running.reproduce(one, {name: 1})


def test_units_that_cannot_be_told_apart_are_refused():
    alike = replace(TINY, units=lambda _: {"a, b": {"seed": 0}, "a b": {"seed": 1}})
    with pytest.raises(ConfigError, match="two units whose files are called a-b"):
        units_of(alike, alike.units(range(1)), {})
    passing = {"seed 0": {"seed": object()}}
    with pytest.raises(ConfigError, match="no lasting description; give plain values"):
        units_of(TINY, passing, {})


@pytest.mark.usefixtures("here")
def test_an_error_names_its_unit():
    failing = replace(TINY, measure=fail)
    with pytest.raises(ConfigError, match=r"^seed 2: no luck$"):
        running.reproduce(failing, {})


def fail(*_: Any, **__: Any) -> dict[str, Any]:
    raise ConfigError("no luck")


def test_the_bar_counts_parts_of_units_and_leaves_out_what_was_taken_over(capsys: pytest.CaptureFixture[str]):
    board = progress.Board(2)
    with progress.shown(board, ["a", "b"], finished=1):
        board.write(0, 0.25, "")
        board.write(0, 0.5, "half a score")
        board.write(1, 1, "")
    assert board.taken_over() == 0.25
    last = capsys.readouterr().err.replace("\r", "\n").strip().splitlines()[-1]
    assert "2.5 of 3 units" in last
    assert last.endswith("a: half a score")
    assert " left]" in last


# The course's own ----------------------------------------------------------------------------------------------------


def test_every_study_of_the_course_has_a_record_and_a_lesson():
    """A lesson that is there, or one that the README calls planned."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, one in study.found().items():
        if name in awaited():
            assert not records.place_of(name, ROOT / records.FOLDER).exists()
        else:
            assert records.read(name, ROOT / records.FOLDER)["study"] == name
        lesson = list((ROOT / "notebooks").glob(f"{one.lesson}_*.ipynb"))
        assert bool(lesson) != (f"Lesson {one.lesson} is planned" in readme)
    assert awaited() < study.found().keys()
    with pytest.raises(ConfigError, match=r"^study is 'nope'; give one of mode-counts, "):
        study.get("nope")


def test_the_readmes_show_what_the_records_give():
    short, long = tables.short(ROOT / records.FOLDER), tables.long(ROOT / records.FOLDER)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert short in readme
    assert readme.count("figures/records/") == len(short.splitlines()) - 1  # no other rows
    assert len(short.splitlines()) - 2 <= 16  # short: what a lesson found, in a row or two
    assert (ROOT / records.FOLDER / "README.md").read_text(encoding="utf-8").endswith(f"\n\n{long}\n")


def test_a_mean_has_its_range():
    assert tables.mean_and_range([1, 2, 6.4]) == "3 (1 to 6)"
    assert tables.mean_and_range([0.25, 0.75], digits=2, unit=" %") == "0.5 % (0.25 to 0.75)"

"""A new study is one new file: it is found, run, cut off, carried on, recorded and tabled by what is common to all."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ganlab
from ganlab.errors import ConfigError
from ganlab.experiments import records, running, study
from ganlab.experiments.study import Preset, Study

TINY = '''
"""tiny: what the square of a seed is."""

import os
import time
from pathlib import Path

from ganlab.experiments.study import Preset, Published, Row, Study


def measure(unit, *, seed, epochs):
    with Path("ran").open("a") as file:
        file.write(f"{seed} ")
    unit.progress(0.5, "half way")
    while seed == 1 and not Path("go on").exists():
        time.sleep(0.1)
    unit.picture.write_bytes(b"a picture")
    return {"seed": seed, "epochs": epochs, "square": seed**2 * epochs}


PUBLISHED = Published("4.5", "squares", "Euclid, book II", "by ruler")
STUDY = Study(
    name="tiny",
    about="what the square of a seed is",
    lesson="05",
    measure=measure,
    seeds=3,
    presets={"laptop": Preset("no time", {"epochs": 1.0}), "paper": Preset("no more", {"epochs": 2.0})},
    uses=("epochs",),
    published=(PUBLISHED,),
    rule="all count",
    rows=lambda record: [Row("squares", f"{sum(one['square'] for one in record['results'])} in all", PUBLISHED)],
    columns=("seed", "square"),
    every=lambda record: [(str(one["seed"]), str(one["square"])) for one in record["results"]],
)
'''


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A folder with a copy of the package to which one file was added."""
    package = Path(ganlab.__file__).parent
    shutil.copytree(package, tmp_path / "ganlab", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "ganlab/experiments/tiny.py").write_text(TINY, encoding="utf-8")
    return tmp_path


def command(course: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "ganlab", *arguments]


def environment(course: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(course), "OMP_NUM_THREADS": "1"}


def said(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(course, *arguments), cwd=course, env=environment(course), capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done


def wait_for(what: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not what():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_study_in_a_file_of_its_own(course: Path):
    """Killed in the middle, carried on, recorded, listed, tabled. 20 s: eight processes that import torch."""
    begun = ["reproduce", "tiny", "--workers", "1"]
    process = subprocess.Popen(command(course, *begun), cwd=course, env=environment(course), stderr=-1, text=True)
    ran = course / "ran"
    wait_for(lambda: ran.exists() and ran.read_text() == "0 1 ", process)
    process.kill()
    process.communicate()
    assert not (course / "runs/records").exists()

    (course / "go on").touch()
    done = said(course, *begun)
    assert done.returncode == 0, done.stderr
    assert "1 of 3 units are kept in runs" in done.stdout
    assert ran.read_text() == "0 1 1 2 "  # what was finished is not run again
    assert "3.0 of 3 units" in done.stderr

    record = records.read("tiny", course / "runs/records")
    assert [(one["seed"], one["square"]) for one in record["results"]] == [(0, 0), (1, 1), (2, 4)]
    assert (record["preset"], record["options"], record["seeds"]) == ("laptop", {"epochs": 1.0}, [0, 1, 2])
    assert record["rule"] == "all count"
    assert record["environment"]["torch"]
    assert sorted(path.name for path in (course / "runs/records").iterdir()) == [
        *(f"tiny-seed-{seed}.png" for seed in range(3)),
        "tiny.json",
    ]

    assert said(course, *begun, "--preset", "paper").returncode == 0  # other options use nothing of what was kept
    assert ran.read_text() == "0 1 1 2 0 1 2 "
    record = records.read("tiny", course / "runs/records")
    assert [one["square"] for one in record["results"]] == [0, 2, 8]

    assert "tiny (lesson 05): what the square of a seed is; 3 seeds" in said(course, "reproduce", "--list").stdout
    short = said(course, "table", "--folder", "runs/records").stdout.splitlines()
    assert short[2:] == ["| squares | 4.5 (Euclid, book II) | 10.0 in all | [tiny](figures/records/tiny.json) |"]
    assert "| 2 | 8.0 |" in said(course, "table", "--long", "--folder", "runs/records").stdout
    refused = said(course, *begun, "--precision", "bfloat16")
    assert (refused.returncode, refused.stderr) == (
        2,
        "error: precision is given, and tiny does not use it; it uses preset, seeds, epochs.\n",
    )


# In this process ------------------------------------------------------------------------------------------------------


def square(unit: Any, *, seed: int, epochs: float = 1) -> dict[str, Any]:
    if seed < 0:
        raise ConfigError("no square; give another.")
    return {"seed": seed, "square": seed**2}


def tiny(**changed: Any) -> Study:
    options: dict[str, Any] = {
        "name": "tiny",
        "about": "squares",
        "lesson": "05",
        "measure": square,
        "presets": {"laptop": Preset("no time")},
        "rule": "all",
        "rows": lambda _: [],
        "columns": ("seed",),
        "every": lambda _: [],
        "seeds": 2,
    }
    return Study(**options | changed)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs one after the other, without processes."""

    def one_by_one(job: Callable[[Any], Any], items: Any, **_: Any) -> Iterator[Any]:
        yield from map(job, items)

    monkeypatch.setattr(running, "side_by_side", one_by_one)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"epochs": 3.0}, r"^epochs is given, and tiny does not use it; it uses preset, seeds\.$"),
        ({"root": Path()}, r"^root is given, and tiny does not use it; it uses preset, seeds\.$"),
        ({"preset": "paper"}, r"^preset is 'paper'; tiny has laptop\.$"),
        ({"seeds": 0}, r"^seeds is 0; give a number of at least 1\.$"),
        ({"workers": 0}, r"^workers is 0; give a number of at least 1\.$"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_runs(given: dict[str, Any], line: str, tmp_path: Path):
    workers = given.pop("workers", None)
    with pytest.raises(ConfigError, match=line):
        running.reproduce(tiny(), given, workers=workers)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("epochs", [0.5, float("nan"), float("inf")])
def test_a_length_that_is_none_is_refused(epochs: float):
    with pytest.raises(ConfigError, match=r"^epochs is .*; give a number of at least 1\.$"):
        running.reproduce(tiny(uses=("epochs",)), {"epochs": epochs})


@pytest.mark.usefixtures("in_this_process")
def test_a_unit_that_fails_is_named_and_the_others_are_kept(tmp_path: Path):
    units = {"good": {"seed": 3}, "bad": {"seed": -1}}
    with pytest.raises(ConfigError, match=r"^bad: no square; give another\.$"):
        running.reproduce(tiny(units=lambda _: units), {})
    (kept,) = tmp_path.glob("runs/tiny/*.json")
    assert json.loads(kept.read_text())["values"]["square"] == 9
    assert not (tmp_path / records.OWN).exists()


@pytest.mark.usefixtures("in_this_process")
def test_what_is_kept_is_used_for_the_same_arguments_alone():
    asked: list[int] = []

    def units(seeds: Any) -> dict[str, dict[str, Any]]:
        return {f"unit {seed}": {"seed": seed + len(asked)} for seed in seeds}

    for expected in ([0, 1], [1, 4]):
        record = running.reproduce(tiny(units=units), {})
        assert [one["square"] for one in record["results"]] == expected
        asked.append(0)


@pytest.mark.usefixtures("in_this_process")
def test_a_damaged_unit_is_named_with_what_to_do(tmp_path: Path):
    running.reproduce(tiny(), {})
    next(tmp_path.glob("runs/tiny/seed-0-*.json")).write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"seed-0-\w+\.json is no JSON; delete it, and the unit is measured again"):
        running.reproduce(tiny(), {})


def test_units_that_would_share_a_file_are_refused():
    units = {"a b": {"seed": 0}, "a-b": {"seed": 1}}
    with pytest.raises(ConfigError, match="two units whose files are called a-b"):
        running.reproduce(tiny(units=lambda _: units), {})


def test_arguments_without_a_lasting_description_are_refused():
    with pytest.raises(ConfigError, match="seed 0: its arguments have no lasting description"):
        running.reproduce(tiny(units=lambda _: {"seed 0": {"seed": object()}}), {})


def test_an_unknown_study_is_named_with_those_there_are():
    with pytest.raises(ConfigError, match=r"^study is 'heat'; give one of mode-counts, .*gan2014-mnist"):
        study.get("heat")

"""Studies as they are declared and run: what each says of itself, options nobody gave, units, processes, records."""

import inspect
import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_study
import torch
from recorded import record_of

from ganlab import training
from ganlab.experiments import progress, records, running, study
from ganlab.experiments.units import Unit, units_of
from ganlab.training import tuning

ROOT = Path(__file__).parents[1]
STUDIES = pytest.mark.parametrize("one", study.found().values(), ids=lambda one: one.name)


def told(unit: Unit, **options: Any) -> dict[str, Any]:
    """A measurement of nothing: the options that it was given."""
    unit.progress(0.5)
    return {name: str(value) if name == "root" else value for name, value in options.items()}


OF_OPTIONS = replace(tiny_study.STUDY, measure=told, uses=("epochs", "precision", "device", "root"))


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """An empty folder to work in, and jobs done one by one in this process; what was asked of the processes."""
    asked: list[dict[str, Any]] = []

    def one_by_one(job: Callable[[Any], Any], items: Iterable[Any], *, begin: Callable[[], None], **how: Any) -> Any:
        asked.append(how)
        begin()
        return map(job, items)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(running, "side_by_side", one_by_one)
    monkeypatch.setattr(progress, "_board", None)  # put back after the test, whatever it attached
    return asked


@STUDIES
def test_a_preset_that_names_its_length_runs_it(one: study.Study):
    """Its options are the study's, or its own, which no command line gives and `measure` names."""
    named = set(inspect.signature(one.measure).parameters) - set(study.OPTIONS)
    for preset in one.presets.values():
        assert any(unit in preset.cost for unit in ("second", "minute", "hour"))
        assert set(preset.options) <= named | set(one.uses)
        if "epochs" in one.uses:
            assert preset.cost.startswith(f"{preset.options['epochs']:g} epochs: ")
        if "steps" in preset.options:
            assert preset.cost.startswith(f"{preset.options['steps']:,} steps: ")


def test_no_two_studies_say_the_same_of_themselves():
    about = [one.about for one in study.found().values()]
    assert len(set(about)) == len(about)


@STUDIES
def test_a_record_has_a_result_for_each_unit(one: study.Study):
    record = record_of(one.name)
    units = one.units(range(one.seeds or 0))
    assert len(record["results"]) == len(units)
    for arguments in units.values():
        seeds = arguments.get("seeds", range(one.seeds or 0))
        assert [seed - seeds[0] for seed in seeds] == list(range(one.seeds or 0))


@STUDIES
def test_a_record_lists_the_seeds_that_its_results_name(one: study.Study):
    record = record_of(one.name)
    results = [result for result in record["results"] if isinstance(result, dict)]
    named = {seed for result in results for seed in result.get("seeds", [result.get("seed")])} - {None}
    if named and "seeds" in record:
        assert record["seeds"] == sorted(named)


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ({"a, 7": {"seed": 7}, "a, 8": {"seed": 8}, "b, 7": {"seed": 7}, "none": {"seed": None}}, [7, 8]),
        ({"a": {"seeds": (16, 17)}, "b": {"seeds": (16, 17)}}, [16, 17]),
        ({"a": {"name": "a"}}, None),
    ],
    ids=str,
)
def test_a_new_record_lists_the_seeds_that_its_units_are_given(
    calls: list[dict[str, Any]], units: dict[str, dict[str, Any]], expected: list[int] | None
):
    record = running.reproduce(replace(OF_OPTIONS, units=lambda _: units), {"seeds": 2})
    assert record.get("seeds") == expected
    assert calls


def test_what_nobody_says_is_single_precision_on_the_best_device(
    calls: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
):
    record = running.reproduce(OF_OPTIONS, {"seeds": 2})
    device = str(training.pick_device("auto"))
    decided = {"precision": "float32", "epochs": 1.0}
    assert record["options"] == decided
    assert record["environment"] == records.environment() | {"device": device}
    for seed, result in enumerate(record["results"]):
        assert result["seconds"] >= 0
        assert result == {"seed": seed, "root": "None", "seconds": result["seconds"], "device": device, **decided}
    assert record["seeds"] == [0, 1]
    assert json.loads((records.OWN / "tiny.json").read_text(encoding="utf-8")) == record
    training.TrainConfig(precision=record["options"]["precision"], device=device)
    assert "2.0 of 2 units" in capsys.readouterr().err.replace("\r", "\n").split("\n")[-2]
    assert len(calls) == 1


def test_a_study_goes_on_on_another_device_and_the_record_names_both(
    calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """What takes a GPU's hour may be finished without; nothing is measured twice, or passed off as the GPU's."""
    machine = records.environment() | {"gpu": "a card"}
    monkeypatch.setattr(records, "environment", lambda: machine)
    monkeypatch.setattr(running.training, "pick_device", lambda name: name)
    running.reproduce(OF_OPTIONS, {"seeds": 1, "device": "cuda"})
    record = running.reproduce(OF_OPTIONS, {"seeds": 2, "device": "cpu"}, out=tmp_path)
    assert [one["device"] for one in record["results"]] == ["cuda", "cpu"]
    assert record["environment"] == machine | {"device": "cuda"}
    assert record["also measured on"] == [machine | {"device": "cpu"}]
    assert "device" not in record["options"]
    assert len(calls) == 2


def test_which_images_lie_there_decides_as_options_do(calls: list[dict[str, Any]], tmp_path: Path):
    """Two sets that will do are two measurements; without such a choice the place of the images decides nothing."""
    for place in ("one", "other"):
        several = replace(OF_OPTIONS, images=lambda root: f"those in {root.name}")
        record = running.reproduce(several, {"seeds": 1, "root": tmp_path / place})
        assert record["options"]["images"] == f"those in {place}"
        assert record["results"][0]["root"] == str(tmp_path / place)
    for place in ("one", "other"):
        record = running.reproduce(OF_OPTIONS, {"seeds": 1, "root": tmp_path / place})
        assert "images" not in record["options"]
        assert record["results"][0]["root"] == str(tmp_path / "one")
    assert len(calls) == 3


def test_records_lie_where_the_readme_says(calls: list[dict[str, Any]]):
    running.reproduce(OF_OPTIONS, {"seeds": 1})
    assert Path("runs/records/tiny.json").is_file()
    assert "into runs/records\n" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert calls


@pytest.mark.parametrize(
    ("device", "cores", "workers", "expected"),
    [
        ("cpu", 8, None, {"workers": 3, "threads": 2}),  # no more than there are units
        ("cpu", 2, None, {"workers": 2, "threads": 1}),
        ("cpu", None, None, {"workers": 1, "threads": 1}),
        ("cpu", 2, 5, {"workers": 5, "threads": 1}),
        ("cuda", 8, None, {"workers": 1, "threads": 8}),  # a GPU is not shared
        ("cuda", 8, 2, {"workers": 2, "threads": 4}),
    ],
)
def test_processes_share_the_cores_and_never_a_gpu_unless_told(
    calls: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    cores: int | None,
    workers: int | None,
    expected: dict[str, int],
):
    """Those that they may use: on Linux a process may be kept to a few of many."""
    monkeypatch.setattr(tuning, "_quota", lambda: float("inf"))
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    monkeypatch.setattr(training, "pick_device", lambda _: torch.device(device))
    running.reproduce(OF_OPTIONS, {"seeds": 3}, workers=workers)
    assert calls == [expected]
    if cores:
        shutil.rmtree("runs")
        monkeypatch.setattr("os.cpu_count", lambda: 64)
        monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)), raising=False)
        running.reproduce(OF_OPTIONS, {"seeds": 3}, workers=workers)
        assert calls == [expected, expected]


def test_the_order_of_arguments_and_options_decides_nothing():
    one = units_of(OF_OPTIONS, {"a": {"x": 1, "y": 2}}, {"epochs": 1.0, "device": "cpu"})
    other = units_of(OF_OPTIONS, {"a": {"y": 2, "x": 1}}, {"device": "cpu", "epochs": 1.0})
    assert one == other != units_of(OF_OPTIONS, {"a": {"y": 1, "x": 2}}, {"device": "cpu", "epochs": 1.0})


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        ("processor\t: 0\nmodel name\t: Abacus 9\nmodel name\t: Abacus 9\n", "Abacus 9"),
        ("no names", None),
        (None, None),
    ],
)
def test_a_record_names_the_processor_where_the_system_does(
    monkeypatch: pytest.MonkeyPatch, cpuinfo: str | None, expected: str | None
):
    def read_text(*_: Any, **__: Any) -> str:
        if cpuinfo is None:
            raise FileNotFoundError
        return cpuinfo

    monkeypatch.setattr(Path, "read_text", read_text)
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "an abacus")
    assert records.environment()["processor"] == (expected or "an abacus")

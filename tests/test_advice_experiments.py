"""What the errors of studies, recipes and the command line say to do, done: refused first, and taken when followed."""

import json
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_study
import torch
from labelled import LABELS, labelled
from own import refusal
from test_data_tfd import write as write_tfd
from tiny import run

from ganlab import cli, data, ledger, models
from ganlab.experiments import progress, records, running, study, tables
from ganlab.experiments.recipes import get as recipe
from ganlab.experiments.side_by_side import side_by_side
from ganlab.experiments.units import units_of
from ganlab.objectives import NON_SATURATING
from ganlab.training import TrainConfig, Trainer, export_generator, tuning

ROOT = Path(__file__).parents[1]
TINY = tiny_study.STUDY


def units(names: Iterable[str] = ("a", "b"), seed: Any = 0) -> Any:
    return units_of(TINY, {name: {"seed": seed} for name in names}, {})


def train(*options: Any, **named: Any) -> int:
    return cli.train("digits", *options, **{"steps": 1, "batch": 4, "device": "cpu", "out": Path("run"), **named})


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and jobs done one by one in this process."""

    def one_by_one(job: Callable[[Any], Any], items: Iterable[Any], *, begin: Callable[[], None], **_: Any) -> Any:
        begin()
        return map(job, items)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(running, "side_by_side", one_by_one)
    for module, name in ((progress, "_board"), (tuning, "_tuned"), (warnings, "formatwarning")):
        monkeypatch.setattr(module, name, getattr(module, name))  # put back after the test, whatever it becomes
    Path("go").touch()
    return tmp_path


EXPERIMENTS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "tiny does not use it; it uses preset, seeds, epochs": (
        lambda: running.reproduce(TINY, {"device": "cpu"}),
        lambda: running.reproduce(TINY, {"preset": "laptop", "seeds": 1, "epochs": 2}),
    ),
    "preset is 'huge'; tiny has laptop, paper": (
        lambda: running.reproduce(TINY, {"preset": "huge"}),
        lambda: running.reproduce(TINY, {"preset": "paper"}),
    ),
    "give a number of at least 1": (
        lambda: running.reproduce(TINY, {"seeds": 0}),
        lambda: running.reproduce(TINY, {"seeds": 1}),
    ),
    "give plain values": (lambda: units(seed=object()), lambda: units(seed=0)),
    "give them other names": (lambda: units(["a b", "a, b"]), lambda: units(["a b", "a c"])),
    "study is 'rings'; give one of ": (lambda: study.get("rings"), lambda: list(map(study.get, study.found()))),
    "have other columns; table them apart": (
        lambda: tables.every_seed(["mode-counts", "gan2014-mnist"], ROOT / records.FOLDER),
        lambda: [tables.every_seed([name], ROOT / records.FOLDER) for name in ("mode-counts", "gan2014-mnist")],
    ),
    "give the folder of the notebooks": (
        lambda: ledger.read_ledger(ROOT / "tests"),
        lambda: ledger.read_ledger(ROOT / "notebooks"),
    ),
    "give an integer of at least 1": (
        lambda: list(side_by_side(abs, [], workers=0)),
        lambda: list(side_by_side(abs, [], workers=1)),
    ),
    "give one of digits, ": (lambda: recipe("cats"), lambda: recipe("digits")),
    "size is 8, which digits does not take; leave it out": (
        lambda: recipe("digits").with_images(size=8),
        lambda: recipe("digits").with_images(),
    ),
    "dcgan-folder takes folder:PATH": (
        lambda: recipe("dcgan-folder").with_images("pictures"),
        lambda: recipe("dcgan-folder").with_images("folder:pictures"),
    ),
    "steps is 100000001; give at most 100,000,000": (lambda: train(steps=10**8 + 1), lambda: train(steps=2)),
    "every is 0; give an integer of at least 1": (lambda: train(every=0), lambda: train(every=1)),
    "and digits begins anew; leave it out": (lambda: train(start=Path("g.safetensors")), lambda: train()),
}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("advice", "refused", "followed"), [(advice, *both) for advice, both in EXPERIMENTS.items()])
def test_what_an_error_says_to_do_works(advice: str, refused: Callable[[], Any], followed: Callable[[], Any]):
    assert advice in refusal(refused)
    followed()


@pytest.mark.usefixtures("here")
def test_what_is_kept_of_a_study_is_deleted_to_begin_anew(capsys: pytest.CaptureFixture[str]):
    begun = Path("begun.txt")
    running.reproduce(TINY, {"seeds": 1})
    running.reproduce(TINY, {"seeds": 1})
    assert begun.read_text().count("seed 0") == 1
    said = capsys.readouterr().out
    assert "delete it to begin anew" in said
    (unit,) = Path(said.split(" are kept in ")[1].split(";")[0]).glob("*.json")
    unit.write_text("cut")
    assert "delete it, and the unit is measured again" in refusal(lambda: running.reproduce(TINY, {"seeds": 1}))
    unit.unlink()
    running.reproduce(TINY, {"seeds": 1})
    assert begun.read_text().count("seed 0") == 2


def test_a_second_study_is_given_another_name(monkeypatch: pytest.MonkeyPatch):
    twin = replace(TINY, name="mode-counts")
    module = SimpleNamespace(name="ganlab.experiments.twin")
    listed, load = study.pkgutil.iter_modules, study.importlib.import_module
    monkeypatch.setattr(study.pkgutil, "iter_modules", lambda *given: [*listed(*given), module])
    monkeypatch.setattr(
        study.importlib,
        "import_module",
        lambda name, *rest: SimpleNamespace(STUDY=twin) if name == module.name else load(name, *rest),
    )
    assert "a second study called 'mode-counts'; give it another name" in refusal(study.found)
    twin = replace(TINY, name="twins")
    assert study.found()["twins"] is twin


def test_a_record_is_measured_with_the_command_that_is_said(here: Path, monkeypatch: pytest.MonkeyPatch):
    line = refusal(lambda: records.read("tiny", here / "my records"))
    advice = line.split("; measure it with: ")[1]
    monkeypatch.setattr(study, "found", lambda: {"tiny": replace(TINY, seeds=1)})
    monkeypatch.setattr("sys.argv", ["ganlab", *cli.shlex.split(advice)[3:]])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert json.loads((here / "my records/tiny.json").read_text(encoding="utf-8")) == records.read(
        "tiny", here / "my records"
    )


@pytest.fixture
def conditional(tmp_path: Path) -> Path:
    """An exported generator of digits with their classes."""
    G, D = models.ConditionalMLPGenerator(4, side=8), models.ConditionalMLPDiscriminator(side=8)
    images, config = data.load("digits", limit=64), TrainConfig(steps=1, batch=4, device="cpu")
    export_generator(run(Trainer(G, D, NON_SATURATING, images, config, labels=True)), tmp_path / "g")
    return tmp_path / "g"


def test_what_is_said_of_classes_works(conditional: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def sample(**options: Any) -> int:
        return cli.sample(conditional, out=tmp_path / "out.npz", **options)

    assert "give --labels all, or one class such as --label 0" in refusal(lambda: sample(labels="some"))
    assert sample(labels="all") == sample(label=0) == 0
    assert "give a multiple of 10" in refusal(lambda: sample(labels="all", n=15))
    assert sample(labels="all", n=20) == 0
    assert "labels hold 10; give numbers of 0 … 9" in refusal(lambda: sample(label=10, n=2))
    assert sample(label=9, n=2) == 0
    monkeypatch.setattr(cli, "MOST_BYTES", 4 * 70 * 8)
    line = refusal(lambda: sample(n=16))
    assert "a file takes at most 8 of these samples: for more, give other seeds, too" in line
    assert sample(n=8, seed=0) == sample(n=8, seed=1) == 0


def test_the_stage_before_is_trained_first(tmp_path: Path):
    """Both stages as the recipes have them, with fewer units."""
    first, second = (
        replace(one, G=one.G | {"hidden": 16}, D=one.D | {"units": 8})
        for one in (recipe("gan2014-faces-1"), recipe("gan2014-faces-2"))
    )
    write_tfd(tmp_path)
    place, options = tmp_path / "g", {"steps": 1, "batch": 2, "device": "cpu"}
    line = refusal(lambda: second.trainer(tmp_path, place, **options))
    assert line.endswith("which is not there; train gan2014-faces-1 first.")
    export_generator(run(first.trainer(tmp_path, **options)), place)
    assert run(second.trainer(tmp_path, place, **options)).step == 1


def test_a_set_of_ones_own_is_numbered_from_0():
    """Labels with a gap, numbered by the code that the message ends in."""
    x, labels = torch.randn(len(LABELS), 2), 3 * LABELS + 1
    line = refusal(lambda: labelled(x=x, labels=labels))
    assert "number the classes that are there 0, 1, … without gaps: " in line
    renumbered = eval(line.split("without gaps: ")[1].rstrip("."), {"torch": torch, "labels": labels})
    trainer = labelled(x=x, labels=renumbered)
    assert run(trainer).classes == len(labels.unique())

"""The README's lines do what they say: its Python is run (with fewer steps), its commands are run where cheap."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
import torch
from commands import ganlab
from PIL import Image

from ganlab import data, objectives, training
from ganlab.experiments import mode_counts, recipes, study

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [shlex.split(line, comments=True)[3:] for line in TEXT.splitlines() if line.startswith("python -m ganlab ")]


def quick(code: str) -> str:
    """The same code with twenty steps in the place of thousands."""
    code = re.sub(r"steps=\d[\d_]*", "steps=20", code)
    return code.replace("TrainConfig()", "TrainConfig(steps=20)")


def run_all(blocks: list[str]) -> dict[str, object]:
    """What the README's Python leaves, run from top to bottom."""
    names: dict[str, object] = {}
    for block in blocks:
        if not block.startswith(">>>"):
            exec(compile(quick(block), "README.md", "exec"), names)
    return names


@pytest.fixture(autouse=True)
def _a_readers_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No windows, and the pictures that the text speaks of: two classes of sizes of their own, one without a reader."""
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    for number in range(12):
        place = Path("holiday") / ("sea" if number % 2 else "hills") / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGBA", (20 + number, 16), (10 * number, 0, 0, 200)).save(place)


def test_the_python_runs_from_top_to_bottom():
    names = run_all(PYTHON)
    trainer, ensemble = names["trainer"], names["ensemble"]
    assert isinstance(trainer, training.Trainer)
    assert isinstance(ensemble, training.Ensemble)
    assert trainer.step == ensemble.step == 20
    pictures, own = names["pictures"], names["own"]
    assert isinstance(pictures, data.ImageSet)
    assert (pictures.images.shape, pictures.classes) == ((12, 3, 16, 16), ("hills", "sea"))
    assert isinstance(own, training.Trainer)
    assert ensemble.sample(2500).shape == (16, 2500, 2)


def test_the_shown_values_are_the_values():
    shown = [block for block in PYTHON if block.startswith(">>>")]
    assert shown
    for block in shown:
        example = doctest.DocTestParser().get_doctest(block, {"objectives": objectives}, "README", "README.md", 0)
        assert doctest.DocTestRunner(verbose=False).run(example).failed == 0


@pytest.mark.slow
def test_the_example_is_repeatable():
    """About 12 s: two processes that never seed torch, with the same seed of the run, have the same losses."""
    first = next(block for block in PYTHON if "trainer = " in block)
    code = f"{quick(first)}\nprint(trainer.history.tolist(), trainer.sample(2).sum().item())"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    command = [sys.executable, "-c", code]
    first, second = (subprocess.run(command, env=environment, capture_output=True, check=True) for _ in range(2))
    assert first.stdout == second.stdout != b""


def test_seeding_torch_decides_the_first_weights():
    from ganlab import models

    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return models.MLPGenerator(4, side=8).get_parameter("net.0.weight").detach()

    assert torch.equal(drawn(7), drawn(7))
    assert not torch.equal(drawn(7), drawn(8))


def test_the_commands_name_recipes_and_studies_that_there_are():
    assert {command[0] for command in COMMANDS} >= {"doctor", "train", "sample", "reproduce", "ledger"}
    for command in COMMANDS:
        if command[0] == "train":
            assert command[1] in recipes.RECIPES
        if command[0] == "reproduce":
            assert command[1] in {"--list", *study.found()}
    for name in re.findall(r"gan2014-[a-z0-9-]+|c?dcgan-[a-z0-9-]+", TEXT):
        assert name in {*recipes.RECIPES, *study.found()}


@pytest.mark.slow
def test_the_cheap_commands_run(tmp_path: Path):
    """About 15 s: doctor, four steps of three recipes, samples of one, the ledger and the table."""
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks", target_is_directory=True)
    cheap = {"doctor": [], "train": ["--steps", "4"], "sample": [], "ledger": []}
    needing_data = {"gan2014-cifar10", "dcgan-mnist"}
    commands = [command for command in COMMANDS if command[0] in cheap and not needing_data & {*command}]
    commands = [[*command, "--batch", "8"] if "folder:holiday" in command else command for command in commands]
    assert {command[0] for command in commands} == cheap.keys()
    assert {command[1] for command in commands if command[0] == "train"} == {"digits", "cgan-digits", "dcgan-folder"}
    commands += [command for command in COMMANDS if command[1:] == ["--list"]]
    for command in [*commands, ["table", "--folder", str(ROOT / "figures/records")]]:
        done = ganlab(*command, *cheap.get(command[0], []), cwd=tmp_path, data=tmp_path)
        assert done.returncode == 0, done.stderr


def test_the_numbers_in_the_text_are_those_of_the_course():
    assert len(mode_counts.MODE_COUNTS) == 17
    assert sum(len(data.load("digits", split=split)) for split in ("train", "test")) == 1797

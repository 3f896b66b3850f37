"""What the command line writes: whole or not at all, and never over files that are not its own."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import ganlab

from ganlab import cli, models, objectives, training
from ganlab.data import ring
from ganlab.errors import CheckpointError
from ganlab.experiments import recipes

TRAIN = ("train", "digits", "--device", "cpu", "--out", "mine", "--steps")


def digits(steps: int) -> training.Trainer:
    trainer = recipes.get("digits").trainer(steps=steps, device="cpu")
    for _ in trainer.run():
        pass
    return trainer


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    G, D = models.ToyGenerator(z_dim=4, width=8), models.ToyDiscriminator(width=8)
    config = training.TrainConfig(steps=1, device="cpu")
    trainer = training.Trainer(G, D, objectives.least_squares(), ring(), config)
    path = tmp_path_factory.mktemp("exported") / "g.safetensors"
    training.export_generator(trainer, path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["history.csv", "samples.png", "samples.png.tmp"])
def test_files_of_ones_own_are_left_alone_and_the_advice_works(tmp_path: Path, name: str):
    """About 4 s."""
    own = tmp_path / "mine" / name
    own.parent.mkdir()
    own.write_text("date,price\n2026-01-01,3\n")
    refused = ganlab(*TRAIN, "1", cwd=tmp_path)
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert f"{name} is there and no file of this kind by ganlab; give another name or move it away" in line
    assert own.read_text() == "date,price\n2026-01-01,3\n"
    assert [path.name for path in own.parent.iterdir()] == [name]
    own.rename(tmp_path / "away")
    assert ganlab(*TRAIN, "1", cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_a_runs_own_files_are_written_again(tmp_path: Path):
    """About 4 s."""
    assert ganlab(*TRAIN, "1", cwd=tmp_path).returncode == 0
    assert ganlab(*TRAIN, "2", cwd=tmp_path).returncode == 0
    assert len((tmp_path / "mine/history.csv").read_text().splitlines()) == 3
    (tmp_path / "mine/run.ckpt").unlink()  # to begin anew
    assert ganlab(*TRAIN, "1", cwd=tmp_path).returncode == 0
    (tmp_path / "mine/history.csv").unlink()  # as a kill leaves it that comes before the first one is written
    assert ganlab(*TRAIN, "2", cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_what_cannot_be_trained_leaves_no_folder(tmp_path: Path):
    """2 s."""
    assert ganlab("train", "digits", "--device", "abacus", "--out", "nothing", cwd=tmp_path).returncode == 2
    assert [*tmp_path.iterdir()] == []


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux alone tells which file is synced")
def test_a_history_that_cannot_be_written_is_named_and_the_one_before_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cli._save(digits(1), tmp_path)
    before = (tmp_path / "history.csv").read_bytes()
    sync = os.fsync

    def full(file: int) -> None:
        if Path(f"/proc/self/fd/{file}").readlink().name == "history.csv.tmp":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(file)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"history\.csv cannot be written \(No space left on device\)"):
        cli._save(digits(2), tmp_path)
    assert (tmp_path / "history.csv").read_bytes() == before
    monkeypatch.undo()
    cli._save(digits(2), tmp_path)
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ulimit")
@pytest.mark.parametrize("name", ["s.npz", "s.png"])
def test_a_full_disk_keeps_the_samples_of_before_and_names_the_file(tmp_path: Path, generator: Path, name: str):
    """About 4 s: no file may be longer than 8 blocks."""
    if name == "s.png":
        generator = tmp_path / "g.safetensors"
        training.export_generator(digits(1), generator)
    assert ganlab("sample", generator, "--n", "9", "--out", name, cwd=tmp_path).returncode == 0
    before = (tmp_path / name).read_bytes()
    command = f"ulimit -f 8; exec {sys.executable} -m ganlab sample {generator} --n 5000 --out {name}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert f"{name} cannot be" in line
    assert "File too large" in line
    assert (tmp_path / name).read_bytes() == before
    assert not (tmp_path / f"{name}.tmp").exists()


def test_an_array_of_ones_own_is_left_alone(tmp_path: Path, generator: Path):
    place = tmp_path / "s.npz"
    np.savez(place, prices=np.arange(3))
    before = place.read_bytes()
    with pytest.raises(CheckpointError, match=r"s\.npz is there and no file of this kind by ganlab"):
        cli.sample(generator, n=3, out=place)
    assert place.read_bytes() == before
    place.unlink()
    assert cli.sample(generator, n=3, out=place) == 0
    assert cli.sample(generator, n=4, out=place) == 0  # one of its own
    assert len(np.load(place)["samples"]) == 4

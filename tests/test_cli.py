"""The command line as a user meets it: in a process of its own."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import ganlab, interrupted
from PIL import Image
from tiny import assert_equal, run, tiny_trainer

from ganlab import cli, models, objectives, training
from ganlab.data import ring
from ganlab.errors import CheckpointError, ConfigError
from ganlab.experiments import recipes, records
from ganlab.training import checkpoint
from ganlab.training.sampling import z_dim_of

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_train_stop_resume_and_sample(tmp_path: Path):
    """About 8 s: a run that is stopped by Ctrl-C and continued equals one that was not."""
    train = ["train", "digits", "--steps", "150", "--every", "50"]
    stopped = interrupted(*train, cwd=tmp_path, once=tmp_path / "runs/digits/run.ckpt")
    assert stopped.returncode == 130, stopped.stderr
    step = re.search(
        r"stopped at step (\d+), saved in runs.digits; the same command goes on from there", stopped.stdout
    )
    assert step is not None
    assert 50 <= int(step[1]) < 150
    assert "Traceback" not in stopped.stderr

    resumed = ganlab(*train, cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert f"going on from step {step[1]}" in resumed.stdout
    assert "150/150" in resumed.stderr
    whole = ganlab(*train, "--out", "whole", cwd=tmp_path)
    assert whole.returncode == 0
    first, second = (checkpoint.read(tmp_path / place / "run.ckpt") for place in ("runs/digits", "whole"))
    assert_equal(first, second)
    for name in ("samples.png", "history.csv", "generator.safetensors"):
        assert (tmp_path / "runs/digits" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name

    generator = tmp_path / "whole/generator.safetensors"
    assert ganlab("sample", generator, "--n", "9", "--out", "a/grid.png", cwd=tmp_path).returncode == 0
    with Image.open(tmp_path / "a/grid.png") as grid:
        assert grid.size == (8 * 42 + 2, 2 * 42 + 2)
    assert ganlab("sample", generator, "--n", "300", "--seed", "3", "--out", "s.npz", cwd=tmp_path).returncode == 0
    samples = np.load(tmp_path / "s.npz")["samples"]
    G, info = training.load_generator(generator)
    expected = training.sample(G, 300, noise=info.noise, seed=3)
    torch.testing.assert_close(torch.from_numpy(samples), expected, atol=1e-5, rtol=0)

    history = np.loadtxt(tmp_path / "whole/history.csv", delimiter=",", skiprows=1)
    assert history.shape == (150, 5)
    changed = ganlab(*train, "--seed", "1", cwd=tmp_path)
    assert changed.returncode == 2
    assert "seed: 0 then, 1 now" in changed.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["train", "digitz"],
            "recipe is 'digitz'; give one of digits, cgan-digits, dcgan-mnist, ",
        ),
        (["train", "mnist-dcgan", "--root", "nowhere"], "train-images-idx3-ubyte cannot be read"),
        (["train", "dcgan-celeba", "--root", "."], "list_eval_partition.txt cannot be read"),
        (["train", "dcgan-lsun", "--root", "."], "data.mdb is not there; get LSUN's bedroom in LMDB form."),
        (["train", "dcgan-lsun", "--data", "lsun/kitchen", "--root", "."], "get LSUN's kitchen in LMDB form."),
        (["train", "dcgan-folder"], "dcgan-folder has no images of its own; give data as folder:PATH."),
        (["train", "dcgan-folder", "--data", "folder:none"], "none cannot be read (No such file or directory); give"),
        (["train", "digits", "--data", "folder:x"], "data is folder:x, which digits does not take; leave it out."),
        (["train", "dcgan-cifar10", "--size", "64"], "size is 64, which dcgan-cifar10 does not take; leave it out."),
        (["train", "digits", "--batch", "0"], "batch is 0; give an integer of at least 1"),
        (["train", "digits", "--steps", "0"], "steps is 0"),
        (["train", "digits", "--every", "0"], "every is 0"),
        (["train", "digits", "--start", "x"], "start is x and digits begins anew; leave it out"),
        (["train", "digits", "--seed", f"{2**64}"], "seed is 18446744073709551616; give an integer from −2⁶³ to 2⁶⁴"),
        (["train", "digits", "--device", "abacus"], "device is 'abacus'"),
        (["train", "digits", "--precision", "half"], "precision is 'half'"),
        (["train", "digits", "--steps", "1", "--out", "file"], "cannot be"),
        (["train", "gan2014-faces-2"], "generator.safetensors, which is not there; train gan2014-faces-1 first"),
        (["train", "gan2014-faces-1", "--root", "."], "TFD_48x48.mat is not there; ask its authors"),
        (["train", "gan2014-cifar10", "--root", "."], "cifar-10-batches-py"),
        (["sample", "none.safetensors"], "none.safetensors"),
        (["sample", "file"], "file cannot be read"),
        (["sample", "file", "--out", "x.gif"], "out is x.gif"),
        (["sample", "file", "--n", "0"], "n is 0"),
        (["sample", "file", "--n", "10001"], "n is 10001; a picture shows at most 10,000: give fewer, or an .npz"),
        (["train", "digits", "--steps", "100000000000"], "steps is 100000000000; give at most 100,000,000"),
        (["ledger", "--notebooks", "."], "holds no lessons"),
        (["reproduce", "all"], "study is 'all'; give one of mode-counts, mode-counts-first-weights, "),
        (["reproduce", "mode-counts", "--seeds", "0"], "seeds is 0; give a number of at least 1"),
        (["reproduce", "gan2014-mnist", "--preset", "huge"], "preset is 'huge'; gan2014-mnist has laptop, paper"),
        (["table", "--folder", "."], "measure it with: python -m ganlab reproduce mode-counts --out ."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_error_is_one_line_and_status_2(tmp_path: Path, arguments: list[str], said: str):
    """About 2 s each: the process starts anew."""
    (tmp_path / "file").write_text("no such thing")
    result = ganlab(*arguments, cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line
    assert "Traceback" not in result.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no head")
def test_a_reader_that_has_enough_is_no_error():
    """4 s."""
    command = f"{sys.executable} -m ganlab ledger --notebooks {ROOT / 'notebooks'} | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.mark.slow
def test_help_doctor_and_ledger(tmp_path: Path):
    """About 8 s."""
    for command in ([], ["train"], ["sample"], ["doctor"], ["ledger"]):
        shown = ganlab(*command, "--help", cwd=tmp_path)
        assert shown.returncode == 0
        assert "usage: python -m ganlab" in shown.stdout
    shown = ganlab("reproduce", "--help", cwd=tmp_path)
    told = " ".join(shown.stdout.replace("│", " ").split())
    assert f"the course's own lie in {records.FOLDER}. (default: {records.OWN})" in told
    healthy = ganlab("doctor", cwd=tmp_path)
    assert healthy.returncode == 0, healthy.stdout
    assert healthy.stdout.splitlines()[-1] == "ready"
    listed = ganlab("ledger", "--notebooks", ROOT / "notebooks", cwd=tmp_path)
    assert "a D that always answers ½ pays 2 log 2 [A1]" in listed.stdout


@pytest.mark.parametrize("recipe", recipes.RECIPES.values(), ids=recipes.RECIPES.keys())
def test_a_recipe_fits_together(recipe: recipes.Recipe):
    G, D = models.build(recipe.G), models.build(recipe.D)
    y = (torch.tensor([0, 1]),) if recipe.labels else ()
    assert D(G(torch.randn(2, z_dim_of(G)), *y), *y).shape == (2,)
    recipe.objective.losses()


def test_the_seed_of_a_recipe_decides_the_first_weights():
    def first_weights(seed: int) -> torch.Tensor:
        return next(recipes.get("digits").trainer(seed=seed, device="cpu").G.parameters()).detach()

    assert torch.equal(first_weights(0), first_weights(0))
    assert not torch.equal(first_weights(0), first_weights(1))


# Exported generators ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[training.Trainer, Path]:
    G, D = models.ToyGenerator(z_dim=4, width=8), models.ToyDiscriminator(width=8)
    config = training.TrainConfig(steps=5, ema=0.5, device="cpu", noise="uniform")
    trainer = run(training.Trainer(G, D, objectives.least_squares(), ring(), config))
    path = tmp_path_factory.mktemp("exported") / "g.safetensors"
    training.export_generator(trainer, path)
    return trainer, path


def test_an_exported_generator_samples_as_its_trainer(exported: tuple[training.Trainer, Path]):
    trainer, path = exported
    G, info = training.load_generator(path)
    assert torch.equal(training.sample(G, 7, noise=info.noise, seed=2), trainer.sample(7, seed=2))
    assert (info.step, info.objective, info.noise) == (5, "LSGAN (-1, 1, 0)", "uniform")


def test_more_samples_than_a_file_takes_are_refused_before_they_are_drawn(
    exported: tuple[training.Trainer, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A point of two numbers, from four: 24 bytes each."""
    place = tmp_path / "s.npz"
    most = 4 * 2**30 // 24
    for n in (most + 1, 10**11):
        with pytest.raises(ConfigError, match=f"n is {n}; a file takes at most {most:,} of these samples"):
            cli.sample(exported[1], n=n, out=place)
    assert not place.exists()
    monkeypatch.setattr(cli, "MOST_BYTES", 24 * 300)
    assert cli.sample(exported[1], n=300, out=place) == 0
    with pytest.raises(ConfigError, match="n is 301; a file takes at most 300 of these samples"):
        cli.sample(exported[1], n=301, out=place)


def test_a_damaged_export_is_noticed(exported: tuple[training.Trainer, Path], tmp_path: Path):
    content = exported[1].read_bytes()
    for at in (3, 20, len(content) // 2, len(content) - 1):
        damaged = bytearray(content)
        damaged[at] ^= 4
        for wrong in (bytes(damaged), content[:at]):
            (tmp_path / "g").write_bytes(wrong)
            with pytest.raises(CheckpointError, match=r"g (cannot be read|is damaged|was exported by another)"):
                training.load_generator(tmp_path / "g")


def test_what_ganlab_did_not_make_is_refused(tmp_path: Path):
    import safetensors.torch

    safetensors.torch.save_file({"w": torch.zeros(2)}, tmp_path / "other")
    with pytest.raises(CheckpointError, match="holds no ganlab generator"):
        training.load_generator(tmp_path / "other")
    with pytest.raises(CheckpointError, match="TinyG has no spec"):
        training.export_generator(tiny_trainer(), tmp_path / "tiny")
    with pytest.raises(ConfigError, match="'nope'"):
        recipes.get("nope")

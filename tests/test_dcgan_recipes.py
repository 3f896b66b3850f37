"""DCGAN's recipes: settings against the paper's, what a user chooses, and a folder from end to end."""

import hashlib
import io
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pytest
import torch
from commands import ganlab, interrupted
from own import refusal
from PIL import Image
from tiny import assert_equal, run
from torch import nn

from ganlab import cli, models, training
from ganlab.data import readers
from ganlab.experiments import dcgans, recipes
from ganlab.objectives import NON_SATURATING
from ganlab.training import Adam, TrainConfig, checkpoint

PAPER = TrainConfig(batch=128, optimizer_d=Adam(0.0002, 0.5), optimizer_g=Adam(0.0002, 0.5), noise="uniform")
"""Section 4 of the paper: minibatches of 128, Adam with a rate of 0.0002 and β₁ = 0.5, z uniform; nothing else."""


def small(name: str) -> recipes.Recipe:
    """The recipe with two maps next to the image."""
    recipe = recipes.get(name)
    return replace(recipe, G=recipe.G | {"width": 2}, D=recipe.D | {"width": 2})


# Settings ------------------------------------------------------------------------------------------------------------


def test_all_train_on_the_papers_objective_from_100_numbers():
    assert [recipe.name for recipe in dcgans.DCGANS] == [
        *("dcgan-mnist", "dcgan-mnist-authors", "cdcgan-mnist"),
        *("dcgan-cifar10", "dcgan-celeba", "dcgan-lsun", "dcgan-folder"),
    ]
    for recipe in dcgans.DCGANS:
        assert (recipe.objective, recipe.G["z_dim"], recipe.config.noise) == (NON_SATURATING, 100, "uniform")


@pytest.mark.parametrize(
    ("name", "data", "epochs"), [("dcgan-lsun", "lsun/bedroom", 5), ("dcgan-celeba", "celeba", 25)]
)
def test_bedrooms_and_faces_are_learned_as_in_the_paper(name: str, data: str, epochs: int):
    """Figure 1: from 4×4 places of 1024 maps by 5×5 kernels to 64×64 in colour; bedrooms for five epochs (Figure 3)."""
    recipe = recipes.get(name)
    assert (recipe.config, recipe.data, recipe.size, recipe.epochs) == (PAPER, data, 64, epochs)
    G, D = recipe.networks(0)
    kernels = [p.shape for p in G.parameters() if p.ndim == 4]
    assert kernels == [(1024, 512, 5, 5), (512, 256, 5, 5), (256, 128, 5, 5), (128, 3, 5, 5)]
    assert [p.shape for p in D.parameters() if p.ndim == 4] == [*reversed(kernels)]
    assert next(layer.out_features for layer in G.modules() if isinstance(layer, nn.Linear)) == 1024 * 4 * 4


def test_an_epoch_of_all_bedrooms_and_of_all_faces():
    for name, images, steps in (("dcgan-lsun", 3_033_042, 118_475), ("dcgan-celeba", 162_770, 31_775)):
        assert recipes.get(name)._with_epochs(range(images)).steps == steps


def test_cifar10_and_ones_own_pictures_differ_from_the_paper_in_what_is_ours():
    for name, options, size in (("dcgan-cifar10", {}, 32), ("dcgan-folder", {"steps": 20_000}, 64)):
        recipe = recipes.get(name)
        assert recipe.config == replace(PAPER, ema=0.999, **options)
        G, D = recipe.networks(0)
        assert G.sample_shape == D.sample_shape == (3, size, size)
        kernels = [p.shape for p in G.parameters() if p.ndim == 4]
        assert (kernels[0][:2], kernels[-1]) == ((100, size * 8), (64, 3, 4, 4))
    assert recipes.get("dcgan-cifar10").epochs == 25


def test_the_conditional_recipe_is_half_as_wide_and_five_times_as_fast():
    recipe = recipes.get("cdcgan-mnist")
    fast = Adam(5 * PAPER.optimizer_d.lr, 0.5)
    assert recipe.config == replace(PAPER, steps=6000, optimizer_d=fast, optimizer_g=fast, ema=0.999)
    assert (recipe.data, recipe.labels) == ("mnist", True)
    plain = recipes.get("dcgan-mnist")
    for network in ("G", "D"):
        named, conditional = getattr(plain, network), getattr(recipe, network)
        assert conditional == named | {"name": f"Conditional{named['name']}", "width": 32}


def test_the_conditional_recipe_trains_on_labelled_digits(monkeypatch: pytest.MonkeyPatch):
    from ganlab import data

    digits = data.load("digits", size=28, limit=300)
    monkeypatch.setattr(data, "load", lambda *_, **__: digits)
    trainer = run(small("cdcgan-mnist").trainer(steps=2, batch=16, device="cpu"))
    assert trainer.classes == 10
    assert trainer.sample(20, labels=7).shape == (20, 1, 28, 28)


# Names of before -----------------------------------------------------------------------------------------------------


def test_the_names_of_before_are_the_same_recipes():
    for old in ("mnist-dcgan", "mnist-dcgan-authors"):
        assert recipes.get(old) is recipes.RECIPES[recipes.RENAMED[old]]
    before = {"size": 28, "channels": 1, "width": 64}
    for name, variant in (("mnist-dcgan", {}), ("mnist-dcgan-authors", {"variant": "authors"})):
        assert recipes.get(name).G.items() == {"name": "DCGANGenerator", "z_dim": 100, **before, **variant}.items()
        assert recipes.get(name).D.items() == {"name": "DCGANDiscriminator", **before, **variant}.items()


def test_a_run_under_a_name_of_before_goes_on_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "tune", lambda: None)
    monkeypatch.setitem(recipes.RENAMED, "figures", "digits")
    assert cli.train("digits", steps=3, out=Path("runs/figures"), device="cpu") == 0
    capsys.readouterr()
    assert cli.train("figures", steps=5, device="cpu") == 0
    first, second, _ = capsys.readouterr().out.splitlines()
    folder = Path("runs/figures")
    assert first == f"figures is called digits now; this is the same run, in {folder}"
    assert second == f"going on from step 3 of {folder / 'run.ckpt'}"


# What a user chooses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "given", "said"),
    [
        ("digits", {"name": "folder:x"}, "data is folder:x, which digits does not take; leave it out."),
        ("dcgan-celeba", {"name": "folder:x"}, "data is folder:x, which dcgan-celeba does not take; leave it out."),
        ("dcgan-mnist", {"size": 64}, "size is 64, which dcgan-mnist does not take; leave it out."),
        ("ring", {"limit": 9}, "limit is 9, which ring does not take; leave it out."),
        (
            "dcgan-folder",
            {"name": "holiday"},
            "data is 'holiday'; dcgan-folder takes folder:PATH, such as folder:holiday.",
        ),
        ("dcgan-folder", {"name": Path("a")}, "data is 'a'; dcgan-folder takes folder:PATH, such as folder:a."),
        ("dcgan-folder", {"name": "folder:"}, "data is 'folder:'; dcgan-folder takes folder:PATH."),
        ("dcgan-folder", {"name": ""}, "data is ''; dcgan-folder takes folder:PATH."),
        ("dcgan-lsun", {"name": "tower"}, "data is 'tower'; dcgan-lsun takes lsun/CATEGORY, such as lsun/tower."),
        ("dcgan-celeba", {"size": 50}, "size is 50; give a multiple of 4 from 8 to 128, such as 28, 32, 64."),
        ("dcgan-lsun", {"size": 0}, "size is 0; give a multiple of 4"),
    ],
    ids=str,
)
def test_what_a_recipe_does_not_take_is_refused_before_images_are_read(recipe: str, given: dict[str, Any], said: str):
    assert refusal(lambda: recipes.get(recipe).with_images(**given)).startswith(said)


def test_without_choices_a_recipe_is_as_it_was():
    for recipe in recipes.RECIPES.values():
        assert recipe.with_images() == recipe
    assert "dcgan-folder has no images of its own; give data as folder:PATH." in refusal(
        recipes.get("dcgan-folder").trainer
    )


def jpeg(shade: int, mode: str = "RGB", size: tuple[int, int] = (178, 218)) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, (shade, 0, 0) if mode == "RGB" else shade).save(buffer, "JPEG")
    return buffer.getvalue()


def test_faces_of_another_size_and_fewer_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Of five faces two are for testing, and the last of the others is no picture: so far it does not come."""
    folder = tmp_path / readers.CELEBA_IMAGES
    folder.mkdir(parents=True)
    partition = "".join(f"{i}.jpg {part}\n" for i, part in enumerate((0, 2, 0, 2, 0)))
    (tmp_path / readers.CELEBA_PARTITION).write_text(partition)
    monkeypatch.setattr(readers, "CELEBA_PARTITION_MD5", hashlib.md5(partition.encode()).hexdigest())
    for i in range(4):
        (folder / f"{i}.jpg").write_bytes(jpeg(50 * i))
    recipe = small("dcgan-celeba").with_images(size=16, limit=2)
    trainer = recipe.trainer(tmp_path, batch=2, device="cpu")
    assert (trainer.config.steps, trainer.G.sample_shape) == (25, (3, 16, 16))
    reds = trainer.real_batch(0)[:, 0].mean(dim=(1, 2)).sort().values
    torch.testing.assert_close(reds, torch.tensor([0, 100]) / 127.5 - 1, atol=0.02, rtol=0)
    assert "batch is 128 but there are 2 examples" in refusal(lambda: recipe.trainer(tmp_path, device="cpu"))
    assert "4.jpg is missing or damaged" in refusal(lambda: small("dcgan-celeba").trainer(tmp_path, batch=2))


def test_another_category_of_lsun(tmp_path: Path):
    with (
        lmdb.open(str(tmp_path / "tower_train_lmdb"), map_size=2**20) as database,
        database.begin(write=True) as writer,
    ):
        for i in range(5):
            writer.put(f"{i}".encode(), jpeg(50 * i, size=(90, 70)))
    recipe = small("dcgan-lsun").with_images("lsun/tower", limit=4)
    trainer = run(recipe.trainer(tmp_path, batch=2, device="cpu"))
    assert trainer.step == 5 * 2
    assert trainer.sample(3).shape == (3, 3, 64, 64)
    assert "bedroom_train_lmdb" in refusal(lambda: recipes.get("dcgan-lsun").trainer(tmp_path))


@pytest.mark.parametrize(("modes", "channels"), [(("L", "1"), 1), (("L", "RGB"), 3)])
def test_the_networks_have_the_channels_of_the_pictures(tmp_path: Path, modes: tuple[str, ...], channels: int):
    for number in range(8):
        Image.new(modes[number % 2], (20 + number, 30)).save(tmp_path / f"{number}.png")
    trainer = run(
        small("dcgan-folder").with_images(f"folder:{tmp_path}", size=20).trainer(batch=4, steps=2, device="cpu")
    )
    assert trainer.sample(3).shape == (3, channels, 20, 20)
    training.export_generator(trainer, tmp_path / "g.safetensors")
    again, _ = training.load_generator(tmp_path / "g.safetensors")
    assert isinstance(again, models.DCGANGenerator)
    assert again.sample_shape == (channels, 20, 20)


# A folder, from end to end -------------------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """24 pictures, PNG and JPEG in turn, of sizes and modes of their own in two folders; and one without a reader."""
    rng = np.random.default_rng(0)
    modes = {"png": ("RGB", "RGBA", "L", "LA", "P", "1"), "jpg": ("RGB", "L", "CMYK")}
    for number in range(24):
        suffix = ("png", "jpg")[number % 2]
        mode = modes[suffix][number // 2 % len(modes[suffix])]
        height, width = rng.integers(20, 140, 2)
        place = tmp_path / "holiday" / ("sea", "hills")[number // 12] / f"{number}.{suffix}"
        place.parent.mkdir(parents=True, exist_ok=True)
        colours = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(colours).convert(mode).save(place)
    (tmp_path / "holiday/sea/24.heic").write_bytes(b"of a phone")
    return tmp_path / "holiday"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_a_folder_is_trained_on_stopped_gone_on_with_and_sampled_from(tmp_path: Path, pictures: Path):
    """About 8 s: the full networks at 64×64, 6 steps with four pictures each, twice."""
    command = ["train", "dcgan-folder", "--data", f"folder:{pictures.name}", "--size", "64", "--device", "cpu"]
    command += ["--batch", "4", "--steps", "6", "--every", "2"]
    folder = tmp_path / "runs/dcgan-folder"
    cut = interrupted(*command, cwd=tmp_path, once=folder / "run.ckpt")
    assert cut.returncode == 130, cut.stderr
    stopped = re.search(r"stopped at step (\d+), saved in runs.dcgan-folder; the same command goes on", cut.stdout)
    assert stopped is not None
    assert 2 <= int(stopped[1]) < 6

    resumed, whole = (ganlab(*command, *more, cwd=tmp_path) for more in ([], ["--out", "whole"]))
    assert (resumed.returncode, whole.returncode) == (0, 0), resumed.stderr
    assert f"going on from step {stopped[1]}" in resumed.stdout
    for said in (cut.stderr, resumed.stderr, whole.stderr):
        assert said.count("warning: folder:holiday; 1 of 25 pictures passed over (1 .heic: convert them to PNG or") == 1
        assert "UserWarning" not in said
    assert_equal(checkpoint.read(folder / "run.ckpt"), checkpoint.read(tmp_path / "whole/run.ckpt"))
    for name in ("samples.png", "history.csv", "generator.safetensors"):
        assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name

    generator = folder / "generator.safetensors"
    assert ganlab("sample", generator, "--n", "9", "--out", "grid.png", cwd=tmp_path).returncode == 0
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.mode == "RGB"
        assert grid.size == (8 * 66 + 2, 2 * 66 + 2)
    assert ganlab("sample", generator, "--n", "5", "--out", "s.npz", cwd=tmp_path).returncode == 0
    assert np.load(tmp_path / "s.npz")["samples"].shape == (5, 3, 64, 64)

    Image.new("RGB", (40, 40)).save(pictures / "sea/25.png")
    changed = ganlab(*command, cwd=tmp_path)
    assert changed.returncode == 2
    assert "data: " in changed.stderr

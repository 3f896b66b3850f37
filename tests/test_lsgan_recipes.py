"""LSGAN's recipes: settings against the authors' code, what a user chooses, and a folder from end to end."""

from dataclasses import replace
from pathlib import Path

import lmdb
import numpy as np
import pytest
import torch
from made_mnist import written
from made_pictures import file
from PIL import Image
from tiny import run
from torch import nn

from ganlab import cli, models, training
from ganlab.data import mnist, stacked_mnist
from ganlab.experiments import lsgans, recipes
from ganlab.objectives import NON_SATURATING, least_squares
from ganlab.training import Adam, RMSProp, TrainConfig
from ganlab.training.sampling import z_dim_of

CODE = TrainConfig(batch=64, optimizer_d=Adam(2e-4, 0.5), optimizer_g=Adam(2e-4, 0.5), noise="uniform")
"""The experiments on stability: minibatches of 64, z uniform, a rate of 0.0002 and β₁ = 0.5."""
NOBN = ("lsgan-nobn-adam", "lsgan-nobn-rmsprop")


def small(name: str, width: int = 2) -> recipes.Recipe:
    """The recipe with few maps next to the image, and few numbers in z."""
    recipe = recipes.get(name)
    return replace(recipe, G=recipe.G | {"width": width, "z_dim": 5}, D=recipe.D | {"width": width})


def norms(net: nn.Module) -> int:
    return sum(isinstance(layer, nn.BatchNorm2d) for layer in net.modules())


# Settings ------------------------------------------------------------------------------------------------------------


def test_they_are_these_and_all_draw_z_uniform_on_minibatches_of_64():
    assert [recipe.name for recipe in lsgans.LSGANS] == [
        *("lsgan-lsun", "lsgan-folder", "lsgan-mnist", "lsgan-nobn-adam", "lsgan-nobn-rmsprop", "stacked-mnist")
    ]
    for recipe in lsgans.LSGANS:
        assert (recipe.config.batch, recipe.config.noise, recipe.config.k) == (64, "uniform", 1)
        assert recipe.config.optimizer_d == recipe.config.optimizer_g
        assert recipe.config.penalty is None


def test_all_but_one_are_coded_0_1_1():
    for recipe in lsgans.LSGANS[:4]:
        assert recipe.objective == least_squares(0, 1, 1)
    assert recipes.get("lsgan-nobn-rmsprop").objective == least_squares(-1, 1, 0)
    assert recipes.get("stacked-mnist").objective == NON_SATURATING


def test_scenes_are_learned_as_in_the_authors_code():
    """`train_lsun.py`: a rate of 0.001, at most a million steps, D and then G with the same z; 112×112 pixels."""
    recipe = recipes.get("lsgan-lsun")
    fast = Adam(1e-3, 0.5)
    assert recipe.config == replace(CODE, steps=1_000_000, update="shared samples", optimizer_d=fast, optimizer_g=fast)
    assert (recipe.data, recipe.size, recipe.epochs, recipe.own) == ("lsun/bedroom", 112, None, "lsun/CATEGORY")
    with torch.device("meta"):
        G, D = recipe.networks(0)
        wanted = models.LSGANSceneGenerator(), models.LSGANDiscriminator(112)
    assert [net.spec for net in wanted] == [
        {"name": "LSGANSceneGenerator", "size": 112, "channels": 3, "width": 64, "z_dim": 1024},
        {"name": "LSGANDiscriminator", "size": 112, "channels": 3, "width": 64, "norm": True},
    ]
    assert [net.spec for net in (G, D)] == [net.spec for net in wanted]


def test_the_memory_that_all_bedrooms_need_is_said():
    assert -(-3_033_042 * 3 * 112**2 // 2**30) == 107
    assert "107 GiB" in recipes.get("lsgan-lsun").about


@pytest.mark.parametrize(("name", "of_D"), [*zip(NOBN, (True, False), strict=True)])
def test_batch_norm_is_left_out_in_G_or_in_both(name: str, of_D: bool):
    """With Adam it stays in D; with RMSProp in neither. On MNIST: 128 maps of 7×7, 64 of 14×14, the image."""
    recipe = recipes.get(name)
    rmsprop = {} if of_D else {"optimizer_d": RMSProp(2e-4), "optimizer_g": RMSProp(2e-4)}
    assert recipe.config == replace(CODE, steps=5000, **rmsprop)
    G, D = recipe.networks(0)
    assert (norms(G), norms(D)) == (0, int(of_D))
    assert (z_dim_of(G), G.sample_shape, D.sample_shape) == (1024, (1, 28, 28), (1, 28, 28))
    assert [p.shape for p in G.parameters() if p.ndim == 4] == [(128, 64, 5, 5), (64, 1, 5, 5)]


@pytest.mark.parametrize(("name", "of_D"), [*zip(NOBN, (3, 0), strict=True)])
def test_with_bedrooms_at_64_pixels_they_are_the_papers_experiments(name: str, of_D: int):
    recipe = recipes.get(name).with_images("lsun/bedroom", size=64)
    with torch.device("meta"):
        G, D = recipe.networks(0, torch.empty(2, 3, 64, 64))
        wanted = models.LSGANGenerator(norm=False), models.LSGANDiscriminator(norm=of_D > 0)
    assert [net.spec for net in (G, D)] == [net.spec for net in wanted]
    assert (norms(G), norms(D)) == (0, of_D)


def test_on_mnist_the_objective_alone_is_another_than_dcgans():
    ours, theirs = recipes.get("lsgan-mnist"), recipes.get("dcgan-mnist")
    assert ours == replace(theirs, name=ours.name, about=ours.about, objective=least_squares(0, 1, 1))


def test_of_ones_own_pictures_length_and_average_are_ours():
    recipe = recipes.get("lsgan-folder")
    assert recipe.config == replace(CODE, steps=20_000, ema=0.999)
    with torch.device("meta"):
        G, D = recipe.networks(0)
        wanted = models.LSGANGenerator(), models.LSGANDiscriminator()
    assert [net.spec for net in (G, D)] == [net.spec for net in wanted]
    assert "are ours" in recipe.about


def test_stacked_mnist_is_learned_by_a_D_half_as_wide_as_G():
    recipe = recipes.get("stacked-mnist")
    assert recipe.config == replace(CODE, steps=4000)
    assert recipe.data == "stacked-mnist"
    assert recipe.G == {"name": "DCGANGenerator", "z_dim": 100, "size": 28, "channels": 3, "width": 32}
    assert recipe.D == {"name": "DCGANDiscriminator", "size": 28, "channels": 3, "width": 16}


# From images to a generator ------------------------------------------------------------------------------------------


@pytest.fixture
def digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Thirty made-up digits of 28×28 in MNIST's place."""
    rng = np.random.default_rng(0)
    thirty = rng.integers(0, 256, (30, 28, 28), dtype=np.uint8), np.arange(30) % 10
    monkeypatch.setattr(mnist, "MNIST", written(tmp_path, thirty, thirty))
    monkeypatch.setattr(stacked_mnist, "IMAGES", 40)
    return tmp_path


@pytest.mark.parametrize("name", ["lsgan-mnist", *NOBN, "stacked-mnist"])
def test_what_learns_digits_trains_and_is_made_again(name: str, digits: Path):
    trainer = run(small(name).trainer(digits, steps=2, batch=8, device="cpu"))
    channels = 3 if name == "stacked-mnist" else 1
    assert trainer.sample(3).shape == (3, channels, 28, 28)
    assert trainer.history.isfinite().all()
    training.export_generator(trainer, digits / "g.safetensors")
    again, _ = training.load_generator(digits / "g.safetensors")
    assert torch.equal(training.sample(again, 3, noise="uniform"), training.sample(trainer.sampler, 3, noise="uniform"))


def test_scenes_of_another_size(tmp_path: Path):
    with (
        lmdb.open(str(tmp_path / "tower_train_lmdb"), map_size=2**20) as database,
        database.begin(write=True) as writer,
    ):
        for i in range(4):
            writer.put(f"{i}".encode(), file(Image.new("RGB", (90, 70), (50 * i, 0, 0)), "JPEG"))
    recipe = small("lsgan-lsun").with_images("lsun/tower", size=32)
    trainer = run(recipe.trainer(tmp_path, batch=2, steps=2, device="cpu"))
    assert trainer.sample(3).shape == (3, 3, 32, 32)


def test_a_folder_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Grey pictures of several sizes: trained on, gone on with, and sampled from, on the command line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "tune", lambda: None)
    monkeypatch.setitem(recipes.RECIPES, "lsgan-folder", small("lsgan-folder"))
    Path("holiday").mkdir()
    for number in range(8):
        Image.new("L", (20 + number, 30), 30 * number).save(f"holiday/{number}.png")
    options = {"data": "folder:holiday", "size": 16, "batch": 4, "device": "cpu"}
    for steps in (2, 3):
        assert cli.train("lsgan-folder", steps=steps, **options) == 0
    said = capsys.readouterr().out
    assert "going on from step 2" in said
    place = Path("runs/lsgan-folder")
    assert len((place / "history.csv").read_text().splitlines()) == 1 + 3
    with Image.open(place / "samples.png") as picture:
        assert picture.mode == "L"
    assert cli.sample(place / "generator.safetensors", n=5, out=Path("s.npz")) == 0
    assert np.load("s.npz")["samples"].shape == (5, 1, 16, 16)

"""What the errors of data, and of the command line, say to do, done: refused first, and taken when it is followed."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_pictures import save
from own import refusal
from PIL import Image
from tiny import run, tiny_trainer

from ganlab import cli, data, models
from ganlab.data import Mixture
from ganlab.objectives import NON_SATURATING
from ganlab.training import TrainConfig, Trainer, export_generator


def loaded(place: Path, **options) -> data.ImageSet:
    return data.load(f"folder:{place}", **options)


def many_bits(path: Path) -> None:
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(path)


def two_pages(path: Path) -> None:
    red, blue = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    red.save(path, save_all=True, append_images=[blue])


@pytest.mark.parametrize(
    ("advice", "name", "make", "mended"),
    [
        ("convert it to 8-bit grey or RGB", "a.png", many_bits, lambda path: save(path)),
        ("save each as a picture of its own", "a.tif", two_pages, lambda path: Image.new("RGB", (6, 4)).save(path)),
        ("remove it or get it again", "a.png", lambda path: path.write_bytes(b"\x89PNG"), lambda path: path.unlink()),
    ],
)
def test_a_picture_that_is_mended_is_read(
    tmp_path: Path, advice: str, name: str, make: Callable[[Path], None], mended: Callable[[Path], None]
):
    save(tmp_path / "b.png")
    make(tmp_path / name)
    assert advice in refusal(lambda: loaded(tmp_path))
    mended(tmp_path / name)
    assert loaded(tmp_path).images.shape[1:] == (3, 4, 6)


def test_what_is_said_of_folders_works(tmp_path: Path):
    assert "give a folder with pictures (.jpg, .png and others) in it" in refusal(lambda: loaded(tmp_path))
    save(tmp_path / "a.png")
    save(tmp_path / "cats/b.png", size=(9, 9))
    assert "put all in either" in refusal(lambda: loaded(tmp_path, size=4))
    (tmp_path / "a.png").rename(tmp_path / "cats/a.png")
    assert "give a size" in refusal(lambda: loaded(tmp_path))
    assert len(loaded(tmp_path, size=4)) == 2
    assert "give folder:PATH of the test images" in refusal(lambda: loaded(tmp_path, split="test"))
    assert "give 'folder:" in refusal(lambda: data.load(str(tmp_path)))
    assert "give folder:PATH of a folder of images" in refusal(lambda: loaded(tmp_path / "cats/a.png"))
    assert len(loaded(tmp_path / "cats", size=4)) == 2


def test_options_of_load_are_said():
    assert "give 'train' or 'test'" in refusal(lambda: data.load("digits", split="val"))
    assert len(data.load("digits", split="test")) == 297
    assert "give 1 for grey, 3 for colour, or None" in refusal(lambda: data.load("digits", channels=2))
    assert data.load("digits", channels=3, limit=2).images.shape == (2, 3, 8, 8)
    assert "give an integer of at least 1, or None" in refusal(lambda: data.load("digits", limit=0))
    assert len(data.load("digits", limit=1)) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_is_made_readable_is_read(tmp_path: Path):
    save(tmp_path / "cats/a.png")
    (tmp_path / "cats").chmod(0)
    assert "cannot be read" in refusal(lambda: loaded(tmp_path))
    (tmp_path / "cats").chmod(0o700)
    assert len(loaded(tmp_path)) == 1


def mixture(means=((0.0, 0.0), (1.0, 1.0)), sigmas=(1.0, 1.0), weights=(1.0, 1.0)) -> Mixture:
    return Mixture(means, sigmas, weights)


@pytest.mark.parametrize(
    ("advice", "wrong"),
    [
        ("give as many of each, at least one", {"sigmas": (1.0,)}),
        ("give points of one space", {"means": ((0.0,), (1.0, 1.0))}),
        ("give numbers that are finite in float32", {"means": ((0.0, 1e300), (1.0, 1.0))}),
        ("give numbers that are finite and positive in float32", {"sigmas": (1.0, 0.0)}),
        ("give numbers of at least 0 with a finite, positive sum", {"weights": (-1.0, 1.0)}),
    ],
)
def test_a_mixture_of_what_is_wanted_is_made(advice: str, wrong: dict[str, tuple]):
    assert advice in refusal(lambda: mixture(**wrong))
    assert mixture().weights == (0.5, 0.5)


# The command line ----------------------------------------------------------------------------------------------------


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    G, D = models.MLPGenerator(4, side=8, hidden=(8,)), models.MLPDiscriminator(side=8, hidden=(8,))
    images = data.load("digits", limit=64)
    trainer = run(Trainer(G, D, NON_SATURATING, images, TrainConfig(steps=1, batch=16, device="cpu")))
    export_generator(trainer, tmp_path / "g.safetensors")
    return tmp_path / "g.safetensors"


def test_what_is_said_of_samples_works(exported: Path, tmp_path: Path):
    png, npz = tmp_path / "out.png", tmp_path / "out.npz"
    assert "give a name that ends in .png or .npz" in refusal(lambda: cli.sample(exported, out=tmp_path / "out.jpg"))
    assert cli.sample(exported, n=2, out=png) == 0
    assert "give fewer, or an .npz" in refusal(lambda: cli.sample(exported, n=10_001, out=png))
    assert cli.sample(exported, n=10_001, out=npz) == 0
    assert "leave --label and --labels out" in refusal(lambda: cli.sample(exported, n=2, label=1, out=png))
    assert "give an integer of at least 1" in refusal(lambda: cli.sample(exported, n=0, out=png))
    assert "give a file that ganlab exported" in refusal(lambda: cli.sample(tmp_path / "none", n=2, out=png))


def test_points_are_sampled_into_an_array(tmp_path: Path):
    G, D = models.ToyGenerator(z_dim=4, width=8), models.ToyDiscriminator(width=8)
    trainer = Trainer(G, D, NON_SATURATING, data.ring(), TrainConfig(steps=1, batch=8, device="cpu"))
    export_generator(run(trainer), tmp_path / "g")
    assert "give a .npz" in refusal(lambda: cli.sample(tmp_path / "g", n=3, out=tmp_path / "out.png"))
    assert cli.sample(tmp_path / "g", n=3, out=tmp_path / "out.npz") == 0


def test_a_place_that_cannot_be_written_is_changed(tmp_path: Path):
    (tmp_path / "file").touch()
    line = refusal(lambda: tiny_trainer().save(tmp_path / "file/run.ckpt"))
    assert "free some space or give another place" in line
    tiny_trainer().save(tmp_path / "run.ckpt")

"""Stacked MNIST: which digits are drawn, how they are stacked and labelled, and what is said where MNIST is not."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from made_mnist import written
from scipy import stats

from ganlab import data
from ganlab.data import mnist, pictures, stacked_mnist
from ganlab.errors import ConfigError, DatasetUnavailable

RNG = np.random.default_rng(0)
TRAIN = RNG.integers(0, 256, (7, 4, 3), dtype=np.uint8), np.array([3, 1, 4, 0, 5, 9, 2])
TEST = RNG.integers(0, 256, (5, 4, 3), dtype=np.uint8), np.array([8, 6, 7, 3, 0])
NUMBERS_OF_PCG64 = (
    *(0xA30FEBCFD9C2825F, 0x4510BDF882D9D721, 0x0A7D3DA94ECDE8B8),
    *(0x043B27B61342F01D, 0xD0327A782CDE513B, 0xE9AA5979A6401C4E),
)


@pytest.fixture
def small_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Seven digits to train on and five to test on, and so few images of them that all can be compared."""
    monkeypatch.setenv("GANLAB_DATA", str(tmp_path))
    monkeypatch.setattr(mnist, "MNIST", written(tmp_path, TRAIN, TEST))
    monkeypatch.setattr(stacked_mnist, "IMAGES", 300)
    return tmp_path / "MNIST/raw"


@pytest.mark.parametrize(("split", "digits", "seed"), [("train", TRAIN, 0), ("test", TEST, 1)])
def test_each_image_is_three_digits_one_for_each_colour(small_mnist: Path, split: str, digits, seed: int):
    loaded = data.load("stacked-mnist", split=split)
    assert (loaded.images.dtype, loaded.images.shape) == (torch.uint8, (300, 3, 4, 3))
    assert loaded.images.is_contiguous()
    images, labels = digits
    numbers = np.random.PCG64(seed)
    for image, label in zip(loaded.images.numpy(), loaded.labels.tolist(), strict=True):
        drawn = [numbers.random_raw() % len(images) for _ in range(3)]
        assert np.array_equal(image, [images[one] for one in drawn])
        assert f"{label:03}" == "".join(str(labels[one]) for one in drawn)


def test_there_are_a_thousand_classes_named_by_their_digits(small_mnist: Path):
    loaded = data.load("stacked-mnist")
    assert len(loaded.classes) == 1000
    assert (loaded.classes[7], loaded.classes[70], loaded.classes[123]) == ("007", "070", "123")
    assert loaded.labels.dtype is torch.int64
    assert loaded.description == "stacked-mnist: 300 colour images of 4×3 pixels"


def test_options_do_what_they_do_elsewhere(small_mnist: Path):
    whole = data.load("stacked-mnist")
    few = data.load("stacked-mnist", limit=9)
    assert torch.equal(few.images, whole.images[:9])
    assert torch.equal(few.labels, whole.labels[:9])
    assert len(data.load("stacked-mnist", limit=10**15)) == 300
    assert data.load("stacked-mnist", limit=2, size=8).images.shape == (2, 3, 8, 8)
    assert data.load("stacked-mnist", limit=2, channels=1).images.shape == (2, 1, 4, 3)


# The draws -----------------------------------------------------------------------------------------------------------


def test_the_numbers_are_those_of_pcg64_on_every_machine():
    """Written down once: the first six of seed 0, and what they make of 60,000 digits."""
    whole = stacked_mnist.drawn(2**63, "train", 2).flatten().tolist()
    assert whole == [number % 2**63 for number in NUMBERS_OF_PCG64]
    assert stacked_mnist.drawn(60_000, "train", 2).flatten().tolist() == [
        number % 60_000 for number in NUMBERS_OF_PCG64
    ]


def test_all_digits_are_drawn_alike_in_each_colour_and_colours_are_independent():
    """χ² of 10 × 10 × 10 cells: 999 degrees of freedom; nothing is chosen here, the seeds are the set's."""
    for split in ("train", "test"):
        which = stacked_mnist.drawn(10, split, stacked_mnist.IMAGES).numpy()
        cells = np.bincount(which @ [100, 10, 1], minlength=1000)
        assert 1e-3 < stats.chisquare(cells).pvalue < 1 - 1e-3


def test_the_splits_are_drawn_apart():
    train, test = (stacked_mnist.drawn(10**6, split, 100) for split in ("train", "test"))
    assert not (train == test).any()


def test_the_set_is_of_128000_images():
    assert stacked_mnist.IMAGES == 128_000


# What is not there ---------------------------------------------------------------------------------------------------


def state() -> data.SetStatus:
    return next(found for found in data.status() if found.name == "stacked-mnist")


def test_without_mnist_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANLAB_DATA", str(tmp_path))
    with pytest.raises(DatasetUnavailable, match=r"cannot be read .*; data\.load\('mnist', download=True\) gets it"):
        data.load("stacked-mnist")
    assert (state().state, state().detail) == (
        "absent",
        "optional; made of mnist: data.load('mnist', download=True) gets it",
    )


def test_the_status_is_that_of_mnist(small_mnist: Path):
    assert (state().state, state().detail) == ("OK", "300 colour images, made of mnist when they are loaded")


@pytest.mark.parametrize("file", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
def test_of_a_damaged_mnist_nothing_is_made(small_mnist: Path, file: str):
    path = small_mnist / file
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DatasetUnavailable, match=file):
        data.load("stacked-mnist", limit=1)
    assert (state().state, state().detail) == ("absent", "made of mnist, which is damaged")


def test_a_memory_that_is_too_small_is_said(small_mnist: Path, monkeypatch: pytest.MonkeyPatch):
    def full(shape: tuple[int, ...], kind: type = float) -> np.ndarray:
        if kind is np.uint8:
            raise MemoryError
        return np.zeros(shape, kind)

    monkeypatch.setattr(pictures.np, "empty", full)
    with pytest.raises(ConfigError, match=r"stacked-mnist takes 1 GiB, more than there is; give .* a limit"):
        data.load("stacked-mnist")


# MNIST itself --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(
    not (data.data_root() / "MNIST").exists(), reason="no MNIST on this machine (GANLAB_DATA is not set to it)"
)
def test_the_first_images_of_real_mnist_are_the_same_everywhere():
    for split, first, digits, pixels in (
        ("train", [695, 746, 694], "471d83d12ba4a65cb34a8399d0308b1e", "d7acb325d967cf9b8a54edc203f7e69f"),
        ("test", [34, 687, 564], "35bf9a899d1e617dc4e2dc942d1beea6", "850aeccdab07e1ccfc415acfc5bd8e11"),
    ):
        loaded = data.load("stacked-mnist", split=split, limit=1000)
        assert loaded.images.shape == (1000, 3, 28, 28)
        assert loaded.labels[:3].tolist() == first
        assert hashlib.md5("".join(loaded.classes[y] for y in loaded.labels).encode()).hexdigest() == digits
        assert hashlib.md5(loaded.images.numpy().tobytes()).hexdigest() == pixels

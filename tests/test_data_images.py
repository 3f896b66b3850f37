"""Image sets by name: digits, defaults, sizes, options, downloads, status."""

import http.client
import re
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlab import data
from ganlab.data.images import _grey, _resized
from ganlab.errors import ConfigError, DatasetUnavailable


@pytest.fixture
def no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANLAB_DATA", str(tmp_path))
    return tmp_path


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    bunch = load_digits()
    train, test = data.load("digits"), data.load("digits", split="test")
    assert (len(train), len(test)) == (1500, 297)
    both = torch.cat([train.images, test.images])[:, 0].numpy()
    assert np.array_equal(np.rint(both * (16 / 255)), bunch.images)
    assert np.array_equal(torch.cat([train.labels, test.labels]).numpy(), bunch.target)
    assert (both.min(), both.max()) == (0, 255)


def test_without_mnist_the_digits_are_taken_and_it_is_said(no_data: Path):
    assert data.default_images().description == f"digits: 1,500 grey images of 8×8 pixels (no MNIST in {no_data})"
    with pytest.raises(DatasetUnavailable, match="train-images-idx3-ubyte cannot be read"):
        data.load("mnist")


def test_the_root_is_the_argument_then_the_environment_then_the_cache(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANLAB_DATA", "elsewhere")
    assert data.data_root("here") == Path("here")
    assert data.data_root() == Path("elsewhere")
    monkeypatch.setenv("GANLAB_DATA", "~/images")
    assert data.data_root() == Path.home() / "images"
    monkeypatch.setenv("GANLAB_DATA", "")
    assert data.data_root() == Path.home() / ".cache" / "ganlab"


@given(height=st.integers(4, 40), width=st.integers(4, 40), size=st.integers(1, 40), grey=st.integers(0, 255))
def test_resizing_keeps_a_constant_image_constant(height: int, width: int, size: int, grey: int):
    images = torch.full((2, 1, height, width), grey, dtype=torch.uint8)
    assert torch.equal(_resized(images, size), torch.full((2, 1, size, size), grey, dtype=torch.uint8))


def test_resizing_is_pils():
    image = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    for size in (14, 32):
        by_pil = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))
        ours = _resized(torch.from_numpy(image)[None, None], size)[0, 0].numpy()
        assert np.abs(ours.astype(int) - by_pil.astype(int)).max() <= 1


def test_a_place_in_the_home_folder_is_shown_by_its_sign(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANLAB_DATA", "~/nothing here")
    assert data.default_images().note == " (no MNIST in ~/nothing here)"


def test_grey_and_colour_of_sets_without_files_are_pillows():
    colours = np.random.default_rng(0).integers(0, 256, (3, 9, 7, 3), dtype=np.uint8)
    ours = _grey(torch.from_numpy(colours).permute(0, 3, 1, 2))
    assert np.array_equal(ours[:, 0].numpy(), [np.asarray(Image.fromarray(image).convert("L")) for image in colours])
    grey, colour = data.load("digits", limit=3), data.load("digits", limit=3, channels=3)
    assert torch.equal(colour.images, grey.images.expand(-1, 3, -1, -1))
    assert data.load("digits", channels=1).images.shape == (1500, 1, 8, 8)


@pytest.mark.parametrize("name", [None, 5, Path("digits"), ["digits"]])
def test_a_name_that_is_no_text_lists_the_known_ones(name: object):
    with pytest.raises(ConfigError, match="give one of digits, mnist, fashion-mnist"):
        data.load(name)  # pyright: ignore[reportArgumentType]


def test_a_path_in_place_of_a_name_is_a_folder():
    with pytest.raises(ConfigError, match=r"of a folder, give 'folder:/pictures'"):
        data.load(Path("/pictures"))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("root", [5, "a\0b", "~a user who is not there"])
def test_a_root_that_can_be_no_path_is_named(root: object):
    with pytest.raises(ConfigError, match=r"root is .*; give the path of a folder"):
        data.load("mnist", root=root)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", ["minst", "", "lsun/", "lsun/a\0b", "lsun/\ud800", "folder:", "MNIST"])
def test_an_unknown_name_lists_the_known_ones(name: str):
    with pytest.raises(ConfigError, match="give one of digits, mnist, fashion-mnist"):
        data.load(name)


@pytest.mark.parametrize(
    "options",
    [
        {"split": "valid"},
        {"size": 0},
        {"size": 2.5},
        {"size": True},
        {"limit": -1},
        {"channels": 2},
        {"channels": True},
        {"limit": 10**30},
        {"size": (8, 8)},
    ],
)
def test_a_wrong_option_is_named(options: dict):
    with pytest.raises(ConfigError, match=str(next(iter(options)))):
        data.load("digits", **options)


@pytest.mark.parametrize("integer", [np.int64, torch.tensor])
def test_integers_of_numpy_and_torch_are_integers(integer):
    same = data.load("digits", size=integer(4), limit=integer(5), channels=integer(3))
    assert torch.equal(same.images, data.load("digits", size=4, limit=5, channels=3).images)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Error downloading train-images-idx3-ubyte.gz\nmore lines"),
        URLError("no route to host"),
        TimeoutError(),
        http.client.IncompleteRead(b""),
        EOFError("Compressed file ended before the end-of-stream marker was reached"),
    ],
    ids=repr,
)
def test_a_failed_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception):
    from torchvision import datasets

    def offline(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(datasets, "MNIST", offline)
    with pytest.raises(DatasetUnavailable, match="check the network") as caught:
        data.load("mnist", root=tmp_path, download=True)
    assert "\n" not in str(caught.value)


def test_a_failed_download_shows_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from torchvision import datasets

    def offline(*_arguments: object, **_options: object) -> None:
        raise OSError("<urllib3.Connection object at 0x7f3b9532cbd0>: Failed to resolve host")

    monkeypatch.setattr(datasets, "MNIST", offline)
    with pytest.raises(DatasetUnavailable, match=r"\(urllib3.Connection: Failed to resolve host\)"):
        data.load("mnist", root=tmp_path, download=True)


@pytest.mark.parametrize("by_argument", [True, False])
@pytest.mark.parametrize(
    ("name", "theirs"),
    [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST"), ("stacked-mnist", "MNIST"), ("cifar10", "CIFAR10")],
)
def test_the_advice_for_an_absent_set_gets_it_to_where_it_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, theirs: str, by_argument: bool
):
    from torchvision import datasets

    asked: list[Path] = []
    monkeypatch.setattr(datasets, theirs, lambda root, **_options: asked.append(root))
    root = tmp_path / "it's a folder"
    monkeypatch.setenv("GANLAB_DATA", str(tmp_path if by_argument else root))
    given = root if by_argument else None
    with pytest.raises(DatasetUnavailable) as caught:
        data.load(name, root=given)
    detail = next(found.detail for found in data.status(given) if found.name == name)
    for said in (str(caught.value), detail):
        call = re.search(r"data\.load\(.*\)(?= gets it)", said)
        assert call is not None
        with pytest.raises(DatasetUnavailable):  # there is nothing to get here
            eval(call[0], {"data": data})
    assert asked == [root, root]


def test_what_has_no_download_says_so():
    with pytest.raises(ConfigError, match="cannot be downloaded"):
        data.load("digits", download=True)


def test_the_import_loads_nothing_heavy():
    code = "import ganlab.data, sys; print({'torchvision', 'sklearn', 'matplotlib', 'PIL'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"

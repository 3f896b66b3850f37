"""What is said of sets in other forms, packed files and files that are no pictures; names that are published."""

import lzma
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab import data
from ganlab.data import mnist
from ganlab.data.depth import WIDE_RAW
from ganlab.data.known import CIFAR10_TEST, CIFAR10_TRAIN, whose
from ganlab.errors import ConfigError, DatasetUnavailable

PUBLISHED = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


@pytest.mark.parametrize(
    "form", ["npz", "pkl", "pkl.gz", "pt", "csv", "mat", "parquet", "zip", "tar", "tar.gz", "tgz", "7z", "CSV"]
)
def test_mnist_in_another_form_is_seen_and_named(tmp_path: Path, form: str):
    (tmp_path / f"mnist.{form}").write_bytes(b"something")
    said = mnist.absence(mnist.MNIST, tmp_path)
    assert said.startswith(f"{tmp_path} holds mnist.{form}, which is not read; wanted are {PUBLISHED[0]}, ")
    (tmp_path / f"mnist.{form}").rename(tmp_path / "mnist.txt")
    assert mnist.absence(mnist.MNIST, tmp_path).startswith("optional; ")


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz", "tgz", "bz2", "xz", "7z", "rar"])
def test_a_folder_of_packed_pictures_is_to_be_unpacked(tmp_path: Path, form: str):
    (tmp_path / f"faces.{form}").write_bytes(b"something")
    with pytest.raises(DatasetUnavailable, match=rf"holds no image files, but faces\.{form}; unpack it\.$"):
        data.load(f"folder:{tmp_path}", size=8)


@pytest.mark.parametrize("name", ["scan.eps", "paper.pdf", "film.mpg", "drawing.wmf", "measured.h5"])
def test_drawings_documents_and_films_are_no_pictures(tmp_path: Path, name: str):
    for number in range(3):
        Image.fromarray(np.full((8, 8), 40 * number, np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / name).write_bytes(b"something")
    with pytest.warns(UserWarning, match="1 "):
        assert len(data.load(f"folder:{tmp_path}", size=8).images) == 3


def test_what_is_no_name_is_refused_and_a_path_gets_the_way_to_give_it(tmp_path: Path):
    for name in (7, None):
        with pytest.raises(ConfigError, match=rf"^image set is {name}; give one of .*\w\.$") as caught:
            data.load(name)  # pyright: ignore[reportArgumentType]
        assert str(caught.value).endswith(f"{data.NAMES[-1]}.")
    with pytest.raises(ConfigError, match=r"; of a folder, give 'folder:.*'\.$"):
        data.load(tmp_path)  # pyright: ignore[reportArgumentType]


def test_the_files_of_cifar_10_have_their_published_names():
    assert [*CIFAR10_TRAIN, *CIFAR10_TEST] == [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    for name, md5 in (CIFAR10_TRAIN | CIFAR10_TEST).items():
        assert whose(md5) == f"CIFAR-10's {name}"


def test_a_packing_of_any_kind_is_no_name_of_a_set_of_its_own(tmp_path: Path):
    """Files that are packed alone, under the published names, are opened, and what they hold is judged."""
    folder = tmp_path / "MNIST/raw"
    folder.mkdir(parents=True)
    for name in PUBLISHED:
        (folder / f"{name}.xz").write_bytes(lzma.compress(b"\0\0\x08\x03"))
    with pytest.raises(DatasetUnavailable, match=r"train-images-idx3-ubyte\.xz") as caught:
        data.load("mnist", root=tmp_path)
    assert "which is not read" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "deep"), [("RGB;16B", True), ("I;32BS", True), ("L;16L", True), ("BGR;16", False), ("RGB", False)]
)
def test_raw_modes_of_more_than_8_bits_are_known_by_name(raw: str, deep: bool):
    assert bool(WIDE_RAW.search(raw)) == deep

"""MNIST and the sets in its format: found under the names that people have them by, known by their content."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_mnist import idx, written

from ganlab import data
from ganlab.data import known, mnist, readers
from ganlab.errors import DatasetUnavailable

in_tmp = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])


IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
CONTENT = idx(IMAGES)


@pytest.fixture
def no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANLAB_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def small_mnist(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five images in MNIST's layout, with the checksums that belong to them."""
    five = IMAGES, np.arange(5)
    monkeypatch.setattr(mnist, "MNIST", written(no_data, five, five))
    return no_data / "MNIST/raw"


def test_a_small_mnist_is_read(small_mnist: Path):
    loaded = data.load("mnist")
    assert np.array_equal(loaded.images[:, 0].numpy(), IMAGES)
    assert loaded.labels.tolist() == [0, 1, 2, 3, 4]
    assert loaded.description == "mnist: 5 grey images of 4×3 pixels"
    assert data.default_images().name == "mnist"
    assert len(data.load("mnist", limit=2)) == 2


def test_a_packed_file_stands_in_for_a_missing_raw_one(small_mnist: Path):
    raw = small_mnist / "train-images-idx3-ubyte"
    (small_mnist / f"{raw.name}.gz").write_bytes(gzip.compress(raw.read_bytes(), mtime=0))
    raw.unlink()
    assert np.array_equal(data.load("mnist").images[:, 0].numpy(), IMAGES)


@in_tmp
@given(data_=st.data())
def test_a_damaged_mnist_never_gives_images(small_mnist: Path, data_: st.DataObject):
    path = data_.draw(st.sampled_from(sorted(small_mnist.glob("train-*"))))
    good = path.read_bytes()
    at = data_.draw(st.integers(0, len(good) - 1))
    damaged = bytearray(good)
    damaged[at] ^= data_.draw(st.integers(1, 255))
    try:
        path.write_bytes(data_.draw(st.sampled_from([bytes(damaged), good[:at], good + good[at:]])))
        for read in (lambda: data.load("mnist"), data.default_images):
            with pytest.raises(DatasetUnavailable, match=path.name):
                read()
        assert {found.name: found.state for found in data.status()}["mnist"] == "damaged"
    finally:
        path.write_bytes(good)


@pytest.mark.parametrize("stem", ["train", "t10k"])
@pytest.mark.parametrize("kind", ["images-idx3-ubyte", "labels-idx1-ubyte"])
def test_the_status_sees_damage_in_every_file(small_mnist: Path, stem: str, kind: str):
    def state() -> data.SetStatus:
        return next(found for found in data.status() if found.name == "mnist")

    assert state().state == "OK"
    path = small_mnist / f"{stem}-{kind}"
    path.write_bytes(path.read_bytes()[:-1])
    assert state().state == "damaged"
    assert path.name in state().detail
    path.unlink()
    assert state().state == "damaged"


def test_what_a_failed_download_leaves_is_absent_not_damaged(no_data: Path):
    (no_data / "MNIST/raw").mkdir(parents=True)
    assert data.default_images().name == "digits"
    assert {found.name: found.state for found in data.status()}["mnist"] == "absent"


def test_a_folder_that_cannot_be_looked_into_is_not_taken_as_absent(small_mnist: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DatasetUnavailable, match="Permission denied"):
        data.default_images()


@pytest.fixture
def small_fashion(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five images in Fashion-MNIST's layout: raw files, for which no checksum is published."""
    folder = no_data / "FashionMNIST/raw"
    folder.mkdir(parents=True)
    (folder / "train-images-idx3-ubyte").write_bytes(CONTENT)
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(5, dtype=np.uint8)))
    shapes = {"train": list(IMAGES.shape), "test": list(IMAGES.shape)}
    monkeypatch.setattr(mnist, "FASHION_MNIST", mnist.FASHION_MNIST._replace(shapes=shapes))
    return folder


def test_labels_that_do_not_fit_are_refused(small_fashion: Path):
    assert data.load("fashion-mnist").labels.tolist() == [0, 1, 2, 3, 4]
    for labels, named in (([0, 1, 2], "5 images but 3 labels"), ([0, 1, 2, 3, 10], "a label 10, beyond 9")):
        (small_fashion / "train-labels-idx1-ubyte").write_bytes(idx(np.array(labels, dtype=np.uint8)))
        with pytest.raises(DatasetUnavailable, match=named):
            data.load("fashion-mnist")


def test_images_of_another_shape_are_refused(small_fashion: Path):
    (small_fashion / "train-images-idx3-ubyte").write_bytes(idx(IMAGES.reshape(5, 3, 4)))
    with pytest.raises(DatasetUnavailable, match=r"train images \[5, 3, 4\], not \[5, 4, 3\]"):
        data.load("fashion-mnist")


def test_the_packed_file_is_preferred_where_only_its_checksum_is_published(small_fashion: Path):
    """Packed anew, it is as good as the raw file: neither can be verified, and both have the right structure."""
    (small_fashion / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES + 1)))
    assert np.array_equal(data.load("fashion-mnist").images[:, 0].numpy(), IMAGES + 1)
    (small_fashion / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES + 1))[:-9])
    with pytest.raises(DatasetUnavailable, match=r"ubyte\.gz cannot be unpacked: it is cut off or damaged"):
        data.load("fashion-mnist")


# Names and places ---------------------------------------------------------------------------------------------------

SPELLINGS = {
    "7-Zip, Kaggle": lambda name: name.replace("-idx", ".idx"),
    "capitals": str.upper,
    "a browser's second copy": lambda name: f"{name} (1)",
    "a system's copy": lambda name: f"Copy of {name}",
    "test for t10k": lambda name: name.replace("t10k", "test"),
    "underscores": lambda name: name.replace("-", "_"),
    "dots throughout": lambda name: name.replace("-", "."),
    "in a folder of its own": lambda name: f"{name}/{name}",
    "Kaggle's folder": lambda name: f"{name}/{name.replace('-idx', '.idx')}",
}
PLACES = ("MNIST/raw", "MNIST", "mnist", "mnist/raw", "Mnist/RAW")


def moved(old: Path, root: Path, place: str, spelled, pack=lambda content: content, ending: str = "") -> None:
    """The same set under other names; empty folders are left where it was."""
    contents = {path.name: path.read_bytes() for path in old.iterdir()}
    for path in old.iterdir():
        path.unlink()
    for name, content in contents.items():
        new = root / place / (spelled(name) + ending)
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(pack(content))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("ending", ["", ".gz", ".GZ"])
def test_mnist_is_found_however_its_names_are_spelled(small_mnist: Path, no_data: Path, spelling: str, ending: str):
    pack = gzip.compress if ending else bytes
    moved(small_mnist, no_data, "MNIST/raw", SPELLINGS[spelling], pack, ending)
    assert np.array_equal(data.load("mnist").images[:, 0].numpy(), IMAGES)
    assert data.default_images().name == "mnist"
    assert {found.name: found.state for found in data.status()}["mnist"] == "OK"


@pytest.mark.parametrize("place", [*PLACES[1:4], "MNIST/MNIST/raw", "MNIST/processed"])
def test_mnist_is_found_in_every_usual_place(small_mnist: Path, no_data: Path, place: str):
    moved(small_mnist, no_data, place, str)
    assert data.load("mnist", split="test").labels.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("level", [1, 5, 9])
def test_mnist_packed_again_is_mnist(small_mnist: Path, no_data: Path, level: int):
    """Every level, and every date in the header, gives other bytes around the same content."""
    moved(small_mnist, no_data, "MNIST/raw", str, lambda content: gzip.compress(content, level, mtime=level), ".gz")
    assert np.array_equal(data.load("mnist").images[:, 0].numpy(), IMAGES)


def test_a_packed_file_that_a_browser_unpacked_is_read_as_what_it_is(small_mnist: Path, no_data: Path):
    moved(small_mnist, no_data, "MNIST/raw", str, ending=".gz")
    assert np.array_equal(data.load("mnist").images[:, 0].numpy(), IMAGES)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("mnist.npz", "holds mnist.npz, which is not read; wanted are train-images-idx3-ubyte"),
        ("mnist.pkl.gz", "holds mnist.pkl.gz, which is not read"),
        ("mnist_train.csv", "holds mnist_train.csv, which is not read"),
        ("MNIST/raw/training.pt", "holds training.pt, which is not read"),
        ("MNIST/archive.zip", "holds archive.zip, which is not read"),
        ("MNIST/raw/train_images", "holds train_images, which is not read"),
        ("MNIST/raw/train-images.txt", "holds train-images.txt, which is not read"),
        ("train-images-idx3-ubyte", "itself holds train-images-idx3-ubyte; wanted are"),
        ("train-images.idx3-ubyte.gz", "itself holds train-images.idx3-ubyte.gz; wanted are"),
    ],
)
def test_what_is_not_read_is_named(no_data: Path, file: str, said: str):
    (no_data / file).parent.mkdir(parents=True, exist_ok=True)
    (no_data / file).touch()
    found = next(found for found in data.status() if found.name == "mnist")
    assert found.state == "absent"
    assert said in found.detail
    assert str(no_data / "MNIST/raw") in found.detail


# Identity by content ------------------------------------------------------------------------------------------------


def test_every_checksum_names_its_file_and_no_other():
    for files in (known.MNIST, known.FASHION_MNIST, known.KMNIST):
        for name, sums in files.items():
            assert all((known.whose(md5) or "").endswith(f"'s {name}") for md5 in sums if md5)
    assert known.whose("0" * 32) is None


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def published(small: Path, monkeypatch: pytest.MonkeyPatch, pack) -> None:
    """Let the small files be known as MNIST's own, raw or packed."""
    names = {hashlib.md5(pack(path.read_bytes())).hexdigest(): f"MNIST's {path.name}" for path in small.iterdir()}
    monkeypatch.setattr(known, "_NAMES", names)


@pytest.mark.parametrize(
    ("known_as", "lying_as"), [(bytes, bytes), (bytes, packed), (packed, packed)], ids=["raw", "packed anew", "packed"]
)
def test_another_sets_file_is_refused_by_its_name(
    small_mnist: Path, no_data: Path, monkeypatch: pytest.MonkeyPatch, known_as, lying_as
):
    """MNIST's files in Fashion-MNIST's place, which have the right structure and no checksum to compare with."""
    published(small_mnist, monkeypatch, known_as)
    shapes = {split: list(IMAGES.shape) for split in readers.SPLITS}
    monkeypatch.setattr(mnist, "FASHION_MNIST", mnist.FASHION_MNIST._replace(shapes=shapes))
    moved(small_mnist, no_data, "FashionMNIST/raw", str, lying_as)
    with pytest.raises(DatasetUnavailable, match="is MNIST's train-images-idx3-ubyte, not what belongs there"):
        data.load("fashion-mnist")
    found = next(found for found in data.status() if found.name == "fashion-mnist")
    assert found.state == "damaged"


def test_a_file_that_is_put_where_it_belongs_or_got_again_is_read(small_mnist: Path, monkeypatch: pytest.MonkeyPatch):
    """What the two errors say to do."""
    images, labels = small_mnist / "train-images-idx3-ubyte", small_mnist / "train-labels-idx1-ubyte"
    whole = images.read_bytes()
    monkeypatch.setattr(known, "_NAMES", {hashlib.md5(labels.read_bytes()).hexdigest(): "MNIST's labels"})
    images.write_bytes(labels.read_bytes())
    with pytest.raises(DatasetUnavailable, match="is MNIST's labels, not what belongs there; put it where it belongs"):
        data.load("mnist")
    images.write_bytes(whole[:-1])
    with pytest.raises(DatasetUnavailable, match="delete it and get it again"):
        data.load("mnist")
    images.unlink()
    images.write_bytes(whole)
    assert len(data.load("mnist")) == 5


def test_exchanged_files_of_one_set_are_named(small_mnist: Path, monkeypatch: pytest.MonkeyPatch):
    (small_mnist / "t10k-images-idx3-ubyte").write_bytes(idx(IMAGES[::-1]))
    published(small_mnist, monkeypatch, bytes)
    (small_mnist / "t10k-images-idx3-ubyte").replace(small_mnist / "train-images-idx3-ubyte")
    with pytest.raises(DatasetUnavailable, match="train-images-idx3-ubyte is MNIST's t10k-images-idx3-ubyte"):
        data.load("mnist")


def test_the_checksums_are_torchvisions():
    from torchvision import datasets

    published = {"MNIST": known.MNIST, "FashionMNIST": known.FASHION_MNIST, "KMNIST": known.KMNIST}
    for name, ours in published.items():
        theirs = dict(getattr(datasets, name).resources)
        assert {f"{file}.gz": md5 for file, (_, md5) in ours.items()} == theirs

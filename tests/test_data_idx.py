"""IDX files and the sets made of them: what is read is right, and what is damaged is never read."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganlab import data
from ganlab.data import readers
from ganlab.data.idx import read_idx
from ganlab.errors import DatasetUnavailable

needs_mnist = pytest.mark.skipif(
    not (data.data_root() / "MNIST").exists(), reason="no MNIST on this machine (GANLAB_DATA is not set to it)"
)
in_tmp = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
CONTENT = idx(IMAGES)
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANLAB_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def small_mnist(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five images in MNIST's layout, with the checksums that belong to them."""
    folder = no_data / "MNIST/raw"
    folder.mkdir(parents=True)
    files = {"images-idx3-ubyte": CONTENT, "labels-idx1-ubyte": idx(np.arange(5, dtype=np.uint8))}
    md5: dict[str, tuple[str | None, str]] = {}
    for stem in ("train", "t10k"):
        for name, content in files.items():
            (folder / f"{stem}-{name}").write_bytes(content)
            packed = gzip.compress(content, mtime=0)
            md5[f"{stem}-{name}"] = (hashlib.md5(content).hexdigest(), hashlib.md5(packed).hexdigest())
    shapes = {split: list(IMAGES.shape) for split in readers.SPLITS}
    monkeypatch.setattr(readers, "MNIST", readers.MNIST._replace(md5=md5, shapes=shapes))
    return folder


def test_an_idx_file_is_read_raw_and_packed(tmp_path: Path):
    (tmp_path / "a").write_bytes(CONTENT)
    (tmp_path / "a.gz").write_bytes(gzip.compress(CONTENT))
    for name in ("a", "a.gz"):
        assert np.array_equal(read_idx(tmp_path / name, 3).numpy(), IMAGES)


@in_tmp
@given(at=st.integers(0, len(CONTENT) - 1), bit=st.integers(0, 7))
def test_any_flipped_bit_is_an_error(tmp_path: Path, at: int, bit: int):
    """Every region: magic number, each dimension, first to last pixel."""
    damaged = bytearray(CONTENT)
    damaged[at] ^= 1 << bit
    (tmp_path / "flipped").write_bytes(damaged)
    with pytest.raises(DatasetUnavailable) as caught:
        read_idx(tmp_path / "flipped", 3, MD5)
    assert "flipped" in str(caught.value)
    assert "\n" not in str(caught.value)
    if at < 16:  # the header betrays itself even where no checksum is known
        with pytest.raises(DatasetUnavailable):
            read_idx(tmp_path / "flipped", 3)


@in_tmp
@given(length=st.integers(0, len(CONTENT) + 20).filter(lambda n: n != len(CONTENT)), md5=st.sampled_from([MD5, None]))
def test_any_cut_or_extension_is_an_error(tmp_path: Path, length: int, md5: str | None):
    (tmp_path / "cut").write_bytes((CONTENT + bytes(20))[:length])
    with pytest.raises(DatasetUnavailable):
        read_idx(tmp_path / "cut", 3, md5)


@in_tmp
@given(data_=st.data())
def test_any_damage_to_a_packed_file_is_an_error(tmp_path: Path, data_: st.DataObject):
    packed = gzip.compress(CONTENT, mtime=0)
    md5 = hashlib.md5(packed).hexdigest()
    at = data_.draw(st.integers(0, len(packed) - 1))
    damaged = bytearray(packed)
    damaged[at] ^= 1 << data_.draw(st.integers(0, 7))
    (tmp_path / "a.gz").write_bytes(data_.draw(st.sampled_from([bytes(damaged), packed[:at]])))
    with pytest.raises(DatasetUnavailable):
        read_idx(tmp_path / "a.gz", 3, md5)


@pytest.mark.parametrize("cut", [0, 1, 9, 30, -9, -4, -1])
def test_a_cut_packed_file_is_an_error_without_a_checksum_too(tmp_path: Path, cut: int):
    (tmp_path / "a.gz").write_bytes(gzip.compress(CONTENT)[:cut])
    with pytest.raises(DatasetUnavailable, match=r"a\.gz (cannot be unpacked|begins with nothing)"):
        read_idx(tmp_path / "a.gz", 3)


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, why in ((".", "Is a directory"), ("none", "No such file")):
        with pytest.raises(DatasetUnavailable, match=why):
            read_idx(tmp_path / name, 3)

    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DatasetUnavailable, match=r"mine cannot be read \(Permission denied\)"):
        read_idx(tmp_path / "mine", 3)


def test_other_kinds_of_idx_files_are_refused(tmp_path: Path):
    """Signed bytes, floats, and labels where images are wanted."""
    for header in (b"\0\0\x09\x03", b"\0\0\x0d\x03", b"\0\0\x08\x01"):
        (tmp_path / "other").write_bytes(header + CONTENT[4:])
        with pytest.raises(DatasetUnavailable, match=header.hex()):
            read_idx(tmp_path / "other", 3)


def test_a_header_that_asks_for_terabytes_is_refused_at_once(tmp_path: Path):
    (tmp_path / "huge").write_bytes(bytes((0, 0, 8, 3)) + struct.pack(">3I", *[2**32 - 1] * 3))
    with pytest.raises(DatasetUnavailable, match="holds 16 bytes where its header asks for"):
        read_idx(tmp_path / "huge", 3)


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
    kind = readers.FASHION_MNIST._replace(shapes={"train": list(IMAGES.shape)})
    monkeypatch.setattr(readers, "FASHION_MNIST", kind)
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
    (small_fashion / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(CONTENT))
    with pytest.raises(DatasetUnavailable, match="not 8d4fb7e6c68d591d4c3dfef9ec88bf0d"):
        data.load("fashion-mnist")


def test_the_checksums_are_torchvisions():
    from torchvision import datasets

    for ours, theirs in ((readers.MNIST, datasets.MNIST), (readers.FASHION_MNIST, datasets.FashionMNIST)):
        assert {f"{name}.gz": md5 for name, (_, md5) in ours.md5.items()} == dict(theirs.resources)


@needs_mnist
def test_real_mnist():
    train, test = data.load("mnist"), data.load("mnist", split="test")
    assert train.images.shape == (60_000, 1, 28, 28)
    assert test.images.shape == (10_000, 1, 28, 28)
    assert train.images.float().mean().item() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert train.labels.bincount().tolist()[:3] == [5923, 6742, 5958]
    assert data.load("mnist", size=32, limit=3).images.shape == (3, 1, 32, 32)

"""Image sets: what is read is right, and what is damaged is never read."""

import gzip
import hashlib
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ganlab import data
from ganlab.data import readers
from ganlab.data.idx import read_idx
from ganlab.errors import ConfigError, DatasetUnavailable

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
    md5 = {}
    for stem in ("train", "t10k"):
        for name, content in files.items():
            (folder / f"{stem}-{name}").write_bytes(content)
            packed = gzip.compress(content, mtime=0)
            md5[f"{stem}-{name}"] = (hashlib.md5(content).hexdigest(), hashlib.md5(packed).hexdigest())
    monkeypatch.setattr(readers, "MNIST", readers.MNIST._replace(md5=md5))
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


def test_labels_that_do_not_fit_are_refused(no_data: Path):
    folder = no_data / "FashionMNIST/raw"
    folder.mkdir(parents=True)
    (folder / "train-images-idx3-ubyte").write_bytes(CONTENT)
    for labels, named in (([0, 1, 2], "5 images but 3 labels"), ([0, 1, 2, 3, 10], "a label 10, beyond 9")):
        (folder / "train-labels-idx1-ubyte").write_bytes(idx(np.array(labels, dtype=np.uint8)))
        with pytest.raises(DatasetUnavailable, match=named):
            data.load("fashion-mnist")


@needs_mnist
def test_real_mnist():
    train, test = data.load("mnist"), data.load("mnist", split="test")
    assert train.images.shape == (60_000, 1, 28, 28)
    assert test.images.shape == (10_000, 1, 28, 28)
    assert train.images.float().mean().item() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert train.labels.bincount().tolist()[:3] == [5923, 6742, 5958]
    assert data.load("mnist", size=32, limit=3).images.shape == (3, 1, 32, 32)


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
    assert data.default_images().description == ("digits: 1,500 grey images of 8×8 pixels (no MNIST on this machine)")
    with pytest.raises(DatasetUnavailable, match="train-images-idx3-ubyte cannot be read"):
        data.load("mnist")


def test_the_root_is_the_argument_then_the_environment_then_the_cache(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANLAB_DATA", "elsewhere")
    assert data.data_root("here") == Path("here")
    assert data.data_root() == Path("elsewhere")
    monkeypatch.setenv("GANLAB_DATA", "")
    assert data.data_root() == Path.home() / ".cache" / "ganlab"


@given(height=st.integers(4, 40), width=st.integers(4, 40), size=st.integers(1, 40), grey=st.integers(0, 255))
def test_resizing_keeps_a_constant_image_constant(height: int, width: int, size: int, grey: int):
    from ganlab.data.images import _resized

    images = torch.full((2, 1, height, width), grey, dtype=torch.uint8)
    assert torch.equal(_resized(images, size), torch.full((2, 1, size, size), grey, dtype=torch.uint8))


def test_resizing_is_pils():
    from ganlab.data.images import _resized

    image = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    for size in (14, 32):
        by_pil = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))
        ours = _resized(torch.from_numpy(image)[None, None], size)[0, 0].numpy()
        assert np.abs(ours.astype(int) - by_pil.astype(int)).max() <= 1


# CIFAR-10 -----------------------------------------------------------------------------------------------------------


class Malicious:
    def __reduce__(self):
        return os.abort, ()


def write_cifar(root: Path, monkeypatch: pytest.MonkeyPatch, batch: object) -> None:
    folder = root / readers.CIFAR10_FOLDER
    folder.mkdir()
    content = batch if isinstance(batch, bytes) else pickle.dumps(batch)
    (folder / "test_batch").write_bytes(content)
    monkeypatch.setitem(readers.CIFAR10_MD5, "test", {"test_batch": hashlib.md5(content).hexdigest()})


def test_cifar_batches_are_read_without_running_code(no_data: Path, monkeypatch: pytest.MonkeyPatch):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3072), dtype=np.uint8)
    write_cifar(no_data, monkeypatch, {"data": pixels, "labels": [0, 9, 3, 3]})
    loaded = data.load("cifar10", split="test")
    assert np.array_equal(loaded.images.numpy(), pixels.reshape(4, 3, 32, 32))
    assert [loaded.classes[i] for i in loaded.labels] == ["airplane", "truck", "cat", "cat"]


def test_a_batch_as_python_2_wrote_it(no_data: Path, monkeypatch: pytest.MonkeyPatch):
    """The published files hold Python 2 strings and name modules that numpy has since moved."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3072), dtype=np.uint8)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x02M\x00\x0c\x86"
        b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
    )
    content = b"\x80\x02}(U\x04data" + array + struct.pack("<I", pixels.size) + pixels.tobytes() + b"tb"
    write_cifar(no_data, monkeypatch, content + b"U\x06labels](K\x05K\x07eu.")
    loaded = data.load("cifar10", split="test")
    assert np.array_equal(loaded.images.numpy(), pixels.reshape(2, 3, 32, 32))
    assert loaded.labels.tolist() == [5, 7]


@pytest.mark.parametrize("batch", [Malicious(), {"data": Malicious(), "labels": [1]}, {"labels": [1]}, [1, 2]])
def test_a_malicious_or_malformed_batch_is_refused(no_data: Path, monkeypatch: pytest.MonkeyPatch, batch: object):
    write_cifar(no_data, monkeypatch, batch)
    with pytest.raises(DatasetUnavailable, match="is no CIFAR-10 batch"):
        data.load("cifar10", split="test")


def test_a_batch_of_another_checksum_is_refused(no_data: Path, monkeypatch: pytest.MonkeyPatch):
    write_cifar(no_data, monkeypatch, {"data": np.zeros((1, 3072), np.uint8), "labels": [0]})
    monkeypatch.setitem(readers.CIFAR10_MD5, "test", {"test_batch": "0" * 32})
    with pytest.raises(DatasetUnavailable, match=r"its MD5 is .*, not 0000"):
        data.load("cifar10", split="test")


# Folders of images --------------------------------------------------------------------------------------------------


def save(path: Path, size: tuple[int, int] = (6, 4), mode: str = "RGB", value: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 255)).save(path)


def test_a_folder_with_subfolders_has_classes(tmp_path: Path):
    save(tmp_path / "katzen ä/1.png")
    save(tmp_path / "dogs/1.png", mode="L")
    save(tmp_path / "dogs/2.PNG")
    (tmp_path / "dogs/notes.txt").write_text("no image")
    loaded = data.load(f"folder:{tmp_path}")
    assert loaded.images.shape == (3, 3, 4, 6)
    assert loaded.classes == ("dogs", "katzen ä")
    assert loaded.labels.tolist() == [0, 0, 1]
    assert loaded.images[0].unique().tolist() == [100]


def test_a_flat_folder_of_grey_images_has_one_class_and_one_channel(tmp_path: Path):
    save(tmp_path / "a.png", mode="L")
    save(tmp_path / "b.png", mode="L", size=(9, 9))
    with pytest.raises(ConfigError, match="images of 2 sizes"):
        data.load(f"folder:{tmp_path}")
    loaded = data.load(f"folder:{tmp_path}", size=5)
    assert loaded.images.shape == (2, 1, 5, 5)
    assert loaded.classes == (tmp_path.name,)


def test_what_is_no_image_is_named(tmp_path: Path):
    save(tmp_path / "good.png")
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "bad.png")
    content = (tmp_path / "bad.png").read_bytes()
    for damaged in (b"", b"not an image", content[:40], content[: len(content) // 2], content[: -len(content) // 9]):
        (tmp_path / "bad.png").write_bytes(damaged)
        with pytest.raises(DatasetUnavailable, match=r"bad\.png is missing or damaged") as caught:
            data.load(f"folder:{tmp_path}")
        assert "\n" not in str(caught.value)


def test_folders_without_images_are_refused(tmp_path: Path):
    with pytest.raises(DatasetUnavailable, match="holds no image files"):
        data.load(f"folder:{tmp_path}")
    with pytest.raises(DatasetUnavailable, match="is no folder"):
        data.load(f"folder:{tmp_path / 'none'}")
    with pytest.raises(ConfigError, match="split is 'test'"):
        data.load(f"folder:{tmp_path}", split="test")

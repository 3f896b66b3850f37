"""CIFAR-10 in miniature: read as published, and never running what a file asks for."""

import hashlib
import os
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest

from ganlab import data
from ganlab.data import known, readers
from ganlab.errors import DatasetUnavailable


@pytest.fixture
def no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANLAB_DATA", str(tmp_path))
    return tmp_path


class Malicious:
    def __reduce__(self):
        return os.abort, ()


def write_cifar(root: Path, monkeypatch: pytest.MonkeyPatch, batch: object) -> None:
    folder = root / readers.CIFAR10_FOLDER
    folder.mkdir(exist_ok=True)
    content = batch if isinstance(batch, bytes) else pickle.dumps(batch, protocol=4)
    (folder / "test_batch").write_bytes(content)
    monkeypatch.setitem(readers.CIFAR10_MD5, "test", {"test_batch": hashlib.md5(content).hexdigest()})


def test_cifar_batches_are_read_without_running_code(no_data: Path, monkeypatch: pytest.MonkeyPatch):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3072), dtype=np.uint8)
    write_cifar(no_data, monkeypatch, {"data": pixels, "labels": [0, 9, 3, 3]})
    loaded = data.load("cifar10", split="test")
    assert np.array_equal(loaded.images.numpy(), pixels.reshape(4, 3, 32, 32))
    assert [loaded.classes[i] for i in loaded.labels] == ["airplane", "truck", "cat", "cat"]


def test_batches_follow_each_other(no_data: Path, monkeypatch: pytest.MonkeyPatch):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 3072), dtype=np.uint8)
    (no_data / readers.CIFAR10_FOLDER).mkdir()
    checksums = {}
    for name, part in {"data_batch_1": slice(4), "data_batch_2": slice(4, 7)}.items():
        content = pickle.dumps({"data": pixels[part], "labels": list(range(7))[part]}, protocol=4)
        (no_data / readers.CIFAR10_FOLDER / name).write_bytes(content)
        checksums[name] = hashlib.md5(content).hexdigest()
    monkeypatch.setitem(readers.CIFAR10_MD5, "train", checksums)
    loaded = data.load("cifar10")
    assert np.array_equal(loaded.images.numpy(), pixels.reshape(7, 3, 32, 32))
    assert loaded.labels.tolist() == list(range(7))


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


def test_a_global_from_a_module_that_looks_like_numpys_is_refused(no_data: Path, monkeypatch: pytest.MonkeyPatch):
    for module, name in (("numpy_evil.multiarray", "_reconstruct"), ("numpy.testing", "rundocs"), ("os", "system")):
        write_cifar(no_data, monkeypatch, f"c{module}\n{name}\n.".encode())
        with pytest.raises(DatasetUnavailable, match=f"{module}.{name} is no array"):
            data.load("cifar10", split="test")


def test_the_checksums_are_torchvisions():
    from torchvision.datasets import CIFAR10, CIFAR100

    assert dict((*CIFAR100.train_list, *CIFAR100.test_list)) == known.CIFAR100
    for split, published in (("train", CIFAR10.train_list), ("test", CIFAR10.test_list)):
        assert list(readers.CIFAR10_MD5[split].items()) == [(name, md5) for name, md5 in published]


def test_the_status_of_cifar(no_data: Path, monkeypatch: pytest.MonkeyPatch):
    def state() -> str:
        return {found.name: found.state for found in data.status()}["cifar10"]

    (no_data / readers.CIFAR10_FOLDER).mkdir()
    assert state() == "absent"
    write_cifar(no_data, monkeypatch, {"data": np.zeros((1, 3072), np.uint8), "labels": [0]})
    assert state() == "damaged"
    monkeypatch.setitem(readers.CIFAR10_MD5, "train", readers.CIFAR10_MD5["test"])
    assert state() == "OK"


@pytest.mark.parametrize("name", readers.CIFAR10_ARCHIVES)
def test_batches_are_read_out_of_the_archive_that_they_come_in(
    no_data: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3072), dtype=np.uint8)
    write_cifar(no_data, monkeypatch, {"data": pixels, "labels": [0, 9, 3, 3]})
    monkeypatch.setitem(readers.CIFAR10_MD5, "train", readers.CIFAR10_MD5["test"])
    with tarfile.open(no_data / name, "w" if name.endswith(".tar") else "w:gz") as archive:
        archive.add(no_data / readers.CIFAR10_FOLDER, readers.CIFAR10_FOLDER)
    (no_data / readers.CIFAR10_FOLDER / "test_batch").unlink()
    assert np.array_equal(data.load("cifar10").images.numpy(), pixels.reshape(4, 3, 32, 32))
    assert {found.name: found.state for found in data.status()}["cifar10"] == "OK"
    assert list((no_data / readers.CIFAR10_FOLDER).iterdir()) == []
    monkeypatch.setitem(readers.CIFAR10_MD5, "test", {"test_batch": "0" * 32})
    with pytest.raises(DatasetUnavailable, match=f"{name}/test_batch is damaged: its MD5 is .*, not 0000"):
        data.load("cifar10", split="test")
    (no_data / name).write_bytes((no_data / name).read_bytes()[:200])
    with pytest.raises(DatasetUnavailable, match=f"{name} is cut off or damaged"):
        data.load("cifar10", split="test")


def test_a_batch_of_another_name_or_set_is_named(no_data: Path, monkeypatch: pytest.MonkeyPatch):
    write_cifar(no_data, monkeypatch, {"data": np.zeros((1, 3072), np.uint8), "labels": [0]})
    lying = readers.CIFAR10_MD5["test"]["test_batch"]
    monkeypatch.setitem(readers.CIFAR10_MD5, "test", {"test_batch": "0" * 32})
    monkeypatch.setitem(known._NAMES, lying, "CIFAR-100's test")
    with pytest.raises(DatasetUnavailable, match="test_batch is CIFAR-100's test, not what belongs there"):
        data.load("cifar10", split="test")

"""CelebA and LSUN in miniature, names and options."""

import hashlib
import io
from pathlib import Path

import lmdb
import pytest
from PIL import Image

from ganlab import data
from ganlab.data import readers
from ganlab.errors import ConfigError, DatasetUnavailable


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (178, 218)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG")
    return buffer.getvalue()


def test_celeba_in_miniature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    partition = "000001.jpg 0\n000002.jpg 2\n000003.jpg 0\n"
    (folder / "list_eval_partition.txt").write_text(partition)
    monkeypatch.setattr(readers, "CELEBA_PARTITION_MD5", hashlib.md5(partition.encode()).hexdigest())
    for i in (1, 2):
        (folder / f"img_align_celeba/00000{i}.jpg").write_bytes(jpeg((200, 0, 0)))
    assert data.load("celeba", root=tmp_path, split="test", size=64).images.shape == (1, 3, 64, 64)
    with pytest.raises(DatasetUnavailable, match=r"000003\.jpg is missing or damaged"):
        data.load("celeba", root=tmp_path, size=64)
    assert data.load("celeba", root=tmp_path, limit=1).images.shape == (1, 3, 218, 178)
    (folder / "list_eval_partition.txt").write_text(partition.replace("2\n", "0\n"))
    with pytest.raises(DatasetUnavailable, match=r"list_eval_partition\.txt is damaged"):
        data.load("celeba", root=tmp_path)


def test_lsun_in_miniature(tmp_path: Path):
    folder = tmp_path / "bedroom_train_lmdb"
    with lmdb.open(str(folder), map_size=2**20) as database, database.begin(write=True) as writer:
        for i in range(3):
            writer.put(f"{i}".encode(), jpeg((0, 100 * i, 0), (60, 40)))
    loaded = data.load("lsun/bedroom", root=tmp_path, size=16, limit=2)
    assert loaded.images.shape == (2, 3, 16, 16)
    assert loaded.classes == ("bedroom",)
    with lmdb.open(str(folder), map_size=2**20) as database, database.begin(write=True) as writer:
        writer.put(b"9", b"no jpeg")
    with pytest.raises(DatasetUnavailable, match="entry 9 is missing or damaged"):
        data.load("lsun/bedroom", root=tmp_path, size=16)
    (folder / "data.mdb").write_bytes(b"damaged")
    with pytest.raises(DatasetUnavailable, match="cannot be read"):
        data.load("lsun/bedroom", root=tmp_path, size=16)
    with pytest.raises(DatasetUnavailable, match="is not there"):
        data.load("lsun/kitchen", root=tmp_path)


@pytest.mark.parametrize("name", ["minst", "", "lsun/", "folder:", "MNIST"])
def test_an_unknown_name_lists_the_known_ones(name: str):
    with pytest.raises(ConfigError, match="give one of digits, mnist, fashion-mnist"):
        data.load(name)


@pytest.mark.parametrize("options", [{"split": "valid"}, {"size": 0}, {"size": 2.5}, {"limit": -1}])
def test_a_wrong_option_is_named(options: dict):
    with pytest.raises(ConfigError, match=str(next(iter(options)))):
        data.load("digits", **options)


def test_a_failed_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from torchvision import datasets

    def offline(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("Error downloading train-images-idx3-ubyte.gz\nmore lines")

    monkeypatch.setattr(datasets, "MNIST", offline)
    with pytest.raises(DatasetUnavailable, match="check the network") as caught:
        data.load("mnist", root=tmp_path, download=True)
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be downloaded"):
        data.load("digits", download=True)


def test_status_of_an_empty_root(tmp_path: Path):
    states = {found.name: found.state for found in data.status(tmp_path)}
    assert states.pop("digits") == "OK"
    assert set(states.values()) == {"absent"}

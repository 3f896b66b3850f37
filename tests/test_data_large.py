"""CelebA and LSUN in miniature."""

import hashlib
import io
import sys
from pathlib import Path

import lmdb
import pytest
from PIL import Image

from ganlab import data
from ganlab.data import readers
from ganlab.errors import DatasetUnavailable


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (178, 218)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG")
    return buffer.getvalue()


def state_of(name: str, root: Path) -> str:
    return {found.name: found.state for found in data.status(root)}[name]


def test_celeba_in_miniature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    partition = "000001.jpg 0\n000002.jpg 2\n000003.jpg 0\n"
    (folder / "list_eval_partition.txt").write_text(partition)
    monkeypatch.setattr(readers, "CELEBA_PARTITION_MD5", hashlib.md5(partition.encode()).hexdigest())
    for i in (1, 2):
        (folder / f"img_align_celeba/00000{i}.jpg").write_bytes(jpeg((200, 0, 0)))
    assert state_of("celeba", tmp_path) == "OK"
    assert data.load("celeba", root=tmp_path, split="test", size=64).images.shape == (1, 3, 64, 64)
    with pytest.raises(DatasetUnavailable, match=r"000003\.jpg is missing or damaged"):
        data.load("celeba", root=tmp_path, size=64)
    assert data.load("celeba", root=tmp_path, limit=1).images.shape == (1, 3, 218, 178)
    (folder / "list_eval_partition.txt").write_text(partition.replace("2\n", "0\n"))
    with pytest.raises(DatasetUnavailable, match=r"list_eval_partition\.txt is damaged"):
        data.load("celeba", root=tmp_path)
    (folder / "list_eval_partition.txt").unlink()
    assert state_of("celeba", tmp_path) == "damaged"


def test_lsun_in_miniature(tmp_path: Path):
    folder = tmp_path / "bedroom_train_lmdb"
    with lmdb.open(str(folder), map_size=2**20) as database, database.begin(write=True) as writer:
        for i in range(3):
            writer.put(f"{i}".encode(), jpeg((0, 100 * i, 0), (60, 40)))
    loaded = data.load("lsun/bedroom", root=tmp_path, size=16, limit=2)
    assert loaded.images.shape == (2, 3, 16, 16)
    assert loaded.classes == ("bedroom",)
    assert next(found for found in data.status(tmp_path) if found.name == "lsun").detail == "bedroom"
    with lmdb.open(str(folder), map_size=2**20) as database, database.begin(write=True) as writer:
        writer.put(b"9", b"no jpeg")
    with pytest.raises(DatasetUnavailable, match="entry 9 is missing or damaged"):
        data.load("lsun/bedroom", root=tmp_path, size=16)
    (folder / "data.mdb").write_bytes(b"damaged")
    with pytest.raises(DatasetUnavailable, match="cannot be read"):
        data.load("lsun/bedroom", root=tmp_path, size=16)
    with pytest.raises(DatasetUnavailable, match="is not there"):
        data.load("lsun/kitchen", root=tmp_path)


def test_an_empty_lsun_category_is_refused(tmp_path: Path):
    lmdb.open(str(tmp_path / "tower_val_lmdb"), map_size=2**20).close()
    with pytest.raises(DatasetUnavailable, match="lsun/tower holds no images"):
        data.load("lsun/tower", root=tmp_path, split="test")


def test_lsun_without_its_reader_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "tower_train_lmdb").mkdir()
    (tmp_path / "tower_train_lmdb/data.mdb").touch()
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(DatasetUnavailable, match="pip install lmdb"):
        data.load("lsun/tower", root=tmp_path)


def test_the_checksum_of_celebas_partition_is_torchvisions():
    from torchvision.datasets import CelebA

    md5 = {name: md5 for _, md5, name in CelebA.file_list}
    assert md5[Path(readers.CELEBA_PARTITION).name] == readers.CELEBA_PARTITION_MD5

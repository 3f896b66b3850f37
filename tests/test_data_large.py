"""CelebA and LSUN in miniature."""

import hashlib
import io
import struct
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
    return status_of(name, root)[0]


def status_of(name: str, root: Path) -> tuple[str, str]:
    return {found.name: (found.state, found.detail) for found in data.status(root)}[name]


def test_celeba_in_miniature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    partition = "000001.jpg 0\n000002.jpg 2\n000003.jpg 0\n"
    (folder / "list_eval_partition.txt").write_text(partition)
    monkeypatch.setattr(readers, "CELEBA_PARTITION_MD5", hashlib.md5(partition.encode()).hexdigest())
    for i in (1, 2):
        (folder / f"img_align_celeba/00000{i}.jpg").write_bytes(jpeg((200, 0, 0)))
    assert state_of("celeba", tmp_path) == "damaged"
    assert data.load("celeba", root=tmp_path, split="test", size=64).images.shape == (1, 3, 64, 64)
    with pytest.raises(DatasetUnavailable, match=r"000003\.jpg is missing or damaged"):
        data.load("celeba", root=tmp_path, size=64)
    assert data.load("celeba", root=tmp_path, limit=1).images.shape == (1, 3, 218, 178)
    (folder / "list_eval_partition.txt").write_text(partition.replace("2\n", "0\n"))
    with pytest.raises(DatasetUnavailable, match=r"list_eval_partition\.txt is damaged"):
        data.load("celeba", root=tmp_path)
    (folder / "list_eval_partition.txt").unlink()
    assert state_of("celeba", tmp_path) == "damaged"


@pytest.fixture
def small_celeba(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three faces, with the checksum that belongs to their list."""
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    partition = b"000001.jpg 0\n000002.jpg 2\n000003.jpg 0\n"
    (folder / "list_eval_partition.txt").write_bytes(partition)
    monkeypatch.setattr(readers, "CELEBA_PARTITION_MD5", hashlib.md5(partition).hexdigest())
    for i in (1, 2, 3):
        (folder / f"img_align_celeba/00000{i}.jpg").write_bytes(jpeg((200, 0, 0)))
    return folder


def test_the_status_of_celeba_says_what_was_looked_at(tmp_path: Path, small_celeba: Path):
    assert status_of("celeba", tmp_path) == ("OK", "3 faces are there, 3 of them were opened")
    (small_celeba / "img_align_celeba/000003.jpg").write_bytes(b"<!DOCTYPE html>")
    state, detail = status_of("celeba", tmp_path)
    assert state == "damaged"
    assert "000003.jpg is missing or damaged (no picture of a kind that is read here); get list_eval_part" in detail
    (small_celeba / "img_align_celeba/000003.jpg").unlink()
    assert status_of("celeba", tmp_path)[1].startswith(
        f"{small_celeba / 'img_align_celeba'} lacks 000003.jpg of 3; get"
    )
    (small_celeba / "list_eval_partition.txt").write_text("<!DOCTYPE html>quota exceeded")
    assert "list_eval_partition.txt is damaged" in status_of("celeba", tmp_path)[1]


def test_celeba_as_others_pack_it(tmp_path: Path, small_celeba: Path):
    """A folder in a folder of the same name, and a list with the line ends of Windows."""
    (small_celeba / "img_align_celeba").rename(small_celeba / "inner")
    (small_celeba / "img_align_celeba").mkdir()
    (small_celeba / "inner").rename(small_celeba / "img_align_celeba/img_align_celeba")
    listed = small_celeba / "list_eval_partition.txt"
    listed.write_bytes(listed.read_bytes().replace(b"\n", b"\r\n"))
    assert state_of("celeba", tmp_path) == "OK"
    assert len(data.load("celeba", root=tmp_path, size=8)) == 2


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("celeba", "celeba/img_align_celeba.zip"),
        ("celeba", "celeba/list_eval_partition.csv"),
        ("lsun", "bedroom_train_lmdb.zip"),
        ("cifar10", "cifar-10-binary.tar.gz"),
        ("cifar10", "cifar-10-batches-bin"),
        ("tfd", "TFD_96x96.mat"),
    ],
)
def test_another_form_of_a_set_is_named(tmp_path: Path, name: str, file: str):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).touch()
    state, detail = status_of(name, tmp_path)
    assert state == "absent"
    assert f"holds {Path(file).name}, which is not read; " in detail


def test_folders_and_files_in_each_others_place_are_damage_and_no_crash(tmp_path: Path, small_celeba: Path):
    for face in (small_celeba / "img_align_celeba").iterdir():
        face.unlink()
    (small_celeba / "img_align_celeba").rmdir()
    (small_celeba / "img_align_celeba").touch()
    (tmp_path / "bedroom_train_lmdb/data.mdb").mkdir(parents=True)
    assert "lacks 000001.jpg, 000003.jpg, 000002.jpg of 3; get" in status_of("celeba", tmp_path)[1]
    assert "data.mdb cannot be read (Is a directory)" in status_of("lsun", tmp_path)[1]


@pytest.fixture
def small_lsun(tmp_path: Path) -> Path:
    folder = tmp_path / "bedroom_train_lmdb"
    with lmdb.open(str(folder), map_size=2**20) as database, database.begin(write=True) as writer:
        for i in range(3):
            writer.put(f"{i}".encode(), jpeg((0, 100 * i, 0), (60, 40)))
    return folder


def test_lsun_in_miniature(tmp_path: Path, small_lsun: Path):
    loaded = data.load("lsun/bedroom", root=tmp_path, size=16, limit=2)
    assert loaded.images.shape == (2, 3, 16, 16)
    assert loaded.classes == ("bedroom",)
    assert data.load("lsun/bedroom", root=tmp_path, size=16, channels=1).images.shape == (3, 1, 16, 16)
    said = "bedroom_train; of each, the first 32 pictures at most were opened"
    assert status_of("lsun", tmp_path) == ("OK", said)
    with lmdb.open(str(small_lsun), map_size=2**20) as database, database.begin(write=True) as writer:
        writer.put(b"9", b"no jpeg")
    with pytest.raises(
        DatasetUnavailable,
        match=r"entry 9 is missing or damaged \(no picture of a kind that is read here\); get LSUN's bedroom again",
    ):
        data.load("lsun/bedroom", root=tmp_path, size=16)
    assert state_of("lsun", tmp_path) == "damaged"
    (small_lsun / "data.mdb").write_bytes(b"damaged")
    with pytest.raises(DatasetUnavailable, match="cannot be read: it is no LMDB database, or damaged; get LSUN's"):
        data.load("lsun/bedroom", root=tmp_path, size=16)
    assert state_of("lsun", tmp_path) == "damaged"
    with pytest.raises(DatasetUnavailable, match="is not there"):
        data.load("lsun/kitchen", root=tmp_path)


def test_a_category_that_is_cut_off_is_refused_before_it_ends_the_process(tmp_path: Path, small_lsun: Path):
    whole = (small_lsun / "data.mdb").read_bytes()
    with lmdb.open(str(small_lsun), readonly=True, lock=False) as database:
        used = (database.info()["last_pgno"] + 1) * database.stat()["psize"]
    for length in (used - 1, used // 2):
        (small_lsun / "data.mdb").write_bytes(whole[:length])
        with pytest.raises(
            DatasetUnavailable, match=f"is cut off: {length:,} of {used:,} bytes; get LSUN's bedroom again"
        ):
            data.load("lsun/bedroom", root=tmp_path)


@pytest.mark.parametrize(("said", "has"), [(2, "more"), (4, "3"), (10**6, "3")])
def test_a_category_of_more_or_fewer_pictures_than_it_says_is_refused(
    tmp_path: Path, small_lsun: Path, said: int, has: str
):
    """As a damaged page gives: a part of the set is never taken for the whole."""
    content = bytearray((small_lsun / "data.mdb").read_bytes())
    with lmdb.open(str(small_lsun), readonly=True, lock=False) as database:
        page = database.stat()["psize"]
    for at in (entries := 16 + 24 + 48 + 32, page + entries):  # of the main database, in each of two headers
        if struct.unpack_from("<Q", content, at) == (3,):
            struct.pack_into("<Q", content, at, said)
    (small_lsun / "data.mdb").write_bytes(content)
    line = f"says that it holds {said:,} pictures, and has {has}; get LSUN's bedroom again"
    with pytest.raises(DatasetUnavailable, match=line):
        data.load("lsun/bedroom", root=tmp_path, size=8)
    assert len(data.load("lsun/bedroom", root=tmp_path, size=8, limit=1)) == 1


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

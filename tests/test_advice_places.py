"""What is said of files, downloads and disks that are not as they should be, done.

What this machine has not, such as a full disk, a file that its user may not read, or no network, is played by a
stand-in; doing what the message says takes it away.
"""

import builtins
import errno
import hashlib
import io
import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lmdb
import pytest
import torchvision
from own import refusal
from PIL import Image
from test_data_large import jpeg
from test_data_tfd import write as write_tfd
from tiny import run, tiny_trainer

from ganlab import data, models
from ganlab.data import pictures, readers, tfd
from ganlab.experiments import records
from ganlab.models import classifier

ROOT = Path(__file__).parents[1]


class Forbidden:
    """Paths that their user may not read: root, who may read all, gets the error that others get."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths: set[Path] = set()
        for module, name in ((io, "open"), (builtins, "open"), (os, "scandir"), (os, "listdir")):
            monkeypatch.setattr(module, name, self._guarded(getattr(module, name)))

    def _guarded(self, use: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(path: Any, *args: Any, **options: Any) -> Any:
            if not isinstance(path, int) and Path(os.fsdecode(path)) in self.paths:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return use(path, *args, **options)

        return guarded


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> Forbidden:
    return Forbidden(monkeypatch)


def lsun(root: Path) -> Path:
    """A category of one picture; where its content lies."""
    folder = root / "bedroom_train_lmdb"
    folder.mkdir(parents=True)
    with lmdb.open(str(folder)) as database, database.begin(write=True) as writer:
        writer.put(b"0", jpeg((0, 0, 200), (8, 8)))
    return folder / "data.mdb"


def celeba(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One face; the list of all faces."""
    (root / readers.CELEBA_IMAGES).mkdir(parents=True)
    (root / readers.CELEBA_IMAGES / "000001.jpg").write_bytes(jpeg((200, 0, 0)))
    listed = root / readers.CELEBA_PARTITION
    listed.write_bytes(b"000001.jpg 0\n")
    monkeypatch.setattr(readers, "CELEBA_PARTITION_MD5", hashlib.md5(listed.read_bytes()).hexdigest())
    return listed


def test_what_is_made_readable_is_read(tmp_path: Path, forbidden: Forbidden):
    folder = tmp_path / "cats"
    folder.mkdir()
    Image.new("L", (4, 4)).save(folder / "a.png")
    places: dict[Path, str] = {folder: f"folder:{tmp_path}", lsun(tmp_path): "lsun/bedroom"}
    for place, name in places.items():
        forbidden.paths = {place}
        assert "(Permission denied); make it readable" in refusal(lambda name=name: data.load(name, root=tmp_path))
        forbidden.paths = set()
        assert len(data.load(name, root=tmp_path)) == 1


def test_what_is_made_readable_for_all_is_read_by_one_who_is_not_root(tmp_path: Path):
    """Where root runs the tests, as others do in a container, the rights are taken away for real from nobody."""
    (tmp_path / "cats").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "cats/a.png")
    (tmp_path / "cats").chmod(0)
    try:
        readable = os.access(tmp_path / "cats", os.R_OK)
        if not readable:
            assert "make it readable" in refusal(lambda: data.load(f"folder:{tmp_path}"))
    finally:
        (tmp_path / "cats").chmod(stat.S_IRWXU)
    assert len(data.load(f"folder:{tmp_path}")) == 1


def test_the_authors_of_a_set_are_asked_and_what_they_send_is_put_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    line = refusal(lambda: data.load("tfd", root=tmp_path))
    assert f"ask its authors for {tfd.FILE} (it is handed out on request only) and put it there" in line
    write_tfd(tmp_path)
    assert len(data.load("tfd", root=tmp_path)) == 10
    listed = tmp_path / readers.CELEBA_PARTITION
    line = refusal(lambda: data.load("celeba", root=tmp_path))
    assert "get list_eval_partition.txt and img_align_celeba.zip from CelebA's authors, and unpack" in line
    assert celeba(tmp_path, monkeypatch) == listed
    assert len(data.load("celeba", root=tmp_path)) == 1
    advice = {found.name: found.detail for found in data.status(tmp_path)}["lsun"]
    assert "get the zip archives of LSUN's categories from its authors, and unpack them there" in advice
    line = refusal(lambda: data.load("lsun/bedroom", root=tmp_path))
    assert "get LSUN's bedroom in LMDB form" in line
    sent = lsun(tmp_path / "sent").parent
    archive = shutil.make_archive(str(tmp_path / "bedroom_train_lmdb"), "zip", sent.parent, sent.name)
    shutil.unpack_archive(archive, tmp_path)
    assert len(data.load("lsun/bedroom", root=tmp_path)) == 1


def test_a_cut_off_category_is_got_again(tmp_path: Path):
    place = lsun(tmp_path)
    whole = place.read_bytes()
    place.write_bytes(whole[: len(whole) // 2])
    assert "get LSUN's bedroom again" in refusal(lambda: data.load("lsun/bedroom", root=tmp_path))
    place.write_bytes(whole)
    assert len(data.load("lsun/bedroom", root=tmp_path)) == 1


def test_the_reader_of_a_set_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lsun(tmp_path)
    monkeypatch.setitem(sys.modules, "lmdb", None)
    assert refusal(lambda: data.load("lsun/bedroom", root=tmp_path)).endswith("run: pip install lmdb")
    monkeypatch.setitem(sys.modules, "lmdb", lmdb)
    assert len(data.load("lsun/bedroom", root=tmp_path)) == 1


class Network:
    """In the place of torchvision's downloads: down, or giving a file of CIFAR-10's to whoever asks."""

    up = False

    def __call__(self, root: Path, *, download: bool) -> None:
        assert download
        if not self.up:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        if (root / "cifar10").exists():
            raise RuntimeError("File not found or corrupted.")
        (root / "cifar10").touch()


def test_the_network_is_checked_and_what_is_damaged_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    network = Network()
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", network)

    def got() -> None:
        data.load("cifar10", root=tmp_path, download=True)

    line = refusal(got)
    assert "Network is unreachable" in line
    assert "check the network, delete what is damaged there, or put the files there yourself" in line
    network.up = True
    assert "cannot be read (No such file" in refusal(got)  # such a download gives nothing that is read
    assert (tmp_path / "cifar10").exists()
    assert "corrupted.); check the network, delete what is damaged there" in refusal(got)
    (tmp_path / "cifar10").unlink()
    assert "cannot be read (No such file" in refusal(got)
    assert "these can: mnist, fashion-mnist, stacked-mnist, cifar10, celeba" in refusal(
        lambda: data.load("tfd", download=True)
    )


class Disk:
    """A disk that is full until something is deleted from it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, filler: Path) -> None:
        self.filler, self.sync = filler, os.fsync
        filler.touch()
        monkeypatch.setattr(os, "fsync", self)

    def __call__(self, file: int) -> None:
        if self.filler.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.sync(file)


def test_space_is_freed_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place = tmp_path / "run.ckpt"
    run(trainer := tiny_trainer(), steps=2)
    trainer.save(place)
    run(trainer, steps=4)
    Disk(monkeypatch, tmp_path / "films")
    line = refusal(lambda: trainer.save(place))
    assert "No space left on device); free some space or give another place. What was there before is kept" in line
    assert (again := tiny_trainer()).resume(place)
    assert again.step == 2
    (tmp_path / "films").unlink()
    trainer.save(place)
    assert (again := tiny_trainer()).resume(place)
    assert again.step == 4


def test_pictures_that_take_too_much_memory_are_made_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    pixels = pictures._pixels

    def in_little_memory(image: Any, size: int | None, channels: int | None) -> Any:
        if size is not None and size > 8:
            raise MemoryError
        return pixels(image, size, channels)

    monkeypatch.setattr(pictures, "_pixels", in_little_memory)
    line = refusal(lambda: data.load(f"folder:{tmp_path}", size=16))
    assert "at a size of 16 takes more memory than there is; give a smaller one" in line
    assert data.load(f"folder:{tmp_path}", size=8).images.shape == (1, 1, 8, 8)


def test_a_record_is_restored_from_the_repository(tmp_path: Path, forbidden: Forbidden):
    place = tmp_path / "mode-counts.json"
    kept = ROOT / records.FOLDER / "mode-counts.json"
    place.write_text("no JSON", encoding="utf-8")
    assert "is no JSON; restore it from the repository" in refusal(lambda: records.read("mode-counts", tmp_path))
    shutil.copy(kept, place)
    forbidden.paths = {place}
    line = refusal(lambda: records.read("mode-counts", tmp_path))
    assert "cannot be read (Permission denied); restore it from the repository" in line
    forbidden.paths = set()
    assert records.read("mode-counts", tmp_path) == records.read("mode-counts", kept.parent)


def test_ganlab_is_installed_again_where_its_weights_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "digits.safetensors").symlink_to(tmp_path / "deleted")
    installed = classifier.WEIGHTS
    monkeypatch.setattr(classifier, "WEIGHTS", tmp_path)
    assert "install ganlab again" in refusal(lambda: models.trained("digits"))
    monkeypatch.setattr(classifier, "WEIGHTS", installed)
    assert models.trained("digits").info is not None

"""Image sets where the machine lacks something: memory, rights, a home folder, quiet from other threads.

What lacks is played by a stand-in; where it is there again, the same files are read.
"""

import bz2
import os
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch
import torchvision
from made_mnist import written
from made_pictures import file, save
from own import refusal
from PIL import Image, ImageFile
from test_advice_places import Forbidden, lsun
from test_data_tfd import write as write_tfd
from torch.nn import functional

from ganlab import data, doctor
from ganlab.data import mnist
from ganlab.data.files import read_bytes, unpacked
from ganlab.data.pictures import decoded, open_picture, stack

NO_MEMORY = "takes more memory than there is; end other programs, or use a machine that has more"


def out_of_memory(*_arguments: object, **_options: object) -> None:
    raise MemoryError


def by_the_decoder(*_arguments: object, **_options: object) -> None:
    raise OSError("out of memory error when reading image file")


@pytest.mark.parametrize("fail", [out_of_memory, by_the_decoder])
def test_a_good_picture_without_memory_is_not_to_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail: Callable[..., None]
):
    save(tmp_path / "a.png")
    with monkeypatch.context() as patch:
        patch.setattr(ImageFile.ImageFile, "load", fail)
        assert refusal(lambda: data.load(f"folder:{tmp_path}")) == f"{tmp_path / 'a.png'} {NO_MEMORY}."
    assert len(data.load(f"folder:{tmp_path}")) == 1


def test_a_good_file_without_memory_is_not_to_be_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    content = bz2.compress(b"content")
    (tmp_path / "a").write_bytes(content)
    write_tfd(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", out_of_memory)
        patch.setattr(bz2.BZ2File, "read", out_of_memory)
        patch.setattr(scipy.io, "loadmat", out_of_memory)
        for read in (read_bytes, open_picture, lambda path: unpacked(path, content)):
            assert refusal(lambda read=read: read(tmp_path / "a")) == f"{tmp_path / 'a'} {NO_MEMORY}."
        assert NO_MEMORY in refusal(lambda: data.load("tfd", root=tmp_path))
    assert unpacked(tmp_path / "a", read_bytes(tmp_path / "a")) == b"content"
    assert len(data.load("tfd", root=tmp_path)) > 0


def test_pictures_are_read_in_several_threads_and_the_terminal_is_left_as_it_was():
    """While a TIFF is decoded the process's error output and its warnings are put aside: once each, and back."""
    content = file(Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)), "TIFF")
    before, filters, interval = os.fstat(2), list(warnings.filters), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=lambda: [decoded(content, "x") for _ in range(200)]) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after = os.fstat(2)
    finally:
        sys.setswitchinterval(interval)
    assert (after.st_dev, after.st_ino) == (before.st_dev, before.st_ino)
    assert warnings.filters == filters


@pytest.fixture
def unentered(monkeypatch: pytest.MonkeyPatch) -> Forbidden:
    """Paths that may not even be looked at, as below a folder that may be listed and not entered."""
    forbidden = Forbidden(monkeypatch)
    monkeypatch.setattr(os, "stat", forbidden._guarded(os.stat))
    return forbidden


def state_of(name: str, root: Path) -> tuple[str, str]:
    return {found.name: (found.state, found.detail) for found in data.status(root)}[name]


@pytest.fixture
def small_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five images of MNIST under a root, with the checksums that belong to them."""
    five = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8), np.arange(5)
    monkeypatch.setattr(mnist, "MNIST", written(tmp_path, five, five))
    return tmp_path


def test_a_folder_of_mnist_that_may_not_be_entered_is_said_and_no_crash(small_mnist: Path, unentered: Forbidden):
    unentered.paths = set((small_mnist / "MNIST/raw").iterdir())
    closed = "train-images-idx3-ubyte cannot be read (Permission denied); make it readable."
    for read in (lambda: data.load("mnist", root=small_mnist), lambda: data.default_images(small_mnist)):
        assert refusal(read) == f"{small_mnist / 'MNIST/raw'}/{closed}"
    assert state_of("mnist", small_mnist) == ("damaged", f"{small_mnist / 'MNIST/raw'}/{closed}")
    assert any(check.detail.endswith(closed) for check in doctor.examine(small_mnist))
    unentered.paths = {small_mnist / "MNIST/raw"}
    assert state_of("mnist", small_mnist)[1].endswith("MNIST/raw cannot be read (Permission denied); make it readable.")
    unentered.paths = set()
    assert state_of("mnist", small_mnist)[0] == "OK"


def test_a_category_of_lsun_that_may_not_be_entered_is_not_absent(tmp_path: Path, unentered: Forbidden):
    content = lsun(tmp_path)
    for closed in (content, content.parent):
        unentered.paths = {content, closed}
        said = f"{content} cannot be read (Permission denied); make it readable."
        assert state_of("lsun", tmp_path) == ("damaged", said)
    unentered.paths = set()
    assert state_of("lsun", tmp_path)[0] == "OK"


def test_a_picture_that_may_not_be_read_is_not_to_be_removed(tmp_path: Path, unentered: Forbidden):
    save(tmp_path / "a.png")
    unentered.paths = {tmp_path / "a.png"}
    said = f"{tmp_path / 'a.png'} cannot be read (Permission denied); make it readable."
    assert refusal(lambda: open_picture(tmp_path / "a.png")) == said
    unentered.paths = set()
    assert open_picture(tmp_path / "a.png").size == (6, 4)


@pytest.mark.parametrize("home", [True, False])
def test_a_root_that_is_given_needs_no_usual_one(small_mnist: Path, monkeypatch: pytest.MonkeyPatch, home: bool):
    """The variable names a home that is not there, or the user, as in some containers, has none."""

    def none(_path: object = None) -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("GANLAB_DATA", "~a user who is not there/images" if home else "")
    if not home:
        monkeypatch.setattr(Path, "expanduser", lambda path: none() if str(path).startswith("~") else path)
        monkeypatch.setattr(Path, "home", none)
    assert "give the path of a folder" in refusal(lambda: data.load("mnist"))
    assert len(data.load("mnist", root=small_mnist)) == 5
    assert data.default_images(small_mnist).name == "mnist"
    assert data.default_images(small_mnist / "none").note == f" (no MNIST in {small_mnist / 'none'})"
    assert {check.name: check.ok for check in doctor.examine(small_mnist)}["mnist"]
    call = f"data.load('cifar10', root={str(small_mnist)!r}, download=True) gets it"
    assert state_of("cifar10", small_mnist) == ("absent", f"optional; {call}")


@pytest.mark.parametrize("name", ["mnist", "stacked-mnist"])
def test_what_is_there_is_not_got_again(small_mnist: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    """Without a network, in a folder where torchvision does not look for it."""

    def offline(*_arguments: object, **_options: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.datasets, "MNIST", offline)
    (small_mnist / "MNIST/raw").rename(small_mnist / "mnist")
    (small_mnist / "MNIST").rmdir()
    got = data.load(name, root=small_mnist, download=True, limit=2)
    assert torch.equal(got.images, data.load(name, root=small_mnist, limit=2).images)
    labels = small_mnist / "mnist/t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1])
    assert "check the network" in refusal(lambda: data.load(name, root=small_mnist, download=True))


def test_a_size_that_takes_too_much_memory_is_made_smaller(monkeypatch: pytest.MonkeyPatch):
    interpolate = functional.interpolate

    def in_little_memory(images: torch.Tensor, size: tuple[int, int], **options) -> torch.Tensor:
        if size[0] > 16:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory")
        return interpolate(images, size, **options)

    assert refusal(lambda: data.load("digits", size=2**40)).endswith("; give an integer of 1 … 12,247, or None.")
    with monkeypatch.context() as patch:
        patch.setattr(functional, "interpolate", in_little_memory)
        line = refusal(lambda: data.load("digits", size=32, limit=1))
        assert line == "digits at a size of 32 takes more memory than there is; give a smaller one."
        assert data.load("digits", size=16, limit=1).images.shape == (1, 1, 16, 16)
    with monkeypatch.context() as patch:
        patch.setattr(np, "empty", out_of_memory)
        line = refusal(lambda: data.load("digits", size=12_000))
        assert line == "digits takes 202 GiB, more than there is; give a smaller size, or a limit."
    assert data.load("digits", size=32, limit=1).images.shape == (1, 1, 32, 32)


def test_pictures_beyond_every_machine_are_refused_as_those_beyond_this_one():
    line = refusal(lambda: stack([Image.new("L", (4, 4))], 2**62, "x"))
    assert line.endswith("GiB, more than there is; give a smaller size, or a limit.")

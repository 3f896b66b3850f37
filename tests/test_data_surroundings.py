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
from made_pictures import file, save
from own import refusal
from PIL import Image, ImageFile
from test_data_tfd import write as write_tfd

from ganlab import data
from ganlab.data.files import read_bytes, unpacked
from ganlab.data.pictures import decoded, open_picture

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

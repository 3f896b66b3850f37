"""Paths as people have them: of any bytes, without their prefix, or none at all."""

import os
import re
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganlab import data
from ganlab.errors import ConfigError, DatasetUnavailable


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names of files are Unicode on this system")
def test_a_path_that_is_no_utf8_is_read_and_can_be_printed(tmp_path: Path):
    place = Path(os.fsdecode(os.fsencode(tmp_path) + b"/k\xe4tzchen"))
    place.mkdir()
    Image.new("RGB", (6, 4)).save(place / "w\udce4scht.png")
    loaded = data.load(f"folder:{place}")
    assert loaded.description.encode().endswith(b"k\\xe4tzchen: 1 colour images of 4\xc3\x976 pixels")
    assert loaded.classes == ("k\\xe4tzchen",)
    assert torch.equal(data.load(loaded.name).images, loaded.images)
    (place / "w\udce4scht.png").write_bytes(b"no picture")
    with pytest.raises(DatasetUnavailable) as caught:
        data.load(f"folder:{place}")
    assert (
        str(caught.value)
        .encode()
        .endswith(
            b"w\\xe4scht.png is missing or damaged (no picture of a kind that is read here); remove it or get it again."
        )
    )


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "~a user who is not there/pictures"])
def test_what_can_be_no_path_is_named(path: str):
    with pytest.raises(ConfigError, match=r"folder is .*; give the path of a folder"):
        data.load(f"folder:{path}")


def test_a_folder_given_without_its_prefix_is_recognised(tmp_path: Path):
    with pytest.raises(ConfigError, match=re.escape(f"for a folder of your own, give 'folder:{tmp_path}'")):
        data.load(str(tmp_path))

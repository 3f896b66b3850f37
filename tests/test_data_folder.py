"""Folders of pictures: all of them are read, or it is said which cannot be."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab import data
from ganlab.errors import ConfigError, DatasetUnavailable


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
    (tmp_path / "file").touch()
    for name, why in (("none", "No such file"), ("file", "Not a directory")):
        with pytest.raises(DatasetUnavailable, match=f"{name} cannot be read .{why}"):
            data.load(f"folder:{tmp_path / name}")
    with pytest.raises(ConfigError, match="split is 'test'"):
        data.load(f"folder:{tmp_path}", split="test")


def test_a_folder_inside_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Walking a tree passes over such folders by default: a part of the set would be taken for the whole."""
    save(tmp_path / "open/1.png")
    save(tmp_path / "closed/1.png")
    scandir = os.scandir

    def refuse(place: str | Path) -> object:
        if Path(place).name == "closed":
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DatasetUnavailable, match=r"closed cannot be read \(Permission denied\)"):
        data.load(f"folder:{tmp_path}")


def test_what_lies_beside_the_images_makes_no_class(tmp_path: Path):
    save(tmp_path / "1.png")
    save(tmp_path / ".ipynb_checkpoints/1.png")
    (tmp_path / "._1.png").write_bytes(b"a companion file of macOS")
    (tmp_path / "empty").mkdir()
    loaded = data.load(f"folder:{tmp_path}")
    assert (len(loaded), loaded.classes) == (1, (tmp_path.name,))
    save(tmp_path / "cats/1.png")
    with pytest.raises(ConfigError, match=r"both in itself \(1\.png\) and in subfolders"):
        data.load(f"folder:{tmp_path}")


def test_the_first_images_alone_are_opened(tmp_path: Path):
    for name in ("a/1", "b/2", "b/3"):
        save(tmp_path / f"{name}.png")
    (tmp_path / "b/3.png").write_bytes(b"never opened")
    loaded = data.load(f"folder:{tmp_path}", limit=2)
    assert loaded.labels.tolist() == [0, 1]


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_every_kind_of_grey_has_one_channel(tmp_path: Path, mode: str):
    Image.fromarray(np.array([[0, 255]], dtype=np.uint8)).convert(mode).save(tmp_path / "a.png")
    assert data.load(f"folder:{tmp_path}").images.tolist() == [[[[0, 255]]]]


def test_pixels_of_sixteen_bits_are_refused_not_clipped(tmp_path: Path):
    Image.fromarray(np.array([[0, 32768]], dtype=np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(DatasetUnavailable, match=r"deep\.png has pixels of mode I;16"):
        data.load(f"folder:{tmp_path}")


def test_a_picture_that_claims_to_be_huge_is_refused(tmp_path: Path):
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    (tmp_path / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    with pytest.raises(DatasetUnavailable, match=r"huge\.png is missing or damaged \(Image size"):
        data.load(f"folder:{tmp_path}")

"""Folders of pictures: every one is read, or refused by name, or counted and named."""

import os
import re
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_pictures import save
from PIL import Image

from ganlab import data
from ganlab.errors import ConfigError, DatasetUnavailable


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


@pytest.mark.parametrize("mode", ["1", "L", "LA"])
def test_every_kind_of_grey_has_one_channel(tmp_path: Path, mode: str):
    Image.fromarray(np.array([[0, 255]], dtype=np.uint8)).convert(mode).save(tmp_path / "a.png")
    assert data.load(f"folder:{tmp_path}").images.tolist() == [[[[0, 255]]]]


# Every picture is loaded, or refused by name, or counted and named --------------------------------------------------


READ = {
    "JPEG": (".jfif", ".jpe", ".jpeg", ".JPG"),
    "JPEG2000": (".jp2", ".j2k", ".jpx"),
    "PNG": (".apng",),
    "TIFF": (".TIF", ".tiff"),
    "PPM": (".ppm", ".pnm"),
    "SGI": (".rgb",),
    "BMP": (".Bmp",),
    **{
        kind: (f".{kind.lower()}",) for kind in ("GIF", "AVIF", "MPO", "TGA", "QOI", "PCX", "DIB", "ICO", "WEBP", "DDS")
    },
}


def test_pictures_of_every_suffix_are_read(tmp_path: Path):
    for kind, suffixes in READ.items():
        for suffix in suffixes:
            Image.new("RGB", (16, 16), (9, 99, 199)).save(tmp_path / f"a{suffix}", kind)
    loaded = data.load(f"folder:{tmp_path}")
    assert len(loaded) == sum(map(len, READ.values()))
    assert loaded.note == ""
    middle = loaded.images[:, :, 8, 8].numpy().astype(int)
    assert np.abs(middle - [9, 99, 199]).max() <= 6


def test_a_name_without_a_suffix_is_a_picture_if_its_content_is_one(tmp_path: Path):
    """As a browser's cache and some chats keep them; a viewer shows them."""
    for name, kind in {"IMG_2041": "JPEG", "a3f09c": "PNG", "cover": "WEBP"}.items():
        Image.new("RGB", (16, 16), (9, 99, 199)).save(tmp_path / name, kind)
    for name, other in {"LICENSE": b"Do as you like.", "empty": b"", "paper": b"%PDF-1.4 1 0 obj"}.items():
        (tmp_path / name).write_bytes(other)
    os.mkfifo(tmp_path / "pipe")
    assert len(data.load(f"folder:{tmp_path}")) == 3
    (tmp_path / "cut").write_bytes((tmp_path / "IMG_2041").read_bytes()[:300])
    with pytest.raises(DatasetUnavailable, match="cut is missing or damaged"):
        data.load(f"folder:{tmp_path}")


@pytest.mark.parametrize(
    "name", ["a.jpg_large", "a.jpg?w=200", "0001.0", "v1.2 render", "a.png ", "a.", "image.php", "a.jpg.download"]
)
def test_a_picture_under_another_suffix_is_one(tmp_path: Path, name: str):
    """As downloads and numbered copies are called; a viewer shows them when it is told to."""
    Image.new("RGB", (16, 16), (9, 99, 199)).save(tmp_path / name, "PNG")
    save(tmp_path / "b.png", (16, 16))
    (tmp_path / "caption.txt").write_bytes((tmp_path / name).read_bytes())  # a text by its name is not looked into
    (tmp_path / "notes.odd").write_text("no picture")
    loaded = data.load(f"folder:{tmp_path}")
    assert len(loaded) == 2
    assert loaded.note == ""


def test_archives_beside_pictures_are_named(tmp_path: Path):
    save(tmp_path / "a.png")
    (tmp_path / "more.zip").write_bytes(b"PK")
    with pytest.warns(UserWarning, match=r"archives passed over \(more.zip: unpack them\)"):
        assert len(data.load(f"folder:{tmp_path}")) == 1


@pytest.mark.parametrize("suffix", [".heic", ".HEIF", ".jxl", ".svg", ".pdf", ".eps", ".CR2", ".dng", ".wmf", ".mpg"])
def test_pictures_without_a_reader_are_counted_and_named(tmp_path: Path, suffix: str):
    (tmp_path / f"1{suffix}").write_bytes(b"....ftypheic")
    with pytest.raises(DatasetUnavailable, match=f"can be read, but 1 {suffix.lower()}; convert them to PNG or JPEG"):
        data.load(f"folder:{tmp_path}")
    save(tmp_path / "2.png")
    said = f"1 of 2 pictures passed over (1 {suffix.lower()}: convert them to PNG or JPEG)"
    with pytest.warns(UserWarning, match=re.escape(said)):
        loaded = data.load(f"folder:{tmp_path}")
    assert len(loaded) == 1
    assert loaded.description.endswith(f": 1 colour images of 4×6 pixels; {said}")


@given(names=st.sets(st.tuples(st.sampled_from("ab"), st.integers(0, 99), st.sampled_from([".png", ".heic", ".txt"]))))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_picture_is_left_out_without_a_word(tmp_path: Path, names: set[tuple[str, int, str]]):
    with tempfile.TemporaryDirectory(dir=tmp_path) as place:
        for folder, number, suffix in {*names, ("a", 100, ".png")}:
            save(Path(place, folder, f"{number}{suffix}.png"), mode="L")
            Path(place, folder, f"{number}{suffix}.png").rename(Path(place, folder, f"{number}{suffix}"))
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            loaded = data.load(f"folder:{place}")
        left_out = sum(suffix == ".heic" for *_, suffix in names)
        assert len(loaded) == 1 + sum(suffix == ".png" for *_, suffix in names)
        assert (f"{left_out} of {len(loaded) + left_out} pictures passed over" in loaded.note) == (left_out > 0)
        assert [str(one.message) for one in said] == [f"folder:{place}{loaded.note}"] * (left_out > 0)


def test_an_archive_in_place_of_pictures_is_to_be_unpacked(tmp_path: Path):
    (tmp_path / "faces.zip").touch()
    with pytest.raises(DatasetUnavailable, match=r"holds no image files, but faces\.zip; unpack it"):
        data.load(f"folder:{tmp_path}")


def test_links_that_loop_or_meet_give_no_picture_twice(tmp_path: Path):
    """The folder counts under its own name, even where a link to it comes first."""
    save(tmp_path / "b/1.png")
    (tmp_path / "b/top").symlink_to(tmp_path)
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b/self").symlink_to(tmp_path / "b/self")
    with pytest.warns(UserWarning, match=r"a link leads to a second time passed over \(a, b/top\)"):
        loaded = data.load(f"folder:{tmp_path}")
    assert (len(loaded), loaded.classes) == (1, ("b",))


@pytest.mark.parametrize("backwards", [False, True])
def test_which_of_two_links_counts_does_not_depend_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backwards: bool
):
    """File systems list a folder in orders of their own."""

    class Listed(list):
        def __enter__(self) -> "Listed":
            return self

        def __exit__(self, *_error: object) -> None:
            pass

    scandir = os.scandir
    ordered = lambda place: Listed(sorted(scandir(place), key=lambda entry: entry.name, reverse=backwards))  # noqa: E731
    save(tmp_path / "elsewhere/1.png")
    save(tmp_path / "set/m/1.png")
    for name in "az":
        (tmp_path / "set" / name).symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr(os, "scandir", ordered)
    with pytest.warns(UserWarning, match=r"a second time passed over \(z\)"):
        assert data.load(f"folder:{tmp_path / 'set'}").classes == ("a", "m")


def test_links_to_pictures_and_folders_elsewhere_are_followed(tmp_path: Path):
    save(tmp_path / "store/1.png")
    (tmp_path / "set/cats").mkdir(parents=True)
    (tmp_path / "set/cats/2.png").symlink_to(tmp_path / "store/1.png")
    (tmp_path / "set/dogs").symlink_to(tmp_path / "store")
    loaded = data.load(f"folder:{tmp_path / 'set'}")
    assert (loaded.classes, loaded.labels.tolist(), loaded.note) == (("cats", "dogs"), [0, 1], "")


def test_grey_or_colour_as_one_wishes(tmp_path: Path):
    save(tmp_path / "a.png")
    save(tmp_path / "b.png", mode="L")
    with Image.open(tmp_path / "a.png") as image:
        grey = np.asarray(image.convert("L"))
    for channels, shape in ((None, (2, 3, 4, 6)), (3, (2, 3, 4, 6)), (1, (2, 1, 4, 6))):
        loaded = data.load(f"folder:{tmp_path}", channels=channels)
        assert loaded.images.shape == shape
        if channels == 1:
            assert np.array_equal(loaded.images[0, 0].numpy(), grey)

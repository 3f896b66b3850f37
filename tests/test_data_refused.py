"""Picture files that are refused, by name, before they are decoded where that matters; and the tensor they make."""

import io
import os
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_pictures import file, png, tiff
from PIL import Image

from ganlab import data
from ganlab.data import pictures
from ganlab.data.depth import is_deep
from ganlab.data.pictures import decoded, stack
from ganlab.errors import ConfigError, DatasetUnavailable

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)


def deep_png(colour_type: int, channels: int) -> bytes:
    return png((4, 4), 16, colour_type, (b"\0" + np.full((4, channels), 40_000, ">u2").tobytes()) * 4)


def deep_tiff(photometric: int, channels: int, packed: bool) -> bytes:
    strip = np.full((4, 4, channels), 40_000, "<u2").tobytes()
    extra = {338: [2]} if channels == 4 and photometric != 5 else {}
    tags = {256: [4], 257: [4], 258: [16] * channels, 259: [8 if packed else 1], 262: [photometric], 277: [channels]}
    return tiff(tags | extra, zlib.compress(strip) if packed else strip)


def high_jpeg2000() -> bytes:
    content = bytearray(file(Image.fromarray(COLOURS), "JPEG2000"))
    at = content.index(b"\xff\x4f\xff\x51") + 42
    content[at : at + 9 : 3] = bytes([11] * 3)
    return bytes(content)


DEEP = {
    "grey PNG": lambda: deep_png(0, 1),
    "colour PNG": lambda: deep_png(2, 3),
    "grey PNG with opacity": lambda: deep_png(4, 2),
    "colour PNG with opacity": lambda: deep_png(6, 4),
    **{
        f"{name} TIFF{', packed' * packed}": lambda kind=kind, n=n, packed=packed: deep_tiff(kind, n, packed)
        for name, kind, n in (("grey", 1, 1), ("colour", 2, 3), ("transparent", 2, 4), ("CMYK", 5, 4))
        for packed in (False, True)
    },
    "colour PPM": lambda: b"P6 2 1 65535\n" + bytes(12),
    "colour PPM of 10 bits": lambda: b"P6 2 1 1023\n" + bytes(12),
    "grey PGM": lambda: b"P5 2 1 1023\n" + bytes(4),
    "plain PPM": lambda: b"P3 2 1 1000\n500 500 500 1 1 1 ",
    "PFM": lambda: b"Pf\n2 1\n-1.0\n" + bytes(8),
    "SGI": lambda: file(Image.fromarray(COLOURS), "SGI", bpc=2),
    "ICO": lambda: struct.pack("<HHHBBBBHHII", 0, 1, 1, 4, 4, 0, 0, 1, 48, len(deep_png(2, 3)), 22) + deep_png(2, 3),
    "JPEG 2000": high_jpeg2000,
}


@pytest.mark.parametrize("content", DEEP.values(), ids=DEEP.keys())
def test_more_than_eight_bits_are_refused_for_colour_as_for_grey(content: Callable[[], bytes]):
    with pytest.raises(DatasetUnavailable, match="x has more than 8 bits per channel; convert it"):
        decoded(content(), "x")


def test_the_depth_of_an_avif_stands_in_its_configuration():
    """A bit there says more than 8; no encoder here writes such a file, and none with the bit alone is decoded."""
    content = file(Image.fromarray(COLOURS), "AVIF")
    high = bytearray(content)
    high[content.index(b"av1C") + 6] |= 0x40
    with Image.open(io.BytesIO(content)) as image:
        assert not is_deep(image, content)
        assert is_deep(image, bytes(high))


def test_eight_bits_and_fewer_are_none_of_these():
    """Five and six bits per channel, which Pillow's names for raw pixels call 16 (per pixel)."""
    masks = struct.pack("<3I", 0xF800, 0x07E0, 0x001F)
    bmp = b"BM" + struct.pack("<IHHI", 70, 0, 0, 66) + struct.pack("<IiiHHIIiiII", 40, 1, 1, 1, 16, 3, 4, 0, 0, 0, 0)
    assert decoded(bmp + masks + struct.pack("<HH", 0xF800, 0), "x").getpixel((0, 0)) == (255, 0, 0)
    for kind in ("AVIF", "JPEG2000", "SGI", "PPM", "TIFF"):
        assert decoded(file(Image.fromarray(COLOURS), kind), "x").mode == "RGB"


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "PNG", "WEBP", "AVIF"])
def test_several_pages_are_refused(kind: str):
    pages = [Image.new("RGB", (8, 8), (90 * i, 0, 0)) for i in range(3)]
    with pytest.raises(DatasetUnavailable, match="x has 3 pages; save each"):
        decoded(file(pages[0], kind, save_all=True, append_images=pages[1:]), "x")


def test_what_is_shown_as_one_picture_is_one():
    """A phone's file with a second view, and a TIFF with a thumbnail of itself."""
    view, other = Image.new("L", (8, 8), 9), Image.new("L", (8, 8), 200)
    assert np.asarray(decoded(file(view, "MPO", save_all=True, append_images=[other]), "x")).max() < 20
    small = Image.new("L", (4, 4), 200)
    small.encoderinfo = {"tiffinfo": {254: 1}}
    assert (np.asarray(decoded(file(view, "TIFF", save_all=True, append_images=[small]), "x")) == 9).all()


def test_a_picture_that_claims_to_be_huge_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch):
    side = 50_000
    tags = {256: [side], 257: [side], 258: [8], 259: [1], 262: [1], 277: [1]}
    bmp = struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    claims = (png((side, side), 8, 0, b""), tiff(tags, b""), b"BM" + bmp, f"P6 {side} {side} 255\n".encode())
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("decoded"))
    for limit in (Image.MAX_IMAGE_PIXELS, None):  # with Pillow's own limit, and where somebody took it away
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        for content in claims:
            with pytest.raises(DatasetUnavailable, match="x has more than 150 million pixels by what it says"):
                decoded(content, "x")


def test_a_picture_that_was_too_large_and_is_made_smaller_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 20)
    picture = Image.fromarray(COLOURS)  # 5 × 6
    with pytest.raises(DatasetUnavailable, match="make it smaller"):
        decoded(file(picture, "PNG"), "x")
    assert decoded(file(picture.resize((4, 5)), "PNG"), "x").size == (4, 5)


def test_a_large_picture_that_is_one_is_read_without_a_word(monkeypatch: pytest.MonkeyPatch):
    """Pillow warns from a limit on that cameras pass."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    assert decoded(file(Image.fromarray(COLOURS), "PNG"), "x").size == (5, 6)


@given(kind=st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "ICO", "JPEG2000", "TGA"]), draw=st.data())
def test_a_damaged_picture_is_refused_in_one_line_of_our_own(kind: str, draw: st.DataObject):
    content = bytearray(file(Image.fromarray(COLOURS), kind))
    for _ in range(draw.draw(st.integers(1, 4))):
        content[draw.draw(st.integers(0, len(content) - 1))] = draw.draw(st.integers(0, 255))
    try:
        outcome = decoded(bytes(content[: draw.draw(st.integers(1, len(content)))]), "x").mode
    except DatasetUnavailable as error:
        outcome = str(error)
    ours = r"x (is missing or damaged \([^<>]*\); remove it or get it again|has (more than )?\d+ [\w ]+; [\w -]+)\."
    assert outcome in ("L", "RGB") or re.fullmatch(ours, outcome)


def test_nothing_is_printed_by_decoders(tmp_path: Path):
    """In a process of its own, whose terminal is looked at: libtiff writes past Python."""
    content = bytearray(file(Image.fromarray(COLOURS.repeat(12, axis=0)), "TIFF", compression="tiff_adobe_deflate"))
    strip = content.index(b"\x78", 8)
    content[strip + 20 : strip + 60] = bytes(40)
    (tmp_path / "bad.tif").write_bytes(content)
    by_pillow = "from PIL import Image\ntry: Image.open('bad.tif').load()\nexcept OSError: pass"
    by_us = "from ganlab import data\ntry: data.load('folder:.')\nexcept Exception as error: print(error)"
    loud, quiet = (
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
        for code in (by_pillow, by_us)
    )
    assert "Decod" in loud.stderr
    assert quiet.stderr == ""
    why = "cut off, or not as its format wants"
    assert quiet.stdout == f"bad.tif is missing or damaged ({why}); remove it or get it again.\n"


def test_a_drawing_or_a_program_under_a_pictures_name_is_never_run():
    with pytest.raises(DatasetUnavailable, match=r"x is missing or damaged \(no picture of a kind that is read here\)"):
        decoded(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n", "x")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_under_a_pictures_name_does_not_hang(tmp_path: Path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(DatasetUnavailable, match=r"a\.png is no file"):
        data.load(f"folder:{tmp_path}")


# One tensor ---------------------------------------------------------------------------------------------------------


@given(modes=st.lists(st.sampled_from(["L", "RGB"]), min_size=1, max_size=6), channels=st.sampled_from([None, 1, 3]))
def test_every_image_is_in_its_place_in_the_stack(modes: list[str], channels: int | None):
    images = [Image.fromarray(RNG.integers(0, 256, (3, 2, 3), dtype=np.uint8)).convert(mode) for mode in modes]
    stacked = stack(iter(images), len(images), "x", channels=channels)
    wanted = channels or (3 if "RGB" in modes else 1)
    assert stacked.shape == (len(images), wanted, 3, 2)
    for one, image in zip(stacked.numpy(), images, strict=True):
        plain = np.asarray(image.convert("L" if wanted == 1 else "RGB")).reshape(3, 2, wanted)
        assert np.array_equal(one.transpose(1, 2, 0), plain)


def test_images_are_held_once_while_they_are_stacked(monkeypatch: pytest.MonkeyPatch):
    made = []
    room = pictures.room_for
    monkeypatch.setattr(pictures, "room_for", lambda *arguments: made.append(room(*arguments)) or made[-1])
    alive = set()

    def images():
        for _ in range(20):
            image = Image.new("RGB", (4, 4))
            alive.add(id(image))
            yield image

    stacked = stack(images(), 20, "x")
    assert len(made) == 1
    assert stacked.data_ptr() == made[0].ctypes.data
    assert len(alive) < 20  # their places in memory were used again


def test_more_than_the_memory_holds_is_said(monkeypatch: pytest.MonkeyPatch):
    def full(*_arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "empty", lambda shape, kind: np.zeros(shape, kind) if 0 in shape else full())
    with pytest.raises(ConfigError, match="x takes 72 GiB, more than there is; give a smaller size, or a limit"):
        stack([Image.new("RGB", (160, 160))], 1_000_000, "x")

"""Picture files: what is loaded is what a viewer shows, on white."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from made_pictures import file, png
from PIL import Image, ImageCms

from ganlab.data.pictures import decoded

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)
GREYS = RNG.integers(0, 256, (6, 5), dtype=np.uint8)
ALPHA = RNG.choice(np.array([0, 1, 100, 254, 255], np.uint8), (6, 5))


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(decoded(content, "a picture")).astype(float)


def on_white(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """What light comes from a coloured glass of this opacity before a white wall."""
    opacity = alpha[..., None] / 255 if colours.ndim == 3 else alpha / 255
    return colours * opacity + 255 * (1 - opacity)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "TGA", "ICO", "QOI", "SGI", "DDS", "JPEG2000"])
def test_what_is_transparent_lies_on_white(kind: str):
    image = Image.fromarray(np.dstack([COLOURS, ALPHA]))
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    assert np.abs(pixels(file(image, kind, **options)) - on_white(COLOURS, ALPHA)).max() <= 0.51


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "TGA", "JPEG2000", "DDS"])
def test_what_is_transparent_and_grey_lies_on_white_and_stays_grey(kind: str):
    image = Image.merge("LA", [Image.fromarray(GREYS), Image.fromarray(ALPHA)])
    assert np.abs(pixels(file(image, kind)) - on_white(GREYS, ALPHA)).max() <= 0.51


def test_a_transparent_colour_in_every_kind_of_png_is_white():
    """A palette's entry, a palette of opacities, a grey value, a colour, and one of two bits."""
    palette = bytes(range(6))
    entries = np.array([[10, 20, 30], [200, 0, 0], [0, 99, 0]], np.uint8)
    index = np.array([[0, 1, 2]], np.uint8)
    row = b"\0" + index.tobytes()
    plte = (b"PLTE", entries.tobytes())
    opacities = np.array([255, 0, 51], np.uint8)
    shown = pixels(png((3, 1), 8, 3, row, plte, (b"tRNS", opacities.tobytes())))
    assert np.abs(shown - on_white(entries[None], opacities[None])).max() <= 0.51
    shown = pixels(png((3, 1), 8, 3, row, plte, (b"tRNS", b"\xff\0")))
    assert shown[0].tolist() == [[10, 20, 30], [255, 255, 255], [0, 99, 0]]
    assert pixels(png((3, 1), 8, 0, b"\0" + palette[:3], (b"tRNS", b"\0\1")))[0].tolist() == [0, 255, 2]
    two = pixels(png((2, 1), 8, 2, b"\0" + palette, (b"tRNS", b"\0\0\0\1\0\2")))
    assert two[0].tolist() == [[255, 255, 255], [3, 4, 5]]
    assert pixels(png((8, 1), 1, 0, b"\0\xa0", (b"tRNS", b"\0\0")))[0].tolist() == [255] * 8


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_transparent_grey_of_few_bits_is_white(depth: int):
    """Eight pixels by turns 0 and 1, of which each in turn is transparent."""
    row = int("".join(f"{value:0{depth}b}" for value in (0, 1) * 4), 2).to_bytes(depth)
    greys = (0, 255 // (2**depth - 1))
    for key in (0, 1):
        wanted = [255 if value == key else greys[value] for value in (0, 1) * 4]
        assert pixels(png((8, 1), depth, 0, b"\0" + row, (b"tRNS", bytes([0, key]))))[0].tolist() == wanted


def test_a_plain_bitmap_is_black_where_it_is_one():
    for content in (b"P1\n3 2\n1 0 1\n0 1 0\n", b"P4\n3 2\n\xa0\x40"):
        assert pixels(content).tolist() == [[0, 255, 0], [255, 0, 255]]


def test_a_transparent_entry_of_a_gif_is_white():
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    image.putpalette([200, 0, 0, 0, 0, 200])
    assert pixels(file(image, "GIF", transparency=1))[0].tolist() == [[200, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize("colours", [[200, 0, 0, 0, 0, 200], [9, 9, 9, 99, 99, 99]])
def test_around_the_frame_of_a_gif_is_white(colours: list[int]):
    """A frame of two pixels, the second and third of a canvas of four."""
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    image.putpalette(colours)
    content = bytearray(file(image, "GIF"))
    content[6:8] = struct.pack("<H", 4)
    at = content.index(b"\x2c\0\0\0\0\2")
    content[at + 1 : at + 3] = struct.pack("<H", 1)
    shown = pixels(bytes(content))[0].reshape(4, -1)
    assert (shown[[0, 3]] == 255).all()
    assert shown[1:3].tolist() == pixels(file(image, "GIF"))[0].reshape(2, -1).tolist()


MODES = {
    "TIFF": ["1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr"],
    "PNG": ["1", "L", "P", "RGB"],
    "BMP": ["1", "L", "P", "RGB"],
    "PCX": ["1", "L", "P", "RGB"],
    "PPM": ["1", "L", "RGB"],
    "TGA": ["1", "L", "P", "RGB"],
    "ICO": ["1", "L", "P", "RGB"],
    "JPEG2000": ["L", "RGB", "CMYK"],
}


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in MODES.items() for mode in modes])
def test_every_opaque_file_is_what_its_colours_are(kind: str, mode: str):
    image = Image.fromarray(COLOURS).convert(mode)
    shown = decoded(file(image, kind), "x")
    assert shown.mode == ("L" if mode in ("1", "L") else "RGB")
    assert np.array_equal(np.asarray(shown), np.asarray(image.convert(shown.mode)))


TURNED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: np.rot90(x, 1),
}
"""By what EXIF's table says of the first row and column: 6 has its first row at the right side, and so on."""


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "JPEG", "MPO"])
def test_a_picture_stands_as_its_camera_was_held(kind: str, orientation: int):
    note = Image.Exif()
    note[0x0112] = orientation
    image = Image.fromarray(COLOURS.repeat(16, axis=0).repeat(16, axis=1))
    lossy = kind in ("JPEG", "MPO")
    options = {"quality": 100, "subsampling": 0} if lossy else {"lossless": True} if kind == "WEBP" else {}
    shown = pixels(file(image, kind, exif=note, **options))[8::16, 8::16]
    assert np.abs(shown - TURNED[orientation](COLOURS)).max() <= (9 if lossy else 0)


def test_an_avif_is_turned_once():
    note = Image.Exif()
    note[0x0112] = 6
    flag = np.zeros((16, 32, 3), np.uint8)
    flag[:, :8] = 255
    shown = pixels(file(Image.fromarray(flag), "AVIF", exif=note, quality=95))
    assert shown.shape == (32, 16, 3)
    assert shown[:8].min() > 200
    assert shown[9:].max() < 50


def test_damaged_notes_of_a_camera_do_not_keep_a_picture_out():
    for note in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + b"\xff" * 40):
        assert decoded(file(Image.fromarray(COLOURS), "JPEG", exif=note), "x").size == (5, 6)


def test_colours_are_those_of_the_files_own_profile():
    """A profile made from sRGB's, with red and green exchanged: what the file calls red is shown green."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    crossed = bytearray(srgb.replace(b"s\0R\0G\0B", b"o\0w\0n\0 "))
    at = {bytes(crossed[i : i + 4]): i for i in range(132, 132 + 12 * crossed[131], 12)}
    crossed[at[b"rXYZ"] + 4 : at[b"rXYZ"] + 12] = srgb[at[b"gXYZ"] + 4 : at[b"gXYZ"] + 12]
    crossed[at[b"gXYZ"] + 4 : at[b"gXYZ"] + 12] = srgb[at[b"rXYZ"] + 4 : at[b"rXYZ"] + 12]
    red = Image.new("RGB", (1, 1), (255, 0, 0))
    glass = Image.new("RGBA", (1, 1), (255, 0, 0, 0))
    assert np.abs(pixels(file(red, "PNG", icc_profile=bytes(crossed)))[0, 0] - [0, 255, 0]).max() <= 3
    assert pixels(file(glass, "PNG", icc_profile=bytes(crossed)))[0, 0].tolist() == [255, 255, 255]
    for harmless in (srgb, b"no profile", srgb[:200]):
        assert pixels(file(red, "PNG", icc_profile=harmless))[0, 0].tolist() == [255, 0, 0]


def test_lab_colours_are_shown_in_srgb():
    white, black = pixels(file(Image.frombytes("LAB", (2, 1), bytes([255, 0, 0, 0, 0, 0])), "TIFF"))[0]
    assert white.min() >= 254
    assert black.max() <= 1

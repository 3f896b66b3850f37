"""IDX files: what is read is right, and what is damaged is never read."""

import bz2
import gzip
import hashlib
import io
import lzma
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganlab.data import known
from ganlab.data.idx import read_idx
from ganlab.errors import DatasetUnavailable

in_tmp = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", b"")
        archive.writestr("folder/train-images-idx3-ubyte", content)
    return buffer.getvalue()


IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
CONTENT = idx(IMAGES)
MD5 = hashlib.md5(CONTENT).hexdigest()


def test_an_idx_file_is_read_raw_and_packed(tmp_path: Path):
    (tmp_path / "a").write_bytes(CONTENT)
    (tmp_path / "a.gz").write_bytes(gzip.compress(CONTENT))
    for name in ("a", "a.gz"):
        assert np.array_equal(read_idx(tmp_path / name, 3).numpy(), IMAGES)


@in_tmp
@given(at=st.integers(0, len(CONTENT) - 1), bit=st.integers(0, 7))
def test_any_flipped_bit_is_an_error(tmp_path: Path, at: int, bit: int):
    """Every region: magic number, each dimension, first to last pixel."""
    damaged = bytearray(CONTENT)
    damaged[at] ^= 1 << bit
    (tmp_path / "flipped").write_bytes(damaged)
    with pytest.raises(DatasetUnavailable) as caught:
        read_idx(tmp_path / "flipped", 3, (MD5, None))
    assert "flipped" in str(caught.value)
    assert "\n" not in str(caught.value)
    if at < 16:  # the header betrays itself even where no checksum is known
        with pytest.raises(DatasetUnavailable):
            read_idx(tmp_path / "flipped", 3)


@in_tmp
@given(length=st.integers(0, len(CONTENT) + 20).filter(lambda n: n != len(CONTENT)), md5=st.sampled_from([MD5, None]))
def test_any_cut_or_extension_is_an_error(tmp_path: Path, length: int, md5: str | None):
    (tmp_path / "cut").write_bytes((CONTENT + bytes(20))[:length])
    with pytest.raises(DatasetUnavailable):
        read_idx(tmp_path / "cut", 3, (md5, None))


PACKINGS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zip": zipped}


@in_tmp
@given(packing=st.sampled_from(sorted(PACKINGS)), raw=st.booleans(), draw=st.data())
def test_any_damage_to_a_packed_file_is_an_error_or_harmless(
    tmp_path: Path, packing: str, raw: bool, draw: st.DataObject
):
    """Notes of a packed file, such as its date, may be damaged: with what they leave alone, the values are right."""
    packed = PACKINGS[packing](CONTENT)
    md5 = (MD5 if raw else None, hashlib.md5(packed).hexdigest())
    at = draw.draw(st.integers(0, len(packed) - 1))
    damaged = bytearray(packed)
    damaged[at] ^= 1 << draw.draw(st.integers(0, 7))
    (tmp_path / "a").write_bytes(draw.draw(st.sampled_from([bytes(damaged), packed[:at]])))
    try:
        read = read_idx(tmp_path / "a", 3, md5).numpy()
    except DatasetUnavailable:
        return
    assert np.array_equal(read, IMAGES)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", ["a", "a.gz", "a.zip"])
def test_a_content_is_right_in_any_packing_and_under_any_name(tmp_path: Path, packing: str, name: str):
    for content in (CONTENT, PACKINGS[packing](CONTENT)):
        (tmp_path / name).write_bytes(content)
        for md5 in ((MD5, None), (MD5, "0" * 32), (None, None)):
            assert np.array_equal(read_idx(tmp_path / name, 3, md5).numpy(), IMAGES)
        with pytest.raises(DatasetUnavailable, match=f"is damaged: its MD5 is .*, not {'0' * 32}"):
            read_idx(tmp_path / name, 3, ("0" * 32, "0" * 32))


def test_an_archive_of_several_files_is_to_be_unpacked(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("train/1", CONTENT)
        archive.writestr("train/2", CONTENT)
    with pytest.raises(DatasetUnavailable, match=r"a\.zip is an archive of 2 files; unpack it"):
        read_idx(tmp_path / "a.zip", 3)


@pytest.mark.parametrize("cut", [0, 1, 9, 30, -9, -4, -1])
def test_a_cut_packed_file_is_an_error_without_a_checksum_too(tmp_path: Path, cut: int):
    (tmp_path / "a.gz").write_bytes(gzip.compress(CONTENT)[:cut])
    with pytest.raises(DatasetUnavailable, match=r"a\.gz (cannot be unpacked|begins with (nothing|1f),)"):
        read_idx(tmp_path / "a.gz", 3)


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, why in ((".", "Is a directory"), ("none", "No such file")):
        with pytest.raises(DatasetUnavailable, match=why):
            read_idx(tmp_path / name, 3)

    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DatasetUnavailable, match=r"mine cannot be read \(Permission denied\)"):
        read_idx(tmp_path / "mine", 3)


def test_other_kinds_of_idx_files_are_refused(tmp_path: Path):
    """Signed bytes, floats, and labels where images are wanted."""
    for header in (b"\0\0\x09\x03", b"\0\0\x0d\x03", b"\0\0\x08\x01"):
        (tmp_path / "other").write_bytes(header + CONTENT[4:])
        with pytest.raises(DatasetUnavailable, match=header.hex()):
            read_idx(tmp_path / "other", 3)


def test_a_header_that_asks_for_terabytes_is_refused_at_once(tmp_path: Path):
    (tmp_path / "huge").write_bytes(bytes((0, 0, 8, 3)) + struct.pack(">3I", *[2**32 - 1] * 3))
    with pytest.raises(DatasetUnavailable, match="holds 16 bytes where its header asks for"):
        read_idx(tmp_path / "huge", 3)


@pytest.mark.parametrize("pack", [zipped, gzip.compress, lzma.compress])
def test_the_published_file_packed_once_more_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack):
    """As "train-images-idx3-ubyte.gz.zip", where the packed file is known as the one that belongs there."""
    published = gzip.compress(CONTENT, mtime=0)
    md5 = hashlib.md5(published).hexdigest()
    monkeypatch.setattr(known, "_NAMES", {md5: "MNIST's train-images-idx3-ubyte"})
    (tmp_path / "train-images-idx3-ubyte.gz.zip").write_bytes(pack(published))
    for raw in (MD5, None):
        assert np.array_equal(read_idx(tmp_path / "train-images-idx3-ubyte.gz.zip", 3, (raw, md5)).numpy(), IMAGES)

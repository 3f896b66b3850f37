"""Files on the disk: looked for, read, unpacked and known by their checksums, or refused in one line."""

import bz2
import gzip
import hashlib
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from ganlab.data.known import whose
from ganlab.errors import ConfigError, DatasetUnavailable

GET_AGAIN = "delete it and get it again"
PACKINGS = (".gz", ".bz2", ".xz", ".zip")
"""What the name of a packed file ends in."""
PACKED_BY = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
"""How the content of a packed file begins; zip archives have an index of their own."""


def holds(folder: Path, names: Iterable[str]) -> bool:
    """Whether any of the files lies in a folder. One that cannot be looked into counts: reading it then says why."""
    try:
        return not {entry.name for entry in folder.iterdir()}.isdisjoint(names)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def is_folder(path: Path) -> bool:
    """Whether a folder lies there. What may not be looked at is none: reading it as a file says why."""
    return os.path.isdir(path)  # noqa: PTH112 (Path.is_dir raises where the folder around may not be entered)


def entries(folder: Path) -> list[Path]:
    """What lies in a folder, by name; nothing where there is none. Raises `DatasetUnavailable` if it is unreadable."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DatasetUnavailable(f"{folder} cannot be read ({error.strerror}); make it readable.") from error


def read_bytes(path: Path, advice: str = GET_AGAIN) -> bytes:
    """A file's content. Raises `DatasetUnavailable` where it cannot be read, `ConfigError` for too little memory."""
    try:
        return path.read_bytes()
    except MemoryError as error:
        raise beyond_memory(str(path)) from error
    except OSError as error:
        what_to_do = "make it readable" if isinstance(error, PermissionError) else advice
        raise DatasetUnavailable(f"{path} cannot be read ({error.strerror}); {what_to_do}.") from error


def beyond_memory(what: str) -> ConfigError:
    """The error for what may be whole, but takes more memory than there is."""
    return ConfigError(f"{what} takes more memory than there is; end other programs, or use a machine that has more.")


def md5_of(content: bytes) -> str:
    """The MD5 of a content, in hexadecimal digits."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def require_md5(path: Path, content: bytes, wanted: str) -> None:
    """Raise `DatasetUnavailable` for a content of another MD5: another set's file by its name, else a damaged one."""
    found = md5_of(content)
    if found != wanted:
        raise refusal(path, found, wanted)


def refusal(path: Path, found: str, wanted: str | None = None) -> DatasetUnavailable:
    """The error for a file of MD5 `found` where another, of MD5 `wanted`, should lie."""
    if other := whose(found):
        return DatasetUnavailable(f"{path} is {other}, not what belongs there; put it where it belongs.")
    return DatasetUnavailable(f"{path} is damaged: its MD5 is {found}, not {wanted}; {GET_AGAIN}.")


def is_packed(content: bytes) -> bool:
    """Whether a content is a packed one, by how it begins."""
    return content.startswith((*PACKED_BY, b"PK\x03\x04"))


def unpacked(path: Path, content: bytes) -> bytes:
    """What a content packed by gzip, bzip2, xz, or as the only file of a zip archive, holds.

    Raises `DatasetUnavailable` for one that is cut off or damaged, or an archive of several files, and `ConfigError`
    for too little memory.
    """
    packed = io.BytesIO(content)
    try:
        if content.startswith(b"PK"):
            with zipfile.ZipFile(packed) as archive:
                members = [member for member in archive.infolist() if not member.is_dir()]
                if len(members) != 1:
                    raise DatasetUnavailable(f"{path} is an archive of {len(members)} files; unpack it.")
                return archive.read(members[0])
        opener = next(opener for begin, opener in PACKED_BY.items() if content.startswith(begin))
        with opener(packed) as file:
            return file.read()
    except MemoryError as error:
        raise beyond_memory(str(path)) from error
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as error:
        raise DatasetUnavailable(f"{path} cannot be unpacked: it is cut off or damaged; {GET_AGAIN}.") from error


def listing(items: Iterable[str], most: int = 3) -> str:
    """The first few of some names, and how many more there are."""
    names = list(items)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

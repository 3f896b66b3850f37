"""Folders of pictures, as people have them: every picture is loaded, or refused by name, or counted and named."""

import os
import re
from collections import Counter, deque
from collections.abc import Iterable
from itertools import islice, zip_longest
from pathlib import Path
from typing import NamedTuple

import torch

from ganlab.data.files import listing
from ganlab.data.pictures import NOT_PIXELS, is_picture, open_picture, stack
from ganlab.data.readers import Read
from ganlab.errors import ConfigError, DatasetUnavailable, printable

NO_READER = (
    *(".heic", ".heif", ".hif", ".avci", ".jxl", ".jxr", ".wdp", ".svg", ".svgz", ".exr", ".hdr"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef"),
)
"""Pictures that Pillow does not read by itself: of phones and cameras, and drawings."""
SYSTEM_FOLDERS = frozenset(
    {
        "@eadir",
        "@tmp",
        "@recycle",
        "@recently-snapshot",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "recycler",
        "system volume information",
        "network trash folder",
        "temporary items",
        "lost+found",
        "__macosx",
    }
)
"""Where network drives and operating systems keep thumbnails and what was deleted; in lower case."""
TRAINING = frozenset({"train", "training", "trn"})
OTHER_SPLITS = frozenset({"val", "valid", "validation", "dev", "test", "testing", "tst", "eval", "holdout"})
WITH_MORE = re.compile(
    rf"(|.*[^a-z])({'|'.join(sorted(TRAINING | OTHER_SPLITS, key=len, reverse=True))})(|[^a-z].*|[ab]|set|images|data)"
)
"""A part of a set with something before or after it, as in "trainA", "seg_test" and "val2017"."""
OTHER_FILES = frozenset(
    {
        *(".txt", ".json", ".jsonl", ".xml", ".csv", ".tsv", ".md", ".html", ".htm", ".yaml", ".yml", ".toml", ".log"),
        *(".npy", ".npz", ".pt", ".pth", ".pkl", ".h5", ".mat", ".db", ".ini", ".py", ".ipynb", ".url", ".lnk"),
        *(".mp4", ".mov", ".avi", ".mkv", ".webm", ".mp3", ".wav", ".aae", ".xmp", ".doc", ".docx", ".xlsx"),
    }
)
"""What lies beside pictures and is not looked into."""
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
CONVERT = "convert them to PNG or JPEG"


class Found(NamedTuple):
    """What lies below a folder: pictures in natural order, pictures without a reader, archives, folders seen twice."""

    files: list[Path]
    unread: list[Path]
    packed: list[Path]
    repeated: list[Path]


def folder(path: Path, size: int | None, limit: int | None, channels: int | None) -> Read:
    """Pictures below a folder: one class per subfolder, or a single class when they lie in the folder itself.

    Names that begin with a dot, and folders of systems and network drives, are passed over; a file of another suffix,
    or without one, is a picture if it begins as one. Each folder is entered once, whatever links lead to it. Of several
    classes, `limit` takes the first picture of each, then the second, and so on. What was left out is in the note.

    Raises `DatasetUnavailable` for a folder without pictures, `ConfigError` for one that has them both in itself and in
    subfolders, or that has train and test pictures in folders of these names.
    """
    found = _found(path)
    if not found.files:
        raise DatasetUnavailable(_nothing(path, found.unread))
    flat = [file for file in found.files if file.parent == path]
    if flat and len(flat) < len(found.files):
        raise ConfigError(f"{path} has images both in itself ({flat[0].name}) and in subfolders; put all in either.")
    _refuse_splits(path, found.files)
    own = path.resolve()
    top = path if flat else _of_classes(path, found.files)
    by_class: dict[str, list[Path]] = {}
    for file in found.files:
        by_class.setdefault(own.name or own.anchor if flat else file.relative_to(top).parts[0], []).append(file)
    in_turns = (file for row in zip_longest(*by_class.values()) for file in row if file is not None)
    chosen = set(islice(in_turns, limit))
    picked = [(label, file) for label, files in enumerate(by_class.values()) for file in files if file in chosen]
    images = stack((open_picture(file) for _, file in picked), len(picked), str(path), size, channels)
    labels = torch.tensor([label for label, _ in picked])
    within = "" if top == path else f"; its classes are the folders in {top.relative_to(path)}"
    return Read(images, labels, tuple(map(printable, by_class)), within + _note(path, found))


def _of_classes(path: Path, files: list[Path]) -> Path:
    """The folder whose folders are the classes: the place itself, or what lies alone in it around several others."""
    top = path
    while len(inside := {file.parts[len(top.parts)] for file in files}) == 1:
        below = top / inside.pop()
        if any(file.parent == below for file in files):
            return path
        top = below
    return top


def natural(name: str) -> list[tuple[bool, int, str]]:
    """A key that sorts names as people count: "2" before "10", and numbers before letters."""
    parts = (part for part in re.split(r"(\d+)", name) if part)
    return [(False, int(part), part) if part.isdecimal() else (True, 0, part) for part in parts]


def _found(path: Path) -> Found:
    """All pictures below a folder. Links are followed last, so that a folder is found under its own name."""
    read, known = _suffixes()
    found = Found([], [], [], [])
    entered: set[str] = set()
    folders, links = [os.fspath(path)], deque[str]()
    while folders or links:
        place = folders.pop() if folders else links.popleft()
        if (real := os.path.realpath(place)) in entered:
            found.repeated.append(Path(place))
            continue
        entered.add(real)
        for entry in _entries(place):
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                if entry.name.lower() not in SYSTEM_FOLDERS:
                    (links if entry.is_symlink() else folders).append(entry.path)
                continue
            suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 (a Path for each of a million names is slow)
            if suffix in read:
                found.files.append(Path(entry.path))
            elif suffix in known:
                found.unread.append(Path(entry.path))
            elif suffix in ARCHIVES:
                found.packed.append(Path(entry.path))
            elif suffix not in OTHER_FILES and is_picture(entry.path):
                found.files.append(Path(entry.path))
    depth = len(path.parts)
    found.files.sort(key=lambda file: [natural(part) for part in file.parts[depth:]])
    return found


def _entries(place: str) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name: which of several links to a folder counts is the same on every disk."""
    try:
        with os.scandir(place) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        closed = isinstance(error, PermissionError)
        advice = "make it readable" if closed else "give folder:PATH of a folder of images"
        raise DatasetUnavailable(f"{place} cannot be read ({error.strerror}); {advice}.") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself: reading it as a file says so
        return False


def _suffixes() -> tuple[set[str], set[str]]:
    """The suffixes of pictures that are read, and of all pictures."""
    from PIL import Image

    known = Image.registered_extensions()
    read = {suffix for suffix, kind in known.items() if kind not in NOT_PIXELS}
    return read, {*known, *NO_READER}


def _refuse_splits(path: Path, files: list[Path]) -> None:
    """Raise `ConfigError` where the folders of a place are the parts of a set rather than its classes."""
    below: dict[Path, dict[str, str]] = {}
    for place in {file.parent.relative_to(path) for file in files}:
        for parent, child in zip((place, *place.parents)[1:], (place, *place.parents)[:-1], strict=True):
            below.setdefault(parent, {})[child.name.lower()] = child.name
    for place, names in sorted(below.items()):
        parts = names.keys() & (TRAINING | OTHER_SPLITS)
        parts = parts if parts == names.keys() or (parts & TRAINING and parts & OTHER_SPLITS) else _alike(names)
        if parts:
            shown = sorted(names[part] for part in parts)
            first = next((names[part] for part in sorted(parts) if _split(part)[1] in TRAINING), shown[0])
            raise ConfigError(
                f"{path / place} has the folders {listing(shown)}, parts of a set and no classes; "
                f"give folder:{path / place / first} to train on that part alone."
            )


def _split(name: str) -> tuple[str, str, str]:
    """A folder's name in lower case as (before, part of a set, after); the part is "" where it is none."""
    found = WITH_MORE.fullmatch(name)
    return (found[1], found[2], found[3]) if found else (name, "", "")


def _alike(names: Iterable[str]) -> set[str]:
    """Folders' names that differ only in which part of a set they say, if one says train and another does not."""
    alike: dict[tuple[str, str], dict[str, str]] = {}
    for name in names:
        before, part, after = _split(name)
        if part:
            alike.setdefault((before, after), {})[part] = name
    both = [parts for parts in alike.values() if parts.keys() & TRAINING and parts.keys() & OTHER_SPLITS]
    return {name for parts in both for name in parts.values()}


def _nothing(path: Path, unread: list[Path]) -> str:
    """Why a folder gives no pictures, and what to do."""
    if unread:
        return f"{path} holds no image files that can be read, but {_kinds(unread)}; {CONVERT}."
    packed = sorted(entry.name for entry in _entries(os.fspath(path)) if entry.name.lower().endswith(ARCHIVES))
    if packed:
        return f"{path} holds no image files, but {listing(packed)}; unpack it."
    return f"{path} holds no image files; give a folder with pictures (.jpg, .png and others) in it."


def _note(path: Path, found: Found) -> str:
    notes = []
    if found.unread:
        total = len(found.files) + len(found.unread)
        notes.append(f"; {len(found.unread)} of {total} pictures passed over ({_kinds(found.unread)}: {CONVERT})")
    if found.packed:
        notes.append(f"; archives passed over ({listing(sorted(file.name for file in found.packed))}: unpack them)")
    if found.repeated:
        names = listing(str(place.relative_to(path)) for place in sorted(found.repeated))
        notes.append(f"; folders that a link leads to a second time passed over ({names})")
    return "".join(notes)


def _kinds(files: list[Path]) -> str:
    counts = Counter(file.suffix.lower() for file in files)
    return ", ".join(f"{count} {suffix}" for suffix, count in sorted(counts.items()))

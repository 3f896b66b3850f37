"""Where image sets lie, how a place is printed, and how a set gets there."""

import os
from pathlib import Path

from ganlab.errors import ConfigError


def data_root(root: Path | str | None = None) -> Path:
    """Where the image sets lie: the argument, else `GANLAB_DATA`, else `~/.cache/ganlab`."""
    return place_of(root or os.environ.get("GANLAB_DATA") or "~/.cache/ganlab", "root")


def place_of(given: Path | str, what: str) -> Path:
    """A path as it was given, with ~ for the home folder. Raises `ConfigError` for what can be none."""
    refused = ConfigError(f"{what} is {given!r}; give the path of a folder.")
    try:
        place = Path(given).expanduser()
    except (TypeError, RuntimeError) as error:  # no path, or the home of a user who is not there
        raise refused from error
    if not is_path(str(place)):
        raise refused
    return place


def is_path(text: str) -> bool:
    """Whether a text can be a path: it can be spelled in bytes, none of them 0."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def shown(place: Path) -> str:
    """A place as it is printed: whole, with ~ for the home folder."""
    place = place.absolute()
    try:
        return str(Path("~", place.relative_to(Path.home())))
    except (ValueError, RuntimeError):  # it lies elsewhere, or there is no home folder
        return str(place)


def how_to_get(name: str, root: Path) -> str:
    """The call that puts a set under a root."""
    try:
        usual = data_root()
    except ConfigError:  # nothing to do with a root that was given
        usual = None
    there = "" if root == usual else f", root={str(root)!r}"
    return f"data.load({name!r}{there}, download=True) gets it"

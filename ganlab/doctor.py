"""Is everything here that the course needs? Each check says yes, or what to do."""

import importlib
import importlib.metadata
import os
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from ganlab import data
from ganlab.data.places import shown
from ganlab.errors import ConfigError, printable
from ganlab.training import cores, pick_device

PYTHON_WANTED = (3, 11)


@dataclass(frozen=True)
class Check:
    """One line of the report. `needed` tells what the course cannot do without from what it can."""

    name: str
    ok: bool
    detail: str
    needed: bool = True

    def __str__(self) -> str:
        mark = "OK" if self.ok else ("NOT OK" if self.needed else "--")
        return printable(f"{mark:<7} {self.name:<14} {self.detail}")


def examine(root: Path | None = None) -> list[Check]:
    """All checks: Python, packages, device, kernel, data sets under `root`."""
    return [_python(), *_packages(), _torchvision(), _device(), *_data_sets(root)]


def report(root: Path | None = None) -> bool:
    """Print all checks and, as the last line, "ready" or how many problems there are. True when ready."""
    checks = examine(root)
    print(*checks, sep="\n")
    problems = sum(check.needed and not check.ok for check in checks)
    print("ready" if not problems else f"not ready: {problems} to fix, see NOT OK above")
    return not problems


def _python() -> Check:
    found = f"{platform.python_version()} on {platform.system()}"
    ok = sys.version_info >= PYTHON_WANTED
    return Check("Python", ok, found if ok else f"{found}; install Python {'.'.join(map(str, PYTHON_WANTED))} or newer")


def _packages() -> Iterator[Check]:
    for requirement in importlib.metadata.requires("ganlab") or []:
        name, wanted = re.fullmatch(r"([\w-]+)\s*(.*)", requirement.partition(";")[0].strip()).groups()  # pyright: ignore[reportOptionalMemberAccess]
        if "extra ==" in requirement:
            continue
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Check(name, False, f"not installed; run: pip install '{name}{wanted}'")
            continue
        bounds = re.findall(r"(>=|<)([\d.]+)", wanted)
        ok = all(
            (_numbers(found) >= _numbers(v)) if sign == ">=" else (_numbers(found) < _numbers(v)) for sign, v in bounds
        )
        yield Check(name, ok, found if ok else f"{found}; run: pip install '{name}{wanted}'")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def _torchvision() -> Check:
    """A torchvision of another build than torch's fails at import."""
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError):
        found = f"torchvision does not load with torch {torch.__version__}"
        return Check("torch builds", False, f"{found}; install torch and torchvision together from the same index")
    return Check("torch builds", True, "torch and torchvision fit each other")


def _device() -> Check:
    device = pick_device("auto")
    if device.type == "cuda":
        return Check("device", True, f"cuda: {torch.cuda.get_device_name(device)}")
    return Check("device", True, f"{device.type}, {cores()} cores (enough for the whole course)")


def _data_sets(root: Path | None) -> Iterator[Check]:
    given = root or os.environ.get("GANLAB_DATA")
    try:
        place = data.data_root(root)
    except ConfigError as error:
        yield Check("image sets", False, str(error))
        return
    if os.path.isdir(place):  # noqa: PTH112 (a place that may not be looked into is none, and no error)
        yield Check("image sets", True, f"looked for in {shown(place)}")
    elif given:
        source = "--root" if root else "GANLAB_DATA"
        quotes = ", without quotes" if str(given)[:1] in "\"'" else ""
        yield Check("image sets", False, f"{source} is {given}, no folder here; give the folder of the sets{quotes}")
    else:
        yield Check("image sets", False, f"none yet in {shown(place)}; the course does without", needed=False)
    for found in data.status(root):
        yield Check(found.name, found.state == "OK", found.detail, needed=found.state == "damaged")

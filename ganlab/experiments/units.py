"""Units of work: where each keeps what it has, and how a study goes on after a cut.

A unit's values are written to runs/STUDY in one move when it is done, under a name that everything decides which
decides them: the code that measures, its arguments and options. So they are used again for the same, and not for other.
"""

import hashlib
import inspect
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganlab.errors import ConfigError
from ganlab.experiments import progress, records
from ganlab.experiments.study import Study

RUNS = Path("runs")


@dataclass(frozen=True)
class Unit:
    """One unit of work, as the function that measures it sees it. `number` is its place among those that are run."""

    name: str
    folder: Path
    key: str
    number: int = 0

    @property
    def file(self) -> str:
        """Its name as part of a file's."""
        return re.sub(r"[^\w.]+", "-", self.name).strip("-.")

    @property
    def checkpoint(self) -> Path:
        """Where a unit that takes hours may keep its state, to go on from there after a cut.

        It is the same file for all options, so that a run can be lengthened: what is found there is to be refused when
        it belongs to another run, or to one with other options than its length, which the record would not tell of.
        `Trainer.resume` lets the device, the precision and the learning rates be changed.
        """
        return self.folder / f"{self.file}.ckpt"

    @property
    def picture(self) -> Path:
        """A PNG file that it may write; it is put beside the record."""
        return self.folder / f"{self.file}-{self.key}.png"

    @property
    def kept(self) -> Path:
        """Where its values are kept when it is done."""
        return self.folder / f"{self.file}-{self.key}.json"

    def progress(self, done: float, note: str = "") -> None:
        """Say how much is done, in [0, 1], and a few words for the bar. A resumed unit first says where it begins."""
        progress.report(self.number, done, note)

    def keep(self, values: dict[str, Any], device: str | None = None) -> None:
        """Write its values, with the machine that they are from, and its device where the study can choose one."""
        machine = records.environment() | ({"device": device} if device else {})
        records.write(self.kept.stem, {"environment": machine, "values": values}, self.folder)

    def read(self) -> dict[str, Any]:
        """What `keep` wrote. Raises `ConfigError` when the file was damaged since."""
        try:
            return json.loads(self.kept.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ConfigError(f"{self.kept} is no JSON; delete it, and the unit is measured again.") from error


def units_of(study: Study, arguments: Mapping[str, Mapping[str, Any]], options: Mapping[str, Any]) -> list[Unit]:
    """The units of a study, each with its places. Raises `ConfigError` for those that could not be told apart."""
    folder = RUNS / study.name
    code = inspect.getsource(sys.modules[study.measure.__module__])
    units = []
    for name, own in arguments.items():
        decided_by = repr((code, name, sorted(own.items()), sorted(options.items())))
        if " at 0x" in decided_by:
            raise ConfigError(f"{study.name}, {name}: its arguments have no lasting description; give plain values.")
        units.append(Unit(name, folder, hashlib.sha256(decided_by.encode()).hexdigest()[:12]))
    files = [unit.file for unit in units]
    if twice := next((file for file in files if files.count(file) > 1), None):
        raise ConfigError(f"{study.name} has two units whose files are called {twice}; give them other names.")
    return units

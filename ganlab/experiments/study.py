"""What a study is: one question with its settings, seeds, presets and published values, as one frozen value.

Every module of this folder that holds a `Study` adds one (or several) to `python -m ganlab reproduce --list`.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganlab import experiments
from ganlab.errors import ConfigError

OPTIONS = ("epochs", "precision", "device", "root")
"""What a study may use of the command line, besides `preset` and `seeds`; each goes to its `measure`."""
Record = dict[str, Any]
"""What is written of a study, and read again: plain values. `record["results"]` are its units' values, in order."""


@dataclass(frozen=True)
class Preset:
    """A length of a study: what it costs, in words, and options that `measure` gets."""

    cost: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Published:
    """A number as it was printed, with what it counts, where it stands and how it was measured there."""

    value: str
    unit: str
    source: str
    protocol: str


@dataclass(frozen=True)
class Row:
    """A row of the README's table. `measured` names the average, stopping rule or protocol, where not the paper's."""

    experiment: str
    measured: str
    published: Published | None = None


def one_per_seed(seeds: Sequence[int], **fixed: Any) -> dict[str, dict[str, Any]]:
    """A unit for each seed. `fixed` are further arguments of `measure`, the same for all."""
    return {f"seed {seed}": {"seed": seed, **fixed} for seed in seeds}


@dataclass(frozen=True, kw_only=True)
class Study:
    """One question, and how it is answered.

    about      one line; `lesson` is the number of the one that shows it, such as "06"
    measure    (unit, **arguments, **options) → plain values of one unit of work (`ganlab.experiments.units.Unit`);
               a function of a module, since it runs in other processes
    units      seeds → the units in their order: a name each, with arguments of plain values and frozen dataclasses
    seeds      how many are run unless told otherwise: 0, 1, …; None where nothing hangs on a seed
    presets    by name, the one that is run unless told otherwise first
    uses       those of `OPTIONS` that `measure` takes; any other is refused
    images     root → which of several sets that will do lies there; like the options it decides what is measured, and
               stands among them in the record. None: there is one set, verified
    published  what was printed elsewhere; `rule`: how the values that count are chosen of all that were measured
    rows       record → rows of the README's table, few
    columns, every   header, and record → cells, of the long table with every seed
    """

    name: str
    about: str
    lesson: str
    measure: Callable[..., dict[str, Any]]
    presets: Mapping[str, Preset]
    rule: str
    rows: Callable[[Record], list[Row]]
    columns: tuple[str, ...]
    every: Callable[[Record], list[tuple[str, ...]]]
    units: Callable[[Sequence[int]], Mapping[str, Mapping[str, Any]]] = one_per_seed
    seeds: int | None = None
    uses: tuple[str, ...] = ()
    images: Callable[[Path | None], str] | None = None
    published: tuple[Published, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """All that can be said of it on the command line."""
        return ("preset", *(["seeds"] if self.seeds is not None else []), *self.uses)


def found() -> dict[str, Study]:
    """All studies by name: by lesson, those with a published value first. Raises `ConfigError` for two of one name."""
    studies: dict[str, Study] = {}
    for module in pkgutil.iter_modules(experiments.__path__, f"{experiments.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Study) and studies.setdefault(value.name, value) is not value:
                raise ConfigError(f"{module.name} holds a second study called {value.name!r}; give it another name.")
    in_order = sorted(studies.values(), key=lambda study: (study.lesson, not study.published, study.name))
    return {study.name: study for study in in_order}


def get(name: str) -> Study:
    """The study of this name. Raises `ConfigError` listing the names for any other."""
    studies = found()
    if name not in studies:
        raise ConfigError(f"study is {name!r}; give one of {', '.join(studies)}.")
    return studies[name]

"""Run a study: its units side by side, kept as they are done, into a record with pictures."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from ganlab import training
from ganlab.errors import ConfigError, GanlabError
from ganlab.experiments import progress, records
from ganlab.experiments.side_by_side import side_by_side
from ganlab.experiments.study import Record, Study
from ganlab.experiments.units import Unit, units_of
from ganlab.training.checkpoint import write_whole

UNSAID = {"precision": "float32", "device": "auto", "root": None}
"""Options that nobody gave."""
WHERE = ("root", "device")
"""Options that decide where something is measured, and not what: units are kept for any of them."""


def reproduce(study: Study, given: Mapping[str, Any], *, workers: int | None = None, out: Path = records.OWN) -> Record:
    """Measure all units that are not kept from before, and write the record and the pictures into the folder `out`.

    given    options by name, None for those that are left out: preset, seeds, and `study.OPTIONS`
    workers  processes side by side; None takes one per core that it may use, or one on a GPU

    When it is cut off, by whatever, the same call goes on, on another device as well: what was done is kept in
    runs/STUDY, and used for the same options alone. The record names every machine and its device. Raises `ConfigError`
    for an option that the study does not use, and what its `measure` raises.
    """
    preset, seeds, options = _chosen(study, given)
    _require_positive(workers=workers)
    arguments = study.units(range(seeds or 0))
    deciding = {name: value for name, value in options.items() if name not in WHERE}
    if study.images is not None:
        deciding["images"] = study.images(options.get("root"))
    units = units_of(study, arguments, deciding)
    left = [unit for unit in units if not unit.kept.exists()]
    if len(left) < len(units):
        print(f"{len(units) - len(left)} of {len(units)} units are kept in {units[0].folder}; delete it to begin anew")
    if left:
        left = [replace(unit, number=number) for number, unit in enumerate(left)]
        jobs = [(unit, arguments[unit.name]) for unit in left]
        processes = _processes(workers, len(left), options)
        _measure_all(partial(_measure, study.measure, options), jobs, len(units), processes)
    described = {"study": study.name, "preset": preset, "options": deciding, **_seeds_of(arguments)}
    record = described | _measured(study, [unit.read() for unit in units])
    _put_pictures(study, units, out)
    records.write(study.name, record, out)
    return record


def _chosen(study: Study, given: Mapping[str, Any]) -> tuple[str, int | None, dict[str, Any]]:
    """Preset, number of seeds, and the options that `measure` gets. Raises `ConfigError`."""
    said = {name: value for name, value in given.items() if value is not None}
    for name in said:
        if name not in study.options:
            raise ConfigError(f"{name} is given, and {study.name} does not use it; it uses {', '.join(study.options)}.")
    preset = said.pop("preset", next(iter(study.presets)))
    if preset not in study.presets:
        raise ConfigError(f"preset is {preset!r}; {study.name} has {', '.join(study.presets)}.")
    seeds = said.pop("seeds", study.seeds)
    _require_positive(seeds=seeds, epochs=said.get("epochs"))
    unsaid = {name: value for name, value in UNSAID.items() if name in study.uses}
    options = unsaid | dict(study.presets[preset].options) | said
    if "device" in options:
        options["device"] = str(training.pick_device(options["device"]))
    return preset, seeds, options


def _require_positive(**numbers: float | None) -> None:
    for name, value in numbers.items():
        if value is not None and not 1 <= value < float("inf"):
            raise ConfigError(f"{name} is {value}; give a number of at least 1.")


def _seeds_of(arguments: Mapping[str, Mapping[str, Any]]) -> dict[str, list[int]]:
    """The part of a record that says which seeds the units were given, if any: each once, in their order."""
    given = [seed for own in arguments.values() for seed in own.get("seeds", (own.get("seed"),))]
    seeds = [seed for seed in dict.fromkeys(given) if seed is not None]
    return {"seeds": seeds} if seeds else {}


def _processes(workers: int | None, units: int, options: Mapping[str, Any]) -> int:
    on_cpu = options.get("device", "cpu") == "cpu"
    return workers or (min(units, training.cores()) if on_cpu else 1)


def _measure_all(measure: Callable[..., None], jobs: list[tuple[Unit, Any]], units: int, processes: int) -> None:
    board = progress.Board(len(jobs))
    threads = max(1, training.cores() // processes)
    names = [unit.name for unit, _ in jobs]
    with progress.shown(board, names, finished=units - len(jobs)):
        attach = partial(progress.attach, board)
        for _ in side_by_side(measure, jobs, workers=processes, threads=threads, begin=attach):
            pass


def _measure(measure: Callable[..., Any], options: Mapping[str, Any], job: tuple[Unit, Mapping[str, Any]]) -> None:
    """Measure one unit, in a process of its own, and keep its values."""
    unit, arguments = job
    begun = time.perf_counter()
    unit.folder.mkdir(parents=True, exist_ok=True)
    try:
        values = measure(unit, **arguments, **options)
    except GanlabError as error:
        error.args = (f"{unit.name}: {error}",)
        raise
    values.setdefault("seconds", round(time.perf_counter() - begun, 1))
    unit.keep(values, options.get("device"))
    unit.progress(1)


def _measured(study: Study, kept: list[dict[str, Any]]) -> Record:
    """The part of a record that says what was measured, where, and by which rule."""
    machines = [one["environment"] for one in kept]
    others = [one for i, one in enumerate(machines) if one not in machines[:i]][1:]
    results = [one["values"] for one in kept]
    return {
        "environment": machines[0],
        **({"also measured on": others} if others else {}),
        "published": [asdict(one) for one in study.published],
        "rule": study.rule,
        "seconds": round(sum(one["seconds"] for one in results), 1),
        "results": results,
    }


def _put_pictures(study: Study, units: list[Unit], out: Path) -> None:
    for unit in units:
        if unit.picture.exists():
            write_whole(out / f"{study.name}-{unit.file}.png", unit.picture.read_bytes())

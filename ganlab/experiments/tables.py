"""What studies are there, and what their records say: a list and two tables, in Markdown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganlab.errors import ConfigError
from ganlab.experiments import records, study
from ganlab.experiments.study import Record, Row, Study


def mean_and_range(values: Sequence[float], digits: int = 0, unit: str = "") -> str:
    """The mean, with the least and the largest value: "181 (176 to 186)"; "–" of none."""
    if not values:
        return "–"
    mean, low, high = (f"{round(value, digits):g}" for value in (sum(values) / len(values), min(values), max(values)))
    return f"{mean}{unit} ({low} to {high})"


def listing() -> str:
    """All studies: name, lesson, what about, and what each preset costs."""
    lines = []
    for one in study.found().values():
        seeds = "" if one.seeds is None else f"; {one.seeds} seeds unless told otherwise"
        lines.append(f"{one.name} (lesson {one.lesson}): {one.about}{seeds}")
        lines += [f"    --preset {name}: {preset.cost}" for name, preset in one.presets.items()]
    return "\n".join(lines)


def short(folder: Path | None = None) -> str:
    """The README's table: a row or a few for each study that has a record, in `folder` or else among the course's."""
    rows = [_line("experiment", "published", "measured: mean (range over the seeds)", "record"), "|---|---|---|---|"]
    for one, record in _recorded(folder):
        link = f"[{one.name}]({(records.FOLDER / one.name).as_posix()}.json)"
        for row in _rows(one, record):
            printed = "–" if row.published is None else f"{row.published.value} ({row.published.source})"
            rows.append(_line(row.experiment, printed, row.measured, link))
    return "\n".join(rows)


def _rows(one: Study, record: Record) -> list[Row]:
    """Those of a record; of one that is too short for them, a row that says so."""
    try:
        return one.rows(record)
    except ConfigError as error:
        return [Row(_sentence(one.about), f"not summed up: {error}")]


def long(folder: Path | None = None) -> str:
    """The table with every seed for each study that has a record, under a heading, with what decides the numbers."""
    parts = []
    for one, record in _recorded(folder):
        machines = [record["environment"], *record.get("also measured on", [])]
        parts += [
            f"## [{one.name}]({one.name}.json)",
            f"{_sentence(one.about)} Lesson {one.lesson}.",
            f"What counts: {one.rule}.",
            *(f"Published: {published.protocol}." for published in one.published),
            *([f"Note: {record['note']}."] if "note" in record else []),
            *([f"Images: {images}."] if (images := record.get("options", {}).get("images")) else []),
            f"Measured on {' and on '.join(map(_machine, machines))}.",
            _table([(one, record)]),
        ]
    return "\n\n".join(parts)


def _machine(of: Mapping[str, Any]) -> str:
    """What measured, and by which version."""
    cores = f"{of['cores']} cores of {of['processor']}"
    return f"{of['gpu'] if of['gpu'] and of.get('device') != 'cpu' else cores}, torch {of['torch']}"


def every_seed(names: Sequence[str], folder: Path | None = None) -> str:
    """One table with every seed of several studies, whose columns must be the same."""
    return _table([(study.get(name), records.read(name, folder)) for name in names])


def _recorded(folder: Path | None) -> list[tuple[Study, Record]]:
    """The studies that have a record. Raises `ConfigError` when there is none."""
    studies = study.found().values()
    kept = [(one, records.read(one.name, folder)) for one in studies if records.place_of(one.name, folder).exists()]
    if not kept:
        first = next(iter(studies)).name
        records.read(first, folder)
    return kept


def _table(studies: Sequence[tuple[Study, Record]]) -> str:
    columns = {one.columns for one, _ in studies}
    if len(columns) != 1:
        raise ConfigError(f"{', '.join(one.name for one, _ in studies)} have other columns; table them apart.")
    (header,) = columns
    published = dict.fromkeys(number for one, _ in studies for number in one.published)
    empty = [""] * (len(header) - 2)
    return "\n".join(
        [
            _line(*header),
            "|" + "---|" * len(header),
            *(_line(f"published: {number.source}", number.value, *empty) for number in published),
            *(_line(*cells) for one, record in studies for cells in one.every(record)),
        ]
    )


def _line(*cells: str) -> str:
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."

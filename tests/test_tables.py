"""The tables of results: what the README and the records' own page show is what the records hold."""

import re
from pathlib import Path

import pytest

from ganlab.errors import ConfigError
from ganlab.experiments import records, study, tables

ROOT = Path(__file__).parents[1]
COURSE = ROOT / records.FOLDER


def test_the_short_table_is_the_long_one_summed_up():
    """From the whole nats of each seed that the long table shows, by hand."""
    long = tables.every_seed(["gan2014-mnist"], COURSE).splitlines()
    seeds = [[int(nats) for nats in re.findall(r"(\d+) ± \d+ \|", row)] for row in long if "seed" in row]
    (row,) = (row for row in tables.short(COURSE).splitlines() if "[gan2014-mnist]" in row)
    _, _, _, measured, _, _ = row.split("|")
    for of_weights, shown in zip(
        zip(*seeds, strict=True), re.findall(r"(\d+) \((\d+) to (\d+)\)", measured), strict=True
    ):
        mean, low, high = map(int, shown)
        assert (low, high) == (min(of_weights), max(of_weights))
        assert abs(mean - sum(of_weights) / len(of_weights)) < 1


def test_a_folder_without_records_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="is not there; measure it with: python -m ganlab reproduce"):
        tables.short(tmp_path)


def test_the_list_names_every_study_with_its_lesson_and_costs():
    listing = tables.listing()
    for name, one in study.found().items():
        assert f"{name} (lesson {one.lesson}): {one.about}" in listing
        assert all(f"--preset {preset}: {how.cost}" in listing for preset, how in one.presets.items())

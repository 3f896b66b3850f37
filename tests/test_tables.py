"""The tables of results: what the README and the records' own page show is what the records hold."""

import re
import shutil
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


def test_a_folder_with_one_record_shows_it_alone(tmp_path: Path):
    """The rows and the part of the whole tables that link to it."""
    name = "gan2014-mnist-score"
    shutil.copy(COURSE / f"{name}.json", tmp_path)
    whole = tables.short(COURSE).splitlines()
    assert tables.short(tmp_path).splitlines() == whole[:2] + [row for row in whole if f"[{name}](" in row]
    assert f"\n\n{tables.long(tmp_path)}\n\n" in f"\n\n{tables.long(COURSE)}\n\n"
    assert tables.long(tmp_path).startswith(f"## [{name}]({name}.json)\n")


def test_a_number_that_several_studies_compare_with_is_shown_once():
    names = ["gan2014-mnist", "gan2014-mnist-short-average", "mnist-mlp"]
    rows = tables.every_seed(names, COURSE).splitlines()[2:]
    assert [row.split(":")[0] for row in rows] == ["| published", *["| measured"] * 9]


def test_a_folder_without_records_is_named(tmp_path: Path):
    with pytest.raises(
        ConfigError, match=r"is not there; measure it with: python -m ganlab reproduce [\w-]+ --out \S+$"
    ):
        tables.short(tmp_path)


def test_the_list_names_every_study_with_its_lesson_and_costs():
    listing = tables.listing()
    for name, one in study.found().items():
        assert f"{name} (lesson {one.lesson}): {one.about}" in listing
        seeds = re.findall(rf"{re.escape(one.about)}; (.*) seeds unless told otherwise", listing)
        assert seeds == ([] if one.seeds is None else [str(one.seeds)])
        assert all(f"--preset {preset}: {how.cost}" in listing for preset, how in one.presets.items())


@pytest.mark.parametrize("name", ["lsgan-ring", "lsgan-mnist"])
def test_a_record_of_one_seed_does_not_hide_the_others(tmp_path: Path, name: str):
    kept = records.read(name, ROOT / records.FOLDER)
    for one in kept["results"]:
        for key, looks in one.items():
            if name == "lsgan-ring" and key in {"modes", "high_quality", "kl"}:
                one[key] = [look[:1] for look in looks]
    kept["results"] = [one for one in kept["results"] if one.get("seed", 0) == 0]
    records.write(name, kept, tmp_path)
    shutil.copy(records.place_of("mode-counts", ROOT / records.FOLDER), tmp_path)
    lines = tables.short(tmp_path).splitlines()
    assert any("not summed up: there are 1 and 1 values; give one of each" in line for line in lines)
    assert any("NS-GAN on the ring of 8" in line for line in lines)


def test_no_values_have_no_mean():
    assert tables.mean_and_range([]) == "–"

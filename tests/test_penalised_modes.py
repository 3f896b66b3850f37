"""Penalties and pairs on ring and grid: what the study compares, and what its record says."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ganlab.experiments import mode_counts, penalised_modes, records
from ganlab.objectives import NON_SATURATING, RELATIVISTIC
from ganlab.training.config import options_of

ROOT = Path(__file__).parents[1]
RING, ONE, TWO, PAIRS = penalised_modes.SETTINGS


def kept() -> dict:
    return records.read(penalised_modes.STUDY.name, ROOT / records.FOLDER)


def test_the_settings_differ_from_those_of_mode_counts_in_what_is_asked_alone():
    """Take the penalty away, and it is the decay of mode-counts, with the objective that the name says."""
    others = {setting.name: setting for setting in mode_counts.MODE_COUNTS}
    for setting, objective in ((RING, NON_SATURATING), (ONE, NON_SATURATING), (TWO, NON_SATURATING)):
        law = "ring" if setting is RING else "grid"
        plain = replace(setting, name="", config=replace(setting.config, penalty=None))
        assert plain == replace(others[f"{law}: decay"], name="", objective=objective)
    assert replace(TWO, name=PAIRS.name, objective=RELATIVISTIC) == PAIRS


def test_the_names_say_which_penalty_and_which_objective():
    for setting in penalised_modes.SETTINGS:
        penalty = type(setting.config.penalty).__name__
        assert ("R1, R2" if penalty == "R1R2" else penalty) in setting.name
        assert ("RpGAN" in setting.name) == (setting.objective is RELATIVISTIC)


@pytest.mark.parametrize("setting", [ONE, PAIRS], ids=lambda setting: setting.name)
def test_a_penalised_setting_is_counted_as_the_others_are(setting: mode_counts.Setting):
    short = replace(setting, config=replace(setting.config, steps=10))
    result = mode_counts.run(short, [0, 1])
    assert result["config"]["penalty"]["kind"] == type(setting.config.penalty).__name__
    assert result["objective"] == setting.objective.name
    assert np.shape(result["modes"]) == np.shape(result["high_quality"]) == (10, 2)


def test_the_record_is_of_these_settings():
    """Whoever changes a setting measures it again."""
    for one, setting in zip(kept()["results"], penalised_modes.SETTINGS, strict=True):
        assert one["setting"] == setting.name
        assert one["config"] == json.loads(json.dumps(options_of(setting.config)))
        assert one["seeds"] == list(range(16))
        assert one["objective"] == setting.objective.name


def test_the_rows_say_what_the_record_says():
    record = kept()
    said = " ".join(row.measured for row in penalised_modes.rows(record))
    for one in record["results"]:
        good = 100 * np.array(one["high_quality"][-1])
        assert f"{np.round(np.mean(one['modes'][-1]), 1):g} ({min(one['modes'][-1])} to" in said
        assert f"{np.mean(good):.0f} % ({good.min():.0f} to {good.max():.0f})" in said

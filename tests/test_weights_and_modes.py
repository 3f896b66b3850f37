"""What a z of 64 numbers costs, and whether the first weights do it: what the study compares, what its record says."""

import json
import math
from pathlib import Path

import pytest
import torch

from ganlab.experiments import first_weights, mode_counts, records
from ganlab.training.config import options_of

ROOT = Path(__file__).parents[1]
AS_IT_IS, SMALLER, SLOWER, LARGER = first_weights.SETTINGS


def test_the_settings_differ_from_those_of_mode_counts_in_what_is_asked_alone():
    others = {setting.name: setting for setting in mode_counts.MODE_COUNTS}
    wide, plain = (others[f"ring{z}: alternating, k = 1"] for z in (", z of 64", ""))
    for setting in (AS_IT_IS, SMALLER):
        assert (setting.config, setting.z_dim, setting.law) == (wide.config, 64, wide.law)
    assert (LARGER.config, LARGER.z_dim) == (plain.config, 2)
    slower = options_of(SLOWER.config)
    assert {name for name, value in options_of(wide.config).items() if slower[name] != value} == {"optimizer_g"}
    assert SLOWER.config.optimizer_g.lr == pytest.approx(1e-3 / math.sqrt(32))


@pytest.mark.parametrize(("setting", "factor"), [(AS_IT_IS, 1), (SMALLER, 32**-0.5), (SLOWER, 1), (LARGER, 32**0.5)])
def test_the_first_weights_of_G_are_scaled_and_nothing_else(setting: first_weights.Scaled, factor: float):
    torch.manual_seed(3)
    scaled = [p for network in setting.pair() for p in network.parameters()]
    torch.manual_seed(3)
    plain = [p for network in mode_counts.Setting.pair(setting) for p in network.parameters()]
    torch.testing.assert_close(scaled[0], factor * plain[0])
    assert all(map(torch.equal, scaled[1:], plain[1:]))


def test_with_smaller_first_weights_samples_begin_as_wide_as_those_of_two_numbers():
    (two,) = (setting for setting in mode_counts.MODE_COUNTS if setting.name == "ring: alternating, k = 1")
    wide, narrow, usual = (one.ensemble(range(4)).sample(2000).std() for one in (AS_IT_IS, SMALLER, two))
    assert narrow == pytest.approx(usual, rel=0.25)
    assert wide == pytest.approx(usual * 32**0.5, rel=0.25)


def test_the_record_is_of_these_settings_and_says_what_the_study_says_of_it():
    """Whoever changes a setting measures it again."""
    kept = records.read(first_weights.STUDY.name, ROOT / records.FOLDER)["results"]
    for one, setting in zip(kept, first_weights.SETTINGS, strict=True):
        assert (one["setting"], one["factor"]) == (setting.name, round(setting.factor, 6))
        assert one["config"] == json.loads(json.dumps(options_of(setting.config)))
        assert one["seeds"] == list(range(16, 32))
    found = [sum(modes == 8 for modes in one["modes"][-1]) for one in kept]
    assert found == [0, 14, 0, 15]
    assert "What came out: {} of 16, {}, {} and {}.".format(*found) in str(first_weights.__doc__)

"""Five codings on a ring: what was predicted of them, and what becomes of it."""

import json
from dataclasses import replace

import pytest
import sympy as sp
from recorded import record_of

from ganlab.experiments import lsgan_ring, mode_counts
from ganlab.experiments import lsgan_ring_codings as study
from ganlab.objectives import least_squares
from ganlab.theory.kept import modes_kept
from ganlab.training.config import options_of


def test_the_prediction_is_where_the_functional_is_lowest():
    assert {c: modes_kept(least_squares(0, 1, sp.Rational(c)).followed) for c in study.KEPT} == study.KEPT


def test_settings_are_those_of_the_ring_with_another_objective():
    (known,) = (one for one in lsgan_ring.SETTINGS if one.name == "NS-GAN")
    for setting, c in zip(study.SETTINGS, study.KEPT, strict=True):
        objective = least_squares(0, 1, sp.Rational(c))
        assert setting == replace(known, name=f"(0, 1, {c})", objective=objective)


def test_a_prediction_is_refuted_by_a_mean_that_is_more_than_a_mode_off():
    modes = {"0.3": [2, 2, 2, 2], "0.4": [3, 3, 3, 4], "0.5": [4, 5, 3, 4], "0.6": [5, 5, 5, 5], "0.7": [6, 7, 7, 7]}
    record = {"results": [{"setting": f"(0, 1, {c})", "modes": [[0] * 4, found]} for c, found in modes.items()]}
    assert study.off(record)["0.4"].mean == pytest.approx(1.25)
    fates = ["holds", "refuted", "holds", "holds", "refuted"]
    assert study.verdicts(record) == dict(zip(study.KEPT, fates, strict=True))


def test_the_record_is_of_these_settings():
    """Whoever changes a setting measures it again."""
    kept = record_of(study.STUDY.name)
    assert kept["seeds"] == list(range(16))
    for one, setting in zip(kept["results"], study.SETTINGS, strict=True):
        assert (one["setting"], one["objective"]) == (setting.name, setting.objective.name)
        assert one["config"] == json.loads(json.dumps(options_of(setting.config)))


def test_modes_are_counted_as_everywhere():
    assert study.STUDY.measure is mode_counts.measure
    assert list(study.units([0, 1])) == [setting.name for setting in study.SETTINGS]

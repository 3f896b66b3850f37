"""The numbers of least squares as people hold them: made plain, or refused by name; and compared by value."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from own import image_trainer, wrong
from tiny import run

from ganlab.errors import CheckpointError, NotStabilisable, ObjectiveError
from ganlab.objectives import D, least_squares


@pytest.mark.parametrize(
    "one", [1, 1.0, np.float64(1), np.float32(1), np.int64(1), torch.tensor(1.0), Fraction(1), sp.Integer(1)], ids=repr
)
def test_a_number_is_the_same_whatever_holds_it(one: Any):
    assert least_squares(0, one, one) == least_squares(0, 1, 1)
    assert least_squares(0, one, one).name == "LSGAN (0, 1, 1)"


@pytest.mark.parametrize(
    "tenth", [0.1, np.float64(0.1), np.float32(0.1), np.float16(0.1), torch.tensor(0.1), Decimal("0.1")], ids=repr
)
def test_a_fraction_is_what_is_written(tenth: Any):
    given = least_squares(tenth)
    assert given.fake == least_squares(0.1).fake
    assert given.name == "LSGAN (0.1, 1, 0)"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "None"),
        (True, "True"),
        (np.True_, "a bool"),
        ("1", "'1'"),
        ("a", "'a'"),
        (1j, "1j"),
        (np.nan, "nan"),
        (np.inf, "inf"),
        ([1], "a list"),
        (np.array([1, 2]), "a ndarray"),
        (torch.tensor([1.0, 2.0]), "a Tensor"),
        (least_squares, "a function"),
        (sp.Symbol("D"), "a Symbol"),
        (D, "a Symbol"),
    ],
    ids=lambda value: getattr(value, "__name__", repr(value)),
)
def test_what_is_no_number_is_named(value: Any, shown: str):
    for name in "abc":
        with pytest.raises(ObjectiveError) as caught:
            least_squares(**{name: value})
        assert str(caught.value) == f"{name} is {shown}; give a finite number, or an expression of sympy without D."


def test_numbers_of_another_kind_are_the_same_run(tmp_path: Path):
    place = tmp_path / "run.ckpt"
    run(image_trainer(objective=least_squares(0, 1, 1)), steps=1).save(place)
    for kind in (float, np.float64, np.float32, np.int64):
        same = image_trainer(objective=least_squares(wrong(kind(0)), wrong(kind(1)), wrong(kind(1))))
        assert same.resume(place)
    with pytest.raises(CheckpointError, match=r"objective\.real: \(D - 1\)\*\*2/2 then, \(D - 0\.9\)\*\*2/2 now"):
        image_trainer(objective=least_squares(0, 0.9, 1)).resume(place)


def test_checkpoints_of_before_with_the_same_numbers_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """They spelled a whole number that came as a float with its point."""
    trainer = image_trainer(objective=least_squares(0, 1, 1))
    spelled = {**trainer.description, "objective.real": "(D - 1.0)**2/2", "objective.generator": "(D - 1.0)**2/2"}
    with monkeypatch.context() as patch:
        patch.setattr(type(trainer), "description", property(lambda _: spelled))
        trainer.save(tmp_path / "run.ckpt")
    assert image_trainer(objective=least_squares(0, 1, 1)).resume(tmp_path / "run.ckpt")


def test_large_numbers_and_half_precision_are_numbers():
    assert least_squares(0, torch.tensor(1.0, dtype=torch.bfloat16), 1) == least_squares(0, 1, 1)
    with pytest.raises(NotStabilisable, match="give a loss that stays finite"):
        least_squares(0, 1e20, 1e20).losses()

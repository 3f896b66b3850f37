"""Which weights are trained belongs to a run: with others frozen no checkpoint is gone on from, and nothing changes."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from own import refusal
from tiny import TinyG, assert_equal, examples, run
from torch import nn

from ganlab.errors import CheckpointError
from ganlab.objectives import NON_SATURATING
from ganlab.training import SGD, Adam, RMSProp, TrainConfig, Trainer, checkpoint

OPTIMISERS = [Adam(), SGD(0.01), RMSProp()]
UNEQUAL, EQUAL = (2, 4, 8, 1), (2, 4, 4, 4, 1)
"""Widths of D: its layers 0 and 2 are of unequal shapes, 2 and 4 of equal ones."""


def trainer(widths: tuple[int, ...], *frozen: int, of_D: Adam | SGD | RMSProp = OPTIMISERS[0]) -> Trainer:
    """With a D whose layers of these numbers are frozen."""
    torch.manual_seed(1)
    layers = [nn.Linear(*pair) for pair in pairwise(widths)]
    D = nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))[:-1]
    for number in frozen:
        D[number].requires_grad_(False)
    config = TrainConfig(steps=6, batch=8, device="cpu", optimizer_d=of_D)
    return Trainer(TinyG(), D, NON_SATURATING, examples(), config)


def as_of_before(place: Path) -> None:
    """Rewrite a checkpoint as it was written before it said what is trained."""
    state = checkpoint.read(place)
    state["run"] = {key: value for key, value in state["run"].items() if not key.endswith(":trained")}
    checkpoint.write(place, state)


@pytest.mark.parametrize("of_D", OPTIMISERS, ids=lambda of: type(of).__name__)
@pytest.mark.parametrize(("widths", "then", "now"), [(UNEQUAL, 2, 0), (EQUAL, 2, 4)], ids=["unequal", "equal"])
def test_with_other_layers_frozen_it_is_another_run(widths, then: int, now: int, of_D, tmp_path: Path):
    """Moments that belong to other weights would be written beyond their ends, or taken for these weights'."""
    place = tmp_path / "run.ckpt"
    run(trainer(widths, then, of_D=of_D), steps=3).save(place)
    said = rf"D\.{then}\.weight:trained: False then, True now"
    with pytest.raises(CheckpointError, match=said):
        trainer(widths, now, of_D=of_D).resume(place)
    resumed = trainer(widths, then, of_D=of_D)
    assert resumed.resume(place)
    assert_equal(run(resumed).state_dict(), run(trainer(widths, then, of_D=of_D)).state_dict())


@pytest.mark.parametrize("of_D", OPTIMISERS, ids=lambda of: type(of).__name__)
@pytest.mark.parametrize("now", [(0,), (), (0, 2)], ids=["as many", "more", "fewer"])
def test_moments_of_other_weights_are_refused_before_anything_is_loaded(now: tuple[int, ...], of_D, tmp_path: Path):
    place = tmp_path / "run.ckpt"
    run(trainer(UNEQUAL, 2, of_D=of_D), steps=3).save(place)
    as_of_before(place)
    other, untouched = trainer(UNEQUAL, *now, of_D=of_D), trainer(UNEQUAL, *now, of_D=of_D)
    assert "(other weights are trained); freeze the same ones" in refusal(lambda: other.resume(place))
    assert_equal(other.state_dict(), untouched.state_dict())
    assert run(other).step == 6
    assert trainer(UNEQUAL, 2, of_D=of_D).resume(place)

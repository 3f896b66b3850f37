"""What a run writes down of each step, and what it says of the first one whose loss is not finite."""

import math

import pytest
import torch
from own import refusal
from tiny import tiny_trainer
from torch import Tensor

from ganlab import training
from ganlab.objectives import least_squares
from ganlab.training import SGD, TrainConfig
from ganlab.training.finite import require_finite

FINE = [torch.zeros(4, 2)]
"""Real batches of a step."""


def test_the_columns_of_the_history_are_the_values_of_a_record():
    trainer = tiny_trainer(least_squares(), steps=3)
    for record in trainer.run():
        assert {name: getattr(record, name) for name in training.COLUMNS} == {
            "discriminator_loss": trainer.history[record.step - 1, 0].item(),
            "generator_loss": trainer.history[record.step - 1, 1].item(),
            "D_real": trainer.history[record.step - 1, 2].item(),
            "D_fake": trainer.history[record.step - 1, 3].item(),
        }


def history(*members: int, **bad: float) -> Tensor:
    """Six steps of one run, or of N side by side, all 0.5; `d4=…` sets D's loss of step 4 in the last of them."""
    values = torch.full((6, 4, *members), 0.5)
    for place, value in bad.items():
        column = {"d": 0, "g": 1, "r": 2}[place[0]]
        values[int(place[1:]) - 1, column].view(-1)[-1] = value
    return values


@pytest.mark.parametrize("members", [(), (1,), (3,)], ids=str)
def test_the_first_loss_that_is_not_finite_is_named(members: tuple[int, ...]):
    config = TrainConfig(optimizer_d=SGD(0.25), optimizer_g=SGD(0.125))
    for fine in (history(*members), history(*members, r2=math.nan), history(*members)[:0]):
        require_finite(fine, 0, config, lambda _: FINE)
    for bad, known, said in (
        ({"d4": math.nan}, 0, "at step 4 D's loss is nan and G's "),
        ({"d4": math.nan}, 3, "at step 4 D's loss is nan and G's "),
        ({"g2": -math.inf, "d5": math.nan}, 0, "at step 2 D's loss is "),
        ({"g2": -math.inf, "d5": math.nan}, 2, "at step 5 D's loss is nan"),
        ({"g6": math.inf}, 0, "at step 6 D's loss is "),
    ):
        line = refusal(
            lambda bad=bad, known=known: require_finite(history(*members, **bad), known, config, lambda _: FINE)
        )
        assert line.startswith(said)
        assert "learning rates below 0.25 (optimizer_d) and 0.125 (optimizer_g)." in line
    require_finite(history(*members, d4=math.nan), 4, config, lambda _: FINE)  # it was looked at before


def test_the_losses_of_one_run_are_said_as_they_are():
    line = refusal(lambda: require_finite(history(g2=-math.inf), 0, TrainConfig(), lambda _: FINE))
    assert line.startswith("at step 2 D's loss is 0.5 and G's -inf; training stopped, and a checkpoint from before")


@pytest.mark.parametrize(("precision", "advised"), [("float32", False), ("bfloat16", True)])
def test_float32_is_advised_where_it_was_not_used(precision, advised: bool):
    line = refusal(lambda: require_finite(history(d1=math.nan), 0, TrainConfig(precision=precision), lambda _: FINE))
    assert line.endswith(", or with precision='float32'." if advised else "(optimizer_g).")

"""Losses and weights that are NaN or infinite: training stops, good files stay, and the reason is the right one."""

from typing import Any

import pytest
import torch
from own import ImageD, ImageG, image_trainer
from tiny import run
from torch import Tensor

from ganlab.errors import NonFiniteLoss
from ganlab.objectives import NON_SATURATING, RELATIVISTIC
from ganlab.training import TrainConfig, Trainer
from ganlab.training.randomness import derived_seed

# Losses ---------------------------------------------------------------------------------------------------------------


class FailingLaw:
    """Standard normal points, which one minibatch divides by 0."""

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        x = torch.randn(n, 1, 8, 8, generator=generator)
        return x / 0 if generator.initial_seed() == self.fails_at else x

    fails_at = 0


@pytest.mark.parametrize(
    ("update", "objective", "k", "each"),
    [
        ("alternating", NON_SATURATING, 2, 2),
        ("alternating", RELATIVISTIC, 2, 3),
        ("simultaneous", RELATIVISTIC, 1, 1),
        ("one per minibatch", NON_SATURATING, 1, 2),
        ("one per minibatch", RELATIVISTIC, 2, 3),
        ("shared samples", RELATIVISTIC, 1, 1),
    ],
)
def test_examples_that_are_not_finite_are_named_and_not_the_rates(update: str, objective: Any, k: int, each: int):
    law = FailingLaw()
    options: dict[str, Any] = {"steps": 9, "batch": 16, "device": "cpu", "k": k, "update": update}
    trainer = Trainer(ImageG(lambda x: x), ImageD(), objective, law, TrainConfig(**options))
    law.fails_at = derived_seed(0, 0, 4 * each - 1, "law")  # the last batch of step 4
    with pytest.raises(NonFiniteLoss) as caught:
        run(trainer)
    line = str(caught.value)
    assert line.startswith("at step 4 ")
    assert "The real examples of this step hold NaN or infinity: mend what draws them" in line
    assert "rates" not in line


def test_a_loss_that_is_not_finite_says_what_is_known_alone():
    class DividingD(ImageD):
        passes = 0

        def forward(self, x: Tensor) -> Any:
            type(self).passes += 1
            t: Any = super().forward(x)
            return t / (0 if self.passes > 40 else 1)

    with pytest.raises(NonFiniteLoss) as caught:
        run(image_trainer(D=DividingD(), steps=30))
    line = str(caught.value)
    assert "losses before it are at most 1." in line  # nothing grew
    assert "If a network divides by 0, or takes its root or logarithm, mend it; else" in line

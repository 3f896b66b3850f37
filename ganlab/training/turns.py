"""Whose turn it is: what a step of each update rule does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import Tensor

from ganlab.training.labels import Labels

if TYPE_CHECKING:
    from ganlab.training.trainer import Trainer

Row = tuple[Tensor, ...]
"""D's loss, G's loss, D's mean output on real and on generated samples; members of an ensemble along the last axis."""


def alternating(trainer: Trainer) -> Row:
    """Algorithm 1: k updates of D, then one of G on new noise. With pairs G's real minibatch is a new one, too."""
    numbers = _minibatches(trainer)
    of_D = _turns_of_D(trainer, numbers[: trainer.config.k])
    return _row(of_D, _turn_of_G(trainer, numbers[-1]))


def one_per_minibatch(trainer: Trainer) -> Row:
    """Each real minibatch is for one network alone, as DCGAN's authors' code has it: G's first, then k for D."""
    first, *_ = numbers = _minibatches(trainer)
    loss_g = _turn_of_G(trainer, first)
    return _row(_turns_of_D(trainer, numbers[1:]), loss_g)


def shared_samples(trainer: Trainer) -> Row:
    """k updates of D, then one of G on the samples of D's last one: G is the same, so that one pass through it serves
    both. Most published loops do it; Algorithm 1 draws anew."""
    numbers = _minibatches(trainer)
    if trainer.config.k > 1:
        _turns_of_D(trainer, numbers[:-1])
    x, z, y = _drawn_for_D(trainer, trainer.config.k - 1, numbers[-1])
    fake = trainer.generated(z, y)
    of_D = trainer.discriminator_step(x, z, y, fake)
    return _row(of_D, trainer.generator_step(z, x if trainer.losses.generator_needs_real else None, y, fake))


def simultaneous(trainer: Trainer) -> Row:
    """Both gradients at the same parameters, then both updates."""
    return trainer.simultaneous_step(*_drawn_for_D(trainer, 0, trainer.step))


TURNS: dict[str, Callable[[Trainer], Row]] = {
    "alternating": alternating,
    "simultaneous": simultaneous,
    "one per minibatch": one_per_minibatch,
    "shared samples": shared_samples,
}


def _minibatches(trainer: Trainer) -> range:
    """The numbers of this step's real minibatches."""
    taken = trainer.config.minibatches(trainer.losses.generator_needs_real)
    return range(trainer.step * taken, (trainer.step + 1) * taken)


def _turns_of_D(trainer: Trainer, numbers: range) -> tuple[Tensor, Tensor, Tensor]:
    """An update of D on each of these real minibatches; what the last one gives."""
    return [trainer.discriminator_step(*_drawn_for_D(trainer, i, n)) for i, n in enumerate(numbers)][-1]


def _drawn_for_D(trainer: Trainer, turn: int, number: int) -> tuple[Tensor, Tensor, Labels]:
    """Real minibatch `number`, noise and labels of D's turn 0, 1, …"""
    return trainer.real_batch(number), trainer.noise(f"z for D, {turn}"), trainer.labels(number, f"y for D, {turn}")


def _turn_of_G(trainer: Trainer, number: int) -> Tensor:
    x = trainer.real_batch(number) if trainer.losses.generator_needs_real else None
    return trainer.generator_step(trainer.noise("z for G"), x, trainer.labels(number, "y for G"))


def _row(of_D: tuple[Tensor, Tensor, Tensor], loss_g: Tensor) -> Row:
    return of_D[0], loss_g, *of_D[1:]

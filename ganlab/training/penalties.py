"""Penalties on the slope of D's logit in its input, which D pays besides its loss.

Each is a small frozen value for `TrainConfig.penalty`, with the symbols of its paper. With ∇t the gradient of the logit
in one sample x, squares are summed over the components of x and averaged over the batch. Penalties are computed in a
pass of their own, in float32 whatever the precision of the rest is: a slope is differentiated once more, and half
precision loses it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab.training.checks import make_plain, number
from ganlab.training.labels import NO_LABELS, Labels

WEIGHT = "a finite number of at least 0"
Critic = Callable[..., Tensor]
"""D's logits of samples x, or of x and their labels y."""
Draw = Callable[[Tensor], Tensor]
"""Uniform numbers in [0, 1) in the shape of a tensor."""


@dataclass(frozen=True)
class Batches:
    """What a penalty is computed from: a real and a generated batch, [batch, …], or [N, batch, …] for N networks side
    by side; how much of the run is done, 0 … 1; where uniform numbers come from; and the labels of both."""

    real: Tensor
    fake: Tensor
    progress: float
    uniform: Draw
    lead: int = 1
    labels: Labels = NO_LABELS

    def uniform_each(self) -> Tensor:
        """One uniform number per sample, in a shape that multiplies batches."""
        shape = self.real.shape[: self.lead] + (1,) * (self.real.ndim - self.lead)
        return self.uniform(self.real.new_empty(shape))


def squared_slope(D: Critic, x: Tensor, *y: Tensor) -> Tensor:
    """‖∇t‖² at each sample of x, in the shape of t = D(x) or D(x, y): [batch], or [N, batch] for N networks.

    It can be differentiated in D's weights. Each logit has to depend on its own sample alone: batch norm in D mixes
    them, and the slope is then that of the sum of all logits.
    """
    x = x.detach().float().requires_grad_()
    t = D(x, *y)
    (slope,) = torch.autograd.grad(t.sum(), x, create_graph=True)
    return slope.reshape(*t.shape, -1).square().sum(dim=-1)


@dataclass(frozen=True)
class ZeroCentred:
    """γ/2 · E‖∇t‖². The weight falls from `gamma` to `final` over the run along half a cosine (as R3GAN has it, Huang
    et al. 2024); `final` None: it stays."""

    gamma: float = 1.0
    final: float | None = None

    def __post_init__(self) -> None:
        final = None if self.final is None else number("final", self.final, WEIGHT, 0)
        make_plain(self, gamma=number("gamma", self.gamma, WEIGHT, 0), final=final)

    def gamma_at(self, progress: float) -> float:
        """γ when this share of the run is done, 0 … 1."""
        final = self.gamma if self.final is None else self.final
        return final + (self.gamma - final) * (1 + math.cos(math.pi * progress)) / 2

    def _of(self, D: Critic, progress: float, *batches: tuple[Tensor, ...]) -> Tensor:
        means = [squared_slope(D, *batch).mean(dim=-1) for batch in batches]
        return self.gamma_at(progress) / 2 * torch.stack(means).sum(dim=0)


@dataclass(frozen=True)
class R1(ZeroCentred):
    """γ/2 · E‖∇t‖² on real samples (Mescheder, Geiger, Nowozin 2018, eq. 9)."""

    def __call__(self, D: Critic, of: Batches) -> Tensor:
        """What D pays: a scalar, or [N] for N networks."""
        return self._of(D, of.progress, (of.real, *of.labels.real))


@dataclass(frozen=True)
class R2(ZeroCentred):
    """γ/2 · E‖∇t‖² on generated samples (Mescheder, Geiger, Nowozin 2018, eq. 10)."""

    def __call__(self, D: Critic, of: Batches) -> Tensor:
        """What D pays: a scalar, or [N] for N networks."""
        return self._of(D, of.progress, (of.fake, *of.labels.fake))


@dataclass(frozen=True)
class R1R2(ZeroCentred):
    """R1 and R2 with one γ, as R3GAN has them (Huang et al. 2024, sec. 3)."""

    def __call__(self, D: Critic, of: Batches) -> Tensor:
        """What D pays: a scalar, or [N] for N networks."""
        return self._of(D, of.progress, (of.real, *of.labels.real), (of.fake, *of.labels.fake))


@dataclass(frozen=True)
class WGANGP:
    """λ · E(‖∇t‖ − 1)² at points drawn uniformly between a real and a generated sample, the i-th and the i-th
    (Gulrajani et al. 2017, eq. 3). With labels these two have one label."""

    lambda_: float = 10.0

    def __post_init__(self) -> None:
        make_plain(self, lambda_=number("lambda_", self.lambda_, WEIGHT, 0))

    def __call__(self, D: Critic, of: Batches) -> Tensor:
        """What D pays: a scalar, or [N] for N networks."""
        share = of.uniform_each()
        return self.lambda_ * _off_one(D, share * of.real + (1 - share) * of.fake, *of.labels.real)


@dataclass(frozen=True)
class LSGANGP:
    """λ · E(‖∇t‖ − 1)² at x + α·c·u, real samples moved by noise: u uniform in [0, 1) for each component, α for each
    sample (Mao et al. 2018, LSGANs-GP; DRAGAN's place, Kodali et al. 2017).

    The released code draws u once for the whole training, one and the same direction; here it is drawn for each batch.
    And its least squares are sums over the batch of 64 where the paper's are means, while its penalty is a mean:
    64·mean + 150·penalty = 64·(mean + 150/64·penalty). Beside means, as ours, its λ of 150 weighs as much as
    150/64 = 2.34; the factor that is left over stretches each step of gradient descent, and Adam divides it out.
    """

    lambda_: float = 150 / 64
    c: float = 30.0

    def __post_init__(self) -> None:
        make_plain(self, lambda_=number("lambda_", self.lambda_, WEIGHT, 0), c=number("c", self.c, WEIGHT, 0))

    def __call__(self, D: Critic, of: Batches) -> Tensor:
        """What D pays: a scalar, or [N] for N networks."""
        x = of.real + of.uniform_each() * self.c * of.uniform(of.real)
        return self.lambda_ * _off_one(D, x, *of.labels.real)


Penalty = R1 | R2 | R1R2 | WGANGP | LSGANGP


def _off_one(D: Critic, x: Tensor, *y: Tensor) -> Tensor:
    return (squared_slope(D, x, *y).clamp(min=1e-24).sqrt() - 1).square().mean(dim=-1)

"""Penalties on D's slope, against formulas written by hand for discriminators whose slope is known."""

import math
import re

import pytest
import torch
from tiny import run
from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.objectives import NON_SATURATING
from ganlab.training import TrainConfig, Trainer
from ganlab.training.penalties import LSGANGP, R1, R1R2, R2, WGANGP, Batches, squared_slope


class Quadratic(nn.Module):
    """t(x) = ½ xᵀAx + bᵀx with A symmetric: the slope is Ax + b."""

    def __init__(self, dim: int = 3) -> None:
        super().__init__()
        numbers = torch.Generator().manual_seed(3)
        self.S = nn.Parameter(torch.randn(dim, dim, generator=numbers))
        self.b = nn.Parameter(torch.randn(dim, generator=numbers))

    @property
    def A(self) -> Tensor:
        return self.S + self.S.T

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        return (x * (x @ self.A)).sum(dim=1) / 2 + x @ self.b

    def slopes(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.A + self.b


def halves(like: Tensor) -> Tensor:
    return torch.full_like(like, 0.5)


@pytest.fixture
def batches() -> Batches:
    numbers = torch.Generator().manual_seed(4)
    real, fake = (torch.randn(5, 3, generator=numbers) + shift for shift in (0.0, 2.0))
    return Batches(real, fake, progress=0.0, uniform=halves)


def test_the_squared_slope_sums_over_the_components_of_each_sample(batches):
    D = Quadratic()
    by_hand = D.slopes(batches.real).square().sum(dim=1)
    torch.testing.assert_close(squared_slope(D, batches.real), by_hand)
    images = batches.real.view(5, 1, 3, 1)
    torch.testing.assert_close(squared_slope(D, images), by_hand)
    numbers = batches.real[:, 0]
    torch.testing.assert_close(squared_slope(lambda x: x**3, numbers), (3 * numbers**2) ** 2)


@pytest.mark.parametrize("penalty", [R1(), R2(), R1R2(), WGANGP(), LSGANGP()], ids=lambda one: type(one).__name__)
def test_examples_may_be_single_numbers_under_a_penalty(penalty):
    class Each(nn.Module):
        """A number for a number."""

        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
            self.z_dim = 1

        def forward(self, x: Tensor) -> Tensor:
            return self.net(x.view(-1, 1)).squeeze(1)

    config = TrainConfig(steps=2, batch=8, device="cpu", penalty=penalty)
    trainer = run(Trainer(Each(), Each(), NON_SATURATING, torch.randn(50), config))
    assert trainer.history.isfinite().all()


@pytest.mark.parametrize(
    ("penalty", "where"),
    [(R1(0.7), ("real",)), (R2(0.7), ("fake",)), (R1R2(0.7), ("real", "fake"))],
)
def test_zero_centred_penalties_and_their_gradients_are_the_formulas(penalty, where, batches):
    """γ/2 · mean ‖Ax + b‖², and its derivative in b, γ · mean (Ax + b)."""
    D = Quadratic()
    value = penalty(D, batches)
    slopes = [D.slopes(getattr(batches, name)) for name in where]
    torch.testing.assert_close(value, sum(0.35 * s.square().sum(dim=1).mean() for s in slopes))
    (of_b,) = torch.autograd.grad(value, [D.b])
    torch.testing.assert_close(of_b, sum(0.7 * s.mean(dim=0) for s in slopes))


def test_the_penalty_of_wgan_gp_is_taken_between_the_two_samples(batches):
    D = Quadratic()
    between = (batches.real + batches.fake) / 2
    by_hand = 10 * (D.slopes(between).norm(dim=1) - 1).square().mean()
    torch.testing.assert_close(WGANGP()(D, batches), by_hand)


def test_one_number_per_sample_mixes_real_and_generated():
    seen = []

    def uniform(like: Tensor) -> Tensor:
        seen.append(tuple(like.shape))
        return torch.rand(like.shape, generator=torch.Generator().manual_seed(0))

    Batches(torch.ones(6, 3, 4, 4), torch.zeros(6, 3, 4, 4), 0.0, uniform).uniform_each()
    Batches(torch.ones(2, 6, 3), torch.zeros(2, 6, 3), 0.0, uniform, lead=2).uniform_each()
    assert seen == [(6, 1, 1, 1), (2, 6, 1)]


def test_the_penalty_of_lsgan_gp_is_taken_around_real_samples(batches):
    D = Quadratic()
    around = batches.real + 0.5 * 30 * 0.5
    by_hand = 150 / 64 * (D.slopes(around).norm(dim=1) - 1).square().mean()
    torch.testing.assert_close(LSGANGP()(D, batches), by_hand)


def test_a_slope_of_zero_has_a_gradient(batches):
    D = Quadratic()
    with torch.no_grad():
        D.S.zero_()
        D.b.zero_()
    value = WGANGP()(D, batches)
    (of_b,) = torch.autograd.grad(value, [D.b])
    assert value.item() == pytest.approx(10)
    assert of_b.isfinite().all()


def test_gamma_falls_along_half_a_cosine():
    falling = R1(2.0, final=0.5)
    assert [falling.gamma_at(p) for p in (0, 0.5, 1)] == pytest.approx([2.0, 1.25, 0.5])
    assert falling.gamma_at(0.25) == pytest.approx(0.5 + 1.5 * (1 + math.cos(math.pi / 4)) / 2)
    assert R1(2.0).gamma_at(0.7) == 2.0


def test_networks_side_by_side_pay_each_its_own():
    numbers = torch.Generator().manual_seed(5)
    A, real = torch.randn(2, 3, generator=numbers), torch.randn(2, 4, 3, generator=numbers)
    fake = torch.randn(2, 4, 3, generator=numbers)

    def D(x: Tensor) -> Tensor:  # two linear networks: their slopes are their weights
        return (x * A[:, None]).sum(dim=-1)

    paid = R1R2(1.0)(D, Batches(real, fake, 0.0, halves, lead=2))
    torch.testing.assert_close(paid, A.square().sum(dim=1))


@pytest.mark.parametrize("value", [-1e-9, math.nan, math.inf, True, "1"])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *((kind, name) for kind in (R1, R2, R1R2) for name in ("gamma", "final")),
        *((WGANGP, "lambda_"), (LSGANGP, "lambda_"), (LSGANGP, "c")),
    ],
)
def test_weights_that_are_none_are_refused(kind, name: str, value: object):
    with pytest.raises(ConfigError, match=rf"^{name} is {re.escape(repr(value))}; ") as caught:
        kind(**{name: value})
    assert str(caught.value).endswith("; give a finite number of at least 0.")
    assert getattr(kind(**{name: 0}), name) == 0

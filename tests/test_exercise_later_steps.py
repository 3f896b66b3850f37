"""Steps of training in lessons 04 to 09 as readers write them: autograd says what is right, each slip gets its hint."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from attempts import Answer, judged
from scipy.special import expit
from torch import Tensor
from torch.nn.functional import softplus


def sigmoid(t: float) -> float:
    return float(expit(t))


def in_mu(loss: Callable[[Tensor], Tensor], mu: float, slope: float, z: np.ndarray) -> float:
    """The slope in μ of the mean loss where G(z) = μ + z and t = slope · x, by autograd."""
    mean = torch.tensor(mu, dtype=torch.float64, requires_grad=True)
    loss(slope * (mean + torch.tensor(z))).mean().backward()
    assert mean.grad is not None
    return mean.grad.item()


def of_V(theta: float, psi: float) -> tuple[float, float]:
    """The slopes of V in θ and ψ, of the Dirac-GAN, by autograd."""
    both = torch.tensor([theta, psi], dtype=torch.float64, requires_grad=True)
    torch.log(1 - torch.sigmoid(both.prod())).backward()
    assert both.grad is not None
    of_theta, of_psi = both.grad.tolist()
    return of_theta, of_psi


def two_ways(
    of_theta: Answer = lambda theta, psi: -of_V(theta, psi)[0], of_psi: Answer = lambda theta, psi: of_V(theta, psi)[1]
) -> Answer:
    def step(theta: float, psi: float, h: float) -> tuple[tuple[float, float], ...]:
        there = theta + h * of_theta(theta, psi)
        return tuple((there, psi + h * of_psi(seen, psi)) for seen in (theta, there))

    return step


def D_first(theta: float, psi: float, h: float) -> tuple[tuple[float, float], ...]:
    answer = psi + h * of_V(theta, psi)[1]
    return two_ways()(theta, psi, h)[0], (theta - h * of_V(theta, answer)[0], answer)


def old_answer(theta: float, psi: float, h: float) -> tuple[float, float]:
    there, _ = two_ways()(theta, psi, h)[0]
    return there, psi - h * there * sigmoid(psi * theta)


def one_step(D: float, real: int, fake: int, m: int, a: float, b: float, rate: float) -> float:
    """By autograd, with every sample of this place on its own."""
    answer = torch.tensor(D, dtype=torch.float64, requires_grad=True)
    pays = sum(((answer - wanted) ** 2 / 2 / m for wanted in [b] * real + [a] * fake), start=torch.zeros(()))
    (slope,) = torch.autograd.grad(pays, answer)
    return (answer - rate * slope).item()


LATER_STEPS: dict[str, tuple[Answer, list[tuple[Answer, str]]]] = {
    "04.1": (
        lambda mu, slope, z, rate: mu - rate * in_mu(lambda t: softplus(-t), mu, slope, z),
        [
            (lambda mu, slope, z, rate: mu + rate * in_mu(lambda t: softplus(-t), mu, slope, z), "Uphill"),
            (lambda mu, slope, z, rate: mu + rate * np.mean(1 - expit(slope * (mu + z))), "the second factor"),
            (
                lambda mu, slope, z, rate: mu + rate * np.mean((1 - expit(slope * (mu + z))) * (mu + z)),
                "the slope in D's weight",
            ),
            (
                lambda mu, slope, z, rate: mu - rate * in_mu(lambda t: -softplus(t), mu, slope, z),
                "with the saturating loss",
            ),
            (lambda mu, slope, z, rate: mu + rate * slope * np.mean(1 / expit(slope * (mu + z))), "the slope in D."),
            (
                lambda mu, slope, z, rate: mu - rate * len(z) * in_mu(lambda t: softplus(-t), mu, slope, z),
                "sum over the batch",
            ),
            (
                lambda mu, slope, z, rate: mu - rate * in_mu(lambda t: softplus(-t), mu, slope, z[:1] * 0 + z.mean()),
                "at the mean sample",
            ),
            (lambda mu, slope, z, rate: -rate * in_mu(lambda t: softplus(-t), mu, slope, z), "where μ is after it"),
        ],
    ),
    "05.1": (
        two_ways(),
        [
            (two_ways(of_psi=lambda theta, psi: -of_V(theta, psi)[1]), "D wants V large"),
            (two_ways(of_theta=lambda theta, psi: of_V(theta, psi)[0]), "G wants V small"),
            (two_ways(lambda _, psi: psi, lambda theta, _: -theta), "V is no product"),
            (two_ways(lambda _, psi: 0.5 * psi, lambda theta, _: -0.5 * theta), "near the solution only"),
            (two_ways(of_theta=lambda theta, psi: psi - psi * sigmoid(psi * theta)), "the game's own"),
            (
                two_ways(
                    lambda theta, psi: psi / (1 + math.exp(psi * theta)),
                    lambda theta, psi: -theta / (1 + math.exp(psi * theta)),
                ),
                "σ(−ψθ) is 1 − D",
            ),
            (lambda *at: (two_ways()(*at)[1], two_ways()(*at)[0]), "The other way round"),
            (lambda *at: (two_ways()(*at)[0], two_ways()(*at)[0]), "at once, twice"),
            (D_first, "There ψ moves first"),
            (lambda *at: (two_ways()(*at)[0], old_answer(*at)), "belongs into σ(ψθ), too"),
        ],
    ),
    "09.1": (
        one_step,
        [
            (lambda D, *given: D - (one_step(D, *given) - D), "Uphill"),
            (lambda D, real, fake, m, a, b, rate: one_step(D, fake, real, m, a, b, rate), "a on generated ones"),
            (lambda D, real, fake, m, a, b, rate: one_step(D, real, fake, m, a, b, 2 * rate), "Twice too far"),
            (lambda D, real, fake, m, a, b, rate: one_step(D, real, fake, m, a, b, rate / 2), "Half as far"),
            (lambda D, real, fake, m, a, b, rate: one_step(D, real, fake, m, a, b, m * rate), "are two means"),
            (
                lambda D, real, fake, m, a, b, rate: one_step(D, real, fake, m, a, b, rate * m / (real + fake)),
                "not over the samples at this place",
            ),
            (lambda _D, real, fake, _m, a, b, _rate: a + (b - a) * real / (real + fake), "where D settles"),
            (lambda D, *given: one_step(D, *given) - D, "the way of the step"),
        ],
    ),
}


@pytest.mark.parametrize("id_", LATER_STEPS)
def test_a_step_gets_its_verdict(id_: str):
    judged(id_, *LATER_STEPS[id_])


def test_many_steps_of_the_dirac_gan_end_where_the_lesson_says():
    """At once at 3.097, in turns at 1.421, as lesson 05 prints."""
    ends = []
    for way in (0, 1):
        at = (1.0, -1.0)
        for _ in range(500):
            at = two_ways()(*at, 0.2)[way]
        ends.append(math.hypot(*at))
    assert ends == pytest.approx([3.097, 1.421], abs=5e-4)


def test_many_steps_of_D_settle_at_the_weighted_mean():
    D = 5.0
    for _ in range(200):
        D = one_step(D, 3, 1, 16, -1.0, 1.0, 0.5)
    assert pytest.approx((3 * 1 + 1 * -1) / 4) == D

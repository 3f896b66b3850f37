"""The compiled losses against torch's own, hand-written ones, autograd and exact arithmetic."""

from collections.abc import Callable

import mpmath
import pytest
import sympy as sp
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganlab.errors import NotStabilisable
from ganlab.losses import Loss
from ganlab.objectives import MINIMAX, NON_SATURATING, D, Objective, least_squares

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
DTYPES = [torch.float32, torch.float64, torch.bfloat16]
CODING = (-0.75, 1.25, 0.5)


def bce(label: float):
    return lambda t: F.binary_cross_entropy_with_logits(t, torch.full_like(t, label))


def squares(target: float):
    return lambda t: 0.5 * ((t - target) ** 2).mean()


BY_HAND = {
    "GAN real": (MINIMAX.losses().real, bce(1)),
    "GAN fake": (MINIMAX.losses().fake, bce(0)),
    "GAN generator, saturating": (MINIMAX.losses().generator, lambda t: -bce(0)(t)),
    "NS-GAN real": (NON_SATURATING.losses().real, bce(1)),
    "NS-GAN fake": (NON_SATURATING.losses().fake, bce(0)),
    "NS-GAN generator": (NON_SATURATING.losses().generator, bce(1)),
    "LSGAN real": (least_squares(*CODING).losses().real, squares(CODING[1])),
    "LSGAN fake": (least_squares(*CODING).losses().fake, squares(CODING[0])),
    "LSGAN generator": (least_squares(*CODING).losses().generator, squares(CODING[2])),
    "smoothed real": (NON_SATURATING.smoothed(0.1).losses().real, bce(0.9)),
}


def value_and_gradient(loss, logits: Tensor) -> tuple[Tensor, Tensor]:
    leaf = logits.detach().clone().requires_grad_()
    value = loss(leaf)
    (gradient,) = torch.autograd.grad(value, leaf)
    return value.detach().double().cpu(), gradient.double().cpu()


logit_lists = st.lists(st.floats(-1e4, 1e4, width=32) | st.floats(-30, 30, width=32), min_size=1, max_size=12)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", BY_HAND)
@given(values=logit_lists)
def test_losses_equal_the_hand_written_ones(name: str, dtype: torch.dtype, device: str, values: list[float]):
    ours, by_hand = BY_HAND[name]
    logits = torch.tensor(values, dtype=dtype, device=device)
    value, gradient = value_and_gradient(ours, logits)
    # The reference is computed in float64 from the same (already rounded) logits.
    value_by_hand, gradient_by_hand = value_and_gradient(by_hand, logits.double())
    digits = {torch.float64: 1e-12, torch.float32: 2e-6, torch.bfloat16: 2e-6}[dtype]
    of_gradient = {torch.float64: 1e-12, torch.float32: 2e-6, torch.bfloat16: 8e-3}[dtype]
    # The two terms of a smoothed loss pull in opposite directions and cancel near t = log 9.
    cancelling = 1e-7 if name == "smoothed real" and dtype is not torch.float64 else 1e-12
    torch.testing.assert_close(value, value_by_hand, rtol=digits, atol=1e-12)
    torch.testing.assert_close(gradient, gradient_by_hand, rtol=of_gradient, atol=cancelling)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("logit", [-1e4, -300.0, -80.0, -20.0, 20.0, 80.0, 300.0, 1e4])
@pytest.mark.parametrize("objective", [MINIMAX, NON_SATURATING], ids=lambda objective: objective.name)
def test_far_gradients_keep_their_relative_precision(objective: Objective, logit: float, dtype: torch.dtype):
    """Where the naive log(1 − σ(t)) gives 0 or NaN, autograd must still give −σ(t), down to the smallest float."""
    with mpmath.workdps(60):
        sigma = float(1 / (1 + mpmath.exp(-mpmath.mpf(logit))))
        rejects = float(1 / (1 + mpmath.exp(mpmath.mpf(logit))))
    right = {"real": -rejects, "fake": sigma, "generator": -sigma if objective is MINIMAX else -rejects}
    for role, expected in right.items():
        value, gradient = value_and_gradient(getattr(objective.losses(), role), torch.tensor([logit], dtype=dtype))
        assert value.isfinite()
        smallest = torch.finfo(torch.float32).tiny
        tolerance = 8e-3 if dtype is torch.bfloat16 else 1e-5
        assert abs(gradient.item() - expected) <= tolerance * abs(expected) + smallest


def test_golden_values():
    """Computed elsewhere, by hand, from the published formulas."""
    real = torch.tensor([-5, 1.4, 12.5, 2.7])
    fake = torch.tensor([10, 4.4, -5.5, 3.6])
    zero_one, cross_entropy = least_squares(0, 1, 1).losses(), NON_SATURATING.losses()
    assert zero_one.generator(fake).item() == pytest.approx(17.69625, abs=1e-5)
    assert zero_one.discriminator(real, fake).item() == pytest.approx(41.73375, abs=1e-5)
    assert cross_entropy.generator(fake).item() == pytest.approx(1.38582, abs=1e-5)
    assert cross_entropy.discriminator(real, fake).item() == pytest.approx(5.83387, abs=1e-5)


def test_default_coding_is_minus_one_one_zero():
    losses = least_squares().losses()
    values = [loss(torch.tensor([3.0])).item() for loss in (losses.real, losses.fake, losses.generator)]
    assert values == [2.0, 8.0, 4.5]


@pytest.mark.parametrize("shape", [(6,), (6, 1), (2, 3)])
def test_the_mean_is_over_all_logits_whatever_the_shape(shape: tuple[int, ...]):
    logits = torch.arange(6.0)
    loss = NON_SATURATING.losses().generator
    assert loss(logits.reshape(shape)).item() == pytest.approx(loss(logits).item())
    assert loss(logits).shape == ()


def test_mean_of_squares_is_not_the_square_of_the_mean():
    assert least_squares(0, 1, 1).losses().generator(torch.tensor([0.0, 2.0])).item() == 0.5


def test_half_precision_logits_give_float32_losses():
    for dtype in (torch.bfloat16, torch.float16):
        assert NON_SATURATING.losses().generator(torch.ones(3, dtype=dtype)).dtype is torch.float32


def mine(real: sp.Expr, output: str = "probability") -> Callable[[Tensor], Tensor]:
    return Objective("mine", real, D, D, output, "a test").losses().real  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("expression", "reference"),
    [
        (sp.log(D / (1 - D)), lambda t: t.mean()),
        (-sp.log(D * (1 - D) ** 2), lambda t: (F.softplus(-t) + 2 * F.softplus(t)).mean()),
        (-sp.log(2 * D) * D, lambda t: -((2 * t.sigmoid()).log() * t.sigmoid()).mean()),
        (-sp.log(1 + D), lambda t: -(1 + t.sigmoid()).log().mean()),
        (D**2 - 2 * D + 1, lambda t: (1 - t.sigmoid()).square().mean()),
        ((D - sp.Rational(1, 2)) ** 2, lambda t: (t.sigmoid() - 0.5).square().mean()),
        (sp.log(D) ** 2, lambda t: F.logsigmoid(t).square().mean()),
    ],
)
def test_other_expressions_in_a_probability(expression: sp.Expr, reference):
    logits = torch.linspace(-15, 15, 41, dtype=torch.float64)
    ours, by_hand = value_and_gradient(mine(expression), logits), value_and_gradient(reference, logits)
    torch.testing.assert_close(ours, by_hand, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("factor", [2 - D, 4 - 2 * D, (2 - D) * (3 - D)], ids=str)
def test_a_factor_is_positive_whichever_way_it_is_factored(factor: sp.Expr):
    logits = torch.linspace(-15, 15, 41, dtype=torch.float64)
    ours = value_and_gradient(mine(-sp.log(factor)), logits)
    plain = sp.lambdify(D, factor)
    by_hand = value_and_gradient(lambda t: -plain(t.sigmoid()).log().mean(), logits)
    torch.testing.assert_close(ours, by_hand, rtol=1e-9, atol=1e-9)


def test_hinge_losses_on_a_score():
    logits = torch.linspace(-3, 3, 40)
    ours = value_and_gradient(mine(sp.Max(0, 1 - D), "score"), logits)
    torch.testing.assert_close(ours, value_and_gradient(lambda t: (1 - t).clamp(min=0).mean(), logits))


@pytest.mark.parametrize(
    ("expression", "output", "named"),
    [
        (1 / D, "probability", "1/D: at logit t = -103.7"),
        (sp.exp(D), "score", "exp(D): at logit"),
        (sp.gamma(D), "score", "no PyTorch form of gamma"),
        (sp.log(D - 1), "probability", "negative number"),
        (sp.log(D), "score", "log(D)"),
    ],
)
def test_what_has_no_stable_form_is_named(expression: sp.Expr, output: str, named: str):
    with pytest.raises(NotStabilisable) as caught:
        mine(expression, output)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_naive_form_would_be_refused():
    """The check at compilation is not vacuous: the unstable way of computing log(1 − σ(t)) fails it."""
    from ganlab.losses import _check_against_exact, t

    naive = sp.log(1 - 1 / (1 + sp.exp(-t)))
    with pytest.raises(NotStabilisable):
        _check_against_exact(Loss(naive), naive, naive)

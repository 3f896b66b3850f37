"""Objectives on pairs: what they say, what they refuse, and their compiled losses against plain formulas."""

from dataclasses import fields, replace

import mpmath
import pytest
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganlab.errors import NotPointwise, NotStabilisable, ObjectiveError, ShapeError
from ganlab.losses import PairLosses
from ganlab.objectives import (
    GAN_2014,
    MINIMAX,
    NON_SATURATING,
    RELATIVISTIC,
    RELATIVISTIC_MINIMAX,
    D,
    Objective,
    least_squares,
    t,
)
from ganlab.theory import pairs

CATALOGUE = [RELATIVISTIC, RELATIVISTIC_MINIMAX]
DTYPES = [torch.float32, torch.float64, torch.bfloat16]


def in_pairs(real: object = -sp.log(D), generator: object = -sp.log(1 - D), **options) -> Objective:
    options = {"fake": 0, "output": "pair", "source": "a test", **options}
    return Objective("mine", real=real, generator=generator, **options)  # pyright: ignore[reportArgumentType]


def losses_of(objective: Objective) -> PairLosses:
    losses = objective.losses()
    assert isinstance(losses, PairLosses)
    return losses


# What the two players pay, written out one pair after the other.
def minus_log_sigma(T: Tensor) -> Tensor:
    return torch.logaddexp(torch.zeros_like(T), -T)


PLAIN = {
    "RpGAN, D": (losses_of(RELATIVISTIC).discriminator, lambda T: minus_log_sigma(T)),
    "RpGAN, G": (losses_of(RELATIVISTIC).generator, lambda T: minus_log_sigma(-T)),
    "RpGAN (minimax), D": (losses_of(RELATIVISTIC_MINIMAX).discriminator, lambda T: minus_log_sigma(T)),
    "RpGAN (minimax), G": (losses_of(RELATIVISTIC_MINIMAX).generator, lambda T: -minus_log_sigma(T)),
    "squares of D, D": (losses_of(in_pairs((1 - D) ** 2, D**2)).discriminator, lambda T: T.neg().sigmoid() ** 2),
    "squares of D, G": (losses_of(in_pairs((1 - D) ** 2, D**2)).generator, lambda T: T.sigmoid() ** 2),
}


def value_and_gradients(loss, t_real: Tensor, t_fake: Tensor) -> list[Tensor]:
    leaves = [logits.detach().clone().requires_grad_() for logits in (t_real, t_fake)]
    value = loss(*leaves)
    return [part.detach().double() for part in (value, *torch.autograd.grad(value, leaves))]


def one_after_the_other(paid):
    """The mean over i of what is paid for (t_real[i], t_fake[i]), by a loop in float64."""

    def loss(t_real: Tensor, t_fake: Tensor) -> Tensor:
        return torch.stack([paid(t_real[i] - t_fake[i]) for i in range(len(t_real))]).sum() / len(t_real)

    return loss


logit = st.floats(-1e4, 1e4, width=32) | st.floats(-30, 30, width=32)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", PLAIN)
@given(values=st.lists(st.tuples(logit, logit), min_size=1, max_size=8))
def test_losses_and_both_gradients_are_the_plain_formulas(name: str, dtype: torch.dtype, values: list):
    ours, paid = PLAIN[name]
    t_real, t_fake = torch.tensor(values).to(dtype).unbind(1)
    value, of_real, of_fake = value_and_gradients(ours, t_real, t_fake)
    expected = value_and_gradients(one_after_the_other(paid), t_real.double(), t_fake.double())
    # T is a difference: it loses digits where the logits are large and near each other, in float32 6e-8 · |t|.
    lost = 0 if dtype is torch.float64 else 6e-8 * float(abs(torch.tensor(values)).max())
    digits = 1e-12 if dtype is torch.float64 else 2e-6
    torch.testing.assert_close(value, expected[0], rtol=digits, atol=1e-12 + lost)
    of_gradient = 8e-3 if dtype is torch.bfloat16 else digits + lost
    torch.testing.assert_close(of_real, expected[1], rtol=of_gradient, atol=1e-12)
    torch.testing.assert_close(of_fake, expected[2], rtol=of_gradient, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("T", [-1e4, -300.0, -80.0, -20.0, 20.0, 80.0, 300.0, 1e4])
def test_far_gradients_keep_their_relative_precision(T: float, dtype: torch.dtype):
    """Where σ(T) rounds to 0 or 1, D must still learn −σ(−T) at t_real and σ(−T) at t_fake, and G −σ(T)."""
    rounded = torch.tensor(T, dtype=dtype).item()
    with mpmath.workdps(60):
        right, wrong = (float(1 / (1 + mpmath.exp(mpmath.mpf(sign * rounded)))) for sign in (-1, 1))
    expected = {
        "RpGAN, D": (-wrong, wrong),
        "RpGAN, G": (right, -right),
        "RpGAN (minimax), G": (wrong, -wrong),
    }
    for name, gradients in expected.items():
        zero = torch.zeros(1, dtype=dtype)
        for t_real, t_fake in ((zero + rounded, zero), (zero, zero - rounded)):
            value, *computed = value_and_gradients(PLAIN[name][0], t_real, t_fake)
            assert value.isfinite()
            for ours, gradient in zip(computed, gradients, strict=True):
                tolerance = 8e-3 if dtype is torch.bfloat16 else 1e-5
                assert abs(ours.item() - gradient) <= tolerance * abs(gradient) + torch.finfo(torch.float32).tiny


def test_half_precision_logits_are_subtracted_in_float32():
    """1024 − 1.5 is 1020 or 1024 in bfloat16."""
    losses = losses_of(RELATIVISTIC_MINIMAX)
    for dtype in (torch.bfloat16, torch.float16):
        t_real, t_fake = torch.tensor([1.5], dtype=dtype), torch.tensor([1024.0], dtype=dtype)
        paid = losses.discriminator(t_real, t_fake)
        assert paid.dtype is torch.float32
        assert paid.item() == 1022.5
        assert losses.generator(t_real.float(), t_fake).item() == -1022.5


def test_the_mean_is_over_pairs_and_not_over_all_combinations():
    t_real, t_fake = torch.tensor([0.0, 5.0, -3.0]), torch.tensor([1.0, -2.0, 4.0])
    loss = losses_of(RELATIVISTIC).discriminator
    all_combinations = minus_log_sigma(t_real[:, None] - t_fake[None, :]).mean()
    assert loss(t_real, t_fake).item() == pytest.approx(minus_log_sigma(t_real - t_fake).mean().item())
    assert abs(loss(t_real, t_fake) - all_combinations) > 0.1
    # Who is paired with whom matters, the order of the pairs and the shape do not.
    assert abs(loss(t_real, t_fake.roll(1)) - loss(t_real, t_fake)) > 0.1
    torch.testing.assert_close(loss(t_real.flip(0), t_fake.flip(0)), loss(t_real, t_fake))
    torch.testing.assert_close(loss(t_real[:, None], t_fake[:, None]), loss(t_real, t_fake))


@pytest.mark.parametrize("shapes", [((4, 1), (4,)), ((4,), (3,)), ((4,), (1,)), ((4,), ())], ids=str)
def test_logits_that_are_no_pairs_are_refused(shapes):
    for loss in (losses_of(RELATIVISTIC).discriminator, losses_of(RELATIVISTIC).generator):
        with pytest.raises(ShapeError) as caught:
            loss(*map(torch.zeros, shapes))
        assert all(str(list(shape)) in str(caught.value) for shape in shapes)


def test_every_pair_of_letters_once_gives_the_value_of_the_theory():
    """D's loss on a batch that holds all pairs is −V, and the theory's critic is where its gradient vanishes."""
    reals, fakes = torch.tensor([0, 0, 0, 1, 2]), torch.tensor([0, 1, 1, 2])
    P, Q = (torch.bincount(letters, minlength=3).double() / len(letters) for letters in (reals, fakes))
    x, x_fake = reals.repeat_interleave(4), fakes.repeat(5)
    loss = losses_of(RELATIVISTIC).discriminator
    anywhere = torch.tensor([0.4, -1.3, 2.0], dtype=torch.float64)
    paid = loss(anywhere[x], anywhere[x_fake]).item()
    assert paid == pytest.approx(-float(pairs.value_of_laws(P.numpy(), Q.numpy(), anywhere.numpy())))
    best = (P / Q).log().requires_grad_()
    paid = loss(best[x], best[x_fake])
    assert paid.item() == pytest.approx(-float(pairs.best_value_of_laws(P.numpy(), Q.numpy())))
    (gradient,) = torch.autograd.grad(paid, best)
    torch.testing.assert_close(gradient, torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-15)


def test_losses_of_many_members_at_once_are_each_members_own():
    """Every field of a set of losses is a function of logits alone, so that it can be vectorised over members."""
    for objective in (RELATIVISTIC, NON_SATURATING):
        alone = objective.losses()
        stacked = replace(alone, **{field.name: torch.vmap(getattr(alone, field.name)) for field in fields(alone)})
        t_real, t_fake = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
        of_G = (t_real, t_fake) if alone.generator_needs_real else (t_fake,)
        for i in range(3):
            one = alone.discriminator(t_real[i], t_fake[i])
            torch.testing.assert_close(stacked.discriminator(t_real, t_fake)[i], one)
            torch.testing.assert_close(stacked.generator(*of_G)[i], alone.generator(*(logits[i] for logits in of_G)))


def test_g_needs_real_logits_for_pairs_alone():
    assert [objective.losses().generator_needs_real for objective in CATALOGUE] == [True, True]
    others = [MINIMAX, NON_SATURATING, GAN_2014, least_squares()]
    assert not any(objective.losses().generator_needs_real for objective in others)
    with pytest.raises(TypeError):
        RELATIVISTIC.losses().generator(torch.zeros(3))


# The objective itself ------------------------------------------------------------------------------------------------


def test_what_the_players_want():
    """D wants the real sample above; G wants it below, and pays −log σ(−T), or log σ(T) in the zero-sum game."""
    D_of_T = 1 / (1 + sp.exp(-t))
    assert sp.simplify(RELATIVISTIC.real.subs(D, D_of_T) - sp.log(1 + sp.exp(-t))) == 0
    assert sp.simplify(sp.expand_log(RELATIVISTIC.generator.subs(D, D_of_T) - sp.log(1 + sp.exp(t)), force=True)) == 0
    assert RELATIVISTIC_MINIMAX.real + RELATIVISTIC_MINIMAX.generator == 0
    assert RELATIVISTIC.real + RELATIVISTIC.generator != 0
    assert all(objective.output == "pair" for objective in CATALOGUE)


@pytest.mark.parametrize("objective", CATALOGUE, ids=lambda objective: objective.name)
@pytest.mark.parametrize("T", [-3.0, 0.0, 0.7, 4.0])
def test_logit_gradients_are_those_of_the_compiled_losses(objective: Objective, T: float):
    losses, gradients = losses_of(objective), objective.logit_gradients
    t_fake = torch.tensor([0.3], dtype=torch.float64)
    _, real, fake = value_and_gradients(losses.discriminator, t_fake + T, t_fake)
    _, _, generator = value_and_gradients(losses.generator, t_fake + T, t_fake)
    for role, computed in {"real": real, "fake": fake, "generator": generator}.items():
        assert computed.item() == pytest.approx(float(gradients[role].expression.subs(t, T)), rel=1e-12)


def test_where_gradients_vanish():
    """D sure of every pair: G still learns in the non-saturating form, and nothing in the zero-sum one."""
    limits = [
        [(gradient.at_minus_infinity, gradient.at_plus_infinity) for gradient in objective.logit_gradients.values()]
        for objective in CATALOGUE
    ]
    assert limits == [[(-1, 0), (1, 0), (0, -1)], [(-1, 0), (1, 0), (-1, 0)]]


def test_a_pairs_loss_is_no_sum_of_losses_per_sample():
    for objective in CATALOGUE:
        for loss in (objective.real, objective.generator):
            assert pairs.mixed_derivative(loss.subs(D, 1 / (1 + sp.exp(-t))), t).subs(t, 0) != 0


POINTWISE = {
    "value_integrand": "the value integrand",
    "optimal_discriminator": "the optimal discriminator",
    "criterion": "the criterion",
    "frozen_gradient": "the frozen gradient",
    "followed": "what training follows",
}


@pytest.mark.parametrize("objective", CATALOGUE, ids=lambda objective: objective.name)
@pytest.mark.parametrize("derived", POINTWISE)
def test_what_holds_at_one_point_is_refused(objective: Objective, derived: str):
    with pytest.raises(NotPointwise) as caught:
        getattr(objective, derived)
    message = str(caught.value)
    assert message.startswith(f"{objective.name}: {POINTWISE[derived]} ")
    assert "σ(t_real − t_fake) compares two" in message
    assert "ganlab/theory/pairs.py" in message
    assert "\n" not in message


def test_a_loss_of_one_sample_alone_is_refused():
    for role in ("real", "fake"):
        with pytest.raises(NotPointwise, match="discriminator\\(t_real, t_fake\\)"):
            getattr(RELATIVISTIC.losses(), role)


def test_labels_of_pairs_are_not_smoothed():
    assert RELATIVISTIC.smoothed(0) == RELATIVISTIC
    with pytest.raises(NotPointwise, match=r"label_smoothing is 0\.1, but on pairs"):
        RELATIVISTIC.smoothed(0.1)
    with pytest.raises(ObjectiveError, match=r"label_smoothing is 0\.7; give a number in"):
        RELATIVISTIC.smoothed(0.7)


def test_latex_shows_the_pair_to_both_players():
    latex = RELATIVISTIC.latex
    assert latex.count(r"\min") == 2
    assert latex.count(r"\sigma(t(x) - t(G(z)))") == 2
    assert latex.count(r"p_\mathrm{data}") == 2
    assert "D(x)" not in latex


@pytest.mark.parametrize(
    ("build", "error", "named"),
    [
        (lambda: in_pairs(fake=-sp.log(1 - D)), ObjectiveError, "fake = -log(1 - D) and generator_real = 0"),
        (lambda: in_pairs(generator_real=sp.log(D)), ObjectiveError, "generator_real = log(D)"),
        (lambda: in_pairs(real=1), ObjectiveError, "real = 1 does not depend on D"),
        (lambda: in_pairs(generator=0), ObjectiveError, "generator = 0 does not depend on D"),
        (lambda: in_pairs(output="pairs"), ObjectiveError, "'probability', 'score' or 'pair'"),
        (lambda: in_pairs(output="probability"), ObjectiveError, "fake = 0 does not depend on D"),
        (lambda: in_pairs(1 / D).losses(), NotStabilisable, "1/D"),
        (lambda: in_pairs(sp.Symbol("w") * D, parameters=(sp.Symbol("w"),)).losses(), ObjectiveError, "w have no"),
    ],
)
def test_a_wrong_objective_is_named_in_one_line(build, error: type[ObjectiveError], named: str):
    with pytest.raises(error) as caught:
        build()
    assert type(caught.value) is error
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)

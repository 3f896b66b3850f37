"""The game on pairs: its theory by sympy for symbolic laws, and against plain loops, optimisers and scipy."""

import itertools
import math

import numpy as np
import pytest
import scipy.optimize
import scipy.spatial.distance
import scipy.stats
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab import claims
from ganlab.errors import ShapeError
from ganlab.theory import divergences, pairs

LOG_2 = math.log(2)
T = sp.Symbol("T", real=True)


def laws_of(letters: int) -> st.SearchStrategy[np.ndarray]:
    weights = st.lists(st.floats(0.01, 1), min_size=letters, max_size=letters)
    return weights.map(lambda values: np.array(values) / sum(values))


logits_of_4 = st.lists(st.floats(-6, 6), min_size=4, max_size=4).map(np.array)


def value_by_loop(P, Q, t) -> float:
    total = 0.0
    for i, j in itertools.product(range(len(P)), repeat=2):
        total += P[i] * Q[j] * math.log(1 / (1 + math.exp(-(t[i] - t[j]))))
    return total


def jensen_shannon_by_scipy(P, Q) -> float:
    return scipy.spatial.distance.jensenshannon(P, Q) ** 2


def in_both_orders(P: np.ndarray, Q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P⊗Q and Q⊗P for laws [..., n], flat: [..., n²]."""
    products = (np.einsum("...i,...j->...ij", *laws) for laws in ((P, Q), (Q, P)))
    one, other = (laws.reshape(*laws.shape[:-2], -1) for laws in products)
    return one, other


# For symbolic laws on 2 and 3 letters --------------------------------------------------------------------------------


@pytest.fixture(params=[2, 3], ids="{} letters".format)
def symbolic(request: pytest.FixtureRequest):
    p, q = pairs.laws(request.param)
    return p, q, pairs.logits(request.param)


def test_the_laws_are_laws(symbolic):
    for law in symbolic[:2]:
        claims.proved("the probabilities sum to 1", sum(law), 1)
        assert all(probability.is_positive for probability in law)
    of_p, of_q = (sp.Tuple(*law).free_symbols for law in symbolic[:2])
    assert len(of_p) == len(of_q) == len(symbolic[0])
    assert not of_p & of_q


def test_the_value_is_the_sum_over_all_pairs(symbolic):
    p, q, t = symbolic
    answers = {(i, j): 1 / (1 + sp.exp(-(t[i] - t[j]))) for i, j in itertools.product(range(len(t)), repeat=2)}
    by_hand = sp.Add(*(p[i] * q[j] * sp.log(answer) for (i, j), answer in answers.items()))
    logs = {one: sp.log(sp.Symbol(f"u_{i}", positive=True)) for i, one in enumerate(t)}
    claims.proved("V", pairs.value(p, q, t).subs(logs), by_hand.subs(logs))


def test_the_gradient_vanishes_at_the_log_ratio_plus_any_constant(symbolic):
    p, q, t = symbolic
    constant = sp.Symbol("c", real=True)
    at = {one: sp.log(a / b) + constant for one, a, b in zip(t, p, q, strict=True)}
    assert [one - constant for one in at.values()] == list(pairs.best_critic(p, q))
    V = pairs.value(p, q, t)
    claims.proved("∇V = 0", [sp.diff(V, one).subs(at, simultaneous=True) for one in t], [0] * len(t))


def test_the_gradient_vanishes_nowhere_else(symbolic):
    """V is concave, strictly so in every direction but the constant one; so two stationary points differ by one."""
    p, q, t = symbolic
    v = pairs.logits(len(t), "v")
    along = pairs.curvature(p, q, t, v)
    logs = {one: sp.log(sp.Symbol(f"u_{i}", positive=True)) for i, one in enumerate(t)}
    hessian = sp.hessian(pairs.value(p, q, t), t).subs(logs)
    claims.proved("v'Hv = −Σ c (v_i − v_j)²", hessian, sp.hessian(along / 2, v).subs(logs))
    # Each term is a negative number times (v_i − v_j)², and every pair of letters has its term.
    squares = {(v[i] - v[j]) ** 2 for i, j in itertools.combinations(range(len(t)), 2)}
    terms = sp.Add.make_args(along)
    assert {square for term in terms for square in squares if term.has(square)} == squares
    for term in terms:
        (square,) = [square for square in squares if term.has(square)]
        assert (term / square).is_negative


def test_the_largest_value_is_jensen_shannon_minus_log_2(symbolic):
    p, q, _ = symbolic
    best = pairs.value(p, q, pairs.best_critic(p, q))
    claims.proved("V at log(p/q)", best, pairs.best_value(p, q))
    one, other = pairs.in_both_orders(p, q)
    middle = [(a + b) / 2 for a, b in zip(one, other, strict=True)]
    kl = [sum(a * sp.log(a / m) for a, m in zip(law, middle, strict=True)) for law in (one, other)]
    claims.proved("with JS as the mean of two KL", best, sum(kl) / 2 - sp.log(2))
    for law, first in ((one, p), (other, q)):
        assert sp.simplify(sum(law[: len(p)]) - first[0]) == 0  # the first letter's law


def test_what_is_missing_to_the_largest_value_is_a_sum_of_divergences(symbolic):
    p, q, t = symbolic
    missing = pairs.gap(p, q, t)
    claims.proved("max V − V(t)", pairs.best_value(p, q) - pairs.value(p, q, t), missing)
    # By hand: each pair's weight times the KL from its best answer to σ(t_i − t_j).
    by_hand = sp.Integer(0)
    for i, j in itertools.combinations(range(len(t)), 2):
        one, other = p[i] * q[j], p[j] * q[i]
        best, answer = one / (one + other), 1 / (1 + sp.exp(t[j] - t[i]))
        kl = best * sp.log(best / answer) + (1 - best) * sp.log((1 - best) / (1 - answer))
        by_hand += (one + other) * kl
    numbers = dict(zip(t, (sp.log(3), sp.log(sp.Rational(1, 5)), 0), strict=False))
    claims.proved("Σ weight · KL", missing.subs(numbers), by_hand.subs(numbers))


def test_two_letters_tell_more_than_one_and_at_most_log_2(symbolic):
    p, q, _ = symbolic
    of_pairs = pairs.jensen_shannon(*pairs.in_both_orders(p, q))
    of_letters = pairs.jensen_shannon(p, q)
    claims.proved("JS of pairs − JS", of_pairs - of_letters, pairs.information_of_second(p, q))
    claims.proved("log 2 − JS of pairs", sp.log(2) - of_pairs, pairs.doubt(p, q))


def test_equal_laws_leave_nothing_to_tell():
    p, _ = pairs.laws(3)
    claims.proved("max V at p = q", pairs.best_value(p, p), -sp.log(2))
    claims.proved("the second letter adds nothing", pairs.information_of_second(p, p), 0)
    claims.proved("all doubt stays", pairs.doubt(p, p), sp.log(2))


# For numbers ---------------------------------------------------------------------------------------------------------


@given(laws_of(4), laws_of(4), logits_of_4)
def test_the_value_by_a_plain_loop(P: np.ndarray, Q: np.ndarray, t: np.ndarray):
    by_loop = value_by_loop(P, Q, t)
    assert float(pairs.value_of_laws(P, Q, t)) == pytest.approx(by_loop, rel=1e-12)
    assert float(pairs.value(P, Q, t)) == pytest.approx(by_loop, rel=1e-12)  # pyright: ignore[reportArgumentType]


@settings(max_examples=25)
@given(laws_of(4), laws_of(4))
def test_an_optimiser_finds_the_same_critic_and_value(P: np.ndarray, Q: np.ndarray):
    found = scipy.optimize.minimize(lambda t: -value_by_loop(P, Q, t), np.zeros(4), method="BFGS", tol=1e-9)
    expected = np.log(P) - np.log(Q)
    np.testing.assert_allclose(found.x - found.x.mean(), expected - expected.mean(), atol=1e-3)
    assert -found.fun == pytest.approx(float(pairs.best_value_of_laws(P, Q)), abs=1e-7)
    assert -found.fun == pytest.approx(jensen_shannon_by_scipy(*in_both_orders(P, Q)) - LOG_2, abs=1e-7)


@given(laws_of(4), laws_of(4), logits_of_4)
def test_every_other_critic_is_worse_by_the_gap(P: np.ndarray, Q: np.ndarray, t: np.ndarray):
    missing = float(pairs.gap(P, Q, t))  # pyright: ignore[reportArgumentType]
    best = float(pairs.best_value_of_laws(P, Q))
    assert missing == pytest.approx(best - value_by_loop(P, Q, t), abs=1e-12)
    assert missing >= -1e-15
    critic = np.log(P) - np.log(Q)
    assert value_by_loop(P, Q, critic + t[0]) == pytest.approx(best, abs=1e-12)
    moved = critic + t
    differs = np.ptp(t)
    assert value_by_loop(P, Q, moved) < best - 1e-7 or differs < 0.1


@given(laws_of(4), laws_of(4))
def test_what_two_letters_tell_is_made_of_divergences(P: np.ndarray, Q: np.ndarray):
    """Divergences and entropies are never negative: that is the proof of both inequalities."""
    second = doubt = 0.0
    for i, j in itertools.product(range(4), repeat=2):
        share = P[i] / (P[i] + Q[i])  # of the order "real first", given the first letter
        mixed = share * Q + (1 - share) * P
        by_KL = share * scipy.stats.entropy(Q, mixed) + (1 - share) * scipy.stats.entropy(P, mixed)
        second += (P[i] + Q[i]) / 2 * by_KL / 4  # once for each j
        one, other = P[i] * Q[j], P[j] * Q[i]
        doubt += (one + other) / 2 * scipy.stats.entropy([one, other])
    assert float(pairs.information_of_second(P, Q)) == pytest.approx(second, abs=1e-12)  # pyright: ignore[reportArgumentType]
    assert float(pairs.doubt(P, Q)) == pytest.approx(doubt, abs=1e-12)  # pyright: ignore[reportArgumentType]
    assert doubt >= LOG_2 * float(P @ Q) - 1e-12


@pytest.mark.parametrize("letters", [2, 3, 5, 9])
def test_the_inequalities_on_3000_random_laws_each(letters: int):
    """JS ≤ JS of pairs ≤ log 2 − log 2 · Σ p q, for laws from nearly uniform to nearly certain, many with zeros."""
    rng = np.random.default_rng(letters)
    concentrations = rng.choice([0.05, 0.3, 1.0, 10.0], size=(3000, 1))
    weights = rng.gamma(concentrations, size=(2, 3000, letters)) * (rng.random((2, 3000, letters)) > 0.2)
    weights[weights < 1e-6] = 0
    weights[0, :300, ::2], weights[1, :300, 1::2] = 0, 0  # of every ten laws, at least one pair is disjoint
    weights[0, :, 1] += weights[0].sum(axis=-1) == 0
    weights[1, :, 0] += weights[1].sum(axis=-1) == 0
    P, Q = weights / weights.sum(axis=-1, keepdims=True)
    one, other = in_both_orders(P, Q)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = [np.where(law > 0, law * np.log(2 * law / (one + other)), 0) for law in (one, other)]
        letters_of = [np.where(law > 0, law * np.log(2 * law / (P + Q)), 0) for law in (P, Q)]
    of_pairs, of_letters = (np.sum(both, axis=(0, -1)) / 2 for both in (terms, letters_of))
    np.testing.assert_allclose(pairs.best_value_of_laws(P, Q), of_pairs - LOG_2, atol=1e-12)
    overlap = (P * Q).sum(axis=-1)
    assert np.all(of_letters <= of_pairs + 1e-12)
    assert np.all(of_pairs <= LOG_2 * (1 - overlap) + 1e-12)
    # Equality exactly on disjoint supports.
    disjoint = ~((P > 0) & (Q > 0)).any(axis=-1)
    assert 300 <= disjoint.sum() < 2000
    assert np.all(pairs.best_value_of_laws(P, Q)[disjoint] == 0)
    assert np.all(pairs.best_value_of_laws(P, Q)[~disjoint] < 0)
    np.testing.assert_allclose(of_letters[disjoint], LOG_2, atol=1e-12)


def test_disjoint_laws_give_log_2_at_any_distance():
    """Nothing about the letters' places enters: a game on pairs saturates like the one without."""
    P, Q = np.array([0.3, 0.7, 0, 0]), np.array([0, 0, 0.6, 0.4])
    assert pairs.best_value_of_laws(P, Q) == 0
    assert pairs.value_of_laws(P, Q, np.array([math.inf, math.inf, -math.inf, -math.inf])) == 0
    near = pairs.value_of_laws(P, Q, np.array([20.0, 20, -20, -20]))
    assert -1e-15 < near < 0


def test_many_laws_at_once_are_each_alone():
    rng = np.random.default_rng(0)
    P, Q = rng.dirichlet(np.ones(3), size=(2, 5, 7))
    t = rng.normal(size=(5, 7, 3))
    values, best = pairs.value_of_laws(P, Q, t), pairs.best_value_of_laws(P, Q)
    assert values.shape == best.shape == (5, 7)
    for at in np.ndindex(5, 7):
        assert values[at] == pytest.approx(value_by_loop(P[at], Q[at], t[at]))
        by_sum = divergences.on_alphabet(divergences.JENSEN_SHANNON, *in_both_orders(P[at], Q[at]))
        assert best[at] == pytest.approx(by_sum - LOG_2)


# A loss on pairs is no sum of two losses per sample ------------------------------------------------------------------


def test_only_losses_that_are_linear_in_the_difference_split():
    log_sigma = -sp.log(1 + sp.exp(-T))
    sech = 1 / sp.cosh(T / 2)
    claims.proved("−log σ(T)", pairs.mixed_derivative(-log_sigma, T).rewrite(sp.exp), (-(sech**2) / 4).rewrite(sp.exp))
    assert pairs.mixed_derivative(log_sigma, T).is_positive
    assert pairs.mixed_derivative(3 * T - 2, T) == 0
    assert pairs.mixed_derivative(T**2, T) == -2
    # And where it does not vanish for all T, it does not for one: four points give a second difference ≠ 0.
    for h in (0.01, 1.0, 10.0):
        losses = [[math.log1p(math.exp(-(real - fake))) for fake in (0, h)] for real in (0, h)]
        second_difference = losses[1][1] - losses[1][0] - losses[0][1] + losses[0][0]
        assert second_difference < -(h**2) / 1e4  # 0 for every a(t_real) + b(t_fake)


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: pairs.value(*pairs.laws(2), pairs.logits(3)), "[2, 2, 3] entries"),
        (lambda: pairs.gap(*pairs.laws(3), pairs.logits(2)), "[3, 3, 2] entries"),
        (lambda: pairs.curvature(*pairs.laws(2), pairs.logits(2), pairs.logits(1, "v")), "[2, 2, 2, 1]"),
        (lambda: pairs.best_value(pairs.laws(2)[0], pairs.laws(3)[1]), "[2, 3] entries"),
        (lambda: pairs.best_value_of_laws(np.ones(2) / 2, np.ones(3) / 3), "[[2], [3]]"),
        (lambda: pairs.best_value_of_laws(np.ones(2), np.ones(2)), "sum 1"),
        (lambda: pairs.best_value_of_laws(np.array([1.5, -0.5]), np.ones(2) / 2), "≥ 0"),
        (lambda: pairs.value_of_laws(np.ones(2) / 2, np.ones(2) / 2, np.ones(1)), "[[2], [2], [1]]"),
    ],
)
def test_what_is_no_alphabet_is_said(build, named: str):
    with pytest.raises(ShapeError) as caught:
        build()
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)

"""What readers break in lessons 04 to 10: what comes out, computed in another way, and what wrong answers are told."""

import math
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from scipy.stats import norm

from ganlab.exercises import find, lesson_07, outcomes, verdict


def kl_to_the_middle(mu: float) -> tuple[float, float]:
    """KL(p_g‖m) and KL(p_d‖m), two bells at μ and 0, m halfway between the laws: sums over narrow strips."""
    x = np.linspace(-10, 13, 4001)
    p_g, p_d = norm(mu).pdf(x), norm(0).pdf(x)
    kl_g, kl_d = (np.sum(p * np.log(2 * p / (p_g + p_d))) * (x[1] - x[0]) for p in (p_g, p_d))
    return float(kl_g), float(kl_d)


def slopes_in_mu(mu: float) -> tuple[float, float]:
    """Of KL(p_g‖m) and KL(p_d‖m)."""
    after, before = kl_to_the_middle(mu + 0.005), kl_to_the_middle(mu - 0.005)
    return (after[0] - before[0]) / 0.01, (after[1] - before[1]) / 0.01


def slope_that_is_left(mu: float) -> float:
    return slopes_in_mu(mu)[0]


def training_over_criterion(a: float, b: float, c: float, w: float) -> float:
    """For two letters of ½ each, by differences: training's D stays as it is best at w, that of C moves along."""

    def paid(shares: list[float], at: float) -> float:
        """½(D − c)² over the letters with these shares, where D is best against a G that is at `at`."""
        best = [(b * 0.5 + a * made) / (0.5 + made) for made in (1 - at, at)]
        return sum(share * (D - c) ** 2 / 2 for share, D in zip(shares, best, strict=True))

    high, low = w + 1e-5, w - 1e-5
    training = paid([1 - high, high], w) - paid([1 - low, low], w)
    criterion = [paid([1 - at, at], at) + paid([0.5, 0.5], at) for at in (low, high)]
    return training / (criterion[1] - criterion[0])


def nats_per_pixel(factor: float) -> float:
    """What one bell in 9 dimensions loses when all lengths are so many times as large."""
    x, centre = np.linspace(0, 1, 9), np.linspace(1, 0.2, 9)
    scores = [norm(by * centre, by * 0.3).logpdf(by * x).sum() for by in (1, factor)]
    return (scores[0] - scores[1]) / 9


def kept_of_pairs() -> float:
    """The correlation of normal numbers with ±1, by which of two is larger: by quadrature over their gap."""
    gaps = np.linspace(0, 12, 100_001)
    mean_gap = np.sum(gaps * 2 * norm(0, np.sqrt(2)).pdf(gaps)) * (gaps[1] - gaps[0])
    return float(mean_gap / 2)


def line_of_squares(lift: float) -> np.ndarray:
    """w₁, w₂, w₀ of the straight D that pays least squares to say 1 on data at 0, and 0 on samples at −2 and above.

    Of ten samples nine lie at −2, and one at 2.5, lifted by so much.
    """
    rng = np.random.default_rng(0)
    across = rng.choice([-1, 0, 1], (2, 4000)) + 0.35 * rng.normal(size=(2, 4000))
    up = 0.35 * rng.normal(size=(2, 4000))
    above = np.arange(4000) < 400
    up[1] += np.where(above, 2.5 + lift, -2)
    points = np.stack([across.ravel(), up.ravel(), np.ones(8000)], axis=1)
    return np.linalg.lstsq(points, np.repeat([1.0, 0.0], 4000), rcond=None)[0]


def test_what_comes_out_is_right():
    for mu in (0.5, 1, 3):  # the slope of KL(p_g‖m) is half that of 2 JSD, the sum of both
        assert slopes_in_mu(mu)[0] == pytest.approx(sum(slopes_in_mu(mu)) / 2, rel=1e-6)
    assert [training_over_criterion(1, 0, 1, w) for w in (0.1, 0.25, 0.4)] == pytest.approx([-1] * 3, rel=1e-6)
    assert nats_per_pixel(255) == pytest.approx(math.log(255))
    assert kept_of_pairs() == pytest.approx(1 / math.sqrt(math.pi))
    assert kept_of_pairs() == pytest.approx(lesson_07.OF_TWO, rel=outcomes.WITHIN)
    assert [np.sign(line_of_squares(lift)[1]) for lift in (0, 10, 40)] == [1, 1, -1]


def test_z_in_one_corner_is_as_long_as_before():
    """The mean of u² is ⅓ from 0 to 1, and from −1 to 1."""
    u = sp.Symbol("u")
    assert sp.integrate(u**2, (u, 0, 1)) == sp.integrate(u**2 / 2, (u, -1, 1)) == sp.Rational(1, 3)


GIVEN: dict[str, tuple[Any, list[tuple[Any, str]]]] = {
    "04.3": (
        ("a", slope_that_is_left(1), "e"),
        [
            (("a", 0.398, "d"), "Nothing broke yet: that is the slope of 2 JSD"),
            (("c", -0.199, "f"), "the way through D* alone"),
            (("c", 0.0, "f"), "Nothing moves there"),
            (("b", torch.tensor(0.801), "e"), "Asked is the saturating one"),
            (("b", 0.602, "e"), "and D* stands still"),
            (("b", 0.5, "e"), "That comes of another change"),
            (("a", 0.199, "d"), "G pays one of V's two terms only"),
            (("c", 0.199, "f"), "Half of the pull is left"),
            (("b", "half", "e"), "What came of it is `slope`, a number."),
            (("…", 0.199, "e"), "Write it first, a, b or c"),
            (("c", 0.199, "…"), "You said c, and it came out b. Now say why: d, e or f (one small letter)."),
        ],
    ),
    "05.3": (
        ("c", 0.0, "d"),
        [
            (("b", 0.37, "d"), "Nothing broke yet: G's samples moved"),
            (("a", 0.0, "e"), "`detach` copies nothing"),
            (("c", 0.0, "f"), "this D lets G move"),
            (("b", None, "d"), "What came of it is `moved`"),
            (0.0, "three things"),
            (("…", 0.0, "d"), "a wrong guess costs nothing"),
            (("a", 0.0, "no slope"), "You said a, and it came out b"),
        ],
    ),
    "06.3": (
        ("a", torch.tensor(5.5413), "e"),
        [
            (("a", 0.0, "d"), "Nothing broke yet"),
            (("b", -5.54, "e"), "not to 1/255"),
            (("c", 2 * 5.541, "e"), "That comes of another change"),
            (("c", 64 * 5.5413, "e"), "That is for the whole image"),
            (("c", 784 * 5.5413, "e"), "That is for the whole image"),
            (("c", 23_834.0, "e"), "the bells' width have all the unit 255"),
            (("c", 5.541, "d"), "the exponent −r²/(2σ²) is what it was"),
            (("b", 5.541, "f"), "nothing is rounded"),
            (("b", 5.541, ""), "You said b, and it came out c"),
        ],
    ),
    "09.3": (
        ("a", training_over_criterion(1, 0, 1, 0.25), "d"),
        [
            (("a", training_over_criterion(0, 1, 1, 0.25), "d"), "Nothing broke yet"),
            (("a", sp.Rational(7, 8), "d"), "where c is swapped along"),
            (("b", training_over_criterion(1, 0, 0, 0.25), "d"), "where c is swapped along"),
            (("b", 1, "d"), "Mind the sign"),
            (("b", sp.Rational(32, 225), "d"), "That is training's slope"),
            (("b", -sp.Rational(32, 225), "d"), "That is the slope of C"),
            (("c", training_over_criterion(-1, 1, 0, 0.25), "d"), "That is another coding"),
            (("c", -1, "e"), "below c wherever there are data"),
            (("b", -1, "f"), "from 1 over 0"),
        ],
    ),
    "07.5": (
        ("a", 0.5684, "e"),
        [
            (("b", 0.9523, "e"), "Nothing broke yet: that is for batches of 16"),
            (("b", 0.7975, "e"), "These are batches of 4"),
            (("b", 0.9999, "e"), "with columns: a row holds 2, and axis=1 stays"),
            (("b", 0.7071, "e"), "only the mean is taken away"),
            (("c", math.nan, "e"), "let each batch hold 2 numbers (not 1)".capitalize()),
            (("b", np.ones((2, 2)), "e"), "What came of it is `kept`, a number."),
            (("b", 0.5684, "d"), "Add 1e-5 under the root"),
            (("b", 0.5684, "f"), "Take 100,000 batches"),
            (("…", 0.5684, "e"), "Write it first, a, b or c"),
            (("c", 0.5684, "…"), "You said c, and it came out b. Now say why"),
        ],
    ),
    "08.6": (
        ("c", [0.4999, 8.6], "e"),
        [
            (("b", [0.002, 1.04], "e"), "Nothing broke yet: forget `* 2 - 1`, all of it"),
            (("b", [0.001, 4.4], "e"), "only nearer to it: that is another change"),
            (("b", [1.003, 9.0], "e"), "That forgets `- 1` alone"),
            (("b", [-0.501, 9.0], "e"), "That forgets `* 2` alone"),
            (("b", [0.25, 3.0], "e"), "The mean of z is 0.25 there"),
            (("b", [0.5, 1.0], "e"), "score what G makes of this z"),
            (("b", 8.6, "e"), "What came of it is `came`"),
            (("a", [0.5, 8.6], "d"), "They are as long as before"),
            (("a", torch.tensor([0.5, 8.6]), "f"), "G is in evaluation mode"),
            (("a", [0.5, 8.6], "because"), "You said a, and it came out b"),
        ],
    ),
    "10.2": (
        ("a", [3.15, 0.0], "e"),
        [
            (("b", [-1.44, 1.0], "e"), "Nothing broke yet: the samples' mean is as it was"),
            (("b", [33.8, 0.0], "e"), "not the many below"),
            (("b", [3.15, 0.5], "e"), "Leave the lines after `lifted`"),
            (("b", [3.15, -0.0036], "e"), "What came of it is `came`"),
            (("b", torch.ones(3), "e"), "What came of it is `came`"),
            (("b", [3.15, 0.0], "d"), "its line leans the other way, too"),
            (("b", torch.tensor([3.15, 0.0]), "f"), "no line is better"),
            (("down", [3.15, 0.0], "e"), "a wrong guess costs nothing"),
            (([3.15, 0.0], "e"), "three things"),
            (("c", [3.15, 0.0], "a"), "You said c, and it came out b"),
        ],
    ),
}


@pytest.mark.parametrize("id_", GIVEN)
def test_what_is_right_and_what_else_readers_are_told(id_: str):
    right, wrong = GIVEN[id_]
    exercise = find(id_)
    assert verdict(exercise, lambda: right) == "right"
    for answer, hint in wrong:
        said = verdict(exercise, lambda answer=answer: answer)
        assert said.startswith("not yet. ")
        assert hint in said


def test_what_came_out_may_be_off_by_rounding():
    fault = outcomes.near(100.0, [(0, "nothing")], "way", "another")
    assert [fault(way) for way in (99.2, torch.tensor(100.8), sp.Integer(100))] == ["", "", ""]
    assert [fault(way) for way in (98.8, 1e-9, None)] == ["another", "nothing", "What came of it is `way`, a number."]

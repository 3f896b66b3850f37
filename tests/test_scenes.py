"""What the moving pictures show, read off the pictures, against the mathematics."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.integrate import quad
from scipy.spatial import ConvexHull
from scipy.stats import norm

from ganlab import data, paths, plots, scenes
from ganlab.objectives import least_squares
from ganlab.theory.kept import price, u

pytestmark = pytest.mark.usefixtures("style")
LAW = data.ring()
heights = st.integers(1, 40).map(lambda n: n / 20)


def drawn(axes: Axes, label: str) -> tuple[np.ndarray, np.ndarray]:
    (found,) = (line for line in axes.lines if line.get_label() == label)
    return np.asarray(found.get_xdata(), dtype=float), np.asarray(found.get_ydata(), dtype=float)


def dot(axes: Axes) -> tuple[float, float]:
    (found,) = (line for line in axes.lines if line.get_marker() == "o")
    return float(np.ravel(found.get_xdata())[0]), float(np.ravel(found.get_ydata())[0])


@settings(max_examples=20)
@given(a=heights, b=heights)
def test_the_drawn_maximum_is_at_the_share_of_real_ones(a: float, b: float):
    (axes,) = scenes.one_place([(a, b)]).axes
    at, top = dot(axes)
    assert at == pytest.approx(a / (a + b))
    y, earned = drawn(axes, "both together")
    np.testing.assert_allclose(earned, a * np.log(y) + b * np.log(1 - y))
    assert earned.max() <= top + 1e-12
    assert abs(y[earned.argmax()] - at) <= 0.005


def test_where_one_kind_is_missing_the_best_answer_lies_at_the_edge():
    for position, best in (((0, 1), "best answer 0.00"), ((1, 0), "best answer 1.00"), ((0, 0), "any answer")):
        (axes,) = scenes.one_place([position]).axes
        assert best in axes.get_title(loc="left")
        assert not [line for line in axes.lines if line.get_marker() == "o"]


def jsd(apart: float) -> float:
    """By SciPy, from both laws' densities to their mean."""

    def height(x: float) -> float:
        p, q = norm.pdf(x), norm.pdf(x, apart)
        return p * np.log(2 * p / (p + q)) / 2 + q * np.log(2 * q / (p + q)) / 2

    return quad(height, -9, apart + 9)[0]


@pytest.mark.parametrize("apart", [0.5, 2.0, 5.0])
def test_the_bells_have_their_jsd_its_slope_and_their_best_d(apart: float):
    top, bottom = scenes.two_bells([apart]).axes
    x, answers = drawn(top, "best D")
    np.testing.assert_allclose(answers, norm.pdf(x) / (norm.pdf(x) + norm.pdf(x, apart)), atol=1e-9)
    assert dot(bottom) == pytest.approx((apart, jsd(apart)), abs=1e-7)
    ends, values = drawn(bottom, "slope")
    wanted = (jsd(apart + 0.01) - jsd(apart - 0.01)) / 0.02
    assert np.diff(values)[0] / np.diff(ends)[0] == pytest.approx(wanted, abs=1e-5)
    assert f"JSD {jsd(apart):.2f}, slope {wanted:.2f}" == bottom.get_title(loc="left")


def test_equal_bells_leave_nothing_to_tell_and_no_slope():
    top, bottom = scenes.two_bells([0]).axes
    assert drawn(top, "best D")[1] == pytest.approx(0.5)
    assert bottom.get_title(loc="left") == "JSD 0.00, slope 0.00"


@pytest.mark.parametrize("at", [0, 7, scenes.ROUNDS])
def test_p_g_flows_by_the_exponentiated_gradient_of_the_criterion(at: int):
    """Against a plain loop from the same start."""
    top, bottom = scenes.flow([at]).axes
    (x, data), (_, samples) = drawn(top, "data"), drawn(top, "generated")
    law = at_start = drawn(scenes.flow([0]).axes[0], "generated")[1]
    for _ in range(at):
        law = law * (1 - data / (data + law)) ** -scenes.RATE
        law = law * at_start.sum() / law.sum()
    np.testing.assert_allclose(samples, law, atol=1e-12)
    assert np.trapezoid(samples, x) == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(drawn(bottom, "best D")[1], data / (data + samples))


def test_p_g_has_reached_the_data_after_the_last_round():
    top, bottom = scenes.flow([scenes.ROUNDS]).axes
    np.testing.assert_allclose(drawn(top, "generated")[1], drawn(top, "data")[1], atol=0.01)
    np.testing.assert_allclose(drawn(bottom, "best D")[1], 0.5, atol=0.02)
    assert top.get_title(loc="left") == f"round {scenes.ROUNDS}: C = −{math.log(4):.2f}"


def data_of_two_modes(x: float) -> float:
    return float(norm.pdf(x, -2, 0.7) + norm.pdf(x, 2, 0.7)) / 2


@pytest.mark.parametrize(("mean", "sigma"), [(0.0, 2.25), (1.5, 1.0), (-3.0, 0.5)])
def test_the_divergences_both_ways_are_those_of_the_densities(mean: float, sigma: float):
    def bell(x: float) -> float:
        return float(norm.pdf(x, mean, sigma))

    def kl(p: Callable[[float], float], q: Callable[[float], float]) -> float:
        return quad(lambda x: p(x) * math.log(p(x) / q(x)), -9, 9, limit=200)[0]

    wanted = kl(data_of_two_modes, bell), kl(bell, data_of_two_modes)
    assert scenes.divergences_both_ways(mean, sigma) == pytest.approx(wanted, abs=2e-3)
    _, bottom = scenes.both_ways([(mean, sigma)]).axes
    assert bottom.get_title(loc="left") == "KL {:.2f} and {:.2f} nats".format(
        *scenes.divergences_both_ways(mean, sigma)
    )


def test_asked_at_the_data_a_bell_covers_both_modes_and_asked_at_its_samples_it_sits_on_one():
    tried = [(mean, sigma) for mean in np.arange(-3, 3.1, 0.25) for sigma in np.arange(0.5, 2.6, 0.25)]
    forward, backward = np.array([scenes.divergences_both_ways(*one) for one in tried]).T
    assert tried[forward.argmin()][0] == 0
    assert tried[forward.argmin()][1] == pytest.approx(math.sqrt(2**2 + 0.7**2), abs=0.25)  # the data's variance
    assert (abs(tried[backward.argmin()][0]), tried[backward.argmin()][1]) == (2, 0.75)
    (_, bottom) = scenes.both_ways([(0, 0.75)]).axes
    means, asked_at_samples = drawn(bottom, "KL(generated‖data)")
    assert abs(means[asked_at_samples.argmin()]) == 2
    means, asked_at_data = drawn(bottom, "KL(data‖generated)")
    assert means[asked_at_data.argmin()] == 0


def kl(p: norm, q: norm, mean: float) -> float:  # pyright: ignore[reportGeneralTypeIssues]
    return quad(lambda x: p(x) * np.log(p(x) / q(x)), mean - 8, mean + 8, limit=200)[0]


FIRST = {
    "one_place": scenes.one_place([(1, 1), (2, 1)], title="a message"),
    "two_bells": scenes.two_bells([0, 2], title="a message"),
    "flow": scenes.flow([0, 5], title="a message"),
    "both_ways": scenes.both_ways([(0, 2), (2, 0.75)], title="a message"),
    "dirac_walk": paths.dirac_walk([("at once", 0.2, 0), (1, 0.2, 0.3)], title="a message"),
    "ring": paths.ring({0: LAW.sample(500), 9: LAW.sample(500)}, LAW, [0, 9], title="a message"),
}


@pytest.mark.parametrize("figure", FIRST.values(), ids=FIRST)
def test_a_strip_says_its_message_and_each_positions_numbers(figure: Figure):
    words = plots.in_words(figure)
    assert words.startswith("a message. ")
    assert len(words.split(". ")) >= 3


@pytest.mark.parametrize("figure", FIRST.values(), ids=FIRST)
def test_a_frame_is_little_work(figure: Figure):
    """Few points, and margins that nothing has to be laid out for: what makes a frame quick on any machine."""
    assert figure.get_layout_engine() is None
    assert sum(len(np.ravel(line.get_xdata())) for axes in figure.axes for line in axes.lines) < 2000


@pytest.mark.parametrize("share", [0.4, 0.5, 0.6])
def test_the_string_is_the_convex_hull_and_training_follows_the_least_of_all_laws(share: float):
    """By SciPy's hull of the drawn curve, and by a search over the shares that G may make."""
    (axes,) = scenes.strings([share]).axes
    r, phi = drawn(axes, "φ")
    _, string = drawn(axes, "the string")
    far = np.append(r, 1.0), np.append(phi, 9.0)  # a point above, so that the hull's lower side is the string
    corners = np.sort(ConvexHull(np.stack(far, axis=1)).vertices)
    corners = corners[corners < len(r)]
    np.testing.assert_allclose(string, np.interp(r, r[corners], phi[corners]), atol=2e-5)
    _, least = drawn(axes, "the least F")
    of_share = sp.lambdify(u, price(least_squares(0, 1, sp.nsimplify(share)).followed))(np.linspace(0.01, 1, 10_000))
    assert least.item() == pytest.approx(of_share.min(), abs=1e-5)
    kept = (0.01 + 0.99 * of_share.argmin() / 9_999) * 100
    assert f"{kept:.0f} % of the data" in axes.get_title(loc="left")


def test_a_string_that_touches_before_1_leaves_all_of_the_data():
    (axes,) = scenes.strings([0.7]).axes
    assert "touches before 1,\n100 % of the data" in axes.get_title(loc="left")
    assert drawn(axes, "the least F")[1].item() == pytest.approx(0, abs=1e-9)

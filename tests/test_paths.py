"""Moving pictures of training: the smallest GAN's field and walk, a ring over time."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from matplotlib.quiver import Quiver

from ganlab import data, paths
from ganlab.theory import dirac

pytestmark = pytest.mark.usefixtures("style")
LAW = data.ring()


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_the_arrows_point_where_a_round_of_tiny_steps_leads(k: int, penalty: float):
    (axes,) = paths.dirac_walk([(k, 0.2, penalty)]).axes
    (arrows,) = (drawn for drawn in axes.collections if isinstance(drawn, Quiver))
    ways = np.stack([np.ravel(arrows.U), np.ravel(arrows.V)], axis=1)
    for (x, y), way in list(zip(np.asarray(arrows.XY), ways, strict=True))[::10]:
        theta, psi = x, y
        for _ in range(k):
            psi -= 1e-6 * (theta / (1 + np.exp(-theta * psi)) + penalty * psi)
        theta += 1e-6 * psi / (1 + np.exp(-theta * psi))
        moved = np.array([theta - x, psi - y])
        if moved.any():
            np.testing.assert_allclose(way, moved / np.hypot(*moved), atol=1e-4)


def test_the_walk_is_the_theorys_and_takes_turns_as_algorithm_1_does():
    rate = 0.1
    theta, psi, wanted = 1.0, -1.0, [(1.0, -1.0)]
    for _ in range(50):
        for _ in range(2):
            psi -= rate * (theta / (1 + np.exp(-theta * psi)) + 0.3 * psi)
        theta += rate * psi / (1 + np.exp(-theta * psi))
        wanted.append((theta, psi))
    np.testing.assert_allclose(paths.walk(2, rate, 0.3)[:51], wanted, atol=1e-12)
    both = dirac.simulate(dirac.GAN, step=0.2, steps=300)
    np.testing.assert_allclose(paths.walk("at once", 0.2, 0.0), both, atol=1e-12)


def test_both_at_once_goes_out_turns_stay_and_a_penalty_pulls_in():
    ways: tuple[tuple[paths.Turns, float, float], ...] = (("at once", 0.2, 0), (1, 0.2, 0), (1, 0.2, 0.3))
    out, stays, comes_in = (dirac.radius(paths.walk(*way))[-1] for way in ways)
    assert out > 2
    assert stays == pytest.approx(np.sqrt(2), abs=0.1)
    assert comes_in < 0.01


def test_every_position_of_the_lessons_sliders_stays_finite():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        turns: tuple[paths.Turns, ...] = ("at once", 5)
        for k, rate, penalty in itertools.product(turns, (0.05, 0.5), (0.0, 1.0)):
            assert np.isfinite(paths.walk(k, rate, penalty)).all()


def test_the_ring_shows_each_look_and_counts_what_is_found():
    full = LAW.sample(500, torch.Generator().manual_seed(0))
    looks = {0: full, 50: LAW.modes[:1] + 0 * full, 90: torch.cat([full, full])}
    figure = paths.ring(looks, LAW, [0, 50])
    tops, bottoms = figure.axes[:2], figure.axes[2:]
    assert [axes.get_title(loc="left") for axes in tops] == ["round 0:\n8 of 8 found", "round 50:\n1 of 8 found"]
    for axes, at in zip(tops, (0, 50), strict=True):
        np.testing.assert_allclose(np.asarray(axes.lines[1].get_data()).T, looks[at][: paths.SHOWN])
    for axes, at in zip(bottoms, (0, 50), strict=True):
        assert [list(np.ravel(line.get_xdata())) for line in axes.lines] == [[0, 50, 90], [at]]
        assert [list(np.ravel(line.get_ydata())) for line in axes.lines] == [[8, 1, 8], [{0: 8, 50: 1}[at]]]

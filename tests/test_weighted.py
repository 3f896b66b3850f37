"""The push summed over G's samples: against autograd on drawn samples, and against sums that are known."""

import math

import pytest
import sympy as sp
import torch

from ganlab.data import mixture
from ganlab.errors import ConfigError
from ganlab.objectives import MINIMAX, NON_SATURATING, least_squares
from ganlab.theory.followed import Followed, r
from ganlab.theory.weighted import one_in_a_hundred, weighted_push

OBJECTIVES = (MINIMAX, NON_SATURATING, least_squares(0, 1, 1), least_squares(-1, 1, 0))
PLACES = [(math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8)]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: one.name)
def test_it_is_what_samples_moved_by_their_loss_do(objective):
    """100,000 samples of G each go down on φ′(r), by autograd; the missing modes' share is looked at before and after.

    Four standard errors of the mean are allowed.
    """
    missing, width = [2, 5], 0.25
    weights = one_in_a_hundred(missing).tolist()
    of_data, of_G = mixture(PLACES, width), mixture(PLACES, width, weights)
    x = of_G.sample(100_000, torch.Generator().manual_seed(0)).double().requires_grad_()
    ratio = (of_G.log_density(x) - of_data.log_density(x)).exp()
    paid = sp.lambdify(r, objective.followed.slope, "torch")(ratio)
    push = -torch.autograd.grad(paid.sum(), x, retain_graph=True)[0]
    only = mixture([PLACES[k] for k in missing], width)
    share = (only.log_density(x) - of_data.log_density(x)).exp() * len(missing) / 8
    gained = (torch.autograd.grad(share.sum(), x)[0] * push).sum(dim=1)
    found = weighted_push(objective.followed, missing, width)
    for drawn, value in ((push.norm(dim=1), found.size), (gained, found.to_missing)):
        assert abs(float(drawn.mean()) - value) < 4 * float(drawn.std()) / math.sqrt(len(x))
    rare = push.norm(dim=1)[ratio < 0.1].sum() / push.norm(dim=1).sum()
    assert float(rare.detach()) == pytest.approx(found.rare, rel=0.1)


def test_twice_the_push_has_the_same_aim_and_no_push_none():
    once, twice = (weighted_push(Followed(slope), [0], 0.2) for slope in (r, 2 * r))
    assert twice.size == pytest.approx(2 * once.size)
    assert twice.aim == pytest.approx(once.aim)
    assert twice.rare == pytest.approx(once.rare)


def test_a_ring_turned_round_is_the_same():
    first, turned = (weighted_push(NON_SATURATING.followed, missing, 0.2) for missing in ([0, 1], [4, 5]))
    assert first.size == pytest.approx(turned.size)
    assert first.to_missing == pytest.approx(turned.to_missing)


def test_weights_are_a_law():
    weights = one_in_a_hundred([1, 3])
    assert weights.sum() == pytest.approx(1)
    assert weights[[1, 3]] == pytest.approx(0.01 / 8)
    assert len(set(weights[[0, 2, 4, 5, 6, 7]])) == 1


@pytest.mark.parametrize("missing", [[], list(range(8)), [8], [-1]])
def test_others_are_refused(missing):
    with pytest.raises(ConfigError, match="give some of the modes 0 … 7, not all"):
        one_in_a_hundred(missing)


@pytest.mark.parametrize("width", [0.05, 1.5, math.nan])
def test_widths_that_cannot_be_computed_are_refused(width):
    with pytest.raises(ConfigError, match=r"give a number from 0\.1 to 1"):
        weighted_push(NON_SATURATING.followed, [0], width)

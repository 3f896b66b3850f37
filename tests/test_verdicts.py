"""The rule that says what became of a prediction: against scipy's own interval, and at its edges."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ganlab.errors import ConfigError
from ganlab.experiments.verdicts import Difference, alike, as_often, before, more_often, paired, share

values = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=2, max_size=16)


@given(values)
def test_the_interval_is_that_of_a_paired_t_test(pairs: list[tuple[int, int]]):
    one, other = map(list, zip(*pairs, strict=True))
    found = paired(one, other)
    differences = np.subtract(one, other)
    assert found.mean == pytest.approx(differences.mean())
    if differences.std() == 0:
        assert found.low == found.mean == found.high
        return
    low, high = scipy.stats.ttest_rel(one, other).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))


@given(values)
def test_the_other_way_round_is_the_same_with_the_other_sign(pairs: list[tuple[int, int]]):
    one, other = map(list, zip(*pairs, strict=True))
    there, back = paired(one, other), paired(other, one)
    assert (there.mean, there.low, there.high) == pytest.approx((-back.mean, -back.high, -back.low))


@pytest.mark.parametrize(
    ("difference", "of_before", "of_alike"),
    [
        (Difference(1.0, 0.6, 1.4), "holds", "refuted"),
        (Difference(1.0, 0.2, 1.8), "holds", "undecided"),
        (Difference(0.4, 0.1, 0.7), "undecided", "undecided"),
        (Difference(1.0, -0.1, 2.1), "undecided", "undecided"),
        (Difference(0.2, 0.0, 0.4), "refuted", "holds"),
        (Difference(0.0, -0.2, 0.2), "refuted", "holds"),
        (Difference(-1.0, -1.4, -0.6), "refuted", "refuted"),
        (Difference(0.5, 0.5, 0.5), "holds", "undecided"),
    ],
)
def test_what_holds_what_is_refuted_and_what_is_neither(difference: Difference, of_before: str, of_alike: str):
    assert before(difference, 0.5) == of_before
    assert alike(difference, 0.5) == of_alike


@pytest.mark.parametrize(("one", "other"), [([1, 2], [1]), ([1], [2]), ([], [])])
def test_seeds_without_a_partner_are_refused(one: list[float], other: list[float]):
    with pytest.raises(ConfigError, match="give one of each for at least 2 seeds"):
        paired(one, other)


@pytest.mark.parametrize(("found", "runs"), [(0, 10), (3, 10), (10, 10), (1, 4)])
def test_the_interval_of_a_share_holds_the_shares_under_which_the_count_is_no_surprise(found: int, runs: int):
    low, high = share(found, runs)
    law = scipy.stats.binom
    assert low == 0 or law.sf(found - 1, runs, low) == pytest.approx(0.025)
    assert high == 1 or law.cdf(found, runs, high) == pytest.approx(0.025)
    assert (low == 0, high == 1) == (found == 0, found == runs)


def hypergeometric(one: int, other: int, runs: int) -> tuple[float, float]:
    """Fisher's p of both sides, and that of `one` being the larger, from the law of the counts given their sum."""
    law = scipy.stats.hypergeom(2 * runs, one + other, runs)
    chances = law.pmf(range(runs + 1))
    return chances[chances <= law.pmf(one) * (1 + 1e-9)].sum(), chances[one:].sum()


@pytest.mark.parametrize("other", range(11))
@pytest.mark.parametrize("one", range(11))
def test_counts_are_told_apart_by_fishers_test(one: int, other: int):
    both_sides, one_side = hypergeometric(one, other, 10)
    expected = "holds" if abs(one - other) <= 2 else "refuted" if both_sides < 0.05 else "undecided"
    assert as_often(one, other, 10, margin=2) == expected
    more = "refuted" if one <= other else "holds" if one_side < 0.05 else "undecided"
    assert more_often(one, other, 10) == more


def test_what_ten_runs_can_tell():
    """As the predictions that rest on it say."""
    assert [as_often(found, 5, 10, 2) for found in (0, 1, 2, 3, 7, 8, 9, 10)] == [
        *("refuted", "undecided", "undecided", "holds"),
        *("holds", "undecided", "undecided", "refuted"),
    ]
    assert [as_often(found, 0, 10, 2) for found in (2, 3, 4, 5)] == ["holds", "undecided", "undecided", "refuted"]
    assert [as_often(found, 10, 10, 2) for found in (8, 7, 6, 5)] == ["holds", "undecided", "undecided", "refuted"]
    assert [more_often(found, 0, 10) for found in (0, 3, 4)] == ["refuted", "undecided", "holds"]

"""The judges: what a proof may assume, where tolerances end, and what the checks of losses and exercises let pass."""

import math
from typing import Any

import numpy as np
import pytest
import sympy as sp
from torch import Tensor

from ganlab import claims, losses
from ganlab.errors import ClaimFailed, ClaimMisused, NotStabilisable
from ganlab.exercises import Exercise, same, verdict
from ganlab.losses import Loss

p, q = sp.symbols("p q", positive=True)
r, s = sp.symbols("r s", real=True)
z = sp.Symbol("z")


@pytest.fixture(autouse=True)
def empty_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "ledger", [])


# Claims ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (sp.log(r * s), sp.log(r) + sp.log(s)),  # not where both are negative
        (sp.log(r**2), 2 * sp.log(r)),
        (sp.log(z**3), 3 * sp.log(z)),
        (sp.log(sp.exp(z)), z),  # not beyond ±iπ
        (sp.sqrt(r * s), sp.sqrt(r) * sp.sqrt(s)),
        ((r**2) ** sp.Rational(3, 2), r**3),
        (sp.log(1 / z), -sp.log(z)),
    ],
)
def test_a_proof_takes_nothing_for_positive_that_is_not_said_to_be(left: sp.Expr, right: sp.Expr):
    with pytest.raises(ClaimFailed):
        claims.proved("for all values", left, right)
    with pytest.raises(ClaimFailed):
        claims.derived("for all values", (left, "given"), (right, "as if all were positive"))
    positive = {symbol: sp.Symbol(symbol.name, positive=True) for symbol in (r, s, z)}
    claims.proved("for positive ones", left.subs(positive), right.subs(positive))


def test_the_tolerance_is_the_last_value_that_passes():
    claims.verified("half", 0.5, 0.0, tolerance=0.5)
    claims.verified("one apart", 2, 1, tolerance=1)
    claims.observed("bounds belong to the band", [1.0, 2.0], at_least=1, at_most=2)
    claims.observed("one point is a band, too", [1.0], at_least=1, at_most=1)
    with pytest.raises(ClaimFailed):
        claims.verified("more than half", np.nextafter(0.5, 1), 0.0, tolerance=0.5)
    for value in (np.nextafter(1, 0), np.nextafter(2, 3)):
        with pytest.raises(ClaimFailed):
            claims.observed("just outside", [value], at_least=1, at_most=2)


@pytest.mark.parametrize(("at_least", "at_most"), [(None, 0.5), (0.2, None), (0.2, 0.5)])
def test_one_seed_less_than_claimed_is_too_few(at_least: float | None, at_most: float | None):
    bounds: dict[str, Any] = {"at_least": at_least, "at_most": at_most}
    values = [0.2, 0.5, 0.1 if at_most is None else 0.7]  # two at the very ends
    claims.observed("two of three", values, in_seeds=2, **bounds)
    for wanted in (3, None):
        with pytest.raises(ClaimFailed, match=r"in 2 of 3 seeds, not in 3: 0\.2, 0\.5, 0\.[17]$"):
            claims.observed("all", values, in_seeds=wanted, **bounds)


def test_what_a_claim_says_of_its_bound_and_its_runs(capsys: pytest.CaptureFixture[str]):
    claims.verified("a", 3, 3, tolerance=0)
    claims.observed("b", [0.4, 0.4], at_least=0.25, at_most=0.5)
    claims.observed("c", [0.4, 0.4], at_least=0.25, in_seeds=1, of="starts")
    claims.observed("d", [0.4], at_least=0.25, of="starts")
    assert capsys.readouterr().out.splitlines() == [
        "✓ verified: a, exactly (largest difference: 0)",
        "✓ observed: b, at least 0.25 and at most 0.5 in all 2 seeds (measured: 0.4, 0.4)",
        "✓ observed: c, at least 0.25 in at least 1 of 2 starts (measured: 0.4, 0.4)",
        "✓ observed: d, at least 0.25 in 1 start (measured: 0.4)",
    ]
    claims.summary()
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("  ")] == ["proved: 0", "verified: 1", "observed: 3"]
    assert "  a, exactly" in lines


def test_exact_numbers_of_sympy_are_neither_rounded_nor_refused():
    claims.verified("√2", sp.sqrt(2), math.sqrt(2), tolerance=1e-15)
    claims.observed("√2", [sp.sqrt(2)], at_least=1.41421356, at_most=1.41421357)
    claims.verified("1 + i", 1 + sp.I, 1 + 1j, tolerance=0)
    with pytest.raises(ClaimFailed):
        claims.verified("as floats they are equal", sp.Integer(2**62 + 2), 2**62, tolerance=1)
    claims.proved("a column", sp.Matrix([p + p, q]), [[2 * p], [q]])


def test_one_bad_number_among_good_ones_is_seen():
    for values in ([0.0, math.nan], [math.nan, 0.0], [0.0, math.inf], [0, 0.5, 2]):
        with pytest.raises(ClaimFailed):
            claims.verified("near", values, [0.0] * len(values), tolerance=1)
    with pytest.raises(ClaimFailed):  # together they have no integer type of NumPy, and as floats they are equal
        claims.verified("near", [2**63 + 2, -1], [2**63, -1], tolerance=1)


@pytest.mark.parametrize("empty", [[], [[]], [[], []], np.zeros((2, 0))])
def test_sides_without_a_number_are_no_claim(empty: object):
    for call in (lambda: claims.proved("s", empty, empty), lambda: claims.verified("s", empty, empty, tolerance=1)):
        with pytest.raises(ClaimMisused):
            call()


def test_tables_of_other_shapes_are_no_pair_though_they_hold_as_many_numbers():
    with pytest.raises(ClaimMisused, match=r"shapes are \(2, 3\) and \(3, 2\)"):
        claims.verified("s", np.ones((2, 3)), np.ones((3, 2)), tolerance=1)
    with pytest.raises(ClaimMisused, match=r"the sides have shapes \(2, 1\) and \(1, 2\)"):
        claims.proved("s", [p, q], [[p, q]])


def test_a_chain_may_end_at_infinity():
    claims.derived("grows", (sp.limit(1 / r, r, 0, "+"), "start"), (sp.oo, "the limit"))
    with pytest.raises(ClaimFailed, match=r"step 3 \(not so\)"):
        claims.derived("grows", (sp.oo, "start"), (sp.oo, "again"), (-sp.oo, "not so"))


@pytest.mark.parametrize("entry", [True, sp.Eq(p, p), np.True_])
def test_a_ready_made_truth_is_called_by_its_name(entry: object):
    for call in (
        lambda: claims.proved("s", [p, entry], [p, entry]),
        lambda: claims.verified("s", [1.0, entry], [1.0, 1.0], tolerance=1),
    ):
        with pytest.raises(ClaimMisused, match="is a truth value; give the two sides"):
            call()


@pytest.mark.parametrize("empty", ["", " ", "\t"])
def test_a_claim_says_something(empty: str):
    with pytest.raises(ClaimMisused, match="give one line of text"):
        claims.proved(empty, p, p)


def test_a_chain_is_shown_line_by_line(monkeypatch: pytest.MonkeyPatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    claims.derived("a square", ((p + q) ** 2, "start"), (p**2 + 2 * p * q + q**2, "multiply"))
    latex = shown[0].data
    assert latex.startswith(r"\begin{aligned}&")
    assert latex.endswith(r"\end{aligned}")
    first, second = latex.removeprefix(r"\begin{aligned}").removesuffix(r"\end{aligned}").split(r"\\[6pt]")
    assert first == r"&\small\textit{start}\\&\quad\;\left(p + q\right)^{2}"
    assert second == r"&\small\textit{multiply}\\&\quad=\;p^{2} + 2 p q + q^{2}"


# Exercises ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [2.0, -1e6, 3e-4, 1.0 + 2.0j])
def test_numbers_within_a_millionth_are_the_same(wanted: complex):
    assert same(wanted * (1 + 0.9e-6), wanted)
    assert same(wanted * (1 - 0.9e-6), wanted)
    assert not same(wanted * (1 + 1.1e-6) + 1e-9, wanted)
    assert not same(wanted * (1 - 1.1e-6) - 1e-9, wanted)


def test_near_0_numbers_within_a_billionth_are_the_same():
    assert same(0.9e-9, 0)
    assert same([1.0, -0.9e-9], [1.0, 0.0])
    assert not same(1.1e-9, 0)
    assert not same([1.0, -1.1e-9], [1.0, 0.0])


def test_an_answer_with_decimals_is_held_to_a_billionth():
    right, near, off = 0.5 * z**2, (0.5 + 1e-10) * z**2, (0.5 + 1e-8) * z**2
    assert same(right, z**2 / 2)
    assert same(near, z**2 / 2)
    assert not same(off, z**2 / 2)
    # Equal at one point is not equal.
    assert not same(0.3 * z, 0.09 + 0 * z)
    assert not same(1.0 * z + 0.25 * (z - 0.3), z)
    assert not same(1.0 * z * r, z**2)
    assert not same(sp.nan + 0.5 * z, z)


def test_exact_answers_are_held_to_equality():
    assert not same(sp.Rational(10**12 + 1, 10**12) * z, z)
    assert same((z + 1) ** 2, z**2 + 2 * z + 1)
    assert same(sp.log(z**2 * r), 2 * sp.log(z) + sp.log(r))  # readers write logarithms as on paper
    assert not same(sp.log(z**2), sp.log(z))
    assert not same(sp.Eq(z, 1), z)
    assert same(sp.Symbol("p", negative=True) ** 2, p**2)


def test_one_wrong_input_makes_an_answer_wrong():
    exercise = Exercise("99.1", lambda x: x**2, ((0.0,), (1.0,), (2.0,)), ((lambda x: x, "You forgot the square."),))
    assert verdict(exercise, lambda x: x**2) == "right"
    # 0 and 1 are their own squares; the third input tells.
    assert verdict(exercise, lambda x: x) == "not yet. You forgot the square."
    assert verdict(exercise, lambda x: 2 * x if x == 2 else x) == "right"
    assert verdict(exercise, lambda x: x**2 if x else 5.0) == "not yet. With input (0.0) it gives 5.0."


# The check of a compiled loss -----------------------------------------------------------------------------------------

EXACT = sp.log(1 + sp.exp(losses.t))
"""What the loss −log(1 − D) is in the logit."""


class Off(Loss):
    """softplus, with an error in its value or in its gradient alone."""

    def __init__(self, value: float = 0.0, slope: float = 0.0, where: tuple[float, float] = (-1e9, 1e9)) -> None:
        super().__init__(losses.softplus(losses.t))
        self.value, self.slope, self.where = value, slope, where

    def __call__(self, logits: Tensor) -> Tensor:
        right = super().__call__(logits)
        if not self.where[0] <= logits.item() <= self.where[1]:
            return right
        only_slope = self.slope * (right - right.detach())
        return right + self.value * right.detach() + only_slope


def judge(loss: Loss) -> None:
    losses._check_against_exact(loss, EXACT, EXACT)


def test_a_loss_may_be_off_by_the_rounding_of_float32_and_no_more():
    judge(Off())
    judge(Off(value=5e-5, slope=5e-5))
    for wrong in (Off(value=2e-4), Off(value=-2e-4), Off(slope=2e-4), Off(slope=-2e-4)):
        with pytest.raises(NotStabilisable):
            judge(wrong)


@pytest.mark.parametrize("shift", [1e-5, -1e-5])
def test_where_a_loss_is_next_to_0_it_may_be_off_by_a_millionth_and_no_more(shift: float):
    class Shifted(Off):
        def __call__(self, logits: Tensor) -> Tensor:
            return super().__call__(logits) + shift

    with pytest.raises(NotStabilisable):
        judge(Shifted())


@pytest.mark.parametrize("size", [0.013, 0.51, 1.07, 2.3, 5.1, 19.7, 41.3, 87.9, 1003.0, 1e4])
def test_a_loss_that_is_wrong_at_one_size_of_logits_is_refused(size: float):
    with pytest.raises(NotStabilisable, match=f"at logit t = {size:g} float32 gives"):
        judge(Off(value=0.01, where=(0.99 * size, 1.01 * size)))


@pytest.mark.parametrize("size", [0.013, 0.51, 1.07, 2.3, 5.1, 19.7, 41.3])
def test_and_so_is_one_whose_gradient_is_wrong_for_logits_below_0(size: float):
    with pytest.raises(NotStabilisable, match=f"at logit t = -{size:g} float32 gives"):
        judge(Off(slope=0.01, where=(-1.01 * size, -0.99 * size)))


def test_the_check_is_made_when_a_loss_is_compiled(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(losses, "_close", lambda *_: False)
    with pytest.raises(NotStabilisable, match=r"at logit t = -0\.013 float32 gives"):
        losses.compile_loss(-sp.log(1 - z), z, "probability")

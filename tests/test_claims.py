"""Claims hold when they are true, fail when they are not, and cannot be talked into anything."""

import math

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlab import claims
from ganlab.errors import ClaimFailed, ClaimMisused
from ganlab.measured import Measured

x, y = sp.symbols("x y", positive=True)
r = sp.Symbol("r", real=True)


@pytest.fixture(autouse=True)
def empty_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "ledger", [])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((x + y) ** 2, x**2 + 2 * x * y + y**2),
        (sp.log(x * y), sp.log(x) + sp.log(y)),
        (sp.sin(r) ** 2 + sp.cos(r) ** 2, 1),
        (1 / (1 + sp.exp(-r)), sp.exp(r) / (1 + sp.exp(r))),
        (sp.tanh(r), 2 / (1 + sp.exp(-2 * r)) - 1),
        (sp.log(sp.exp(x) + sp.exp(r)), x + sp.log(1 + sp.exp(r - x))),
        (sp.log(x**2 + 2 * x * y + y**2), 2 * sp.log(x + y)),
        (sp.log(sp.exp(r) * x / (y + y * sp.exp(r))), r + sp.log(x) - sp.log(y) - sp.log(1 + sp.exp(r))),
        (sp.Derivative(sp.log(x * y), x), 1 / x),
        (sp.Integral(2 * r, (r, 0, x)), x**2),
        (sp.diff(sp.log(1 + sp.exp(r)), r), 1 / (1 + sp.exp(-r))),
        (sp.Matrix([[x, y], [0, 1]]) ** 2, sp.Matrix([[x**2, x * y + y], [0, 1]])),
        ([x + x, y], [2 * x, y]),
        (x - x, 0),
        (np.array([1, 2]), [1, 2]),
        (sp.limit(1 / r, r, 0, "+"), sp.oo),
        (4, sp.Integer(2) ** 2),
    ],
)
def test_true_equations_are_proved(left, right):
    claims.proved("it holds", left, right)
    assert claims.ledger == [claims.Claim("proved", "it holds")]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (x**2, x),
        (sp.log(x), sp.log(2 * x)),
        (sp.Rational(1, 2) * x, x),
        (x - y, y - x),
        (sp.sqrt(r**2), r),  # true for r ≥ 0 alone
        (sp.Matrix([x, y]), sp.Matrix([x, x])),
        (sp.exp(x) + sp.Rational(1, 10**30), sp.exp(x)),  # no numeric comparison would see it
    ],
)
def test_false_equations_fail_with_both_sides(left, right):
    with pytest.raises(ClaimFailed, match=r"it holds: .* is not .*; their difference is") as caught:
        claims.proved("it holds", left, right)
    assert "\n" not in str(caught.value)
    assert not claims.ledger


@pytest.mark.parametrize(
    "call",
    [
        lambda: claims.proved("s", True, True),
        lambda: claims.proved("s", sp.Eq(x, x), sp.true),
        lambda: claims.proved("s", np.bool_(True), 1),
        lambda: claims.proved("s", [True], [True]),
        lambda: claims.proved("s", [sp.Eq(x, x)], [sp.Eq(x, x)]),
        lambda: claims.proved("s", "x + x", "2*x"),
        lambda: claims.proved("s", None, None),
        lambda: claims.proved("s", {x}, {x}),
        lambda: claims.proved("s", [], []),
        lambda: claims.proved("s", 0.5 * x, sp.Rational(1, 2) * x),
        lambda: claims.proved("s", x, 1.0 * x),
        lambda: claims.proved("s", sp.nan, sp.nan),
        lambda: claims.proved("s", sp.zoo, sp.zoo),
        lambda: claims.proved("s", [x], [x, x]),
        lambda: claims.proved("s", object(), object()),
        lambda: claims.verified("s", True, True, tolerance=0),
        lambda: claims.verified("s", np.array([True]), np.array([True]), tolerance=0),
        lambda: claims.verified("s", torch.ones(2, 2) > 0, torch.ones(2, 2) > 0, tolerance=0),
        lambda: claims.verified("s", [True, 1.0], [1.0, 1.0], tolerance=0),
        lambda: claims.verified("s", [[1], [1, 2]], [[1], [1, 2]], tolerance=0),
        lambda: claims.verified("s", x, x, tolerance=0),
        lambda: claims.verified("s", 1.0, 1.0, tolerance="0.1"),  # pyright: ignore[reportArgumentType]
        lambda: claims.verified("s", 1.0, 1.0, tolerance=-1),
        lambda: claims.verified("s", 1.0, 1.0, tolerance=math.inf),
        lambda: claims.verified("s", 1.0, 1.0, tolerance=math.nan),
        lambda: claims.verified("s", 1.0, 1.0, tolerance=True),
        lambda: claims.verified("s", np.ones(3), np.ones(2), tolerance=1),
        lambda: claims.verified("s", [], [], tolerance=1),
        lambda: claims.verified("s", "1", "1", tolerance=1),
        lambda: claims.observed("s", [], at_least=1),
        lambda: claims.observed("s", [1, 2]),
        lambda: claims.observed("s", [True, True], at_least=1),
        lambda: claims.observed("s", [torch.tensor(True)], at_least=1),
        lambda: claims.observed("s", [1, 2], at_least=1, in_seeds=3),
        lambda: claims.observed("s", [1, 2], at_least=1, in_seeds=0),
        lambda: claims.observed("s", [1, 2], at_least=1, in_seeds=True),
        lambda: claims.observed("s", [1], at_least=True),
        lambda: claims.observed("s", [1], at_least=-math.inf),  # says nothing
        lambda: claims.observed("s", [1], at_least=2, at_most=1),
        lambda: claims.observed("s", 1.0, at_least=1),  # pyright: ignore[reportArgumentType]
        lambda: claims.observed("s", torch.ones(2, 2), at_least=1),  # pyright: ignore[reportArgumentType]
        lambda: claims.observed("s", ["8"], at_least=1),
        lambda: claims.observed("s", [1j], at_least=1),
        lambda: claims.observed("s", ["many"], at_least=1),  # pyright: ignore[reportArgumentType]
        lambda: claims.proved("", x, x),
        lambda: claims.proved("two\nlines", x, y),
        lambda: claims.proved("two\u2028lines", x, x),
        lambda: claims.proved(5, x, x),  # pyright: ignore[reportArgumentType]
        lambda: claims.proved("s", x, x, answers=[5]),  # pyright: ignore[reportArgumentType]
        lambda: claims.proved("s", x, x, answers="A1"),
        lambda: claims.proved("s", x, x, answers=["F1"]),
        lambda: claims.proved("s", x, x, answers=["A"]),
    ],
)
def test_what_cannot_be_a_claim_is_refused(call):
    with pytest.raises(ClaimMisused) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert not claims.ledger


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.floats(1e-6, 1e3), st.floats(0, 1))
def test_verified_is_about_the_absolute_difference(values: list[float], tolerance: float, share: float):
    expected = np.array(values)
    claims.verified("near", expected + 0.999 * share * tolerance, expected, tolerance=tolerance + 1e-9)
    away = expected.copy()
    away[-1] += 1.01 * tolerance + 1e-9
    with pytest.raises(ClaimFailed, match="is not within"):
        claims.verified("near", away, expected, tolerance=tolerance)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, torch.tensor(math.nan)])
def test_what_is_not_finite_is_near_nothing(value):
    for pair in ((value, 1.0), (1.0, value), (math.nan, math.nan)):
        with pytest.raises(ClaimFailed):
            claims.verified("near", *pair, tolerance=1e9)


def test_verified_takes_numbers_of_all_kinds():
    for value in (2, 2.0, np.float32(2), torch.tensor(2.0, requires_grad=True), sp.Integer(2), sp.sqrt(4), 2 + 0j):
        claims.verified("two", value, 2, tolerance=0)
    claims.verified("shape", torch.zeros(3, 4).shape, [3, 4], tolerance=0)
    claims.verified("i", sp.I, 1j, tolerance=0)
    claims.verified("in a list", [torch.tensor(1.0), np.float32(2), sp.Integer(3)], (1, 2, 3), tolerance=0)
    claims.verified("rows", [torch.tensor([1, 2]), np.array([3, 4])], [(1, 2), range(3, 5)], tolerance=0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.array([0], np.uint8), np.array([255], np.uint8)),  # 0 − 255 is 1 in uint8
        (np.array([-128], np.int8), np.array([0], np.int8)),  # |−128| is −128 in int8
        (torch.tensor([2**53 + 2]), torch.tensor([2**53])),
        (torch.tensor([2**62 + 2]), torch.tensor([2**62])),  # equal as floats
        (torch.tensor([1 + 5j]), np.array([1.0])),
    ],
)
def test_no_number_type_hides_a_difference(value, expected):
    with pytest.raises(ClaimFailed, match="is not within 1 of"):
        claims.verified("near", value, expected, tolerance=1)


def test_observed_counts_seeds():
    claims.observed("modes", [8, 7, 3], at_least=7, in_seeds=2)
    claims.observed("modes", [8, torch.tensor(7.0, requires_grad=True)], at_least=7)
    claims.observed("band", [0.4], at_least=0.3, at_most=0.5)
    claims.observed("low", [0.1, math.nan], at_most=0.5, in_seeds=1)
    for values, options in (
        ([8, 6, 3], {"at_least": 7, "in_seeds": 2}),
        ([8, 6], {"at_least": 7}),
        ([0.6], {"at_least": 0.3, "at_most": 0.5}),
        ([math.nan], {"at_most": 0.5}),
    ):
        with pytest.raises(ClaimFailed, match=r"in . of . seeds, not in"):
            claims.observed("no", values, **options)  # pyright: ignore[reportArgumentType]


def test_a_derivation_is_checked_step_by_step(capsys: pytest.CaptureFixture[str]):
    claims.derived("a square", ((x + y) ** 2, "start"), (x**2 + 2 * x * y + y**2, "multiply out"), answers=["D5"])
    assert claims.ledger == [claims.Claim("proved", "a square", ("D5",))]
    assert "✓ proved: a square [D5]" in capsys.readouterr().out
    with pytest.raises(ClaimFailed, match=r"step 2 \(multiply out\): x\*\*2 \+ y\*\*2 is not \(x \+ y\)\*\*2"):
        claims.derived("wrong", ((x + y) ** 2, "start"), (x**2 + y**2, "multiply out"), ((x + y) ** 2, "back"))
    with pytest.raises(ClaimMisused, match="1 steps"):
        claims.derived("alone", (x, "start"))
    assert len(claims.ledger) == 1


@pytest.mark.parametrize(
    ("values", "low", "high", "needed", "room"),
    [
        ([8, 7, 8], 7.5, math.inf, 2, 0.5),  # the second best of three decides
        ([8, 7, 8], 7.5, math.inf, 3, -0.5),
        ([0.2, 0.9], 0.0, 1.0, 2, 0.1),  # in a band the nearer end counts
        ([math.nan, 1.0], 0.0, math.inf, 1, 1.0),
        ([math.nan, 1.0], 0.0, math.inf, 2, -math.inf),
        ([-math.inf], -math.inf, 0.0, 1, math.inf),
    ],
)
def test_the_room_of_a_claim_is_that_of_the_value_that_decides(values, low, high, needed, room):
    assert Measured(tuple(values), low, high, needed).room == pytest.approx(room)


def test_claims_keep_what_was_measured():
    claims.verified("near", [1.0, 2.0], [1.25, 2.0], tolerance=0.5)
    claims.observed("seeds", [3, 5, 4], at_least=4, in_seeds=2)
    claims.proved("equal", x, x)
    near, seeds, equal = (claim.measured for claim in claims.ledger)
    assert near == Measured((0.25,), -math.inf, 0.5, 1, "largest difference")
    assert seeds == Measured((3.0, 5.0, 4.0), 4, math.inf, 2)
    assert equal is None


@pytest.mark.parametrize(
    "steps",
    [
        ([x, y], [x, 99], [x, y]),
        (sp.Matrix([x, y]), sp.Matrix([x, x]), sp.Matrix([x, y])),
        ([[x, y], [1, 2]], [[x, y], [1, 3]], [[x, y], [1, 2]]),
    ],
)
def test_every_entry_of_a_step_is_compared(steps: tuple[object, ...]):
    with pytest.raises(ClaimFailed, match=r"step 2 \(why\)"):
        claims.derived("in two steps", *((step, "why") for step in steps))


def test_steps_of_two_shapes_are_no_chain():
    with pytest.raises(ClaimMisused, match="shapes"):
        claims.derived("in two steps", ([x, y], "start"), (x, "why"), ([x, y], "end"))


@pytest.mark.parametrize("values", [{300: 2, 301: 3}, {8}, frozenset({7, 8})])
def test_what_has_no_order_or_two_meanings_is_no_list_of_seeds(values: object):
    """A dict would be read as its keys, and a set has lost what occurs twice."""
    with pytest.raises(ClaimMisused, match="give a list, one number per seed"):
        claims.observed("modes", values, at_least=7)  # pyright: ignore[reportArgumentType]


def test_numbers_beyond_floats_are_compared_exactly_or_refused():
    claims.verified("equal", 10**400, 10**400, tolerance=0)
    for one, other in ((10**400, 0), (2**53 + 1, 2.0**53)):
        with pytest.raises(ClaimFailed):
            claims.verified("unequal", one, other, tolerance=0)
    with pytest.raises(ClaimMisused, match="too large for a float; give its logarithm"):
        claims.observed("large", [10**400], at_least=0)


def test_a_tolerance_may_be_a_fraction():
    claims.verified("near", 1, 1.05, tolerance=sp.Rational(1, 10))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ClaimFailed, match=r"not within 0\.1"):
        claims.verified("near", 1, 1.15, tolerance=sp.Rational(1, 10))  # pyright: ignore[reportArgumentType]

"""Claims: every statement of the course that can be checked is made through one of three functions.

    proved     sympy reduces the difference of both sides to exactly 0, for all values of the symbols
    verified   a computed number meets an independently computed one within a tolerance
    observed   an experiment meets a bound in a stated number of seeds

Each compares the two sides itself (none takes a ready-made truth value), shows one line with what was measured, is
entered in `ledger`, and raises `ClaimFailed` with both sides when it does not hold. The line without the measured
numbers is the same on every machine.
"""

import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from sympy.logic.boolalg import Boolean

from ganlab import shown
from ganlab.errors import ClaimFailed, ClaimMisused
from ganlab.measured import Measured

KINDS = ("proved", "verified", "observed")
SHOWN = 200
ID = re.compile(r"[A-E][1-9]\d?")


@dataclass(frozen=True)
class Claim:
    """A claim that held. `answers` are the ids of the questions that it settles; a proof has nothing `measured`."""

    kind: str
    statement: str
    answers: tuple[str, ...] = ()
    measured: Measured | None = field(default=None, compare=False)

    def __str__(self) -> str:
        ids = f" [{', '.join(self.answers)}]" if self.answers else ""
        return f"✓ {self.kind}: {self.statement}{ids}"


ledger: list[Claim] = []
"""The claims that held in this process, in order."""


def proved(statement: str, left: Any, right: Any, *, answers: Sequence[str] = ()) -> None:
    """Claim that two sympy expressions (or matrices) are equal for all values of their symbols.

    Numbers must be exact. Raises `ClaimFailed` with both sides and the difference that remained, `ClaimMisused` for
    truth values, decimals, or sides that are empty or undefined.
    """
    ids = _checked(statement, answers)
    _require_equal(statement, left, right)
    _hold(Claim("proved", statement, ids))


def derived(statement: str, *steps: tuple[Any, str], answers: Sequence[str] = ()) -> None:
    """Claim a chain of equations: each step is an expression with the reason why it equals the one before.

    Shows the chain, then makes one `proved` claim of it. Raises `ClaimFailed` naming the step that is not equal to the
    one before, `ClaimMisused` for fewer than two steps.
    """
    if len(steps) < 2:
        raise ClaimMisused(f"{statement}: {len(steps)} steps; give at least two expressions, each with its reason.")
    for number, ((before, _), (after, reason)) in enumerate(itertools.pairwise(steps), 2):
        _require_equal(f"{statement}: step {number} ({reason})", after, before)
    _show_chain(steps)
    proved(statement, steps[0][0], steps[-1][0], answers=answers)


def _show_chain(steps: Sequence[tuple[Any, str]]) -> None:
    """Each reason above its step, since a page is seldom wide enough for both side by side."""
    from IPython.display import Math, display

    lines = [
        rf"&\small\textit{{{_as_latex_text(why)}}}\\&\quad{'=' if i else ''}\;{sp.latex(step)}"
        for i, (step, why) in enumerate(steps)
    ]
    display(Math(r"\begin{aligned}" + r"\\[6pt]".join(lines) + r"\end{aligned}"))


def _as_latex_text(words: str) -> str:
    return re.sub(r"([_%&#$])", r"\\\1", words)


def verified(statement: str, value: Any, expected: Any, *, tolerance: float, answers: Sequence[str] = ()) -> None:
    """Claim that numbers meet independently computed ones: |value − expected| ≤ tolerance everywhere.

    `value` and `expected` are numbers, arrays or tensors of one shape; integers are compared exactly. Raises
    `ClaimFailed` with the two that differ most, `ClaimMisused` for truth values, shapes that differ, or a tolerance
    that is no finite number ≥ 0.
    """
    ids = _checked(statement, answers)
    tolerance = _bound(statement, tolerance)
    if tolerance < 0:
        raise ClaimMisused(f"{statement}: tolerance is {tolerance}; give a finite number that is not negative.")
    one, other = (_numeric(statement, side) for side in (value, expected))
    if one.shape != other.shape or not one.size:
        raise ClaimMisused(
            f"{statement}: shapes are {one.shape} and {other.shape}; give equal ones that are not empty."
        )
    error = np.array([_distance(*both) for both in zip(one.flat, other.flat, strict=True)]).reshape(one.shape)
    worst = np.unravel_index(np.argmax(error), error.shape)
    measured = Measured((float(error[worst]),), -math.inf, tolerance, 1, "largest difference")
    if measured.room < 0:
        raise ClaimFailed(f"{statement}: {_short(one[worst])} is not within {tolerance:g} of {_short(other[worst])}")
    bound = f"within {tolerance:g}" if tolerance else "exactly"
    _hold(Claim("verified", f"{statement}, {bound}", ids, measured))


def observed(
    statement: str,
    per_seed_values: Iterable[Any],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    in_seeds: int | None = None,
    of: str = "seeds",
    answers: Sequence[str] = (),
) -> None:
    """Claim that an experiment's value meets a bound in at least `in_seeds` of its seeds (default: in all).

    `per_seed_values` holds one number per seed; `of` says what is repeated where it is not a seed, such as "starts".
    Give `at_least`, `at_most`, or both for a band. A NaN meets no bound.
    Raises `ClaimFailed` with the values, `ClaimMisused` for truth values, no bound, bounds that are not finite or that
    no value meets, or more seeds than values.
    """
    ids = _checked(statement, answers)
    values = _seed_values(statement, per_seed_values)
    needed = len(values) if in_seeds is None else in_seeds
    if type(needed) is not int or not 1 <= needed <= len(values):
        raise ClaimMisused(f"{statement}: {len(values)} values for {needed} seeds; give one per seed, at least one.")
    given = (("at least", at_least), ("at most", at_most))
    bounds = [f"{word} {_bound(statement, bound):g}" for word, bound in given if bound is not None]
    if not bounds:
        raise ClaimMisused(f"{statement}: no bound; give at_least, at_most, or both.")
    low, high = (-math.inf if at_least is None else at_least), (math.inf if at_most is None else at_most)
    if low > high:
        raise ClaimMisused(f"{statement}: no value is at least {low:g} and at most {high:g}; swap the bounds.")
    bound = " and ".join(bounds)
    measured = Measured(tuple(values), low, high, needed)
    if measured.room < 0:
        count = sum(low <= value <= high for value in values)
        shown = ", ".join(f"{value:.6g}" for value in values)
        raise ClaimFailed(f"{statement}: {bound} in {count} of {len(values)} {of}, not in {needed}: {_short(shown)}")
    runs = f"all {len(values)} {of}" if needed == len(values) > 1 else f"at least {needed} of {len(values)} {of}"
    runs = f"1 {of.removesuffix('s')}" if len(values) == 1 else runs
    _hold(Claim("observed", f"{statement}, {bound} in {runs}", ids, measured))


def summary() -> None:
    """Print what was claimed so far, by kind."""
    for kind in KINDS:
        statements = [claim.statement for claim in ledger if claim.kind == kind]
        print(f"{kind}: {len(statements)}", *(f"  {statement}" for statement in statements), sep="\n")


def _hold(claim: Claim) -> None:
    ledger.append(claim)
    shown.line(str(claim), f" {claim.measured}" if claim.measured else "")


def _checked(statement: Any, answers: Any) -> tuple[str, ...]:
    if not isinstance(statement, str) or not statement.strip() or statement.splitlines() != [statement]:
        raise ClaimMisused(f"{_short(repr(statement))} is no statement; give one line of text.")
    if not (isinstance(answers, list | tuple) and all(isinstance(id_, str) and ID.fullmatch(id_) for id_ in answers)):
        raise ClaimMisused(
            f"{statement}: answers is {_short(repr(answers))}; give a list of question ids such as ['A2', 'D5']."
        )
    return tuple(answers)


def _refuse_truth_value(statement: str, side: Any) -> None:
    relation = isinstance(side, Boolean) and not isinstance(side, sp.Expr)
    if isinstance(side, bool | np.bool_) or relation:
        raise ClaimMisused(
            f"{statement}: {_short(side)} is a truth value; give the two sides, the claim compares them."
        )


def _plain(side: Any) -> Any:
    """What arrays, tensors, matrices and sequences hold, as nested lists; the numbers in them are not rounded."""
    if hasattr(side, "tolist"):
        side = side.tolist()
    return [_plain(entry) for entry in side] if isinstance(side, list | tuple | range) else side


def _exact(statement: str, side: Any) -> sp.Matrix:
    plain = _plain(side)
    rows = [row if isinstance(row, list) else [row] for row in (plain if isinstance(plain, list) else [plain])]
    for entry in (entry for row in rows for entry in row):
        _refuse_truth_value(statement, entry)
    try:
        exact = [[sp.sympify(entry, strict=True) for entry in row] for row in rows]
        if not all(isinstance(entry, sp.Expr) for row in exact for entry in row) or not any(exact):
            raise TypeError
        matrix = sp.Matrix(exact)
    except (TypeError, ValueError, sp.SympifyError) as error:
        raise ClaimMisused(f"{statement}: {_short(repr(side))} is no sympy expression; give one.") from error
    if matrix.has(sp.Float):
        raise ClaimMisused(f"{statement}: {_short(side)} has decimals; a proof wants exact numbers, as sympy.Rational.")
    if matrix.has(sp.nan, sp.zoo):
        raise ClaimMisused(f"{statement}: {_short(side)} is undefined; give sides that have a value.")
    return matrix


def _require_equal(statement: str, left: Any, right: Any) -> None:
    """Raise `ClaimFailed` with the first entries that differ, `ClaimMisused` as `proved` does."""
    sides = [_exact(statement, side) for side in (left, right)]
    if sides[0].shape != sides[1].shape:
        raise ClaimMisused(
            f"{statement}: the sides have shapes {sides[0].shape} and {sides[1].shape}; give equal ones."
        )
    for one, other in zip(*sides, strict=True):
        remainder = 0 if one == other else _reduced(one - other)
        if remainder != 0:
            raise ClaimFailed(
                f"{statement}: {_short(one)} is not {_short(other)}; their difference is {_short(remainder)}"
            )


def _reduced(difference: sp.Expr) -> sp.Expr:
    """0 where a rewriting makes the difference 0, the quicker ones tried first; else the difference, simplified."""
    rewritings: list[Callable[[Any], Any]] = [
        sp.expand,
        lambda e: sp.cancel(sp.together(e)),
        sp.simplify,
        lambda e: sp.simplify(sp.logcombine(e)),
        lambda e: sp.simplify(e.rewrite(sp.exp)),
    ]
    for rewriting in rewritings:
        remainder = rewriting(difference)
        if remainder == 0:
            return sp.S.Zero
    return sp.simplify(difference)


def _number(statement: str, value: Any) -> int | float | complex:
    _refuse_truth_value(statement, value)
    if isinstance(value, sp.Expr) and value.is_number:
        value = int(value) if value.is_Integer else float(value) if value.is_extended_real else complex(value)
    if not isinstance(value, int | float | complex):
        raise ClaimMisused(f"{statement}: {_short(repr(value))} is no number; give numbers, arrays or tensors.")
    return value


def _numeric(statement: str, side: Any) -> np.ndarray:
    """Python numbers in an array of objects: NumPy's own integers wrap around, and floats round large ones."""
    array = np.array(_plain(side), dtype=object)
    return np.array([_number(statement, entry) for entry in array.flat], dtype=object).reshape(array.shape)


def _distance(one: complex, other: complex) -> float:
    """|one − other|, of real numbers without rounding; ∞ for NaN and for what no float holds."""
    try:
        if isinstance(one, complex) or isinstance(other, complex):
            found = abs(one - other)
        else:
            found = float(abs(Fraction(one) - Fraction(other)))
    except (OverflowError, ValueError):  # of Fraction: infinity, NaN
        return math.inf
    return math.inf if math.isnan(found) else found


def _real(statement: str, value: Any) -> float:
    number = _number(statement, _plain(value))
    if isinstance(number, complex):
        raise ClaimMisused(f"{statement}: {number} is complex; give a real number.")
    try:
        return float(number)
    except OverflowError as error:
        raise ClaimMisused(f"{statement}: {_short(number)} is too large for a float; give its logarithm.") from error


def _bound(statement: str, value: Any) -> float:
    number = _real(statement, value)
    if not math.isfinite(number):
        raise ClaimMisused(f"{statement}: {number} is no bound or tolerance; give a finite number.")
    return number


def _seed_values(statement: str, values: Any) -> list[float]:
    if isinstance(values, Mapping | Set):
        kind = type(values).__name__
        raise ClaimMisused(f"{statement}: a {kind} is given; give a list, one number per seed (of a dict its values).")
    try:
        values = list(values)
    except TypeError as error:
        raise ClaimMisused(f"{statement}: {_short(repr(values))} is no sequence; give one number per seed.") from error
    return [_real(statement, value) for value in values]


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"

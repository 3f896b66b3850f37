"""A least-squares coding (a, b, c) as readers give it."""

from typing import Any

import sympy as sp


def coding_of(answer: Any) -> list[sp.Expr] | str:
    """An answer as three exact numbers with a ≠ b, or the hint for it."""
    answer = answer.tolist() if hasattr(answer, "tolist") else answer
    try:
        coding = [sp.nsimplify(number) for number in answer] if isinstance(answer, tuple | list) else []
    except (TypeError, ValueError, AttributeError, sp.SympifyError):
        coding = []
    if len(coding) != 3 or not all(number.is_real and number.is_number for number in coding):
        return "Give three numbers: return (a, b, c)."
    if coding[0] == coding[1]:
        return "With a = b the best D answers the same everywhere, and G learns nothing."
    return coding

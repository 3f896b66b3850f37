"""The objectives of the course, each as its paper writes it."""

from dataclasses import replace
from decimal import Decimal
from numbers import Rational
from typing import Any

import numpy as np
import sympy as sp
import torch

from ganlab.errors import ObjectiveError
from ganlab.objectives.objective import Objective
from ganlab.objectives.symbols import D

MINIMAX = Objective(
    name="GAN (minimax)",
    real=-sp.log(D),
    fake=-sp.log(1 - D),
    generator=sp.log(1 - D),
    generator_real=sp.log(D),
    output="probability",
    source="Goodfellow et al. 2014, eq. (1)",
)
"""The two-player game itself: G minimises what D maximises. Its generator loss saturates where D rejects."""

NON_SATURATING = Objective(
    name="NS-GAN",
    real=-sp.log(D),
    fake=-sp.log(1 - D),
    generator=-sp.log(D),
    output="probability",
    source="Goodfellow et al. 2014, sec. 3",
)
"""What the 2014 paper trains: D as in the game, G maximises log D(G(z))."""

GAN_2014 = replace(
    NON_SATURATING,
    name="GAN (2014 code)",
    real=NON_SATURATING.real / 2,
    fake=NON_SATURATING.fake / 2,
    source="Goodfellow et al. 2014, released code (D's cost is the mean of both cross-entropies)",
)
"""NS-GAN with D's loss halved, as the 2014 paper's released code has it: with plain gradient steps the ½ counts."""

RELATIVISTIC = Objective(
    name="RpGAN",
    real=-sp.log(D),
    fake=sp.S.Zero,
    generator=-sp.log(1 - D),
    output="pair",
    source="Jolicoeur-Martineau 2019; as in the released code of R3GAN (Huang et al. 2024)",
)
"""Pairs, in the non-saturating form: D wants t_real above t_fake, G wants it below."""

RELATIVISTIC_MINIMAX = replace(
    RELATIVISTIC,
    name="RpGAN (minimax)",
    generator=sp.log(D),
    source="Jolicoeur-Martineau 2019; Huang et al. 2024, eq. (2)",
)
"""Pairs as a zero-sum game: G minimises what D maximises. G's loss saturates where D tells the two samples apart."""

Number = int | float | sp.Expr


def _without_torch(value: Any) -> Any:
    """A tensor as an array; NumPy has no bfloat16."""
    if not isinstance(value, torch.Tensor):
        return value
    value = value.detach().cpu()
    return (value.float() if value.dtype is torch.bfloat16 else value).numpy()


def _exact(name: str, value: Any) -> sp.Expr:
    """A number, of NumPy and torch too, as sympy has it: whole ones as integers. Expressions stay what they are."""
    if isinstance(value, sp.Expr) and str(D) not in map(str, value.free_symbols):
        return value
    if isinstance(value, Rational | Decimal) and not isinstance(value, bool):
        return sp.sympify(value)
    scalar = np.asarray(None if isinstance(value, list | tuple) else _without_torch(value))
    if scalar.size == 1 and scalar.dtype.kind in "iuf" and np.isfinite(scalar).all():
        number = float(str(scalar.reshape(())[()]))  # as it is written: 0.1 in float32, too
        whole = number.is_integer() and abs(number) < 2**53  # larger ones are too long for torch as integers
        return sp.Integer(int(number)) if whole else sp.Float(number)
    shown = repr(value) if isinstance(value, str | bool | complex | float | None) else f"a {type(value).__name__}"
    raise ObjectiveError(f"{name} is {shown}; give a finite number, or an expression of sympy without D.")


def least_squares(a: Number = -1, b: Number = 1, c: Number = 0) -> Objective:
    """LSGAN's objective: D is drawn to a on generated and to b on real samples, G draws D to c on its own.

    The default (−1, 1, 0) is the paper's χ² coding; (0, 1, 1) its 0–1 coding. a, b, c may be sympy symbols.
    Raises `ObjectiveError` for what is neither a number nor an expression of symbols.
    Source: Mao et al. 2017, eq. (2); with the term ½E[(D(x) − c)²] of eq. (5) as `generator_real`.
    """
    coding = [_exact(name, number) for name, number in {"a": a, "b": b, "c": c}.items()]
    a_, b_, c_ = coding
    return Objective(
        name=f"LSGAN ({', '.join(f'{float(number):g}' if number.is_Float else str(number) for number in coding)})",
        real=(D - b_) ** 2 / 2,
        fake=(D - a_) ** 2 / 2,
        generator=(D - c_) ** 2 / 2,
        generator_real=(D - c_) ** 2 / 2,
        output="score",
        source="Mao et al. 2017, eq. (2)",
        parameters=tuple(sorted(set().union(*(number.free_symbols for number in coding)), key=str)),
    )

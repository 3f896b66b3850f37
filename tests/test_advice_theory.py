"""What the errors of claims, objectives, losses and theory say to do, done: refused first, and taken when followed."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from own import refusal, wrong

from ganlab import claims, objectives
from ganlab.losses import compile_loss
from ganlab.objectives import MINIMAX, NON_SATURATING, RELATIVISTIC, D, Objective, least_squares
from ganlab.theory import convolution, densities, dirac, divergences, game, pairs
from ganlab.theory.followed import Followed, r

x, a = sp.symbols("x a", real=True)
HALVES = np.array([0.5, 0.5])
LOGITS = torch.zeros(3), torch.zeros(3)


def proved(*sides: Any) -> None:
    claims.proved("one is the other", *sides)


def verified(value: Any, expected: Any, tolerance: Any = 0.1) -> None:
    claims.verified("one meets the other", value, expected, tolerance=tolerance)


def observed(values: Any, **bounds: Any) -> None:
    claims.observed("all are large", values, **bounds)


def objective(
    real: Any = NON_SATURATING.real,
    fake: Any = NON_SATURATING.fake,
    generator: Any = NON_SATURATING.generator,
    output: Any = "probability",
    parameters: tuple[sp.Symbol, ...] = (),
) -> Objective:
    return Objective("tried", real, fake, generator, output=output, source="a test", parameters=parameters)


def loss(expression: sp.Expr, output: str = "probability") -> Any:
    return compile_loss(expression, D, output)


def simulated(**options: Any) -> np.ndarray:
    return dirac.simulate(options.pop("of", dirac.GAN), steps=3, **options)


CLAIMS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "give at least two expressions, each with its reason": (
        lambda: claims.derived("a chain", ((x + 1) ** 2, "as given")),
        lambda: claims.derived("a chain", ((x + 1) ** 2, "as given"), (x**2 + 2 * x + 1, "expanded")),
    ),
    "give equal ones that are not empty": (lambda: verified([], []), lambda: verified([1], [1])),
    "give a finite number that is not negative": (lambda: verified(1, 1, -1), lambda: verified(1, 1, 1)),
    "give a finite number": (lambda: verified(1, 1, math.inf), lambda: verified(1, 1, 2)),
    "give one per seed, at least one": (
        lambda: observed([8, 8], at_least=7, in_seeds=3),
        lambda: observed([8, 8], at_least=7, in_seeds=2),
    ),
    "give at_least, at_most, or both": (lambda: observed([8]), lambda: observed([8], at_least=7, at_most=9)),
    "swap the bounds": (
        lambda: observed([8], at_least=9, at_most=7),
        lambda: observed([8], at_least=7, at_most=9),
    ),
    "give one line of text": (
        lambda: claims.proved("two\nlines", x, x),
        lambda: claims.proved("one line", x, x),
    ),
    "give a list of question ids such as ['A2', 'D5']": (
        lambda: claims.proved("answered", x, x, answers=wrong("A2")),
        lambda: claims.proved("answered", x, x, answers=["A2", "D5"]),
    ),
    "give the two sides, the claim compares them": (lambda: proved(sp.Eq(x, x), True), lambda: proved(x, x)),
    "a proof wants exact numbers, as sympy.Rational": (
        lambda: proved(0.5 * x, x / 2),
        lambda: proved(sp.Rational(1, 2) * x, x / 2),
    ),
    "give sides that have a value": (lambda: proved(sp.zoo, x), lambda: proved(x + 0, x)),
    "is no sympy expression; give one": (lambda: proved("x", x), lambda: proved(sp.Symbol("x", real=True), x)),
    "give numbers, arrays or tensors": (lambda: verified("1", 1), lambda: verified(torch.ones(2), np.ones(2))),
    "give a real number": (lambda: observed([1j], at_least=0), lambda: observed([abs(1j)], at_least=0)),
    "give one number per seed": (lambda: observed(8, at_least=7), lambda: observed([8], at_least=7)),
}

OBJECTIVES: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "give 'probability', 'score' or 'pair'": (
        lambda: objective(output="logit"),
        lambda: [objective(output="probability"), objective(D**2, D**2, D**2, output="score")],
    ),
    "put D's into real and G's into generator, and give fake=0": (
        lambda: objective(output="pair"),
        lambda: objective(fake=0, output="pair"),
    ),
    "write it with ganlab.objectives.D": (lambda: objective("log(D)"), lambda: objective(-sp.log(objectives.D))),
    "check the formula": (lambda: objective(-sp.log(D) + sp.oo), lambda: objective(-sp.log(D))),
    "use only ganlab.objectives.D, elementary functions, and symbols listed in parameters": (
        lambda: objective(-a * sp.log(D)),
        lambda: objective(-a * sp.log(D), parameters=(a,)),
    ),
    "give another symbol": (
        lambda: objective(objectives.t * D**2, parameters=(objectives.t,)),
        lambda: objective(a * D**2, parameters=(a,)),
    ),
    "write it as a function of D": (lambda: objective(sp.Integer(1)), lambda: objective(-sp.log(D))),
    "see ganlab/theory/pairs.py for what holds instead": (
        lambda: RELATIVISTIC.optimal_discriminator,
        lambda: pairs.best_value_of_laws(HALVES, HALVES),
    ),
    "give a number in [0, 0.5)": (lambda: MINIMAX.smoothed(0.5), lambda: [MINIMAX.smoothed(s) for s in (0, 0.49)]),
    "smoothed without the other's; give 0": (lambda: RELATIVISTIC.smoothed(0.1), lambda: RELATIVISTIC.smoothed(0)),
    "give them numbers before training": (
        lambda: least_squares(*sp.symbols("a b c", real=True)).losses(),
        lambda: least_squares(-1, 1, 0).losses(),
    ),
    "give a finite number, or an expression of sympy without D": (
        lambda: least_squares(math.nan),
        lambda: [least_squares(0), least_squares(a)],
    ),
    "so check D's two losses (kinks and plateaus have none)": (
        lambda: objective(abs(D - 1), abs(D + 1), D**2, output="score").optimal_discriminator,
        lambda: objective((D - 1) ** 2, (D + 1) ** 2, D**2, output="score").optimal_discriminator,
    ),
    "check the signs of the two losses of D, which D minimises": (
        lambda: objective(D * (1 - D), D * (1 - D)).optimal_discriminator,
        lambda: objective(-D * (1 - D), -D * (1 - D)).optimal_discriminator,
    ),
    "give it a lower bound (or turn its sign)": (
        lambda: objective(real=sp.log(D)).optimal_discriminator,
        lambda: objective(real=-sp.log(D)).optimal_discriminator,
    ),
    "so give both one shape": (
        lambda: RELATIVISTIC.losses().discriminator(torch.zeros(3, 1), torch.zeros(3)),
        lambda: RELATIVISTIC.losses().discriminator(*LOGITS),
    ),
    "call discriminator(t_real, t_fake)": (
        lambda: wrong(RELATIVISTIC.losses()).real,
        lambda: RELATIVISTIC.losses().discriminator(*LOGITS),
    ),
    "no PyTorch form of gamma; write it with ": (lambda: loss(sp.gamma(D)), lambda: loss(sp.log(D))),
    "check its sign": (lambda: loss(sp.log(-D)), lambda: loss(sp.log(D))),
    "give a loss that stays finite for |t| ≤ 10⁴": (
        lambda: loss(sp.exp(D), "score"),
        lambda: loss(sp.exp(-(D**2)), "score"),
    ),
}

THEORY: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "give more places": (
        lambda: convolution.convolve([1, 2], [1, 1, 1]),
        lambda: convolution.convolve([1, 2, 3], [1, 1, 1]),
    ),
    "cuts all 3 places off; give less": (
        lambda: convolution.transpose_convolve([1], [1, 1, 1], padding=2),
        lambda: convolution.transpose_convolve([1], [1, 1, 1], padding=1),
    ),
    "give one for each, with sum 1": (
        lambda: densities.mixture([0, 1], 1, [1]),
        lambda: densities.mixture([0, 1], 1, [sp.Rational(1, 4), sp.Rational(3, 4)]),
    ),
    "give numbers before simulating": (
        lambda: simulated(of=dirac.with_gradient_penalty(dirac.GAN)),
        lambda: simulated(of=dirac.with_gradient_penalty(dirac.GAN, sp.Integer(1))),
    ),
    "give 1, or more with alternating=True": (
        lambda: simulated(n_d=2),
        lambda: [simulated(n_d=1), simulated(n_d=2, alternating=True)],
    ),
    "give 'G', or 'D' with alternating=True": (
        lambda: simulated(first="D"),
        lambda: [simulated(first="G"), simulated(first="D", alternating=True)],
    ),
    "give vectors with sum 1": (
        lambda: divergences.on_alphabet(divergences.JENSEN_SHANNON, np.array([0.5, 0.6]), HALVES),
        lambda: divergences.on_alphabet(divergences.JENSEN_SHANNON, np.array([0.4, 0.6]), HALVES),
    ),
    "use its slope or curvature": (
        lambda: Followed(sp.exp(sp.sin(r))).phi,
        lambda: (followed := Followed(sp.exp(sp.sin(r)))) and (followed.slope, followed.curvature),
    ),
    "give numbers for them": (
        lambda: least_squares(*sp.symbols("a b c", real=True)).followed.wrong_way,
        lambda: least_squares(-1, 1, 0).followed.wrong_way,
    ),
    "give positive vectors of one length": (
        lambda: next(game.algorithm_1(HALVES, np.array([0.0, 1.0]), rate=0.1, steps=1)),
        lambda: next(game.algorithm_1(HALVES, np.array([0.1, 0.9]), rate=0.1, steps=1)),
    ),
    "give one for each letter of one alphabet": (
        lambda: pairs.best_value(*pairs.laws(3)[:1], pairs.laws(2)[0]),
        lambda: pairs.best_value(*pairs.laws(2)),
    ),
    "give one shape [..., letters]": (
        lambda: pairs.value_of_laws(HALVES, HALVES, np.zeros(3)),
        lambda: pairs.value_of_laws(HALVES, HALVES, np.zeros(2)),
    ),
    "give vectors ≥ 0 with sum 1": (
        lambda: pairs.best_value_of_laws(np.array([1.5, -0.5]), HALVES),
        lambda: pairs.best_value_of_laws(np.array([1.0, 0.0]), HALVES),
    ),
}


@pytest.mark.parametrize(
    ("advice", "refused", "followed"),
    [(advice, *both) for group in (CLAIMS, OBJECTIVES, THEORY) for advice, both in group.items()],
)
def test_what_an_error_says_to_do_works(advice: str, refused: Callable[[], Any], followed: Callable[[], Any]):
    assert advice in refusal(refused)
    followed()


def test_the_formula_that_cannot_be_decided_is_plotted():
    undecided = Followed(sp.sin(r) * sp.exp(sp.cos(r)) + sp.gamma(r))
    assert "plot it instead" in refusal(lambda: undecided.wrong_way)
    ratios = np.linspace(0.1, 3, 5)
    assert np.isfinite(sp.lambdify(r, undecided.curvature, "scipy")(ratios)).all()


def test_the_file_that_the_text_on_pairs_names_is_there():
    assert NON_SATURATING.optimal_discriminator
    line = refusal(lambda: RELATIVISTIC.followed)
    (place,) = (word for word in line.split() if word.endswith(".py"))
    assert (Path(objectives.__file__).parents[2] / place).is_file()

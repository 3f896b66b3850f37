"""Exercises of lesson 01: a slope, the mean cross-entropy, a change of variables, an order of moves, sample sizes."""

import sympy as sp

from ganlab.exercises import Exercise

D, x = sp.symbols("D x", real=True)
p_d, p_g = sp.symbols("p_d p_g", positive=True)


def _normal(z: sp.Expr) -> sp.Expr:
    return sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)


_TABLES = (([[0, 1], [1, 0]],), ([[3, 1], [2, 5]],), ([[1, 2], [4, -3]],))

EXERCISES = (
    Exercise(
        "01.1",
        answer=lambda: -1 / (1 - D),
        mistakes=(
            (lambda: 1 / (1 - D), "The inner function 1 − D has the slope −1: the chain rule brings a sign."),
            (lambda: 1 / D, "That is the slope of log D, the first term."),
            (lambda: -1 / D, "Divide by what stands inside the logarithm."),
        ),
    ),
    Exercise(
        "01.2",
        answer=lambda: -(p_d * sp.log(D) + p_g * sp.log(1 - D)) / 2,
        mistakes=(
            (lambda: (p_d * sp.log(D) + p_g * sp.log(1 - D)) / 2, "Logarithms of probabilities are negative; D pays."),
            (lambda: -(p_d * sp.log(D) + p_g * sp.log(1 - D)), "Each source has the prior ½."),
            (lambda: -(p_g * sp.log(D) + p_d * sp.log(1 - D)) / 2, "Real samples, with density p_d, pay −log D."),
            (lambda: -(sp.log(D) + sp.log(1 - D)) / 2, "Weigh each term with its density."),
        ),
    ),
    Exercise(
        "01.3",
        answer=lambda: _normal((x - 1) / 3) / 3,
        mistakes=(
            (lambda: _normal((x - 1) / 3), "Integrate it: the mass is 3. The factor g′(x) is missing."),
            (lambda: 3 * _normal((x - 1) / 3), "The factor is the slope of the inverse of G, not of G."),
            (lambda: 3 * _normal(3 * x + 1), "Put the inverse of G into p_z: which z gives this x?"),
            (lambda: _normal(3 * x + 1), "Put the inverse of G into p_z: which z gives this x?"),
        ),
    ),
    Exercise(
        "01.4",
        answer=lambda table: min(max(row) for row in table),
        inputs=_TABLES,
        mistakes=(
            (lambda table: max(min(row[j] for row in table) for j in range(len(table[0]))), "There D moves first."),
            (lambda table: min(min(row) for row in table), "D answers, and D takes the largest entry of the row."),
            (lambda table: max(max(row) for row in table), "G chooses the row, and G wants to pay little."),
        ),
    ),
    Exercise(
        "01.5",
        answer=lambda m, r: m * r**2,
        inputs=((100, 10), (64, 2)),
        mistakes=(
            (lambda m, r: m * r, "The error shrinks like one over the square root of m."),
            (lambda m, r: m * r**0.5, "Turn it round: √m has to grow by the factor r."),
        ),
    ),
)

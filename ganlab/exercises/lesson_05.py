"""Exercises of lesson 05: the order of Algorithm 1, two rates of the Dirac-GAN, counting modes."""

import numpy as np
import sympy as sp

from ganlab.exercises import Exercise

h = sp.Symbol("h", positive=True)
DISTANCES = np.array([[0.1, 2.0, 3.0], [0.2, 1.0, 2.0], [2.0, 0.9, 3.0], [1.0, 2.0, 0.31], [3.0, 0.01, 2.0]])


def _found(distances: np.ndarray, sigma: float) -> int:
    good = distances.min(axis=1) < 3 * sigma
    return len(set(distances.argmin(axis=1)[good].tolist()))


EXERCISES = (
    Exercise(
        "05.1",
        answer=lambda: "bdca",
        mistakes=(
            (lambda: "bdac", "G moves on samples: it needs its latent vectors before it moves."),
            (lambda: "cabd", "The algorithm lets D move first. (The other order would work, too.)"),
            (lambda: "bcda", "New latent vectors for G are drawn after D's move."),
        ),
    ),
    Exercise(
        "05.2",
        answer=lambda: sp.sqrt(1 + h**2 / 4),
        mistakes=(
            (lambda: 1 + h**2 / 4, "That is |μ|², the determinant."),
            (lambda: sp.sqrt(1 + h**2), "The eigenvalues of J are ±i/2, so μ = 1 ± ih/2."),
            (lambda: 1 + h / 2, "μ = 1 ± ih/2 is complex. Its size is √(real² + imaginary²)."),
        ),
    ),
    Exercise(
        "05.3",
        answer=lambda: sp.Integer(1),
        mistakes=(
            (lambda: sp.Rational(1, 2), "Look where the root is 0: γ²/4 = ¼."),
            (lambda: sp.Integer(0), "Without penalty the point goes round for ever."),
            (lambda: sp.oo, "For a large γ one of the two is −γ/2 + √(γ²/4 − ¼), which is nearly 0: D hardly moves."),
            (lambda: sp.Integer(2), "There the slower one is −1 + √¾ = −0.13. Compare with γ = 1."),
        ),
    ),
    Exercise(
        "05.4",
        answer=_found,
        inputs=((DISTANCES, 0.1), (DISTANCES, 0.3), (DISTANCES, 0.11), (DISTANCES, 0.001)),
        mistakes=(
            (lambda d, _: len(set(d.argmin(axis=1).tolist())), "Far samples do not count: only good ones find a mode."),
            (lambda d, sigma: int((d.min(axis=1) < 3 * sigma).sum()), "Those are the good samples. Count modes."),
            (lambda d, sigma: _found(d, sigma / 3), "Good means nearer than 3σ, not σ."),
        ),
    ),
)

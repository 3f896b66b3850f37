"""Which share of the data training would keep: where the functional F that it follows is lowest.

Let G make a share u of the data's mass, all of it alike, so that p_g/p_d is 1/u there and 0 elsewhere. Then
F = u φ(1/u) + (1 − u) φ(0). Where φ is concave up to some r and convex beyond, as for every least-squares coding, no
other law has a lower F than the best of these: the best of all is the convex hull of φ at r = 1, and the hull is the
line from (0, φ(0)) that touches φ at 1/u, then φ itself. (D at its best and frozen, as in `ganlab.theory.followed`.)
"""

from fractions import Fraction

import sympy as sp

from ganlab.errors import ConfigError
from ganlab.theory.followed import Followed, r

u = sp.Symbol("u", positive=True)
"""The share of the data's mass that G makes, 0 … 1."""


def price(followed: Followed) -> sp.Expr:
    """F where G makes a share u of the data, as an expression in u; 0 at u = 1. Raises as `Followed.phi`."""
    phi = followed.phi
    return u * phi.subs(r, 1 / u) + (1 - u) * sp.limit(phi, r, 0, "+")


def modes_kept(followed: Followed, modes: int = 8) -> int:
    """The number of equal modes, of so many, at which F is lowest; of equal ones the largest.

    Raises `ConfigError` for fewer than one mode, else as `Followed.phi`.
    """
    if modes < 1:
        raise ConfigError(f"modes is {modes}; give at least 1.")
    at = sp.lambdify(u, price(followed), "math")
    return min(range(modes, 0, -1), key=lambda number: at(float(Fraction(number, modes))))

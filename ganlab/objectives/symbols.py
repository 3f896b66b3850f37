"""The symbols in which objectives are written."""

from typing import Literal

import sympy as sp

D = sp.Symbol("D", real=True)
"""The discriminator's output at one point (or on one pair): a probability in (0, 1), or any real score."""
t = sp.Symbol("t", real=True)
"""The discriminator's raw output (the logit); on pairs the difference T = t_real − t_fake of two."""
p_d = sp.Symbol("p_d", positive=True)
"""The density of the data at one point."""
p_g = sp.Symbol("p_g", positive=True)
"""The density of the generated samples at the same point."""

Output = Literal["probability", "score", "pair"]
DOMAIN: dict[Output, sp.Interval] = {
    "probability": sp.Interval.open(0, 1),
    "score": sp.Interval(-sp.oo, sp.oo),
    "pair": sp.Interval.open(0, 1),
}

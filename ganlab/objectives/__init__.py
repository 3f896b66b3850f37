"""GAN objectives, each written once in sympy: what they are, and those of the course."""

from ganlab.objectives.catalogue import (
    GAN_2014,
    MINIMAX,
    NON_SATURATING,
    RELATIVISTIC,
    RELATIVISTIC_MINIMAX,
    least_squares,
)
from ganlab.objectives.objective import LogitGradient, Objective
from ganlab.objectives.optimum import Optimum
from ganlab.objectives.symbols import D, p_d, p_g, t

__all__ = [
    "GAN_2014",
    "MINIMAX",
    "NON_SATURATING",
    "RELATIVISTIC",
    "RELATIVISTIC_MINIMAX",
    "D",
    "LogitGradient",
    "Objective",
    "Optimum",
    "least_squares",
    "p_d",
    "p_g",
    "t",
]

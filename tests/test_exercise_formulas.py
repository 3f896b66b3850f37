"""Formulas of readers, right and wrong, as texts that sympy reads: written in other words than the course's."""

import pytest
import sympy as sp
from attempts import judged

BELL = "exp(-((x - 1)/3)**2/2)/sqrt(2*pi)"
FORMULAS: dict[str, tuple[str, dict[str, str]]] = {
    "01.3": (
        f"{BELL}/3",
        {
            BELL: "the mass is 3",
            f"3*{BELL}": "not of G",
            "3*exp(-(3*x + 1)**2/2)/sqrt(2*pi)": "which z gives this x",
            "exp(-(3*x + 1)**2/2)/sqrt(2*pi)": "which z gives this x",
        },
    ),
    "02.2": (
        "1/(1 + 2*b/a)",
        {"1/(1 + b/a)": "one generated sample per real", "1/(1 + b/(2*a))": "belongs to", "1/(1 + a/(2*b))": "1 − y"},
    ),
    "02.3": (
        "((x + m)**2 - (x - m)**2)/2",
        {"((x - m)**2 - (x + m)**2)/2": "lie at +m", "x*m": "Both squares", "(x + m)**2 - (x - m)**2": "mind the ½"},
    ),
    "03.2": ("-log(4) + 2*log(2)", {"log(1/4)": "smallest", "log(2)": "largest JSD", "log(4)": "is missing"}),
    "03.4": (
        "w*log(w) + (1 - w)*log(1 - w) + log(2)",
        {
            "w*log(w) + (1 - w)*log(1 - w)": "Divide by Q",
            "-w*log(w) - (1 - w)*log(1 - w) - log(2)": "never negative",
            "-log(2) - log(w*(1 - w))/2": "KL(Q‖P)",
        },
    ),
    "05.2": (
        "sqrt(4 + 5*h**2)/2",
        {
            "(4 + 5*h**2)/4": "determinant",
            "sqrt(4 + h**2)/2": "equal rates",
            "sqrt(4 + 25*h**2)/2": "Only one of the two rows",
            "sqrt(4 + 9*h**2)/2": "mean of both rates",
            "sqrt(1 + 5*h**2)": "½ and −½",
            "(2 + sqrt(5)*h)/2": "is complex",
            "sqrt(4 - 5*h**2)/2": "sign of the product",
        },
    ),
    "06.1": (
        "-1/2 - d*log(sigma) - d*log(2*pi)/2",
        {
            "-1/2 - log(sigma) - log(2*pi)/2": "Each of the d dimensions",
            "-1 - d*log(sigma) - d*log(2*pi)/2": "mind the 2",
            "-d/2 - d*log(sigma) - d*log(2*pi)/2": "whole distance",
            "-1/2 - 2*d*log(sigma) - d*log(2*pi)": "root is missing",
            "-1/2": "must have mass 1",
            "-r**2/sigma**2/2 - d*log(sigma) - d*log(2*pi)/2": "put it in",
            "1/2 - d*log(sigma) - d*log(2*pi)/2": "sign of the exponent",
            "-1/2 + d*log(sigma) + d*log(2*pi)/2": "sign of the constant",
            "exp(-1/2)*sigma**(-d)*(2*pi)**(-d/2)": "its logarithm",
        },
    ),
    "09.2": (
        "1/6 + 1/2",
        {"1/2": "too often", "1/6": "never makes", "2": "do not meet", "1/3": "add both", "4/3": "then divide"},
    ),
}


@pytest.mark.parametrize("id_", FORMULAS)
def test_a_formula_gets_its_verdict(id_: str):
    right, wrong = FORMULAS[id_]
    judged(id_, lambda: sp.sympify(right), [(lambda text=text: sp.sympify(text), hint) for text, hint in wrong.items()])

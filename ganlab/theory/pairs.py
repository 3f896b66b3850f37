"""The game on pairs, on a finite alphabet: D wants the logit t of a real letter above that of a generated one.

    V(t) = E_{x ~ p, x′ ~ q} log σ(t(x) − t(x′))        p: the data's law, q: the generator's

(Jolicoeur-Martineau 2019; Huang et al. 2024, eq. 2). V looks at pairs, so nothing about it is decided at one letter.
But it is a sum over unordered pairs {i, j}, and at each one D answers a yes-or-no question: which of the two is real?

    p_i q_j log σ(t_i − t_j) + p_j q_i log σ(t_j − t_i)  is largest exactly where  t_i − t_j = log(p_i q_j / (p_j q_i))

All these answers together are those of t = log(p/q), so V is largest there, and nowhere else but for a constant added
to t. The largest value is JS(p⊗q, q⊗p) − log 2, with JS as in `divergences`: the mean of two KL, 0 … log 2, in nats.

Laws and logits are sequences of sympy expressions, one for each letter, and give expressions for proofs; `*_of_laws`
take arrays. Raises `ShapeError` for sequences of different lengths.
"""

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import sympy as sp
from scipy.special import rel_entr

from ganlab.errors import ShapeError
from ganlab.theory import divergences

Law = Sequence[sp.Expr]


def laws(letters: int) -> tuple[Law, Law]:
    """Two symbolic laws p and q, all letters possible: every such law is a tuple of positive numbers over their sum."""
    weights = (sp.symbols(f"{name}_1:{letters + 1}", positive=True) for name in "ab")
    p, q = (tuple(weight / sum(of_law) for weight in of_law) for of_law in weights)
    return p, q


def logits(letters: int, name: str = "t") -> tuple[sp.Symbol, ...]:
    """As many symbols for the critic's answers t, one for each letter."""
    return sp.symbols(f"{name}_1:{letters + 1}", real=True)


def value(p: Law, q: Law, t: Sequence[sp.Expr]) -> sp.Expr:
    """V(t): the mean of log σ(t(x) − t(x′)) over x ~ p and x′ ~ q, independent, in nats; a letter meets itself, too."""
    _on_one_alphabet(p, q, t)
    pairs = product(zip(p, t, strict=True), zip(q, t, strict=True))
    return sp.Add(*(-of_p * of_q * sp.log(1 + sp.exp(other - one)) for (of_p, one), (of_q, other) in pairs))


def best_critic(p: Law, q: Law) -> tuple[sp.Expr, ...]:
    """t = log(p/q), which maximises V; so does every t + constant, and no other critic does."""
    _on_one_alphabet(p, q)
    return tuple(sp.log(of_p / of_q) for of_p, of_q in zip(p, q, strict=True))


def gap(p: Law, q: Law, t: Sequence[sp.Expr]) -> sp.Expr:
    """max V − V(t) as a sum over pairs {i, j} of a weight > 0 times KL(Bernoulli(w_ij) ‖ Bernoulli(σ(t_i − t_j))).

    w_ij = p_i q_j/(p_i q_j + p_j q_i) is the best answer to "is i the real one of the two?". Each KL is ≥ 0, and 0 only
    where σ(t_i − t_j) = w_ij. So max V is the maximum, and fixes t up to a constant.
    """
    _on_one_alphabet(p, q, t)
    terms = []
    for i, j in combinations(range(len(t)), 2):
        one, other = p[i] * q[j], p[j] * q[i]
        wrong, right = (sp.log(1 + sp.exp(sign * (t[i] - t[j]))) for sign in (1, -1))  # −log σ(t_j − t_i), −log σ(…)
        terms += [one * (sp.log(one / (one + other)) + right), other * (sp.log(other / (one + other)) + wrong)]
    return sp.Add(*terms)


def curvature(p: Law, q: Law, t: Sequence[sp.Expr], direction: Sequence[sp.Expr]) -> sp.Expr:
    """The second derivative of V at t along a direction v: −Σ_{i<j} c_ij (v_i − v_j)², with each c_ij > 0.

    It is negative unless v is constant: V is concave, strictly so but for the constant, at every t. Hence its gradient
    vanishes at the maximum alone.
    """
    _on_one_alphabet(p, q, t, direction)
    terms = []
    for i, j in combinations(range(len(t)), 2):
        of_pair = p[i] * q[j] + p[j] * q[i]
        slope_of_sigma = sp.exp(t[i] - t[j]) / (1 + sp.exp(t[i] - t[j])) ** 2
        terms.append(-of_pair * slope_of_sigma * (direction[i] - direction[j]) ** 2)
    return sp.Add(*terms)


def jensen_shannon(p: Law, q: Law) -> sp.Expr:
    """JS(p, q) in nats, `divergences.JENSEN_SHANNON` summed over the letters."""
    _on_one_alphabet(p, q)
    at = sp.Lambda((divergences.p, divergences.q), divergences.JENSEN_SHANNON)
    return sp.Add(*map(at, p, q))


def in_both_orders(p: Law, q: Law) -> tuple[Law, Law]:
    """The laws p⊗q and q⊗p of a pair: first the real letter and then the generated one, and the other way round."""
    _on_one_alphabet(p, q)
    return tuple(a * b for a, b in product(p, q)), tuple(a * b for a, b in product(q, p))


def best_value(p: Law, q: Law) -> sp.Expr:
    """max V = JS(p⊗q, q⊗p) − log 2, in nats."""
    return jensen_shannon(*in_both_orders(p, q)) - sp.log(2)


def information_of_second(p: Law, q: Law) -> sp.Expr:
    """JS(p⊗q, q⊗p) − JS(p, q), what the second letter adds: Σ_i m_i JS_π(q, p) ≥ 0, a mean of divergences.

    m = (p + q)/2. Once the first letter is seen to be i, the order is "real first" with π = p_i/(p_i + q_i), and the
    second letter has the law q then, p otherwise: JS_π(q, p) = π KL(q‖r) + (1 − π) KL(p‖r) with r = πq + (1 − π)p. It
    is 0 exactly where p = q or π is 0 or 1; so JS(p⊗q, q⊗p) = JS(p, q) only for equal laws and for disjoint ones.
    """
    _on_one_alphabet(p, q)
    terms = []
    for (p_i, q_i), (p_j, q_j) in product(zip(p, q, strict=True), repeat=2):
        either = p_i * q_j + q_i * p_j  # (p_i + q_i) r_j
        terms += [p_i * q_j * sp.log(q_j * (p_i + q_i) / either), q_i * p_j * sp.log(p_j * (p_i + q_i) / either)]
    return sp.Add(*terms) / 2


def doubt(p: Law, q: Law) -> sp.Expr:
    """log 2 − JS(p⊗q, q⊗p): how unsure the best critic stays, the mean entropy of its answers, ≥ 0, in nats.

    An answer has the entropy 0 exactly where p_i q_j p_j q_i = 0. For i = j this asks p_i q_i = 0; so the doubt is 0
    exactly for laws on disjoint supports, at whatever distance: pairing alone does not cure saturation. (It is at least
    log 2 · Σ p_i q_i, the chance that both letters are the same.)
    """
    terms = []
    for one, other in zip(*in_both_orders(p, q), strict=True):
        terms += [one * sp.log(one / (one + other)), other * sp.log(other / (one + other))]
    return -sp.Add(*terms) / 2


def mixed_derivative(loss: sp.Expr, T: sp.Symbol) -> sp.Expr:
    """∂²/∂t_real ∂t_fake of a loss of T = t_real − t_fake: minus its second derivative.

    It vanishes for every a(t_real) + b(t_fake), so a loss on pairs is a sum of two losses per sample only where this is
    0 for all T: where the loss is linear in T.
    """
    t_real, t_fake = sp.symbols("t_real t_fake", real=True)
    mixed = sp.diff(loss.subs(T, t_real - t_fake), t_real, t_fake)
    return sp.simplify(mixed.subs(t_real, T + t_fake))


def value_of_laws(P: np.ndarray, Q: np.ndarray, t: np.ndarray) -> np.ndarray:
    """V(t) for laws P, Q and logits t, each [..., letters], in float64, nats; a pair without weight counts 0."""
    P, Q, t = _checked(P, Q, t)
    weights = P[..., :, None] * Q[..., None, :]  # [..., i, j]
    with np.errstate(invalid="ignore"):  # ∞ − ∞, between letters that never meet
        terms = weights * -np.logaddexp(0, t[..., None, :] - t[..., :, None])
    return np.where(weights > 0, terms, 0).sum(axis=(-2, -1))


def best_value_of_laws(P: np.ndarray, Q: np.ndarray) -> np.ndarray:
    """max V = JS(P⊗Q, Q⊗P) − log 2 for laws [..., letters]; −log 2 … 0. Letters may have the probability 0."""
    P, Q = _checked(P, Q)
    one = P[..., :, None] * Q[..., None, :]
    other = np.swapaxes(one, -2, -1)
    return rel_entr(one, one + other).sum(axis=(-2, -1))


def _on_one_alphabet(*sequences: Sequence[sp.Expr]) -> None:
    lengths = [len(sequence) for sequence in sequences]
    if len(set(lengths)) != 1:
        raise ShapeError(f"laws and logits have {lengths} entries; give one for each letter of one alphabet.")


def _checked(*arrays: np.ndarray) -> list[np.ndarray]:
    """Two laws, and perhaps logits, as float64 arrays of one shape [..., letters]."""
    checked = [np.asarray(array, dtype=np.float64) for array in arrays]
    shapes = [list(array.shape) for array in checked]
    if any(shape != shapes[0] for shape in shapes):
        raise ShapeError(f"laws and logits have the shapes {shapes}; give one shape [..., letters].")
    for law in checked[:2]:
        if (law < 0).any() or not np.allclose(law.sum(axis=-1), 1):
            raise ShapeError(f"P and Q {shapes[0]} are no laws; give vectors ≥ 0 with sum 1.")
    return checked

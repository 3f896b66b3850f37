"""R1, R2 and pairs on the Dirac-GAN: eigenvalues and damping proved, a misprint found, walks against autograd."""

import math
from typing import Literal

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlab import claims
from ganlab.objectives import MINIMAX, NON_SATURATING, RELATIVISTIC, RELATIVISTIC_MINIMAX, Objective
from ganlab.theory import dirac
from ganlab.theory.dirac import gamma, h, psi, slope, theta

FIELDS = {
    MINIMAX: dirac.GAN,
    NON_SATURATING: dirac.NON_SATURATING,
    RELATIVISTIC: dirac.RELATIVISTIC,
    RELATIVISTIC_MINIMAX: dirac.RELATIVISTIC_MINIMAX,
}
WEIGHTS = {"below critical": 0.3, "critical": 1.0, "above critical": 3.0}
J = dirac.PENALISED.jacobian


def test_any_f_enters_by_its_slope_alone():
    assert dirac.ANY_F.jacobian == sp.Matrix([[0, slope], [-slope, 0]])
    of_GAN = sp.diff(dirac.f, dirac.s).subs(dirac.s, 0)
    assert of_GAN == sp.Rational(1, 2)
    for field in (dirac.GAN, dirac.NON_SATURATING, dirac.with_gradient_penalty(dirac.GAN)):
        of_any = dirac.PENALISED if field.name.endswith("penalty") else dirac.ANY_F
        assert field.jacobian == of_any.jacobian.subs(slope, of_GAN)


def test_both_penalties_are_half_gamma_psi_squared():
    assert dirac.R1() == dirac.R2() == gamma * psi**2 / 2
    for penalty in (dirac.R1(), dirac.R2()):
        penalised = dirac.field("a test", of_D=-psi * theta, of_G=psi * theta, penalty=penalty)
        assert penalised.of_psi == dirac.with_gradient_penalty(dirac.WASSERSTEIN).of_psi
        assert penalised.of_theta == dirac.WASSERSTEIN.of_theta


def test_the_eigenvalues_with_a_penalty():
    root = sp.sqrt(gamma**2 / 4 - slope**2)
    expected = [-gamma / 2 + root, -gamma / 2 - root]
    ours = dirac.PENALISED.eigenvalues
    assert len(ours) == 2
    for one in expected:
        claims.proved("is a root of det(J − λI)", (J - one * sp.eye(2)).det(), 0)
    claims.proved("sum", sum(ours), sum(expected))
    claims.proved("product", sp.prod(ours), sp.prod(expected))


def test_the_printed_eigenvalues_contradict_their_own_jacobian():
    claims.proved("ours: product = det J = f′(0)²", sp.prod(dirac.PENALISED.eigenvalues), J.det())
    claims.proved("det J", J.det(), slope**2)
    claims.proved("ours and the printed ones: sum = trace", sum(dirac.PRINTED_EIGENVALUES), J.trace())
    product = sp.expand(sp.prod(dirac.PRINTED_EIGENVALUES))
    claims.proved("the printed ones: product = f′(0)", product, slope)
    with pytest.raises(claims.ClaimFailed):
        claims.proved("the printed ones: product = det J", product, J.det())
    # They agree for a slope of 1 alone, such as the Wasserstein GAN's; the GAN's is ½.
    assert sp.solve(product - J.det(), slope) == [1]
    for printed in dirac.PRINTED_EIGENVALUES:
        at = {slope: sp.Rational(1, 2), gamma: 4}
        assert (J - printed * sp.eye(2)).det().subs(at) != 0


def test_critical_damping():
    """γ = |f′(0)|(w + 1/w) gives two real rates |f′(0)|w and |f′(0)|/w, whose smaller one is largest at w = 1, that is
    at γ = 2|f′(0)|; γ = 2|f′(0)| cos φ below it gives the rate γ/2, which is smaller."""
    w, phi, steepness = sp.symbols("w phi a", positive=True)
    assert w * steepness + steepness / w - dirac.CRITICAL_WEIGHT.subs(slope, steepness) == sp.expand(
        steepness * (w - 1) ** 2 / w
    )
    for sign in (1, -1):  # of f′(0)
        at = J.subs(slope, sign * steepness)
        real = at.subs(gamma, steepness * (w + 1 / w))
        for rate in (steepness * w, steepness / w):
            claims.proved("real pair", (real + rate * sp.eye(2)).det(), 0)
        turning = at.subs(gamma, 2 * steepness * sp.cos(phi))
        for angle in (phi, -phi):
            claims.proved(
                "turning pair", (turning + steepness * sp.exp(sp.I * angle) * sp.eye(2)).det().rewrite(sp.cos), 0
            )
        critical = at.subs(gamma, dirac.CRITICAL_WEIGHT.subs(slope, sign * steepness))
        assert critical.eigenvals() == {-steepness: 2}


@given(st.floats(0.05, 3), st.floats(-3, 3).filter(lambda f: abs(f) > 0.05))
def test_no_weight_comes_in_faster_than_the_critical_one(weight: float, steepness: float):
    def rate(of: float) -> float:
        return -np.linalg.eigvals(np.array([[0, steepness], [-steepness, -of]])).real.max()

    critical = float(dirac.CRITICAL_WEIGHT.subs(slope, steepness))
    # Near the double eigenvalue, rounding in the matrix moves it by the root of the rounding.
    assert rate(critical) == pytest.approx(abs(steepness), rel=1e-6)
    assert rate(weight) <= abs(steepness) * (1 + 1e-6)


def test_what_one_penalised_step_does_near_0():
    """Closed forms of both step matrices' determinants, which is |μ|² while the pair is complex."""
    both_at_once, in_turns = dirac.simultaneous_matrix(J), dirac.alternating_matrix(J)
    claims.proved("simultaneous", both_at_once.det(), 1 - h * gamma + h**2 * slope**2)
    claims.proved("in turns", in_turns.det(), 1 - h * gamma)
    claims.proved("trace in turns", in_turns.trace(), 2 - h * gamma - h**2 * slope**2)


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("turns", ["both", "DG", "DDDG", "GD"])
@pytest.mark.parametrize("objective", FIELDS, ids=lambda objective: objective.name)
def test_a_walk_by_autograd_and_compiled_losses(objective: Objective, turns: str, weight: float):
    """100 steps of gradient descent on what trains, with R1 by double backpropagation, are the map of the theory."""
    losses = objective.losses()
    point = torch.tensor([1.0, -1.0], dtype=torch.float64, requires_grad=True)  # θ, ψ
    step, path = 0.2, []

    def gradients() -> torch.Tensor:
        datum = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        t_real, t_fake = point[1] * datum, point[1] * point[:1]
        (of_x,) = torch.autograd.grad(t_real.sum(), datum, create_graph=True)
        of_D = losses.discriminator(t_real, t_fake) + weight / 2 * of_x.square().sum()
        of_G = losses.generator(*((t_real, t_fake) if losses.generator_needs_real else (t_fake,)))
        of_theta = torch.autograd.grad(of_G, point, retain_graph=True)[0][0]
        return torch.stack([of_theta, torch.autograd.grad(of_D, point)[0][1]])

    moves = {"both": [1.0, 1.0], "G": [1.0, 0.0], "D": [0.0, 1.0]}
    for _ in range(100):
        for turn in ["both"] if turns == "both" else turns:
            moved = point.detach() - step * torch.tensor(moves[turn], dtype=torch.float64) * gradients()
            point = moved.requires_grad_()
        path.append(point.detach().numpy())
    field = dirac.with_gradient_penalty(FIELDS[objective], sp.Float(weight))
    options = {} if turns == "both" else {"alternating": True, "n_d": turns.count("D"), "first": turns[0]}
    walk = dirac.simulate(field, step=step, steps=100, **options)
    np.testing.assert_allclose(path, walk[1:], rtol=1e-10, atol=1e-14)
    assert math.hypot(*walk[-1]) < 0.5 * math.hypot(*walk[0])


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("first", ["G", "D"])
def test_a_walk_near_0_is_the_power_of_the_step_matrix(first: Literal["G", "D"], weight: float):
    field = dirac.with_gradient_penalty(dirac.GAN, sp.Float(weight))
    move_theta = np.array([[1, 0.2 * 0.5], [0, 1]])
    move_psi = np.array([[1, 0], [-0.2 * 0.5, 1 - 0.2 * weight]])
    one_round = move_psi @ move_theta if first == "G" else move_theta @ move_psi
    start = np.array([1e-5, 2e-5])
    walk = dirac.simulate(field, steps=60, start=tuple(start), alternating=True, first=first)
    np.testing.assert_allclose(walk[-1], np.linalg.matrix_power(one_round, 60) @ start, rtol=1e-6)


def test_pairs_alone_leave_the_field_as_it_is():
    """Where D is a line the datum's logit is 0, and a pair's difference is the generated point's logit alone."""
    for paired, without in ((dirac.RELATIVISTIC, dirac.NON_SATURATING), (dirac.RELATIVISTIC_MINIMAX, dirac.GAN)):
        claims.proved("dθ/dt", paired.of_theta, without.of_theta)
        claims.proved("dψ/dt", paired.of_psi, without.of_psi)
        assert sorted(paired.eigenvalues, key=sp.im) == [-sp.I / 2, sp.I / 2]
    assert dirac.RELATIVISTIC_MINIMAX.radius_rate == 0

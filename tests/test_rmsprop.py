"""RMSProp against its rule written out, against TensorFlow's, and where what it does is known."""

import numpy as np
import pytest
import torch
from torch import nn

from ganlab.training import RMSProp


def trained_on(gradients: np.ndarray, chosen: RMSProp) -> np.ndarray:
    """The weights [steps, n] after each of these gradients [steps, n], from 0 on, in float64."""
    weight = nn.Parameter(torch.zeros(gradients.shape[1], dtype=torch.float64))
    optimizer = chosen.build([weight])
    path = []
    for gradient in gradients:
        weight.grad = torch.from_numpy(gradient)
        optimizer.step()
        path.append(weight.detach().clone().numpy())
    return np.array(path)


@pytest.mark.parametrize("chosen", [RMSProp(), RMSProp(0.1, decay=0.5, eps=0.25)], ids=str)
def test_each_update_is_the_rule_written_out(chosen: RMSProp):
    """v ← ρ v + (1 − ρ) g², w ← w − lr g / (√v + ε), from v = 0."""
    gradients = np.random.default_rng(0).normal(size=(40, 3)) * [1e-4, 1.0, 100.0]
    w, v, path = np.zeros(3), np.zeros(3), []
    for g in gradients:
        v = chosen.decay * v + (1 - chosen.decay) * g**2
        w = w - chosen.lr * g / (np.sqrt(v) + chosen.eps)
        path.append(w)
    np.testing.assert_allclose(trained_on(gradients, chosen), path, rtol=1e-12)


def test_epsilon_divides_as_tensorflows_does_where_it_decides():
    """w ← w − lr g / √(v + 10⁻¹⁰): the same where gradients are small or large, at most √2 apart between."""
    g = np.logspace(-12, 3, 61)
    steps = -trained_on(g[None], RMSProp(lr=1.0))[0]
    of_tensorflow = g / np.sqrt(0.1 * g**2 + 1e-10)
    share = steps / of_tensorflow
    assert share.min() == pytest.approx(np.sqrt(0.5), abs=0.01)
    assert share.max() <= 1 + 1e-12
    np.testing.assert_allclose(share[[0, -1]], 1, atol=1e-6)


def test_without_a_slope_nothing_moves_and_a_lasting_one_of_any_size_moves_by_the_rate():
    """v tends to g², so that a step tends to lr in the slope's direction."""
    path = trained_on(np.tile([[0.0, 1.0, -300.0]], (200, 1)), RMSProp(0.01))
    np.testing.assert_allclose(path[-1] - path[-2], [0, -0.01, 0.01], rtol=1e-4)
    assert not path[:, 0].any()


def test_a_batchs_sum_trains_as_its_mean_does():
    """LSGAN's authors train on sums over 64: the same path to a thousandth of a step, as ε is small beside slopes."""
    gradients = np.random.default_rng(1).normal(size=(50, 4))
    of_sums, of_means = (trained_on(factor * gradients, RMSProp()) for factor in (64, 1))
    np.testing.assert_allclose(of_sums, of_means, atol=1e-3 * RMSProp().lr, rtol=1e-3)


def test_the_defaults_are_tensorflows_decay_and_the_authors_rate():
    assert (RMSProp().lr, RMSProp().decay, RMSProp().eps) == (2e-4, 0.9, np.sqrt(1e-10))

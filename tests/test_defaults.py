"""The values that published comparisons rest on, as their sources state them."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ganlab import data, models
from ganlab.errors import ConfigError
from ganlab.experiments import mode_counts
from ganlab.training import SGD, TrainConfig


def test_veegans_ring():
    """Eight modes on the unit circle, σ 0.01, counted from angle 0."""
    law = data.ring()
    eighth = math.sqrt(0.5)
    expected = [(1, 0), (eighth, eighth), (0, 1), (-eighth, eighth), (-1, 0), (-eighth, -eighth), (0, -1)]
    np.testing.assert_allclose(law.means, [*expected, (eighth, -eighth)], atol=1e-12)
    assert law.sigmas == (0.01,) * 8
    assert law.weights == (0.125,) * 8


def test_veegans_grid_and_the_studies_one_of_half_its_size():
    ticks = [-4, -2, 0, 2, 4]
    law, half = data.grid(), mode_counts.on_grid("…").law
    assert set(law.means) == set(itertools.product(ticks, ticks))
    assert law.sigmas == (0.05,) * 25
    assert law.weights == (0.04,) * 25
    assert set(half.means) == {(x / 2, y / 2) for x, y in law.means}
    assert half.sigmas == (0.025,) * 25
    assert set(data.grid(2).means) == {(-1, -1), (-1, 1), (1, -1), (1, 1)}


def test_lsgans_ring_is_as_narrow_as_veegans():
    law = data.lsgan_ring()
    assert law.sigmas == (0.01,) * 8
    np.testing.assert_allclose(law.means, data.ring().means, atol=1e-12)


def test_the_normal_law_is_the_standard_one():
    law = data.gaussian()
    assert (law.means, law.sigmas) == (((0.0,),), (1.0,))


def test_the_two_moons_lie_as_scikit_learns():
    """Theirs moved to 0, at 0.8 of their size: the upper one opens downwards and holds an end of the lower one."""
    from sklearn.datasets import make_moons

    theirs, which = make_moons(24, shuffle=False)
    assert which.tolist() == [0] * 12 + [1] * 12
    law = data.two_moons()
    np.testing.assert_allclose(law.means, 0.8 * (theirs - [0.5, 0.25]), atol=1e-12)
    assert law.sigmas == (0.06,) * 24
    assert law.weights == pytest.approx((1 / 24,) * 24)
    assert len(data.two_moons(1).means) == 2


@pytest.mark.parametrize("width", [0.0, -1.0, math.inf, math.nan])
def test_a_law_has_a_finite_width(width: float):
    for law in (data.gaussian, data.ring, data.grid, data.two_moons):
        with pytest.raises(ConfigError, match="sigmas are"):
            law(sigma=width)


def test_dcgans_optimiser_is_the_default():
    """Radford et al. 2015, sec. 4: Adam, rate 0.0002, β1 0.5; β2 as Kingma & Ba have it."""
    config = TrainConfig()
    for optimizer in (config.optimizer_d, config.optimizer_g):
        (group,) = optimizer.build([nn.Parameter(torch.zeros(1))]).param_groups
        assert (group["lr"], group["betas"], group["eps"], group["weight_decay"]) == (2e-4, (0.5, 0.999), 1e-8, 0)


def test_a_run_without_options_is_algorithm_1():
    config = TrainConfig()
    assert (config.k, config.update, config.noise, config.seed) == (1, "alternating", "normal", 0)
    assert (config.instance_noise, config.decay_from, config.label_smoothing, config.ema) == (0, 1, 0, 0)
    assert (config.precision, config.compile, config.device) == ("float32", False, "auto")
    assert (config.steps, config.batch, config.ema_warmup) == (2000, 64, 9)


def test_momentum_without_schedule_stays():
    """Plain SGD with momentum: the rate of the 2014 code's start, and no decay, floor or rise."""
    sgd = SGD()
    assert [sgd.at(step) for step in (0, 1, 499, 500, 10**6)] == [{"lr": 0.1, "momentum": 0.5}] * 5
    (group,) = sgd.build([nn.Parameter(torch.zeros(1))]).param_groups
    assert (group["lr"], group["momentum"], group["dampening"], group["nesterov"]) == (0.1, 0.5, 0, False)
    assert group["weight_decay"] == 0


def test_the_mlp_pair_has_batch_norm_in_G_alone_and_slope_0_2_in_D():
    G, D = models.MLPGenerator(), models.MLPDiscriminator()
    hidden = [nn.Linear, nn.BatchNorm1d, nn.ReLU]
    assert [type(layer) for layer in G.net] == [*hidden, *hidden, nn.Linear, nn.Tanh]
    assert [type(layer) for layer in D.net] == [nn.Linear, nn.LeakyReLU, nn.Linear, nn.LeakyReLU, nn.Linear]
    assert [layer.negative_slope for layer in D.net if isinstance(layer, nn.LeakyReLU)] == [0.2, 0.2]
    widths = [[layer.out_features for layer in model.net if isinstance(layer, nn.Linear)] for model in (G, D)]
    assert widths == [[256, 512, 784], [512, 256, 1]]
    # Batch norm has its own bias: a layer before it has none.
    assert [layer.bias is None for layer in G.net if isinstance(layer, nn.Linear)] == [True, True, False]
    assert (G.z_dim, G.output_range) == (64, (-1.0, 1.0))


def test_the_mlp_pair_starts_as_dcgan_does():
    for model in (models.MLPGenerator(), models.MLPDiscriminator()):
        for layer in model.net:
            if isinstance(layer, nn.Linear):
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.15)
                assert abs(layer.weight.mean().item()) < 5 * 0.02 / math.sqrt(layer.weight.numel())
            if isinstance(layer, nn.BatchNorm1d):
                assert layer.weight.mean().item() == pytest.approx(1, abs=0.005)
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.2)
        assert all(not p.any() for name, p in model.named_parameters() if name.endswith("bias"))


def test_dcgans_default_sizes():
    G, D = models.DCGANGenerator(), models.DCGANDiscriminator()
    assert (G.z_dim, G.sample_shape, D.sample_shape) == (100, (1, 32, 32), (1, 32, 32))
    up = [m.out_channels for m in G.net if isinstance(m, nn.ConvTranspose2d)]
    assert (up, [m.out_channels for m in D.net if isinstance(m, nn.Conv2d)]) == ([256, 128, 64, 1], [64, 128, 256, 1])


def test_mode_counts_train_networks_of_two_relu_layers():
    setting = mode_counts.on_ring("…")
    G, D = setting.ensemble([0]).member(0)
    for network, n_in, n_out in ((G, 2, 2), (D, 2, 1)):
        layers = [m for m in network.modules() if isinstance(m, nn.Linear | nn.ReLU)]
        assert [type(m) for m in layers] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
        sizes = [(m.in_features, m.out_features) for m in layers if isinstance(m, nn.Linear)]
        assert sizes == [(n_in, 128), (128, 128), (128, n_out)]
    assert setting.law == data.ring()


@pytest.mark.parametrize("upright", [False, True])
def test_of_an_oblong_picture_the_middle_square_is_taken(tmp_path: Path, upright: bool):
    """Twelve by four pixels, every column of its own grey: the middle four columns, unchanged."""
    columns = np.tile(np.arange(12, dtype=np.uint8) * 20, (4, 1))
    Image.fromarray(columns.T.copy() if upright else columns).save(tmp_path / "oblong.png")
    (taken,) = data.load(f"folder:{tmp_path}", size=4).images
    expected = columns[:, 4:8]
    assert taken[0].tolist() == (expected.T if upright else expected).tolist()

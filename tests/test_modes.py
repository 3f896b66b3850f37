"""The mode count against a plain loop and against what the normal law says."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlab import data
from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics.modes import PROTOCOL_SAMPLES, ModeCount, count_modes

points = st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=12)


def plain_count(samples, modes, sigma: float) -> ModeCount:
    per_mode = [0] * len(modes)
    for sample in samples:
        distances = [math.dist(sample, mode) for mode in modes]
        nearest = distances.index(min(distances))
        if distances[nearest] < 3 * sigma:
            per_mode[nearest] += 1
    return ModeCount(sum(n > 0 for n in per_mode), sum(per_mode) / len(samples), tuple(per_mode))


@given(samples=points, modes=points, sigma=st.floats(0.05, 1))
def test_equals_a_plain_loop(samples, modes, sigma: float):
    as_tensor = [torch.tensor(values, dtype=torch.float64) for values in (samples, modes)]
    ours, plain = count_modes(as_tensor[0], as_tensor[1], sigma), plain_count(samples, modes, sigma)
    # Two modes at the same place, or nearly, may share their samples in another way.
    if len({(round(x, 6), round(y, 6)) for x, y in modes}) == len(modes):
        assert ours.high_quality == pytest.approx(plain.high_quality)
    assert sum(ours.per_mode) == sum(plain.per_mode)
    assert ours.modes == sum(n > 0 for n in ours.per_mode)


def test_per_mode_counts_of_separate_modes():
    modes = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    samples = torch.tensor([[0.1, 0.0], [0.0, -0.2], [10.0, 0.1], [5.0, 5.0]])
    assert count_modes(samples, modes, 0.1) == ModeCount(2, 0.75, (2, 1, 0))


def test_exactly_three_sigma_is_not_good():
    modes = torch.tensor([[0.0, 0.0]])
    on, within = torch.tensor([[3.0, 0.0]]), torch.tensor([[2.999999, 0.0]])
    assert count_modes(on, modes, 1.0).high_quality == 0
    assert count_modes(within, modes, 1.0).high_quality == 1


@pytest.mark.parametrize("law", [data.ring(), data.grid()], ids=["ring", "grid"])
def test_real_samples_find_every_mode(law: data.Mixture):
    found = count_modes(law.sample(PROTOCOL_SAMPLES, torch.Generator().manual_seed(0)), law.modes, law.sigmas[0])
    assert found.modes == len(law.means)
    # In the plane the radius is Rayleigh: P(r < 3σ) = 1 − e^(−9/2); 0.99 of 2,500 within four standard errors.
    expected = 1 - math.exp(-4.5)
    assert found.high_quality == pytest.approx(
        expected, abs=4 * math.sqrt(expected * (1 - expected) / PROTOCOL_SAMPLES)
    )


def test_a_collapsed_generator_finds_one_mode_with_good_samples():
    law = data.ring()
    found = count_modes(law.modes[3].repeat(100, 1), law.modes, law.sigmas[0])
    assert found == ModeCount(1, 1.0, (0, 0, 0, 100, 0, 0, 0, 0))


def test_noise_finds_nothing():
    assert count_modes(torch.full((9, 2), 7.0), data.ring().modes, 0.01) == ModeCount(0, 0.0, (0,) * 8)


@pytest.mark.gpu
def test_counting_on_cuda():
    law = data.ring()
    assert count_modes(law.modes.cuda(), law.modes, 0.01).modes == 8


@pytest.mark.parametrize(
    ("samples", "sigma", "error", "named"),
    [
        (torch.zeros(3), 1.0, ShapeError, r"samples \[3\]"),
        (torch.zeros(3, 3), 1.0, ShapeError, r"samples \[3, 3\], modes \[8, 2\]"),
        (torch.zeros(0, 2), 1.0, ShapeError, r"samples \[0, 2\]"),
        (torch.full((3, 2), torch.nan), 1.0, ShapeError, "3 of 3 samples are NaN"),
        (torch.zeros(3, 2), 0.0, ConfigError, "sigma is 0"),
    ],
)
def test_wrong_input_is_named(samples: torch.Tensor, sigma: float, error: type[Exception], named: str):
    with pytest.raises(error, match=named) as caught:
        count_modes(samples, data.ring().modes, sigma)
    assert "\n" not in str(caught.value)

"""The mode count against a plain loop and against what the normal law says."""

import json
import math
from dataclasses import asdict
from itertools import pairwise

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from ganlab import data
from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics.modes import PROTOCOL_SAMPLES, ModeCount, count_modes

points = st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=12)


def plain_count(samples, modes, sigma: float, within: float) -> ModeCount:
    per_mode = [0] * len(modes)
    for sample in samples:
        distances = sorted((math.dist(sample, mode), j) for j, mode in enumerate(modes))
        # Rounding may decide ties and borders in another way.
        assume(all(second[0] - first[0] > 1e-9 for first, second in pairwise(distances[:2])))
        distance, nearest = distances[0]
        assume(abs(distance - within * sigma) > 1e-9)
        if distance < within * sigma:
            per_mode[nearest] += 1
    return ModeCount(sum(n > 0 for n in per_mode), sum(per_mode) / len(samples), tuple(per_mode), len(samples))


@given(samples=points, modes=points, sigma=st.floats(0.05, 1), within=st.floats(0.5, 4))
def test_equals_a_plain_loop(samples, modes, sigma: float, within: float):
    expected = plain_count(samples, modes, sigma, within)
    as_tensors = [torch.tensor(values, dtype=torch.float64) for values in (samples, modes)]
    ours = count_modes(as_tensors[0], as_tensors[1], sigma, within=within)
    assert (ours.modes, ours.per_mode, ours.samples) == (expected.modes, expected.per_mode, expected.samples)
    assert ours.high_quality == pytest.approx(expected.high_quality)


def test_per_mode_counts_of_separate_modes():
    modes = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    samples = torch.tensor([[0.1, 0.0], [0.0, -0.2], [10.0, 0.1], [5.0, 5.0]])
    assert count_modes(samples, modes, 0.1) == ModeCount(2, 0.75, (2, 1, 0), 4)


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
    assert found == ModeCount(1, 1.0, (0, 0, 0, 100, 0, 0, 0, 0), 100)


def test_noise_finds_nothing():
    assert count_modes(torch.full((9, 2), 7.0), data.ring().modes, 0.01) == ModeCount(0, 0.0, (0,) * 8, 9)


def test_the_published_protocol_is_of_2500_samples():
    assert PROTOCOL_SAMPLES == 2500


def test_far_from_0_the_border_is_as_sharp():
    """30 modes, so that torch would take the matrix product's way, whose digits do not reach here."""
    modes = torch.stack([torch.arange(30.0) * 10 + 1e4, torch.zeros(30)], dim=1).double()
    up = torch.tensor([0.0, 0.03], dtype=torch.float64)
    assert count_modes(modes + up * (1 - 1e-7), modes, 0.01) == ModeCount(30, 1.0, (1,) * 30, 30)
    assert count_modes(modes + up * (1 + 1e-7), modes, 0.01) == ModeCount(0, 0.0, (0,) * 30, 30)


def test_a_count_is_of_plain_values():
    law = data.ring()
    count = count_modes(law.modes, law.modes, 0.01)
    assert json.loads(json.dumps(asdict(count))) == {
        "modes": 8,
        "high_quality": 1.0,
        "per_mode": [1] * 8,
        "samples": 8,
    }


def test_a_wider_border_lets_more_in():
    modes, sample = torch.tensor([[0.0, 0.0]]), torch.tensor([[3.5, 0.0]])
    assert count_modes(sample, modes, 1.0).modes == 0
    assert count_modes(sample, modes, 1.0, within=4).modes == 1


@given(counts=st.lists(st.integers(0, 50), min_size=1, max_size=9).filter(any), data_=st.data())
def test_kl_equals_the_textbook_sum(counts: list[int], data_: st.DataObject):
    weights = data_.draw(st.lists(st.floats(0.1, 10), min_size=len(counts), max_size=len(counts)))
    p, q = torch.tensor(counts, dtype=torch.float64), torch.tensor(weights, dtype=torch.float64)
    p, q = p / p.sum(), q / q.sum()
    expected = (torch.xlogy(p, p) - torch.xlogy(p, q)).sum().item()
    found = ModeCount(sum(n > 0 for n in counts), 1.0, tuple(counts), sum(counts))
    assert found.kl_nats(weights) == pytest.approx(expected, abs=1e-12)
    assert found.kl_nats(weights) >= 0


def test_kl_between_a_full_and_a_collapsed_set():
    assert ModeCount(4, 1.0, (5, 5, 5, 5), 20).kl_nats() == 0
    assert ModeCount(1, 1.0, (0, 20, 0, 0), 20).kl_nats() == pytest.approx(math.log(4))
    assert ModeCount(2, 1.0, (20, 10), 30).kl_nats([2, 1]) == pytest.approx(0)
    assert math.isnan(ModeCount(0, 0.0, (0, 0), 20).kl_nats())


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, math.nan], [1.0, math.inf], [1e-320, 1e300]])
def test_wrong_weights_are_named(weights: list[float]):
    with pytest.raises(ConfigError, match="give 2 positive numbers") as caught:
        ModeCount(2, 1.0, (1, 1), 2).kl_nats(weights)
    assert str(weights) in str(caught.value)


def test_weights_of_very_unlike_sizes_have_a_kl():
    """The rarer mode has about half of the samples and a share of 1e-300."""
    expected = math.log(0.5) + 0.5 * math.log(1e300)
    assert ModeCount(2, 1.0, (1, 1), 2).kl_nats([1e-150, 1e150]) == pytest.approx(expected)


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
        ([[0.0, 0.0]], 1.0, ShapeError, r"samples are list; give a tensor of real numbers \[n, dim\]"),
        (torch.zeros(3, 2) + 1j, 1.0, ShapeError, "samples are torch.complex64"),
        (torch.full((3, 2), torch.nan), 1.0, ShapeError, "3 of 3 samples are NaN"),
        (torch.zeros(3, 2), 0.0, ConfigError, "sigma is 0"),
        (torch.zeros(3, 2), math.inf, ConfigError, "sigma is inf"),
    ],
)
def test_wrong_input_is_named(samples: torch.Tensor, sigma: float, error: type[Exception], named: str):
    with pytest.raises(error, match=named) as caught:
        count_modes(samples, data.ring().modes, sigma)
    assert "\n" not in str(caught.value)


def test_modes_and_borders_that_are_no_numbers_are_named():
    sample, modes = torch.zeros(1, 2), torch.tensor([[0.0, 0.0], [math.inf, 0.0]])
    with pytest.raises(ShapeError, match="1 of 2 modes are NaN or infinite"):
        count_modes(sample, modes, 1.0)
    with pytest.raises(ShapeError, match="modes are ndarray; give a tensor of real numbers"):
        count_modes(sample, modes.numpy(), 1.0)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ShapeError, match=r"samples \[1, 0\], modes \[2, 0\] do not fit"):
        count_modes(sample[:, :0], modes[:, :0], 1.0)
    with pytest.raises(ConfigError, match="within is -1"):
        count_modes(sample, modes[:1], 1.0, within=-1)

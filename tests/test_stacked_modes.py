"""The modes of stacked digits, against SciPy and NumPy, by classifiers whose errors are known."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor, nn

from ganlab import data, models
from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics import stacked_modes as measure
from ganlab.metrics.stacked_modes import (
    PROTOCOL_SAMPLES,
    RealAnchor,
    StackedModes,
    classes_of,
    counting_nats,
    real_anchor,
    stacked_modes,
)

LEVEL = 28
"""A digit d is an image of one grey, 28·d of 255."""


class ReadsGrey(nn.Module):
    """A classifier of such digits, right but for those in `mistaken`, which it takes for others."""

    sample_shape, input_range = (1, 2, 2), (0.0, 1.0)

    def __init__(self, mistaken: dict[int, int] | None = None) -> None:
        super().__init__()
        told = [(mistaken or {}).get(digit, digit) for digit in range(10)]
        self.told = nn.Parameter(torch.eye(10)[told])  # [true, told]

    def forward(self, x: Tensor) -> Tensor:
        assert not self.training
        digit = (x.mean(dim=(1, 2, 3)) * 255 / LEVEL).round().long()
        return self.told[digit]

    def __str__(self) -> str:
        return "one who reads greys"


def images_of(classes: np.ndarray) -> Tensor:
    """uint8 [n, 3, 2, 2] of these classes, 0 … 999."""
    digits = np.stack([classes // 100, classes // 10 % 10, classes % 10], axis=1)
    return torch.from_numpy((digits * LEVEL).astype(np.uint8))[:, :, None, None].expand(-1, -1, 2, 2).contiguous()


ALL = np.arange(1000)


def test_the_protocol_is_of_26000_samples_and_1000_modes():
    assert (PROTOCOL_SAMPLES, measure.MODES) == (26_000, 1000)


@given(st.lists(st.integers(0, 999), min_size=1, max_size=60))
def test_modes_and_kl_are_scipys(classes: list[int]):
    found = stacked_modes(images_of(np.array(classes)), ReadsGrey())
    assert (found.modes, found.n) == (len(set(classes)), len(classes))
    counts = np.bincount(classes, minlength=1000)
    assert found.kl_nats == pytest.approx(stats.entropy(counts, np.ones(1000)), abs=1e-12)


def test_a_collapsed_set_has_one_mode_and_the_largest_kl():
    found = stacked_modes(images_of(np.full(500, 123)), ReadsGrey())
    assert found.modes == 1
    assert found.kl_nats == pytest.approx(math.log(1000))


def test_an_even_set_has_all_modes_and_no_kl():
    found = stacked_modes(images_of(np.repeat(ALL, 2)), ReadsGrey())
    assert (found.modes, found.n) == (1000, 2000)
    assert found.kl_nats == pytest.approx(0, abs=1e-12)


def test_half_of_the_modes_cost_log_2():
    found = stacked_modes(images_of(ALL[:500]), ReadsGrey())
    assert found.kl_nats == pytest.approx(math.log(2))


def test_red_comes_before_green_before_blue():
    images = torch.zeros(3, 3, 2, 2, dtype=torch.uint8)
    for channel, digit in enumerate((1, 2, 3)):
        images[channel, channel] = LEVEL * digit
    assert classes_of(images, ReadsGrey()).tolist() == [100, 20, 3]
    assert torch.equal(classes_of(images_of(ALL), ReadsGrey()), torch.arange(1000))


def test_a_classifier_that_takes_sevens_for_ones_misses_what_has_a_seven():
    """9³ classes are left; of them those with j ones are told 2ʲ times, of 1,000."""
    found = stacked_modes(images_of(ALL), ReadsGrey({7: 1}))
    assert found.modes == 9**3
    shares = [math.comb(3, ones) * 8 ** (3 - ones) * (2**ones / 1000) * math.log(2**ones) for ones in range(4)]
    assert found.kl_nats == pytest.approx(sum(shares))


def test_floats_are_the_images_that_a_file_would_hold():
    images = images_of(ALL)
    for low, high in ((-1.0, 1.0), (0.0, 1.0)):
        floats = images.float() / 255 * (high - low) + low + 1e-4
        assert stacked_modes(floats, ReadsGrey(), value_range=(low, high)) == stacked_modes(images, ReadsGrey())


def test_a_result_is_of_plain_values_and_says_what_it_hangs_on():
    found = stacked_modes(images_of(ALL), ReadsGrey())
    assert json.loads(json.dumps(asdict(found))) == {
        "modes": 1000,
        "kl_nats": found.kl_nats,
        "n": 1000,
        "counting_nats": counting_nats(1000),
        "classifier": "one who reads greys",
    }
    assert str(StackedModes(93, 3.4, 26_000, 0.0193, "x")) == (
        "93 of 1,000 modes, KL 3.4000 nats (from counting alone 0.0193), n = 26,000, told apart by x"
    )


def test_the_classifier_is_left_as_it_was():
    network = ReadsGrey().train()
    stacked_modes(images_of(ALL), network)
    assert network.training


# The anchors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [50, 1000, 26_000])
def test_the_kl_of_counting_is_the_mean_over_draws(n: int):
    """200 sets of n draws of the uniform law: within four standard errors of their mean."""
    draws = np.random.default_rng(0).multinomial(n, np.full(1000, 1e-3), size=200)
    kl = stats.entropy(draws, np.full((200, 1000), 1e-3), axis=1)
    assert counting_nats(n) == pytest.approx(kl.mean(), abs=4 * kl.std() / math.sqrt(200))


def test_the_kl_of_counting_one_two_and_many():
    """Two draws are of one class in one case of a thousand. Of many the KL is that of χ², 999/2n."""
    assert counting_nats(1) == pytest.approx(math.log(1000))
    assert counting_nats(2) == pytest.approx(0.999 * math.log(500) + 0.001 * math.log(1000))
    assert counting_nats(26_000) == pytest.approx(999 / 52_000, rel=0.02)
    assert counting_nats(1_000_000) == pytest.approx(999 / 2_000_000, rel=1e-3)
    for said in (measure.__doc__, counting_nats.__doc__):
        assert f"{counting_nats(26_000):.4f}" in (said or "")


def test_its_spread_is_that_of_chi_squared():
    """2n·KL has nearly the law of χ² with 999 degrees of freedom, as is said of 26,000 draws."""
    draws = np.random.default_rng(1).multinomial(26_000, np.full(1000, 1e-3), size=300)
    kl = stats.entropy(draws, np.full((300, 1000), 1e-3), axis=1)
    assert kl.std() == pytest.approx(math.sqrt(2 * 999) / 52_000, rel=0.15)


def test_the_anchor_of_real_images_tells_counting_from_mistakes():
    """Of 2,000 even images a classifier that takes 7 for 1 tells 1,000 − 9³ in 1,000 wrong."""
    images, labels = images_of(np.tile(ALL, 2)), torch.from_numpy(np.tile(ALL, 2))
    exact = real_anchor(images, labels, ReadsGrey(), n=2000)
    assert exact == RealAnchor(
        by_labels=StackedModes(1000, exact.by_labels.kl_nats, 2000, counting_nats(2000), "their labels"),
        by_classifier=stacked_modes(images, ReadsGrey()),
        wrong=0.0,
    )
    assert exact.by_labels.kl_nats == pytest.approx(0, abs=1e-12)
    mistaken = real_anchor(images, labels, ReadsGrey({7: 1}), n=1000)
    assert mistaken.by_classifier == stacked_modes(images[:1000], ReadsGrey({7: 1}))
    assert (mistaken.by_labels.modes, mistaken.by_labels.n) == (1000, 1000)
    assert mistaken.wrong == pytest.approx(1 - 0.9**3)


@pytest.mark.slow
@pytest.mark.skipif(
    not (data.data_root() / "MNIST").exists(), reason="no MNIST on this machine (GANLAB_DATA is not set to it)"
)
def test_real_stacked_digits_have_all_modes_and_little_more_kl_than_counting():
    """About 20 s. Digits of unequal frequency p add 3·KL(p ‖ uniform); the classifier errs on 1 % of the digits."""
    real = data.load("stacked-mnist", split="test", limit=PROTOCOL_SAMPLES)
    anchor = real_anchor(real.images, real.labels, models.trained("mnist"))
    frequencies = data.load("mnist", split="test").labels.bincount().numpy()
    expected = counting_nats(PROTOCOL_SAMPLES) + 3 * stats.entropy(frequencies, np.ones(10))
    for counted in (anchor.by_labels, anchor.by_classifier):
        assert counted.modes == 1000
        assert counted.kl_nats == pytest.approx(expected, abs=5 * math.sqrt(2 * 999) / 52_000)
    assert 0 < anchor.wrong < 0.03


# What does not fit ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "named"),
    [
        (torch.zeros(4, 1, 2, 2).byte(), r"images are \[4, 1, 2, 2\]; give a tensor of colour images \[n, 3, H, W\]"),
        (torch.zeros(3, 2, 2).byte(), r"images are \[3, 2, 2\]"),
        (np.zeros((4, 3, 2, 2)), "images are a ndarray"),
        (torch.zeros(4, 3, 5, 5).byte(), r"channels are images \[4, 1, 5, 5\]; the network takes \[n, 1, 2, 2\]"),
        (torch.zeros(0, 3, 2, 2).byte(), r"channels are images \[0, 1, 2, 2\]"),
        (torch.zeros(4, 3, 2, 2), "channels are torch.float32 images of unknown range"),
    ],
)
def test_images_that_do_not_fit_are_named(images, named: str):
    with pytest.raises(ShapeError, match=named) as caught:
        stacked_modes(images, ReadsGrey())
    assert "\n" not in str(caught.value)


def test_networks_that_are_no_classifiers_of_digits_are_named():
    with pytest.raises(ConfigError, match=r"network is a Linear without sample_shape; give models\.trained"):
        stacked_modes(images_of(ALL), nn.Linear(1, 1))
    other = ReadsGrey()
    other.told = nn.Parameter(torch.eye(10)[:, :7])
    with pytest.raises(ConfigError, match="network gives 7 logits; give a classifier of the 10 digits"):
        stacked_modes(images_of(ALL), other)
    other.told = nn.Parameter(torch.full((10, 10), math.nan))
    with pytest.raises(ShapeError, match="1000 of 1000 logits of channels are not finite"):
        stacked_modes(images_of(ALL), other)


@pytest.mark.parametrize(
    ("labels", "n", "named"),
    [
        (torch.arange(999), 1000, "there are 1,000 images and 999 labels; give at least 1,000 of each"),
        (torch.arange(1000), 1001, "there are 1,000 images and 1,000 labels; give at least 1,001 of each"),
        (torch.arange(1000) + 1, 1000, r"give one integer in 0 … 999 for each"),
        (torch.arange(1000) - 1, 1000, r"give one integer in 0 … 999 for each"),
        (torch.arange(1000.0), 1000, r"labels are torch.float32 \[1000\]"),
        (torch.arange(1000)[:, None], 1000, r"labels are torch.int64 \[1000, 1\]"),
    ],
)
def test_labels_that_are_not_the_images_are_named(labels: Tensor, n: int, named: str):
    with pytest.raises(ShapeError, match=named):
        real_anchor(images_of(ALL), labels, ReadsGrey(), n=n)


@pytest.mark.parametrize("n", [0, -1, 2.0, True, None])
def test_a_number_of_draws_is_a_positive_integer(n):
    with pytest.raises(ConfigError, match="give an integer of at least 1"):
        counting_nats(n)
    with pytest.raises(ConfigError, match="give an integer of at least 1"):
        real_anchor(images_of(ALL), torch.arange(1000), ReadsGrey(), n=n)

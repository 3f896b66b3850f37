"""Nearest training images against scikit-learn and a plain loop; the copy check on sets that are known to be copies."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from ganlab import data
from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics import points as points_of_metrics
from ganlab.metrics.neighbours import CopyCheck, copies, nearest, one_nearest

SET = data.load("digits")
DIGITS = SET.images.double() / 255
TRAINING, HELD_OUT, OTHERS = DIGITS[:700], DIGITS[700:1100], DIGITS[1100:]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.integers(0, 99))
def test_it_is_scikit_learns(n: int, m: int, d: int, seed: int):
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(seed)
    points, others = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    distance, index = NearestNeighbors(n_neighbors=1, algorithm="kd_tree").fit(others).kneighbors(points)
    found, which = nearest(torch.from_numpy(points), torch.from_numpy(others))
    np.testing.assert_allclose(found, distance[:, 0], atol=1e-12)
    assert which.tolist() == index[:, 0].tolist()


def test_images_by_a_plain_loop():
    found, which = nearest(OTHERS[:5], TRAINING)
    for image, distance, index in zip(OTHERS[:5], found.tolist(), which.tolist(), strict=True):
        plain = [math.sqrt(float((image - other).square().sum())) for other in TRAINING]
        assert distance == pytest.approx(min(plain), abs=1e-12)
        assert index == plain.index(min(plain))


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    whole = nearest(OTHERS, TRAINING)
    monkeypatch.setattr(points_of_metrics, "CHUNK_NUMBERS", 1500)
    assert all(torch.equal(one, other) for one, other in zip(nearest(OTHERS, TRAINING), whole, strict=True))


def test_of_equal_distances_the_first_counts():
    """Equal images, of which a product of matrices makes unequal distances, and places on both sides of a point."""
    rng = torch.Generator().manual_seed(0)
    collapsed, test = torch.rand(1, 784, generator=rng).repeat(5, 1), torch.rand(200, 784, generator=rng)
    assert nearest(test, collapsed)[1].tolist() == [0] * 200
    assert one_nearest(collapsed, torch.tensor([0, 1, 1, 1, 1]), test, torch.zeros(200, dtype=torch.long)) == 0
    sides = torch.randint(1, 256, (200, 784), generator=rng) / 256
    for point, move in zip(torch.rand(200, 784, generator=rng).mul(256).round() / 256, sides, strict=True):
        assert nearest(point[None], torch.stack([point - 2 * move, point + move, point - move]))[1].tolist() == [1]


@pytest.mark.parametrize("far", [2.0**20, 2.0**26, -(2.0**30)])
def test_far_from_0_the_same_one_is_nearest(far: float):
    """Of points of a grid that float64 has as far away, too."""
    rng = torch.Generator().manual_seed(0)
    points, others = (torch.randint(2**16, (40, 3), generator=rng).double() / 2**16 for _ in range(2))
    for one, other in zip(nearest(points + far, others + far), nearest(points, others), strict=True):
        assert torch.equal(one, other)


def test_the_calibration_by_hand():
    found = copies(OTHERS, TRAINING, HELD_OUT, 0.05)
    held_out, own = (cdist(x.flatten(1), TRAINING.flatten(1)).min(axis=1) for x in (HELD_OUT, OTHERS))
    assert found.threshold == pytest.approx(np.quantile(held_out, 0.05))
    assert found.nearer == (own < found.threshold).sum()
    assert (found.generated, found.held_out, found.quantile) == (400, 400, 0.05)
    assert found.share == found.nearer / 400
    assert found.median == pytest.approx(np.sort(own)[199])
    assert found.held_out_median == pytest.approx(np.sort(held_out)[199])


def test_other_real_images_pass_and_copies_do_not():
    """Of other real images about as many lie near as of the held-out ones; of copies all do, of half copies half."""
    honest = copies(OTHERS, TRAINING, HELD_OUT)
    assert 0 <= honest.share <= 0.05
    copied = copies(TRAINING[:200] + 1e-3, TRAINING, HELD_OUT)
    assert copied.share == 1
    assert copied.median == pytest.approx(8e-3)  # 64 pixels, a thousandth each
    mixed = copies(torch.cat([TRAINING[:100], OTHERS[:100]]), TRAINING, HELD_OUT)
    assert 0.5 <= mixed.share <= 0.55


def test_exact_copies_lie_at_0():
    found, which = nearest(TRAINING[:50] * 255, TRAINING * 255)
    assert torch.equal(found, torch.zeros(50, dtype=torch.float64))
    assert which.tolist() == list(range(50))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 5), st.integers(2, 4), st.integers(0, 99))
def test_the_1_nn_error_is_scikit_learns(n: int, m: int, d: int, classes: int, seed: int):
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(seed)
    points, test = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    labels, test_labels = rng.integers(classes, size=n), rng.integers(classes, size=m)
    rule = KNeighborsClassifier(1, algorithm="brute").fit(points, labels)
    found = one_nearest(*map(torch.from_numpy, (points, labels, test, test_labels)))
    assert found == pytest.approx(1 - rule.score(test, test_labels), abs=1e-12)


def test_the_1_nn_error_of_digits(monkeypatch: pytest.MonkeyPatch):
    """Of real digits few are wrong; of one class all others are; labels that are moved by one are all wrong."""
    from sklearn.neighbors import KNeighborsClassifier

    labels, test_labels = SET.labels[:700], SET.labels[1100:]
    rule = KNeighborsClassifier(1).fit(TRAINING.flatten(1), labels)
    error = one_nearest(TRAINING, labels, OTHERS, test_labels)
    assert error == pytest.approx(1 - rule.score(OTHERS.flatten(1), test_labels))
    assert 0 < error < 0.1
    assert one_nearest(TRAINING, labels.byte(), OTHERS, test_labels.int()) == error
    assert one_nearest(TRAINING, labels, TRAINING, labels) == 0
    assert one_nearest(TRAINING, labels, TRAINING, (labels + 1) % 10) == 1
    sevens = float((test_labels == 7).double().mean())
    assert one_nearest(TRAINING, torch.full_like(labels, 7), OTHERS, test_labels) == pytest.approx(1 - sevens)
    monkeypatch.setattr(points_of_metrics, "CHUNK_NUMBERS", 1500)
    assert one_nearest(TRAINING, labels, OTHERS, test_labels) == error


def test_in_one_line():
    assert str(CopyCheck(37, 1000, 2000, 0.01, 3.2149, 5.1, 5.32)) == (
        "37 of 1,000 generated images (3.7 %) lie nearer than 3.21 to a training image, as 1 % of 2,000 held-out ones"
        " do (medians 5.1 and 5.32)"
    )


@pytest.mark.parametrize(
    ("call", "error", "named"),
    [
        (
            lambda: copies(OTHERS, TRAINING, HELD_OUT[:99]),
            ShapeError,
            "there are 99 held-out images; give at least 100",
        ),
        (lambda: copies(OTHERS, TRAINING, HELD_OUT[:3], 0.3), ShapeError, "there are 3 .*; give at least 4"),
        (lambda: copies(OTHERS, TRAINING, HELD_OUT[:14], 0.07), ShapeError, "there are 14 .*; give at least 15"),
        (lambda: copies(OTHERS, TRAINING, HELD_OUT[:2], 0.4), ShapeError, "there are 2 .*; give at least 3"),
        (lambda: copies(OTHERS, TRAINING, TRAINING[:300]), ShapeError, "held-out images are training images"),
        (lambda: copies(OTHERS, TRAINING, HELD_OUT, 0), ConfigError, "quantile is 0"),
        (lambda: copies(OTHERS, TRAINING, HELD_OUT, 1), ConfigError, "quantile is 1"),
        (lambda: copies(OTHERS, TRAINING, HELD_OUT, math.nan), ConfigError, "quantile is nan"),
        (lambda: copies(OTHERS, torch.zeros(9, 3), HELD_OUT), ShapeError, "points have 64 numbers each, others 3"),
        (
            lambda: one_nearest(TRAINING, SET.labels, OTHERS, SET.labels),
            ShapeError,
            r"labels have shape \[1500\] for 700 points; give one for each",
        ),
        (
            lambda: one_nearest(TRAINING, SET.labels[:700], OTHERS, SET.labels[1100:, None]),
            ShapeError,
            r"test_labels have shape \[400, 1\] for 400 points",
        ),
        (
            lambda: one_nearest(TRAINING, SET.labels[:700].float(), OTHERS, SET.labels[1100:]),
            ShapeError,
            r"labels are torch.float32; give a tensor of integers \[n\]",
        ),
        (
            lambda: one_nearest(TRAINING, SET.labels[:700], OTHERS, [0] * 400),  # pyright: ignore[reportArgumentType]
            ShapeError,
            "test_labels are list; give a tensor of integers",
        ),
        (
            lambda: one_nearest([[1.0]], SET.labels[:1], OTHERS, SET.labels[1100:]),  # pyright: ignore[reportArgumentType]
            ShapeError,
            "points are a list; give a tensor",
        ),
        (
            lambda: one_nearest(TRAINING, SET.labels[:700], [[1.0]], SET.labels[:1]),  # pyright: ignore[reportArgumentType]
            ShapeError,
            "test are a list; give a tensor",
        ),
        (lambda: nearest(torch.zeros(5, 0), torch.zeros(5, 0)), ShapeError, r"points have shape \[5, 0\]"),
        (
            lambda: one_nearest(TRAINING, SET.labels[:700], OTHERS[:, :, 1:], SET.labels[1100:]),
            ShapeError,
            "points have 56 numbers each, others 64",
        ),
        (lambda: nearest(OTHERS * math.nan, TRAINING), ShapeError, "400 of 400 points are not finite"),
        (lambda: nearest(OTHERS, data.load("digits").images), ShapeError, r"others have shape .* torch\.uint8"),
    ],
)
def test_what_is_not_given_right_is_named(call, error: type[Exception], named: str):
    with pytest.raises(error, match=named) as caught:
        call()
    assert "\n" not in str(caught.value)

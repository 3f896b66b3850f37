"""The rule that says whether a generator of digits collapsed: on sets of images that were made for it."""

from functools import cache

import pytest
import torch
from sklearn.metrics import pairwise_distances
from torch import Tensor

from ganlab import data, models
from ganlab.data import mnist as files_of_mnist
from ganlab.experiments import collapse
from ganlab.experiments.classifier_mnist import parts
from ganlab.experiments.gan2014_mnist_anchors import blurred

BLUR = {"digits": 0.8, "mnist": 1.5}
"""Pixels, on images of 8×8 and of 28×28."""
EXPECTED: dict[str, collapse.State] = {
    "real": "learned",
    "half of the digits": "learned",
    "blurred a little": "learned",
    "three digits": "collapsed",
    "one digit": "collapsed",
    "ten images": "collapsed",
    "black": "collapsed",
    "blurred": "nothing learned",
    "noise over digits": "nothing learned",
    "noise": "nothing learned",
}


@cache
def judge(images: str) -> collapse.Judge:
    if images == "mnist" and not files_of_mnist.found(files_of_mnist.MNIST, data.data_root(None)):
        pytest.skip("no MNIST here")
    return collapse.Judge.of(parts(images), models.trained(images))


def made(images: str, name: str) -> Tensor:
    """As many images in [0, 1] as are compared, none of them among those that the judge compares with."""
    n = judge(images).by.n
    x, labels = parts(images)["validation"] if images == "mnist" else parts(images)["training"]
    x = x.float() / 255
    noise = torch.randn(x[:n].shape, generator=torch.Generator().manual_seed(1))
    if name in (few := {"half of the digits": 5, "three digits": 3, "one digit": 1}):
        return x[labels < few[name]].repeat(3, 1, 1, 1)[:n]
    return {
        "real": x[:n],
        "blurred a little": blurred(x[:n], BLUR[images] / 2),
        "ten images": x[:10].repeat(n // 10, 1, 1, 1),
        "black": torch.zeros_like(x[:n]),
        "blurred": blurred(x[:n], BLUR[images]),
        "noise over digits": (x[:n] + 0.5 * noise).clamp(0, 1),
        "noise": (0.5 + noise).clamp(0, 1),
    }[name]


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("images", ["digits", "mnist"])
def test_each_set_is_what_it_was_made_to_be(images: str, name: str):
    seen = judge(images).look(made(images, name), (0.0, 1.0))
    assert collapse.state(vars(seen)) == EXPECTED[name], seen


def test_the_range_of_the_images_changes_nothing():
    x = made("digits", "real")
    one, other = judge("digits").look(2 * x - 1, (-1.0, 1.0)), judge("digits").look(x, (0.0, 1.0))
    assert vars(one) == pytest.approx(vars(other), rel=1e-6)


def test_what_is_seen_of_real_images_is_what_a_perfect_generator_gets():
    by = judge("digits").by
    test = parts("digits")["test"][0][: by.n].float() / 255
    seen = judge("digits").look(test, (0.0, 1.0))
    assert (seen.apart, seen.spread) == pytest.approx((1, 1), rel=1e-5)
    assert seen.frechet < 0.01 * by.floor
    assert (seen.digits, seen.precision, seen.recall) == (10, 1, 1)


def test_a_digit_counts_from_a_hundredth_on():
    """Of 250 samples three are as many as count, two are not."""
    x, labels = parts("digits")["training"]
    for rare, expected in {2: 1, 3: 2}.items():
        told = judge("digits").by
        zeros, ones = (x[labels == y].float() / 255 for y in (0, 1))
        zeros, ones = (part[told.answers(told.features(part, (0, 1))) == y] for y, part in enumerate((zeros, ones)))
        mixed = torch.cat([zeros.repeat(3, 1, 1, 1)[: 250 - rare], ones[:rare]])
        assert judge("digits").look(mixed, (0.0, 1.0)).digits == expected


def test_the_nearest_other_image_is_that_of_scikit_learn():
    x = made("digits", "real")[:60]
    found = pairwise_distances(x.flatten(1).double().numpy())
    found[range(60), range(60)] = float("inf")
    assert collapse.nearest(x) == pytest.approx(sorted(found.min(axis=1))[29])  # torch's median of an even number


def test_images_are_taken_from_all_of_a_set():
    assert collapse.spaced(torch.arange(11), 5).tolist() == [0, 2, 4, 6, 8]
    assert collapse.spaced(torch.arange(5), 5).tolist() == [0, 1, 2, 3, 4]

"""Sets of images that no generator made: what they are, and that the record holds all of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from ganlab import data
from ganlab.experiments import gan2014_mnist_anchors as anchors
from ganlab.experiments import records, table_1
from ganlab.experiments.units import Unit

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return data.load("digits").images.float() / 255


def test_each_of_the_k_means_is_the_mean_of_the_images_nearest_to_it(images: torch.Tensor):
    found = anchors.k_means(images[:400], 12)
    assert found.shape == (12, *images.shape[1:])
    nearest = torch.cdist(images[:400].flatten(1), found.flatten(1)).argmin(dim=1)
    means = torch.stack([images[:400][nearest == k].mean(dim=0) for k in range(12)])
    torch.testing.assert_close(found, means, atol=1e-4, rtol=0)


@pytest.mark.parametrize("sigma", [0.3, 0.7, 1.5])
def test_blur_is_scipys(images: torch.Tensor, sigma: float):
    ours = anchors.blurred(images[:5], sigma)
    theirs = gaussian_filter(images[:5].numpy(), (0, 0, sigma, sigma), mode="mirror", radius=max(1, round(4 * sigma)))
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-5)


def test_the_fitted_normal_law_has_the_images_moments(images: torch.Tensor):
    law = images * 0.2 + 0.4  # far from 0 and 1, so that nothing is cut off
    drawn = anchors.fitted_normal(law, 20_000).flatten(1)
    np.testing.assert_allclose(drawn.mean(dim=0), law.flatten(1).mean(dim=0), atol=0.01)
    np.testing.assert_allclose(torch.cov(drawn.T), torch.cov(law.flatten(1).T), atol=0.001)
    cut_off = anchors.fitted_normal(images, 500)
    assert cut_off.shape == (500, *images.shape[1:])
    assert cut_off.min() == 0
    assert cut_off.max() == 1


def test_noise_comes_after_the_images(images: torch.Tensor):
    both = anchors.with_noise(images[:3], 1000)
    assert torch.equal(both[:3], images[:3])
    assert both[3:].mean() == pytest.approx(0.5, abs=0.01)
    assert both[3:].std() == pytest.approx(12**-0.5, abs=0.01)


def test_the_sets_are_the_same_each_time_and_leave_the_chance_of_others_alone(images: torch.Tensor):
    drawn = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        made = anchors.sets(images, images[:9], 1100)
        drawn.append([made[name]() for name in made if "k-means" not in name])
        assert torch.equal(torch.get_rng_state(), before)
    for one, other in zip(*drawn, strict=True):
        assert torch.equal(one, other)


def test_the_scores_on_small_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The embedded digits, enlarged to 28×28, in place of MNIST."""
    digits = {split: data.load("digits", split=split, size=28) for split in ("train", "test")}
    whole = digits["train"].images
    monkeypatch.setattr(data, "three_parts", lambda *_: (whole, whole[1250:], digits["test"].images))
    monkeypatch.setattr(table_1, "SAMPLES", 200)
    monkeypatch.setattr(anchors, "CENTRES", (5, 50))
    unit = Unit("a set", tmp_path, "key")
    results = [anchors.measure(unit, **arguments) for arguments in anchors.units(range(0)).values()]
    nats = {name: score["nats"] for name, score in anchors.scores_of({"results": results}).items()}
    assert nats["the mean training image"] < nats["5 k-means centres"] < nats["50 k-means centres"]
    assert nats["the mean training image"] < nats["the normal law with their mean and covariance"]
    assert max(nats, key=lambda name: nats[name]) == "the test images"
    lost = nats["50 k-means centres"] - nats["50 k-means centres and 150 images of noise"]
    assert 0 < lost <= np.log(200 / 50) + 0.01  # each centre's share of the density falls to a quarter


def test_the_record_is_whole():
    found = anchors.scores_of(records.read("gan2014-mnist-anchors", ROOT / records.FOLDER))
    assert list(found) == list(anchors.units(range(0)))
    assert len(found) == 9

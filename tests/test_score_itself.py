"""The score as a loss, what can be driven with it, and the sets that no generator made."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlab import data, models, records, reproduction, score_itself, training
from ganlab.errors import ConfigError
from ganlab.metrics import parzen

ROOT = Path(__file__).parents[1]


@given(n=st.integers(1, 6), m=st.integers(1, 6), d=st.integers(1, 5), sigma=st.floats(0.05, 2))
def test_the_loss_is_the_parzen_score(n: int, m: int, d: int, sigma: float):
    draw = torch.Generator().manual_seed(n + 10 * m + 100 * d)
    x, s = torch.rand(n, d, generator=draw).double(), torch.rand(m, d, generator=draw).double()
    expected = -parzen.log_density(x, s, sigma).mean()
    torch.testing.assert_close(score_itself.negative_log_density(x, s, sigma), expected)


def test_in_single_precision_at_the_size_of_mnist():
    draw = torch.Generator().manual_seed(0)
    x, s = torch.rand(20, 784, generator=draw), torch.rand(30, 784, generator=draw)
    expected = -float(parzen.log_density(x, s, 0.17).mean())
    assert float(score_itself.negative_log_density(x, s, 0.17)) == pytest.approx(expected, rel=1e-5)


def test_the_gradient_pulls_the_nearest_sample_towards_a_point():
    samples = torch.tensor([[0.0, 0.0], [1.0, 1.0]], dtype=torch.float64, requires_grad=True)
    point = torch.tensor([[0.2, 0.0]], dtype=torch.float64)
    score_itself.negative_log_density(point, samples, 0.3).backward()
    assert samples.grad is not None
    weights = np.exp(-np.array([0.04, 0.64 + 1]) / (2 * 0.09))
    weights /= weights.sum()
    by_hand = weights[:, None] * (samples.detach().numpy() - point.numpy()) / 0.09
    np.testing.assert_allclose(samples.grad.numpy(), by_hand)


def test_training_on_the_score_raises_it_and_a_seed_decides_it():
    train, validation, test = data.three_parts("digits")
    pixels, validation, test = (part.float() / 255 for part in (train, validation, test))
    scores = []
    for seed in (0, 0, 1):
        torch.manual_seed(0)
        G = models.Generator2014(side=8, hidden=100)
        before = parzen.score(training.sample(G, 500, noise="unit uniform"), validation, test)
        losses = list(score_itself.descend(G, pixels, steps=60, seed=seed, batch=100, samples=200))
        after = parzen.score(training.sample(G, 500, noise="unit uniform"), validation, test)
        assert after.nats > before.nats + 10
        assert np.mean(losses[-10:]) < np.mean(losses[:10])
        scores.append(after.nats)
    assert scores[0] == scores[1] != scores[2]


def test_images_must_be_floats():
    with pytest.raises(ConfigError, match=r"images are \[3, 1, 8, 8\] torch.uint8; give floats"):
        next(score_itself.descend(models.Generator2014(side=8), torch.zeros(3, 1, 8, 8).byte(), steps=1))


def test_each_of_the_k_means_is_the_mean_of_the_images_nearest_to_it():
    images = data.load("digits", split="train").images[:400].float() / 255
    found = score_itself.k_means(images, 12)
    assert found.shape == (12, *images.shape[1:])
    nearest = torch.cdist(images.flatten(1), found.flatten(1)).argmin(dim=1)
    means = torch.stack([images[nearest == k].mean(dim=0) for k in range(12)])
    torch.testing.assert_close(found, means, atol=1e-4, rtol=0)


@pytest.fixture
def small_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded digits, enlarged to 28×28, in place of MNIST."""
    digits = {split: data.load("digits", split=split, size=28) for split in ("train", "test")}
    images = digits["train"].images
    for module in (reproduction, score_itself):
        monkeypatch.setattr(module.data, "three_parts", lambda *_: (images, images[1250:], digits["test"].images))
    monkeypatch.setattr(reproduction, "SAMPLES", 200)
    monkeypatch.setattr(score_itself, "CENTRES", (5, 50))
    monkeypatch.setattr(score_itself, "EPOCH", 4)


@pytest.mark.usefixtures("small_mnist")
def test_the_study_and_the_anchors():
    result = score_itself.train_and_score(1, epochs=2, said=lambda _: None)
    assert [row["step"] for row in result["curve"]] == list(range(1, 9))
    assert result["curve"][-1]["nats"] > result["curve"][0]["nats"]
    anchors = score_itself.anchors(said=lambda _: None)
    nats = {name: score["nats"] for name, score in anchors.items()}
    assert nats["the mean training image"] < nats["5 k-means centres"] < nats["50 k-means centres"]
    assert max(nats, key=lambda name: nats[name]) == "the test images"


def test_the_records_are_whole():
    chased = records.read("gan2014-mnist-score", ROOT / records.FOLDER)
    assert [result["seed"] for result in chased["results"]] == [0, 1, 2]
    for result in chased["results"]:
        assert result["curve"][-1]["step"] == result["epochs"] * score_itself.EPOCH
        assert result["sigma in training"] == round(score_itself.SIGMA, 4)
    anchors = records.read("gan2014-mnist-anchors", ROOT / records.FOLDER)
    assert [f"{k} k-means centres" for k in score_itself.CENTRES] == list(anchors["results"])[3:]

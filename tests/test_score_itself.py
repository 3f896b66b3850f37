"""The score as a loss, what can be driven with it, and the sets that no generator made."""

import copy
import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlab import data, models, training
from ganlab.errors import ConfigError, NonFiniteLoss, ShapeError
from ganlab.experiments import gan2014_mnist_score as score_itself
from ganlab.experiments import records, table_1
from ganlab.experiments.units import Unit
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


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (torch.zeros(3, 1, 8, 8).byte(), r"images are \[3, 1, 8, 8\] torch.uint8; give floats in \[0, 1\]"),
        (torch.zeros(0, 1, 8, 8), r"images are \[0, 1, 8, 8\] torch.float32; give .* at least one"),
        (torch.full((3, 1, 8, 8), 255.0), r"images range over \[255, 255\]; give floats in \[0, 1\]"),
        (torch.full((3, 1, 8, 8), 1.5), r"images range over \[1.5, 1.5\]; give floats in \[0, 1\]"),
        (torch.full((3, 1, 8, 8), -0.1), r"images range over \[-0.1, -0.1\]; give floats in \[0, 1\]"),
        (torch.zeros(3, 1, 8, 8).index_fill_(0, torch.tensor(1), math.nan), r"images range over \[nan, nan\]"),
        (torch.zeros(3, 1, 9, 9), "points have 81 numbers each, samples 64; give equal ones"),
    ],
)
def test_images_that_do_not_fit_are_refused(images: torch.Tensor, said: str):
    with pytest.raises(ShapeError, match=said):
        next(score_itself.descend(models.Generator2014(side=8, hidden=10), images, steps=1))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": 0}, "steps is 0; give an integer of at least 1"),
        ({"batch": 0}, "batch is 0; give an integer of at least 1"),
        ({"samples": 0}, "samples is 0; give an integer of at least 1"),
        ({"samples": 2.5}, "samples is 2.5; give an integer of at least 1"),
        ({"noise": "unifrom"}, "noise is 'unifrom'; give one of 'normal', 'uniform', 'unit uniform'"),
        ({"precision": "bf16"}, "precision is 'bf16'; give one of 'float32', 'bfloat16'"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], said: str):
    with pytest.raises(ConfigError, match=said):
        next(score_itself.descend(models.Generator2014(side=8), torch.zeros(3, 1, 8, 8), **{"steps": 1, **options}))


def test_a_loss_that_is_not_finite_stops_the_training_before_its_update():
    G = models.Generator2014(side=8, hidden=10)
    training_on_the_score = score_itself.descend(G, torch.rand(9, 1, 8, 8), steps=5)
    next(training_on_the_score)
    with torch.no_grad():
        G.out.bias[0] = math.nan
    before = copy.deepcopy(G.state_dict())
    with pytest.raises(NonFiniteLoss, match=r"^at step 2 the loss is nan; give a G of finite weights, or .*\.$"):
        next(training_on_the_score)
    torch.testing.assert_close(dict(G.state_dict()), dict(before), rtol=0, atol=0, equal_nan=True)


def test_one_image_of_one_pixel_is_enough():
    (loss,) = score_itself.descend(models.Generator2014(side=1, hidden=4), torch.ones(1, 1, 1, 1), steps=1)
    assert math.isfinite(loss)


def test_images_of_double_precision_train_the_same():
    images = torch.rand(9, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    losses = []
    for given_as in (images, images.double()):
        torch.manual_seed(0)
        G = models.Generator2014(side=8, hidden=10)
        losses.append(list(score_itself.descend(G, given_as, steps=3)))
    assert losses[0] == losses[1]


@pytest.fixture
def small_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded digits, enlarged to 28×28, in place of MNIST."""
    digits = {split: data.load("digits", split=split, size=28) for split in ("train", "test")}
    images = digits["train"].images
    monkeypatch.setattr(data, "three_parts", lambda *_: (images, images[1250:], digits["test"].images))
    monkeypatch.setattr(table_1, "SAMPLES", 200)
    monkeypatch.setattr(score_itself, "EPOCH", 4)


class Told(Unit):
    """A unit that keeps what it says of itself."""

    said: ClassVar[list[tuple[float, str]]] = []

    def progress(self, done: float, note: str = "") -> None:
        self.said.append((done, note))


@pytest.mark.usefixtures("small_mnist")
def test_ten_looks_or_more_evenly_spaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without the training: what is looked at is G as it was drawn."""
    monkeypatch.setattr(score_itself, "descend", lambda *_, steps, **__: iter([0.0] * steps))
    monkeypatch.setattr(table_1, "SAMPLES", 32)
    unit = Told("seed 1", tmp_path, "key")
    for epochs, steps in ((2.0, list(range(1, 9))), (6.0, list(range(2, 25, 2))), (10.0, list(range(4, 41, 4)))):
        unit.said.clear()
        result = score_itself.measure(unit, seed=1, epochs=epochs)
        assert [row["step"] for row in result["curve"]] == steps
        assert [done for done, note in unit.said if not note] == [step / steps[-1] for step in range(1, steps[-1] + 1)]
        notes = [f"step {row['step']}: {row['nats']:.1f} nats" for row in result["curve"]]
        assert [note for _, note in unit.said if note] == notes


@pytest.mark.usefixtures("small_mnist")
def test_the_study(tmp_path: Path):
    unit = Unit("seed 1", tmp_path, "key")
    result = score_itself.measure(unit, seed=1, epochs=2)
    with Image.open(unit.picture) as picture:
        assert picture.size == (16 * 58 + 2, 2 * 58 + 2)  # images are shown at twice their size
    assert [row["step"] for row in result["curve"]] == list(range(1, 9))
    assert result["curve"][-1]["nats"] > result["curve"][0]["nats"]
    settings = {name: result[name] for name in ("precision", "batch", "samples per step", "noise", "samples")}
    assert list(settings.values()) == ["float32", 500, 1000, "unit uniform", 200]


def test_the_record_is_whole():
    chased = records.read("gan2014-mnist-score", ROOT / records.FOLDER)
    assert [result["seed"] for result in chased["results"]] == [0, 1, 2]
    for result in chased["results"]:
        tenth = result["epochs"] * score_itself.EPOCH / 10
        assert [row["step"] for row in result["curve"]] == [tenth * look for look in range(1, 11)]
        assert result["sigma in training"] == round(score_itself.SIGMA, 4)

"""The classifier score against torchmetrics and scikit-learn; its ends; what it does not see; what it refuses."""

import math

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torchmetrics.image.inception import InceptionScore

from ganlab import data, models
from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics import classifier_score
from ganlab.metrics.classifier_score import ClassifierScore, entropies


class Given(nn.Module):
    """In the place of torchmetrics' network."""

    def forward(self, logits: Tensor) -> Tensor:
        return logits


@pytest.mark.filterwarnings("ignore:std")
@pytest.mark.filterwarnings("ignore:Metric `InceptionScore` will save all")
@given(st.integers(2, 12), st.integers(1, 40), st.integers(0, 99), st.floats(0.01, 30))
def test_it_is_what_torchmetrics_finds(classes: int, n: int, seed: int, scale: float):
    logits = scale * torch.randn(n, classes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    metric = InceptionScore(feature=Given(), splits=1)
    metric.update(logits)
    spread, doubt = entropies(logits)
    assert math.exp(spread - doubt) == pytest.approx(float(metric.compute()[0]), rel=1e-6)


@given(st.integers(2, 12), st.integers(1, 40), st.integers(0, 99))
def test_both_parts_are_scipys_entropies(classes: int, n: int, seed: int):
    p = np.random.default_rng(seed).dirichlet(np.ones(classes), size=n) + 1e-12
    p /= p.sum(axis=1, keepdims=True)
    spread, doubt = entropies(torch.from_numpy(np.log(p)))
    assert spread == pytest.approx(float(scipy.stats.entropy(p.mean(axis=0))), abs=1e-9)
    assert doubt == pytest.approx(float(scipy.stats.entropy(p, axis=1).mean()), abs=1e-9)


def test_its_ends():
    sure = 1e4 * torch.eye(10).repeat(3, 1)
    assert entropies(sure) == (pytest.approx(math.log(10)), 0)
    assert entropies(sure[:1]) == (0, 0)
    assert entropies(torch.zeros(5, 10)) == (pytest.approx(math.log(10)), pytest.approx(math.log(10)))
    assert entropies(1e308 * (2 * torch.eye(3).double() - 1)) == (pytest.approx(math.log(3)), 0)


def test_it_is_the_mutual_information_of_image_and_class():
    """Of two images, one surely a 0, the other 0 or 1 by halves: by hand."""
    logits = torch.tensor([[50.0, -50.0], [0.0, 0.0]])
    spread, doubt = entropies(logits)
    assert doubt == pytest.approx(0.5 * math.log(2))
    assert spread == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))


@pytest.fixture(scope="module")
def real() -> data.ImageSet:
    return data.load("digits", split="test")


def test_of_images_it_is_that_of_their_logits_and_the_network_stays_as_it_was(real: data.ImageSet):
    judge = models.trained("digits").train()
    found = classifier_score.score(real.images, judge, "test images")
    assert judge.training
    with torch.no_grad():
        logits = judge.eval()(real.images / 127.5 - 1)
    assert (found.spread_nats, found.doubt_nats) == pytest.approx(entropies(logits), rel=1e-5)
    assert found.value == pytest.approx(math.exp(found.spread_nats - found.doubt_nats))
    assert (found.n, found.images) == (297, "test images")
    assert 9 < found.value < 10


def test_what_it_does_not_see(real: data.ImageSet):
    """Ten images, of each class the one that the classifier is surest of, beat all test images together."""
    judge = models.trained("digits").eval()
    whole = classifier_score.score(real.images, judge, "all")
    with torch.no_grad():
        surest = judge(real.images / 127.5 - 1).softmax(dim=1).argmax(dim=0)
    few = classifier_score.score(real.images[surest].repeat(30, 1, 1, 1), judge, "ten, thirty times")
    assert few.value > 9.9 > whole.value


def test_a_score_says_in_one_line_what_it_hangs_on():
    found = ClassifierScore(9.1234, 2.3, 0.08921, 1000, "G", "64 features")
    assert str(found) == "classifier score 9.123 of G (exp of 2.300 − 0.089 nats), n = 1,000, by 64 features"


def test_what_gives_no_score_is_named(real: data.ImageSet):
    with pytest.raises(ShapeError, match=r"logits are \[5, 1\]; give \[n, classes\], two classes at least"):
        entropies(torch.zeros(5, 1))
    with pytest.raises(ShapeError, match="5 of 5 logits are not finite"):
        entropies(torch.full((5, 3), math.nan))
    with pytest.raises(ConfigError, match="network is a Linear without sample_shape"):
        classifier_score.score(real.images, nn.Linear(3, 3), "test images")
    with pytest.raises(ShapeError, match="the network takes"):
        classifier_score.score(real.images[:, :, :4], models.trained("digits"), "test images")

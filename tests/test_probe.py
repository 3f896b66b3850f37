"""The linear probe against scikit-learn directly, on digits and on points whose answer is known."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from ganlab import data
from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics import probe
from ganlab.metrics.probe import AUTHORS_C, C_VALUES, Probe, linear_probe

SET = data.load("digits")
X, Y = SET.images.float() / 255, SET.labels
PARTS = (X[:200], Y[:200], X[200:500], Y[200:500], X[500:900], Y[500:900])


@pytest.fixture(scope="module")
def found() -> Probe:
    return linear_probe(*PARTS)


def test_it_is_scikit_learns_best_on_the_validation_points(found: Probe):
    """All C one by one, by hand; those that do not come to their end are left out, with all larger ones."""
    x, y, x_v, y_v, x_t, y_t = (part.flatten(1).double().numpy() if part.ndim > 1 else part.numpy() for part in PARTS)
    scale = np.sqrt((x**2).mean())
    scores, unfinished = {}, []
    for C in C_VALUES:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            svm = LinearSVC(C=C, loss="squared_hinge", penalty="l2", dual=True, random_state=0).fit(x / scale, y)
        unfinished += [C] * any(issubclass(w.category, ConvergenceWarning) for w in said)
        scores[C] = svm.score(x_v / scale, y_v), svm.score(x_t / scale, y_t)
    finished = [C for C in C_VALUES if not unfinished or unfinished[0] > C]
    best = max(finished, key=lambda C: (scores[C][0], -C))
    assert (found.C, found.validation, found.accuracy) == pytest.approx((best, *scores[best]))
    assert found.unfinished == (unfinished[0] if unfinished else None)
    assert (found.n, found.features) == (200, 64)
    assert len({score for score, _ in scores.values()}) > 2  # there is something to choose


def test_it_chooses_without_the_test_points(found: Probe):
    """With other test labels, and other test points, C and the accuracy on the validation points are the same."""
    for test, test_labels in ((X[500:900], Y[500:900].roll(1)), (-X[900:], Y[900:])):
        other = linear_probe(*PARTS[:4], test, test_labels)
        assert (other.C, other.validation) == (found.C, found.validation)
        assert other.accuracy < 0.3


def test_validation_labels_are_what_c_is_chosen_by(found: Probe):
    svms = {}
    for C in (1e-4, 1e-2):
        scale = PARTS[0].square().mean().sqrt()
        svm = LinearSVC(C=C, dual=True, random_state=0).fit((PARTS[0].flatten(1).double() / scale).numpy(), Y[:200])
        svms[C] = torch.from_numpy(svm.predict((PARTS[2].flatten(1).double() / scale).numpy()))
    for C, predicted in svms.items():
        other = linear_probe(*PARTS[:3], predicted, *PARTS[4:])
        assert other.validation == 1
        assert other.C <= C


def test_units_do_not_matter(found: Probe):
    scaled = [255 * part if part.is_floating_point() else part for part in PARTS]
    other = linear_probe(*scaled)
    assert (other.C, other.accuracy) == (found.C, pytest.approx(found.accuracy, abs=1 / 400))


def test_points_that_a_line_parts_are_all_right_and_random_labels_are_guessed():
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(900, 5, generator=draw)
    y = (x[:, 0] > 0).long()
    x[:, 0] += 2 * y - 1
    assert linear_probe(x[:300], y[:300], x[300:600], y[300:600], x[600:], y[600:]).accuracy > 0.98
    y = torch.randint(2, (900,), generator=draw)
    guessed = linear_probe(x[:300], y[:300], x[300:600], y[300:600], x[600:], y[600:])
    assert guessed.accuracy == pytest.approx(0.5, abs=0.1)


def test_a_solver_that_does_not_come_to_its_end_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probe, "MOST_ROUNDS", 30)
    cut = linear_probe(*PARTS)
    assert cut.unfinished in C_VALUES
    assert cut.unfinished is not None
    assert C_VALUES.index(cut.C) < C_VALUES.index(cut.unfinished)
    monkeypatch.setattr(probe, "MOST_ROUNDS", 1)
    with pytest.raises(ConfigError, match=r"the SVM did not come to its end with C = 0.0001; give fewer features"):
        linear_probe(*PARTS)


def test_the_authors_values_are_among_them():
    assert AUTHORS_C == (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01)
    assert C_VALUES[:7] == AUTHORS_C
    assert list(C_VALUES) == sorted(C_VALUES)
    assert len(C_VALUES) == 13


def test_in_one_line():
    assert str(Probe(0.94567, 2e-4, 1000, 1536, 0.95)) == (
        "94.6 % right by an L2-SVM (C = 0.0002) on 1,536 features of 1,000 labelled images"
    )


@pytest.mark.parametrize(
    ("place", "part", "named"),
    [
        (0, X[:200].byte(), r"train have shape \[200, 1, 8, 8\] torch.uint8"),
        (0, X[:200] * torch.nan, "200 of 200 train are not finite"),
        (0, X[:200] * 0, "train holds zeros alone"),
        (2, X[200:500, :, 1:], "train have 64 numbers each, validation 56"),
        (4, X[500:900, :, 2:], "train have 64 numbers each, test 48"),
        (1, Y[:199], r"train_labels have shape \[199\] for 200 points; give one for each"),
        (3, Y[200:500].float(), "validation_labels are torch.float32; give a tensor of integers"),
        (5, Y[500:900].tolist(), "test_labels are list; give a tensor of integers"),
        (1, Y[:200] * 0, "train_labels are all of one class; give points of at least two"),
    ],
)
def test_what_is_not_given_right_is_named(place: int, part, named: str):
    given = [*PARTS[:place], part, *PARTS[place + 1 :]]
    with pytest.raises(ShapeError, match=named) as caught:
        linear_probe(*given)
    assert "\n" not in str(caught.value)

"""What the errors of metrics, networks and pictures say to do, done: refused first, and taken when it is followed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from own import refusal, wrong
from torch import Tensor, nn

from ganlab import data, models, players, plots
from ganlab.experiments import gan2014_mnist_score
from ganlab.metrics import features, frechet, modes, neighbours, parzen, precision_recall
from ganlab.models import classifier
from ganlab.models.stacked import Stacked
from ganlab.training import sample

IMAGES = data.load("digits", limit=60).images
FLOATS = IMAGES.float() / 255
PLACES, POINTS = torch.zeros(2, 2), torch.rand(200, 2, generator=torch.Generator().manual_seed(0))
FEATURES = features.Features(POINTS, "points", "one")
OTHERS = features.Features(POINTS, "points", "another")
HOLED = torch.where(torch.arange(200)[:, None] == 3, torch.nan, POINTS)
COUNT = modes.count_modes(POINTS, torch.eye(2), 0.1)
HISTORY = np.ones((5, 4))


def extracted(network: Any = None, images: Any = IMAGES, **options: Any) -> features.Features:
    network = models.trained("digits") if network is None else network
    return features.features_of(images, network, "digits", **options)


def stack(*widths: int, last: Callable[[], nn.Module] = nn.Identity) -> Stacked:
    networks = [models.ToyDiscriminator(width=width) for width in widths]
    for network in networks:
        network.net.append(last())
    return Stacked(networks)


def descended(images: Tensor) -> list[float]:
    G = nn.Sequential(models.MLPGenerator(4, side=8, hidden=(8,)), nn.Sigmoid())
    G.z_dim = 4  # pyright: ignore[reportArgumentType]
    return list(gan2014_mnist_score.descend(G, images, steps=1, batch=4, samples=4))


def spread(x: Any = IMAGES, **options: Any) -> Tensor:
    return torch.from_numpy(plots.grid_array(x, **options))


METRICS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "give models.trained('mnist')": (
        lambda: extracted(nn.Linear(64, 2)),
        lambda: extracted(models.trained("mnist"), data.load("digits", size=28, limit=9).images),
    ),
    "give a tensor [n, C, H, W], as data.load(…).images": (
        lambda: extracted(images=IMAGES.numpy()),
        lambda: extracted(images=data.load("digits").images),
    ),
    "the network takes [n, 1, 8, 8]": (lambda: extracted(images=IMAGES[:, 0]), lambda: extracted(images=IMAGES)),
    "give uint8, or floating point with its value_range": (
        lambda: extracted(images=IMAGES.int()),
        lambda: [extracted(images=IMAGES.int().byte()), extracted(images=FLOATS, value_range=(0, 1))],
    ),
    "give models.value_range(G)": (
        lambda: extracted(images=sample(models.MLPGenerator(4, side=8), 4)),
        lambda: extracted(
            images=sample(G := models.MLPGenerator(4, side=8), 4), value_range=wrong(models.value_range(G))
        ),
    ),
    "give theirs, or clamp": (
        lambda: extracted(images=FLOATS * 2, value_range=(0, 1)),
        lambda: [
            extracted(images=FLOATS * 2, value_range=(0, 2)),
            extracted(images=(FLOATS * 2).clamp(0, 1), value_range=(0, 1)),
        ],
    ),
    "give features of one network": (
        lambda: frechet.score(FEATURES, OTHERS),
        lambda: frechet.score(FEATURES, FEATURES),
    ),
    "give a smaller n": (
        lambda: frechet.score(features.Features(POINTS[:50], "points", "one"), FEATURES, 100),
        lambda: frechet.score(features.Features(POINTS[:50], "points", "one"), FEATURES, 50),
    ),
    "for a floor, give at least 2n": (lambda: frechet.floor(FEATURES, 101), lambda: frechet.floor(FEATURES, 100)),
    "give at least 3 images of each set, of real ones for a floor twice as many": (
        lambda: frechet.floor(FEATURES, 2),
        lambda: frechet.floor(FEATURES, 3),
    ),
    "give an integer of at least 1, or None": (
        lambda: frechet.score(FEATURES, FEATURES, 0),
        lambda: frechet.score(FEATURES, FEATURES, None),
    ),
    "give smaller features": (
        lambda: frechet.distance(1e200 * POINTS.double(), POINTS),
        lambda: frechet.distance(1e150 * POINTS.double(), POINTS),
    ),
    "give means [d] and covariances [d, d] of one d": (
        lambda: frechet.between_normal_laws(PLACES[0], torch.eye(2), torch.zeros(1), torch.eye(2)),
        lambda: frechet.between_normal_laws(PLACES[0], torch.eye(2), torch.zeros(2), torch.eye(2)),
    ),
    "give finite means and covariances": (
        lambda: frechet.between_normal_laws(PLACES[0], torch.cov(HOLED.T), PLACES[0], torch.eye(2)),
        lambda: frechet.between_normal_laws(PLACES[0], torch.cov(POINTS.T), PLACES[0], torch.eye(2)),
    ),
    "give 2 positive numbers, one per mode": (lambda: COUNT.kl_nats([1, 0]), lambda: COUNT.kl_nats([3, 1])),
    "give a positive number": (
        lambda: modes.count_modes(POINTS, PLACES, 0.0),
        lambda: modes.count_modes(POINTS, PLACES, 0.01),
    ),
    "give samples [n, dim] and modes [k, dim] of the same dim, at least one each": (
        lambda: modes.count_modes(POINTS, torch.zeros(2, 3), 0.1),
        lambda: modes.count_modes(POINTS, torch.zeros(1, 2), 0.1),
    ),
    "give a tensor of real numbers [n, dim]": (
        lambda: modes.count_modes(wrong(POINTS.tolist()), PLACES, 0.1),
        lambda: modes.count_modes(torch.tensor(POINTS.tolist()), PLACES, 0.1),
    ),
    "give finite samples": (
        lambda: modes.count_modes(HOLED, PLACES, 0.1),
        lambda: modes.count_modes(HOLED[HOLED.isfinite().all(dim=1)], PLACES, 0.1),
    ),
    "give a number between 0 and 1": (
        lambda: neighbours.copies(POINTS, POINTS, POINTS + 1, quantile=1.0),
        lambda: neighbours.copies(POINTS, POINTS, POINTS + 1, quantile=0.5),
    ),
    "held-out images; give at least 100": (
        lambda: neighbours.copies(POINTS, POINTS, POINTS[:99] + 1, quantile=0.01),
        lambda: neighbours.copies(POINTS, POINTS, POINTS[:100] + 1, quantile=0.01),
    ),
    "give real ones that G was not shown": (
        lambda: neighbours.copies(POINTS, POINTS, POINTS),
        lambda: neighbours.copies(POINTS, POINTS[:100], POINTS[100:]),
    ),
    "give positive numbers within 1e-150 … 1e+150": (
        lambda: parzen.log_densities(POINTS, POINTS, [0.0, 1.0]),
        lambda: parzen.log_densities(POINTS, POINTS, [0.1, 1.0]),
    ),
    "give a tensor [n, …], as the values of Features": (
        lambda: parzen.log_density(wrong(FEATURES), POINTS, 1.0),
        lambda: parzen.log_density(FEATURES.values, POINTS, 1.0),
    ),
    "give floating-point points [n, …], at least one": (
        lambda: parzen.log_density(POINTS[:0], POINTS, 1.0),
        lambda: parzen.log_density(POINTS[:1], POINTS, 1.0),
    ),
    "are not finite; leave them out": (
        lambda: parzen.log_density(HOLED, POINTS, 1.0),
        lambda: parzen.log_density(HOLED[HOLED.isfinite().all(dim=1)], POINTS, 1.0),
    ),
    "numbers each, samples 3; give equal ones": (
        lambda: parzen.log_density(POINTS, torch.ones(4, 3), 1.0),
        lambda: parzen.log_density(POINTS, torch.ones(4, 2), 1.0),
    ),
    "for k = 5; give at least 6": (
        lambda: precision_recall.precision_recall(POINTS[:5], POINTS, k=5),
        lambda: precision_recall.precision_recall(POINTS[:6], POINTS, k=5),
    ),
    "give floats in [0, 1], at least one": (
        lambda: descended(IMAGES),
        lambda: descended(FLOATS),
    ),
}

NETWORKS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "there are classifiers of cifar10, digits, mnist": (
        lambda: models.trained("cats"),
        lambda: models.trained("digits"),
    ),
    "side is 9; give a multiple of 4": (lambda: models.Classifier(9), lambda: models.Classifier(12)),
    "give some of": (
        lambda: models.build({"name": "MLPGenerator", "wide": 3}),
        lambda: models.build({"name": "MLPGenerator", "side": 3}),
    ),
    "give at least 2: each unit is compared with those of others": (
        lambda: models.DCGANGenerator(16, 1, 4, variant="authors")(torch.zeros(1, 100)),
        lambda: models.DCGANGenerator(16, 1, 4, variant="authors")(torch.zeros(2, 100)),
    ),
    "give a multiple of 4 from 8 to 128, such as 28, 32, 64": (
        lambda: models.DCGANGenerator(15, 1, 4),
        lambda: [models.DCGANGenerator(size, 1, 4) for size in (8, 28)],
    ),
    "give the layers' widths, such as (256, 512)": (
        lambda: models.MLPGenerator(4, hidden=wrong(256)),
        lambda: models.MLPGenerator(4, hidden=(256, 512)),
    ),
    "give at least one, each with its layers in `.net`": (lambda: Stacked([]), lambda: stack(8)),
    "give networks that differ in weights": (lambda: stack(8, 9), lambda: stack(8, 8)),
    "use linear layers and pointwise activations": (
        lambda: stack(8, last=nn.Softmax),
        lambda: stack(8, last=nn.Tanh),
    ),
    "give [2, batch, n], one per member": (
        lambda: stack(8, 8)(torch.zeros(3, 4, 2)),
        lambda: stack(8, 8)(torch.zeros(2, 4, 2)),
    ),
}

PICTURES: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "give [n, 1, height, width] or [n, 3, height, width]": (
        lambda: spread(IMAGES[:, 0]),
        lambda: [spread(IMAGES), spread(IMAGES.expand(-1, 3, -1, -1))],
    ),
    "give uint8, or floats in value_range": (
        lambda: spread(IMAGES.long()),
        lambda: [spread(IMAGES), spread(FLOATS, value_range=(0, 1))],
    ),
    "give [steps, 2 or more], as Trainer.history": (
        lambda: plots.losses(HISTORY[:, 0], title="losses"),
        lambda: plots.losses(HISTORY, title="losses"),
    ),
    "give [n] and [n]": (
        lambda: plots.curves([1, 2], {"a line": [1, 2, 3]}, xlabel="x", ylabel="y", title="lines"),
        lambda: plots.curves([1, 2, 3], {"a line": [1, 2, 3]}, xlabel="x", ylabel="y", title="lines"),
    ),
    "give vectors of one length": (
        lambda: players.densities_1d([0, 1], [1, 1], [1, 1, 1], title="densities"),
        lambda: players.densities_1d([0, 1], [1, 1], [1, 1], title="densities"),
    ),
    "give [n, 2]": (
        lambda: plots.samples_2d(POINTS, np.ones(2), title="points"),
        lambda: plots.samples_2d(POINTS, np.ones((1, 2)), title="points"),
    ),
}


@pytest.mark.parametrize(
    ("advice", "refused", "followed"),
    [(advice, *both) for group in (METRICS, NETWORKS, PICTURES) for advice, both in group.items()],
)
def test_what_an_error_says_to_do_works(advice: str, refused: Callable[[], Any], followed: Callable[[], Any]):
    assert advice in refusal(refused)
    followed()
    plt.close("all")


def made(path: Path, **changes: Any) -> None:
    """A classifier's file, with some of what is said in it changed."""
    network = models.trained("digits")
    assert network.info is not None
    path.write_bytes(classifier.packed(network, replace(network.info, **changes)))


def overwritten(path: Path, old: str, new: str) -> None:
    content = path.read_bytes()
    assert old.encode() in content
    assert len(old) == len(new)
    path.write_bytes(content.replace(old.encode(), new.encode()))


@pytest.mark.parametrize(
    ("advice", "spoil"),
    [
        ("install ganlab again", lambda path: path.unlink()),
        ("get it again", lambda path: path.write_bytes(path.read_bytes()[:-1])),
        ("make it again", lambda path: overwritten(path, classifier.FORMAT, "-" * len(classifier.FORMAT))),
        ("that this ganlab can make; make it again", lambda path: made(path, spec={"name": "Classified"})),
        ("give the file of a Classifier", lambda path: made(path, spec={"name": "ToyGenerator"})),
        ("make the file again", lambda path: overwritten(path, "F32", "I32")),
    ],
)
def test_the_file_of_a_classifier_that_is_made_again_is_read(tmp_path: Path, advice: str, spoil: Callable[[Path], Any]):
    path = tmp_path / "digits.safetensors"
    made(path)
    spoil(path)
    assert advice in refusal(lambda: classifier.load(path))
    made(path)
    assert classifier.load(path).info == models.trained("digits").info

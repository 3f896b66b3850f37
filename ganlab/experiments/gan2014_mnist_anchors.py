"""gan2014-mnist-anchors: sets of images that no generator made. A score that such a set beats says little."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlab import data, plots
from ganlab.experiments import table_1
from ganlab.experiments.study import Preset, Record, Row, Study
from ganlab.experiments.units import Unit
from ganlab.metrics import parzen

CENTRES = (100, 1000, 10_000)
SHOWN = 32
BLUR = 0.7
"""Pixels of MNIST by which real images are blurred."""


def sets(train: Tensor, test: Tensor, n: int) -> dict[str, Callable[[], Tensor]]:
    """The sets by name, each made when it is called, from images in [0, 1]; of `n` images where that can be chosen."""
    chosen = train[torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:n]]
    few, rest = CENTRES[1], n - CENTRES[1]
    return {
        "training images": lambda: chosen,
        f"training images, blurred by {BLUR} pixels": lambda: blurred(chosen, BLUR),
        "the mean training image": lambda: train.mean(dim=0, keepdim=True),
        "the normal law with their mean and covariance": lambda: fitted_normal(train, n),
        "the test images": lambda: test,
        **{f"{k} k-means centres": partial(k_means, train, k) for k in CENTRES},
        f"{few} k-means centres and {rest} images of noise": lambda: with_noise(k_means(train, few), rest),
    }


def measure(unit: Unit, *, name: str, root: Path | None = None) -> dict[str, Any]:
    """The score of one set on MNIST, by the 2014 paper's protocol; its first images are the unit's picture.

    Raises `DatasetUnavailable` without MNIST.
    """
    train, _, _ = data.three_parts("mnist", root)
    validation, test = table_1.evaluation_images(root)
    made = sets(train.float() / 255, test, table_1.SAMPLES)[name]()
    plots.save_grid_png(made[:SHOWN], unit.picture, columns=16, value_range=(0, 1))
    return {"set": name, **table_1.plain_score(parzen.score(made, validation, test))}


def units(_seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each set."""
    nothing = torch.empty(0, 1)
    return {name: {"name": name} for name in sets(nothing, nothing, table_1.SAMPLES)}


def scores_of(record: Record) -> dict[str, dict[str, float]]:
    """The score of each set by its name. Records from before units had names hold them so."""
    results = record["results"]
    return results if isinstance(results, dict) else {one["set"]: one for one in results}


def rows(record: Record) -> list[Row]:
    """Real images, and what beats them without being any."""
    shown = {name: f"{score['nats']:.0f}" for name, score in scores_of(record).items()}
    real, centres = shown.pop("training images"), shown[f"{CENTRES[-1]} k-means centres"]
    blur = shown[f"training images, blurred by {BLUR} pixels"]
    said = f"training images {real}, the same blurred {blur}, {CENTRES[-1]:,} k-means centres {centres}"
    return [Row(f"{table_1.SCORE}: no generator at all", said)]


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each set."""
    return [(f"no generator: {name}", table_1.shown(score), "") for name, score in scores_of(record).items()]


def blurred(images: Tensor, sigma: float) -> Tensor:
    """Images [N, C, H, W] convolved with a normal law of width `sigma` (in pixels)."""
    from torchvision.transforms.functional import gaussian_blur

    reach = max(1, round(4 * sigma))
    return gaussian_blur(images, kernel_size=[2 * reach + 1] * 2, sigma=[sigma, sigma])


def fitted_normal(images: Tensor, n: int) -> Tensor:
    """`n` draws from the normal law with the means and covariances of images [N, …]; pixels are cut off to [0, 1]."""
    flat = images.flatten(1).double().numpy()
    drawn = np.random.default_rng(0).multivariate_normal(flat.mean(axis=0), np.cov(flat.T), n, method="eigh")
    return torch.from_numpy(drawn).clamp(0, 1).float().view(n, *images.shape[1:])


def k_means(images: Tensor, k: int) -> Tensor:
    """The k means [k, …] that Lloyd's algorithm finds for images [N, …]. It starts from k of them, drawn once."""
    from sklearn.cluster import KMeans

    found = KMeans(k, init="random", n_init=1, random_state=0).fit(images.flatten(1).numpy())
    return torch.from_numpy(found.cluster_centers_).view(k, *images.shape[1:]).float()


def with_noise(images: Tensor, n: int) -> Tensor:
    """Images [N, …] and `n` more whose pixels are uniform in [0, 1]."""
    noise = torch.rand(n, *images.shape[1:], generator=torch.Generator().manual_seed(0))
    return torch.cat([images, noise])


STUDY = Study(
    name="gan2014-mnist-anchors",
    about="which sets of images that no generator made reach which Parzen score",
    lesson="06",
    measure=measure,
    units=units,
    presets={"laptop": Preset("some minutes on two cores")},
    uses=("root",),
    rule="each set is made and scored once",
    rows=rows,
    columns=table_1.COLUMNS,
    every=every,
)

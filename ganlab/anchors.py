"""Sets of images that no generator made, to hold a score against: a score that such a set beats says little."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganlab import data, reproduction
from ganlab.metrics import parzen
from ganlab.reproduction import plain_score

CENTRES = (100, 1000, 10_000)
BLUR = 0.7
"""Pixels of MNIST by which real images are blurred."""


def scores(root: Path | None = None, said: Callable[[str], None] = print) -> dict[str, dict[str, float]]:
    """Scores of the sets on MNIST, by the 2014 paper's protocol, as plain values for a record. Some minutes.

    Raises `DatasetUnavailable` without MNIST.
    """
    train, _, _ = data.three_parts("mnist", root)
    validation, test = reproduction.evaluation_images(root)
    images, n = train.float() / 255, reproduction.SAMPLES
    chosen = images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:n]]
    sets = {
        "training images": lambda: chosen,
        f"training images, blurred by {BLUR} pixels": lambda: blurred(chosen, BLUR),
        "the mean training image": lambda: images.mean(dim=0, keepdim=True),
        "the normal law with their mean and covariance": lambda: fitted_normal(images, n),
        "the test images": lambda: test,
    } | {f"{k} k-means centres": partial(k_means, images, k) for k in CENTRES}
    few, rest = CENTRES[1], n - CENTRES[1]
    sets[f"{few} k-means centres and {rest} images of noise"] = lambda: with_noise(k_means(images, few), rest)
    found = {}
    for name, made in sets.items():
        score = parzen.score(made(), validation, test)
        said(f"{name}: {score}")
        found[name] = plain_score(score)
    return found


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

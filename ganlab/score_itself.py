"""What the Parzen score is worth: what scores high without any GAN.

Sets of images that no generator made, and the 2014 generator trained on the score itself, with no discriminator: G
descends −mean log p̂(x) over training images x, where p̂ is the Parzen window of fresh samples of G. Nothing in this
asks for images that look real.
"""

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganlab import data, recipes, reproduction, training
from ganlab.errors import ConfigError
from ganlab.metrics import parzen
from ganlab.reproduction import plain_score
from ganlab.training.sampling import draw_noise, z_dim_of

SIGMA = parzen.PAPER_SIGMAS[2]
"""The width that G trains with: of two that were tried, the better one on validation images."""
LOOKS = 10
EPOCH = 100
"""Steps in which G meets as many images as there are: 50,000 in batches of 500."""
CENTRES = (100, 1000, 10_000)


def negative_log_density(points: Tensor, samples: Tensor, sigma: float) -> Tensor:
    """−mean log p̂ in nats of points [n, …] under the Parzen window of samples [m, …], with gradients in the samples.

    The same number as `parzen.log_density` gives in float64, in the samples' own precision.
    """
    x, s = points.flatten(1), samples.flatten(1)
    distances = x.square().sum(dim=1, keepdim=True) + s.square().sum(dim=1) - 2 * x @ s.T  # [n, m], squared
    log_sum = torch.logsumexp(distances * (-0.5 / sigma**2), dim=1)  # [n]
    return math.log(len(s)) + x.shape[1] * math.log(sigma * math.sqrt(2 * math.pi)) - log_sum.mean()


def descend(
    G: nn.Module,
    images: Tensor,
    *,
    steps: int,
    seed: int = 0,
    batch: int = 500,
    samples: int = 1000,
    noise: str = "unit uniform",
    precision: str = "float32",
) -> Iterator[float]:
    """Train G on the score of images [N, …] in [0, 1], on the CPU; yields the loss in nats after each step.

    Adam at 0.001; over the second half the rate falls to 0. Each step draws `batch` images and `samples` of G.
    """
    if len(images) < 1 or not images.is_floating_point():
        raise ConfigError(f"images are {list(images.shape)} {images.dtype}; give floats in [0, 1], at least one.")
    source = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(G.parameters(), lr=1e-3, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, 2 * (steps - step) / steps))
    for _ in range(steps):
        x = images[torch.randint(len(images), (batch,), generator=source)]
        z = draw_noise(noise, samples, z_dim_of(G), source)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            made = G(z)
        loss = negative_log_density(x, made.float(), SIGMA)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        yield loss.item()


def anchors(root: Path | None = None, said: Callable[[str], None] = print) -> dict[str, dict[str, float]]:
    """Scores of sets of MNIST images that no generator made, by the 2014 paper's protocol. Some minutes.

    10,000 training images, their mean, the test images themselves, and the centres that k-means finds. Raises
    `DatasetUnavailable` without MNIST.
    """
    train, _, _ = data.three_parts("mnist", root)
    validation, test = reproduction.evaluation_images(root)
    pixels = train.flatten(1).float() / 255
    chosen = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))[: reproduction.SAMPLES]
    sets = {
        "training images": lambda: pixels[chosen],
        "the mean training image": lambda: pixels.mean(dim=0, keepdim=True),
        "the test images": lambda: test,
    } | {f"{k} k-means centres": partial(k_means, pixels, k) for k in CENTRES}
    scores = {}
    for name, images in sets.items():
        score = parzen.score(images().flatten(1), validation.flatten(1), test.flatten(1))
        said(f"{name}: {score}")
        scores[name] = plain_score(score)
    return scores


def k_means(images: Tensor, k: int) -> Tensor:
    """The k means [k, …] that Lloyd's algorithm finds for images [N, …]. It starts from k of them, drawn once."""
    from sklearn.cluster import KMeans

    found = KMeans(k, init="random", n_init=1, random_state=0).fit(images.flatten(1).numpy())
    return torch.from_numpy(found.cluster_centers_).view(k, *images.shape[1:]).float()


def train_and_score(
    seed: int,
    *,
    epochs: float,
    root: Path | None = None,
    precision: str = "float32",
    said: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Train on MNIST with one seed, and score the last weights by the 2014 paper's protocol. Plain values for a record.

    Raises `DatasetUnavailable` without MNIST.
    """
    begun = time.perf_counter()
    steps = round(epochs * EPOCH)
    recipe = recipes.get("gan2014-mnist")
    train, _, _ = data.three_parts("mnist", root)
    validation, test = reproduction.evaluation_images(root)
    G = recipe.networks(seed, train)[0]
    curve: list[dict[str, float]] = []
    for step, _ in enumerate(descend(G, train.float() / 255, steps=steps, seed=seed, precision=precision), start=1):
        if step % max(1, steps // LOOKS) == 0:
            drawn = training.sample(G, reproduction.SAMPLES, noise=recipe.config.noise, seed=1)
            nats = float(parzen.log_densities(validation, drawn, parzen.PAPER_SIGMAS).mean(dim=1).max())
            curve.append({"step": step, "nats": nats, "seconds": round(time.perf_counter() - begun, 1)})
            said(f"seed {seed}, step {step}: {nats:.1f} nats")
    drawn = training.sample(G, reproduction.SAMPLES, noise=recipe.config.noise, seed=1)
    return {
        "seed": seed,
        "epochs": epochs,
        "sigma in training": round(SIGMA, 4),
        "precision": precision,
        "curve": curve,
        "test": plain_score(parzen.score(drawn, validation, test)),
        "seconds": round(time.perf_counter() - begun, 1),
    }

"""gan2014-mnist-score: the 2014 generator trained on the Parzen score itself, with no discriminator.

G descends −mean log p̂(x) over training images x, where p̂ is the Parzen window of fresh samples of G. This asks that
each training image has some sample near it. It does not ask that each sample is near an image.
"""

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganlab import data, plots, training
from ganlab.errors import ConfigError, NonFiniteLoss, ShapeError
from ganlab.experiments import recipes, table_1
from ganlab.experiments.study import Preset, Record, Row, Study
from ganlab.experiments.tables import mean_and_range
from ganlab.experiments.units import Unit
from ganlab.metrics import parzen
from ganlab.training.sampling import draw_noise, z_dim_of

SIGMA = parzen.PAPER_SIGMAS[2]
"""The width that G trains with: of two that were tried, the better one on validation images."""
LOOKS = 10
EPOCH = 100
"""Steps in which G meets as many images as there are: 50,000 in batches of 500."""
BATCH = 500
PER_STEP = 1000
"""Samples of G in each step."""


def negative_log_density(points: Tensor, samples: Tensor, sigma: float) -> Tensor:
    """−mean log p̂ in nats of points [n, …] under the Parzen window of samples [m, …], with gradients in the samples.

    The same number as `parzen.log_density` gives in float64, in the samples' own precision. Raises `ShapeError` for
    points and samples of different sizes.
    """
    x, s = points.flatten(1), samples.flatten(1)
    if x.shape[1] != s.shape[1]:
        raise ShapeError(f"points have {x.shape[1]} numbers each, samples {s.shape[1]}; give equal ones.")
    distances = x.square().sum(dim=1, keepdim=True) + s.square().sum(dim=1) - 2 * x @ s.T  # [n, m], squared
    log_sum = torch.logsumexp(distances * (-0.5 / sigma**2), dim=1)  # [n]
    return math.log(len(s)) + x.shape[1] * math.log(sigma * math.sqrt(2 * math.pi)) - log_sum.mean()


def descend(
    G: nn.Module,
    images: Tensor,
    *,
    steps: int,
    seed: int = 0,
    batch: int = BATCH,
    samples: int = PER_STEP,
    noise: str = "unit uniform",
    precision: str = "float32",
) -> Iterator[float]:
    """Train G on the score of images [N, …] in [0, 1], on the CPU; yields the loss in nats after each step.

    Adam at 0.001; over the second half the rate falls to 0. Each step draws `batch` images and `samples` of G.

    Raises `ShapeError` for images of another kind, range or size than G's, `ConfigError` for options that
    `TrainConfig` refuses and for no samples, `NonFiniteLoss` before the update that a NaN or infinite loss would make.
    """
    options: dict[str, Any] = {"steps": steps, "batch": batch, "noise": noise, "precision": precision}
    config = training.TrainConfig(**options, decay_from=0.5)
    if not isinstance(samples, int) or samples < 1:
        raise ConfigError(f"samples is {samples!r}; give an integer of at least 1.")
    if images.numel() < 1 or not images.is_floating_point():
        raise ShapeError(f"images are {list(images.shape)} {images.dtype}; give floats in [0, 1], at least one.")
    low, high = (float(end) for end in images.aminmax())
    if not (low >= 0 and high <= 1):
        raise ShapeError(f"images range over [{low:g}, {high:g}]; give floats in [0, 1].")
    source = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(G.parameters(), lr=1e-3, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, config.rate_at)
    for step in range(1, steps + 1):
        x = images[torch.randint(len(images), (batch,), generator=source)].float()
        z = draw_noise(noise, samples, z_dim_of(G), source)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            made = G(z)
        loss = negative_log_density(x, made.float(), SIGMA)
        value = loss.item()
        if not math.isfinite(value):
            raise NonFiniteLoss(f"at step {step} the loss is {value:g}; give a G of finite weights, or use float32.")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        yield value


def measure(
    unit: Unit, *, seed: int, epochs: float, root: Path | None = None, precision: str = "float32"
) -> dict[str, Any]:
    """Train on MNIST with one seed, and score the last weights by the 2014 paper's protocol. Plain values for a record.

    Raises `DatasetUnavailable` without MNIST, and what `descend` raises.
    """
    begun = time.perf_counter()
    steps = round(epochs * EPOCH)
    recipe = recipes.get("gan2014-mnist")
    train, _, _ = data.three_parts("mnist", root)
    validation, test = table_1.evaluation_images(root)
    G = recipe.networks(seed, train)[0]
    curve: list[dict[str, float]] = []
    options: dict[str, Any] = {"seed": seed, "noise": recipe.config.noise, "precision": precision}
    for step, _ in enumerate(descend(G, train.float() / 255, steps=steps, **options), start=1):
        unit.progress(step / steps)
        if step % max(1, steps // LOOKS) == 0:
            drawn = training.sample(G, table_1.SAMPLES, noise=recipe.config.noise, seed=1)
            nats = float(parzen.log_densities(validation, drawn, parzen.PAPER_SIGMAS).mean(dim=1).max())
            curve.append({"step": step, "nats": nats, "seconds": round(time.perf_counter() - begun, 1)})
            unit.progress(step / steps, f"step {step}: {nats:.1f} nats")
    drawn = training.sample(G, table_1.SAMPLES, noise=recipe.config.noise, seed=1)
    plots.save_grid_png(drawn[:32], unit.picture, columns=16, value_range=(0, 1))
    return {
        "seed": seed,
        "epochs": epochs,
        "sigma in training": round(SIGMA, 4),
        "precision": precision,
        "batch": BATCH,
        "samples per step": PER_STEP,
        "noise": recipe.config.noise,
        "samples": len(drawn),
        "curve": curve,
        "test": table_1.plain_score(parzen.score(drawn, validation, test)),
    }


def rows(record: Record) -> list[Row]:
    """One row: it beats every GAN."""
    results = record["results"]
    about = "the 2014 generator trained on this score itself, no D, {epochs:g} epochs".format(**results[0])
    said = f"{mean_and_range([result['test']['nats'] for result in results])}; the last weights"
    return [Row(f"{table_1.SCORE}: {about}", said)]


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each seed."""
    return [
        (f"the 2014 generator trained on this score itself, no D: seed {one['seed']}", table_1.shown(one["test"]), "")
        for one in record["results"]
    ]


STUDY = Study(
    name="gan2014-mnist-score",
    about="how far the Parzen score rises when G is trained on it, without a discriminator",
    lesson="06",
    measure=measure,
    seeds=3,
    presets={
        "laptop": Preset("30 epochs: 4 minutes on four cores in bfloat16", {"epochs": 30.0}),
        "paper": Preset("100 epochs: 12 minutes on four cores in bfloat16", {"epochs": 100.0}),
    },
    uses=("epochs", "precision", "root"),
    rule="the weights at the end",
    rows=rows,
    columns=table_1.COLUMNS,
    every=every,
)

"""The 2014 paper's Table 1 on MNIST, measured again: training, Parzen score on a schedule, record."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlab import data, recipes, training
from ganlab.metrics import parzen
from ganlab.training import Trainer, checkpoint
from ganlab.training.config import options_of

SAMPLES = 10_000
"""Samples of G behind a score, as in the paper."""
EPOCH = 500
"""Updates per epoch: 50,000 images in batches of 100."""
EVERY_EPOCHS = 10
RULE = (
    f"the weights with the best validation score among those looked at every {EVERY_EPOCHS} epochs and at the end;"
    " chosen for the last and for the averaged weights apart"
)
"""How weights are chosen. The paper gives no stopping rule; this one was fixed before the first run."""
AVERAGES: dict[str, dict[str, Any]] = {
    "gan2014-mnist": {},
    "gan2014-mnist-short-average": {"ema": 0.9999, "ema_warmup": 9},
}
"""Two ways to average the weights: over the whole run, as the recipe says, and over about the last 20 epochs."""
RECORDS = (*AVERAGES, "gan2014-mnist-score", "gan2014-mnist-anchors")
"""The records that the results table is made of."""
PUBLISHED = {
    "value": "225 ± 2",
    "unit": "nats, mean log-likelihood of the test images, ± standard error over them",
    "source": "Goodfellow et al. 2014, Table 1, MNIST, adversarial nets",
}


@dataclass
class Best:
    """The weights with the best validation score so far: their samples, and when that was."""

    nats: float = float("-inf")
    epoch: float = 0.0
    samples: Tensor = field(default_factory=lambda: torch.empty(0))


def table_1(
    seed: int,
    *,
    epochs: float,
    place: Path | None = None,
    root: Path | None = None,
    said: Callable[[str], None] = print,
    **options: Any,
) -> dict[str, Any]:
    """Train the 2014 networks on MNIST with one seed, and score them as the paper does. Plain values for a record.

    place    a checkpoint to go on from when the run was cut off; it holds the curve and the best samples, too
    options  of `TrainConfig`, such as precision="bfloat16" or device="cuda"

    Raises `DatasetUnavailable` without MNIST.
    """
    begun = time.perf_counter()
    trainer = recipes.get("gan2014-mnist").trainer(root, seed=seed, steps=round(epochs * EPOCH), **options)
    validation, test = evaluation_images(root)
    curve: list[dict[str, float]] = []
    best = {"last": Best(), "averaged": Best()}
    before = 0.0
    if place and trainer.resume(place):
        kept = checkpoint.read(checkpoint.find(place) or place)["table 1"]
        curve, before = kept["curve"], kept["seconds"]
        best = {name: Best(**values) for name, values in kept["best"].items()}
        said(f"seed {seed}: going on from epoch {trainer.step / EPOCH:g}")
    for _ in _looks(trainer):
        row: dict[str, float] = {"epoch": trainer.step / EPOCH}
        for name, G in (("last", trainer.G), ("averaged", trainer.sampler)):
            samples = training.sample(G, SAMPLES, noise=trainer.config.noise, seed=1)
            row[name] = float(parzen.log_densities(validation, samples, parzen.PAPER_SIGMAS).mean(dim=1).max())
            if row[name] > best[name].nats:
                best[name] = Best(row[name], row["epoch"], samples.half())
            best[f"{name}, final"] = Best(row[name], row["epoch"], samples.half())
        row["seconds"] = round(before + time.perf_counter() - begun, 1)
        curve.append(row)
        said(f"seed {seed}, epoch {row['epoch']:g}: {row['last']:.1f}, averaged {row['averaged']:.1f} nats")
        if place:
            values = {name: vars(one) for name, one in best.items()}
            measured = {"curve": curve, "best": values, "seconds": row["seconds"]}
            checkpoint.write(place, trainer.state_dict() | {"table 1": measured})
    scores = {}
    for name, one in best.items():
        score = parzen.score(one.samples.float(), validation, test)
        scores[name] = {"epoch": one.epoch} | plain_score(score)
        said(f"seed {seed}, {name} (epoch {one.epoch:g}): {score}")
    return {
        "seed": seed,
        "epochs": epochs,
        "config": options_of(trainer.config),
        "curve": curve,
        "test": scores,
        "seconds": round(before + time.perf_counter() - begun, 1),
    }


def evaluation_images(root: Path | None = None) -> tuple[Tensor, Tensor]:
    """Validation [1000, 1, 28, 28] and test images [10000, …] of MNIST in [0, 1], as the paper takes them."""
    _, validation, test = data.three_parts("mnist", root)
    return validation.float() / 255, test.float() / 255


def plain_score(score: parzen.ParzenScore) -> dict[str, float]:
    """A score as plain values for a record."""
    return {
        "nats": round(score.nats, 2),
        "standard_error": round(score.standard_error, 2),
        "sigma": round(score.sigma, 4),
    }


def _looks(trainer: Trainer) -> Iterator[None]:
    """Train on; stop to look after every so many epochs, and at the end."""
    for record in trainer.run():
        if record.step % (EVERY_EPOCHS * EPOCH) == 0 or record.step == trainer.config.steps:
            yield


def one_seed(seed: int, *, folder: Path, **options: Any) -> dict[str, Any]:
    """`table_1` with its checkpoint in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return table_1(seed, place=folder / f"seed-{seed}.ckpt", **options)


def results_table(whole: dict[str, Any], short: dict[str, Any], chased: dict[str, Any], anchors: dict[str, Any]) -> str:
    """The README's results table, in Markdown, from the four `RECORDS`."""

    def shown(test: dict[str, float]) -> str:
        return f"{test['nats']:.0f} ± {test['standard_error']:.0f}"

    rows = [
        "| Parzen log-likelihood on MNIST (nats, ± standard error) | the weights themselves | averaged weights |",
        "|---|---|---|",
        f"| published: {whole['published']['source']} | {whole['published']['value']} | |",
    ]
    for record, average in ((whole, ""), (short, ", averaged over about 20 epochs only")):
        for result in record["results"]:
            about = f"measured: seed {result['seed']}, {result['epochs']:g} epochs{average}"
            rows.append(f"| {about} | {shown(result['test']['last'])} | {shown(result['test']['averaged'])} |")
    for result in chased["results"]:
        about = f"the same generator trained on this score itself, no D: seed {result['seed']}"
        rows.append(f"| {about} | {shown(result['test'])} | |")
    rows += [f"| no generator: {name} | {shown(test)} | |" for name, test in anchors["results"].items()]
    return "\n".join(rows)

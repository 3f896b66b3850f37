"""The protocol of the 2014 paper's Table 1 on MNIST: training, Parzen score on a schedule, rows of tables."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlab import data, models, plots, training
from ganlab.errors import CheckpointError
from ganlab.experiments import recipes
from ganlab.experiments.study import Published, Record, Row
from ganlab.experiments.tables import mean_and_range
from ganlab.experiments.units import Unit
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
PUBLISHED = Published(
    value="225 ± 2",
    unit="nats, mean log-likelihood of the test images, ± standard error over them",
    source="Goodfellow et al. 2014, Table 1, MNIST, adversarial nets",
    protocol="Parzen window around 10,000 samples, its width chosen by validation images; no average over weights",
)
USES = ("epochs", "precision", "device", "root")
SCORE = "Parzen log-likelihood on MNIST (nats)"
COLUMNS = (
    "Parzen log-likelihood on MNIST (nats, ± standard error)",
    "the weights themselves",
    "averaged weights",
)
"""Of the long table, in all studies with this score."""


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
    recipe: str = "gan2014-mnist",
    place: Path | None = None,
    picture: Path | None = None,
    root: Path | None = None,
    told: Callable[[float, str], None] = lambda _done, _note: None,
    **options: Any,
) -> dict[str, Any]:
    """Train a recipe for MNIST with one seed, and score it as the 2014 paper does. Plain values for a record.

    place    a checkpoint to go on from when the run was cut off; it holds the curve and the best samples, too
    picture  a PNG file to write: samples of the chosen weights, above the last ones', below the averaged ones'
    told     is given, at every step, how much is done, and a note at every look
    options  of `TrainConfig`, such as precision="bfloat16" or device="cuda"

    The looks are those of `RULE`, whose end is that of this run: a run that is lengthened gives up the look at its old
    end, where none was due, and so gives the curve and the choice of a run that was as long from the start. The curve
    is scored from samples in single precision, the test from the same samples as the checkpoint keeps them, in half
    precision, which saves space: pixels are rounded by at most 1/4096, which was seen to move a score by 0.005 nats.

    All other options are those of the whole run: a checkpoint of another precision, device or learning rate is refused.

    Raises `DatasetUnavailable` without MNIST, `CheckpointError` for a checkpoint that is damaged, of another run, or
    not written here, and what `TrainConfig` and `Trainer.run` raise.
    """
    begun = time.perf_counter()
    trainer = recipes.get(recipe).trainer(root, seed=seed, steps=round(epochs * EPOCH), **options)
    validation, test = evaluation_images(root)
    curve: list[dict[str, float]] = []
    best = {"last": Best(), "averaged": Best()}
    before = 0.0
    device = trainer.device.type
    if place and (found := checkpoint.find(place)):
        state = checkpoint.read(found)
        kept = state.get("table 1")
        if kept is None:
            raise CheckpointError(f"{found} holds a training without its scores; move it away or give another place.")
        then = state["run"] | {"device": kept.get("device", device)}  # older ones do not tell it
        if changed := checkpoint.differences(then, trainer.description | {"device": device}):
            raise CheckpointError(
                f"{found} belongs to another run ({changed}); give the same options, or move {place.name}* away."
            )
        trainer.resume(place)
        end = trainer.config.steps / EPOCH
        curve = [row for row in kept["curve"] if _due(row["epoch"]) or row["epoch"] == end]
        before = kept["seconds"]
        best = {name: Best(**values) for name, values in kept["best"].items()}
        told(trainer.step / trainer.config.steps, f"going on from epoch {trainer.step / EPOCH:g}")
    for done in _looks(trainer, told):
        row: dict[str, float] = {"epoch": trainer.step / EPOCH}
        for name, G in (("last", trainer.G), ("averaged", trainer.sampler)):
            low, high = models.value_range(G)
            samples = (training.sample(G, SAMPLES, noise=trainer.config.noise, seed=1) - low) / (high - low)
            row[name] = float(parzen.log_densities(validation, samples, parzen.PAPER_SIGMAS).mean(dim=1).max())
            look = best[f"{name}, final"] = Best(row[name], row["epoch"], samples.half())
            if _due(look.epoch) and look.nats > best[name].nats:
                best[name] = look
        row["seconds"] = round(before + time.perf_counter() - begun, 1)
        curve.append(row)
        told(done, f"epoch {row['epoch']:g}: {row['last']:.1f}, averaged {row['averaged']:.1f} nats")
        if place:
            values = {name: vars(one) for name, one in best.items()}
            measured = {"curve": curve, "best": values, "seconds": row["seconds"], "device": device}
            checkpoint.write(place, trainer.state_dict() | {"table 1": measured})
    for name in ("last", "averaged"):
        best[name] = max(best[name], best[f"{name}, final"], key=lambda one: one.nats)
    if picture:
        shown = torch.cat([best[name].samples[:32] for name in ("last", "averaged")])
        plots.save_grid_png(shown.float(), picture, columns=16, value_range=(0, 1))
    scores = {}
    for name, one in best.items():
        score = parzen.score(one.samples.float(), validation, test)
        scores[name] = {"epoch": one.epoch} | plain_score(score)
    return {
        "seed": seed,
        "epochs": epochs,
        "config": options_of(trainer.config) | {"device": device},
        "samples": SAMPLES,
        "samples kept as": str(best["last"].samples.dtype).removeprefix("torch."),
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


def _looks(trainer: Trainer, told: Callable[[float, str], None]) -> Iterator[float]:
    """Train on; stop to look after every so many epochs, and at the end. Yields how much is done."""
    for record in trainer.run():
        done = record.step / trainer.config.steps
        told(done, "")
        if _due(record.step / EPOCH) or done == 1:
            yield done


def _due(epoch: float) -> bool:
    """Whether runs of every length are looked at after so many epochs."""
    return epoch % EVERY_EPOCHS == 0


def measure(unit: Unit, *, seed: int, **options: Any) -> dict[str, Any]:
    """`table_1` as a unit of a study, with its checkpoint and its picture in the unit's places."""
    return table_1(seed, place=unit.checkpoint, picture=unit.picture, told=unit.progress, **options)


def rows(record: Record, *, about: str, averaged: str) -> list[Row]:
    """The short table's row of a training: `about` it, with {epochs:g}, and how its weights were `averaged`."""
    results = record["results"]
    last, mean = ([result["test"][name]["nats"] for result in results] for name in ("last", "averaged"))
    measured = (
        f"{mean_and_range(last)}; {averaged}: {mean_and_range(mean)}; weights with the best validation score of looks"
        f" every {EVERY_EPOCHS} epochs"
    )
    return [Row(f"{SCORE}: {about.format(**results[0])}", measured, PUBLISHED)]


def every(record: Record, *, about: str) -> list[tuple[str, ...]]:
    """The long table's rows of a training, a seed each: `about` it, with {epochs:g}."""
    return [
        (
            f"measured: {about.format(**result)}, seed {result['seed']}",
            shown(result["test"]["last"]),
            shown(result["test"]["averaged"]),
        )
        for result in record["results"]
    ]


def shown(score: dict[str, float]) -> str:
    """A score with its standard error, in whole nats."""
    return f"{score['nats']:.0f} ± {score['standard_error']:.0f}"

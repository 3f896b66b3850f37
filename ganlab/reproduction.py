"""The 2014 paper's Table 1 on MNIST, measured again: training, Parzen score on a schedule, record."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlab import data, models, plots, recipes, training
from ganlab.errors import CheckpointError
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
TRAININGS: dict[str, tuple[str, dict[str, Any]]] = {
    "gan2014-mnist": ("gan2014-mnist", {}),
    "gan2014-mnist-short-average": ("gan2014-mnist", {"ema": 0.9999, "ema_warmup": 9}),
    "mnist-mlp": ("mnist-mlp", {}),
}
"""Studies that train: recipe and options. The short average reaches back a tenth of the run, at most 20 epochs."""
RECORDS = (*TRAININGS, "gan2014-mnist-score", "gan2014-mnist-anchors")
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
    recipe: str = "gan2014-mnist",
    place: Path | None = None,
    picture: Path | None = None,
    root: Path | None = None,
    said: Callable[[str], None] = print,
    **options: Any,
) -> dict[str, Any]:
    """Train a recipe for MNIST with one seed, and score it as the 2014 paper does. Plain values for a record.

    place    a checkpoint to go on from when the run was cut off; it holds the curve and the best samples, too
    picture  a PNG file to write: samples of the chosen weights, above the last ones', below the averaged ones'
    options  of `TrainConfig`, such as precision="bfloat16" or device="cuda"

    The looks are those of `RULE`, whose end is that of this run: a run that is lengthened gives up the look at its old
    end, where none was due, and so gives the curve and the choice of a run that was as long from the start. The curve
    is scored from samples in single precision, the test from the same samples as the checkpoint keeps them, in half
    precision, which saves space: pixels are rounded by at most 1/4096, which was seen to move a score by 0.005 nats.

    Raises `DatasetUnavailable` without MNIST, `CheckpointError` for a checkpoint that is damaged, of another run, or
    not written here, and what `TrainConfig` and `Trainer.run` raise.
    """
    begun = time.perf_counter()
    trainer = recipes.get(recipe).trainer(root, seed=seed, steps=round(epochs * EPOCH), **options)
    validation, test = evaluation_images(root)
    curve: list[dict[str, float]] = []
    best = {"last": Best(), "averaged": Best()}
    before = 0.0
    if place and trainer.resume(place):
        found = checkpoint.find(place) or place
        kept = checkpoint.read(found).get("table 1")
        if kept is None:
            raise CheckpointError(f"{found} holds a training without its scores; move it away or give another place.")
        end = trainer.config.steps / EPOCH
        curve = [row for row in kept["curve"] if _due(row["epoch"]) or row["epoch"] == end]
        before = kept["seconds"]
        best = {name: Best(**values) for name, values in kept["best"].items()}
        said(f"seed {seed}: going on from epoch {trainer.step / EPOCH:g}")
    for _ in _looks(trainer):
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
        said(f"seed {seed}, epoch {row['epoch']:g}: {row['last']:.1f}, averaged {row['averaged']:.1f} nats")
        if place:
            values = {name: vars(one) for name, one in best.items()}
            measured = {"curve": curve, "best": values, "seconds": row["seconds"]}
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
        said(f"seed {seed}, {name} (epoch {one.epoch:g}): {score}")
    return {
        "seed": seed,
        "epochs": epochs,
        "config": options_of(trainer.config) | {"device": trainer.device.type},
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


def _looks(trainer: Trainer) -> Iterator[None]:
    """Train on; stop to look after every so many epochs, and at the end."""
    for record in trainer.run():
        if _due(record.step / EPOCH) or record.step == trainer.config.steps:
            yield


def _due(epoch: float) -> bool:
    """Whether runs of every length are looked at after so many epochs."""
    return epoch % EVERY_EPOCHS == 0


def one_seed(seed: int, *, study: str, out: Path, **options: Any) -> dict[str, Any]:
    """`table_1` of a study, with its checkpoint in runs/STUDY and its picture in the folder `out`."""
    folder = Path("runs") / study
    folder.mkdir(parents=True, exist_ok=True)
    recipe, changed = TRAININGS[study]
    place, picture = folder / f"seed-{seed}.ckpt", picture_of(study, seed, out)
    return table_1(seed, recipe=recipe, place=place, picture=picture, **changed, **options)


def picture_of(study: str, seed: int, folder: Path) -> Path:
    """Where the samples of a study's run with this seed are shown."""
    return folder / f"{study}-seed-{seed}.png"


def results_table(
    whole: dict[str, Any],
    short: dict[str, Any],
    modern: dict[str, Any],
    chased: dict[str, Any],
    anchors: dict[str, Any],
) -> str:
    """The README's results table, in Markdown, from the five `RECORDS`."""

    def shown(test: dict[str, float]) -> str:
        return f"{test['nats']:.0f} ± {test['standard_error']:.0f}"

    rows = [
        "| Parzen log-likelihood on MNIST (nats, ± standard error) | the weights themselves | averaged weights |",
        "|---|---|---|",
        f"| published: {whole['published']['source']} | {whole['published']['value']} | |",
    ]
    trained = {
        "the 2014 recipe, {:g} epochs, averaged over the whole run": whole,
        "the same trainings carried on, {:g} epochs, averaged over the last tenth, at most 20 epochs": short,
        "a modern recipe, {:g} epochs, averaged over the whole run": modern,
    }
    for about, record in trained.items():
        for result in record["results"]:
            name = f"measured: {about.format(result['epochs'])}, seed {result['seed']}"
            rows.append(f"| {name} | {shown(result['test']['last'])} | {shown(result['test']['averaged'])} |")
    for result in chased["results"]:
        about = f"the 2014 generator trained on this score itself, no D: seed {result['seed']}"
        rows.append(f"| {about} | {shown(result['test'])} | |")
    rows += [f"| no generator: {name} | {shown(test)} | |" for name, test in anchors["results"].items()]
    return "\n".join(rows)

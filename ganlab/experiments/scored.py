"""A GAN of images, looked at while it trains: how far its samples lie from real images, in a classifier's features.

The training images' last sixth (of CIFAR-10 fifth) is for choosing settings and weights ("validation"), the test images
are for reporting. Both are as many as the samples, where there are enough, and their distance from each other is the
floor of both.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganlab import models, plots, training
from ganlab.experiments.image_sets import parts
from ganlab.experiments.looks import Told, evenly, train
from ganlab.experiments.recipe import Recipe
from ganlab.experiments.study import Row
from ganlab.experiments.tables import mean_and_range
from ganlab.experiments.units import Unit
from ganlab.metrics import frechet
from ganlab.metrics.features import Features, features_of
from ganlab.metrics.frechet import FrechetScore
from ganlab.metrics.precision_recall import precision_recall
from ganlab.models.classifier import Classifier
from ganlab.training import Trainer
from ganlab.training.config import options_of

N = 10_000
"""Images of each set behind a distance; all where there are fewer."""
NEIGHBOURS_OF = 5000
"""Images of each set behind a precision and a recall."""
SEEDS = {"validation": 1, "test": 2}
"""What decides z, for each set that samples are held against: weights that are chosen by one are judged by new ones."""
RULE = (
    "the weights at the end, and the best ones: those with the least distance from validation images among all looks;"
    " both for the weights themselves and for their average. The distances in the tables are from test images"
)
Pair = tuple[nn.Module, nn.Module]
Parts = dict[str, tuple[Tensor, Tensor]]
"""Images and labels of "training", "validation" and "test", as `image_sets.parts` gives them."""


@dataclass(frozen=True, eq=False)
class Yardstick:
    """Real images that a GAN was not shown, as the features of a classifier that was not shown them either."""

    judge: Classifier
    validation: Features
    test: Features

    @property
    def n(self) -> int:
        """How many images of each set are compared."""
        return min(N, len(self.validation), len(self.test))

    @cached_property
    def floor(self) -> float:
        """The distance between n validation images and n test images: what a perfect generator gets from both."""
        return frechet.distance(self.validation.values[: self.n], self.test.values[: self.n])

    def features(self, samples: Tensor, value_range: tuple[float, float], name: str = "generated images") -> Features:
        """The features of samples [m, C, H, W]. Raises `ShapeError` as `features_of` does."""
        return features_of(samples, self.judge, name, value_range=value_range)

    def score(self, generated: Features, part: str = "test") -> FrechetScore:
        """The distance of n generated images from n of a part, "validation" or "test". Raises as `frechet.distance`."""
        real = getattr(self, part)
        value = frechet.distance(generated.values[: self.n], real.values[: self.n])
        return FrechetScore(value, self.floor, self.n, generated.images, real.images, real.network)

    @torch.no_grad()
    def answers(self, seen: Features) -> Tensor:
        """The class that the classifier tells of each image: int64 [m], on the CPU."""
        last = self.judge.out
        return last(seen.values.float().to(last.weight.device)).argmax(dim=1).cpu()


def yardstick(
    images: str, root: Path | None = None, judge: Classifier | None = None, *, device: str | torch.device = "cpu"
) -> Yardstick:
    """The yardstick of an image set that a classifier comes with, or of any with a `judge`, which works on this device.

    Raises `DatasetUnavailable` without the images, `ConfigError` for a set that no classifier comes with.
    """
    judge = (models.trained(images) if judge is None else judge).to(device)
    shares = parts(images, root)
    seen = {part: features_of(shares[part][0], judge, f"{images}'s {part} images") for part in SEEDS}
    return Yardstick(judge, **seen)


def look(G: nn.Module, by: Yardstick, noise: str, labels: Tensor | None = None) -> dict[str, float]:
    """How far n samples of G in evaluation mode lie from each part of a yardstick.

    labels  int64 [m ≥ n] of a conditional G's samples, as often as in the training images; then "accuracy" is there,
            too: the share of samples that the classifier gives the label that they were made for
    """
    y = None if labels is None else labels[: by.n]
    samples = {part: training.sample(G, by.n, labels=y, noise=noise, seed=seed) for part, seed in SEEDS.items()}
    seen = {part: by.features(made, models.value_range(G)) for part, made in samples.items()}
    found = {part: round(by.score(features, part).value, 4) for part, features in seen.items()}
    if y is not None:
        found["accuracy"] = round(float((by.answers(seen["test"]) == y).double().mean()), 4)
    return found


def run(
    trainer: Trainer,
    by: Yardstick,
    *,
    looks: int,
    labels: Tensor | None = None,
    told: Told = lambda _done, _note: None,
    manifold: bool = True,
) -> dict[str, Any]:
    """Train to the end and look at both weights so many times, at equal distances. Plain values for a record.

    curve      "step", "processor seconds" of the training alone, and for G's "weights" and their average, "averaged",
               what `look` gives, a list each
    end, best  for both, "step" and the values of the curve there; see `RULE`
    manifold   for both, "precision" and "recall" at the end of "n" samples against as many test images; it may be left
               out, for it takes seconds

    Raises as `Trainer.run` and `look` do.
    """
    weights = weights_of(trainer)
    rows: list[dict[str, Any]] = []

    def looked(step: int, seconds: float) -> str:
        found = {name: look(G, by, trainer.config.noise, labels) for name, G in weights.items()}
        rows.append({"step": step, "processor seconds": seconds, **found})
        return f"{found[[*found][-1]]['test']:.2f}"

    train(trainer, evenly(trainer.config.steps, looks), looked, told)
    found = {
        "config": options_of(trainer.config) | {"device": trainer.device.type},
        "features": str(by.judge),
        "n": by.n,
        "floor": round(by.floor, 4),
        "curve": _curve(rows, [*weights]),
        **{which: {name: _chosen(rows, name, which) for name in weights} for which in ("end", "best")},
    }
    if manifold:
        found["manifold"] = {name: _manifold(G, by, trainer.config.noise, labels) for name, G in weights.items()}
    return found


def diverged_at(trainer: Trainer) -> int | None:
    """The first step whose losses are not finite; where only weights are not, the last step done; None: all are."""
    finite = trainer.history[:, :2].isfinite().all(dim=1)
    if not finite.all():
        return int((~finite).nonzero()[0]) + 1
    values = [*trainer.G.state_dict().values(), *trainer.D.parameters()]
    return None if all(value.isfinite().all() for value in values) else trainer.step


def weights_of(trainer: Trainer) -> dict[str, nn.Module]:
    """G itself, "weights", and with the average over them, if there is one: "averaged"."""
    return {"weights": trainer.G} | ({"averaged": trainer.sampler} if trainer.ema else {})


def _curve(rows: list[dict[str, Any]], weights: list[str]) -> dict[str, Any]:
    """A list for each column, which reads better than an object for each row."""
    own = {name: {key: [row[name][key] for row in rows] for key in rows[0][name]} for name in weights}
    return {key: [row[key] for row in rows] for key in ("step", "processor seconds")} | own


def _chosen(rows: list[dict[str, Any]], name: str, which: str) -> dict[str, float]:
    row = rows[-1] if which == "end" else min(rows, key=lambda row: row[name]["validation"])
    return {"step": row["step"], **row[name]}


def _manifold(G: nn.Module, by: Yardstick, noise: str, labels: Tensor | None) -> dict[str, float]:
    """Precision and recall of samples of G against test images."""
    n = min(NEIGHBOURS_OF, by.n)
    y = None if labels is None else labels[:n]
    samples = training.sample(G, n, labels=y, noise=noise, seed=SEEDS["test"])
    generated = by.features(samples, models.value_range(G))
    found = precision_recall(generated.values, by.test.values[:n])
    return {"precision": round(found.precision, 4), "recall": round(found.recall, 4), "n": n}


def trainer_of(
    recipe: Recipe, shares: Parts, *, seed: int, epochs: float, networks: Pair | None = None, **options: Any
) -> Trainer:
    """A recipe's trainer at step 0, on the training part of its images, for so many passes over them.

    networks  G and D in the place of the recipe's own, `options` of `TrainConfig` in the place of the recipe's. Raises
              as `Trainer` does.
    """
    images, labels = shares["training"]
    config = replace(recipe.config, seed=seed, **options)
    config = replace(config, steps=steps_of(epochs, len(images), config.batch))
    G, D = recipe.networks(seed, images) if networks is None else networks
    return Trainer(G, D, recipe.objective, images, config, labels=labels if recipe.labels else None)


def steps_of(epochs: float, images: int, batch: int) -> int:
    """Updates of G in so many passes over the images, at least 1."""
    return max(1, round(epochs * images / batch))


def measure(unit: Unit, *, seed: int, recipe: Recipe, **options: Any) -> dict[str, Any]:
    """`trained` as a unit of a study: its values alone."""
    return trained(unit, seed=seed, recipe=recipe, **options)[0]


def trained(
    unit: Unit, *, seed: int, recipe: Recipe, looks: int, epochs: float, root: Path | None = None, **options: Any
) -> tuple[dict[str, Any], Trainer, Parts]:
    """Train a recipe with one seed on the training part of its images and score it. Values for a record, the trainer at
    the end, and the images; the unit's picture shows samples of the end, ten a row (with labels, each column is of one
    label). Options are those of `trainer_of`. Raises as `trainer_of`, `yardstick` and `run` do.
    """
    shares = parts(str(recipe.data), root)
    trainer = trainer_of(recipe, shares, seed=seed, epochs=epochs, **options)
    labels = shares["training"][1] if recipe.labels else None
    by = yardstick(str(recipe.data), root, device=trainer.device)
    found = run(trainer, by, looks=looks, labels=labels, told=unit.progress)
    plots.save_grid_png(trainer.sample(100), unit.picture, columns=10, value_range=trainer.value_range)
    return {"seed": seed, "epochs": epochs, "G": recipe.G, "D": recipe.D, **found}, trainer, shares


def columns(*, best: bool = True) -> tuple[str, ...]:
    """Of the long tables of studies that are scored so, behind their first: Fréchet distances from test images."""
    of_best = ("best weights", "best averaged") if best else ()
    return ("weights at the end", "averaged", *of_best, "precision, recall (averaged, at the end)", "real against real")


def cells(result: dict[str, Any], *, best: bool = True) -> tuple[str, ...]:
    """A result's cells under `columns`."""
    looks = ("end", "best") if best else ("end",)
    distances = [_shown(result[which][name], which) for which in looks for name in ("weights", "averaged")]
    manifold = result["manifold"]["averaged"]
    return (*distances, f"{manifold['precision']:.2f}, {manifold['recall']:.2f}", f"{result['floor']:.3f}")


def _shown(found: dict[str, float], which: str) -> str:
    """A distance from test images; of the best ones with their step; of labelled samples with their accuracy."""
    step = f" (step {found['step']:,})" if which == "best" else ""
    told = f", {100 * found['accuracy']:.1f} % as labelled" if "accuracy" in found else ""
    return f"{found['test']:.2f}{step}{told}"


def about(result: dict[str, Any], images: str = "MNIST") -> str:
    """What a distance is, with all that it hangs on; `images` are those of which a part is for testing."""
    return (
        f"Fréchet distance from {images}'s test images (n = {result['n']:,}, features of the course's own classifier;"
        f" real against real {result['floor']:.2f})"
    )


def row(training: str, results: list[dict[str, Any]], more: str = "", images: str = "MNIST") -> Row:
    """The short table's row of a training: distances from test images of the weights at the end, and `more` of them."""
    found = (mean_and_range([one["end"][name]["test"] for one in results], 2) for name in ("weights", "averaged"))
    return Row(
        f"{about(results[0], images)}: {training}, {results[0]['epochs']:g} epochs",
        "{}; averaged over G's steps: {}".format(*found) + f"{more}; the weights at the end",
    )

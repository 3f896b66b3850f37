"""dcgan-probe: does training a discriminator bring more of the digits' classes into its features than it had untrained?

The paper (sec. 5) trains a linear L2-SVM on all activations of D's convolutions, each map max-pooled to 4×4, and
compares with other methods' features. Here the D of dcgan-mnist-score, which is shown no label, is held against raw
pixels and against itself before its first step, at 1,000 and at 10,000 labels. Its two convolutions give 1,536 numbers
per image, all of which are used. C is chosen by all validation images, among the 13 values of `ganlab.metrics.probe`;
the larger ones are left out where the solver does not come to its end. Labelled are the first of D's training images.

Written before seeds 0 to 2 were run. Known were single runs (trained 94.6 and 97.6 % at 1,000 and at 10,000 labels,
untrained 91 to 92 and 96, raw pixels 87.2 and 90.9), and that in lesson 08, after a short training, the trained D is
within three points of the untrained one at 1,000 labels. Meant are points of test accuracy.
1. Each untrained D is at least 3 points better than raw pixels at both numbers of labels.
2. In the mean over the seeds D trained for 14 epochs is better than untrained: by 1 to 4 points at 1,000 labels, by 0.3
   to 2 at 10,000. So more labels make up for training, but not wholly.
3. In each seed the untrained D at 10,000 labels is better than the D of 14 epochs at 1,000.
Each is refuted when one of its numbers comes out on the other side.

What came out: all three hold. Training brings 1.4 points at 1,000 labels (93.2 to 94.6 % in the mean) and 0.6 at 10,000
(97.0 to 97.5 %); raw pixels have 86.0 and 90.7 %. So of what D's features are ahead of pixels by, five sixths and more
are there before it is trained.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from ganlab.experiments import scored
from ganlab.experiments.classifier_mnist import scaled
from ganlab.experiments.dcgan_mnist_score import RECIPE
from ganlab.experiments.image_sets import parts
from ganlab.experiments.recipe import Recipe
from ganlab.experiments.scored import Parts
from ganlab.experiments.study import Preset, Record, Row, Study
from ganlab.experiments.units import Unit
from ganlab.metrics.probe import linear_probe
from ganlab.models.pooled import pooled_features
from ganlab.training.config import options_of

RAW, UNTRAINED, TRAINED = "raw pixels", "D, untrained", "D, trained"
LABELLED = (1000, 10_000)
TOLD_OF_TRAINING = 0.5
"""Of the bar: the other half is the SVM's."""
Eye = Callable[[Tensor], Tensor]


def units(seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """For each seed a unit for the trained D and one for the untrained D; and raw pixels, which hang on no seed."""
    fixed = {"recipe": RECIPE, "labelled": LABELLED}
    of_seeds = {
        f"{eye}, seed {seed}": {"eye": eye, "seed": seed, **fixed} for eye in (TRAINED, UNTRAINED) for seed in seeds
    }
    return {**of_seeds, RAW: {"eye": RAW, "seed": None, **fixed}}


def measure(
    unit: Unit,
    *,
    eye: str,
    seed: int | None,
    recipe: Recipe,
    labelled: Sequence[int],
    epochs: float,
    root: Path | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Train a D, if that is asked for, and what an SVM makes of its features, or of pixels, for each number of labels.

    Options are those of `scored.trainer_of`. Raises as it and `linear_probe` do.
    """
    shares = parts(str(recipe.data), root)
    found: dict[str, Any] = {"eye": eye, "seed": seed}
    if seed is None:
        return found | {"probes": _probes(unit, shares, labelled, lambda images: images.float() / 255)}
    trainer = scored.trainer_of(recipe, shares, seed=seed, epochs=epochs, **options)
    if eye == TRAINED:
        for record in trainer.run():
            unit.progress(TOLD_OF_TRAINING * record.step / trainer.config.steps)
    found |= {"steps": trainer.step, "D": recipe.D, "G": recipe.G}
    found["config"] = options_of(trainer.config) | {"device": trainer.device.type}
    return found | {"probes": _probes(unit, shares, labelled, lambda x: pooled_features(trainer.D, scaled(x)))}


def _probes(unit: Unit, shares: Parts, labelled: Sequence[int], eye: Eye) -> dict[str, Any]:
    """Each probe as plain values, by its number of labels."""
    most = max(labelled)
    seen = {part: eye(images[:most] if part == "training" else images) for part, (images, _) in shares.items()}
    labels = {part: of_part for part, (_, of_part) in shares.items()}
    probes = {}
    for done, n in enumerate(labelled):
        unit.progress(TOLD_OF_TRAINING + (1 - TOLD_OF_TRAINING) * done / len(labelled), f"{n:,} labels")
        probe = linear_probe(
            *(seen["training"][:n], labels["training"][:n]),
            *(seen["validation"], labels["validation"]),
            *(seen["test"], labels["test"]),
        )
        probes[str(n)] = asdict(probe) | {
            "accuracy": round(probe.accuracy, 4),
            "validation": round(probe.validation, 4),
        }
    return probes


def accuracies(record: Record) -> dict[str, dict[str, list[float]]]:
    """Test accuracies in per cent: what is looked through → number of labels → a list, seeds in their order."""
    found: dict[str, dict[str, list[float]]] = {}
    for one in record["results"]:
        for n, probe in one["probes"].items():
            found.setdefault(one["eye"], {}).setdefault(n, []).append(100 * probe["accuracy"])
    return found


def rows(_: Record) -> list[Row]:
    """None: it is a comparison, and stands in the long table."""
    return []


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each pair of features and seed."""
    return [
        (
            one["eye"] if one["seed"] is None else f"{one['eye']}, {one['steps']:,} steps, seed {one['seed']}",
            *(f"{100 * probe['accuracy']:.2f} % (C = {probe['C']:g})" for probe in one["probes"].values()),
        )
        for one in record["results"]
    ]


STUDY = Study(
    name="dcgan-probe",
    about="what a linear classifier makes of the features of a DCGAN's D, trained and untrained, and of raw pixels",
    lesson="08",
    measure=measure,
    seeds=3,
    units=units,
    presets={
        "laptop": Preset("14 epochs: a quarter of an hour a seed on one core in bfloat16", {"epochs": 14.0}),
    },
    uses=("epochs", "precision", "device", "root"),
    rule="the weights at the end; C by the validation images, and one look at the test images",
    rows=rows,
    columns=("test images told right by an L2-SVM on", *(f"{n:,} labels" for n in LABELLED)),
    every=every,
)

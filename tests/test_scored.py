"""Studies that score GANs of images by Fréchet distances: what is compared, looked at, chosen, and told of labels."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor, nn

from ganlab import data, training
from ganlab.errors import ConfigError
from ganlab.experiments import (
    cdcgan_mnist_score,
    dcgan_ablation,
    dcgan_cifar10,
    dcgan_mnist_hidden,
    dcgan_mnist_score,
    records,
    scored,
)
from ganlab.experiments.image_sets import parts
from ganlab.experiments.recipe import Recipe
from ganlab.experiments.study import Study
from ganlab.experiments.units import Unit
from ganlab.metrics import frechet
from ganlab.metrics.features import features_of
from ganlab.models.ablated import OFF
from ganlab.training.config import options_of

LOOKS = 3


def tiny(recipe: Recipe) -> Recipe:
    """On digits, with narrow networks."""
    shape = {"size": 8, "width": 4, "z_dim": 6}
    config = replace(recipe.config, batch=25, device="cpu")
    return replace(recipe, data="digits", G=recipe.G | shape, D=recipe.D | {"size": 8, "width": 4}, config=config)


PLAIN, LABELLED = tiny(dcgan_mnist_score.RECIPE), tiny(cdcgan_mnist_score.RECIPE)


@cache
def by() -> scored.Yardstick:
    return scored.yardstick("digits")


class Shows(nn.Module):
    """A generator of given images, whatever z is; of labelled ones, those of the label that is asked for, in turn."""

    z_dim, classes, output_range = 1, 10, (0.0, 1.0)

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        super().__init__()
        self.images, self.labels = images.float() / 255, labels
        self.shown = torch.zeros(10, dtype=torch.long)

    def forward(self, _: Tensor, y: Tensor) -> Tensor:
        chosen = []
        for label in y:
            own = (self.labels == label).nonzero().flatten()
            chosen.append(own[self.shown[label] % len(own)])
            self.shown[label] += 1
        return self.images[torch.stack(chosen)]


def test_validation_and_test_images_measure_and_training_images_do_not():
    shares = parts("digits")
    assert len(shares["training"][0]) == 1250
    assert by().n == 250
    real = {part: features_of(shares[part][0], by().judge, part).values[:250] for part in ("validation", "test")}
    for part in real:
        assert torch.equal(getattr(by(), part).values[:250], real[part])
    means, covariances = zip(*((x.mean(dim=0), x.T.cov()) for x in real.values()), strict=True)
    expected = frechet.between_normal_laws(means[0], covariances[0], means[1], covariances[1])
    assert by().floor == pytest.approx(expected, rel=1e-6)


def test_a_score_says_all_that_it_hangs_on():
    images = data.load("digits").images[:250]
    score = by().score(by().features(images.float() / 255, (0.0, 1.0), "the first digits"))
    assert (score.n, score.floor, score.generated) == (250, by().floor, "the first digits")
    assert score.real == "digits's test images"
    assert score.features == str(by().judge)
    with pytest.raises(ConfigError, match="no-such"):
        scored.yardstick("no-such")


def test_a_generator_that_shows_real_images_scores_as_they_do_and_its_labels_are_told_right():
    images, labels = parts("digits")["validation"]
    copies = scored.look(Shows(images, labels), by(), "normal", labels)
    assert copies["validation"] < 0.01 * by().floor  # each label's images, in their order
    assert copies["test"] == pytest.approx(by().floor, rel=0.01)
    assert copies["accuracy"] > 0.9
    wrong = scored.look(Shows(images, (labels + 1) % 10), by(), "normal", labels)
    assert wrong["accuracy"] < 0.1


def test_a_run_is_looked_at_at_equal_distances_and_the_best_is_chosen_by_validation():
    trainer = scored.trainer_of(PLAIN, parts("digits"), seed=3, epochs=0.6)
    assert (trainer.config.steps, trainer.config.seed) == (30, 3)
    told: list[tuple[float, str]] = []
    found = scored.run(trainer, by(), looks=LOOKS, told=lambda done, note: told.append((done, note)))
    assert [round(30 * done) for done, note in told if note] == found["curve"]["step"] == [10, 20, 30]
    assert len(told) == 30
    seconds = found["curve"]["processor seconds"]
    assert seconds == sorted(seconds)
    for name, G in scored.weights_of(trainer).items():
        curve = found["curve"][name]
        assert found["end"][name] == {"step": 30, **scored.look(G, by(), "uniform")}
        best = min(range(LOOKS), key=lambda i: curve["validation"][i])
        assert found["best"][name] == {"step": 10 * (best + 1), **{part: curve[part][best] for part in curve}}
        assert found["manifold"][name].keys() == {"precision", "recall", "n"}
    assert found["curve"]["weights"] != found["curve"]["averaged"]
    assert (found["n"], found["features"]) == (250, str(by().judge))


def test_looking_changes_nothing_of_the_training():
    one, other = (scored.trainer_of(PLAIN, parts("digits"), seed=0, epochs=0.2) for _ in range(2))
    scored.run(one, by(), looks=5)
    for _ in other.run():
        pass
    assert all(
        torch.equal(a, b) for a, b in zip(one.G.state_dict().values(), other.G.state_dict().values(), strict=True)
    )


def test_the_best_look_is_not_chosen_by_test_images():
    rows = [
        {"step": 1, "weights": {"validation": 3.0, "test": 9.0}},
        {"step": 2, "weights": {"validation": 4.0, "test": 1.0}},
    ]
    assert scored._chosen(rows, "weights", "best") == {"step": 1, "validation": 3.0, "test": 9.0}
    assert scored._chosen(rows, "weights", "end") == {"step": 2, "validation": 4.0, "test": 1.0}


@pytest.mark.parametrize(
    ("study", "arguments"),
    [
        (dcgan_mnist_score.STUDY, {"recipe": PLAIN, "looks": 2}),
        (cdcgan_mnist_score.STUDY, {"recipe": LABELLED, "looks": 2, "labelled": 300}),
        (dcgan_mnist_hidden.STUDY, {"recipe": PLAIN, "looks": 2, "setting": dcgan_mnist_hidden.HIDDEN}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_unit_is_measured_and_tabled(study: Study, arguments: dict[str, Any], tmp_path: Path):
    unit = Unit("seed 5", tmp_path, "key")
    found = study.measure(unit, seed=5, epochs=0.2, precision="float32", device="cpu", **arguments)
    assert unit.picture.read_bytes().startswith(b"\x89PNG")
    assert (found["seed"], found["epochs"], found["config"]["steps"]) == (5, 0.2, 10)
    record = {"results": [found, found]}
    cells = study.every(record)
    assert cells[0] == cells[1]
    assert len(cells[0]) == len(study.columns)
    distance = f"{found['end']['weights']['test']:.2f}"
    assert any(cell.startswith(distance) for cell in cells[0])
    said = study.rows(record)[0]
    assert "n = 250" in said.experiment
    assert f"real against real {by().floor:.2f}" in said.experiment
    assert f"{distance} ({distance} to {distance})" in said.measured.replace("0 (", " (")


def test_the_rule_of_the_nearest_is_that_of_scikit_learn():
    trainer = scored.trainer_of(LABELLED, shares := parts("digits"), seed=0, epochs=0.2)
    for _ in trainer.run():
        pass
    found = cdcgan_mnist_score.errors(trainer, shares, 300)
    test, test_labels = (part.flatten(1).numpy() if part.ndim > 1 else part.numpy() for part in shares["test"])
    real, real_labels = (part[:300].flatten(1).numpy() if part.ndim > 1 else part[:300] for part in shares["training"])
    y = torch.arange(300) % 10
    for name, (images, labels) in {
        "real": (real, real_labels),
        "weights": (made(trainer.G, y), y),
        "averaged": (made(trainer.sampler, y), y),
    }.items():
        rule = KNeighborsClassifier(1, algorithm="brute").fit(images, labels)
        assert found[name] == pytest.approx(1 - rule.score(test, test_labels), abs=1e-4)
    assert found["real"] < 0.15 < found["weights"]


def made(G: nn.Module, y: Tensor) -> Any:
    return (training.sample(G, len(y), labels=y, noise="uniform", seed=2).flatten(1).double() + 1).numpy() * 127.5


def test_each_setting_of_the_ablation_is_trained_as_it_says(tmp_path: Path):
    results = []
    for name, arguments in dcgan_ablation.units(range(1)).items():
        setting = str(arguments["setting"])
        assert name == f"{setting}, seed 0"
        unit = Unit(name, tmp_path, "key")
        assert arguments == {"seed": 0, "setting": setting, "recipe": dcgan_mnist_score.RECIPE}
        found = dcgan_ablation.measure(unit, seed=0, setting=setting, recipe=PLAIN, epochs=0.2, device="cpu")
        assert found["setting"] == setting
        results.append(found)
    assert dcgan_ablation.by_setting({"results": results}) == {one["setting"]: [one] for one in results}
    (plain, *others) = (one["curve"]["weights"]["validation"] for one in results)
    assert plain not in others
    assert len(results) == 2 + len(OFF)
    assert dcgan_ablation.INSTEAD.keys() == {one["setting"] for one in results}
    of_all = {"results": results}
    assert dcgan_ablation.rows(of_all) == []
    cells = dcgan_ablation.every(of_all)
    shown = {name: [f"{distance:.2f}" for distance in found] for name, found in dcgan_ablation.ended(of_all).items()}
    (averaged,) = (at for at, column in enumerate(dcgan_ablation.STUDY.columns) if column == "averaged")
    assert shown == {one["setting"]: [line[averaged]] for one, line in zip(results, cells, strict=True)}
    assert {len(line) for line in cells} == {len(dcgan_ablation.STUDY.columns)}
    assert cells[-1][0] == "saturating loss, seed 0"


def test_the_setting_that_the_ablation_chose_is_trained_with_seeds_that_did_not_choose_it():
    chosen = dcgan_ablation.units(range(dcgan_ablation.STUDY.seeds or 0)).values()
    own = [one for one in chosen if one["setting"] == dcgan_mnist_hidden.HIDDEN]
    units = dcgan_mnist_hidden.units(range(3))
    assert {one["seed"] for one in own}.isdisjoint(one["seed"] for one in units.values())
    for name, one in units.items():
        assert name == f"seed {one['seed']}"
        assert {**one, "seed": 0} == {**own[0], "looks": 7}


@pytest.mark.parametrize(
    "study", [dcgan_mnist_score, cdcgan_mnist_score, dcgan_ablation, dcgan_mnist_hidden, dcgan_cifar10]
)
def test_the_record_is_of_these_settings(study: Any):
    """Whoever changes a recipe measures it again."""
    trained_on = {"mnist": 50_000, "cifar10": 40_000}
    kept = records.read(study.STUDY.name, Path(__file__).parents[1] / records.FOLDER)
    arguments = study.STUDY.units(range(study.STUDY.seeds)).values()
    for one, wanted in zip(kept["results"], arguments, strict=True):
        recipe = wanted["recipe"]
        assert one["seed"] == wanted["seed"]
        changed = dcgan_ablation.changed(wanted.get("setting", ""))
        assert (one["G"], one["D"]) == (recipe.G | changed, recipe.D | changed)
        assert one.get("setting") == wanted.get("setting")
        told = options_of(recipe.config)
        for option in told.keys() - {"steps", "device", "precision"}:
            assert one["config"][option] == json.loads(json.dumps(told[option]))
        assert one["config"]["steps"] == scored.steps_of(one["epochs"], trained_on[recipe.data], recipe.config.batch)

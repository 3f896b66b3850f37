"""The probe of D: what is trained for how long, and each number against scikit-learn, on digits in miniature."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.svm import LinearSVC

from ganlab.experiments import dcgan_mnist_score, dcgan_probe, records, scored
from ganlab.experiments.dcgan_probe import RAW, TRAINED, UNTRAINED
from ganlab.experiments.image_sets import parts
from ganlab.experiments.units import Unit
from ganlab.models.pooled import pooled_features
from ganlab.training.config import options_of

STEPS = {UNTRAINED: 0, TRAINED: 50}
EPOCHS = 1.0
_RECIPE = dcgan_mnist_score.RECIPE
TINY = replace(
    _RECIPE,
    data="digits",
    G=_RECIPE.G | {"size": 8, "width": 4, "z_dim": 6},
    D=_RECIPE.D | {"size": 8, "width": 4},
    config=replace(_RECIPE.config, batch=25, device="cpu"),
)
LABELLED = (100, 300)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("runs")
    found = {}
    for name, arguments in dcgan_probe.units([100]).items():
        own = {**arguments, "recipe": TINY, "labelled": LABELLED, "epochs": EPOCHS, "precision": "float32"}
        found[arguments["eye"]] = dcgan_probe.measure(Unit(name, folder, "key"), **own)
    return found


def seen(eye: str, images: torch.Tensor) -> np.ndarray:
    """Images [n, …] as a probe of this name sees them, by a D that is trained here."""
    if eye == RAW:
        return images.flatten(1).double().numpy() / 255
    trainer = scored.trainer_of(TINY, parts("digits"), seed=100, epochs=EPOCHS)
    if eye == TRAINED:
        for _ in trainer.run():
            pass
    return pooled_features(trainer.D, 2 * images.float() / 255 - 1).double().numpy()


@pytest.mark.parametrize("eye", [RAW, *STEPS])
def test_each_accuracy_is_scikit_learns(results: dict[str, dict[str, Any]], eye: str):
    shares = parts("digits")
    x = {part: seen(eye, images) for part, (images, _) in shares.items()}
    y = {part: labels.numpy() for part, (_, labels) in shares.items()}
    assert [*results[eye]["probes"]] == ["100", "300"]
    for n in LABELLED:
        probe = results[eye]["probes"][str(n)]
        known = x["training"][:n]
        scale = np.sqrt((known**2).mean())
        svm = LinearSVC(C=probe["C"], dual=True, random_state=0).fit(known / scale, y["training"][:n])
        assert probe["accuracy"] == pytest.approx(svm.score(x["test"] / scale, y["test"]), abs=1e-4)
        assert probe["validation"] == pytest.approx(svm.score(x["validation"] / scale, y["validation"]), abs=1e-4)
        assert (probe["n"], probe["features"]) == (n, known.shape[1])


def test_d_is_trained_as_long_as_it_says_and_never_with_labels(results: dict[str, dict[str, Any]]):
    for eye, steps in STEPS.items():
        assert results[eye]["steps"] == steps
        assert (results[eye]["seed"], results[eye]["D"]) == (100, TINY.D)
    assert "steps" not in results[RAW]
    assert len({json.dumps(one["probes"]) for one in results.values()}) == 3
    assert not dcgan_probe.RECIPE.labels


def test_units_are_both_of_all_seeds_and_pixels_once():
    units = dcgan_probe.units(range(3))
    assert len(units) == 7
    assert [one["eye"] for one in units.values()] == [*[TRAINED] * 3, *[UNTRAINED] * 3, RAW]
    assert all(one["recipe"] is dcgan_mnist_score.RECIPE for one in units.values())


def test_they_are_tabled(results: dict[str, dict[str, Any]]):
    record = {"results": [*results.values()]}
    cells = dcgan_probe.every(record)
    assert {len(line) for line in cells} == {len(dcgan_probe.STUDY.columns)}
    assert [line[0] for line in cells] == [
        f"{TRAINED}, 50 steps, seed 100",
        f"{UNTRAINED}, 0 steps, seed 100",
        RAW,
    ]
    shown = dcgan_probe.accuracies(record)
    assert shown[RAW]["300"] == [100 * results[RAW]["probes"]["300"]["accuracy"]]
    assert cells[-1][2].startswith(f"{shown[RAW]['300'][0]:.2f} %")
    assert dcgan_probe.rows(record) == []


def test_the_record_is_of_these_settings():
    """Whoever changes a recipe measures it again."""
    kept = records.read("dcgan-probe", Path(__file__).parents[1] / records.FOLDER)
    for one, wanted in zip(kept["results"], dcgan_probe.units(range(3)).values(), strict=True):
        assert (one["eye"], one["seed"]) == (wanted["eye"], wanted["seed"])
        assert [*one["probes"]] == ["1000", "10000"]
        if one["seed"] is None:
            continue
        recipe = wanted["recipe"]
        assert (one["G"], one["D"]) == (recipe.G, recipe.D)
        told = options_of(recipe.config)
        for option in told.keys() - {"steps", "device", "precision", "seed"}:
            assert one["config"][option] == json.loads(json.dumps(told[option]))
        epochs = kept["options"]["epochs"]
        assert one["steps"] == (scored.steps_of(epochs, 50_000, recipe.config.batch) if one["eye"] == TRAINED else 0)

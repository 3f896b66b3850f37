"""LSGAN's experiments without batch norm: what is run, what is kept of a run that diverges, what is counted."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
import torch
from recorded import record_of

from ganlab import models
from ganlab.errors import ConfigError
from ganlab.experiments import collapse, scored
from ganlab.experiments import lsgan_no_norm as study
from ganlab.experiments.recipe import Recipe
from ganlab.experiments.units import Unit
from ganlab.objectives import NON_SATURATING
from ganlab.training import Adam, RMSProp
from ganlab.training.config import options_of


def tiny(recipe: Recipe, **options: Any) -> Recipe:
    """On digits, with narrow networks."""
    config = replace(recipe.config, batch=25, device="cpu", **options)
    shape = {"size": 8, "width": 4}
    return replace(recipe, data="digits", size=8, G=recipe.G | shape | {"z_dim": 6}, D=recipe.D | shape, config=config)


def measured(folder: Path, recipe: Recipe, epochs: float = 0.4) -> tuple[Unit, dict[str, Any]]:
    unit = Unit("a unit", folder, "key")
    return unit, study.measure(
        unit, seed=100, setting=study.LS_ADAM, recipe=recipe, epochs=epochs, width=4, device="cpu"
    )


def test_an_arm_differs_from_the_recipe_in_its_objective_alone():
    for one, other, batch_norm in ((study.LS_ADAM, study.NS_ADAM, True), (study.LS_RMSPROP, study.NS_RMSPROP, False)):
        assert study.ARMS[other] == replace(study.ARMS[one], objective=NON_SATURATING)
        G, D = study.ARMS[one].networks(0)
        assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in G.modules())
        assert any(isinstance(layer, torch.nn.BatchNorm2d) for layer in D.modules()) == batch_norm
        assert isinstance(study.ARMS[one].config.optimizer_g, Adam if batch_norm else RMSProp)
    of_all = study.units(range(2))
    assert len(of_all) == 8
    assert of_all[f"{study.NS_RMSPROP}, seed 1"]["recipe"] == study.ARMS[study.NS_RMSPROP]


@pytest.mark.parametrize("name", study.ARMS)
def test_a_run_is_looked_at_and_judged(name: str, tmp_path: Path):
    unit, found = measured(tmp_path, tiny(study.ARMS[name]))
    assert found["curve"]["step"] == [4, 8, 12, 16, 20]
    last = {key: values[-1] for key, values in found["curve"].items()}
    assert found["state"] == collapse.state(last)
    assert found["diverged"] is None
    assert (found["n"], found["config"]["steps"]) == (250, 20)
    assert unit.picture.read_bytes().startswith(b"\x89PNG")
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(found, allow_nan=False))


def test_what_is_kept_is_what_the_samples_of_that_step_show(tmp_path: Path):
    recipe = tiny(study.ARMS[study.LS_ADAM])
    _, found = measured(tmp_path, recipe)
    trainer = scored.trainer_of(recipe, scored.parts("digits"), seed=100, epochs=0.4)
    for record in trainer.run():
        if record.step == 8:
            break
    judge = collapse.Judge.of(scored.parts("digits"), models.trained("digits"))
    seen = judge.look(trainer.sample(250), trainer.value_range)
    assert found["curve"]["frechet"][1] == pytest.approx(seen.frechet, abs=1e-3)
    assert found["curve"]["digits"][1] == seen.digits


@pytest.mark.parametrize("epochs", [0.4, 2.0], ids=["found by a look", "found by the trainer"])
def test_a_run_that_diverges_is_a_result(epochs: float, tmp_path: Path):
    """The trainer looks at the losses every 50 steps and at the end."""
    recipe = tiny(study.ARMS[study.LS_RMSPROP], optimizer_d=RMSProp(1e30), optimizer_g=RMSProp(1e30))
    unit, found = measured(tmp_path, recipe, epochs)
    assert found["state"] == "diverged"
    trainer = scored.trainer_of(recipe, scored.parts("digits"), seed=100, epochs=epochs)
    for _ in trainer.run():
        if not trainer.history[-1, :2].isfinite().all():
            break
    assert found["diverged"] == trainer.step
    assert not unit.picture.exists()


def test_weights_alone_may_have_diverged():
    trainer = scored.trainer_of(tiny(study.ARMS[study.LS_ADAM]), scored.parts("digits"), seed=100, epochs=0.1)
    assert len(list(trainer.run())) == 5
    assert scored.diverged_at(trainer) is None
    weight = next(trainer.D.parameters()).data.view(-1)
    kept, weight[0] = weight[0].item(), torch.inf
    assert scored.diverged_at(trainer) == trainer.step
    weight[0] = kept
    next(trainer.G.parameters()).data.fill_(torch.nan)
    assert scored.diverged_at(trainer) == 5


# What is counted -----------------------------------------------------------------------------------------------------


def record(**learned: int) -> dict[str, Any]:
    """Ten made-up runs of each arm, of which so many learned; the others collapsed, but one that diverged."""
    results = []
    for name in study.ARMS:
        good = learned.get(name, 10)
        for seed in range(10):
            state = "learned" if seed < good else "diverged" if seed == 9 else "collapsed"
            distance = 5.0 + seed % 3 + 4 * (name == study.NS_RMSPROP)
            curve = {"digits": [1, 10], "frechet": [99.0, distance], "recall": [0.0, 0.5 - 0.2 * (name in NS)]}
            diverged = 7 if state == "diverged" else None
            results.append({"setting": name, "seed": seed, "state": state, "diverged": diverged, "curve": curve})
    return {"results": results}


NS = (study.NS_ADAM, study.NS_RMSPROP)


def test_the_published_outcome_is_what_the_prediction_says():
    found = record(**{study.LS_ADAM: 5, study.NS_ADAM: 0})
    assert study.counted(found, "learned") == study.LEARNED
    assert set(study.verdicts(found).values()) == {"holds"}
    assert len(study.verdicts(found)) == 8


def test_the_other_way_round_refutes_it():
    found = record(**{study.LS_ADAM: 0, study.NS_ADAM: 10, study.LS_RMSPROP: 5, study.NS_RMSPROP: 4})
    said = study.verdicts(found)
    assert list(said.values())[:5] == ["refuted"] * 5
    assert said["NS-GAN learns more often with RMSProp"] == "refuted"
    assert study.counted(found, "diverged") == {
        study.LS_ADAM: 1,
        study.NS_ADAM: 0,
        study.LS_RMSPROP: 1,
        study.NS_RMSPROP: 1,
    }


def test_distances_are_compared_where_neither_diverged():
    ls, ns = study.pairs(record(**{study.LS_RMSPROP: 9}), "frechet", study.LS_RMSPROP, study.NS_RMSPROP)
    assert ls == [5, 6, 7] * 3
    assert ns == [9, 10, 11] * 3


@pytest.mark.parametrize("left", [0, 1])
def test_where_too_few_pairs_are_left_only_their_predictions_are_undecided(left: int):
    found = record(**{study.LS_ADAM: 5, study.NS_ADAM: 0})
    for one in found["results"]:
        if one["setting"] == study.LS_RMSPROP and one["seed"] >= left:
            one |= {"diverged": 7, "state": "diverged"}
    said = study.verdicts(found)
    undecided = [name for name, fate in said.items() if fate == "undecided"]
    assert undecided == ["RMSProp: LSGAN is nearer", "RMSProp: LSGAN recalls more"]
    assert said[f"{study.LS_RMSPROP}: 10 learn"] == "refuted"
    assert said["Adam: LSGAN learns more often"] == "holds"


def test_counts_out_of_ten_are_not_held_against_fewer_runs():
    found = record()
    found["results"] = [one for one in found["results"] if one["seed"] < 5]
    with pytest.raises(ConfigError, match="give one of 10 seeds"):
        study.verdicts(found)


def test_the_table_has_a_row_for_each_arm_and_a_letter_for_each_run():
    lines = study.every(record(**{study.LS_ADAM: 5}))
    assert {len(line) for line in lines} == {len(study.STUDY.columns)}
    assert [line[0] for line in lines] == list(study.ARMS)
    low, high = scipy.stats.binomtest(5, 10).proportion_ci(method="exact")
    assert lines[0][1] == f"5 of 10 ({100 * low:.0f} to {100 * high:.0f} %)"
    assert lines[0][2] == "L L L L L C C C C D"
    assert lines[0][3].split() == ["10"] * 9 + ["–"]
    assert study.rows(record()) == []


def test_the_record_is_of_these_settings():
    """Whoever changes a recipe measures it again."""
    kept = record_of(study.STUDY.name)
    wanted = study.units(kept["seeds"]).values()
    assert kept["seeds"] == list(range(10))
    for one, unit in zip(kept["results"], wanted, strict=True):
        recipe = unit["recipe"]
        assert (one["setting"], one["seed"], one["objective"]) == (unit["setting"], unit["seed"], recipe.objective.name)
        width = {"width": study.STUDY.presets[kept["preset"]].options["width"]}
        assert (one["G"], one["D"]) == (recipe.G | width, recipe.D | width)
        told = options_of(recipe.config)
        for option in told.keys() - {"steps", "device", "precision"}:
            assert one["config"][option] == json.loads(json.dumps(told[option]))
        if one["diverged"] is None:
            assert one["state"] == collapse.state({key: values[-1] for key, values in one["curve"].items()})

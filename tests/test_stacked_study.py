"""The thousand classes of stacked MNIST, by objective: what is trained, counted and compared."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from recorded import record_of
from torch import nn

from ganlab import models
from ganlab.errors import ShapeError
from ganlab.experiments import lsgan_ring, stacked_found
from ganlab.experiments import stacked_mnist as study
from ganlab.experiments.units import Unit
from ganlab.training import R1R2
from ganlab.training.config import options_of

SHARES = list(study.WIDTHS)
IMAGES = torch.randint(256, (96, 3, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
TINY = replace(study.RECIPE, G=study.RECIPE.G | {"width": 2, "z_dim": 5}, D=study.RECIPE.D | {"width": 2})


def tiny(setting: str = "NS-GAN", share: str = "half", **options: Any) -> Any:
    return study.trainer_of(setting, share, IMAGES, recipe=TINY, seed=100, steps=8, device="cpu", **options)


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return Unit("a unit", tmp_path, "key")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second step."""
    monkeypatch.setattr(study, "LOOK", 2)


@pytest.mark.parametrize(("steps", "counted"), [(1, [1]), (4, [2, 4]), (5, [2, 4, 5])])
def test_the_end_is_always_counted(unit: Unit, looks: None, steps: int, counted: list[int]):
    trainer = study.trainer_of("NS-GAN", "half", IMAGES, recipe=TINY, seed=100, steps=steps, device="cpu")
    found = study.run(trainer, models.trained("mnist"), 50, unit)
    assert (found["steps"], len(found["modes"]), len(found["kl"])) == (counted, len(counted), len(counted))


def test_units_are_all_settings_widths_and_seeds_and_real_images_once():
    units = study.units(range(5))
    assert len(units) == 1 + 10 * 3 * 5
    assert {one["setting"] for one in units.values()} == {*study.OBJECTIVES, study.REGULARISED, study.REAL}
    of_one = [one["share"] for one in units.values() if (one["setting"], one["seed"]) == ("NS-GAN", 3)]
    assert of_one == SHARES
    assert set(lsgan_ring.OBJECTIVES) < set(study.OBJECTIVES)


@pytest.mark.parametrize("setting", study.OBJECTIVES)
def test_a_setting_differs_in_its_objective_and_the_width_of_d_alone(setting: str):
    first = {
        share: study.trainer_of(setting, share, IMAGES, recipe=study.RECIPE, seed=0, device="cpu") for share in SHARES
    }
    for share, trainer in first.items():
        assert trainer.objective == study.OBJECTIVES[setting]
        told = options_of(trainer.config)
        assert told | {"device": None} == options_of(study.RECIPE.config) | {"device": None}
        width = next(layer.out_channels for layer in trainer.D.modules() if isinstance(layer, nn.Conv2d))
        assert width == {"a quarter": 8, "half": 16, "equal": 32}[share]
        widest = next(layer for layer in reversed([*trainer.G.modules()]) if isinstance(layer, nn.ConvTranspose2d))
        assert widest.in_channels == 32


def test_the_regularised_pair_is_on_pairs_without_normalisation_and_pays_for_its_slope():
    trainer = study.trainer_of(study.REGULARISED, "half", IMAGES, recipe=study.RECIPE, seed=0, device="cpu")
    assert trainer.config.penalty == R1R2(1.0, 0.1)
    assert trainer.objective == study.OBJECTIVES[stacked_found.PAIRED]
    for network in (trainer.G, trainer.D):
        assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    assert (trainer.config.optimizer_d.lr, getattr(trainer.config.optimizer_g, "beta1", None)) == (2e-4, 0)
    signal = trainer.G(torch.randn(64, 100)).std()
    assert signal > 1e-3  # N(0, 0.02²) in four layers without normalisation would leave 1e-5 or so


def test_first_weights_hang_on_the_seed_and_leave_the_callers_randomness():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    one, again = (tiny(study.REGULARISED) for _ in range(2))
    assert torch.equal(torch.rand(3), wanted)
    for first, second in zip(one.G.parameters(), again.G.parameters(), strict=True):
        assert torch.equal(first, second)


def test_modes_are_counted_on_the_way_by_the_networks_of_then(unit: Unit, looks: None):
    judge = models.trained("mnist")
    found = study.run(tiny(), judge, 300, unit)
    assert found["steps"] == [2, 4, 6, 8]
    assert found["diverged"] is None
    trainer, modes = tiny(), []
    for record in trainer.run():
        if record.step % 2 == 0:
            made = trainer.sample(300, seed=1).clamp(-1, 1).mul(127.5).add(127.5).round() / 127.5 - 1
            digits = [judge(channel).argmax(dim=1) for channel in made.split(1, dim=1)]
            modes.append(len({tuple(int(d) for d in digit) for digit in zip(*digits, strict=True)}))
    assert found["modes"] == modes


def poisoned(after: int) -> Any:
    """A tiny trainer, eight steps long, whose G has NaN in its first weights once so many are done."""
    trainer = tiny()
    steps = trainer.run()

    def run() -> Any:
        for record in steps:
            if record.step == after:
                next(trainer.G.parameters()).data.fill_(math.nan)
            yield record

    trainer.run = run
    return trainer


@pytest.mark.parametrize(
    ("after", "diverged", "seen"),
    [(4, 4, 1), (5, 6, 2), (7, 8, 3)],
    ids=["seen in the samples alone", "seen at a look", "seen in the loss"],
)
def test_a_run_that_diverges_has_no_modes_from_then_on(unit: Unit, looks: None, after: int, diverged: int, seen: int):
    judge = models.trained("mnist")
    found, whole = study.run(poisoned(after), judge, 100, unit), study.run(tiny(), judge, 100, unit)
    assert found["diverged"] == diverged
    assert found["modes"] == whole["modes"][:seen] + [0] * (4 - seen)
    assert found["kl"] == whole["kl"][:seen] + [pytest.approx(math.log(1000), abs=1e-4)] * (4 - seen)
    assert len(found["processor seconds"]) == seen


def test_samples_that_cannot_be_counted_for_another_reason_are_no_divergence(unit: Unit):
    trainer = tiny()
    trainer.value_range = (-0.001, 0.001)
    with pytest.raises(ShapeError, match="value_range"):
        study.run(trainer, models.trained("mnist"), 100, unit)


def test_the_paired_objective_pays_for_its_slopes_in_bfloat16():
    trainer = tiny(study.REGULARISED, precision="bfloat16")
    first = [weight.detach().clone() for weight in trainer.D.parameters()]
    next(trainer.run())
    assert trainer.history.isfinite().all()
    assert all(weight.isfinite().all() for weight in (*trainer.G.parameters(), *trainer.D.parameters()))
    assert any((weight != was).any() for weight, was in zip(trainer.D.parameters(), first, strict=True))


def made_up(modes: dict[str, list[int]], kl: dict[str, list[float]] | None = None, steps: int = 4000) -> dict[str, Any]:
    """What a run would leave, with made-up counts; 1,000 modes and 0.1 nats where nothing is said."""
    results: list[dict[str, Any]] = [
        {"setting": study.REAL, "share": None, "seed": None, "modes": [1000], "kl": [0.02], "counting": 0.0193}
    ]
    for setting in (*study.OBJECTIVES, study.REGULARISED):
        for share in SHARES:
            for seed in range(3):
                values = {
                    "modes": [0, modes.get(setting, [1000] * 3)[seed]],
                    "kl": [9, (kl or {}).get(setting, [0.1] * 3)[seed]],
                }
                results.append({"setting": setting, "share": share, "seed": seed, **values})
    return {"results": results, "options": {"steps": steps}}


def test_pairs_are_judged_by_modes_or_where_nearly_all_are_found_by_kl():
    record = made_up({"NS-GAN": [500, 510, 490]}, {"LSGAN (0, 1, 1)": [0.4, 0.5, 0.6]})
    difference, margin = stacked_found.compared(record, "half", "LSGAN (0, 1, 2)", "NS-GAN")
    assert (difference.mean, margin) == (500, 20)
    difference, margin = stacked_found.compared(record, "half", "LSGAN (0, 1, 2)", "LSGAN (0, 1, 1)")
    assert (difference.mean, margin) == (pytest.approx(0.4), 0.05)
    judged = stacked_found.verdicts(record, lsgan_ring.BY_SAMPLE, "equal")
    assert len(judged) == 28
    assert judged["LSGAN (0, 1, 2)", "NS-GAN"] == "holds"
    assert judged["LSGAN (0, 1, 2)", "LSGAN (−1, 1, 2)"] == "refuted"  # said to be before, and they are alike
    assert stacked_found.verdicts(record, lsgan_ring.BY_SUM, "equal")["LSGAN (0, 1, 2)", "LSGAN (−1, 1, 2)"] == "holds"


def test_the_three_further_predictions_hold_or_are_refuted():
    """1: less at a quarter than at equal width; 2: pairs before NS-GAN; 3: nearly all with R1 and R2."""
    narrow = ("a quarter",)

    def judged(modes: Mapping[tuple[str, str], float]) -> Mapping[int, str]:
        record = made_up({})
        for one in record["results"]:
            if one["share"] is not None:
                base = 700 if one["share"] in narrow else 900
                one["modes"] = [0, modes.get((one["setting"], one["share"]), base)]
        return stacked_found.own_verdicts(record)

    pairs = {
        (stacked_found.PAIRED, "a quarter"): 800,
        (stacked_found.PAIRED, "half"): 901,
        (stacked_found.PAIRED, "equal"): 901,
    }
    good = {(study.REGULARISED, "equal"): 950}
    assert judged(pairs | good) == {1: "holds", 2: "holds", 3: "holds"}
    assert judged(pairs | good | {("LSGAN (0, 1, 2)", "equal"): 700})[1] == "refuted"
    assert judged(pairs | good | {(study.REGULARISED, "a quarter"): 999})[1] == "holds"
    assert judged(pairs | {(stacked_found.PAIRED, "a quarter"): 799})[2] == "refuted"
    assert judged(pairs | {(stacked_found.PAIRED, "half"): 900})[2] == "refuted"
    assert judged({(study.REGULARISED, "equal"): 949})[3] == "refuted"
    short = made_up({}, steps=3999)
    assert stacked_found.own_verdicts(short)[3] == "undecided"
    assert stacked_found.own_verdicts(short)[1] == "refuted"  # alike


def test_they_are_tabled_with_what_real_images_get():
    cells = stacked_found.every(made_up({"NS-GAN": [1, 2, 3]}))
    assert {len(line) for line in cells} == {len(study.STUDY.columns)}
    assert cells[0] == (study.REAL, "1000", "0.020")
    assert ("NS-GAN, D half", "1 2 3", "0.10 0.10 0.10") in cells
    assert "0.019" in stacked_found.rows(made_up({}))[0].measured
    means = stacked_found.means(made_up({"NS-GAN": [1, 2, 6]}, {"NS-GAN": [0.5, 0.6, 0.7]})).splitlines()
    assert len(means) == 2 + 1 + 10
    assert means[2] == "| real test images | 1000 (0.02) | – | – |"
    assert {line.count("|") for line in means} == {5}
    assert "| NS-GAN | 3 (0.60) | 3 (0.60) | 3 (0.60) |" in means


def test_the_record_is_of_these_settings():
    """Whoever changes a setting measures it again."""
    kept = record_of("stacked-mnist")
    wanted = study.units(kept["seeds"])
    assert len(kept["results"]) == len(wanted)
    for one, unit in zip(kept["results"], wanted.values(), strict=True):
        assert (one["setting"], one["share"], one["seed"]) == (unit["setting"], unit["share"], unit["seed"])
        if one["share"] is not None:
            config = study.CRITIC if one["setting"] == study.REGULARISED else study.RECIPE.config
            told = options_of(config)
            for option in told.keys() - {"steps", "device", "precision", "seed"}:
                assert one["config"][option] == json.loads(json.dumps(told[option]))
            assert one["samples"] == 26_000

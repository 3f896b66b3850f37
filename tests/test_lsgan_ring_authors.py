"""The ring of LSGAN's authors: their setting, and the verdicts on each of its two forms."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from recorded import record_of

from ganlab.errors import NonFiniteLoss, ShapeError
from ganlab.experiments import lsgan_ring, mode_counts
from ganlab.experiments import lsgan_ring_authors as study
from ganlab.experiments.study import get
from ganlab.experiments.units import Unit
from ganlab.training import SGD, Adam
from ganlab.training.config import options_of


def test_the_setting_is_the_authors():
    for setting in (*study.THEIRS, *study.EVEN):
        config = setting.config
        assert (config.batch, config.update, setting.z_dim, setting.activation) == (512, "simultaneous", 256, "tanh")
        assert (config.optimizer_d, config.optimizer_g) == (Adam(1e-4, 0.5), Adam(1e-3, 0.5))
        assert (config.instance_noise, config.decay_from, config.k, config.noise) == (0, 1, 1, "normal")
        G, D = setting.ensemble([0]).member(0)
        for network in (G, D):
            layers = [tuple(layer.weight.shape) for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
            assert [out for out, _ in layers[:-1]] == [128, 128]


def test_one_ring_has_a_mode_twice_as_heavy_and_the_other_equal_ones():
    weights = {study.THEIRS: [1 / 9] * 7 + [2 / 9], study.EVEN: [1 / 8] * 8}
    for settings, expected in weights.items():
        assert [setting.name for setting in settings] == list(lsgan_ring.OBJECTIVES)
        for law in (setting.law for setting in settings):
            assert sorted(torch.as_tensor(law.weights).tolist()) == pytest.approx(expected)
            assert law.sigmas[0] == pytest.approx(0.01)
            assert torch.as_tensor(law.modes).norm(dim=1).tolist() == pytest.approx([1] * 8)


def test_each_ring_is_a_study_of_its_own():
    studies = {study.STUDY.name: study.THEIRS, study.STUDY_EVEN.name: study.EVEN}
    assert list(studies) == ["lsgan-ring-authors", "lsgan-ring-authors-equal"]
    for name, settings in studies.items():
        units = get(name).units(range(3))
        assert [unit["setting"] for unit in units.values()] == list(settings)
        assert {unit["seeds"] for unit in units.values()} == {(0, 1, 2)}


def test_steps_and_device_are_a_readers_and_the_rest_stays(tmp_path: Path):
    setting = replace(study.THEIRS[0], config=replace(study.THEIRS[0].config, batch=16))
    found = study.measure(Unit("u", tmp_path, "key"), setting=setting, seeds=[0, 1], steps=10, device="cpu")
    short = replace(setting, config=replace(setting.config, steps=10, device="cpu"))
    assert found == mode_counts.run(short, [0, 1]) | {"diverged": []}


def briefly(folder: Path, **options: Any) -> dict[str, Any]:
    config = replace(study.THEIRS[0].config, batch=16, **options)
    setting = replace(study.THEIRS[0], config=config)
    return study.measure(Unit("u", folder, "key"), setting=setting, seeds=[0, 1, 2], steps=20, device="cpu")


def test_a_seed_that_diverges_counts_as_without_modes_and_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole, run = briefly(tmp_path), mode_counts.run

    def diverging(setting: mode_counts.Setting, seeds: Sequence[int], *told: Any) -> dict[str, Any]:
        if 1 in seeds:
            raise NonFiniteLoss("at step 3 D's loss is nan and G's nan; go on with lower rates.")
        return run(setting, seeds, *told)

    monkeypatch.setattr(mode_counts, "run", diverging)
    found = briefly(tmp_path)
    assert (found["diverged"], found["seeds"]) == ([1], [0, 1, 2])
    for name, lost in {"modes": 0, "high_quality": 0.0, "kl": None}.items():
        assert [look[1] for look in found[name]] == [lost] * 10
        assert [look[::2] for look in found[name]] == [look[::2] for look in whole[name]]
    assert found.keys() == whole.keys()
    assert [found[name] for name in ("steps", "config", "law")] == [whole[name] for name in ("steps", "config", "law")]


def test_a_setting_that_diverges_with_every_seed_does_not_stop_the_study(tmp_path: Path):
    endless = SGD(1e38)
    found = briefly(tmp_path, optimizer_d=endless, optimizer_g=endless)
    assert found["diverged"] == [0, 1, 2]
    assert found["modes"] == [[0, 0, 0]] * 10
    record = {"results": [found | {"setting": setting.name} for setting in study.THEIRS]}
    verdicts = study.verdicts(record, lsgan_ring.BY_SUM)
    assert verdicts["NS-GAN", "LSGAN (−1, 1, 0)"] == "refuted"


def made_up(name: str, modes: list[int], kl: list[Any]) -> dict[str, Any]:
    full: dict[str, Any] = {"modes": [[8] * 4], "kl": [[0.1] * 4]}
    found = {one: {"setting": one, **full} for one in lsgan_ring.OBJECTIVES}
    found[name] |= {"modes": [modes], "kl": [kl]}
    return {"results": list(found.values())}


def test_a_record_is_judged_by_modes_and_where_all_are_found_by_kl():
    record = made_up("NS-GAN", [1, 2, 1, 2], [0.1] * 4)
    difference, margin = study.compared(record, "LSGAN (0, 1, 1)", "NS-GAN")
    assert (difference.mean, margin) == (6.5, lsgan_ring.MARGIN_MODES)
    assert study.verdicts(record, lsgan_ring.BY_SUM)["NS-GAN", "LSGAN (0, 1, 1)"] == "refuted"
    record = made_up("NS-GAN", [8] * 4, [0.1] * 4)
    difference, margin = study.compared(record, "LSGAN (0, 1, 1)", "NS-GAN")
    assert (difference.mean, margin) == (0, lsgan_ring.MARGIN_NATS)
    assert study.verdicts(record, lsgan_ring.BY_SUM)["NS-GAN", "LSGAN (0, 1, 1)"] == "holds"


@pytest.mark.parametrize(
    ("modes", "verdict"),
    [
        ([1, 2, 1, 2], "holds"),
        ([7, 7, 7, 6], "holds"),
        ([8, 8, 7, 6], "undecided"),
        ([8, 8, 8, 8], "refuted"),
    ],
)
def test_the_authors_claim_is_judged_by_the_modes_alone(modes: list[int], verdict: str):
    assert study.authors_verdict(made_up("NS-GAN", modes, [2.0] * 4)) == verdict


def test_a_seed_without_a_good_sample_is_as_far_from_even_as_can_be():
    record = study.whole(made_up("NS-GAN", [8, 8, 8, 0], [0.1, 0.1, 0.1, None]))
    kept = {one["setting"]: one for one in record["results"]}
    assert kept["NS-GAN"]["kl"] == [[0.1, 0.1, 0.1, math.log(8)]]
    assert set(kept) == set(lsgan_ring.OBJECTIVES)


@pytest.mark.parametrize("name", ["lsgan-ring-authors", "lsgan-ring-authors-equal"])
def test_the_record_is_of_these_settings(name: str):
    """Whoever changes a setting measures it again."""
    kept = record_of(name)
    assert kept["preset"] == "half"  # the length that counts, as was written before
    assert kept["seeds"] == list(range(16))
    for one, setting in zip(kept["results"], study.THEIRS, strict=True):
        assert (one["setting"], one["objective"]) == (setting.name, setting.objective.name)
        told = options_of(setting.config)
        for option in told.keys() - {"steps", "device"}:
            assert one["config"][option] == json.loads(json.dumps(told[option]))
        assert one["config"]["steps"] == kept["options"]["steps"]


def test_an_error_that_is_no_divergence_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def count(*_: Any) -> None:
        raise ShapeError("samples [3], modes [8, 2] do not fit")

    monkeypatch.setattr(mode_counts, "count", count)
    with pytest.raises(ShapeError, match="do not fit"):
        briefly(tmp_path)

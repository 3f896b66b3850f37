"""The ring of LSGAN's authors: their setting, and the verdicts on each of its two forms."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from recorded import record_of

from ganlab import data
from ganlab.experiments import lsgan_ring, mode_counts
from ganlab.experiments import lsgan_ring_authors as study
from ganlab.experiments.units import Unit
from ganlab.training import Adam
from ganlab.training.config import options_of

DOUBLE, EQUAL = study.WAYS


def test_the_setting_is_the_authors():
    assert len(study.SETTINGS) == 16
    for setting in study.SETTINGS:
        config = setting.config
        assert (config.batch, config.update, setting.z_dim, setting.activation) == (512, "simultaneous", 256, "tanh")
        assert (config.optimizer_d, config.optimizer_g) == (Adam(1e-4, 0.5), Adam(1e-3, 0.5))
        assert (config.instance_noise, config.decay_from, config.k, config.noise) == (0, 1, 1, "normal")
        G, D = setting.ensemble([0]).member(0)
        for network in (G, D):
            layers = [tuple(layer.weight.shape) for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
            assert [out for out, _ in layers[:-1]] == [128, 128]


def test_one_ring_has_a_mode_twice_as_heavy_and_the_other_equal_ones():
    weights = [sorted(torch.as_tensor(law.weights).tolist()) for law in study.WAYS.values()]
    assert weights[0] == pytest.approx([1 / 9] * 7 + [2 / 9])
    assert weights[1] == pytest.approx([1 / 8] * 8)
    for law in study.WAYS.values():
        assert law.sigmas[0] == pytest.approx(0.01)
        assert torch.as_tensor(law.modes).norm(dim=1).tolist() == pytest.approx([1] * 8)


def test_steps_and_device_are_a_readers_and_the_rest_stays(tmp_path: Path):
    setting = replace(study.SETTINGS[0], config=replace(study.SETTINGS[0].config, batch=16))
    found = study.measure(Unit("u", tmp_path, "key"), setting=setting, seeds=[0, 1], steps=10, device="cpu")
    short = replace(setting, config=replace(setting.config, steps=10, device="cpu"))
    assert found == mode_counts.run(short, [0, 1])


def made_up(way: str, name: str, modes: list[int], kl: list[Any]) -> dict[str, Any]:
    full: dict[str, Any] = {"modes": [[8] * 4], "kl": [[0.1] * 4]}
    results = [{"setting": setting.name, **full} for setting in study.SETTINGS]
    for one in results:
        if one["setting"] == f"{way}: {name}":
            one |= {"modes": [modes], "kl": [kl]}
    return {"results": results}


def test_each_ring_is_judged_by_itself():
    record = made_up(DOUBLE, "NS-GAN", [1, 2, 1, 2], [0.1] * 4)
    difference, margin = study.compared(record, DOUBLE, "LSGAN (0, 1, 1)", "NS-GAN")
    assert (difference.mean, margin) == (6.5, lsgan_ring.MARGIN_MODES)
    difference, margin = study.compared(record, EQUAL, "LSGAN (0, 1, 1)", "NS-GAN")
    assert (difference.mean, margin) == (0, lsgan_ring.MARGIN_NATS)
    assert study.verdicts(record, DOUBLE, lsgan_ring.BY_SUM)["NS-GAN", "LSGAN (0, 1, 1)"] == "refuted"
    assert study.verdicts(record, EQUAL, lsgan_ring.BY_SUM)["NS-GAN", "LSGAN (0, 1, 1)"] == "holds"


def test_a_seed_without_a_good_sample_is_as_far_from_even_as_can_be():
    record = made_up(EQUAL, "NS-GAN", [8, 8, 8, 0], [0.1, 0.1, 0.1, None])
    kept = {one["setting"]: one for one in study.of(record, EQUAL)["results"]}
    assert kept["NS-GAN"]["kl"] == [[0.1, 0.1, 0.1, math.log(8)]]
    assert set(kept) == set(lsgan_ring.OBJECTIVES)


def test_the_record_is_of_these_settings():
    """Whoever changes a setting measures it again."""
    kept = record_of("lsgan-ring-authors")
    assert kept["seeds"] == list(range(16))
    for one, setting in zip(kept["results"], study.SETTINGS, strict=True):
        assert (one["setting"], one["objective"]) == (setting.name, setting.objective.name)
        told = options_of(setting.config)
        for option in told.keys() - {"steps", "device"}:
            assert one["config"][option] == json.loads(json.dumps(told[option]))
        assert one["config"]["steps"] == kept["options"]["steps"]
    assert data.lsgan_ring().sigmas[0] == pytest.approx(0.01)

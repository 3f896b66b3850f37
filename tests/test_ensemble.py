"""Many GANs at once are the same GANs one at a time."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from ganlab import data, models
from ganlab.errors import ConfigError, NonFiniteLoss, ShapeError
from ganlab.models.stacked import Stacked
from ganlab.objectives import NON_SATURATING, least_squares
from ganlab.training import SGD, Adam, Ensemble, RMSProp, TrainConfig, Trainer

SEEDS = (0, 1, 7)
STEPS = 100


def pair() -> tuple[nn.Module, nn.Module]:
    return models.ToyGenerator(z_dim=8, width=32), models.ToyDiscriminator(width=32)


def alone(seed: int, objective, law, config: TrainConfig) -> Trainer:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        G, D = pair()
    trainer = Trainer(G, D, objective, law, replace(config, seed=seed))
    for _ in trainer.run():
        pass
    return trainer


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"k": 3, "ema": 0.9},
        {"update": "simultaneous", "optimizer_d": SGD(0.01), "optimizer_g": SGD(0.01, momentum=0.9)},
        {"instance_noise": 0.5, "decay_from": 0.5, "noise": "uniform"},
        {"update": "one per minibatch", "k": 2, "optimizer_d": Adam(weight_decay=0.1)},
        {"optimizer_d": RMSProp(), "optimizer_g": RMSProp()},
    ],
    ids=str,
)
@pytest.mark.parametrize("objective", [NON_SATURATING, least_squares(0, 1, 1)], ids=lambda objective: objective.name)
def test_an_ensemble_equals_single_runs(objective, options: dict):
    config = TrainConfig(steps=STEPS, device="cpu", **options)
    ensemble = Ensemble(pair, objective, data.ring(), config, seeds=SEEDS)
    for _ in ensemble.run():
        pass
    assert ensemble.history.shape == (STEPS, 4, len(SEEDS))
    for number, seed in enumerate(SEEDS):
        single = alone(seed, objective, data.ring(), config)
        G, D = ensemble.member(number)
        for ours, other in ((G, single.sampler), (D, single.D)):
            for one, two in zip(ours.parameters(), other.parameters(), strict=True):
                torch.testing.assert_close(one, two, atol=1e-5, rtol=0)
        torch.testing.assert_close(ensemble.history[..., number], single.history, atol=1e-5, rtol=0)
        torch.testing.assert_close(ensemble.sample(20)[number], single.sample(20), atol=1e-4, rtol=0)


def test_members_draw_from_examples_too():
    points = torch.randn(200, 2)
    config = TrainConfig(steps=20, device="cpu")
    ensemble = Ensemble(pair, NON_SATURATING, points, config, seeds=SEEDS)
    for _ in ensemble.run():
        pass
    single = alone(7, NON_SATURATING, points, config)
    torch.testing.assert_close(ensemble.history[..., 2], single.history, atol=1e-5, rtol=0)


def test_a_member_that_breaks_stops_the_run():
    config = TrainConfig(steps=400, optimizer_d=SGD(1e30), optimizer_g=SGD(1e30), device="cpu")
    with pytest.raises(NonFiniteLoss, match="at step"):
        for _ in Ensemble(pair, least_squares(0, 1, 1), data.ring(), config, seeds=SEEDS).run():
            pass


def test_an_ensemble_resumes_exactly(tmp_path):
    config = TrainConfig(steps=30, device="cpu")
    whole, first, second = (Ensemble(pair, NON_SATURATING, data.ring(), config, seeds=SEEDS) for _ in range(3))
    for _ in whole.run():
        pass
    steps = first.run()
    for _ in range(13):
        next(steps)
    first.save(tmp_path / "c.pt")
    assert second.resume(tmp_path / "c.pt")
    for _ in second.run():
        pass
    assert torch.equal(second.history, whole.history)
    assert torch.equal(second.sample(5), whole.sample(5))


def test_what_cannot_be_stacked_is_named():
    with pytest.raises(ConfigError, match="BatchNorm1d"):
        Stacked([models.MLPGenerator(side=8)])
    with pytest.raises(ConfigError, match="2 networks differ"):
        Stacked([models.ToyGenerator(width=8), models.ToyGenerator(width=9)])
    with pytest.raises(ConfigError, match="1 networks are given"):
        Stacked([nn.Linear(2, 2)])
    with pytest.raises(ConfigError, match="seeds are none"):
        Ensemble(pair, NON_SATURATING, data.ring(), TrainConfig(), seeds=[])
    with pytest.raises(ShapeError, match=r"\[64, 8\].*\[1, batch, n\]"):
        Stacked([models.ToyGenerator(z_dim=8)])(torch.zeros(64, 8))

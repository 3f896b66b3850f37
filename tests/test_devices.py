"""Training on a device other than the processor: nothing of a step stays behind, and no step waits for the device.

There is no such device here. torch's "meta" stands in for it: its tensors have a place and a shape but no values, so
that reading one raises; an operation that is given tensors of both places is found out before it runs.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
from labelled import labelled
from own import image_trainer, seeded
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ganlab import models
from ganlab.objectives import NON_SATURATING, RELATIVISTIC, Objective
from ganlab.training import LSGANGP, R1, R1R2, R2, SGD, WGANGP, Ensemble, TrainConfig, Trainer
from ganlab.training.averaging import Average
from ganlab.training.optimisers import trained
from ganlab.training.sampling import draw_noise

AWAY = torch.device("meta")
MOVES = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}


class OneDevice(TorchDispatchMode):
    """Raises where an operation, other than one that moves a tensor, is given tensors of two devices."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        places = {leaf.device.type for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor) and leaf.ndim}
        assert len(places) < 2 or func in MOVES, f"{func} is given tensors on {sorted(places)}"
        return func(*args, **(kwargs or {}))


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Callable[[Trainer], Trainer]:
    """Takes a trainer to the other device, as if it had been made there."""
    here = torch.Generator()

    def take(trainer: Trainer) -> Trainer:
        for module in ("trainer", "sources", "conditions", "ensemble"):  # the device has no generator of its own
            monkeypatch.setattr(f"ganlab.training.{module}.generator", lambda *_: here)
        for module in ("trainer", "ensemble"):  # noise is drawn where its generator is
            monkeypatch.setattr(f"ganlab.training.{module}.draw_noise", lambda *given: draw_noise(*given).to(AWAY))
        trainer.device = AWAY
        trainer.G.to(AWAY)
        trainer.D.to(AWAY)
        trainer.optimizer_g, trainer.optimizer_d = (
            torch.optim.Adam(trained(network)) if chosen != SGD() else torch.optim.SGD(trained(network), 0.1)
            for network, chosen in ((trainer.G, trainer.config.optimizer_g), (trainer.D, trainer.config.optimizer_d))
        )
        trainer._history = trainer._history.to(AWAY)
        trainer.ema = Average(trainer.G) if trainer.ema else None
        sources: list[Any] = [*getattr(trainer.source, "_sources", [trainer.source])]
        if trainer.conditions is not None:
            sources.append(trainer.conditions.source)
            trainer.conditions._device = AWAY
        for source in sources:
            source._examples, source._device, source._epoch = source._examples.to(AWAY), AWAY, -1
        monkeypatch.setattr(trainer, "_precision", contextlib.nullcontext)
        monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())  # it knows no such device
        monkeypatch.setattr(torch, "is_autocast_enabled", lambda *_: False)  # nor does this
        monkeypatch.setattr(trainer, "refuse_non_finite", lambda: None)  # it looks at the losses, every 50 steps
        return trainer

    return take


def stays_away(trainer: Trainer) -> None:
    """Train under watch; what has come of it lies on the other device."""
    with OneDevice():
        for record in trainer.run():
            assert record.step > 0
    states = [state for of in (trainer.optimizer_g, trainer.optimizer_d) for state in of.state.values()]
    left = [*trainer.G.state_dict().values(), *trainer.D.state_dict().values(), trainer._history]
    left += [value for state in states for value in state.values() if isinstance(value, Tensor) and value.ndim]
    assert {tensor.device.type for tensor in left} == {"meta"}


def pixels(side: int, channels: int = 1) -> Tensor:
    return torch.randint(256, (16, channels, side, side), dtype=torch.uint8)


PAIRS: dict[str, tuple[Callable[[], tuple[nn.Module, nn.Module]], Tensor]] = {
    "MLP": (lambda: (models.MLPGenerator(side=8), models.MLPDiscriminator(side=8)), pixels(8)),
    "DCGAN": (lambda: (models.DCGANGenerator(16, 1, 4), models.DCGANDiscriminator(16, 1, 4)), pixels(16)),
    "DCGAN, text": (
        lambda: (models.DCGANGenerator(16, 1, 4, variant="text"), models.DCGANDiscriminator(16, 1, 4, variant="text")),
        pixels(16),
    ),
    "maxout of 2014": (lambda: (models.Generator2014(), models.Discriminator2014()), pixels(28)),
    "convolutional of 2014": (lambda: (models.DeconvGenerator2014(), models.ConvDiscriminator2014()), pixels(32, 3)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_every_pair_of_the_course(name: str, away: Callable[[Trainer], Trainer]):
    make, images = PAIRS[name]
    config = TrainConfig(steps=2, batch=8, device="cpu", ema=0.9, instance_noise=0.1)
    G, D = seeded(make)
    stays_away(away(Trainer(G, D, NON_SATURATING, images, config)))


@pytest.mark.parametrize("objective", [NON_SATURATING, RELATIVISTIC], ids=lambda of: of.name)
@pytest.mark.parametrize("penalty", [R1(1.0), R2(1.0), R1R2(1.0, final=0.1), WGANGP(), LSGANGP(30.0, c=1.0)], ids=str)
def test_every_penalty(objective: Objective, penalty: Any, away: Callable[[Trainer], Trainer]):
    stays_away(away(image_trainer(objective=objective, penalty=penalty)))


@pytest.mark.parametrize("update", ["alternating", "simultaneous", "one per minibatch", "shared samples"])
@pytest.mark.parametrize("objective", [NON_SATURATING, RELATIVISTIC], ids=lambda of: of.name)
def test_every_update_rule(update: str, objective: Objective, away: Callable[[Trainer], Trainer]):
    stays_away(away(image_trainer(objective=objective, update=update, decay_from=0.5)))


@pytest.mark.parametrize("fake_labels", ["real", "uniform"])
def test_labels(fake_labels: str, away: Callable[[Trainer], Trainer]):
    stays_away(away(labelled(fake_labels=fake_labels)))


def test_an_ensemble(away: Callable[[Trainer], Trainer]):
    def make() -> tuple[nn.Module, nn.Module]:
        return models.ToyGenerator(z_dim=4, width=8), models.ToyDiscriminator(width=8)

    config = TrainConfig(steps=2, batch=8, device="cpu", penalty=WGANGP(), instance_noise=0.1)
    stays_away(away(Ensemble(make, NON_SATURATING, torch.randn(16, 2), config, seeds=range(2))))


class Behind(nn.Module):
    """A D with a tensor that does not move with it."""

    def __init__(self, reads: bool) -> None:
        super().__init__()
        self.net, self.reads, self.mean = nn.Linear(64, 1), reads, torch.zeros(64)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1) - (x.mean().item() if self.reads else self.mean)
        return self.net(x).squeeze(1)


@pytest.mark.parametrize(("reads", "said"), [(True, "cannot be called on meta tensors"), (False, "tensors on")])
def test_what_stays_behind_or_waits_is_found_out(reads: bool, said: str, away: Callable[[Trainer], Trainer]):
    trainer = away(image_trainer(D=Behind(reads)))
    with pytest.raises((RuntimeError, AssertionError), match=said):
        stays_away(trainer)

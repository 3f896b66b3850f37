"""A real and a generated batch go through D in one pass where each example is answered as it would be alone."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from labelled import LabelledD, labelled
from own import DIGITS, ImageG, image_trainer, seeded, toy_ensemble
from tiny import run
from torch import Tensor, nn
from torch.nn.utils import spectral_norm
from torch.nn.utils.parametrizations import spectral_norm as parametrized

from ganlab import data, models
from ganlab.objectives import NON_SATURATING, RELATIVISTIC, Objective
from ganlab.training import R1, WGANGP, TrainConfig, Trainer


class D(nn.Module):
    """Images [n, 1, 8, 8] → layers → logits [n]."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.net = nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).squeeze(1)


class Spread(nn.Module):
    """The batch's standard deviation, as much of it as is learnt: none at first."""

    def __init__(self) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.share * x.std(dim=0, keepdim=True)


class FixedBatch(nn.Module):
    """A layer that has its batch size written into it."""

    def forward(self, x: Tensor) -> Tensor:
        return x.view(4 if len(x) == 4 else 16, 1, 8, 8)


class Counts(nn.Module):
    """A layer that counts how often it is called."""

    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x


ALONE: dict[str, Callable[[], nn.Module]] = {
    "fully connected": lambda: models.MLPDiscriminator(side=8, hidden=(16,)),
    "convolution": lambda: D(nn.Conv2d(1, 4, 3), nn.LeakyReLU(0.2)),
    "overwriting": lambda: D(nn.LeakyReLU(0.2, inplace=True)),
    "layer norm": lambda: D(nn.Conv2d(1, 4, 3), nn.GroupNorm(1, 4), nn.ReLU()),
    "instance norm": lambda: D(nn.Conv2d(1, 4, 3), nn.InstanceNorm2d(4, affine=True)),
    "weights of 0": lambda: D(nn.Linear(8, 8), _zeros(nn.Linear(8, 8))),
}
BY_BATCH: dict[str, Callable[[], nn.Module]] = {
    "batch norm": lambda: D(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)),
    "batch norm without statistics": lambda: D(nn.BatchNorm2d(1, track_running_stats=False)),
    "dropout": lambda: D(nn.Dropout(0.5)),
    "dropout of what is not looked at yet": lambda: D(nn.Dropout(0.5), _zeros(nn.Linear(8, 8))),
    "spectral norm": lambda: D(spectral_norm(nn.Conv2d(1, 4, 3))),
    "spectral norm, parametrized": lambda: D(parametrized(nn.Conv2d(1, 4, 3))),
    "a batch's spread": lambda: D(nn.Conv2d(1, 4, 3), Spread()),
    "a batch size of its own": lambda: D(FixedBatch()),
    "a counter": lambda: D(Counts()),
}


def _zeros(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    return layer


def trained_apart(trainer: Trainer) -> Trainer:
    """Trained with each batch in a pass of its own."""
    trainer.fit = replace(trainer.fit, together=False)
    return run(trainer)


@pytest.mark.parametrize("make", ALONE.values(), ids=ALONE.keys())
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_one_pass_over_both_trains_as_two(make: Callable[[], nn.Module], precision: str):
    def trainer() -> Trainer:
        return image_trainer(seeded(ImageG), seeded(make), steps=10, precision=precision, instance_noise=0.2)

    both, apart = run(trainer()), trained_apart(trainer())
    assert both.fit.together
    # bfloat16 keeps 8 binary digits of what is the same sum in another order
    torch.testing.assert_close(both.history, apart.history, rtol=0, atol=2e-5 if precision == "float32" else 2e-2)


@pytest.mark.parametrize("make", BY_BATCH.values(), ids=BY_BATCH.keys())
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_what_looks_at_its_batch_draws_or_counts_sees_each_apart(make: Callable[[], nn.Module], precision: str):
    assert not image_trainer(seeded(ImageG), seeded(make), precision=precision).fit.together


@pytest.mark.parametrize("penalty", [None, R1(0.5), WGANGP(0.5)], ids=str)
@pytest.mark.parametrize("objective", [NON_SATURATING, RELATIVISTIC], ids=lambda of: of.name)
def test_penalties_pairs_and_several_steps_of_D(penalty: R1 | WGANGP | None, objective: Objective):
    def trainer() -> Trainer:
        return image_trainer(seeded(ImageG), seeded(ALONE["convolution"]), objective=objective, k=2, penalty=penalty)

    pairs = objective.output == "pair"
    assert trainer().fit.together is not pairs
    both, apart = run(trainer()), trained_apart(trainer())
    torch.testing.assert_close(both.history, apart.history, rtol=0, atol=2e-5)


def test_on_pairs_what_moves_all_logits_alike_stays():
    """The gradients of real and generated logits in D's last bias cancel exactly, whatever Adam makes of rounding."""
    trainer = image_trainer(objective=RELATIVISTIC)
    *_, bias = trainer.D.parameters()
    before = bias.detach().clone()
    run(trainer)
    assert torch.equal(bias, before)


def test_labels_go_with_their_batch():
    def trainer() -> Trainer:
        return labelled(steps=10, fake_labels="uniform")

    assert isinstance(trainer().D, LabelledD)
    assert trainer().fit.together
    torch.testing.assert_close(run(trainer()).history, trained_apart(trainer()).history, rtol=0, atol=2e-5)


def test_members_of_an_ensemble():
    together, apart = run(toy_ensemble()), trained_apart(toy_ensemble())
    assert together.fit.together
    torch.testing.assert_close(together.history, apart.history, rtol=0, atol=2e-5)


def test_D_is_called_once_for_both_batches():
    seen = []
    trainer = image_trainer(D=seeded(ALONE["convolution"]), x=DIGITS.images, steps=1)
    trainer.D.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    run(trainer)
    assert seen == [32, 16]  # both batches for D, one for G


def test_a_simultaneous_step_needs_the_generated_samples_graph_alone():
    trainer = Trainer(
        *(seeded(lambda: models.ToyGenerator(z_dim=4, width=8)), seeded(lambda: models.ToyDiscriminator(width=8))),
        NON_SATURATING,
        data.ring(),
        TrainConfig(steps=1, batch=16, device="cpu", update="simultaneous"),
    )
    seen = []
    trainer.D.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    run(trainer)
    assert seen == [16, 16]

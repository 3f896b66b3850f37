"""Labels y in both networks, G(z, y) and D(x, y): steps written out, and whose labels they are."""

import copy
import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from labelled import CLASSES, LABELS, ON_PAIRS, LabelledD, LabelledG, labelled
from own import DIGITS
from scipy import stats
from torch import Tensor, nn

from ganlab import data, models
from ganlab.objectives import NON_SATURATING, RELATIVISTIC, Objective
from ganlab.training import LSGANGP, R1, R1R2, R2, SGD, WGANGP, TrainConfig, Trainer
from ganlab.training.randomness import derived_seed


def seen_by(trainer: Trainer) -> list[tuple[str, Tensor, Tensor]]:
    """What both networks are given in a step, in order: the role, its input and the labels."""
    seen: list[Any] = []
    for role, model in (("G", trainer.G), ("D", trainer.D)):
        model.register_forward_pre_hook(lambda _, given, role=role: seen.append((role, *given)))
    next(trainer.run())
    return seen


# Steps ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"k": 2}, {"update": "simultaneous"}], ids=str)
@pytest.mark.parametrize("fake_labels", ["real", "uniform"])
@pytest.mark.parametrize("penalty", [None, R1(0.5), R2(0.5), R1R2(0.5), LSGANGP(0.1, c=0.5)], ids=str)
@ON_PAIRS
def test_a_step_is_the_step_written_out(objective: Objective, penalty, fake_labels: str, options):
    """One step with plain gradients, from the examples' own first column, the noise and the drawn labels alone."""
    rate = SGD(0.1, momentum=0.0)
    trainer = labelled(
        objective, optimizer_d=rate, optimizer_g=rate, penalty=penalty, fake_labels=fake_labels, **options
    )
    G, D = copy.deepcopy(trainer.G), copy.deepcopy(trainer.D)
    k, pairs, together = trainer.config.k, objective is RELATIVISTIC, "update" in options
    before, first_x, first_z = copy.deepcopy(D), trainer.real_batch(0), trainer.noise("z for D, 0")

    def of_batch(number: int, stream: str) -> tuple[Tensor, Tensor, Tensor]:
        """x, its labels as x itself tells them, and those of the generated batch."""
        x = trainer.real_batch(number)
        y = x[:, 0].long()
        drawn = torch.Generator().manual_seed(derived_seed(0, 0, 0, stream))
        return x, y, y if fake_labels == "real" else torch.randint(CLASSES, (8,), generator=drawn)

    loss_d = torch.zeros(())
    for i in range(k):
        x, y, y_fake = of_batch(i, f"y for D, {i}")
        fake = G(trainer.noise(f"z for D, {i}"), y_fake).detach()
        t_real, t_fake = D(x, y), D(fake, y_fake)
        loss_d = F.softplus(t_fake - t_real).mean() if pairs else (F.softplus(-t_real) + F.softplus(t_fake)).mean()
        torch.manual_seed(derived_seed(0, 0, 0, "model"))
        descend(D, loss_d + by_hand(penalty, D, x, y, fake, y_fake, skip=i), 0.1)
    last = 0 if together else k if pairs else k - 1
    x, y, y_fake = of_batch(last, "y for D, 0" if together else "y for G")
    z = first_z if together else trainer.noise("z for G")
    judge = before if together else D
    assert not together or torch.equal(x, first_x)
    t_fake, t_real = judge(G(z, y_fake), y_fake), judge(x, y).detach()
    loss_g = F.softplus(t_real - t_fake).mean() if pairs else F.softplus(-t_fake).mean()
    descend(G, loss_g, 0.1)

    record = next(trainer.run())
    assert record.discriminator_loss == pytest.approx(loss_d.item(), abs=1e-6)
    assert record.generator_loss == pytest.approx(loss_g.item(), abs=1e-6)
    for ours, other in ((trainer.G, G), (trainer.D, D)):
        for one, two in zip(ours.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(one, two, atol=1e-6, rtol=0)


def by_hand(penalty, D: nn.Module, x: Tensor, y: Tensor, fake: Tensor, y_fake: Tensor, skip: int) -> Tensor:
    """The penalty from the slope at each sample alone."""
    total = torch.zeros(())
    if isinstance(penalty, LSGANGP):
        for _ in range(skip):
            _ = torch.rand(8, 1), torch.rand(8, 2)
        moved = x + torch.rand(8, 1) * penalty.c * torch.rand(8, 2)
        for point, label in zip(moved, y, strict=True):
            total = total + penalty.lambda_ * (slope(D, point, label).norm() - 1) ** 2 / 8
    elif penalty is not None:
        batches = [(x, y)] * isinstance(penalty, R1 | R1R2) + [(fake, y_fake)] * isinstance(penalty, R2 | R1R2)
        for points, labels in batches:
            for point, label in zip(points, labels, strict=True):
                total = total + penalty.gamma / 2 * slope(D, point, label).square().sum() / 8
    return total


def slope(D: nn.Module, point: Tensor, label: Tensor) -> Tensor:
    point = point.detach().clone().requires_grad_()
    return torch.autograd.grad(D(point[None], label[None]).sum(), point, create_graph=True)[0]


def descend(net: nn.Module, loss: Tensor, rate: float) -> None:
    weights = list(net.parameters())
    slopes = torch.autograd.grad(loss, weights)
    with torch.no_grad():
        for weight, along in zip(weights, slopes, strict=True):
            weight -= rate * along


def test_between_two_samples_of_one_label_the_slope_is_that_labels():
    """WGAN-GP, with a D whose slope is its label: (y − 1)² on average."""

    class Ramp(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = nn.Parameter(torch.ones(()))

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.gain * y * x[:, 1]

    trainer = labelled(D=Ramp(), penalty=WGANGP(2.0))
    x, y = trainer.real_batch(3), trainer.labels(3, "any")
    paid = trainer._with_penalty(torch.zeros(()), x, x.flip(0), y)
    expected = 2.0 * (x[:, 0] - 1).square().mean()
    torch.testing.assert_close(torch.as_tensor(paid).detach(), expected, atol=1e-4, rtol=0)


# Whose labels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [torch.uint8, torch.int32, torch.int64, "numpy", "list"], ids=str)
def test_labels_of_a_batch_are_those_of_its_examples_in_every_epoch(kind):
    given: Any = LABELS.tolist() if kind == "list" else LABELS.numpy() if kind == "numpy" else LABELS.to(kind)
    trainer = labelled(labels=given, seed=3, rank=1)
    for number in (0, 5, 6, 13, 2):  # 6 batches make an epoch
        (y,) = trainer.labels(number, "any").real
        assert y.dtype is torch.int64
        assert torch.equal(y, trainer.real_batch(number)[:, 0].long())


@pytest.mark.parametrize("fake_labels", ["real", "uniform"])
@pytest.mark.parametrize("k", [1, 3])
@ON_PAIRS
def test_in_a_step_each_network_sees_a_batch_with_its_own_labels(objective: Objective, k: int, fake_labels: str):
    trainer = labelled(objective, k=k, fake_labels=fake_labels)
    trainer.fit = replace(trainer.fit, together=False)  # each batch by itself, to be looked at
    seen = seen_by(trainer)
    pairs = objective is RELATIVISTIC
    assert [role for role, *_ in seen] == ["G", "D", "D"] * k + ["G", "D"] + ["D"] * pairs
    numbers = [n for i in range(k) for n in (i, i, i)] + [k if pairs else k - 1] * (2 + pairs)
    real = [False, True, False] * k + [False, False] + [True] * pairs
    drawn: list[Tensor] = []
    for (_, x, y), number, is_real in zip(seen, numbers, real, strict=True):
        own = trainer.real_batch(number)
        if is_real:
            assert torch.equal(x, own)
        if is_real or fake_labels == "real":
            assert torch.equal(y, own[:, 0].long())
        else:
            drawn.append(y)
    if fake_labels == "uniform":
        for of_g, of_d in zip(drawn[::2], drawn[1::2], strict=True):
            assert torch.equal(of_g, of_d)
        assert len({tuple(y.tolist()) for y in drawn}) == k + 1


def test_image_sets_and_mixtures_carry_their_labels():
    images = Trainer(
        models.ConditionalMLPGenerator(z_dim=4, side=8, hidden=[8]),
        models.ConditionalMLPDiscriminator(side=8, hidden=[8]),
        NON_SATURATING,
        DIGITS,
        TrainConfig(steps=3, batch=16, device="cpu"),
        labels=True,
    )
    by_image = {tuple(image.flatten().tolist()): int(y) for image, y in zip(DIGITS.images, DIGITS.labels, strict=True)}
    for number in range(6):
        x, (y,) = images.real_batch(number), images.labels(number, "any").real
        pixels = ((x + 1) * 127.5).round().to(torch.uint8).flatten(1)
        assert [by_image[tuple(image.tolist())] for image in pixels] == y.tolist()
    assert images.classes == 10
    for law in (data.ring(), data.grid(), data.lsgan_ring()):
        modes = law.modes
        trainer = labelled(x=law, labels=True, G=LabelledG(len(modes)), D=LabelledD(len(modes)), batch=200)
        assert trainer.classes == len(law.classes) == len(modes)
        for number in range(3):
            x, (y,) = trainer.real_batch(number), trainer.labels(number, "any").real
            assert torch.equal(torch.cdist(x, modes).argmin(dim=1), y)


def test_a_labelled_draw_is_the_draw_itself():
    for law in (data.ring(), data.mixture([-5.0, 5.0], 0.1, [1, 3])):
        x, y = law.sample_labelled(4000, torch.Generator().manual_seed(5))
        assert torch.equal(x, law.sample(4000, torch.Generator().manual_seed(5)))
        share = y.bincount(minlength=len(law.weights)) / 4000
        np.testing.assert_allclose(share, law.weights, atol=5 * 0.5 / 4000**0.5)


def test_uniform_labels_are_uniform_and_derived():
    """On examples of which nine in ten are of class 0; χ² at the level of 1 in 10⁴."""
    uneven = torch.tensor([0] * 900 + [1, 2, 3, 4] * 25)
    trainer = labelled(x=torch.randn(1000, 2), labels=uneven, fake_labels="uniform", batch=100)
    drawn = []
    for trainer.step in range(50):
        y = trainer.labels(trainer.step, "y for G")
        drawn.append(y.fake[0])
        assert y.real[0].bincount()[0] > 75
    counts = torch.cat(drawn).bincount(minlength=CLASSES)
    assert len(counts) == CLASSES
    assert stats.chisquare(counts.numpy()).pvalue > 1e-4
    at = {}
    for seed, rank, step, stream in itertools.product((0, 1), (0, 1), (0, 1), ("y for G", "y for D, 0")):
        again = labelled(fake_labels="uniform", seed=seed, rank=rank)
        again.step = step
        at[seed, rank, step, stream] = tuple(again.labels(0, stream).fake[0].tolist())
        torch.manual_seed(step)  # torch's own random numbers have no part in it
        assert tuple(again.labels(0, stream).fake[0].tolist()) == at[seed, rank, step, stream]
    assert len(set(at.values())) == len(at)

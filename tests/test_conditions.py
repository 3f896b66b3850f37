"""Labels y in both networks, G(z, y) and D(x, y): steps written out, whose labels they are, and what is refused."""

import copy
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from own import DIGITS, ImageD, ImageG, refusal, toy_ensemble, wrong
from PIL import Image
from scipy import stats
from tiny import assert_equal, run
from torch import Tensor, nn

from ganlab import cli, data, models, recipes, training
from ganlab.errors import CheckpointError, ConfigError, ShapeError
from ganlab.objectives import NON_SATURATING, RELATIVISTIC, Objective
from ganlab.training import LSGANGP, R1, R1R2, R2, SGD, WGANGP, TrainConfig, Trainer
from ganlab.training.labels import Labels

CLASSES = 5
LABELS = torch.arange(50) % CLASSES
POINTS = torch.stack([LABELS.float(), torch.arange(50) / 50], dim=1)
"""Each example's first number is its label, so that a batch tells whose labels belong to it."""
ON_PAIRS = pytest.mark.parametrize("objective", [NON_SATURATING, RELATIVISTIC], ids=lambda objective: objective.name)


class LabelledG(nn.Module):
    """z [n, 3] and a learned vector for y → points [n, 2]."""

    z_dim = 3

    def __init__(self, classes: int = CLASSES) -> None:
        super().__init__()
        self.table = nn.Embedding(classes, 2)
        self.net = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.net(torch.cat([z, self.table(y)], dim=1))


class LabelledD(nn.Module):
    """Points [n, 2] and a learned vector for y → logits [n]; notes the batches that it is given."""

    def __init__(self, classes: int = CLASSES) -> None:
        super().__init__()
        self.table = nn.Embedding(classes, 2)
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.net(torch.cat([x, self.table(y)], dim=1)).squeeze(1)


def labelled(
    objective: Objective = NON_SATURATING,
    labels: Any = LABELS,
    x: Any = POINTS,
    G: Any = None,
    D: Any = None,
    **options,
) -> Trainer:
    rank = options.pop("rank", 0)
    config = TrainConfig(**{"steps": 12, "batch": 8, "device": "cpu", **options})
    torch.manual_seed(1)
    G, D = G or LabelledG(), D or LabelledD()
    return Trainer(G, D, objective, x, config, labels=labels, rank=rank)


def seen_by(trainer: Trainer) -> list[tuple[str, Tensor, Tensor]]:
    """What both networks are given in a step, in order: the role, its input and the labels."""
    seen: list[tuple[str, Tensor, Tensor]] = []
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
        drawn = torch.Generator().manual_seed(training.randomness.derived_seed(0, 0, 0, stream))
        return x, y, y if fake_labels == "real" else torch.randint(CLASSES, (8,), generator=drawn)

    for i in range(k):
        x, y, y_fake = of_batch(i, f"y for D, {i}")
        fake = G(trainer.noise(f"z for D, {i}"), y_fake).detach()
        t_real, t_fake = D(x, y), D(fake, y_fake)
        loss_d = F.softplus(t_fake - t_real).mean() if pairs else (F.softplus(-t_real) + F.softplus(t_fake)).mean()
        torch.manual_seed(training.randomness.derived_seed(0, 0, 0, "model"))
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
            torch.rand(8, 1), torch.rand(8, 2)
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
    paid = trainer._penalty(x, x.flip(0), y)
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


# Runs ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fake_labels": "uniform", "k": 2},
        {"update": "simultaneous", "fake_labels": "uniform"},
        {"penalty": R1R2(0.5, final=0.1), "fake_labels": "uniform", "precision": "bfloat16"},
        {"penalty": WGANGP(0.5), "instance_noise": 0.3},
    ],
    ids=str,
)
@ON_PAIRS
def test_a_resumed_run_is_the_whole_run(objective: Objective, options: dict[str, Any], tmp_path: Path):
    def make() -> Trainer:
        return labelled(objective, ema=0.9, **options)

    run(make(), steps=5).save(tmp_path / "run.ckpt")
    second = make()
    assert second.resume(tmp_path / "run.ckpt")
    whole = run(make())
    assert whole.history.isfinite().all()
    assert_equal(run(second).state_dict(), whole.state_dict())
    assert torch.equal(second.sample(9), whole.sample(9))


def test_a_checkpoint_tells_labels_apart_and_says_nothing_without(tmp_path: Path):
    def plain() -> Trainer:
        return Trainer(ImageG(), ImageD(), NON_SATURATING, DIGITS, TrainConfig(steps=3, batch=16, device="cpu"))

    assert not {"labels", "fake_labels"} & plain().description.keys()
    run(labelled(), steps=5).save(tmp_path / "run.ckpt")
    for options, said in (
        ({"fake_labels": "uniform"}, "fake_labels: real then, uniform now"),
        ({"labels": LABELS.flip(0)}, "labels: "),
    ):
        with pytest.raises(CheckpointError, match=said):
            labelled(**options).resume(tmp_path / "run.ckpt")


def test_a_law_learns_with_labels_too():
    law = data.ring(sigma=0.05)
    trainer = run(labelled(x=law, labels=True, G=LabelledG(8), D=LabelledD(8), steps=20))
    assert trainer.history.isfinite().all()
    assert trainer.sample(16).shape == (16, 2)


@pytest.mark.slow
@pytest.mark.filterwarnings("default:::torch")  # the compiler's own
def test_compiled_networks_take_labels():
    """About 20 s: torch.compile builds two small networks."""
    images = data.load("digits", limit=200)
    both = []
    for compiled in (False, True):
        torch.manual_seed(1)
        G = models.ConditionalMLPGenerator(z_dim=4, side=8, hidden=[8])
        D = models.ConditionalMLPDiscriminator(side=8, hidden=[8])
        config = TrainConfig(steps=5, batch=16, device="cpu", penalty=R1(0.5), compile=compiled)
        both.append(run(Trainer(G, D, NON_SATURATING, images, config, labels=True)))
    for one, two in zip(both[0].D.parameters(), both[1].D.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=1e-4, rtol=0)


# Samples -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained() -> Trainer:
    recipe = recipes.get("cgan-digits")
    return run(recipe.trainer(steps=30, device="cpu"))


def test_samples_have_the_labels_that_are_asked_for(trained: Trainer):
    G = trained.sampler.eval()
    in_turn = trained.sample(23)
    assert torch.equal(in_turn, trained.sample(23, labels=torch.arange(23) % 10))
    sevens = trained.sample(23, labels=7)
    assert torch.equal(sevens, trained.sample(23, labels=np.full(23, 7)))
    for asked, samples in ((torch.arange(23) % 10, in_turn), (torch.full((23,), 7), sevens)):
        source = training.randomness.generator(torch.device("cpu"), 0, 0, 0, "samples")
        z = torch.empty(23, 32).normal_(generator=source)
        with torch.no_grad():
            torch.testing.assert_close(samples, G(z, asked), atol=1e-5, rtol=0)
    assert (in_turn - sevens)[torch.arange(23) % 10 != 7].abs().amax(dim=(1, 2, 3)).min() > 1e-3
    torch.testing.assert_close(in_turn[7::10], sevens[7::10], atol=1e-5, rtol=0)
    many = training.sample(G, 300, labels=torch.arange(300) % 7, batch=64)
    torch.testing.assert_close(many, training.sample(G, 300, labels=torch.arange(300) % 7), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (10, "labels hold 10; give numbers of 0 … 9"),
        (-1, "labels hold -1; give numbers of at least 0"),
        ([0, 1, 12, 3], "labels hold 12"),
        ([0, 1, 2], "labels have shape [3] for 4 samples; give one number, or 4 of them"),
        (1.5, "labels is 1.5; give an integer"),
        (True, "labels is True; give an integer"),
        ("all", "labels"),
        (torch.ones(4), "labels are torch.float32; give integers"),
        ([[0], [1], [2], [3]], "labels have shape [4, 1]"),
        ([], "labels"),
    ],
    ids=str,
)
def test_other_labels_of_samples_are_refused(trained: Trainer, labels: Any, said: str):
    assert said in refusal(lambda: trained.sample(4, labels=labels))
    assert said in refusal(lambda: training.sample(trained.G, 4, labels=labels))


def test_a_generator_without_labels_refuses_them_and_one_with_wants_them():
    assert "G (ImageG) cannot be called as G(z, y)" in refusal(lambda: training.sample(ImageG(), 4, labels=3))
    assert "G (LabelledG) cannot be called as G(z); give labels" in refusal(lambda: training.sample(LabelledG(), 4))
    assert training.sample(LabelledG(), 4, labels=3).shape == (4, 2)


def test_an_exported_generator_keeps_its_classes_and_samples(trained: Trainer, tmp_path: Path):
    training.export_generator(trained, tmp_path / "g")
    G, info = training.load_generator(tmp_path / "g")
    assert info.classes == 10
    for labels in (None, 3, torch.arange(12) % 3):
        assert torch.equal(training.sample(G, 12, labels=labels, seed=2), trained.sample(12, labels=labels, seed=2))
    own = run(labelled(), steps=2)
    training.export_generator(own, tmp_path / "own", weights_only=True)
    G, info = training.load_generator(tmp_path / "own", into=LabelledG())
    assert info.classes == CLASSES
    assert torch.equal(training.sample(G, 7, labels=torch.arange(7) % CLASSES), own.sample(7))
    changed = replace(info, classes=CLASSES + 1)
    assert changed.said != info.said
    assert "classes" not in replace(info, classes=None).said


# The command line ----------------------------------------------------------------------------------------------------


def test_the_command_line_draws_classes(trained: Trainer, tmp_path: Path):
    path, out = tmp_path / "g.safetensors", tmp_path / "s.npz"
    training.export_generator(trained, path)
    for options, labels in (
        ({"label": 7, "n": 9}, [7] * 9),
        ({"n": 12}, [*range(10), 0, 1]),
        ({"labels": "all", "n": 30}, [c for c in range(10) for _ in range(3)]),
        ({"labels": "all"}, [c for c in range(10) for _ in range(8)]),
    ):
        assert cli.sample(path, out=out, seed=4, **options) == 0
        with np.load(out) as written:
            assert written["labels"].tolist() == labels
            expected = trained.sample(len(labels), labels=labels, seed=4)
            assert torch.equal(torch.from_numpy(written["samples"]), expected)
    for n, columns in ((None, 8), (30, 3)):
        cli.sample(path, n=n, labels="all", out=tmp_path / "s.png")
        with Image.open(tmp_path / "s.png") as grid:
            assert grid.size == (columns * 42 + 2, 10 * 42 + 2)
    for options, said in (
        ({"label": 10}, "labels hold 10; give numbers of 0 … 9"),
        ({"labels": "some"}, "labels is 'some'"),
        ({"labels": "all", "label": 3}, "labels is 'all', label 3; give --labels all, or one class"),
        ({"labels": "all", "n": 64}, "n is 64 for a row each of 10 classes; give a multiple of 10"),
        ({"n": 0}, "n is 0"),
    ):
        assert said in refusal(lambda options=options: cli.sample(path, out=out, **options))


def test_training_shows_a_row_for_each_class(trained: Trainer, tmp_path: Path):
    cli._save(trained, tmp_path)
    with Image.open(tmp_path / "samples.png") as grid:
        assert grid.size == (8 * 42 + 2, 10 * 42 + 2)
        pixels = np.asarray(grid)
    of_seven = trained.sample(80, labels=[c for c in range(10) for _ in range(8)])[7 * 8 + 2, 0]
    top, left = 7 * 42 + 2, 2 * 42 + 2
    shown = pixels[top : top + 40 : 5, left : left + 40 : 5] / 127.5 - 1
    np.testing.assert_allclose(shown, of_seven, atol=1 / 127)


@pytest.mark.slow
def test_train_and_sample_a_class_in_a_process(tmp_path: Path):
    """About 10 s: three processes start."""
    train = ["train", "cgan-digits", "--steps", "20", "--device", "cpu"]
    sample = ["sample", "runs/cgan-digits/generator.safetensors"]
    results = [
        subprocess.run(
            [sys.executable, "-m", "ganlab", *arguments],
            cwd=tmp_path,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        for arguments in (train, [*sample, "--labels", "all"], [*sample, "--label", "12"])
    ]
    assert [result.returncode for result in results] == [0, 0, 2]
    (line,) = results[2].stderr.splitlines()
    assert line == "error: labels hold 12; give numbers of 0 … 9."
    with Image.open(tmp_path / "samples.png") as grid:
        assert grid.size == (8 * 42 + 2, 10 * 42 + 2)


@pytest.mark.slow
def test_each_class_of_digits_is_recognised():
    """About 20 s on two free cores: `cgan-digits` as it is; 1,000 samples before a classifier of the real digits.

    The classifier itself errs on 14 of 297 real digits that it has not seen.
    """
    from sklearn.svm import SVC

    def rows(x: Tensor) -> np.ndarray:
        return x.flatten(1).numpy()

    train, test = data.load("digits"), data.load("digits", split="test")
    judge = SVC(C=10).fit(rows(train.images / 127.5 - 1), train.labels.numpy())
    assert judge.score(rows(test.images / 127.5 - 1), test.labels.numpy()) > 0.94
    trainer = run(recipes.get("cgan-digits").trainer(seed=0, device="cpu"))
    y = torch.arange(1000) % 10
    right = judge.predict(rows(trainer.sample(1000, labels=y))) == y.numpy()
    assert right.mean() >= 0.95
    assert np.bincount(y[torch.from_numpy(right)]).min() >= 80


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (LABELS[:40], "labels have shape [40] for 50 examples; give one integer each, [50]"),
        (
            F.one_hot(LABELS),
            "labels have shape [50, 5] for 50 examples; give one integer each, [50], as labels.argmax(1)",
        ),
        (LABELS.float(), "labels are torch.float32; give integers 0, 1, …, as labels.long()"),
        (LABELS > 2, "labels are torch.bool"),
        (LABELS - 1, "labels hold -1; number the classes 0, 1, …"),
        (LABELS * 2, "class 1 of 9 has no example; number the classes that are there 0, 1, … without gaps"),
        (LABELS + 1, "class 0 of 6 has no example"),
        (["a"] * 50, "labels are"),
        ("digits", "labels are 'digits'; give integers"),
        (3, "labels have shape []"),
        (True, "labels is True but data is a Tensor, which carries none; give them: integers [50]"),
        (False, "labels is False; give integers [50], True for those of an image set, or None"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_labels_that_do_not_fit_the_examples_are_refused(labels: Any, said: str):
    assert said in refusal(lambda: labelled(labels=labels))


def test_the_advice_on_gaps_works():
    names = {"torch": torch, "labels": LABELS * 2 + 3}
    line = refusal(lambda: labelled(labels=names["labels"]))
    labels = eval(line.removesuffix(".").rpartition(": ")[2], names)
    assert torch.equal(labels, LABELS)
    assert labelled(labels=labels).classes == CLASSES


def test_an_image_set_that_lacks_a_class_is_refused():
    few = data.load("digits", limit=9)
    few = replace(few, labels=few.labels.clamp(max=8))
    pair = models.ConditionalMLPGenerator(side=8), models.ConditionalMLPDiscriminator(side=8)
    config = TrainConfig(steps=1, batch=4, device="cpu")
    line = refusal(lambda: Trainer(*pair, NON_SATURATING, few, config, labels=True))
    assert line.startswith("class 9 of 10 has no example")
    beyond = replace(DIGITS, labels=torch.where(DIGITS.labels == 3, 10, DIGITS.labels))
    assert "class 3 of 10" in refusal(lambda: Trainer(*pair, NON_SATURATING, beyond, config, labels=True))
    beyond.labels[:30] = DIGITS.labels[:30]
    assert "labels hold 10" in refusal(lambda: Trainer(*pair, NON_SATURATING, beyond, config, labels=True))


class Unlike(nn.Module):
    """G or D that takes no labels, or counts other classes."""

    z_dim = 3

    def __init__(self, n_out: int, classes: Any = None) -> None:
        super().__init__()
        self.net, self.classes = nn.LazyLinear(n_out), classes

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Counting(LabelledG):
    classes = 7


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: labelled(G=Unlike(2)), "G (Unlike) cannot be called as G(z, y); let its forward take int64 labels y"),
        (lambda: labelled(D=nn.Sequential(nn.Linear(2, 1))), "D (Sequential) cannot be called as D(x, y); let its"),
        (lambda: labelled(labels=None), "G (LabelledG) cannot be called as G(z); give labels=…"),
        (lambda: labelled(labels=None, G=Unlike(2)), "D (LabelledD) cannot be called as D(x); give labels=…"),
        (lambda: labelled(G=LabelledG(4)), "G (LabelledG) fails on z of shape [8, 3] with labels up to 4, in its"),
        (
            lambda: labelled(D=LabelledD(4)),
            "D (LabelledD) fails on examples of shape [8, 2] with labels up to 4, in its",
        ),
        (lambda: labelled(G=Counting()), "G (Counting) has 7 classes and the labels 5; make it with classes=5"),
        (lambda: labelled(labels=None, fake_labels="uniform"), "fake_labels is 'uniform' and there are no labels"),
        (lambda: labelled(fake_labels="none"), "fake_labels is 'none'; give one of 'real', 'uniform'"),
        (lambda: labelled(fake_labels="uniform", penalty=WGANGP()), "fake_labels is 'uniform' with WGANGP"),
        (lambda: labelled(x=data.ring()), "data is a law, which draws its own; give labels=True"),
        (lambda: training.Ensemble(wrong(None), NON_SATURATING, data.ring(), seeds=[0], labels=True), "an Ensemble"),
        (lambda: toy_ensemble().sample(3, labels=1), "an Ensemble trains without"),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_what_does_not_go_with_labels_is_refused(make: Callable[[], object], said: str):
    assert said in refusal(make)


class OwnLaw:
    classes = ("left", "right")

    def __init__(self, draw: Callable[[int, torch.Generator], object]) -> None:
        self.draw = draw

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, 2, generator=generator)

    def sample_labelled(self, n: int, generator: torch.Generator) -> object:
        return self.draw(n, generator)


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda n, g: (torch.randn(n, 2, generator=g), torch.zeros(n)), "draws labels [8] torch.float32"),
        (lambda n, g: (torch.randn(n, 2, generator=g), torch.full((n,), 2)), "torch.int64 up to 2"),
        (lambda n, g: (torch.randn(n, 2, generator=g), torch.zeros(1).long()), "draws labels [1]"),
        (lambda n, _: (torch.zeros(n, 2), torch.zeros(n).long()), "draws other examples than sample"),
        (lambda n, _: torch.zeros(n, 2), "cannot draw 8 examples with labels"),
        (lambda *_: 1 / 0, "cannot draw 8 examples with labels"),
    ],
)
def test_a_law_whose_labels_cannot_be_used_is_refused(draw: Any, said: str):
    assert said in refusal(lambda: labelled(x=OwnLaw(draw), labels=True))
    line = refusal(lambda: labelled(x=wrong(CallableLaw()), labels=True))
    assert "labels is True but data is a CallableLaw that draws none" in line


class CallableLaw:
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, 2, generator=generator)


def test_a_step_by_hand_wants_its_labels():
    trainer = labelled()
    x, z, y = trainer.real_batch(0), trainer.noise("any"), trainer.labels(0, "any")
    assert "the step is given no labels" in refusal(lambda: trainer.discriminator_step(x, z))
    assert "the step is given no labels" in refusal(lambda: trainer.generator_step(z))
    trainer.discriminator_step(x, z, y)
    trainer.generator_step(z, y=y)
    from tiny import tiny_trainer

    plain = tiny_trainer()
    assert plain.labels(0, "any") == Labels()
    for step in (lambda: plain.discriminator_step(x, z, y), lambda: plain.generator_step(z, y=y)):
        assert "labels in a run without" in refusal(step)


# The networks --------------------------------------------------------------------------------------------------------


def test_the_conditional_pair_gives_each_label_a_column_of_its_own():
    """The first layer on (z, y) is its weights on z, plus the column of y's number."""
    G = models.ConditionalMLPGenerator(z_dim=3, classes=4, side=8, hidden=[6]).eval()
    D = models.ConditionalMLPDiscriminator(classes=4, side=8, hidden=[6])
    z, x, y = torch.randn(5, 3), torch.randn(5, 1, 8, 8), torch.tensor([3, 0, 1, 1, 2])
    for net, given, answer in ((G.net, z, G(z, y).flatten(1)), (D.net, x.flatten(1), D(x, y)[:, None])):
        assert isinstance(net, nn.Sequential)
        first = net[0]
        assert isinstance(first, nn.Linear)
        n = given.shape[1]
        bias = 0 if first.bias is None else first.bias
        hidden = given @ first.weight[:, :n].T + first.weight[:, n:].T[y] + bias
        torch.testing.assert_close(net[1:](hidden), answer)
    for label in range(4):
        assert not torch.allclose(G(z, torch.full((5,), label)), G(z, torch.full((5,), (label + 1) % 4)))


def test_the_conditional_pair_refuses_other_labels():
    G = models.ConditionalMLPGenerator(z_dim=3, classes=4, side=8, hidden=[6])
    D = models.ConditionalMLPDiscriminator(classes=4, side=8, hidden=[6])
    for model, given in ((G, torch.randn(5, 3)), (D, torch.randn(5, 1, 8, 8))):
        for y, said in (
            (torch.zeros(4).long(), "y has shape [4] torch.int64; give int64 labels [5]"),
            (torch.zeros(5), "y has shape [5] torch.float32"),
            (torch.zeros(5, 1).long(), "y has shape [5, 1]"),
            (torch.tensor([0, 1, 2, 3, 4]), "y holds labels from 0 to 4; give 0 … 3"),
            (torch.tensor([0, 1, 2, 3, -1]), "y holds labels from -1 to 3"),
        ):
            with pytest.raises(ShapeError) as caught:
                model(given, y)
            assert said in str(caught.value)
    with pytest.raises(ConfigError, match="classes is 0"):
        models.ConditionalMLPGenerator(classes=0)


def test_the_conditional_pair_is_rebuilt_from_its_specification():
    for model in (models.ConditionalMLPGenerator(classes=3, side=8), models.ConditionalMLPDiscriminator(classes=3)):
        again = models.build(model.spec)
        assert again.spec == model.spec
        assert model.spec["classes"] == again.classes == 3
        again.load_state_dict(model.state_dict())

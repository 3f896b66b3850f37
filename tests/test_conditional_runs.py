"""Runs with labels, the samples that are asked for, and the command line."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import ganlab
from labelled import CLASSES, LABELS, ON_PAIRS, LabelledD, LabelledG, labelled
from own import DIGITS, ImageD, ImageG, refusal
from PIL import Image
from tiny import assert_equal, run
from torch import Tensor

from ganlab import cli, data, models, training
from ganlab.errors import CheckpointError
from ganlab.experiments import recipes
from ganlab.objectives import NON_SATURATING, Objective
from ganlab.training import R1, R1R2, WGANGP, TrainConfig, Trainer
from ganlab.training.randomness import generator
from ganlab.training.sampling import draw_noise

# Runs ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fake_labels": "uniform", "k": 2},
        {"update": "simultaneous", "fake_labels": "uniform"},
        {"update": "one per minibatch"},
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


class AbleG(models.ToyGenerator):
    """Says how many classes it knows, and is called with labels or without."""

    classes = 4

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return super().forward(z) + (0 if y is None else 9 * (1 + y[:, None]))


def test_what_is_trained_without_labels_is_sampled_without():
    plain = models.ToyGenerator(z_dim=4, width=8)
    plain.classes = 4  # pyright: ignore[reportArgumentType]
    for G, ema in ((plain, 0), (AbleG(z_dim=4, width=8), 0.5)):
        config = TrainConfig(steps=3, batch=16, device="cpu", ema=ema)
        trainer = run(Trainer(G, models.ToyDiscriminator(width=8), NON_SATURATING, data.ring(), config))
        z = draw_noise("normal", 5, 4, generator(torch.device("cpu"), 0, 0, 0, "samples"))
        torch.testing.assert_close(trainer.sample(5), trainer.sampler(z))
    torch.testing.assert_close(trainer.sample(5, labels=2), trainer.sampler(z, torch.full((5,), 2)))  # when asked for
    assert "labels hold 4; give numbers of 0 … 3" in refusal(lambda: trainer.sample(5, labels=4))


def test_a_checkpoint_tells_labels_apart_and_says_nothing_without(tmp_path: Path):
    def plain() -> Trainer:
        return Trainer(ImageG(), ImageD(), NON_SATURATING, DIGITS, TrainConfig(steps=3, batch=16, device="cpu"))

    assert not {"labels", "fake_labels"} & plain().description.keys()
    run(labelled(), steps=5).save(tmp_path / "run.ckpt")
    others: list[tuple[dict[str, Any], str]] = [
        ({"fake_labels": "uniform"}, "fake_labels: real then, uniform now"),
        ({"labels": LABELS.flip(0)}, "labels: "),
    ]
    for options, said in others:
        with pytest.raises(CheckpointError, match=said):
            labelled(**options).resume(tmp_path / "run.ckpt")


def test_a_law_learns_with_labels_too():
    law = data.ring(sigma=0.05)
    trainer = run(labelled(x=law, labels=True, G=LabelledG(8), D=LabelledD(8), steps=20))
    assert trainer.history.isfinite().all()
    assert trainer.sample(16).shape == (16, 2)


@pytest.mark.slow
@pytest.mark.filterwarnings("default:::torch")  # the compiler's own
@pytest.mark.usefixtures("without_cpp")
def test_compiled_networks_take_labels():
    """About 5 s, most of it for the import of the compiler."""
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
        source = generator(torch.device("cpu"), 0, 0, 0, "samples")
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
        ([[0, 1], [2, 3]], "labels have shape [2, 2]"),
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
    draws: list[tuple[dict[str, Any], list[int]]] = [
        ({"label": 7, "n": 9}, [7] * 9),
        ({"n": 12}, [*range(10), 0, 1]),
        ({"labels": "all", "n": 30}, [c for c in range(10) for _ in range(3)]),
        ({"labels": "all"}, [c for c in range(10) for _ in range(8)]),
    ]
    for options, labels in draws:
        assert cli.sample(path, out=out, seed=4, **options) == 0
        with np.load(out) as written:
            assert written["labels"].tolist() == labels
            expected = trained.sample(len(labels), labels=labels, seed=4)
            assert torch.equal(torch.from_numpy(written["samples"]), expected)
    for n, columns in ((None, 8), (30, 3)):
        cli.sample(path, n=n, labels="all", out=tmp_path / "s.png")
        with Image.open(tmp_path / "s.png") as grid:
            assert grid.size == (columns * 42 + 2, 10 * 42 + 2)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"label": 10}, "labels hold 10; give numbers of 0 … 9"),
        ({"labels": "some"}, "labels is 'some'"),
        ({"labels": "all", "label": 3}, "labels is 'all', label 3; give --labels all, or one class"),
        ({"labels": "all", "n": 64}, "n is 64 for a row each of 10 classes; give a multiple of 10"),
        ({"n": 0}, "n is 0"),
    ]
    for options, said in wrong:
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
    """About 5 s: three processes."""
    train = ["train", "cgan-digits", "--steps", "20", "--device", "cpu"]
    sample = ["sample", "runs/cgan-digits/generator.safetensors"]
    commands = (train, [*sample, "--labels", "all"], [*sample, "--label", "12"])
    results = [ganlab(*command, cwd=tmp_path) for command in commands]
    assert [result.returncode for result in results] == [0, 0, 2]
    (line,) = results[2].stderr.splitlines()
    assert line == "error: labels hold 12; give numbers of 0 … 9."
    with Image.open(tmp_path / "samples.png") as grid:
        assert grid.size == (8 * 42 + 2, 10 * 42 + 2)


@pytest.mark.slow
def test_each_class_of_digits_is_recognised():
    """About 10 s: `cgan-digits`, two thirds of its steps; 1,000 samples before a classifier of the real digits.

    The classifier itself errs on 14 of 297 real digits that it has not seen.
    """
    from sklearn.svm import SVC

    def rows(x: Tensor) -> np.ndarray:
        return x.flatten(1).numpy()

    train, test = data.load("digits"), data.load("digits", split="test")
    judge = SVC(C=10).fit(rows(train.images / 127.5 - 1), train.labels.numpy())
    assert judge.score(rows(test.images / 127.5 - 1), test.labels.numpy()) > 0.94
    trainer = run(recipes.get("cgan-digits").trainer(seed=0, device="cpu", steps=2000))
    y = torch.arange(1000) % 10
    right = judge.predict(rows(trainer.sample(1000, labels=y))) == y.numpy()
    assert right.mean() >= 0.95
    assert np.bincount(y[torch.from_numpy(right)]).min() >= 80

"""Labels that do not fit examples, laws, networks or options; and the pair that takes them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from labelled import CLASSES, LABELS, LabelledD, LabelledG, labelled
from own import DIGITS, refusal, toy_ensemble, wrong
from tiny import tiny_trainer
from torch import Tensor, nn

from ganlab import data, models, training
from ganlab.errors import ConfigError, ShapeError
from ganlab.objectives import NON_SATURATING
from ganlab.training import WGANGP, TrainConfig, Trainer
from ganlab.training.labels import Labels

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


@pytest.mark.parametrize("shape", [(40,), (40, 5), (50, 5), (50, 5, 1)])
def test_labels_of_another_shape_are_told_theirs(shape: tuple[int, ...]):
    line = refusal(lambda: labelled(labels=torch.zeros(shape).long()))
    assert line == f"labels have shape {list(shape)} for 50 examples; give one integer each, [50]."


def test_rows_with_a_single_1_alone_are_told_how_to_become_numbers():
    one_hot = F.one_hot(LABELS)
    assert "as labels.argmax(1) makes them" in refusal(lambda: labelled(labels=one_hot))
    for other in (one_hot * 2, one_hot + 1, one_hot * (one_hot.cumsum(0) > 1)):
        assert "argmax" not in refusal(lambda other=other: labelled(labels=other))
    assert labelled(labels=one_hot.argmax(1)).classes == CLASSES


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


class CountingD(LabelledD):
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
        (lambda: labelled(D=CountingD()), "D (CountingD) has 7 classes and the labels 5; make it with classes=5"),
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


def test_a_law_with_labels_says_how_many_there_are_and_draws_them():
    halves = [CallableLaw(), CallableLaw(), CallableLaw()]
    halves[1].classes = ("left", "right")  # pyright: ignore[reportAttributeAccessIssue]
    halves[2].sample_labelled = lambda *_: 1 / 0  # pyright: ignore[reportAttributeAccessIssue]
    for law in halves:
        line = refusal(lambda law=law: labelled(x=wrong(law), labels=True))
        assert "labels is True but data is a CallableLaw that draws none; give a law with `classes` and" in line


class CallableLaw:
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, 2, generator=generator)


def test_a_step_by_hand_wants_its_labels():
    trainer = labelled()
    x, z, y = trainer.real_batch(0), trainer.noise("any"), trainer.labels(0, "any")
    assert "the step is given no labels" in refusal(lambda: trainer.discriminator_step(x, z))
    assert "the step is given no labels" in refusal(lambda: trainer.generator_step(z))
    assert "the step is given no labels" in refusal(lambda: trainer.simultaneous_step(x, z))
    trainer.discriminator_step(x, z, y)
    trainer.generator_step(z, y=y)
    trainer.simultaneous_step(x, z, y)

    plain = tiny_trainer()
    assert plain.labels(0, "any") == Labels()
    for step in (plain.discriminator_step, plain.generator_step, plain.simultaneous_step):
        first = (z,) if step == plain.generator_step else (x, z)
        assert "labels in a run without" in refusal(lambda step=step, first=first: step(*first, y=y))


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

"""What the errors and warnings of training say to do, done: each is refused first, and taken when it is followed."""

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from labelled import CLASSES, LABELS, POINTS, LabelledD, LabelledG, labelled
from own import DIGITS, ImageD, ImageG, image_trainer, refusal, toy_ensemble, toy_pair, wrong
from tiny import run
from torch import Tensor, nn

from ganlab import data, models
from ganlab.objectives import NON_SATURATING
from ganlab.training import SGD, WGANGP, Adam, Ensemble, TrainConfig, Trainer, sample
from ganlab.training.labels import NO_LABELS

IMAGES = DIGITS.images
PAIR = toy_pair()
FLOATS = IMAGES.float() / 127.5 - 1


def with_values(G: nn.Module) -> nn.Module:
    G.load_state_dict(ImageG().state_dict(), assign=True)
    return G


def with_z_dim(G: Any) -> nn.Module:
    G.z_dim = 4
    return G


def with_parameter(parameter: nn.Parameter) -> ImageG:
    G = ImageG()
    G.extra = parameter
    return G


def frozen(G: nn.Module, *, whole: bool) -> nn.Module:
    G.requires_grad_(False)
    G.get_parameter("net.bias").requires_grad_(not whole)
    return G


def constrained_pair() -> tuple[nn.Module, nn.Module]:
    G, D = toy_pair()
    D.constrain = lambda: None  # pyright: ignore[reportArgumentType]
    return G, D


class MoreG(models.ToyGenerator):
    """Does something after its `.net`."""

    def forward(self, z: Tensor) -> Tensor:
        return 2 * super().forward(z)


def masked() -> Any:
    return np.ma.MaskedArray(FLOATS.numpy(), mask=IMAGES.numpy() == 0)


def holed() -> Tensor:
    x = FLOATS.clone()
    x[3] = torch.nan
    return x


class Law:
    """Points of one's own law, in a form of choice."""

    classes = (0, 1, 2)

    def __init__(self, kind: Callable[[Tensor], Any] = lambda x: x, past: int = 0) -> None:
        self.kind, self.past = kind, past

    def sample(self, n: int, generator: torch.Generator) -> Any:
        return self.kind(torch.randn(n, 2, generator=generator))

    def sample_labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x = torch.randn(n, 2, generator=generator)
        return x, torch.arange(n) % (3 + self.past)


def of_law(law: Law) -> Trainer:
    return labelled(labels=True, x=law, G=LabelledG(3), D=LabelledD(3))


NETWORKS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "make the network outside of torch.device('meta')": (
        lambda: sample(ImageG().to("meta"), 2),
        lambda: sample(ImageG(), 2),
    ),
    "or load its weights with assign=True": (
        lambda: image_trainer(ImageG().to("meta")),
        lambda: image_trainer(with_values(ImageG().to("meta"))),
    ),
    "give a network, a torch.nn.Module that is made": (lambda: image_trainer(ImageG), lambda: image_trainer(ImageG())),
    "give a network with something to train": (
        lambda: image_trainer(frozen(ImageG(), whole=True)),
        lambda: image_trainer(frozen(ImageG(), whole=False)),
    ),
    "hold it as real numbers, as torch.view_as_real makes them": (
        lambda: image_trainer(with_parameter(nn.Parameter(torch.ones(2, dtype=torch.complex64)))),
        lambda: image_trainer(with_parameter(nn.Parameter(torch.view_as_real(torch.ones(2, dtype=torch.complex64))))),
    ),
    "make it float32 with G.float() (for forward passes in bfloat16 there is precision='bfloat16')": (
        lambda: image_trainer(ImageG().half()),
        lambda: image_trainer(ImageG().half().float(), precision="bfloat16"),
    ),
    "set it to the number of latent variables": (
        lambda: image_trainer(nn.Sequential(ImageG())),
        lambda: image_trainer(with_z_dim(nn.Sequential(ImageG()))),
    ),
    "end its forward with .float()": (
        lambda: image_trainer(D=ImageD(lambda t: t.double())),
        lambda: image_trainer(D=ImageD(lambda t: t.double().float())),
    ),
    "let its forward give one floating-point tensor": (
        lambda: image_trainer(D=ImageD(lambda t: {"logits": t})),
        lambda: image_trainer(D=ImageD(lambda t: t)),
    ),
    "leave out what averages over the batch": (
        lambda: image_trainer(D=ImageD(lambda t: t.mean())),
        lambda: image_trainer(D=ImageD(lambda t: t)),
    ),
    "average over all but the first dimension": (
        lambda: image_trainer(D=nn.Conv2d(1, 1, 3)),
        lambda: image_trainer(D=nn.Sequential(nn.Conv2d(1, 1, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(0))),
    ),
    "check its weights": (
        lambda: image_trainer(with_nan(ImageG())),
        lambda: image_trainer(ImageG()),
    ),
    "give two": (lambda: image_trainer(twice := ImageG(), twice), lambda: image_trainer(ImageG(), ImageD())),
}

ARGUMENTS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "give an Objective, such as objectives.NON_SATURATING": (
        lambda: image_trainer(objective="lsgan"),
        lambda: image_trainer(objective=NON_SATURATING),
    ),
    "give training.TrainConfig(steps=2000), say": (
        lambda: Trainer(ImageG(), ImageD(), NON_SATURATING, DIGITS, wrong({})),
        lambda: Trainer(ImageG(), ImageD(), NON_SATURATING, DIGITS, TrainConfig(steps=2000)),
    ),
    "give a name, such as 'cpu', or 'auto'": (lambda: TrainConfig(device=wrong(0)), lambda: TrainConfig(device="auto")),
    "give training.Adam(…), SGD(…) or RMSProp(…)": (
        lambda: TrainConfig(optimizer_d=wrong(torch.optim.Adam)),
        lambda: TrainConfig(optimizer_d=Adam(1e-3), optimizer_g=SGD(0.1)),
    ),
    "give one that is made, such as training.R1(0.1)": (
        lambda: TrainConfig(penalty=wrong(WGANGP)),
        lambda: TrainConfig(penalty=WGANGP()),
    ),
    "give at least one": (lambda: toy_ensemble(seeds=()), lambda: toy_ensemble(seeds=(0,))),
    "give several, such as range(3)": (lambda: toy_ensemble(seeds=3), lambda: toy_ensemble(seeds=range(3))),
    "give a function that makes a pair (G, D)": (
        lambda: toy_ensemble(make=toy_pair()),
        lambda: toy_ensemble(make=toy_pair),
    ),
    "let it make a new pair at each call": (
        lambda: toy_ensemble(make=lambda: PAIR),
        lambda: toy_ensemble(make=toy_pair),
    ),
    "take a penalty such as training.WGANGP() in its place, or train it with Trainer": (
        lambda: toy_ensemble(make=constrained_pair),
        lambda: Trainer(*constrained_pair(), NON_SATURATING, data.ring(), TrainConfig(steps=2, batch=16, device="cpu")),
    ),
    "let `.net` be all": (
        lambda: toy_ensemble(make=lambda: (MoreG(z_dim=4, width=8), toy_pair()[1])),
        lambda: toy_ensemble(make=toy_pair),
    ),
    "give a smaller batch": (lambda: image_trainer(batch=65), lambda: image_trainer(batch=64)),
}

EXAMPLES: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "fill them, as data.filled(0) does": (
        lambda: image_trainer(x=masked()),
        lambda: image_trainer(x=masked().filled(0)),
    ),
    "give an ordinary tensor [N, …]": (
        lambda: image_trainer(x=FLOATS.to_sparse()),
        lambda: image_trainer(x=FLOATS.to_sparse().to_dense()),
    ),
    "give uint8 images or floating-point examples": (
        lambda: image_trainer(x=IMAGES.long()),
        lambda: image_trainer(x=IMAGES.long().to(torch.uint8)),
    ),
    "leave them out": (lambda: image_trainer(x=holed()), lambda: image_trainer(x=holed()[[0, 1, 2, *range(4, 64)]])),
    "give a tensor that has them": (
        lambda: image_trainer(x=FLOATS.to("meta")),
        lambda: image_trainer(x=torch.empty_like(FLOATS.to("meta"), device="cpu").copy_(FLOATS)),
    ),
    "give images as [N, C, H, W]: images[:, None]": (
        lambda: image_trainer(x=IMAGES[:, 0]),
        lambda: image_trainer(x=IMAGES[:, 0][:, None]),
    ),
    "give a law whose sample(n, generator) draws n floating-point examples on the generator's device": (
        lambda: of_law(Law(lambda x: x.long())),
        lambda: of_law(Law()),
    ),
    "give (x, y) with the x of sample(n, generator) and integers y [n] in 0 … 2": (
        lambda: of_law(Law(past=1)),
        lambda: of_law(Law()),
    ),
}

LABELLED: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "give integers, as a tensor or an array": (
        lambda: labelled(labels=["a"] * 50),
        lambda: labelled(labels=LABELS.numpy()),
    ),
    f"give integers [{len(POINTS)}], True for those of an image set": (
        lambda: labelled(labels=False),
        lambda: labelled(labels=LABELS),
    ),
    "give Trainer labels=…, or leave it": (
        lambda: image_trainer(fake_labels="uniform"),
        lambda: labelled(fake_labels="uniform"),
    ),
    "give labels=… if these are what is missing": (lambda: labelled(labels=None), lambda: labelled(labels=LABELS)),
    f"make it with classes={CLASSES}": (
        lambda: labelled(G=saying(LabelledG(), 7)),
        lambda: labelled(G=saying(LabelledG(), CLASSES)),
    ),
    "leave them out": (lambda: step_with_labels(given=True), lambda: step_with_labels(given=False)),
    "give those of its batches, as trainer.labels(number, stream)": (
        lambda: labelled().generator_step(torch.zeros(8, 3)),
        lambda: (t := labelled()).generator_step(t.noise("z for G"), y=t.labels(0, "y for G")),
    ),
    "train a conditional pair with Trainer": (lambda: conditional_ensemble(), lambda: labelled()),
}


def with_nan(G: nn.Module) -> nn.Module:
    G.get_parameter("net.bias").data[0] = torch.nan
    return G


def saying(G: Any, classes: int) -> nn.Module:
    G.classes = classes
    return G


def step_with_labels(*, given: bool) -> Tensor:
    plain, y = image_trainer(), labelled(batch=16).labels(0, "y")
    return plain.generator_step(plain.noise("z"), None, y if given else NO_LABELS)


def conditional_ensemble() -> Any:
    config = TrainConfig(steps=2, batch=16, device="cpu")
    return Ensemble(toy_pair, NON_SATURATING, data.ring(), config, seeds=(0,), labels=True)


@pytest.mark.parametrize(
    ("advice", "refused", "followed"),
    [(advice, *both) for group in (NETWORKS, ARGUMENTS, EXAMPLES, LABELLED) for advice, both in group.items()],
)
def test_what_an_error_says_to_do_works(advice: str, refused: Callable[[], Any], followed: Callable[[], Any]):
    assert advice in refusal(refused)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        taken = followed()
    if isinstance(taken, Trainer):
        assert run(taken, steps=1).step == 1


def test_what_is_said_of_layers_in_evaluation_mode_works():
    G = nn.Sequential(nn.Linear(4, 64), nn.BatchNorm1d(64).eval(), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
    G.z_dim = 4  # pyright: ignore[reportArgumentType]
    with pytest.warns(UserWarning, match=r"to train them as well, call G.train\(\)"):
        image_trainer(copy.deepcopy(G))
    assert run(image_trainer(G.train())).step == 3


def test_what_is_said_of_weights_that_both_move_works():
    G, D = ImageG(), ImageD()
    D.borrowed = G.net
    with pytest.warns(UserWarning, match="give each its own"):
        image_trainer(G, D)
    D.borrowed = copy.deepcopy(G.net)
    assert run(image_trainer(G, D)).step == 3


def test_inference_mode_is_left():
    with torch.inference_mode():
        trainer_made_within = refusal(image_trainer)
    assert "train outside of it" in trainer_made_within
    assert run(image_trainer()).step == 3

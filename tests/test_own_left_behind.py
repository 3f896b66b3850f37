"""What a network keeps where no checkpoint and no optimiser looks: said, and what the message says to do works."""

import collections
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from own import ImageD, ImageG, image_trainer, refusal, seeded
from tiny import assert_equal, run
from torch import Tensor, nn

from ganlab import models
from ganlab.errors import CheckpointError
from ganlab.training import Trainer, export_generator, load_generator, sample

# Attributes that a forward pass changes ------------------------------------------------------------------------------


class KeepingG(ImageG):
    """Holds something, and lets each forward pass change it."""

    def __init__(self, held: Any, keep: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.held, self.keep = held, keep

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(self.keep(self, z))


def halved(G: Any, z: Tensor) -> Tensor:
    G.held = 0.5 * G.held
    return z * (1 + G.held)


def lengthened(G: Any, z: Tensor) -> Tensor:
    G.held.append(1)
    return z / len(G.held)


def counted(G: Any, z: Tensor) -> Tensor:
    G.held["passes"] = G.held.get("passes", 0) + 1
    return z / G.held["passes"]


def moved(G: Any, z: Tensor) -> Tensor:
    G.held.mul_(0.9).add_(0.1 * z.detach().mean())
    return z + G.held


def late(G: Any, z: Tensor) -> Tensor:
    G.held += 1
    return z if G.held < 1000 else 2 * z  # which no first look could see


CHANGING: dict[str, Callable[[], ImageG]] = {
    "a number": lambda: KeepingG(1.0, halved),
    "a counter": lambda: KeepingG(0, late),
    "another tensor": lambda: KeepingG(torch.ones(()), halved),
    "a tensor in place": lambda: KeepingG(torch.ones(()), moved),
    "an array": lambda: KeepingG(np.ones(()), halved),
    "a list": lambda: KeepingG([], lengthened),
    "a deque": lambda: KeepingG(collections.deque(maxlen=99), lengthened),
    "a dictionary": lambda: KeepingG({}, counted),
}


@pytest.mark.parametrize("make", CHANGING.values(), ids=CHANGING.keys())
def test_what_a_forward_pass_changes_and_no_checkpoint_holds_is_said(make: Callable[[], ImageG], tmp_path: Path):
    with pytest.warns(
        UserWarning, match=r"G's forward pass changes held, .*; keep it as a tensor, with register_buffer\('held', …\)"
    ) as said:
        trainer = image_trainer(make())
    assert len(said) == 1
    run(trainer, steps=2).save(tmp_path / "run.ckpt")
    with pytest.warns(UserWarning, match="changes held"):
        resumed = image_trainer(make())
    assert resumed.resume(tmp_path / "run.ckpt")  # as the same network, whatever stands in the attribute


def test_kept_in_a_buffer_it_is_resumed_exactly(tmp_path: Path):
    class BufferG(ImageG):
        held: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("held", torch.ones(()))

        def forward(self, z: Tensor) -> Tensor:
            self.held.mul_(0.5)
            return super().forward(z * (1 + self.held))

    def trainer() -> Trainer:
        return image_trainer(seeded(BufferG), steps=6)

    run(trainer(), steps=3).save(tmp_path / "run.ckpt")
    resumed = trainer()
    assert resumed.resume(tmp_path / "run.ckpt")
    assert_equal(run(resumed).state_dict(), run(trainer()).state_dict())


def test_what_is_kept_to_be_looked_at_is_not_said():
    def kept(G: Any, z: Tensor) -> Tensor:
        G.held = z.detach()
        return z

    def collected(G: Any, z: Tensor) -> Tensor:
        G.held.append(z.detach())
        return z

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image_trainer(KeepingG(torch.zeros(4), kept))
        image_trainer(KeepingG([], collected))
        hooks = nn.Sequential(nn.Flatten(), nn.utils.spectral_norm(nn.Linear(64, 1)))  # keep a weight at each pass
        image_trainer(D=hooks)


def test_a_forward_pass_that_sets_the_mode_is_said():
    class StillG(nn.Module):
        z_dim = 4

        def __init__(self) -> None:
            super().__init__()
            self.net, self.norm = nn.Linear(4, 64), nn.BatchNorm1d(64)

        def forward(self, z: Tensor) -> Tensor:
            self.norm.eval()
            return self.norm(self.net(z)).tanh().view(-1, 1, 8, 8)

    with pytest.warns(
        UserWarning, match=r"G's forward pass calls train\(\) or eval\(\) \(of norm\); leave the mode to the trainer"
    ):
        image_trainer(StillG())


# Weights that are no parameters ---------------------------------------------------------------------------------------


class ListedG(ImageG):
    """Keeps a layer in a plain list, which torch does not see."""

    def __init__(self, kind: Callable[[list[nn.Module]], Any]) -> None:
        super().__init__()
        self.layers = kind([nn.Linear(4, 4)])

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(self.layers[0](z))


class LooseG(ImageG):
    """Has a weight that is a plain tensor, or a parameter."""

    def __init__(self, kind: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.scale = kind(torch.ones(4, requires_grad=True))

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z * self.scale)


class MakingG(ImageG):
    def forward(self, z: Tensor) -> Tensor:
        return super().forward(nn.Linear(4, 4)(z))


@pytest.mark.parametrize(
    ("wrong", "where", "right"),
    [
        (lambda: ListedG(list), "in layers, no layer of its own", lambda: ListedG(nn.ModuleList)),
        (lambda: LooseG(lambda t: t), "in scale, no layer of its own", lambda: LooseG(nn.Parameter)),
        (lambda: LooseG(lambda t: t), "in scale", lambda: LooseG(lambda t: t.requires_grad_(False))),
        (MakingG, r"of shape \[4, 4\]|of shape \[4\]", ImageG),
    ],
)
def test_weights_that_are_no_parameters_are_said_and_the_advice_works(wrong, where: str, right):
    with pytest.warns(UserWarning, match=rf"G uses weights that are none of its parameters \(({where})") as said:
        image_trainer(wrong())
    assert "make them in __init__, layers in nn.ModuleList and single weights as nn.Parameter" in str(said[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run(image_trainer(right())).step == 3


# What a network says of itself ---------------------------------------------------------------------------------------


def test_a_traced_generator_keeps_its_name_for_z_in_its_average():
    G = torch.fx.symbolic_trace(ImageG())
    G.z_dim = 4  # pyright: ignore[reportArgumentType]
    trainer = run(image_trainer(G, ema=0.5))
    assert trainer.sample(3).shape == (3, 1, 8, 8)
    assert getattr(trainer.sampler, "z_dim", None) == 4


@pytest.mark.parametrize(
    "constrain", [True, lambda strength: strength, nn.Linear(1, 1)], ids=["a value", "another function", "a layer"]
)
def test_what_cannot_be_called_after_each_update_is_refused_and_the_advice_works(constrain: Any):
    D: Any = ImageD()
    D.constrain = constrain
    line = refusal(lambda: image_trainer(D=D))
    assert "D.constrain cannot be called as constrain()" in line
    assert "let it be a method without arguments, or give it another name" in line
    clipped: Any = ImageD()
    clipped.constrain = lambda: [parameter.clamp_(-0.01, 0.01) for parameter in clipped.parameters()]
    run(image_trainer(D=clipped))
    assert max(parameter.abs().max() for parameter in clipped.parameters()) <= 0.01


def own_spec(G: Any) -> nn.Module:
    G.spec = {"name": "mine", "width": 4}
    return G


def turned(G: Any) -> nn.Module:
    old = G.forward
    G.forward = lambda z: -old(z)
    return G


def hooked(G: nn.Module) -> nn.Module:
    G.register_forward_hook(lambda _G, _z, x: -x)
    return G


def another_layer(G: nn.Module) -> nn.Module:
    G.get_submodule("net")[2] = nn.GELU()  # pyright: ignore[reportIndexIssue]
    return G


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (own_spec, "has no spec"),
        (turned, "was changed after it was made"),
        (hooked, "was changed"),
        (another_layer, "was changed"),
    ],
)
def test_a_network_that_its_spec_does_not_make_is_exported_as_weights_alone(change, why: str, tmp_path: Path):
    def make() -> nn.Module:
        return change(ImageG() if change is own_spec else models.MLPGenerator(4, side=8, hidden=(8,)))

    trainer = run(image_trainer(make()))
    with pytest.raises(CheckpointError, match=why) as caught:
        export_generator(trainer, tmp_path / "g")
    assert "weights_only=True" in str(caught.value)
    export_generator(trainer, tmp_path / "g", weights_only=True)  # what the message says
    G, _ = load_generator(tmp_path / "g", into=make())
    torch.testing.assert_close(sample(G, 5, seed=1), trainer.sample(5, seed=1))

"""Averages of networks of one's own: what has a copy, what is averaged, and what is kept beside the weights."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from own import ImageG, image_trainer, refusal, tiny_trainer_of
from tiny import TinyG, assert_equal, run
from torch import Tensor, nn

from ganlab.training import Adam
from ganlab.training.averaging import twin


def replaced(G: nn.Module) -> nn.Module:
    """Another forward in the place of a network's own, that goes on to the old one."""
    old = G.forward
    G.forward = lambda z: old(z) * 0.9
    return G


def closing(G: Any) -> nn.Module:
    G.last = lambda t: t.tanh() * G.get_parameter("net.bias").mean().exp()
    return G


def hooked(G: Any) -> nn.Module:
    G.net.register_forward_hook(lambda _net, _z, x: x + G.net.bias)
    return G


def hooked_before(G: Any) -> nn.Module:
    G.net.register_forward_pre_hook(lambda _net, z, *, scale=G.net.bias: z[0] * scale.mean().exp())
    return G


def in_a_list(G: Any) -> nn.Module:
    used = {"layers": [G.net]}
    G.several = {"last": [torch.tanh, lambda t: t.tanh() * used["layers"][0].bias.mean().exp()]}
    G.last = lambda t: t
    G.net.register_forward_hook(lambda _net, _z, x, of=G.several: of["last"][1](x))
    return G


def in_a_part(G: Any) -> nn.Module:
    G.last = partial(lambda by, t: by * t * G.net.bias.mean().exp(), 0.9)
    return G


NETWORKS: list[Any] = []


def by_a_global_name(G: Any) -> nn.Module:
    """As in a notebook, where everything has one."""
    NETWORKS[:] = [G]
    G.last = lambda t: t.tanh() * NETWORKS[0].net.bias.mean().exp()
    return G


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (replaced, "forward"),
        (closing, "last"),
        (hooked, "net._forward_hooks"),
        (hooked_before, "net._forward_pre_hooks"),
        (in_a_list, "several"),
        (in_a_part, "last"),
        (by_a_global_name, "last"),
    ],
)
def test_a_function_that_holds_the_network_is_no_part_of_a_copy(make: Callable[[nn.Module], nn.Module], where: str):
    assert refusal(lambda: image_trainer(make(ImageG()), ema=0.5)) == (
        f"ImageG holds what cannot be copied for its average: {where} has a function that refers to the network; let it"
        " be a method, or set ema=0."
    )
    with pytest.raises(TypeError, match="has a function that refers to the network"):
        twin(make(ImageG()))
    assert run(image_trainer(make(ImageG()))).step == 3  # what the message says: without an average


class ShiftedG(ImageG):
    """Its forward pass goes through methods of its own, as a hook and in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(64))
        self.net.register_forward_hook(self.shifted)
        self.steps = [self.bounded]
        self.last = lambda t: t

    def shifted(self, _net: nn.Module, _z: Any, x: Tensor) -> Tensor:
        return x + self.shift

    def bounded(self, x: Tensor) -> Tensor:
        return (x + self.shift).tanh()

    def forward(self, z: Tensor) -> Tensor:
        return self.steps[0](super().forward(z).flatten(1)).view(-1, 1, 8, 8)


def test_methods_are_part_of_a_copy():
    trainer = run(image_trainer(ShiftedG(), ema=0.9, steps=30, optimizer_g=Adam(0.01)))
    averaged, z = trainer.sampler.state_dict(), torch.randn(5, 4)
    assert not torch.equal(averaged["shift"], trainer.G.get_parameter("shift"))
    by_hand = (z @ averaged["net.weight"].T + averaged["net.bias"] + 2 * averaged["shift"]).tanh()
    torch.testing.assert_close(trainer.sampler(z).flatten(1), by_hand)


def normed_by_a_hook(G: Any) -> nn.Module:
    G.last_norm = nn.BatchNorm1d(2)
    G.net.register_forward_hook(lambda _net, _z, x: G.last_norm(x))
    return G


@pytest.mark.parametrize("make", [replaced, normed_by_a_hook])
def test_a_first_look_leaves_statistics_as_they_are_where_there_is_no_copy(make: Callable[[nn.Module], nn.Module]):
    G = make(TinyG())
    before = {name: value.clone() for name, value in G.state_dict().items()}
    tiny_trainer_of(G)
    assert_equal(dict(G.state_dict()), before)


def test_frozen_infinities_stay_what_they_are_in_the_average():
    class MaskedG(ImageG):
        def __init__(self) -> None:
            super().__init__()
            self.mask = nn.Parameter(torch.tensor([0.0, -torch.inf, 0.0, 0.0]), requires_grad=False)

        def forward(self, z: Tensor) -> Tensor:
            return super().forward(z * self.mask.exp())

    trainer = run(image_trainer(MaskedG(), ema=0.5))
    assert torch.equal(trainer.sampler.get_parameter("mask"), trainer.G.get_parameter("mask"))
    assert trainer.sample(3).isfinite().all()


class CachingG(ImageG):
    """Keeps what it has seen, in a buffer that is in its state or not."""

    def __init__(self, *, persistent: bool) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(0, 4), persistent=persistent)

    def forward(self, z: Tensor) -> Tensor:
        self.seen = torch.cat([self.seen, z.detach()])[-32:]
        return super().forward(z)


def test_a_state_that_grows_is_refused_and_the_advice_works():
    line = refusal(lambda: image_trainer(CachingG(persistent=True)))
    assert "G's state has other shapes after a forward pass (seen is [16, 4] there and [0, 4] here)" in line
    assert "keep its buffers' shapes, or make them with persistent=False: a resumed run then begins them anew" in line
    trainer = run(image_trainer(CachingG(persistent=False), ema=0.5))
    assert torch.equal(trainer.sampler.get_buffer("seen"), trainer.G.get_buffer("seen"))
    assert len(trainer.G.get_buffer("seen")) == 32

"""Averages of networks of one's own: what has a copy, what is averaged, and what is kept beside the weights."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from own import ImageG, image_trainer, refusal, tiny_trainer_of
from tiny import TinyG, assert_equal, run
from torch import Tensor, nn

from ganlab.errors import ConfigError


def replaced(G: nn.Module) -> nn.Module:
    """Another forward in the place of a network's own, that goes on to the old one."""
    old = G.forward
    G.forward = lambda z: old(z) * 0.9
    return G


def closing(G: Any) -> nn.Module:
    G.last = lambda t: t.tanh() * G.get_parameter("net.bias").mean().exp()
    return G


@pytest.mark.parametrize("make", [replaced, closing])
def test_a_function_that_holds_the_network_is_no_part_of_a_copy(make: Callable[[nn.Module], nn.Module]):
    with pytest.raises(ConfigError, match="ImageG holds what cannot be copied for its average"):
        image_trainer(make(ImageG()), ema=0.5)
    assert run(image_trainer(make(ImageG()))).step == 3  # what the message says: without an average
    G = TinyG()
    before = {name: value.clone() for name, value in G.state_dict().items()}
    tiny_trainer_of(replaced(G))
    assert_equal(dict(G.state_dict()), before)  # batch norm's statistics, too


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

"""Buffers of one's own that are in no state: said where they decide what a network gives, and let be where not."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from own import ImageD, ImageG, image_trainer, seeded
from tiny import assert_equal, run
from torch import Tensor, nn

from ganlab.training import Trainer


class Counting(nn.Module):
    """A layer that counts the batches that it has seen, in place or anew, and gives more with each."""

    n: Tensor

    def __init__(self, *, persistent: bool, in_place: bool) -> None:
        super().__init__()
        self.register_buffer("n", torch.zeros(()), persistent=persistent)
        self.in_place = in_place

    def forward(self, x: Tensor) -> Tensor:
        if self.in_place:
            self.n += 1
        else:
            self.n = self.n + 1
        return x * (1 + 0.1 * self.n)


def counting(role: str, *, persistent: bool, in_place: bool) -> Trainer:
    """A run of 6 steps in which G or D has a layer that counts."""
    G, D = seeded(lambda: (ImageG(), ImageD()))
    network = {"G": G, "D": D}[role]
    network.net = nn.Sequential(network.net, Counting(persistent=persistent, in_place=in_place))
    return image_trainer(G, D, steps=6)


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("role", ["G", "D"])
def test_a_buffer_that_is_not_saved_and_decides_what_comes_out_is_said_and_the_advice_works(
    role: str, in_place: bool, tmp_path: Path
):
    def resumed(persistent: bool) -> tuple[Trainer, Trainer]:
        """A run that was cut off after 3 steps and resumed, and one that was not."""
        first, second, whole = (counting(role, persistent=persistent, in_place=in_place) for _ in range(3))
        run(first, steps=3).save(tmp_path / f"{persistent}.ckpt")
        assert second.resume(tmp_path / f"{persistent}.ckpt")
        return run(second), run(whole)

    with pytest.warns(
        UserWarning,
        match=rf"{role}'s forward pass changes n, which no checkpoint holds: a resumed run will not equal .*; keep it"
        r" as a tensor, with register_buffer\('n', …\) in __init__, without persistent=False",
    ) as said:
        second, whole = resumed(persistent=False)
    assert len(said) == 3
    assert not torch.equal(second.history, whole.history)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second, whole = resumed(persistent=True)
    assert_equal(second.state_dict(), whole.state_dict())


def test_a_buffer_that_holds_what_can_be_computed_again_is_not_said():
    class Angles(nn.Module):
        """Computes a table when it is used first, as rotary embeddings do."""

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("table", None, persistent=False)

        def forward(self, z: Tensor) -> Tensor:
            if self.table is None:
                self.table = torch.arange(4.0, device=z.device).cos()
            return z * self.table

    G: Any = ImageG()
    G.net = nn.Sequential(Angles(), G.net)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run(image_trainer(G, ema=0.5)).step == 3

"""What is said of networks of one's own that train, but are likely meant otherwise."""

import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from own import DIGITS, ImageD, ImageG, image_trainer, refusal, seeded, tiny_trainer_of
from tiny import TinyG, assert_equal, run, tiny_trainer
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ganlab.objectives import NON_SATURATING
from ganlab.training import R1, WGANGP, TrainConfig, Trainer


class DrawingG(ImageG):
    """Adds noise from anywhere."""

    def __init__(self, draw: Callable[[tuple[int, int]], Tensor]) -> None:
        super().__init__()
        self.draw = draw

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z + self.draw((len(z), 4)))


def test_random_numbers_that_no_checkpoint_holds_are_said_and_left_as_they_were():
    def of_numpy(shape: tuple[int, int]) -> Tensor:
        return torch.from_numpy(np.random.randn(*shape)).float()  # noqa: NPY002

    def of_python(_shape: tuple[int, int]) -> Tensor:
        return torch.tensor(random.random())

    for draw, source in ((of_numpy, "draw from numpy.random"), (of_python, "draw from random")):
        before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002  # pyright: ignore
        with pytest.warns(UserWarning, match=f"the networks {source}, whose state no checkpoint holds"):
            image_trainer(DrawingG(draw))
        assert (np.random.get_state()[1] == before[0]).all()  # noqa: NPY002  # pyright: ignore
        assert random.getstate() == before[1]
    G: Any = ImageG()
    G.source = torch.Generator()
    with pytest.warns(
        UserWarning, match="G has a generator of its own, .*; draw from torch's own, as torch.randn_like"
    ):
        image_trainer(G)
    image_trainer(DrawingG(torch.randn))  # what the message says: nothing to say


def test_weights_of_both_players_are_said():
    G, D = ImageG(), ImageD()
    D.borrowed = G.net
    with pytest.warns(UserWarning, match=r"G's weights are D's, too \(borrowed.weight\)"):
        image_trainer(G, D)
    D.borrowed.requires_grad_(False)
    image_trainer(seeded(ImageG), D)  # frozen in D alone is fine


def test_layers_in_evaluation_mode_stay_so_and_are_said():
    def half_still() -> TinyG:
        G = TinyG()
        G.net[1].eval()
        return G

    G = half_still()
    norm = G.get_submodule("net.1")
    with pytest.warns(UserWarning, match=r"G has layers in evaluation mode \(BatchNorm1d\), which stay so"):
        trainer = tiny_trainer_of(G)
    before = norm.running_mean.clone()  # pyright: ignore
    run(trainer).sample(3)
    assert torch.equal(norm.running_mean, before)  # pyright: ignore[reportArgumentType]
    assert (G.training, norm.training) == (True, False)

    with pytest.warns(UserWarning, match=r"to train them as well, call G.train\(\) before the Trainer is made"):
        tiny_trainer_of(half_still())
    G = seeded(half_still)
    G.train()  # what the message says
    assert_equal(run(tiny_trainer_of(G)).state_dict(), run(tiny_trainer_of(seeded(TinyG))).state_dict())
    assert tiny_trainer_of(TinyG().eval()).G.get_submodule("net.1").training  # all of it: as loaded from a file


# Penalties ------------------------------------------------------------------------------------------------------------


class AttentiveD(nn.Module):
    """Attention over the rows of an image, by the kernel that torch chooses or by the plain one."""

    def __init__(self, *, plain: bool) -> None:
        super().__init__()
        self.attention, self.out = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(64, 1)
        self.plain = plain

    def forward(self, x: Tensor) -> Tensor:
        rows = x[:, 0]
        with sdpa_kernel(SDPBackend.MATH if self.plain else SDPBackend.FLASH_ATTENTION):
            mixed, _ = self.attention(rows, rows, rows, need_weights=False)
        return self.out(mixed.flatten(1))


def test_a_layer_without_second_derivative_is_refused_where_a_penalty_needs_it_and_the_advice_works():
    assert run(image_trainer(D=AttentiveD(plain=False))).step == 3
    line = refusal(lambda: image_trainer(D=AttentiveD(plain=False), penalty=R1()))
    assert "R1 needs the second derivative of D (AttentiveD)" in line
    assert "take another layer, torch.nn.attention.sdpa_kernel(SDPBackend.MATH), or no penalty" in line
    assert run(image_trainer(D=AttentiveD(plain=True), penalty=R1())).step == 3


def test_batch_norm_under_a_penalty_is_said():
    def D(norm: nn.Module) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), norm, nn.Linear(8, 1))

    with pytest.warns(
        UserWarning,
        match="D has batch norm, .* WGANGP is on D's slope at each alone; take LayerNorm or InstanceNorm in",
    ):
        image_trainer(D=D(nn.BatchNorm1d(8)), penalty=WGANGP())
    assert run(image_trainer(D=D(nn.LayerNorm(8)), penalty=WGANGP())).step == 3
    image_trainer(D=D(nn.BatchNorm1d(8)))


@pytest.mark.parametrize("penalty", [R1(), WGANGP()], ids=lambda penalty: type(penalty).__name__)
def test_a_first_look_with_a_penalty_leaves_no_trace(penalty: R1 | WGANGP):
    G, D = ImageG(), nn.Sequential(nn.Flatten(), nn.utils.spectral_norm(nn.Linear(64, 1)))
    before = {name: value.clone() for name, value in D.state_dict().items()}
    state = torch.get_rng_state()
    Trainer(G, D, NON_SATURATING, DIGITS.images, TrainConfig(batch=16, device="cpu", penalty=penalty))
    assert_equal(D.state_dict(), before)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in D.parameters())


def test_nothing_is_said_of_plain_networks():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tiny_trainer(ema=0.9)
        image_trainer(penalty=R1())

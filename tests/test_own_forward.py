"""What a network of one's own does in its forward pass: made to work, refused with a reason that is true, or said."""

import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from own import DIGITS, ImageD, ImageG, image_trainer, refusal, seeded
from tiny import TinyD, TinyG, assert_equal, examples, run, tiny_trainer
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ganlab.errors import ConfigError
from ganlab.objectives import NON_SATURATING
from ganlab.training import R1, WGANGP, TrainConfig, Trainer, sample

# Forward passes that fail, and why ------------------------------------------------------------------------------------


def failing(forward: Callable[[Any, Tensor], object]) -> ImageG:
    G = type("G", (ImageG,), {"forward": forward})
    return G()


@pytest.mark.parametrize(
    ("forward", "named"),
    [
        (lambda self, z: self.nett(z), "it raises AttributeError: mend its forward"),
        (lambda self, z: {}[self, z], "it raises KeyError: mend its forward"),
        (lambda self, z: nn.Module.forward(self, z), "it raises NotImplementedError: mend its forward"),
        (lambda self, z: self.net(z + torch.ones(4, device="meta")), "let it make tensors on the device of its input"),
        (lambda self, z: self.net(z[:, :3]), "in its Linear net, given [16, 3]; give it their sizes"),
    ],
)
def test_the_reason_of_a_failure_is_the_true_one(forward: Callable[[nn.Module, Tensor], Tensor], named: str):
    line = refusal(lambda: image_trainer(failing(forward)))
    assert named in line
    assert ("their sizes" in line) == ("their sizes" in named)


class Backwards(torch.autograd.Function):
    @staticmethod
    def forward(_context, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_context: Any, *_gradients: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        raise KeyError("none")


def test_a_backward_pass_that_fails_is_told_from_one_that_is_overwritten():
    line = refusal(lambda: image_trainer(D=ImageD(Backwards.apply)))
    assert "no gradient comes back to D (ImageD): the backward pass of a layer raises KeyError" in line
    assert "inplace" not in line


def test_a_gradient_that_is_not_finite_is_named_before_the_rates_are_blamed():
    line = refusal(lambda: image_trainer(D=ImageD(lambda t: (t - t).sqrt() + t)))
    assert "the gradient of D's output in D's net.1.weight is NaN or infinite" in line
    assert "by adding 1e-8" in line
    assert run(image_trainer(D=ImageD(lambda t: (t - t + 1e-8).sqrt() + t))).step == 3  # what the message says


def test_networks_without_values_or_with_complex_weights_are_refused():
    for make in (lambda: image_trainer(ImageG().to("meta")), lambda: sample(ImageG().to("meta"), 2)):
        assert "on the meta device, without values" in refusal(make)
    G = ImageG()
    G.extra = nn.Parameter(torch.ones(2, dtype=torch.complex64))
    assert "G's extra is torch.complex64" in refusal(lambda: image_trainer(G))


@pytest.mark.parametrize(
    "last",
    [
        lambda t: t.sigmoid().clamp(1e-6, 1 - 1e-6),
        lambda t: 1 - t.sigmoid(),
        lambda t: t.sigmoid()[:, None, None].expand(-1, 2, 2).mean((1, 2)),
        lambda t: F.adaptive_avg_pool2d(t.sigmoid().view(-1, 1, 1, 1), 1),
    ],
)
def test_probabilities_are_found_behind_what_keeps_them_such(last: Callable[[Tensor], Tensor]):
    assert "D ends in a sigmoid" in refusal(lambda: image_trainer(D=ImageD(last)))


# Environments ---------------------------------------------------------------------------------------------------------


def test_training_is_the_same_where_gradients_are_off_and_where_numbers_are_double():
    expected = run(image_trainer(seeded(ImageG), seeded(ImageD), ema=0.5)).state_dict()
    with torch.no_grad():
        assert_equal(run(image_trainer(seeded(ImageG), seeded(ImageD), ema=0.5)).state_dict(), expected)
    G, D = seeded(ImageG), seeded(ImageD)
    torch.set_default_dtype(torch.float64)
    try:
        double = image_trainer(G, D, ema=0.5)
        assert_equal(run(double).state_dict(), expected)
        assert double.sample(3).dtype is torch.float32
    finally:
        torch.set_default_dtype(torch.float32)


def test_inference_mode_is_refused():
    trainer = image_trainer()
    with torch.inference_mode():
        assert "torch.inference_mode is on" in refusal(lambda: run(trainer))
        assert "torch.inference_mode is on" in refusal(image_trainer)


# What is said ---------------------------------------------------------------------------------------------------------


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
    with pytest.warns(UserWarning, match="G has a generator of its own, source, whose state no checkpoint holds"):
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
    assert tiny_trainer_of(TinyG().eval()).G.get_submodule("net.1").training  # all of it: as loaded from a file


def tiny_trainer_of(G: nn.Module) -> Trainer:
    return Trainer(G, TinyD(), NON_SATURATING, examples(), TrainConfig(steps=3, batch=8, device="cpu"))


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
    assert "sdpa_kernel(SDPBackend.MATH)" in line
    assert run(image_trainer(D=AttentiveD(plain=True), penalty=R1())).step == 3


def test_batch_norm_under_a_penalty_is_said():
    def D(norm: nn.Module) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), norm, nn.Linear(8, 1))

    with pytest.warns(UserWarning, match="D has batch norm, .* WGANGP is on D's slope at each alone; take LayerNorm"):
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


# Averages -------------------------------------------------------------------------------------------------------------


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
    assert "persistent=False" in line
    trainer = run(image_trainer(CachingG(persistent=False), ema=0.5))
    assert torch.equal(trainer.sampler.get_buffer("seen"), trainer.G.get_buffer("seen"))
    assert len(trainer.G.get_buffer("seen")) == 32


# Samples --------------------------------------------------------------------------------------------------------------


def test_what_is_asked_of_samples_is_checked():
    G = ImageG()
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"noise": "gaussian"}, "noise is 'gaussian'; give one of 'normal', 'uniform', 'unit uniform'"),
        ({"seed": 1.5}, "seed is 1.5; give an integer"),
        ({"batch": 0}, "batch is 0; give an integer of at least 1"),
    )
    for options, named in wrong:
        assert named in refusal(lambda options=options: sample(G, 3, **options))
    same = sample(G, 3, seed=np.int64(4), batch=torch.tensor(2))  # pyright: ignore[reportArgumentType]
    torch.testing.assert_close(same, sample(G, 3, seed=4))
    others: tuple[Any, ...] = (ImageG, lambda z: z)
    for network in others:
        assert "give a network, a torch.nn.Module that is made" in refusal(lambda network=network: sample(network, 3))
    assert "gives a tuple" in refusal(lambda: sample(failing(lambda self, z: (self.net(z), z)), 3))
    assert "gives [64] for 1 samples; let it give [1, …]" in refusal(
        lambda: sample(failing(lambda self, z: self.net(z).squeeze()), 1)
    )
    assert "G raises AttributeError on z" in refusal(lambda: sample(failing(lambda self, z: self.nett(z)), 3))


def test_networks_of_other_precisions_are_sampled_in_them():
    G = ImageG()
    expected = sample(G, 5)
    torch.testing.assert_close(sample(G.double(), 5), expected)
    torch.testing.assert_close(sample(G.bfloat16(), 5), expected, atol=0.05, rtol=0)


def test_sampling_leaves_every_layer_in_its_mode():
    G = TinyG()
    G.net[1].eval()
    sample(G, 3)
    assert [layer.training for layer in G.net] == [True, False, True, True]


def test_nothing_is_said_of_plain_networks():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tiny_trainer(ema=0.9)
        image_trainer(penalty=R1())

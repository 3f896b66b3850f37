"""What a network of one's own does in its forward pass: made to work, refused with a reason that is true, or said."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from own import ImageD, ImageG, image_trainer, refusal, seeded
from tiny import TinyG, assert_equal, run
from torch import Tensor, nn

from ganlab.training import sample

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
    assert "mend it, or take another layer" in line
    assert run(image_trainer(D=ImageD(torch.clone))).step == 3


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


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_autocast_around_a_run_is_refused(precision: Any, dtype: torch.dtype):
    """Losses and their gradients would be computed in it."""
    with torch.autocast("cpu", dtype):
        trainer = image_trainer(precision=precision)
        line = refusal(lambda: run(trainer))
    assert "torch.autocast is on" in line
    assert "train outside of it (forward passes in bfloat16 are precision='bfloat16')" in line
    assert trainer.step == 0
    with torch.autocast("cpu", dtype, enabled=False):
        assert_equal(run(trainer).state_dict(), run(image_trainer(precision=precision)).state_dict())


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

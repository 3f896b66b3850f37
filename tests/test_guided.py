"""Guided backpropagation against a loop by hand, against plain gradients, and the network that it leaves alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlab import models
from ganlab.errors import ConfigError, ShapeError
from ganlab.models import activations
from ganlab.models.activations import Activations
from ganlab.models.guided import guided_gradient, strongest
from ganlab.models.pooled import pooled_features

X = torch.rand(6, 2, 6, 6, generator=torch.Generator().manual_seed(1)) * 2 - 1


class Plain(nn.Module):
    """Two convolutions and an answer, with the rectifier as anything that can be called."""

    def __init__(self, rectify: Callable[[Tensor], Tensor], seed: int = 0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.a, self.b = nn.Conv2d(2, 4, 3, 2, 1), nn.Conv2d(4, 5, 3, padding=1)
            self.norm, self.answer = nn.BatchNorm2d(5), nn.Linear(45, 1)
            with torch.no_grad():
                self.norm.running_mean.normal_()  # pyright: ignore[reportOptionalMemberAccess]
                self.norm.running_var.uniform_(0.5, 2)  # pyright: ignore[reportOptionalMemberAccess]
                self.norm.weight.uniform_(-2, 2)
        self.rectify = rectify

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(self.rectify(self.norm(self.b(self.rectify(self.a(x))))).flatten(1)).flatten()


def convolved(x: np.ndarray, conv: nn.Conv2d) -> np.ndarray:
    """One image [C, H, W] through a convolution, place by place."""
    assert conv.bias is not None
    weight, bias = (np.asarray(p.detach(), dtype=float) for p in (conv.weight, conv.bias))
    stride, (padded, kernel) = conv.stride[0], (np.pad(x, ((0, 0), (1, 1), (1, 1))), 3)
    side = (padded.shape[1] - kernel) // stride + 1
    out = np.zeros((len(weight), side, side))
    for unit, i, j in np.ndindex(*out.shape):
        window = padded[:, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
        out[unit, i, j] = (window * weight[unit]).sum() + bias[unit]
    return out


def handed_back(gradient: np.ndarray, conv: nn.Conv2d, shape: tuple[int, ...]) -> np.ndarray:
    """The gradient of a convolution's result, handed back to its input, place by place."""
    weight, stride, kernel = np.asarray(conv.weight.detach(), dtype=float), conv.stride[0], 3
    padded = np.zeros((shape[0], shape[1] + 2, shape[2] + 2))
    for unit, i, j in np.ndindex(*gradient.shape):
        window = padded[:, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
        window += gradient[unit, i, j] * weight[unit]
    return padded[:, 1:-1, 1:-1]


def by_hand(D: Plain, x: np.ndarray, unit: int, slope: float, *, guided: bool) -> np.ndarray:
    """Of the last convolution's map; without guidance the plain gradient."""

    def leak(values: np.ndarray) -> np.ndarray:
        return np.where(values > 0, values, slope * values)

    gain = (D.norm.weight / (D.norm.running_var + D.norm.eps).sqrt()).detach().double().numpy()[:, None, None]  # pyright: ignore[reportOptionalOperand]
    assert D.norm.running_mean is not None
    mean, shift = (np.asarray(v.detach(), dtype=float)[:, None, None] for v in (D.norm.running_mean, D.norm.bias))
    first = convolved(x, D.a)
    second = (convolved(leak(first), D.b) - mean) * gain + shift
    gradient = np.zeros_like(second)
    place = np.unravel_index(leak(second)[unit].argmax(), second.shape[1:])
    gradient[(unit, *place)] = 1

    def rectified(R: np.ndarray, f: np.ndarray) -> np.ndarray:
        return (f > 0) * (R > 0) * R if guided else R * np.where(f > 0, 1, slope)

    R = handed_back(rectified(gradient, second) * gain, D.b, first.shape)
    return handed_back(rectified(R, first), D.a, x.shape)


RECTIFIERS = {
    "nn.ReLU": (nn.ReLU(), 0.0),
    "nn.ReLU in place": (nn.ReLU(inplace=True), 0.0),
    "nn.LeakyReLU": (nn.LeakyReLU(0.2), 0.2),
    "nn.LeakyReLU in place": (nn.LeakyReLU(0.2, inplace=True), 0.2),
    "F.relu": (F.relu, 0.0),
    "F.leaky_relu": (lambda h: F.leaky_relu(h, 0.1), 0.1),
    "F.leaky_relu_": (lambda h: F.leaky_relu_(h, 0.1), 0.1),
    "Tensor.relu": (Tensor.relu, 0.0),
    "clamp": (lambda h: h.clamp(min=0), 0.0),
}


@pytest.mark.parametrize(("rectify", "slope"), RECTIFIERS.values(), ids=RECTIFIERS.keys())
def test_it_is_the_loop_by_hand(rectify: Callable[[Tensor], Tensor], slope: float):
    D, other = Plain(rectify), 0
    for unit in range(5):
        found = guided_gradient(D, X, -1, unit)
        for image, gradient in zip(X.double().numpy(), found.numpy(), strict=True):
            wanted = by_hand(D.eval(), image, unit, slope, guided=True)
            np.testing.assert_allclose(gradient, wanted, atol=1e-5)
            other += not np.allclose(wanted, by_hand(D, image, unit, slope, guided=False), atol=1e-3)
    assert other >= 20  # of 30: the rule is another than that of plain gradients


def test_without_negative_values_it_is_the_plain_gradient():
    D = Plain(nn.ReLU())
    with torch.no_grad():
        for conv in (D.a, D.b):
            conv.weight.abs_()
            conv.bias.abs_()  # pyright: ignore[reportOptionalMemberAccess]
        D.norm.reset_parameters()
        D.norm.bias.fill_(1.0)
    images = (X.abs() + 0.1).requires_grad_()
    D.eval()
    for unit in range(5):
        plain = torch.autograd.grad(D.norm(D.b(D.a(images)))[:, unit].flatten(1).amax(1).sum(), images)[0]
        assert plain.abs().sum() > 1
        torch.testing.assert_close(guided_gradient(D, images, 1, unit), plain)


def test_of_the_first_convolution_it_is_the_kernel_at_its_place():
    D = models.DCGANDiscriminator(16, 1, 8)
    x = X.new_zeros(1, 1, 16, 16)
    x[0, 0, 5:9, 5:9] = torch.where(D.net[0].weight[3, 0] > 0, 1.0, -1.0)  # pyright: ignore[reportIndexIssue]
    found = guided_gradient(D, x, 0, 3)[0, 0]
    torch.testing.assert_close(found[5:9, 5:9], D.net[0].weight[3, 0].detach())  # pyright: ignore[reportIndexIssue]
    assert found.count_nonzero() == 16


def test_where_a_map_is_off_everywhere_there_are_zeros():
    D = Plain(nn.LeakyReLU(0.2))
    with torch.no_grad():
        D.norm.bias.fill_(-100.0)
    assert not guided_gradient(D, X, 1, 0).any()
    assert guided_gradient(D, X, 0, 0).any()


def test_parts_change_nothing(monkeypatch: pytest.MonkeyPatch):
    D = Plain(nn.ReLU())
    whole = guided_gradient(D, X, 1, 1), strongest(D, X, 1, 1, 4), pooled_features(D, X)
    monkeypatch.setattr(activations, "AT_ONCE", 4)
    for module in ("guided", "pooled"):
        monkeypatch.setattr(f"ganlab.models.{module}.AT_ONCE", 4)
    parts = guided_gradient(D, X, 1, 1), strongest(D, X, 1, 1, 4), pooled_features(D, X)
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other)


def test_the_strongest_come_first():
    D = Plain(nn.LeakyReLU(0.2)).eval()
    with torch.no_grad():
        values = F.leaky_relu(D.norm(D.b(F.leaky_relu(D.a(X), 0.2))), 0.2)[:, 2].flatten(1).amax(1)
    ranked = sorted(range(6), key=lambda i: -float(values[i]))
    assert torch.equal(strongest(D, X, -1, 2, 6), X[ranked])
    assert torch.equal(strongest(D, X, 1, 2, 2), X[ranked[:2]])


class Answers(Plain):
    """What may go wrong within: it fails at the second part of the images."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls > 1:
            raise ValueError("no more")
        return super().forward(x)


def state_of(D: nn.Module) -> list[Any]:
    values = {name: value.clone() for name, value in D.state_dict(keep_vars=True).items()}
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) for m in D.modules()]
    return [values, [m.training for m in D.modules()], hooks, [p.requires_grad for p in D.parameters()]]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("make", [Plain, Answers])
@pytest.mark.parametrize(
    "call",
    [
        lambda D, x: guided_gradient(D, x, -1, 0),
        lambda D, x: strongest(D, x, -1, 0, 2),
        lambda D, x: pooled_features(D, x),
    ],
)
def test_the_network_stays_as_it_was_also_after_an_error(make: type[Plain], training: bool, call):
    D = make(nn.LeakyReLU(0.2, inplace=True)).train(training)
    D.b.eval()
    D.a.weight.requires_grad_(False)
    for p in (p for p in D.parameters() if p.requires_grad):
        p.grad = torch.ones_like(p)
    before, images, kept = state_of(D), X.repeat(60, 1, 1, 1), X.clone()
    numbers = torch.get_rng_state()
    if make is Answers:
        with pytest.raises(ShapeError, match=r"D on images \[\d+, 2, 6, 6\] raised ValueError"):
            call(D, images)
    else:
        call(D, images)
    after = state_of(D)
    assert all(torch.equal(before[0][name], value) for name, value in after[0].items())
    assert after[1:] == before[1:]
    grads = [p.grad for p in D.parameters() if p.requires_grad]
    assert all(grad is not None and torch.equal(grad, torch.ones_like(grad)) for grad in grads)
    assert D.a.weight.grad is None
    assert torch.equal(X, kept)
    assert torch.equal(numbers, torch.get_rng_state())
    assert not any(t.requires_grad for t in (images, X))


def test_it_works_where_gradients_are_off():
    D = Plain(nn.ReLU())
    wanted = guided_gradient(D, X, 1, 0)
    with torch.no_grad():
        torch.testing.assert_close(guided_gradient(D, X, 1, 0), wanted)
    with torch.inference_mode():
        torch.testing.assert_close(guided_gradient(D, X.clone(), 1, 0), wanted)
    assert not wanted.requires_grad


def test_which_maps_are_read():
    """After norm and activation, whatever the layers are called; of a convolution that ends in a sum what it gives."""

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.end = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 1, 6)

        def forward(self, x: Tensor) -> Tensor:
            h = torch.relu(self.a(x))
            return self.end(h + self.b(h)).flatten()

    D = Residual().eval()
    found = Activations(D, X)
    h = torch.relu(D.a(X))
    assert len(found.maps) == 2
    assert torch.equal(found.maps[0], h)
    assert torch.equal(found.maps[1], D.b(h))
    images = X.clone().requires_grad_()
    h = torch.relu(D.a(images))
    h.register_hook(lambda R: R.clamp(min=0))
    plain = torch.autograd.grad(D.b(h)[:, 1].flatten(1).amax(1).sum(), images)[0]
    torch.testing.assert_close(guided_gradient(D, X, 1, 1), plain)


NAMED: Any = "b"
ARRAY: Any = X.numpy()
ONE: Any = 1


@pytest.mark.parametrize(
    ("call", "error", "named"),
    [
        (lambda D: guided_gradient(D, X, 2, 0), ConfigError, r"layer is 2; D has 2 convolutions; give 0 … 1, or −1"),
        (lambda D: guided_gradient(D, X, -3, 0), ConfigError, "layer is -3; D has 2 convolutions"),
        (lambda D: guided_gradient(D, X, NAMED, 0), ConfigError, "layer is 'b'"),
        (lambda D: guided_gradient(D, X, True, 0), ConfigError, "layer is True"),
        (lambda D: guided_gradient(D, X, 0, 4), ConfigError, r"unit is 4; the layer has 4 maps, give 0 … 3"),
        (lambda D: guided_gradient(D, X, 0, -1), ConfigError, "unit is -1"),
        (lambda D: strongest(D, X, 1, 5, 1), ConfigError, "unit is 5; the layer has 5 maps"),
        (lambda D: strongest(D, X, 1, 0, 7), ShapeError, "x holds 6 images; give at least n = 7"),
        (lambda D: strongest(D, X, 1, 0, 0), ConfigError, "n is 0"),
        (lambda D: pooled_features(D, X, 0), ConfigError, "side is 0"),
        (lambda D: pooled_features(D, X, layers=[]), ConfigError, r"layers is \[\]; give numbers of layers"),
        (lambda D: pooled_features(D, X, layers=[0, 2]), ConfigError, "layer is 2; D has 2 convolutions"),
        (lambda D: pooled_features(D, X, layers=ONE), ConfigError, "layers is 1; give numbers of layers"),
        (lambda D: pooled_features(D, X[0]), ShapeError, r"x has shape \[2, 6, 6\]"),
        (lambda D: pooled_features(D, X[:0]), ShapeError, "x holds no images"),
        (lambda D: pooled_features(D, (X * 255).byte()), ShapeError, r"torch.uint8; give a floating-point batch"),
        (lambda D: pooled_features(D, ARRAY), ShapeError, "x is a ndarray; give a tensor of images"),
        (lambda D: guided_gradient(D, X[:, :1], 0, 0), ShapeError, r"D on images \[6, 1, 6, 6\] raised RuntimeError"),
        (lambda D: guided_gradient(D, X.clone().fill_(torch.inf), 0, 0), ShapeError, "6 of 6 images are not finite"),
        (lambda _: guided_gradient(NAMED, X, 0, 0), ConfigError, "D is a str; give a network"),
        (lambda _: pooled_features(nn.Flatten(), X), ConfigError, "D has no convolution whose maps have several"),
        (
            lambda _: pooled_features(models.DCGANDiscriminator(8, 1, 4), X),
            ShapeError,
            r"x has shape \[6, 2, 6, 6\] torch.float32; give a floating-point batch \[n, 1, 8, 8\]",
        ),
        (
            lambda _: pooled_features(models.ConditionalDCGANDiscriminator(8, 1, 4), X),
            ConfigError,
            "ConditionalDCGANDiscriminator takes labels; give a discriminator of images alone",
        ),
        (
            lambda _: pooled_features(models.DCGANDiscriminator(16, 1, 4, variant="authors"), X),
            ConfigError,
            "D's batch norm keeps no running averages",
        ),
        (lambda _: guided_gradient(Plain(nn.ELU()), X, 1, 0), ConfigError, "D holds elu; guided backprop"),
        (
            lambda _: guided_gradient(Plain(nn.PReLU()), X, 1, 0),
            ConfigError,
            "D holds PReLU; guided backprop",
        ),
        (
            lambda _: guided_gradient(Plain(lambda h: torch.maximum(h, 0 * h)), X, 1, 0),
            ConfigError,
            "D holds maximum; guided backpropagation is defined",
        ),
    ],
)
def test_what_is_not_given_right_is_named(call, error: type[Exception], named: str):
    with pytest.raises(error, match=named) as caught:
        call(Plain(nn.ReLU()))
    assert "\n" not in str(caught.value)


def test_a_result_that_is_written_over_is_named():
    class Over(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.end = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 1, 6)

        def forward(self, x: Tensor) -> Tensor:
            return self.end(F.relu(self.a(x)).add_(1)).flatten()

    with pytest.raises(ConfigError, match="D writes over the result of its ReLU; let it keep it"):
        pooled_features(Over(), X)

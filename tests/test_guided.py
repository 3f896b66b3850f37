"""Guided backpropagation against a loop by hand, against plain gradients, and the network that it leaves alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from filters import Plain, X
from torch import Tensor, nn
from torch.nn import functional as F

from ganlab import models
from ganlab.errors import ShapeError
from ganlab.models import activations
from ganlab.models.activations import Activations
from ganlab.models.guided import guided_gradient, strongest
from ganlab.models.pooled import pooled_features


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


def test_where_a_result_goes_two_ways_it_is_read_itself():
    class Fork(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.end = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 1, 6)

        def forward(self, x: Tensor) -> Tensor:
            h = self.a(x)
            return self.end(torch.relu(h) + h).flatten()

    D = Fork()
    assert torch.equal(Activations(D, X).maps[0], D.a(X))


def test_a_norm_that_follows_the_activation_is_not_read():
    D = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 6)).eval()
    with torch.no_grad():
        D[2].bias.fill_(3.0)  # pyright: ignore[reportCallIssue, reportArgumentType]
        assert torch.equal(Activations(D, X).maps[0], D[:2](X))


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

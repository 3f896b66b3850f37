"""Where what a network gives stays, however strong its last layer is: seen by making that layer stronger.

A last operation written by hand, as 1/(1 + exp(−t)) or (tanh(t) + 1)/2, has no name that would tell.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ganlab.training.randomness import forked

STRONG = 1e6
"""How often the last layer's answers are taken, more often where they are small: there a sigmoid has saturated."""
BEFORE_OVERFLOW = 50.0
"""How far they reach where more than that overflows, as in exp(t)/(1 + exp(t)): a sigmoid saturates at 40."""
MOVED = 0.1
"""How much an output has to move with them, for its ends to be seen."""
BOUNDED = 1e3
"""What does not go beyond this has bounds."""
AT_ITS_ENDS = 0.9
"""From which share of its values at the ends an output saturates."""


def reach(model: nn.Module, x: Tensor, *y: Tensor) -> tuple[float, float] | None:
    """The lowest and the highest that a network gives for x when its last layer's answers grow without end, either way,
    to six places.

    None where its output does not follow them, or where there is no such layer.
    """
    grown = _grown(model, x, *y)
    return None if grown is None else (round(grown.min().item(), 6), round(grown.max().item(), 6))


def range_of(model: nn.Module, x: Tensor, *y: Tensor) -> tuple[float, float] | None:
    """Between what the output of a network lies that saturates, in tenths, outwards; None for one that does not.

    A norm behind the last layer keeps it in bounds, too, but these are the batch's: few values lie at them.
    """
    grown = _grown(model, x, *y)
    if grown is None or grown.abs().max() > BOUNDED:
        return None
    low, high = grown.min().item(), grown.max().item()
    near = 0.01 * (high - low)
    if ((grown < low + near) | (grown > high - near)).float().mean() < AT_ITS_ENDS:
        return None
    return math.floor(10 * low + 0.01) / 10, math.ceil(10 * high - 0.01) / 10


@torch.no_grad()
def _grown(model: nn.Module, x: Tensor, *y: Tensor) -> Tensor | None:
    """What a network gives when its last layer's answers are multiplied by a large number, and by its negative."""
    with forked(x.device):
        try:
            layer, largest, usual = _last_layer(model, x, *y)
            if layer is None:
                return None
            for factor in (STRONG / min(1.0, largest), BEFORE_OVERFLOW / largest):
                one, other = (_with(layer, sign * factor, model, x, *y) for sign in (1, -1))
                if one.isfinite().all() and other.isfinite().all():
                    grown = torch.stack([one, other])
                    return grown if (grown - usual).abs().max() > MOVED else None
        except Exception:  # a forward pass that refuses such numbers
            return None
    return None


def _last_layer(model: nn.Module, x: Tensor, *y: Tensor) -> tuple[nn.Module | None, float, Tensor]:
    """The layer with weights that is called last, if its answers are numbers other than 0; the largest of them; and
    what the network gives."""
    called: list[tuple[nn.Module, Tensor]] = []

    def note(layer: nn.Module, _given: Any, answer: Any) -> None:
        called.append((layer, answer))

    hooks = [layer.register_forward_hook(note) for layer in _with_weights(model)]
    try:
        usual = model(x.clone(), *y).float()
    finally:
        for hook in hooks:
            hook.remove()
    largest = called[-1][1].abs().max().item() if called and isinstance(called[-1][1], Tensor) else 0.0
    return called[-1][0] if math.isfinite(largest) and largest else None, largest, usual


def _with_weights(model: nn.Module) -> Iterator[nn.Module]:
    """The innermost layers with weights; what computes a weight from others is no layer."""
    for layer in model.modules():
        parts = [part for name, part in layer.named_children() if name != "parametrizations"]
        if any(True for _ in layer.parameters()) and not any(True for part in parts for _ in part.parameters()):
            yield layer


def _with(layer: nn.Module, factor: float, model: nn.Module, x: Tensor, *y: Tensor) -> Tensor:
    """What a network gives when a layer's answers are multiplied by a factor, or, if it is no layer of torch's and may
    bound its answers itself, its weights; with the same dropout each time."""
    if not type(layer).__module__.startswith("torch."):
        own = {id(weight) for weight in layer.parameters()}
        stronger = {name: factor * weight for name, weight in model.named_parameters() if id(weight) in own}
        with forked(x.device, 0):
            return functional_call(model, stronger, (x.clone(), *y)).float()

    def multiply(_layer: nn.Module, _given: Any, answer: Any) -> Any:
        return answer * factor

    hook = layer.register_forward_hook(multiply)
    try:
        with forked(x.device, 0):
            return model(x.clone(), *y).float()
    finally:
        hook.remove()

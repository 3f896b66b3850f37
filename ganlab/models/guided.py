"""What a discriminator's filters see: guided backpropagation (Springenberg et al. 2015, sec. 3.4, Figure 1).

The gradient of an activation in the image says which pixels would change it, but on its way back it gathers what
excites and what inhibits. Guided backpropagation lets a rectifier pass on what is positive alone, and through units
alone that are active: R ↦ 1[f > 0] · 1[R > 0] · R, where f is what the rectifier gave and R the gradient that reaches
it. So Radford, Metz & Chintala 2015 (sec. 6.2, Figure 5) show the maximal responses of D's last convolution.

For a LeakyReLU it is the same rule, as if it were a ReLU: the leak of a unit that is off carries nothing back. Defined
for these two alone, as modules, functions or methods, in place or not; other activations on the way are refused. No
gradient of weights is computed, and no hook is put on the network.
"""

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError, ShapeError
from ganlab.models.activations import AT_ONCE, Activations, judging
from ganlab.models.base import at_least_one

RECTIFIERS = ("ReLU", "LeakyReLU")


def guided_gradient(D: nn.Module, x: Tensor, layer: int, unit: int) -> Tensor:
    """Guided backpropagation of the largest activation of one map, to the images [n, C, H, W].

    D      a network of convolutions, judged in evaluation mode; it stays as it was
    x      images [n, C, H, W] as D takes them, in [−1, 1]
    layer  which convolution, 0 the first, −1 the last (not that with which D answers)
    unit   which of its maps

    An image in which the map is nowhere active (above 0) has zeros. Raises `ShapeError` for images that D does not take
    or that are not finite, `ConfigError` for a layer or unit that there is not, and for a D whose activations are no
    rectifiers, that needs labels, or whose batch norm compares the images of a batch.
    """
    with judging(D, x) as (network, images), torch.enable_grad():
        parts = [_guided(network, part.requires_grad_(), layer, unit) for part in images.split(AT_ONCE)]
    return torch.cat(parts).to(x.device, x.dtype)


def _guided(D: nn.Module, x: Tensor, layer: int, unit: int) -> Tensor:
    found = Activations(D, x)
    at = found.at(layer)
    for step in found.steps[at].origin:
        if step.kind == "unread" or (step.kind == "activation" and step.what not in RECTIFIERS):
            raise ConfigError(f"D holds {step.what}; guided backpropagation is defined for ReLU and LeakyReLU alone.")
        if step.kind == "activation":
            _guide(found.result_of(step))
    largest = _of_unit(found.maps[at], unit).max(dim=1).values  # [n]
    return torch.autograd.grad(largest.sum(), x)[0]


def _guide(rectified: Tensor) -> None:
    """Let what a rectifier gave pass back positive gradients alone, and where it is active."""
    active = rectified.detach() > 0
    rectified.register_hook(lambda R: R.clamp(min=0) * active)


def strongest(D: nn.Module, x: Tensor, layer: int, unit: int, n: int) -> Tensor:
    """The n of the images x that excite a map most, the strongest first [n, C, H, W].

    What counts is the map's largest activation. Arguments and errors as in `guided_gradient`; `ShapeError`, too, for
    less than n images, and any activation is taken.
    """
    at_least_one(n=n)
    with judging(D, x) as (network, images), torch.no_grad():
        if len(images) < n:
            raise ShapeError(f"x holds {len(images)} images; give at least n = {n}.")
        parts = []
        for part in images.split(AT_ONCE):
            found = Activations(network, part)
            parts.append(_of_unit(found.maps[found.at(layer)], unit).amax(dim=1))
    order = torch.cat(parts).argsort(descending=True, stable=True)[:n]
    return x[order.to(x.device)]


def _of_unit(maps: Tensor, unit: int) -> Tensor:
    """The activations of one map [n, places]. Raises `ConfigError`."""
    count = maps.shape[1]
    if not isinstance(unit, int) or isinstance(unit, bool) or not 0 <= unit < count:
        raise ConfigError(f"unit is {unit!r}; the layer has {count} maps, give 0 … {count - 1}.")
    return maps[:, unit].flatten(1)

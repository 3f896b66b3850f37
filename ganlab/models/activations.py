"""What the convolutions of a discriminator make of images, one set of maps for each.

Layers are found by the operations that run, as in `ganlab.models.traced`: so modules, functions and methods are read
alike. A convolution whose maps are one place is a fully connected layer, such as that with which D answers, and is not
among them. An activation is what follows a convolution and its norm; where nothing that can be read as one follows, it
is what the convolution or its norm gives.
"""

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganlab.errors import ConfigError, ShapeError
from ganlab.models.base import evaluating, require_shape
from ganlab.models.traced import Recorder, Step

AT_ONCE = 250
"""Images that are held at once with all their activations."""


class Activations:
    """The activations of one batch.

    steps   of each convolution, in the order in which they ran, the step whose result they are
    maps    that result [n, maps, height, width] of each
    """

    def __init__(self, D: nn.Module, x: Tensor):
        recorder = Recorder((x,))
        try:
            with recorder:
                output = D(x)
        except Exception as error:
            raise ShapeError(
                f"D on images {list(x.shape)} raised {type(error).__name__}; give images that it takes."
            ) from error
        if not isinstance(output, Tensor):
            raise ConfigError(f"D gives a {type(output).__name__}; give a network that gives one tensor.")
        self._made: dict[int, Tensor] = {}
        for tensor in recorder.alive[1:]:
            self._made.setdefault(id(recorder.made[id(tensor)]), tensor)
        found = recorder.kept(output)
        layers = [step for step in found if step.what == "convolution" and math.prod(step.shape_out[2:]) > 1]
        if not layers:
            raise ConfigError("D has no convolution whose maps have several places; give a network of convolutions.")
        self.steps = [_activation_after(layer) for layer in layers]
        self.maps = [self.result_of(step) for step in self.steps]

    def result_of(self, step: Step) -> Tensor:
        """What a step gave. Raises `ConfigError` where that was written over."""
        if id(step) not in self._made:
            raise ConfigError(f"D writes over the result of its {step.what}; let it keep it (out of place).")
        return self._made[id(step)]

    def at(self, layer: int) -> int:
        """The place of a layer in the lists, by its number, from the end if negative. Raises `ConfigError`."""
        count = len(self.steps)
        if not isinstance(layer, int) or isinstance(layer, bool) or not -count <= layer < count:
            raise ConfigError(f"layer is {layer!r}; D has {count} convolutions; give 0 … {count - 1}, or −1.")
        return layer % count


def _activation_after(layer: Step) -> Step:
    """The step that gives the activations of a convolution."""
    read = layer
    for step in _followers(layer):
        if step.kind in ("batch norm", "norm", "activation"):
            read = step
        if step.kind == "activation":
            return step
    return read


def _followers(step: Step) -> Iterator[Step]:
    """The steps of which each takes what the one before gives and nobody else does, as long as maps keep their size."""
    while len(step.after) == 1 and step.after[0].shape_out == step.shape_out and step.after[0].kind != "layer":
        step = step.after[0]
        yield step


@contextmanager
def judging(D: Any, x: Tensor) -> Iterator[tuple[nn.Module, Tensor]]:
    """D in evaluation mode, and the images as it takes them: on its device, in its precision, without gradient.

    After it D is as it was. Raises `ConfigError` for a network whose answer to one image depends on others or on a
    label, `ShapeError` for images that it does not take.
    """
    if not isinstance(D, nn.Module):
        raise ConfigError(f"D is a {type(D).__name__}; give a network, a torch.nn.Module.")
    D = getattr(D, "_orig_mod", D)  # what torch.compile was given
    if hasattr(D, "classes"):
        raise ConfigError(f"{type(D).__name__} takes labels; give a discriminator of images alone.")
    if any(isinstance(module, _BatchNorm) and module.running_mean is None for module in D.modules()):
        raise ConfigError("D's batch norm keeps no running averages, so that images depend on others; give it some.")
    _require_images(x, getattr(D, "sample_shape", None))
    weight = next(itertools.chain(D.parameters(), D.buffers()), x)
    with torch.inference_mode(mode=False), evaluating(D):
        yield D, x.detach().clone().to(weight.device, weight.dtype)


def _require_images(x: Tensor, shape: Any) -> None:
    if not isinstance(x, Tensor):
        raise ShapeError(f"x is a {type(x).__name__}; give a tensor of images [n, C, H, W].")
    if shape is None and x.ndim != 4:
        raise ShapeError(f"x has shape {list(x.shape)}; give images [n, C, H, W].")
    require_shape(x, shape or x.shape[1:], "x")
    if not len(x):
        raise ShapeError("x holds no images; give at least one.")
    if not x.isfinite().all():
        raise ShapeError(f"{int((~x.flatten(1).isfinite().all(dim=1)).sum())} of {len(x)} images are not finite.")

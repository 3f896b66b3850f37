"""Images as features: what the last hidden layer of a classifier makes of them.

Distances between features say more about what is seen in images than distances between pixels, as far as the
classifier had to see it: what does not matter to it, it does not measure.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics.points import flat

AT_ONCE = 250
"""Images in a part: what a thousand become in a layer is beyond a core's cache."""
GRAY_LEVELS = 255
BEYOND = 1e-3
"""Of the range's width: so far beyond it rounding may take a value."""


@dataclass(frozen=True, eq=False)
class Features:
    """Features of a set of images.

    values   float64 [n, d]
    images   which set, in words
    network  whose features, in words
    weights  digest of the network's weights, to tell networks of the same words apart; "" where it is not known
    """

    values: Tensor
    images: str
    network: str
    weights: str = ""

    def __len__(self) -> int:
        return len(self.values)


def features_of(images: Tensor, network: Any, name: str, *, value_range: tuple[float, float] | None = None) -> Features:
    """The features of images [n, C, H, W], computed in parts, without gradient and in evaluation mode.

    images       uint8, or floating point, which is rounded to 256 levels as in a picture file: so both are seen alike
    network      an `nn.Module` with `features` (images → [n, d]), `sample_shape` [C, H, W] and `input_range`, such as
                 `models.trained("mnist")`; whether it is in training mode is the same afterwards
    name         what set of images it is, for the results' text
    value_range  what is black and what is white in floating-point images, as in G's `output_range`

    Raises `ShapeError` for images of another shape or beyond the range, `ConfigError` for another kind of network.
    """
    require_parts(network, "features", "sample_shape", "input_range")
    values = answers(images, network, name, network.features, value_range)
    return Features(flat(values, f"features of {name}"), name, str(network), _digest(network))


def require_parts(network: Any, *parts: str) -> None:
    """Raise `ConfigError` for what is no `nn.Module`, and for a network that lacks one of these attributes."""
    if not isinstance(network, nn.Module):
        raise ConfigError(f"network is a {type(network).__name__}, no nn.Module; give models.trained('mnist').")
    for wanted in parts:
        if not hasattr(network, wanted):
            raise ConfigError(f"network is a {type(network).__name__} without {wanted}; give models.trained('mnist').")


def answers(
    images: Tensor,
    network: Any,
    name: str,
    ask: Callable[[Tensor], Tensor],
    value_range: tuple[float, float] | None = None,
) -> Tensor:
    """What `ask`, a network or one of its methods, says of images [n, C, H, W]: [n, …], as `features_of` asks."""
    if not isinstance(images, Tensor):
        raise ShapeError(f"{name} are a {type(images).__name__}; give a tensor [n, C, H, W], as data.load(…).images.")
    wanted = list(network.sample_shape)
    if list(images.shape[1:]) != wanted or not len(images):
        raise ShapeError(f"{name} are images {list(images.shape)}; the network takes [n, {str(wanted)[1:]}.")
    grey = gray_levels(images, name, value_range)
    low, high = network.input_range
    weight = next(network.parameters(), None)
    device = torch.device("cpu") if weight is None else weight.device
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.no_grad():
            parts = [ask(part.to(device).float() / GRAY_LEVELS * (high - low) + low) for part in grey.split(AT_ONCE)]
    finally:
        for module, mode in modes.items():
            module.training = mode
    return torch.cat(parts)


def _digest(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, value in (*network.named_parameters(), *network.named_buffers()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def gray_levels(images: Tensor, name: str, value_range: tuple[float, float] | None) -> Tensor:
    """The images as uint8, 0 … 255. Raises `ShapeError`."""
    if images.dtype is torch.uint8:
        return images
    if not images.is_floating_point():
        raise ShapeError(f"{name} are {images.dtype} images; give uint8, or floating point with its value_range.")
    if value_range is None:
        raise ShapeError(f"{name} are {images.dtype} images of unknown range; give models.value_range(G).")
    low, high = value_range
    least, most = (float(value) for value in images.detach().aminmax())
    beyond = BEYOND * (high - low)
    if not (low - beyond <= least and most <= high + beyond):  # nor for NaN
        raise ShapeError(
            f"{name} range over [{least:g}, {most:g}], and value_range is ({low:g}, {high:g}); give theirs, or clamp."
        )
    return ((images.detach().float() - low) / (high - low) * GRAY_LEVELS).round().clamp(0, GRAY_LEVELS).byte()

"""A discriminator as a maker of features (Radford, Metz & Chintala 2015, sec. 5.1).

The paper takes what all of D's convolutions give, max-pools each map to 4×4, and puts all of it into one vector: 28,672
numbers for CIFAR-10. A linear classifier on them then tells how much of the images' classes D has found by itself.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlab.errors import ConfigError
from ganlab.models.activations import AT_ONCE, Activations, judging
from ganlab.models.base import at_least_one

SIDE = 4


def pooled_features(D: nn.Module, x: Tensor, side: int = SIDE, layers: Sequence[int] | None = None) -> Tensor:
    """The activations of D's convolutions, each map max-pooled to side × side, as one vector per image [n, features].

    D       a network of convolutions, judged in evaluation mode; it stays as it was
    x       images [n, C, H, W] as D takes them, in [−1, 1]
    side    places of a pooled map in each direction; a smaller map stays as it is
    layers  which convolutions, 0 the first, −1 the last (not that with which D answers); None: all of them

    Features come layer by layer, in each map by map, in each row by row. Where `side` does not divide a map's size,
    windows overlap by a place. Raises `ShapeError` for images that D does not take or that are not finite,
    `ConfigError` for layers that there are not, a side that is no positive integer, and for a D that needs labels or
    whose batch norm compares the images of a batch.
    """
    at_least_one(side=side)
    if layers is not None and not (isinstance(layers, Sequence) and len(layers)):
        raise ConfigError(f"layers is {layers!r}; give numbers of layers, such as [0, −1], or None for all.")
    with judging(D, x) as (network, images), torch.no_grad():
        parts = [_pooled(network, part, side, layers) for part in images.split(AT_ONCE)]
    return torch.cat(parts).to(x.device)


def _pooled(D: nn.Module, x: Tensor, side: int, layers: Sequence[int] | None) -> Tensor:
    found = Activations(D, x)
    chosen = found.maps if layers is None else [found.maps[found.at(layer)] for layer in layers]
    pooled = [F.adaptive_max_pool2d(maps, [min(side, places) for places in maps.shape[2:]]) for maps in chosen]
    return torch.cat([maps.flatten(1) for maps in pooled], dim=1)

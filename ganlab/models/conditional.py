"""Fully connected networks that take a label: the conditional GAN of Mirza & Osindero 2014, for small images."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ganlab.errors import ShapeError
from ganlab.models.base import Rebuildable, at_least_one, init_normal, require_shape
from ganlab.models.mlp import discriminator_layers, generator_layers


class ConditionalMLPGenerator(Rebuildable):
    """`MLPGenerator` on z and the label together: y joins z as a vector of one 1 and zeros (Mirza & Osindero 2014).

    z [batch, z_dim], y int64 [batch] in 0 … classes − 1 → images [batch, channels, side, side] in (−1, 1). Raises
    `ConfigError` for sizes that are no positive integers.
    """

    output_range = (-1.0, 1.0)

    def __init__(
        self, z_dim: int = 64, classes: int = 10, channels: int = 1, side: int = 28, hidden: Sequence[int] = (256, 512)
    ) -> None:
        super().__init__()
        at_least_one(z_dim=z_dim, classes=classes, channels=channels, side=side)
        self.z_dim, self.classes = z_dim, classes
        self.sample_shape = (channels, side, side)
        self.net = generator_layers(z_dim + classes, hidden, channels * side * side)
        init_normal(self)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Images [batch, channels, side, side] from z [batch, z_dim] and labels y [batch]. Raises `ShapeError`."""
        require_shape(z, (self.z_dim,), "z")
        return self.net(joined(z, y, self.classes)).unflatten(1, self.sample_shape)  # [batch, C, H, W]


class ConditionalMLPDiscriminator(Rebuildable):
    """`MLPDiscriminator` on pixels and the label together, which joins them as in `ConditionalMLPGenerator`.

    Images [batch, channels, side, side], y int64 [batch] → logits t [batch]. Raises `ConfigError` for sizes that are no
    positive integers.
    """

    def __init__(
        self, classes: int = 10, channels: int = 1, side: int = 28, hidden: Sequence[int] = (512, 256)
    ) -> None:
        super().__init__()
        at_least_one(classes=classes, channels=channels, side=side)
        self.classes = classes
        self.sample_shape = (channels, side, side)
        self.net = discriminator_layers(channels * side * side + classes, hidden)
        init_normal(self)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Logits [batch] of images x [batch, channels, side, side] with labels y [batch]. Raises `ShapeError`."""
        require_shape(x, self.sample_shape, "x")
        return self.net(joined(x.flatten(1), y, self.classes)).squeeze(1)  # [batch]


def joined(x: Tensor, y: Tensor, classes: int) -> Tensor:
    """x [batch, n] with labels y int64 [batch] beside it, one column per class: [batch, n + classes].

    The first layer's weights on these columns are an embedding of the label, which is learned. Raises `ShapeError`.
    """
    return torch.cat([x, one_hot(y, len(x), classes).to(x.dtype)], dim=1)


def one_hot(y: Tensor, n: int, classes: int) -> Tensor:
    """Labels y int64 [n] as int64 [n, classes]: in each row one 1, in its label's column. Raises `ShapeError`."""
    if not isinstance(y, Tensor) or y.shape != (n,) or y.dtype is not torch.int64:
        given = f"has shape {list(y.shape)} {y.dtype}" if isinstance(y, Tensor) else f"is a {type(y).__name__}"
        raise ShapeError(f"y {given}; give int64 labels [{n}].")
    try:
        return F.one_hot(y, classes)
    except RuntimeError as error:
        raise ShapeError(f"y holds labels from {int(y.min())} to {int(y.max())}; give 0 … {classes - 1}.") from error

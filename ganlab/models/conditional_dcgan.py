"""DCGAN with labels: y joins z as a vector of one 1 and zeros, and an image as maps of which one is 1 and all others 0.

So Radford, Metz & Chintala 2015 have it for MNIST (their Table 3) in the code that they published. There y joins the
input of every layer, and both networks have a fully connected layer of 1024 units more; here it joins the first input
alone, as in Mirza & Osindero 2014, and all else is `ganlab.models.dcgan`'s, so that its guidelines are kept.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor

from ganlab.models.base import Rebuildable, at_least_one, require_shape
from ganlab.models.conditional import joined, one_hot
from ganlab.models.dcgan import DCGANDiscriminator, DCGANGenerator


class ConditionalDCGANGenerator(Rebuildable):
    """`DCGANGenerator` on z and the label together.

    z [batch, z_dim], y int64 [batch] in 0 … classes − 1 → images [batch, channels, size, size] in (−1, 1). Raises
    `ConfigError` as `DCGANGenerator` does, and for a number of classes that is no positive integer.
    """

    output_range = (-1.0, 1.0)
    later: ClassVar[dict[str, Any]] = DCGANGenerator.later

    def __init__(
        self,
        size: int = 28,
        channels: int = 1,
        width: int = 64,
        z_dim: int = 100,
        classes: int = 10,
        variant: str = "torch",
    ) -> None:
        super().__init__()
        at_least_one(z_dim=z_dim, classes=classes)
        self.z_dim, self.classes = z_dim, classes
        self.plain = DCGANGenerator(size, channels, width, z_dim + classes, variant)
        self.sample_shape = self.plain.sample_shape

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Images from z [batch, z_dim] and labels y [batch]. Raises `ShapeError`."""
        require_shape(z, (self.z_dim,), "z")
        return self.plain(joined(z, y, self.classes))  # → [batch, C, size, size]


class ConditionalDCGANDiscriminator(Rebuildable):
    """`DCGANDiscriminator` on an image with a map for each class beside it: 1 in that of its label, 0 in the others.

    Images [batch, channels, size, size], y int64 [batch] → logits t [batch]. Raises `ConfigError` as
    `ConditionalDCGANGenerator` does.
    """

    later: ClassVar[dict[str, Any]] = DCGANDiscriminator.later

    def __init__(
        self, size: int = 28, channels: int = 1, width: int = 64, classes: int = 10, variant: str = "torch"
    ) -> None:
        super().__init__()
        at_least_one(channels=channels, classes=classes)
        self.classes = classes
        self.plain = DCGANDiscriminator(size, channels + classes, width, variant)
        self.sample_shape = (channels, size, size)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Logits [batch] of images x [batch, channels, size, size] with labels y [batch]. Raises `ShapeError`."""
        require_shape(x, self.sample_shape, "x")
        maps = one_hot(y, len(x), self.classes).to(x.dtype)[:, :, None, None]
        return self.plain(torch.cat([x, maps.expand(-1, -1, *x.shape[2:])], dim=1))

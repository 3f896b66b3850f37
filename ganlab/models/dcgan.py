"""DCGAN (Radford, Metz & Chintala 2015) for images of 28, 32 or 64 pixels.

The architecture follows the paper's guidelines (sec. 3): strided and transposed convolutions instead of pooling, batch
norm except at G's output and D's input, no hidden fully connected layers, ReLU and tanh in G, LeakyReLU of slope 0.2
in D.
Kernels are 4×4 with stride 2, as in the Torch version of the paper's co-author; the paper's own code has 5×5.
"""

import itertools

from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.models.base import Rebuildable, at_least_one, init_normal, require_shape

DOUBLINGS = {28: (7, 2), 32: (4, 3), 64: (4, 4)}
"""For each image size: the size of the smallest map, and how often it is doubled."""


class DCGANGenerator(Rebuildable):
    """z [batch, z_dim] → images [batch, channels, size, size] in (−1, 1).

    `width` is the number of maps before the output (128 in the paper at 64 pixels); it doubles at each step towards z.
    Raises `ConfigError` for another size than 28, 32 or 64, or for numbers that are no positive integers.
    """

    output_range = (-1.0, 1.0)

    def __init__(self, size: int = 32, channels: int = 1, width: int = 64, z_dim: int = 100) -> None:
        super().__init__()
        smallest, doublings = _plan(size)
        at_least_one(channels=channels, width=width, z_dim=z_dim)
        self.z_dim = z_dim
        self.sample_shape = (channels, size, size)
        maps = [width * 2**i for i in reversed(range(doublings))]
        layers = [nn.ConvTranspose2d(z_dim, maps[0], smallest, bias=False), nn.BatchNorm2d(maps[0]), nn.ReLU()]
        for fewer_in, fewer in itertools.pairwise(maps):
            layers += [nn.ConvTranspose2d(fewer_in, fewer, 4, 2, 1, bias=False), nn.BatchNorm2d(fewer), nn.ReLU()]
        self.net = nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Tanh())
        init_normal(self)

    def forward(self, z: Tensor) -> Tensor:
        """Images from z [batch, z_dim]. Raises `ShapeError`."""
        require_shape(z, (self.z_dim,), "z")
        return self.net(z[:, :, None, None])  # [batch, z_dim, 1, 1] → [batch, C, size, size]


class DCGANDiscriminator(Rebuildable):
    """Images [batch, channels, size, size] in [−1, 1] → logits t [batch].

    `width` is the number of maps after the first convolution; it doubles at each later one. Raises `ConfigError` as
    `DCGANGenerator` does.
    """

    def __init__(self, size: int = 32, channels: int = 1, width: int = 64) -> None:
        super().__init__()
        smallest, halvings = _plan(size)
        at_least_one(channels=channels, width=width)
        self.sample_shape = (channels, size, size)
        maps = [width * 2**i for i in range(halvings)]
        layers = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for more_in, more in itertools.pairwise(maps):
            layers += [nn.Conv2d(more_in, more, 4, 2, 1, bias=False), nn.BatchNorm2d(more), nn.LeakyReLU(0.2)]
        self.net = nn.Sequential(*layers, nn.Conv2d(maps[-1], 1, smallest))
        init_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch] of images x. Raises `ShapeError`."""
        require_shape(x, self.sample_shape, "x")
        return self.net(x).flatten()  # [batch, 1, 1, 1] → [batch]


def _plan(size: int) -> tuple[int, int]:
    if not isinstance(size, int) or size not in DOUBLINGS:
        raise ConfigError(f"size is {size!r}; give one of {', '.join(map(str, DOUBLINGS))}.")
    return DOUBLINGS[size]

"""DCGAN (Radford, Metz & Chintala 2015) for square images of 8 to 128 pixels, a multiple of 4.

The architecture follows the paper's guidelines (sec. 3): strided and transposed convolutions instead of pooling, batch
norm except at G's output and D's input, no hidden fully connected layers, ReLU and tanh in G, LeakyReLU of slope 0.2
in D. What the paper's text leaves open its code and its descendants settled in three ways, `VARIANTS`:

    "text"     the paper (sec. 3, 4, Figure 1): 5×5 kernels, 128 maps next to the image at 64 pixels, z uniform on
               (−1, 1)¹⁰⁰. Biases and running averages, of which it does not speak, as usual: see "torch".
    "authors"  the code that its first author published: as the text, but no bias anywhere; batch norm with ε = 10⁻⁸ and
               the statistics of the present batch, in sampling, too, so that an image depends on its companions;
               G's first batch norm has a mean and a gain per unit, not per map. Trained with 10⁻⁵ times each parameter
               added to its gradient, and each minibatch for one network alone, G first: `Adam(weight_decay=1e-5)` and
               `update="one per minibatch"` of `ganlab.training`, as the recipe "dcgan-mnist-authors" has them.
    "torch"    the Torch version of its last author, which PyTorch's own example follows: 4×4 kernels, 64 maps, z
               normal; G begins and D ends with a convolution. Biases only where no batch norm follows (PyTorch's
               example has none). The default.

In all of them a fully connected layer from z, or one that ends in D's only number, is the same map as a convolution
whose kernel covers the whole map.
"""

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from ganlab.errors import ConfigError, ShapeError
from ganlab.models.base import Rebuildable, at_least_one, init_normal, require_shape

SIZES = range(8, 129, 4)


@dataclass(frozen=True)
class Variant:
    """One reading of DCGAN; with a step of 2, `kernel` − 2 `padding` + `output_padding` = 2 doubles a map exactly."""

    kernel: int
    padding: int
    output_padding: int  # of G's transposed convolutions
    width: int  # maps next to the image, at 64 pixels
    linear: bool  # whether G begins and D ends with a fully connected layer
    per_unit: bool = False  # whether G's first batch norm has statistics per unit instead of per map
    biases: bool = True  # where no batch norm follows
    eps: float = 1e-5
    running: bool = True  # whether evaluation uses running averages

    def norm(self, maps: int) -> nn.Module:
        """Batch norm of so many maps."""
        return nn.BatchNorm2d(maps, self.eps, track_running_stats=self.running)

    def up(self, maps_in: int, maps: int, *, bias: bool = False) -> nn.Module:
        """A transposed convolution that doubles the size."""
        return nn.ConvTranspose2d(maps_in, maps, self.kernel, 2, self.padding, self.output_padding, bias=bias)

    def down(self, maps_in: int, maps: int, *, bias: bool = False) -> nn.Module:
        """A convolution that halves the size."""
        return nn.Conv2d(maps_in, maps, self.kernel, 2, self.padding, bias=bias)

    def project(self, z_dim: int, maps: int, smallest: int) -> list[nn.Module]:
        """From z to the first maps [batch, maps, smallest, smallest] of G."""
        if not self.linear:
            return [nn.ConvTranspose2d(z_dim, maps, smallest, bias=False), self.norm(maps), nn.ReLU()]
        units = maps * smallest**2
        layer, shape = nn.Linear(z_dim, units, bias=False), nn.Unflatten(1, (maps, smallest, smallest))
        if not self.per_unit:
            return [layer, shape, self.norm(maps), nn.ReLU()]
        return [layer, nn.BatchNorm1d(units, self.eps, track_running_stats=self.running), nn.ReLU(), shape]

    def answer(self, maps: int, smallest: int) -> list[nn.Module]:
        """From the last maps of D to its one number."""
        if not self.linear:
            return [nn.Conv2d(maps, 1, smallest, bias=self.biases)]
        return [nn.Flatten(), nn.Linear(maps * smallest**2, 1, bias=self.biases)]


VARIANTS = {
    "text": Variant(5, 2, 1, width=128, linear=True),
    "authors": Variant(5, 2, 1, width=128, linear=True, per_unit=True, biases=False, eps=1e-8, running=False),
    "torch": Variant(4, 1, 0, width=64, linear=False),
}


class DCGANGenerator(Rebuildable):
    """z [batch, z_dim] → images [batch, channels, size, size] in (−1, 1).

    `width` is the number of maps before the output (`VARIANTS[variant].width` at 64 pixels); it doubles at each step
    towards z. Raises `ConfigError` for a size that is not in `SIZES`, an unknown variant, or numbers that are no
    positive integers.
    """

    output_range = (-1.0, 1.0)
    later: ClassVar[dict[str, Any]] = {"variant": "torch"}

    def __init__(
        self, size: int = 32, channels: int = 1, width: int = 64, z_dim: int = 100, variant: str = "torch"
    ) -> None:
        super().__init__()
        chosen, (smallest, doublings) = _chosen(variant), plan(size)
        at_least_one(channels=channels, width=width, z_dim=z_dim)
        self.z_dim = z_dim
        self.sample_shape = (channels, size, size)
        self._linear, self._fewest = chosen.linear, 2 if chosen.per_unit else 0
        maps = [width * 2**i for i in reversed(range(doublings))]
        layers = chosen.project(z_dim, maps[0], smallest)
        for maps_in, maps_out in itertools.pairwise(maps):
            layers += [chosen.up(maps_in, maps_out), chosen.norm(maps_out), nn.ReLU()]
        self.net = nn.Sequential(*layers, chosen.up(width, channels, bias=chosen.biases), nn.Tanh())
        init_normal(self)

    def forward(self, z: Tensor) -> Tensor:
        """Images from z [batch, z_dim]. Raises `ShapeError`, of one z, too, where units are compared over the batch."""
        require_shape(z, (self.z_dim,), "z")
        if len(z) < self._fewest:
            raise ShapeError(f"z holds {len(z)}; give at least 2: each unit is compared with those of others.")
        return self.net(z if self._linear else z[:, :, None, None])  # → [batch, C, size, size]


class DCGANDiscriminator(Rebuildable):
    """Images [batch, channels, size, size] in [−1, 1] → logits t [batch].

    `width` is the number of maps after the first convolution; it doubles at each later one. Raises `ConfigError` as
    `DCGANGenerator` does.
    """

    later: ClassVar[dict[str, Any]] = {"variant": "torch"}

    def __init__(self, size: int = 32, channels: int = 1, width: int = 64, variant: str = "torch") -> None:
        super().__init__()
        chosen, (smallest, halvings) = _chosen(variant), plan(size)
        at_least_one(channels=channels, width=width)
        self.sample_shape = (channels, size, size)
        maps = [width * 2**i for i in range(halvings)]
        layers = [chosen.down(channels, width, bias=chosen.biases), nn.LeakyReLU(0.2)]
        for maps_in, maps_out in itertools.pairwise(maps):
            layers += [chosen.down(maps_in, maps_out), chosen.norm(maps_out), nn.LeakyReLU(0.2)]
        self.net = nn.Sequential(*layers, *chosen.answer(maps[-1], smallest))
        init_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch] of images x. Raises `ShapeError`."""
        require_shape(x, self.sample_shape, "x")
        return self.net(x).flatten()  # [batch, 1, …] → [batch]


def _chosen(variant: str) -> Variant:
    if not isinstance(variant, str) or variant not in VARIANTS:
        raise ConfigError(f"variant is {variant!r}; give one of {', '.join(VARIANTS)}.")
    return VARIANTS[variant]


def plan(size: int) -> tuple[int, int]:
    """The size of the smallest map, 4 to 31, and how often it is doubled. Raises `ConfigError` for other sizes."""
    if not isinstance(size, int) or isinstance(size, bool) or size not in SIZES:
        raise ConfigError(f"size is {size!r}; give a multiple of 4 from {SIZES[0]} to {SIZES[-1]}, such as 28, 32, 64.")
    smallest, doublings = size, 0
    while smallest % 2 == 0 and smallest >= 8:
        smallest, doublings = smallest // 2, doublings + 1
    return smallest, doublings

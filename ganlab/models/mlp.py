"""Fully connected networks for small images: quick on a CPU, good enough for 8×8 digits."""

import itertools
from collections.abc import Sequence

from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.models.base import Rebuildable, at_least_one, init_normal, require_shape


class MLPGenerator(Rebuildable):
    """z → hidden layers with batch norm and ReLU → pixels through tanh.

    z [batch, z_dim] → images [batch, channels, side, side] in (−1, 1). Without the batch norm the discriminator wins
    and the samples stay noise. Initialised as in DCGAN (Radford et al. 2015, sec. 4). Raises `ConfigError` for sizes
    that are no positive integers.
    """

    output_range = (-1.0, 1.0)

    def __init__(self, z_dim: int = 64, channels: int = 1, side: int = 28, hidden: Sequence[int] = (256, 512)) -> None:
        super().__init__()
        at_least_one(z_dim=z_dim, channels=channels, side=side)
        self.z_dim = z_dim
        self.sample_shape = (channels, side, side)
        self.net = generator_layers(z_dim, hidden, channels * side * side)
        init_normal(self)

    def forward(self, z: Tensor) -> Tensor:
        """Images [batch, channels, side, side] from z [batch, z_dim]. Raises `ShapeError`."""
        require_shape(z, (self.z_dim,), "z")
        return self.net(z).unflatten(1, self.sample_shape)  # [batch, C, H, W]


class MLPDiscriminator(Rebuildable):
    """Pixels → hidden layers with LeakyReLU of slope 0.2 → one number.

    Images [batch, channels, side, side] → logits t [batch]. Initialised as `MLPGenerator` is.
    Raises `ConfigError` for sizes that are no positive integers.
    """

    def __init__(self, channels: int = 1, side: int = 28, hidden: Sequence[int] = (512, 256)) -> None:
        super().__init__()
        at_least_one(channels=channels, side=side)
        self.sample_shape = (channels, side, side)
        self.net = discriminator_layers(channels * side * side, hidden)
        init_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch] of images x [batch, channels, side, side]. Raises `ShapeError`."""
        require_shape(x, self.sample_shape, "x")
        return self.net(x.flatten(1)).squeeze(1)  # [batch]


def generator_layers(n_in: int, hidden: Sequence[int], n_out: int) -> nn.Sequential:
    """n_in numbers → hidden layers with batch norm and ReLU → n_out numbers through tanh. Raises `ConfigError`."""
    _require_widths(hidden)
    sizes = [n_in, *hidden]
    layers: list[nn.Module] = []
    for size, following in itertools.pairwise(sizes):
        layers += [nn.Linear(size, following, bias=False), nn.BatchNorm1d(following), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], n_out), nn.Tanh())


def discriminator_layers(n_in: int, hidden: Sequence[int]) -> nn.Sequential:
    """n_in numbers → hidden layers with LeakyReLU of slope 0.2 → one number. Raises `ConfigError`."""
    _require_widths(hidden)
    sizes = [n_in, *hidden]
    layers: list[nn.Module] = []
    for size, following in itertools.pairwise(sizes):
        layers += [nn.Linear(size, following), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], 1))


def _require_widths(hidden: Sequence[int]) -> None:
    if not isinstance(hidden, list | tuple):
        raise ConfigError(f"hidden is {hidden!r}; give the layers' widths, such as (256, 512).")
    at_least_one(**{f"hidden[{i}]": width for i, width in enumerate(hidden)})

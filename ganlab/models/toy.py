"""Small networks for points in the plane or on the line."""

import itertools
import math
from typing import Literal

from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.models.base import Rebuildable, at_least_one, require_shape

Activation = Literal["tanh", "relu"]
_ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU}


class ToyGenerator(Rebuildable):
    """An MLP from z [batch, z_dim] to points [batch, dim] of any size.

    The defaults are LSGAN's toy setting (Mao et al. 2017, released code): z of 256 numbers, two hidden tanh layers of
    128 units, orthogonal weights with gain 1.4 in every layer, biases 0. Raises `ConfigError` for an unknown activation
    and for numbers that are not positive.
    """

    output_range = None

    def __init__(
        self,
        z_dim: int = 256,
        dim: int = 2,
        width: int = 128,
        depth: int = 2,
        activation: Activation = "tanh",
        gain: float = 1.4,
    ) -> None:
        super().__init__()
        at_least_one(z_dim=z_dim, dim=dim)
        self.z_dim = z_dim
        self.sample_shape = (dim,)
        self.net = _mlp(z_dim, dim, width, depth, activation, gain)

    def forward(self, z: Tensor) -> Tensor:
        """Points [batch, dim] from z [batch, z_dim]. Raises `ShapeError`."""
        require_shape(z, (self.z_dim,), "z")
        return self.net(z)


class ToyDiscriminator(Rebuildable):
    """An MLP from points [batch, dim] to logits t [batch], with the defaults and errors of `ToyGenerator`."""

    def __init__(
        self, dim: int = 2, width: int = 128, depth: int = 2, activation: Activation = "tanh", gain: float = 1.4
    ) -> None:
        super().__init__()
        at_least_one(dim=dim)
        self.sample_shape = (dim,)
        self.net = _mlp(dim, 1, width, depth, activation, gain)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch] of points x [batch, dim]. Raises `ShapeError`."""
        require_shape(x, self.sample_shape, "x")
        return self.net(x).squeeze(1)


def _mlp(n_in: int, n_out: int, width: int, depth: int, activation: str, gain: float) -> nn.Sequential:
    at_least_one(width=width, depth=depth)
    if not isinstance(activation, str) or activation not in _ACTIVATIONS:
        raise ConfigError(f"activation is {activation!r}; give one of {', '.join(map(repr, _ACTIVATIONS))}.")
    if not (isinstance(gain, int | float) and math.isfinite(gain) and gain > 0):
        raise ConfigError(f"gain is {gain!r}; give a positive number.")
    sizes = [n_in, *[width] * depth, n_out]
    layers: list[nn.Module] = []
    for size, following in itertools.pairwise(sizes):
        linear = nn.Linear(size, following)
        nn.init.orthogonal_(linear.weight, gain)
        nn.init.zeros_(linear.bias)
        layers += [linear, _ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])

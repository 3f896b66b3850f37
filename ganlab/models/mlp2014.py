"""The networks of the 2014 paper's MNIST experiment (its sec. 5), as its authors' released configuration gives them.

The same discriminator in other sizes judges the faces and, fully connected, CIFAR-10.
"""

import torch
from torch import Tensor, nn

from ganlab.errors import ShapeError
from ganlab.models.base import Rebuildable, at_least_one, init_uniform, limit_norms, positive, require_shape


class Generator2014(Rebuildable):
    """G of Goodfellow et al. 2014 on MNIST: z → 1200 ReLU → 1200 ReLU → pixels through a sigmoid.

    z [batch, 100] → images [batch, channels, side, side] in (0, 1). Weights are uniform on ±0.05, biases 0;
    2,503,984 parameters at the defaults. Raises `ConfigError` for sizes that are no positive integers.
    """

    output_range = (0.0, 1.0)

    def __init__(self, z_dim: int = 100, channels: int = 1, side: int = 28, hidden: int = 1200) -> None:
        super().__init__()
        at_least_one(z_dim=z_dim, channels=channels, side=side, hidden=hidden)
        self.z_dim = z_dim
        self.sample_shape = (channels, side, side)
        self.hidden = nn.Sequential(nn.Linear(z_dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.out = nn.Linear(hidden, channels * side * side)
        init_uniform(self, 0.05)

    def forward(self, z: Tensor) -> Tensor:
        """Images [batch, channels, side, side] from z [batch, z_dim]. Raises `ShapeError`."""
        require_shape(z, (self.z_dim,), "z")
        return self.out(self.hidden(z)).sigmoid().unflatten(1, self.sample_shape)  # [batch, C, H, W]

    def set_output_bias(self, mean_image: Tensor) -> None:
        """Set the output bias to the logit of the training images' mean pixel, in [0, 1], shape [C, H, W].

        So the untrained generator is right on average (the authors' `init_sigmoid_bias_from_marginals`). The mean is
        clipped to 1e-7 … 1 − 1e-7. Raises `ShapeError` for another shape or range.
        """
        set_bias_to_mean(self.out, mean_image, self.sample_shape)


class Maxout(nn.Module):
    """The maximum of `pieces` linear functions per unit: [batch, in_features] → [batch, units].

    From Goodfellow et al. 2013, sec. 3.
    """

    def __init__(self, in_features: int, units: int, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces
        self.linear = nn.Linear(in_features, units * pieces)

    def forward(self, x: Tensor) -> Tensor:
        """The largest of each contiguous group of `pieces` outputs."""
        return self.linear(x).unflatten(1, (-1, self.pieces)).max(dim=2).values  # [batch, units]


class Discriminator2014(Rebuildable):
    """D of Goodfellow et al. 2014 on MNIST: two maxout layers of 240 units with 5 pieces, then one number.

    Images [batch, channels, side, side] in [0, 1] → logits t [batch]. Dropout keeps 0.8 of the pixels and 0.5 of the
    hidden units, and in training scales what it keeps by 1/0.8 and 1/0.5. Weights are uniform on ±0.005, biases 0;
    1,231,441 parameters at the defaults. `constrain()` limits the norm of the weights into each unit to `max_norm`,
    where one is given. Raises `ConfigError` for sizes that are no positive integers, and for a `max_norm` that is no
    positive number.
    """

    def __init__(
        self, channels: int = 1, side: int = 28, units: int = 240, pieces: int = 5, max_norm: float | None = None
    ) -> None:
        super().__init__()
        at_least_one(channels=channels, side=side, units=units, pieces=pieces)
        if max_norm is not None:
            positive(max_norm=max_norm)
        self.max_norm = max_norm
        self.sample_shape = (channels, side, side)
        self.net = nn.Sequential(
            nn.Dropout(0.2),
            Maxout(channels * side * side, units, pieces),
            nn.Dropout(0.5),
            Maxout(units, units, pieces),
            nn.Dropout(0.5),
            nn.Linear(units, 1),
        )
        init_uniform(self, 0.005)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch] of images x [batch, channels, side, side]. Raises `ShapeError`."""
        require_shape(x, self.sample_shape, "x")
        return self.net(x.flatten(1)).squeeze(1)  # [batch]

    def constrain(self) -> None:
        """Scale down, in place, the weights into each unit whose norm is above `max_norm`."""
        if self.max_norm is not None:
            limit_norms(self, self.max_norm)


@torch.no_grad()
def set_bias_to_mean(out: nn.Linear, mean_image: Tensor, shape: tuple[int, ...]) -> None:
    """Set the bias of sigmoid output units to the logit of the mean image. Raises `ShapeError`."""
    if tuple(mean_image.shape) != shape:
        raise ShapeError(f"mean image has shape {list(mean_image.shape)}; give {list(shape)}.")
    low, high = float(mean_image.min()), float(mean_image.max())
    if not (low >= 0 and high <= 1):
        raise ShapeError(f"mean image ranges over [{low:g}, {high:g}]; give the mean of pixels in [0, 1].")
    out.bias.copy_(mean_image.flatten().clamp(1e-7, 1 - 1e-7).logit())

"""The networks of the 2014 paper on faces and on CIFAR-10, as its authors' released configurations give them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.models.base import Rebuildable, at_least_one, init_uniform, limit_norms, positive, require_shape
from ganlab.models.mlp2014 import Maxout, set_bias_to_mean

SIGMOID_BIAS = -2.0
"""The face generators' sigmoid units start nearly off."""
NORMALISED_RANGE = (-2.5, 2.5)
"""Where nearly all pixels of contrast-normalised images lie: their standard deviation is 1."""


class FaceGenerator2014(Rebuildable):
    """G of Goodfellow et al. 2014 on the Toronto faces, first stage: z → ReLU → sigmoid → pixels through a sigmoid.

    z [batch, z_dim] → images [batch, 1, side, side] in (0, 1). Hidden weights are uniform on ±0.05; each pixel starts
    with `incoming` weights from N(0, 1), the rest 0; the sigmoid units' biases are −2. `constrain()` limits the norm of
    the weights into each unit to `max_norm`. 83,250,304 parameters at the defaults. Raises `ConfigError` for sizes that
    are no positive integers, and for a `max_norm` that is no positive number.
    """

    output_range = (0.0, 1.0)

    def __init__(
        self, z_dim: int = 100, side: int = 48, hidden: int = 8000, incoming: int = 100, max_norm: float = 1.9365
    ) -> None:
        super().__init__()
        at_least_one(z_dim=z_dim, side=side, hidden=hidden, incoming=incoming)
        positive(max_norm=max_norm)
        self.z_dim = z_dim
        self.max_norm = max_norm
        self.sample_shape = (1, side, side)
        self.hidden = _relu_then_sigmoid(z_dim, hidden, hidden, SIGMOID_BIAS)
        self.out = nn.Linear(hidden, side * side)
        _init_sparse(self.out, incoming)

    def forward(self, z: Tensor) -> Tensor:
        """Images [batch, 1, side, side] from z [batch, z_dim]. Raises `ShapeError`."""
        require_shape(z, (self.z_dim,), "z")
        return self.out(self.hidden(z)).sigmoid().unflatten(1, self.sample_shape)  # [batch, 1, H, W]

    def set_output_bias(self, mean_image: Tensor) -> None:
        """As `Generator2014.set_output_bias`."""
        set_bias_to_mean(self.out, mean_image, self.sample_shape)

    def constrain(self) -> None:
        """Scale down, in place, the weights into each unit whose norm is above `max_norm`."""
        limit_norms(self, self.max_norm)


class DeepFaceGenerator2014(Rebuildable):
    """G of Goodfellow et al. 2014 on the Toronto faces, second stage: a new net below a trained `FaceGenerator2014`.

    z [batch, z_dim] → ReLU → `code` sigmoid units, which take the place of the first stage's z. Sizes, initial weights
    and errors are those of the first stage; 84,858,404 parameters at the defaults.
    """

    output_range = (0.0, 1.0)

    def __init__(
        self, z_dim: int = 100, code: int = 100, side: int = 48, hidden: int = 8000, max_norm: float = 1.9365
    ) -> None:
        super().__init__()
        at_least_one(z_dim=z_dim, code=code, side=side, hidden=hidden)
        self.z_dim = z_dim
        self.max_norm = max_norm
        self.below = _relu_then_sigmoid(z_dim, hidden, code, SIGMOID_BIAS)
        self.faces = FaceGenerator2014(code, side, hidden, max_norm=max_norm)
        self.sample_shape = self.faces.sample_shape

    def forward(self, z: Tensor) -> Tensor:
        """Images [batch, 1, side, side] from z [batch, z_dim]. Raises `ShapeError`."""
        require_shape(z, (self.z_dim,), "z")
        return self.faces(self.below(z))

    def stack_on(self, first: nn.Module) -> None:
        """Take over the weights of the trained first stage. Raises `ConfigError` when it is another network."""
        state = first.state_dict()
        mine = {name: tuple(value.shape) for name, value in self.faces.state_dict().items()}
        given = {name: tuple(value.shape) for name, value in state.items()}
        if given != mine:
            raise ConfigError(f"the first stage is {type(first).__name__} {given}; give one of {mine}.")
        self.faces.load_state_dict(state)

    def constrain(self) -> None:
        """Scale down, in place, the weights into each unit whose norm is above `max_norm`."""
        limit_norms(self, self.max_norm)


class ColourGenerator2014(Rebuildable):
    """G of Goodfellow et al. 2014 on CIFAR-10: z → ReLU → sigmoid → pixels, linear and fully connected.

    z [batch, z_dim] → contrast-normalised images [batch, 3, side, side], unbounded. Weights are uniform on ±0.05, the
    output's on ±0.5, biases 0; 89,395,072 parameters at the defaults.
    """

    output_range = None
    shown_range = NORMALISED_RANGE

    def __init__(self, z_dim: int = 100, side: int = 32, hidden: int = 8000) -> None:
        super().__init__()
        at_least_one(z_dim=z_dim, side=side, hidden=hidden)
        self.z_dim = z_dim
        self.sample_shape = (3, side, side)
        self.hidden = _relu_then_sigmoid(z_dim, hidden, hidden, 0)
        self.out = nn.Linear(hidden, 3 * side * side)
        init_uniform(self.out, 0.5)

    def forward(self, z: Tensor) -> Tensor:
        """Images [batch, 3, side, side] from z [batch, z_dim]. Raises `ShapeError`."""
        require_shape(z, (self.z_dim,), "z")
        return self.out(self.hidden(z)).unflatten(1, self.sample_shape)  # [batch, 3, H, W]


class DeconvGenerator2014(Rebuildable):
    """G of Goodfellow et al. 2014 on CIFAR-10, "deconvolutional": z → ReLU → sigmoid maps 10×10 → pixels 32×32.

    z [batch, z_dim] → contrast-normalised images [batch, 3, 32, 32], unbounded. The last layer is a transposed 5×5
    convolution of stride 3 with a bias for each pixel. Weights are uniform on ±0.05, biases 0; 64,825,072 parameters at
    the defaults.
    """

    output_range = None
    shown_range = NORMALISED_RANGE
    MAP_SIDE = 10

    def __init__(self, z_dim: int = 100, hidden: int = 8000, maps: int = 80) -> None:
        super().__init__()
        at_least_one(z_dim=z_dim, hidden=hidden, maps=maps)
        self.z_dim = z_dim
        self.maps_shape = (maps, self.MAP_SIDE, self.MAP_SIDE)
        self.hidden = _relu_then_sigmoid(z_dim, hidden, maps * self.MAP_SIDE**2, 0)
        self.deconv = nn.ConvTranspose2d(maps, 3, kernel_size=5, stride=3, bias=False)
        init_uniform(self.deconv, 0.05)
        self.sample_shape = (3, 32, 32)
        self.bias = nn.Parameter(torch.zeros(self.sample_shape))

    def forward(self, z: Tensor) -> Tensor:
        """Images [batch, 3, 32, 32] from z [batch, z_dim]. Raises `ShapeError`."""
        require_shape(z, (self.z_dim,), "z")
        maps = self.hidden(z).unflatten(1, self.maps_shape)  # [batch, maps, 10, 10]
        return self.deconv(maps) + self.bias  # [batch, 3, 32, 32]


class MaxoutConv(nn.Module):
    """A convolution, the maximum over `pieces` neighbouring channels, and overlapping max pooling of stride 2.

    [batch, channels, side, side] → [batch, maps, smaller, smaller]; windows that reach over the edge are pooled, too.
    """

    def __init__(self, channels: int, maps: int, pieces: int, kernel: int, padding: int, pool: int) -> None:
        super().__init__()
        self.pieces, self.pool = pieces, pool
        self.conv = nn.Conv2d(channels, maps * pieces, kernel, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        """The pooled maxima."""
        largest = self.conv(x).unflatten(1, (-1, self.pieces)).max(dim=2).values  # [batch, maps, H, W]
        return F.max_pool2d(largest, self.pool, stride=2, ceil_mode=True)


class ConvDiscriminator2014(Rebuildable):
    """D of Goodfellow et al. 2014 on CIFAR-10, convolutional: three maxout convolutions, a maxout layer, one number.

    Images [batch, 3, 32, 32] → logits t [batch]. Dropout keeps 0.8 of the pixels and 0.5 of every later layer's inputs,
    scaled as in `Discriminator2014`. Weights are uniform on ±0.005, biases 0; 12,454,073 parameters at the defaults.
    """

    def __init__(self, maps: int = 32, last_maps: int = 192, units: int = 500) -> None:
        super().__init__()
        at_least_one(maps=maps, last_maps=last_maps, units=units)
        self.sample_shape = (3, 32, 32)
        self.net = nn.Sequential(
            nn.Dropout(0.2),
            MaxoutConv(3, maps, 2, kernel=8, padding=4, pool=4),  # 16 × 16
            nn.Dropout(0.5),
            MaxoutConv(maps, maps, 2, kernel=8, padding=3, pool=4),  # 7 × 7
            nn.Dropout(0.5),
            MaxoutConv(maps, last_maps, 2, kernel=5, padding=3, pool=2),  # 5 × 5
            nn.Flatten(),
            nn.Dropout(0.5),
            Maxout(last_maps * 25, units, 5),
            nn.Dropout(0.5),
            nn.Linear(units, 1),
        )
        init_uniform(self, 0.005)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch] of images x [batch, 3, 32, 32]. Raises `ShapeError`."""
        require_shape(x, self.sample_shape, "x")
        return self.net(x).squeeze(1)  # [batch]


def _relu_then_sigmoid(n_in: int, hidden: int, n_out: int, bias: float) -> nn.Sequential:
    layers = nn.Sequential(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, n_out), nn.Sigmoid())
    init_uniform(layers, 0.05)
    nn.init.constant_(layers[2].bias, bias)  # pyright: ignore[reportArgumentType]
    return layers


@torch.no_grad()
def _init_sparse(layer: nn.Linear, incoming: int) -> None:
    """Weights from N(0, 1) from `incoming` inputs chosen at random for each unit, 0 from all others; biases 0."""
    chosen = torch.rand_like(layer.weight).topk(min(incoming, layer.in_features), dim=1).indices
    layer.weight.zero_().scatter_(1, chosen, torch.randn(chosen.shape, device=chosen.device))
    layer.bias.zero_()

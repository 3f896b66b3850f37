"""LSGAN's networks (Mao et al. 2017), layer by layer as its authors' published code has them.

    scenes     `LSGANSceneGenerator` and `LSGANDiscriminator` at 112×112 pixels, for scenes of LSUN (`train_lsun.py`)
    stability  `LSGANGenerator` and `LSGANDiscriminator` at 64×64, for the experiments without batch norm, which is left
               out in G or in both (`stability_comparison`): DCGAN of the paper's text, half as wide

Both take z uniform on (−1, 1)¹⁰²⁴, and D is one: as many strided convolutions as lead from 112 to 7 pixels, or from 64
to 4. First weights, of both: N(0, 0.02²), in D's convolutions cut off at two standard deviations; biases 0; batch norm
begins with gains of 1 and samples with running averages, of which a step keeps 0.9. A bias before batch norm, which the
code has, does nothing and is left out; where a 5×5 kernel meets the edge, TensorFlow pads one side more, these layers
both alike.
"""

import itertools

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.models.base import Rebuildable, at_least_one, require_shape, yes_or_no
from ganlab.models.dcgan import VARIANTS, plan

SCENE_SIZES = range(32, 129, 16)
SCENE_LAYERS = ((4, 2), (4, 1), (4, 2), (4, 1), (2, 2), (1, 2))
"""Maps, in units of `width`, and stride of each hidden transposed convolution."""
_FIVE = VARIANTS["text"]
"""Convolutions of 5×5 that halve or double a map."""


class LSGANSceneGenerator(Rebuildable):
    """z [batch, z_dim] → images [batch, channels, size, size] in (−1, 1): the generator of LSUN's scenes.

    A fully connected layer to 4·`width` maps of size/16 × size/16, seven transposed convolutions of 3×3, of which four
    double the map; batch norm and ReLU after each but the last, tanh. Raises `ConfigError` for a size that is not in
    `SCENE_SIZES`, or numbers that are no positive integers.
    """

    output_range = (-1.0, 1.0)

    def __init__(self, size: int = 112, channels: int = 3, width: int = 64, z_dim: int = 1024) -> None:
        super().__init__()
        if not isinstance(size, int) or isinstance(size, bool) or size not in SCENE_SIZES:
            raise ConfigError(f"size is {size!r}; give a multiple of 16 from {SCENE_SIZES[0]} to {SCENE_SIZES[-1]}.")
        at_least_one(channels=channels, width=width, z_dim=z_dim)
        self.z_dim = z_dim
        self.sample_shape = (channels, size, size)
        maps, layers = 4 * width, _projected(z_dim, 4 * width, size // 16, norm=True)
        for share, stride in SCENE_LAYERS:
            layers += [_three(maps, share * width, stride, bias=False), nn.BatchNorm2d(share * width), nn.ReLU()]
            maps = share * width
        self.net = nn.Sequential(*layers, _three(maps, channels, 1, bias=True), nn.Tanh())
        _init(self)

    def forward(self, z: Tensor) -> Tensor:
        """Images from z [batch, z_dim]. Raises `ShapeError`."""
        require_shape(z, (self.z_dim,), "z")
        return self.net(z)  # [batch, C, size, size]


class LSGANGenerator(Rebuildable):
    """z [batch, z_dim] → images [batch, channels, size, size] in (−1, 1): the generator of the stability experiments.

    A fully connected layer to the smallest map, 8·`width` maps of 4×4 for 64 pixels, and transposed convolutions of 5×5
    that double the map and halve the maps down to `width`; batch norm, unless `norm` is False, and ReLU after each but
    the last, tanh. Raises `ConfigError` for a size that is no multiple of 4 from 8 to 128, and for options of another
    kind.
    """

    output_range = (-1.0, 1.0)

    def __init__(
        self, size: int = 64, channels: int = 3, width: int = 64, z_dim: int = 1024, norm: bool = True
    ) -> None:
        super().__init__()
        smallest, doublings = plan(size)
        at_least_one(channels=channels, width=width, z_dim=z_dim)
        yes_or_no(norm=norm)
        self.z_dim = z_dim
        self.sample_shape = (channels, size, size)
        maps = [width * 2**i for i in reversed(range(doublings))]
        layers = _projected(z_dim, maps[0], smallest, norm=norm)
        for maps_in, maps_out in itertools.pairwise(maps):
            layers += [_FIVE.up(maps_in, maps_out, bias=not norm), *_normed(maps_out, norm), nn.ReLU()]
        self.net = nn.Sequential(*layers, _FIVE.up(width, channels, bias=True), nn.Tanh())
        _init(self)

    def forward(self, z: Tensor) -> Tensor:
        """Images from z [batch, z_dim]. Raises `ShapeError`."""
        require_shape(z, (self.z_dim,), "z")
        return self.net(z)  # [batch, C, size, size]


class LSGANDiscriminator(Rebuildable):
    """Images [batch, channels, size, size] in [−1, 1] → scores t [batch]: the discriminator of both experiments.

    Convolutions of 5×5 that halve the map and double the maps from `width` on, four of them at 112 and at 64 pixels;
    batch norm, unless `norm` is False, after each but the first, LeakyReLU of slope 0.2; a fully connected layer to one
    number. Raises `ConfigError` as `LSGANGenerator` does.
    """

    def __init__(self, size: int = 64, channels: int = 3, width: int = 64, norm: bool = True) -> None:
        super().__init__()
        smallest, halvings = plan(size)
        at_least_one(channels=channels, width=width)
        yes_or_no(norm=norm)
        self.sample_shape = (channels, size, size)
        maps = [width * 2**i for i in range(halvings)]
        layers = [_FIVE.down(channels, width, bias=True), nn.LeakyReLU(0.2)]
        for maps_in, maps_out in itertools.pairwise(maps):
            layers += [_FIVE.down(maps_in, maps_out, bias=not norm), *_normed(maps_out, norm), nn.LeakyReLU(0.2)]
        self.net = nn.Sequential(*layers, *_FIVE.answer(maps[-1], smallest))
        _init(self)

    def forward(self, x: Tensor) -> Tensor:
        """Scores [batch] of images x. Raises `ShapeError`."""
        require_shape(x, self.sample_shape, "x")
        return self.net(x).squeeze(1)  # [batch, 1] → [batch]


def _projected(z_dim: int, maps: int, smallest: int, *, norm: bool) -> list[nn.Module]:
    """From z to the first maps [batch, maps, smallest, smallest] of G."""
    layer = nn.Linear(z_dim, maps * smallest**2, bias=not norm)
    return [layer, nn.Unflatten(1, (maps, smallest, smallest)), *_normed(maps, norm), nn.ReLU()]


def _normed(maps: int, norm: bool) -> list[nn.Module]:
    return [nn.BatchNorm2d(maps)] if norm else []


def _three(maps_in: int, maps: int, stride: int, *, bias: bool) -> nn.Module:
    """A transposed convolution of 3×3 that makes the map `stride` times as large."""
    return nn.ConvTranspose2d(maps_in, maps, 3, stride, padding=1, output_padding=stride - 1, bias=bias)


@torch.no_grad()
def _init(model: nn.Module) -> None:
    """The first weights that the module's text states; batch norm has them of itself."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.trunc_normal_(module.weight, std=0.02, a=-0.04, b=0.04)
        elif isinstance(module, nn.ConvTranspose2d | nn.Linear):
            module.weight.normal_(0, 0.02)
        else:
            continue
        if module.bias is not None:
            module.bias.zero_()

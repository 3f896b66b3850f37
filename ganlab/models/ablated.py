"""DCGANs without one of the paper's guidelines: what it forbids is put in wherever it applies, in both networks."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import nn

from ganlab.errors import ConfigError
from ganlab.models.base import init_normal
from ganlab.models.dcgan import DCGANDiscriminator, DCGANGenerator

Layers = Iterable[nn.Module]


def _each(network: nn.Module, change: Callable[[nn.Module], Layers]) -> None:
    """Put what `change` gives in the place of each layer."""
    layers = list(network.get_submodule("net").children())
    network.add_module("net", nn.Sequential(*(new for layer in layers for new in change(layer))))


def _strides(G: DCGANGenerator, D: DCGANDiscriminator) -> None:
    """Max-pooling after convolutions of stride 1, and nearest neighbours before them."""

    def pooled(layer: nn.Module) -> Layers:
        if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) or layer.stride != (2, 2):
            return [layer]
        bias = layer.bias is not None
        convolution = nn.Conv2d(layer.in_channels, layer.out_channels, 3, 1, 1, bias=bias)
        if isinstance(layer, nn.Conv2d):
            return [convolution, nn.MaxPool2d(2)]
        return [nn.Upsample(scale_factor=2), convolution]

    _each(G, pooled)
    _each(D, pooled)


def _batch_norm(G: DCGANGenerator, D: DCGANDiscriminator) -> None:
    """No batch norm; each layer before it gets the bias that batch norm made needless."""

    def plain(layer: nn.Module) -> Layers:
        if isinstance(layer, nn.BatchNorm2d):
            return []
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and layer.bias is None:
            layer.bias = nn.Parameter(torch.zeros(layer.out_channels))
        return [layer]

    _each(G, plain)
    _each(D, plain)


def _hidden_linear(G: DCGANGenerator, D: DCGANDiscriminator) -> None:
    """A fully connected layer more next to z and next to D's number, with two units for each map of the smallest."""

    def after_z(layer: nn.Module) -> Layers:
        if not isinstance(layer, nn.ConvTranspose2d) or layer.in_channels != G.z_dim:
            return [layer]
        maps, side = layer.out_channels, layer.kernel_size
        units = 2 * maps
        hidden = [nn.Flatten(), nn.Linear(G.z_dim, units, bias=False), nn.BatchNorm1d(units), nn.ReLU()]
        return [*hidden, nn.Linear(units, maps * math.prod(side), bias=False), nn.Unflatten(1, (maps, *side))]

    def before_t(layer: nn.Module) -> Layers:
        if not isinstance(layer, nn.Conv2d) or layer.out_channels != 1:
            return [layer]
        units = 2 * layer.in_channels
        hidden = nn.Linear(layer.in_channels * math.prod(layer.kernel_size), units, bias=False)
        return [nn.Flatten(), hidden, nn.BatchNorm1d(units), nn.LeakyReLU(0.2), nn.Linear(units, 1)]

    _each(G, after_z)
    _each(D, before_t)


def _relu_in_D(_: DCGANGenerator, D: DCGANDiscriminator) -> None:
    _each(D, lambda layer: [nn.ReLU()] if isinstance(layer, nn.LeakyReLU) else [layer])


def _leaky_and_sigmoid_in_G(G: DCGANGenerator, _: DCGANDiscriminator) -> None:
    """The images are in (0, 1) then, and D's real ones, too."""
    others = {nn.ReLU: lambda: nn.LeakyReLU(0.2), nn.Tanh: nn.Sigmoid}
    _each(G, lambda layer: [others[type(layer)]()] if type(layer) in others else [layer])
    G.output_range = (0.0, 1.0)


def _leaky_t(_: DCGANGenerator, D: DCGANDiscriminator) -> None:
    """LeakyReLU behind the last layer, too, as "LeakyReLU in D for all layers" says by the letter. (A tanh, a sigmoid
    before the objective's own, or whatever else bounds t is refused by the trainer.)"""
    D.get_submodule("net").add_module("leaky", nn.LeakyReLU(0.2))


def _nothing(_: DCGANGenerator, __: DCGANDiscriminator) -> None:
    """The weights are drawn otherwise, the layers stay."""


OFF: dict[str, Callable[[DCGANGenerator, DCGANDiscriminator], None]] = {
    "strides instead of pooling": _strides,
    "batch norm": _batch_norm,
    "no hidden fully connected layer": _hidden_linear,
    "D: LeakyReLU": _relu_in_D,
    "G: ReLU, tanh at the end": _leaky_and_sigmoid_in_G,
    "D: raw logits or sigmoid": _leaky_t,
    "initialisation": _nothing,
}
"""What is done to the layers for each guideline, by the names of `ganlab.models.guidelines.check`."""


def without(
    guideline: str | None, *, size: int = 28, channels: int = 1, width: int = 32, z_dim: int = 100
) -> tuple[DCGANGenerator, DCGANDiscriminator]:
    """A DCGAN that breaks one row of the check, and keeps the six others; None: that keeps all.

    Its weights are drawn from torch's global generator: by DCGAN's law, or without "initialisation" by PyTorch's own.
    Raises `ConfigError` for an unknown guideline, and as `DCGANGenerator` does.
    """
    if guideline is not None and guideline not in OFF:
        raise ConfigError(f"guideline is {guideline!r}; give one of {', '.join(OFF)}, or None.")
    G = DCGANGenerator(size, channels, width, z_dim)
    D = DCGANDiscriminator(size, channels, width)
    if guideline is not None:
        OFF[guideline](G, D)
    for network in (G, D):
        if guideline != "initialisation":
            init_normal(network)
            continue
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
                layer.reset_parameters()
    return G, D

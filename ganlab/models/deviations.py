"""DCGANs as they are often written: small pairs that deviate from the paper in one thing each."""

from collections.abc import Callable

import torch
from torch import nn

from ganlab.errors import ConfigError
from ganlab.models.base import init_normal
from ganlab.models.dcgan import DCGANDiscriminator, DCGANGenerator

SIZE, WIDTH = 16, 8
Change = Callable[[DCGANGenerator, DCGANDiscriminator], None]


def _put(network: nn.Module, kind: type[nn.Module], number: int, *layers: nn.Module) -> None:
    """Put layers in the place of the `number`-th layer of a kind."""
    old = list(network.get_submodule("net").children())
    at = [i for i, layer in enumerate(old) if isinstance(layer, kind)][number]
    network.add_module("net", nn.Sequential(*old[:at], *layers, *old[at + 1 :]))


def _all(network: nn.Module, kind: type[nn.Module], layer: Callable[[], nn.Module]) -> None:
    """Put a layer in the place of each of a kind."""
    for number, _ in enumerate([m for m in network.modules() if isinstance(m, kind)]):
        _put(network, kind, 0 if not isinstance(layer(), kind) else number, layer())


def _hidden_linear(_: nn.Module, D: nn.Module) -> None:
    layers = (nn.Linear(2 * WIDTH * 16, 32, bias=False), nn.BatchNorm1d(32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    _put(D, nn.Conv2d, -1, nn.Flatten(), *layers)


@torch.no_grad()
def _same_law_for_gains(*networks: nn.Module) -> None:
    for module in (m for network in networks for m in network.modules()):
        if isinstance(module, nn.BatchNorm2d):
            module.weight.normal_(0, 0.02)


def _as_torch_draws(*networks: nn.Module) -> None:
    for module in (m for network in networks for m in network.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.reset_parameters()


OF_LAYERS: dict[str, Change] = {
    "max-pooling in D": lambda _, D: _put(D, nn.Conv2d, 0, nn.Conv2d(1, WIDTH, 3, 1, 1), nn.MaxPool2d(2)),
    "upsampling in G": lambda G, _: _put(
        G, nn.ConvTranspose2d, -1, nn.Upsample(scale_factor=2), nn.Conv2d(WIDTH, 1, 3, 1, 1)
    ),
    "batch norm after D's first layer": lambda _, D: _put(D, nn.LeakyReLU, 0, nn.BatchNorm2d(WIDTH), nn.LeakyReLU(0.2)),
    "batch norm at G's output": lambda G, _: _put(G, nn.Tanh, 0, nn.BatchNorm2d(1), nn.Tanh()),
    "no batch norm in G": lambda G, _: _all(G, nn.BatchNorm2d, nn.Identity),
    "batch norm with ε = 0.8": lambda G, _: _put(G, nn.BatchNorm2d, -1, nn.BatchNorm2d(WIDTH, 0.8)),
    "a hidden fully connected layer": _hidden_linear,
    "slope 0.01 in D": lambda _, D: _all(D, nn.LeakyReLU, nn.LeakyReLU),
    "ReLU in D": lambda _, D: _all(D, nn.LeakyReLU, nn.ReLU),
    "LeakyReLU in G": lambda G, _: _all(G, nn.ReLU, lambda: nn.LeakyReLU(0.2)),
    "sigmoid at G's end": lambda G, _: _all(G, nn.Tanh, nn.Sigmoid),
    "tanh at D's end": lambda _, D: _put(D, nn.Conv2d, -1, nn.Conv2d(2 * WIDTH, 1, 4), nn.Tanh()),
}
"""What is changed before the first weights are drawn."""
OF_WEIGHTS: dict[str, Change] = {
    "one law for all, gains too": _same_law_for_gains,
    "PyTorch's own first weights": _as_torch_draws,
}
DEVIATIONS = (*OF_LAYERS, *OF_WEIGHTS)
COPIES = {
    "D2L": ("batch norm after D's first layer", "one law for all, gains too"),
    "CS231n": ("max-pooling in D", "a hidden fully connected layer", "slope 0.01 in D"),
    "PyTorch-GAN": ("batch norm with ε = 0.8", "upsampling in G", "LeakyReLU in G"),
}
"""Three DCGANs that are much copied, by some of what they do differently."""


def deviating(*names: str) -> tuple[DCGANGenerator, DCGANDiscriminator]:
    """A DCGAN for 16×16 grey images, width 8, with these deviations. Raises `ConfigError` for an unknown one."""
    unknown = [name for name in names if name not in DEVIATIONS]
    if unknown:
        raise ConfigError(f"{unknown[0]!r} is no deviation; give some of {', '.join(DEVIATIONS)}.")
    G, D = DCGANGenerator(SIZE, 1, WIDTH), DCGANDiscriminator(SIZE, 1, WIDTH)
    for name in (name for name in names if name in OF_LAYERS):
        OF_LAYERS[name](G, D)
    init_normal(G)
    init_normal(D)
    for name in (name for name in names if name in OF_WEIGHTS):
        OF_WEIGHTS[name](G, D)
    return G, D

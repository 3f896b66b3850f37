"""Many small networks of one kind as one: each layer does all of them in one batched matrix product."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin

from ganlab.errors import ConfigError, ShapeError

ELEMENTWISE = (
    *(nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Softplus, nn.Identity, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU),
    *(nn.Mish, nn.ReLU6, nn.Hardtanh, nn.Hardsigmoid, nn.Hardswish, nn.Softsign, nn.LogSigmoid),
)
ADVICE = "use linear layers and pointwise activations"


class StackedLinear(nn.Module):
    """N linear layers side by side: inputs [N, batch, n_in] → outputs [N, batch, n_out]."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        weights = torch.stack([layer.weight.detach().T for layer in layers]).contiguous()
        self.weight = nn.Parameter(weights, requires_grad=layers[0].weight.requires_grad)
        biases = [layer.weight.new_zeros(layer.out_features) if layer.bias is None else layer.bias for layer in layers]
        trained = layers[0].bias is not None and layers[0].bias.requires_grad
        self.bias = nn.Parameter(torch.stack(biases).detach()[:, None], requires_grad=trained)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs [N, batch, n_out] of inputs [N, batch, n_in], member by member."""
        return torch.baddbmm(self.bias, x, self.weight)

    @torch.no_grad()
    def unstack_into(self, layer: nn.Linear, member: int) -> None:
        """Copy the weights of one member into a single layer."""
        layer.weight.copy_(self.weight[member].T)
        if layer.bias is not None:
            layer.bias.copy_(self.bias[member, 0])


class Stacked(nn.Module):
    """N networks of one architecture, each an MLP in `.net`, as one network on [N, batch, …].

    Generators (with `z_dim`) give points [N, batch, dim], discriminators logits [N, batch]. Training it with the sum of
    the members' losses trains every member as if it were alone. Raises `ConfigError` for networks that differ in
    architecture, for layers other than linear ones and pointwise activations, and for weights that are used twice.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        chains: list[Any] = [getattr(network, "net", None) for network in networks]
        if not chains or not all(isinstance(chain, nn.Sequential) for chain in chains):
            raise ConfigError(f"{len(networks)} networks are given; give at least one, each with its layers in `.net`.")
        if len({str(chain) for chain in chains}) > 1:
            raise ConfigError(f"{len(networks)} networks differ in architecture; give networks that differ in weights.")
        for layer in networks[0].modules():
            if list(layer.children()) or isinstance(layer, (nn.Linear, *ELEMENTWISE)):
                continue
            raise _cannot_be_stacked(layer)
        columns = list(zip(*map(_layers, chains), strict=True))
        for chain in chains:
            _refuse_tied_weights(chain)
        self.members = len(networks)
        self._one = (copy.deepcopy(networks[0]),)  # in a tuple, so that its weights are not among the parameters
        for name in ("z_dim", "output_range", "shown_range"):
            if hasattr(networks[0], name):
                setattr(self, name, getattr(networks[0], name))
        self.net = nn.Sequential(
            *(StackedLinear(column) if isinstance(column[0], nn.Linear) else column[0] for column in columns)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, batch, n_in] → [N, batch, n_out], or [N, batch] for discriminators. Raises `ShapeError`."""
        if x.ndim != 3 or len(x) != self.members:
            raise ShapeError(f"the input has shape {list(x.shape)}; give [{self.members}, batch, n], one per member.")
        y = self.net(x)
        return y if hasattr(self, "z_dim") else y.squeeze(2)

    def member(self, number: int) -> nn.Module:
        """A copy of one member as a network of its own."""
        one: Any = copy.deepcopy(self._one[0])
        for stacked, layer in zip(self.net, _layers(one.net), strict=True):
            if isinstance(stacked, StackedLinear):
                stacked.unstack_into(layer, number)
        return one


def _layers(chain: nn.Sequential) -> list[Any]:
    """The layers of a chain in their order, those of chains in it too. Raises `ConfigError` for other layers that hold
    layers, and for linear ones whose weights are no plain parameters."""
    layers = []
    for layer in chain:
        if isinstance(layer, nn.Sequential) and type(layer).forward is nn.Sequential.forward:
            layers += _layers(layer)
        elif list(layer.children()) or isinstance(layer, LazyModuleMixin):
            raise _cannot_be_stacked(layer)
        elif other := [name for name, _ in layer.named_parameters() if name not in ("weight", "bias")]:
            raise ConfigError(f"{type(layer).__name__} with {', '.join(other)} cannot be stacked; {ADVICE}.")
        else:
            layers.append(layer)
    return layers


def _cannot_be_stacked(layer: nn.Module) -> ConfigError:
    return ConfigError(f"{type(layer).__name__} cannot be stacked; {ADVICE}.")


def _refuse_tied_weights(chain: nn.Module) -> None:
    """Raise `ConfigError` for a weight that is trained in two places: in a stack each would be its own."""
    first: dict[int, str] = {}
    for name, weight in chain.named_parameters(remove_duplicate=False):
        other = first.setdefault(id(weight), name)
        if other != name and weight.requires_grad:
            raise ConfigError(
                f"net.{other} and net.{name} are one weight, and a stack would train two; give each layer its own, or"
                " train the members one by one."
            )

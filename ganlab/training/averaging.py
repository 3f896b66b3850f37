"""The averaged generator: an exponential moving average of what training moves."""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError

RUNNING_STATISTICS = ("running_mean", "running_var")
"""Names of the buffers that are averages themselves: batch norm's."""


class Average(nn.Module):
    """A copy of a network, `module`, whose weights are a moving average of the network's.

    Averaged are floating-point parameters and batch norm's running statistics. All else is copied: counters, tables of
    integers, masks, and vectors that mean something only beside the weights of one step, as spectral norm's do.
    """

    module: nn.Module
    n_averaged: Tensor

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        try:
            self.module = twin(model)
        except Exception as error:
            raise ConfigError(
                f"{type(model).__name__} holds what cannot be copied for its average; let it hold tensors and plain"
                " values, or set ema=0."
            ) from error
        self.register_buffer("n_averaged", torch.tensor(0, device=next(model.parameters()).device))

    @torch.no_grad()
    def update(self, model: nn.Module, decay: float) -> None:
        """Move the average to decay·average + (1 − decay)·model; with decay 0 it becomes a copy of the model."""
        averaged, current = [], []
        for (is_average, ours), (_, theirs) in zip(_tensors(self.module), _tensors(model), strict=True):
            if is_average and decay:
                averaged.append(ours)
                current.append(theirs)
            else:
                ours.copy_(theirs)
        if averaged:
            torch._foreach_lerp_(averaged, current, 1 - decay)  # pyright: ignore[reportPrivateImportUsage]
        self.n_averaged += 1


def _tensors(model: nn.Module) -> Iterator[tuple[bool, Tensor]]:
    """Each parameter and buffer once, and whether it is averaged."""
    for parameter in model.parameters():
        yield parameter.is_floating_point() or parameter.is_complex(), parameter.detach()
    for name, buffer in model.named_buffers():
        yield name.rpartition(".")[2] in RUNNING_STATISTICS and buffer.is_floating_point(), buffer


def twin(model: nn.Module, *, share: bool = False) -> nn.Module:
    """A copy of a network, in whatever state it is: with weights of its own, or with the same ones (`share`).

    What an earlier forward pass has left in attributes (a result that autograd remembers) has no copy of its own in
    torch; it is taken over as plain numbers.
    """
    memo: dict[int, Any] = {}
    for module in model.modules():
        for value in vars(module).values():
            _remember(value, memo)
    if share:
        memo |= {id(parameter): parameter for parameter in model.parameters()}
    return copy.deepcopy(model, memo)


def _remember(value: Any, memo: dict[int, Any]) -> None:
    """Put what deepcopy cannot copy into its memo, with the copy that it is to take."""
    if isinstance(value, Tensor):
        if not value.is_leaf:
            memo[id(value)] = value.detach().clone()
    elif isinstance(value, list | tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            _remember(part, memo)

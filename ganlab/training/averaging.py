"""The averaged generator: an exponential moving average of what training moves."""

import copy
import dis
import inspect
from collections.abc import Iterator
from functools import partial
from types import CellType
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.training.wrappers import COMPILED

RUNNING_STATISTICS = ("running_mean", "running_var")
"""Names of the buffers that are averages themselves: batch norm's."""
DECLARED = ("z_dim", "output_range", "shown_range", "classes")
"""What a generator says of itself."""
OF_TORCH = vars(nn.Module()).keys() | {"_compiled_call_impl"}
CALLED = ("_forward_pre_hooks", "_forward_hooks")
"""What every module has of torch, and what of it a forward pass calls."""
DEPTH = 3
"""How far what holds other things is looked into."""


class Average(nn.Module):
    """A copy of a network, `module`, whose weights are a moving average of the network's.

    Averaged are floating-point parameters and batch norm's running statistics. All else is copied: counters, tables of
    integers, masks, and vectors that mean something only beside the weights of one step, as spectral norm's do.
    """

    module: nn.Module
    n_averaged: Tensor

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        if (name := _function_of_itself(model)) is not None:
            raise ConfigError(
                f"{type(model).__name__} holds what cannot be copied for its average: {name} has a function that refers"
                " to the network; let it be a method, or set ema=0."
            )
        try:
            self.module = twin(model)
        except Exception as error:
            raise ConfigError(
                f"{type(model).__name__} holds what cannot be copied for its average; let it hold tensors and plain"
                " values, or set ema=0."
            ) from error
        for name in DECLARED:
            if hasattr(model, name) and not hasattr(self.module, name):  # traced and scripted networks lose them
                setattr(self.module, name, getattr(model, name))
        self.register_buffer("n_averaged", torch.tensor(0, device=next(model.parameters()).device))

    @torch.no_grad()
    def update(self, model: nn.Module, decay: float) -> None:
        """Move the average to decay·average + (1 − decay)·model; with decay 0 it becomes a copy of the model."""
        averaged, current = [], []
        ours_by_name = dict(_tensors(self.module))
        for name, theirs in _tensors(model):
            ours = ours_by_name.get(name)
            if ours is None or ours.shape != theirs.shape:  # a buffer that a forward pass has made or made longer
                _put(self.module, name, theirs.clone())
            elif decay and _is_average(name, theirs):
                averaged.append(ours)
                current.append(theirs)
            else:
                ours.copy_(theirs)
        if averaged:
            torch._foreach_lerp_(averaged, current, 1 - decay)  # pyright: ignore[reportPrivateImportUsage]
        self.n_averaged += 1


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Each parameter and buffer once, with its name."""
    yield from model.named_parameters()
    yield from model.named_buffers()


def _is_average(name: str, tensor: Tensor) -> bool:
    """Whether a parameter or buffer is averaged: weights that are trained, and running statistics."""
    return tensor.requires_grad or (name.rpartition(".")[2] in RUNNING_STATISTICS and tensor.is_floating_point())


def _put(model: nn.Module, name: str, buffer: Tensor) -> None:
    holder, _, own = name.rpartition(".")
    model.get_submodule(holder)._buffers[own] = buffer


def twin(model: nn.Module, *, share: bool = False) -> nn.Module:
    """A copy of a network, in whatever state it is: with weights of its own, or with the same ones (`share`).

    What an earlier forward pass has left in attributes (a result that autograd remembers) has no copy of its own in
    torch; it is taken over as plain numbers. Raises `TypeError` for a function that refers to the network itself, as a
    hook or another forward that was put in the place of its own may: a copy would go on using the network.
    """
    if (name := _function_of_itself(model)) is not None:
        raise TypeError(f"{name} has a function that refers to the network")
    memo: dict[int, Any] = {}
    for module in model.modules():
        for value in vars(module).values() if COMPILED not in module._modules else ():
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


def _function_of_itself(model: nn.Module) -> str | None:
    """The attribute in which a network holds a function that refers to it; None where there is none."""
    parts = {id(part) for part in (*model.modules(), *model.parameters(), *model.buffers())}
    for path, module in model.named_modules():
        for name, value in vars(module).items() if COMPILED not in module._modules else ():
            called = name in CALLED or name not in OF_TORCH
            if called and any(inspect.isfunction(one) and _refers(one, parts) for one in _spread(value)):
                return ".".join(filter(None, (path, name)))
    return None


def _spread(value: Any, depth: int = DEPTH) -> Iterator[Any]:
    """A value, or what it holds: a list, a tuple, a dictionary, or a function with some of its arguments."""
    if isinstance(value, partial):
        value = (value.func, *value.args, *value.keywords.values())
    if depth and isinstance(value, list | tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _spread(part, depth - 1)
    else:
        yield value


def _refers(function: Any, parts: set[int], depth: int = DEPTH) -> bool:
    """Whether a function has got hold of one of these objects, by itself or through functions that it calls."""
    held = [cell.cell_contents for cell in function.__closure__ or () if cell != CellType()]
    held += [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values(), *vars(function).values()]
    names = {step.argval for step in dis.get_instructions(function) if step.opname == "LOAD_GLOBAL"}
    seen = function.__globals__
    held += [seen[name] for name in names & seen.keys() if getattr(seen[name], "__globals__", seen) is seen]
    spread = [one for value in held for one in _spread(value)]
    if any(id(one) in parts or id(getattr(one, "__self__", None)) in parts for one in spread):
        return True
    return depth > 0 and any(_refers(one, parts, depth - 1) for one in spread if inspect.isfunction(one))

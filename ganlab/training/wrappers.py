"""Networks inside wrappers, as `torch.compile`, `DataParallel` and `DistributedDataParallel` put around them.

What is saved, averaged and exported is the network itself, under the names that it has without any wrapper.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

COMPILED = "_orig_mod"
PARALLEL = (nn.DataParallel, nn.parallel.DistributedDataParallel)


def unwrapped(model: nn.Module) -> nn.Module:
    """The network within all wrappers."""
    while (name := _wrapped_as(model)) is not None:
        model = model.get_submodule(name)
    return model


def _wrapped_as(model: nn.Module) -> str | None:
    if COMPILED in model._modules:
        return COMPILED
    return "module" if isinstance(model, PARALLEL) else None


def state_of(model: nn.Module) -> dict[str, Any]:
    """The network's state, under the names that it has without wrappers, around itself or around parts of it."""
    return {_plain_name(model, name): value for name, value in model.state_dict().items()}


def weights_of(model: nn.Module) -> dict[str, nn.Parameter]:
    """The network's weights, each once, under the names that it has without wrappers."""
    return {_plain_name(model, name): weight for name, weight in model.named_parameters()}


def load_state(model: nn.Module, state: Mapping[str, Any]) -> None:
    """Load what `state_of` gave, into a network wrapped in any way. Raises `RuntimeError` where it does not fit."""
    wrapped_names = {_plain_name(model, name): name for name in model.state_dict()}
    plain = {name.replace(f"{COMPILED}.", ""): value for name, value in state.items()}
    model.load_state_dict({wrapped_names.get(name, name): value for name, value in plain.items()})


def misfit(model: nn.Module, state: Mapping[str, Any]) -> str:
    """The first difference in names and shapes between a network and a state that it is to load; "" for none."""
    here = {name: getattr(value, "shape", ()) for name, value in state_of(model).items()}
    there = {name.replace(f"{COMPILED}.", ""): getattr(value, "shape", ()) for name, value in state.items()}
    for name in [*here, *there]:
        if here.get(name) != there.get(name):
            shapes = (str(list(part[name])) if name in part else "missing" for part in (there, here))
            return "{} is {} there and {} here".format(name, *shapes)
    return ""


def _plain_name(model: nn.Module, name: str) -> str:
    """A parameter's name without the parts that stand for wrappers."""
    module, kept, parts = model, [], name.split(".")
    for part in parts:
        if module is None or part != _wrapped_as(module):
            kept.append(part)
        module = None if module is None else module._modules.get(part)
    return ".".join(kept)


def shapes_of(model: nn.Module) -> dict[str, list[int]]:
    """The shape of each tensor of a network's state, by its plain name."""
    return {name: list(value.shape) for name, value in state_of(model).items() if isinstance(value, Tensor)}


def eager(model: nn.Module) -> nn.Module:
    """The network without wrappers around itself or around its parts, which are taken out in place."""
    model = unwrapped(model)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            parent._modules[name] = unwrapped(child)
    return model

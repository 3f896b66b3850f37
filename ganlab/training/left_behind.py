"""What a forward pass leaves in a network and no checkpoint holds; and weights that a network uses but has not."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganlab.training.randomness import forked
from ganlab.training.understudy import understudy
from ganlab.training.wrappers import unwrapped

OF_EVERY_MODULE = frozenset(vars(nn.Module())) - {"training"}
"""Attributes in which torch itself keeps what every module has."""
NUMBERS = (int, float, complex, str, bytes, type(None))
SEVERAL = (list, tuple, set, frozenset, deque)
DEPTH = 3
"""How far what holds other things is looked into."""
Place = tuple[str, str]
"""A layer's name, and an attribute of it."""


class _Tensor:
    """A tensor as it was: another one, or one that was changed in place, is not equal to it."""

    def __init__(self, value: Tensor) -> None:
        self.value, self.version = value, value._version

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Tensor) and (self.value is other.value) and self.version == other.version

    __hash__ = None  # pyright: ignore[reportAssignmentType]


def held(model: nn.Module) -> dict[Place, Any]:
    """What the layers of a network hold that is not in its state, in a form that compares."""
    return {
        (path, name): _comparable(value)
        for path, layer in model.named_modules()
        for name, value in {**vars(layer), **_unsaved(layer)}.items()
        if name not in OF_EVERY_MODULE and not callable(value)
    }


def _unsaved(layer: nn.Module) -> dict[str, Tensor | None]:
    """The buffers of a layer that are not in its state."""
    return {name: buffer for name, buffer in layer._buffers.items() if name in layer._non_persistent_buffers_set}


def _comparable(value: Any, depth: int = DEPTH) -> Any:
    if isinstance(value, NUMBERS):
        return repr(value)
    if isinstance(value, Tensor):
        return None if value.is_inference() else _Tensor(value)
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if depth and isinstance(value, Mapping):
        return [(str(key), _comparable(part, depth - 1)) for key, part in value.items()]
    if depth and isinstance(value, SEVERAL):
        return [_comparable(part, depth - 1) for part in value]
    parts = getattr(value, "__dict__", None)
    return _comparable(parts, depth - 1) if depth and parts and not callable(value) else id(value)


def what_is_left(
    role: str, model: nn.Module, used: nn.Module, before: Mapping[Place, Any], x: Tensor, *y: Tensor
) -> tuple[list[str], set[str]]:
    """What to say of attributes and unsaved buffers that forward passes of `used`, a copy of `model`, have changed
    since `before`, and these as the description of a run calls them ("G.layer:name").

    Numbers count always; tensors and containers, in which a network may keep what it has seen just to be looked at,
    where they change what it gives for x, or for x and labels y.
    """
    after = held(used)
    places = [place for place in {**before, **after} if before.get(place, "") != after.get(place, "")]
    modes = sorted({path or role for path, name in places if name == "training"})
    changed = [place for place in places if place[1] != "training"]
    layers = dict(used.named_modules())
    numbers = [(path, name) for path, name in changed if isinstance(getattr(layers[path], name, None), NUMBERS)]
    if len(numbers) < len(changed) and not _gives_another(model, used, x, *y):
        changed = numbers
    said = []
    if modes:
        said.append(f"{role}'s forward pass calls train() or eval() (of {modes[0]}); leave the mode to the trainer.")
    if changed:
        name = changed[0][1]
        said.append(
            f"{role}'s forward pass changes {', '.join(name for _, name in changed)}, which no checkpoint holds: a"
            " resumed run will not equal one that was not cut off; keep it as a tensor, with"
            f" register_buffer({name!r}, …) in __init__, without persistent=False."
        )
    return said, {".".join(filter(None, (role, path))) + f":{name}" for path, name in changed}


def _gives_another(model: nn.Module, used: nn.Module, x: Tensor, *y: Tensor) -> bool:
    """Whether a used copy of a network gives something else than a new one with the same state."""
    with understudy(model) as new, torch.no_grad():
        if new is unwrapped(model):
            return False  # none can be made
        for ours, theirs in zip(used.modules(), new.modules(), strict=True):
            saved = {name: None if b is None else b.clone() for name, b in theirs._buffers.items()}
            ours._buffers = saved | _unsaved(ours)
        answers = []
        for network in (used, new):
            with forked(x.device, 0):
                answers.append(network(x.clone(), *y))
    return not torch.equal(*answers)


def strangers(role: str, model: nn.Module, output: Tensor, known: set[int]) -> list[str]:
    """What to say of weights that an output depends on, and that are none of these (by id)."""
    unknown = [weight for weight in _leaves(output) if id(weight) not in known]
    if not unknown:
        return []
    ids = {id(weight) for weight in unknown}
    held_in = [
        name
        for layer in model.modules()
        for name, value in vars(layer).items()
        if name not in OF_EVERY_MODULE and not ids.isdisjoint(map(id, _weights(value)))
    ]
    where = f"in {held_in[0]}, no layer of its own" if held_in else f"of shape {list(unknown[0].shape)}"
    return [
        f"{role} uses weights that are none of its parameters ({where}), so that they are neither trained nor saved;"
        " make them in __init__, layers in nn.ModuleList and single weights as nn.Parameter, or freeze them with"
        " requires_grad_(False)."
    ]


def _leaves(output: Tensor) -> Iterator[Tensor]:
    """The tensors with a gradient that an output was computed from."""
    waiting, passed = [output.grad_fn], set[Any]()
    while waiting:
        node = waiting.pop()
        if node is None or node in passed:
            continue
        passed.add(node)
        if (leaf := getattr(node, "variable", None)) is not None:
            yield leaf
        waiting += [following for following, _ in node.next_functions]


def _weights(value: Any, depth: int = DEPTH) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, nn.Module):
        yield from value.parameters()
    elif depth and isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _weights(part, depth - 1)

"""Numbers and names as arguments: made plain, or refused by name."""

import math
import operator
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlab.errors import ConfigError, ShapeError


def integer(name: str, value: Any, least: int | None = None) -> int:
    """`value` as Python's own int; numpy's integers and tensors of one integer count. Raises `ConfigError`."""
    try:
        given = None if isinstance(value, bool) or str(getattr(value, "dtype", "")) == "torch.bool" else value
        plain = operator.index(given)  # pyright: ignore[reportArgumentType]
    except TypeError:
        plain = None
    if plain is None or (least is not None and plain < least):
        wanted = "an integer" if least is None else f"an integer of at least {least}"
        raise ConfigError(f"{name} is {shown(value)}; give {wanted}.")
    return plain


def number(name: str, value: Any, wanted: str, low: float = -math.inf, below: float = math.inf) -> int | float:
    """`value` as Python's own number, finite and in [low, below): numpy's numbers and tensors of one number count.

    Raises `ConfigError`, which says what is `wanted`.
    """
    plain = _only(value)
    if not isinstance(plain, Real) or isinstance(plain, bool):
        raise ConfigError(f"{name} is {shown(value)}; give {wanted}.")
    try:
        plain = int(plain) if isinstance(plain, Integral) else float(plain)
        finite = math.isfinite(plain)
    except OverflowError as error:
        raise ConfigError(f"{name} is beyond every float; give {wanted}.") from error
    if not (finite and low <= plain < below):
        raise ConfigError(f"{name} is {plain}; give {wanted}.")
    return plain


def one_of(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """`value` as Python's own text, if it is one of these names. Raises `ConfigError`."""
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(f"{name} is {shown(value)}; give one of {', '.join(map(repr, choices))}.")
    return choices[choices.index(value)]


def yes_or_no(name: str, value: Any) -> bool:
    """`value` as Python's own bool; numpy's count, numbers do not. Raises `ConfigError`."""
    plain = _only(value)
    if not isinstance(plain, bool):
        raise ConfigError(f"{name} is {shown(value)}; give True or False.")
    return plain


def _only(value: Any) -> Any:
    """The one value in a tensor, an array or a number of numpy, as Python's own; any other thing as it is."""
    if isinstance(value, Tensor):
        return value.item() if value.numel() == 1 and not value.is_meta else value
    return value.item() if isinstance(value, np.ndarray | np.generic) and value.size == 1 else value


def refuse_unusual(name: str, tensor: Tensor) -> None:
    """Raise `ShapeError` for a tensor that is sparse or nested, or has no values."""
    kind = "nested" if tensor.is_nested else str(tensor.layout).removeprefix("torch.")
    if tensor.is_nested or tensor.layout is not torch.strided:
        raise ShapeError(f"{name} are a {kind} tensor; give an ordinary tensor [N, …].")
    if tensor.is_meta:
        raise ShapeError(f"{name} are on the meta device, without values; give a tensor that has them.")


def shown(value: Any) -> str:
    """A wrong value in a message: short, on one line and without addresses."""
    if hasattr(value, "__name__"):
        return f"the {type(value).__name__} {value.__name__}"
    if callable(value):
        return f"a {type(value).__name__}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 and " at 0x" not in text else f"a {type(value).__name__}"


def make_plain(frozen: Any, **values: Any) -> None:
    """Put plain values into the place of numpy's numbers and the like: they are written to checkpoints."""
    for name, value in values.items():
        object.__setattr__(frozen, name, value)

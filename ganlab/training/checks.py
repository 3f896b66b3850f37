"""Numbers and names as arguments: made plain, or refused by name."""

import math
import operator
from numbers import Integral, Real
from typing import Any

from torch import Tensor

from ganlab.errors import ConfigError


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
    plain = value.item() if isinstance(value, Tensor) and value.numel() == 1 else value
    if not isinstance(plain, Real) or isinstance(plain, bool):
        raise ConfigError(f"{name} is {shown(value)}; give {wanted}.")
    plain = int(plain) if isinstance(plain, Integral) else float(plain)
    if not (math.isfinite(plain) and low <= plain < below):
        raise ConfigError(f"{name} is {plain}; give {wanted}.")
    return plain


def one_of(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Raise `ConfigError` unless `value` is one of these names."""
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(f"{name} is {shown(value)}; give one of {', '.join(map(repr, choices))}.")


def shown(value: Any) -> str:
    """A wrong value in a message: short, on one line and without addresses."""
    if isinstance(value, type) or callable(value):
        return f"the {type(value).__name__} {getattr(value, '__name__', type(value).__name__)}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 and " at 0x" not in text else f"a {type(value).__name__}"


def make_plain(frozen: Any, **values: Any) -> None:
    """Put plain values into the place of numpy's numbers and the like: they are written to checkpoints."""
    for name, value in values.items():
        object.__setattr__(frozen, name, value)

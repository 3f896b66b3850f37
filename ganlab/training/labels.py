"""Labels y as both networks take them, G(z, y) and D(x, y): of batches, and of samples that are asked for."""

import inspect
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError, ShapeError
from ganlab.training.checks import integer, refuse_unusual, shown
from ganlab.training.wrappers import unwrapped


@dataclass(frozen=True)
class Labels:
    """What G and D take besides: nothing, or (y,) with y int64 [batch]; of a real and of a generated batch."""

    real: tuple[Tensor, ...] = ()
    fake: tuple[Tensor, ...] = ()


NO_LABELS = Labels()


def whole_numbers(name: str, labels: Any) -> Tensor:
    """Labels as one tensor int64, whatever integers they come as. Raises `ShapeError` for what holds no integers."""
    if isinstance(labels, np.ma.MaskedArray) and labels.mask.any():
        raise ShapeError(f"{name} are an array with {labels.mask.sum():,} masked out; leave these examples out.")
    try:
        if hasattr(labels, "__array__") and not isinstance(labels, Tensor):  # in their order, whatever their index
            array = np.asarray(labels)
            labels = np.require(array, array.dtype.newbyteorder("="), ["C", "W"])
        y = labels.detach() if isinstance(labels, Tensor) else torch.as_tensor(labels)
    except Exception as error:  # what stands in a list of anything is tried
        what = f"an array of {labels.dtype}" if isinstance(labels, np.ndarray) else shown(labels)
        raise ShapeError(f"{name} are {what}; give integers, as a tensor or an array.") from error
    refuse_unusual(name, y)
    if y.dtype is torch.bool or y.is_floating_point() or y.is_complex():
        made = name if isinstance(labels, Tensor) else f"torch.as_tensor({name})"
        raise ShapeError(f"{name} are {y.dtype}; give integers 0, 1, …, as {made}.long() makes them.")
    return y.long()


def without_column(y: Tensor, n: int) -> Tensor:
    """Labels that come as a column [n, 1] as [n], all others as they are."""
    return y.flatten() if y.shape == (n, 1) else y


def labels_of_samples(n: int, labels: Any, classes: int | None) -> Tensor | None:
    """Labels int64 [n] of the samples that are asked for; None where there are no classes and none are asked for.

    labels    one number for all, or n of them; None: all `classes` in turn, 0, 1, …, 0, 1, …
    classes   how many there are, where that is known: the labels are 0 … classes − 1

    Raises `ConfigError` or `ShapeError` for others.
    """
    n = integer("n", n, 1)
    if labels is None:
        return None if classes is None else torch.arange(n) % classes
    one = not isinstance(labels, Tensor | Sequence) and not hasattr(labels, "__array__")
    y = torch.tensor(integer("labels", labels)) if one else without_column(whole_numbers("labels", labels).cpu(), n)
    if y.shape not in ((), (n,)):
        raise ShapeError(f"labels have shape {list(y.shape)} for {n} samples; give one number, or {n} of them.")
    least, most = y.min().item(), y.max().item()
    if least < 0 or (classes is not None and most >= classes):
        wrong, wanted = (least, "at least 0") if least < 0 else (most, f"0 … {(classes or 0) - 1}")
        raise ConfigError(f"labels hold {wrong}; give numbers of {wanted}.")
    return y.expand(n).clone()


def rows_of_classes(classes: int, columns: int) -> Tensor:
    """Labels [classes · columns] of a grid with a row for each class."""
    return torch.arange(classes).repeat_interleave(columns)


def classes_of(model: nn.Module) -> int | None:
    """The number of classes that a network says it takes; None where it says none."""
    classes = getattr(model, "classes", None)
    try:
        return None if isinstance(classes, bool) else operator.index(classes)  # pyright: ignore[reportArgumentType]
    except TypeError:
        return len(classes) if isinstance(classes, list | tuple) else None


def refuse_other_arguments(role: str, model: nn.Module, labelled: bool) -> None:
    """Raise `ConfigError` for a network that takes no labels where there are some, or needs what is not there."""
    model = unwrapped(model)
    given = ("z" if role == "G" else "x", *(["y"] if labelled else []))
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError):
        return  # it does not tell
    try:
        signature.bind(*given)
    except TypeError as error:
        name, wanted = type(model).__name__, f"{role}({', '.join(given)})"
        if labelled:
            advice = f"let its forward take int64 labels y [batch] beside {given[0]}, or leave the labels out"
        else:
            advice = "give labels=… if these are what is missing"
        raise ConfigError(f"{role} ({name}) cannot be called as {wanted}; {advice}.") from error

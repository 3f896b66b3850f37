"""What real examples may come as, and what is made of them."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlab.errors import ConfigError, ShapeError
from ganlab.training.checks import refuse_unusual, shown
from ganlab.training.sources import Law

LOOPS = {
    "DataLoader": ("batch", "batch for batch in loader", "cat", "concatenate"),
    "IterableDataset": ("x", "x for x in dataset", "stack", "stack"),
    "Dataset": ("dataset[i]", "dataset[i] for i in range(len(dataset))", "stack", "stack"),
    "list": ("x", "x for x in examples", "stack", "stack"),
    "tuple": ("x", "x for x in data", "stack", "stack"),
}
"""Kinds of data that hold examples one by one: one of them, all of them, and what of torch and NumPy joins them."""


def as_examples(data: Any) -> Tensor | Law:
    """Examples as `Trainer` draws from them: uint8 images, float32 examples, or a law.

    Taken are also an image set, a NumPy array, and other floating-point precisions. Raises `ConfigError` for another
    kind of data, saying what to give instead, `ShapeError` for another dtype and for examples that are not finite.
    """
    data = getattr(data, "images", data)
    if hasattr(data, "__array__") and not isinstance(data, Tensor | np.ndarray):  # of other libraries
        data = _as_array(data)
    if isinstance(data, np.ndarray):
        data = _from_numpy(data)
    if isinstance(data, Tensor):
        return _from_tensor(data.detach())
    if callable(getattr(data, "sample", None)) and not isinstance(data, type):
        return data
    raise ConfigError(f"data is {shown(data)}; {_instead(data)}.")


def _instead(data: Any) -> str:
    """What to give instead of a kind of data that is taken for one tensor elsewhere, at its end as code."""
    kinds = [kind.__name__ for kind in inspect.getmro(type(data))]
    if isinstance(data, str | Path):
        return "load it first: data.load(name).images"
    if "TensorDataset" in kinds:
        return "give its images alone: dataset.tensors[0]"
    if isinstance(data, tuple) and len(data) == 1:
        return "give what it holds: data[0]"
    if isinstance(data, tuple) and len(data) == 2:
        return "give images and labels apart, these as labels=labels or not at all: images, labels = data"
    if isinstance(data, Mapping):
        part, images = _images_in(data)
        return f"give its images alone: data{part}" if _is_array(images) else "give a tensor"
    loop = next((LOOPS[kind] for kind in kinds if kind in LOOPS), None)
    return "give a tensor, or a law with `sample`" if loop is None else _joined(data, *loop)


def _joined(data: Any, one: str, loop: str, in_torch: str, in_numpy: str) -> str:
    """How the examples that are in `data` one by one, or batch by batch, become one array."""
    try:
        first = data[0] if one.endswith("]") else next(iter(data))
    except Exception:  # whatever a data set of one's own gives rise to
        first = None
    part, image = _images_in(first)
    each = f"[{loop.replace(one, one + part, 1)}]"
    if not part and not one.endswith("]"):
        each = loop.rpartition(" ")[2] if isinstance(data, list | tuple) else f"list({loop.rpartition(' ')[2]})"
    if isinstance(image, Tensor):
        return f"give all examples as one tensor: torch.{in_torch}({each})"
    if isinstance(image, np.ndarray):
        return f"give all examples as one array: np.{in_numpy}({each})"
    if _is_array(image):
        each = loop.replace(one, f"pil_to_tensor({one}{part})", 1)
        return f"give one tensor, with pil_to_tensor of torchvision.transforms.functional: torch.stack([{each}])"
    if isinstance(data, list) and isinstance(image, int | float | list):
        return "give one tensor: torch.tensor(examples)"
    return "give all examples as one tensor [N, …]"


def _images_in(example: Any) -> tuple[str, Any]:
    """The images in an example or a batch, which may have more beside them, and how they are got at."""
    if isinstance(example, Mapping):
        arrays = {key: value for key, value in example.items() if _is_array(value)}
        key = max(arrays, key=lambda key: getattr(arrays[key], "ndim", 3), default=None)
        return (f"[{key!r}]", arrays[key]) if arrays else ("", None)
    if isinstance(example, list | tuple) and example and _is_array(example[0]):
        return "[0]", example[0]
    return "", example


def _is_array(value: Any) -> bool:
    """Whether a value is a tensor, an array, or a picture of PIL."""
    return isinstance(value, Tensor) or hasattr(value, "__array_interface__")


def _as_array(data: Any) -> np.ndarray:
    try:
        return np.asarray(data)
    except Exception as error:  # whatever it gives rise to
        raise ConfigError(f"data is {shown(data)}, which NumPy cannot read; give a tensor.") from error


def _from_numpy(array: np.ndarray) -> Tensor:
    """The array as a tensor: the same memory where torch can have it."""
    if isinstance(array, np.ma.MaskedArray) and array.mask.any():
        raise ShapeError(
            f"examples are an array with {array.mask.sum():,} masked out; fill them, as data.filled(0) does."
        )
    try:
        return torch.from_numpy(np.require(array, array.dtype.newbyteorder("="), ["C", "W"]))
    except TypeError as error:
        raise ShapeError(f"examples are {array.dtype}; give uint8 images or floating-point examples.") from error


def _from_tensor(examples: Tensor) -> Tensor:
    refuse_unusual("examples", examples)
    if examples.ndim == 0:
        raise ShapeError("examples are one number; give an ordinary tensor [N, …].")
    if examples.dtype is torch.uint8:
        return examples
    if not examples.is_floating_point():
        raise ShapeError(f"examples are {examples.dtype}; give uint8 images or floating-point examples.")
    examples = examples.float()
    if examples.numel() and not torch.stack(examples.aminmax()).isfinite().all():
        bad = (~examples.reshape(len(examples), -1).isfinite().all(dim=1)).nonzero().flatten()
        raise ShapeError(
            f"example {int(bad[0])} holds NaN or infinity, one of {len(bad):,} among {len(examples):,}; leave them out"
            " or mend them."
        )
    return examples

"""What real examples may come as, and what is made of them."""

import inspect
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlab.errors import ConfigError, ShapeError
from ganlab.training.checks import shown
from ganlab.training.sources import Law

INSTEAD = {
    "DataLoader": "give all examples as one tensor: torch.cat([batch[0] for batch in loader])",
    "TensorDataset": "give its images alone: dataset.tensors[0]",
    "Dataset": "give all examples as one tensor: torch.stack([example for example, _ in dataset])",
    "tuple": "give images and labels apart, these as labels=labels or not at all: images, labels = data",
    "list": "give one tensor: torch.stack(examples)",
    "str": "load it first: data.load(name).images",
}
"""What to give instead of a kind of data that is taken for one tensor elsewhere."""


def as_examples(data: Any) -> Tensor | Law:
    """Examples as `Trainer` draws from them: uint8 images, float32 examples, or a law.

    Taken are also an image set, a NumPy array, and other floating-point precisions. Raises `ConfigError` for another
    kind of data, saying what to give instead, `ShapeError` for another dtype and for examples that are not finite.
    """
    data = getattr(data, "images", data)
    if isinstance(data, np.ndarray):
        data = _from_numpy(data)
    if isinstance(data, Tensor):
        return _from_tensor(data.detach())
    if callable(getattr(data, "sample", None)) and not isinstance(data, type):
        return data
    kinds = [kind.__name__ for kind in inspect.getmro(type(data))]
    advice = next((INSTEAD[kind] for kind in kinds if kind in INSTEAD), "give a tensor, or a law with `sample`")
    raise ConfigError(f"data is {shown(data)}; {advice}.")


def _from_numpy(array: np.ndarray) -> Tensor:
    """The array as a tensor: the same memory where torch can have it."""
    try:
        return torch.from_numpy(np.require(array, array.dtype.newbyteorder("="), ["C", "W"]))
    except TypeError as error:
        raise ShapeError(f"examples are {array.dtype}; give uint8 images or floating-point examples.") from error


def _from_tensor(examples: Tensor) -> Tensor:
    if examples.layout is not torch.strided or examples.ndim == 0:
        what = "one number" if examples.ndim == 0 else f"a {str(examples.layout).removeprefix('torch.')} tensor"
        raise ShapeError(f"examples are {what}; give an ordinary tensor [N, …].")
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

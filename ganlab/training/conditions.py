"""Where the labels of a run's batches come from: the examples carry them, or they are given beside."""

from typing import Any

import torch
from torch import Tensor

from ganlab.errors import ConfigError, ShapeError
from ganlab.training.checks import shown
from ganlab.training.config import TrainConfig
from ganlab.training.labels import Labels, whole_numbers, without_column
from ganlab.training.randomness import generator
from ganlab.training.sources import LabelledLaw, LabelsOfLaw, Law, Source, TensorSource

RENUMBER = "torch.unique(labels, return_inverse=True)[1]"


class Conditions:
    """The labels of a run's batches.

    source    int64 labels [batch] of real minibatch 0, 1, …
    classes   how many there are; labels are 0 … classes − 1
    """

    def __init__(self, source: Source, classes: int, config: TrainConfig, device: torch.device, rank: int) -> None:
        self.source, self.classes = source, classes
        self._config, self._device, self._rank = config, device, rank

    def of_batches(self, number: int, step: int, stream: str) -> Labels:
        """The labels of real minibatch `number`, and those of the generated batch beside it."""
        real = self.source.batch(number)
        if self._config.fake_labels == "real":
            return Labels((real,), (real,))
        drawn = generator(self._device, self._config.seed, self._rank, step, stream)
        fake = torch.randint(self.classes, real.shape, generator=drawn, device=self._device)
        return Labels((real,), (fake,))

    def for_a_first_look(self) -> Labels:
        """All classes in turn, the last ones first: too small a table fails on them at once."""
        y = (self.classes - 1 - torch.arange(self._config.batch, device=self._device)) % self.classes
        return Labels((y,), (y,))

    @property
    def description(self) -> dict[str, Any]:
        """What must be equal for a run to go on from a checkpoint."""
        return {"fake_labels": self._config.fake_labels, "labels": f"{self.source.fingerprint}, {self.classes} classes"}


def require_labels(y: Labels, of: Conditions | None) -> None:
    """Raise `ConfigError` for a step with labels in a run without them, or the other way round."""
    if bool(y.fake) != (of is not None):
        raise ConfigError(
            "the step is given labels in a run without; leave them out."
            if of is None
            else "the step is given no labels; give those of its batches, as trainer.labels(number, stream) draws them."
        )


def conditions(
    labels: Any, data: Any, examples: Tensor | Law, config: TrainConfig, device: torch.device, rank: int
) -> Conditions | None:
    """The conditions of a run on `examples`, made of `data`; None without labels.

    labels   integers [N], one for each example; True: those that an image set or a law carries; None: no labels

    Raises `ConfigError` or `ShapeError` for labels that are not one of 0 … classes − 1 for each example, or that leave
    out a class.
    """
    if labels is None:
        if config.fake_labels == "uniform":
            raise ConfigError("fake_labels is 'uniform' and there are no labels; give Trainer labels=…, or leave it.")
        return None
    if isinstance(examples, Tensor):
        y, classes = _of_tensor(labels, data, len(examples))
        source: Source = TensorSource(y, config.batch, (0, 1), device, config.seed, rank)
    else:
        law = _labelled(labels, examples)
        classes = len(law.classes)
        source = LabelsOfLaw(law, config.batch, device, config.seed, rank)
    return Conditions(source, classes, config, device, rank)


def _labelled(labels: Any, law: Any) -> LabelledLaw:
    if labels is not True:
        raise ConfigError(f"labels are {shown(labels)} and data is a law, which draws its own; give labels=True.")
    if not callable(getattr(law, "sample_labelled", None)) or not hasattr(law, "classes"):
        raise ConfigError(
            f"labels is True but data is a {type(law).__name__} that draws none; give a law with `classes` and"
            " sample_labelled(n, generator), as data.ring() has them."
        )
    return law


def _of_tensor(labels: Any, data: Any, n: int) -> tuple[Tensor, int]:
    """Labels int64 [N], and the number of classes."""
    named = None
    if labels is True:
        labels, named = getattr(data, "labels", None), getattr(data, "classes", None)
        if labels is None:
            raise ConfigError(
                f"labels is True but data is {shown(data)}, which carries none; give them: integers [{n}]."
            )
    if labels is False:
        raise ConfigError(f"labels is False; give integers [{n}], True for those of an image set, or None for none.")
    y = without_column(whole_numbers("labels", labels), n)
    if y.shape != (n,):
        one_hot = ", as labels.argmax(1) makes them of rows with a single 1" if _one_hot(y, n) else ""
        raise ShapeError(f"labels have shape {list(y.shape)} for {n} examples; give one integer each, [{n}]{one_hot}.")
    if (least := int(y.min())) < 0:
        raise ConfigError(f"labels hold {least}; number the classes 0, 1, …, and leave examples without a class out.")
    classes = int(y.max()) + 1 if named is None else len(named)
    present = torch.unique(y).tolist()
    gap = next((number for number, label in enumerate(present) if label != number), len(present))
    if gap < classes or len(present) > classes:
        said = f"class {gap} of {classes} has no example" if gap < classes else f"labels hold {present[classes]}"
        raise ConfigError(f"{said}; number the classes that are there 0, 1, … without gaps: {RENUMBER}.")
    return y, classes


def _one_hot(y: Tensor, n: int) -> bool:
    return y.ndim == 2 and len(y) == n and bool((y.sum(dim=1) == 1).all() and (y.amax(dim=1) == 1).all())

"""Where real samples come from: a tensor of examples, or a law that can be sampled."""

import hashlib
from collections.abc import Mapping, Sequence, Sized
from dataclasses import fields, is_dataclass
from inspect import isroutine
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.training.randomness import drawn_elsewhere, forked, generator


class Law(Protocol):
    """Anything that draws samples [n, …] with a given generator, on the generator's device."""

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` independent samples."""
        ...


class LabelledLaw(Law, Protocol):
    """A law that tells of each sample which of its `classes` it is from."""

    @property
    def classes(self) -> Sized:
        """What labels stand for; they are 0 … len(classes) − 1."""
        ...

    def sample_labelled(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """The samples that `sample` draws, and their labels, integers [n]."""
        ...


class Source(Protocol):
    """Real minibatches by number: the same number gives the same minibatch."""

    def batch(self, number: int) -> Tensor:
        """Minibatch `number` (0, 1, …), [batch, …], on the run's device."""
        ...

    @property
    def fingerprint(self) -> str:
        """A line that tells this source from others."""
        ...


class TensorSource:
    """Minibatches of a tensor of examples that lies on the device as a whole.

    Every epoch is one permutation of all examples, cut into full batches; the rest of it is left out. Images in uint8
    are scaled from 0 … 255 to `value_range` when they are drawn; float examples are taken as they are.
    """

    def __init__(
        self, examples: Tensor, batch: int, value_range: tuple[float, float], device: torch.device, seed: int, rank: int
    ) -> None:
        if len(examples) < batch:
            raise ConfigError(f"batch is {batch} but there are {len(examples)} examples; give a smaller batch.")
        try:
            self._examples = examples.to(device)
        except torch.OutOfMemoryError as error:
            room = f"{examples.nbytes / 2**30:,.2f} GiB"
            raise ConfigError(
                f"the examples take {room}, more than {device} has free; give fewer of them, smaller ones, or"
                " device='cpu'."
            ) from error
        self._batch, self._range = batch, value_range
        self._device, self._seed, self._rank = device, seed, rank
        self._epoch, self._order = -1, torch.empty(0)
        self._fingerprint = f"{list(examples.shape)} {examples.dtype} {_digest(examples)}"

    def batch(self, number: int) -> Tensor:
        """Minibatch `number`, [batch, …], in `value_range` for images."""
        epoch, position = divmod(number, len(self._examples) // self._batch)
        if epoch != self._epoch:
            order = generator(self._device, self._seed, self._rank, epoch, "order")
            self._order = torch.randperm(len(self._examples), generator=order, device=self._device)
            self._epoch = epoch
        x = self._examples[self._order[position * self._batch : (position + 1) * self._batch]]
        if x.dtype is torch.uint8:
            low, high = self._range
            x = x.float().mul_((high - low) / 255).add_(low)
        return x

    @property
    def fingerprint(self) -> str:
        """Shape, dtype and a digest of the examples."""
        return self._fingerprint


class LawSource:
    """Fresh minibatches from a law with a sampler. Raises `ConfigError` for a sampler that cannot be used."""

    def __init__(self, law: Law, batch: int, device: torch.device, seed: int, rank: int) -> None:
        self._law, self._batch = law, batch
        self._device, self._seed, self._rank = device, seed, rank
        with forked(device):
            self._refuse_misfits()
        self._fingerprint = described(law)

    def batch(self, number: int) -> Tensor:
        """Minibatch `number`, [batch, dim] float32."""
        source = generator(self._device, self._seed, self._rank, number, "law")
        return _trainable(self._law.sample(self._batch, source).float())

    def _refuse_misfits(self) -> None:
        name = type(self._law).__name__
        wanted = "give a law whose sample(n, generator) draws n floating-point examples on the generator's device"
        try:
            drawn = self._law.sample(self._batch, generator(self._device, self._seed, self._rank, 0, "law"))
        except Exception as error:
            raise ConfigError(f"data is a {name}, which cannot draw {self._batch} examples; {wanted}.") from error
        if not isinstance(drawn, Tensor) or not drawn.is_floating_point() or drawn.device.type != self._device.type:
            what = f"{drawn.dtype} on {drawn.device.type}" if isinstance(drawn, Tensor) else f"a {type(drawn).__name__}"
            raise ConfigError(f"data is a {name}, which draws {what}; {wanted}.")
        if drawn.ndim == 0 or len(drawn) != self._batch or not drawn.isfinite().all():
            raise ConfigError(
                f"data is a {name}, which draws {list(drawn.shape)} for {self._batch} examples, or values that are not"
                f" finite; {wanted}."
            )

    @property
    def fingerprint(self) -> str:
        """The law's own description, as it was before the first step."""
        return self._fingerprint


class LabelsOfLaw:
    """The labels of `LawSource`'s minibatches. Raises `ConfigError` for a law whose labels cannot be used."""

    def __init__(self, law: LabelledLaw, batch: int, device: torch.device, seed: int, rank: int) -> None:
        self._law, self._batch = law, batch
        self._device, self._seed, self._rank = device, seed, rank
        with forked(device):
            self._refuse_misfits()

    def batch(self, number: int) -> Tensor:
        """The labels of minibatch `number`, int64 [batch]."""
        return _trainable(self._drawn(number)[1].long())

    def _drawn(self, number: int) -> tuple[Tensor, Tensor]:
        source = generator(self._device, self._seed, self._rank, number, "law")
        return self._law.sample_labelled(self._batch, source)

    def _refuse_misfits(self) -> None:
        classes = len(self._law.classes)
        wanted = f"give (x, y) with the x of sample(n, generator) and integers y [n] in 0 … {classes - 1}"
        name = f"{type(self._law).__name__}.sample_labelled"
        try:
            x, y = self._drawn(0)
            same = torch.equal(
                x, self._law.sample(self._batch, generator(self._device, self._seed, self._rank, 0, "law"))
            )
            fits = y.shape == (self._batch,) and not y.is_floating_point() and 0 <= int(y.min()) <= int(y.max())
        except Exception as error:
            raise ConfigError(f"{name} cannot draw {self._batch} examples with labels; {wanted}.") from error
        if not same or not fits or int(y.max()) >= classes:
            what = (
                "other examples than sample" if not same else f"labels {list(y.shape)} {y.dtype} up to {int(y.max())}"
            )
            raise ConfigError(f"{name} draws {what}; {wanted}.")

    @property
    def fingerprint(self) -> str:
        """They are the law's own."""
        return "the law's"


def described(value: Any, depth: int = 4) -> str:
    """A value in words that are the same in every process: its repr where that holds no address and no tensor or array,
    which it would cut short, else its parts."""
    if isinstance(value, Tensor):
        return f"{list(value.shape)} {value.dtype} {_digest(value)}"
    if isinstance(value, np.ndarray):
        content = described(value.tolist(), depth).encode() if value.dtype.hasobject else value.tobytes()
        return f"{list(value.shape)} {value.dtype} {hashlib.sha256(content).hexdigest()[:16]}"
    text = repr(value)
    if " at 0x" not in text and not _holds_arrays(value, depth):
        return text
    if depth == 0:
        return type(value).__qualname__
    parts = ", ".join(f"{key}={described(part, depth - 1)}" for key, part in _parts(value).items())
    return f"{getattr(value, '__qualname__', type(value).__qualname__)}({parts})"


def _holds_arrays(value: Any, depth: int) -> bool:
    if isinstance(value, Tensor | np.ndarray):
        return True
    return depth > 0 and any(_holds_arrays(part, depth - 1) for part in _parts(value).values())


def _parts(value: Any) -> Mapping[str, Any]:
    """What a value consists of, by name: nothing for a function, a class or a module of Python."""
    if isinstance(value, dict):
        return {str(key): part for key, part in value.items()}
    if isinstance(value, list | tuple):
        return {str(number): part for number, part in enumerate(value)}
    if isroutine(value) or isinstance(value, type | ModuleType):
        return {}
    if isinstance(value, nn.Module):
        public = {name: part for name, part in vars(value).items() if not name.startswith("_")}
        return {"layers": repr(value), **public, **value.state_dict()}
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return getattr(value, "__dict__", {})


def say_of_other_randomness(law: Law, n: int, device: torch.device) -> list[str]:
    """What to say of a law that draws `n` other samples when it is given the same generator once more."""
    drawn: list[Tensor] = []
    with drawn_elsewhere({}):  # both draws may change the numbers of Python and NumPy, which are as they were then
        for _ in range(2):
            with forked(device):
                drawn.append(law.sample(n, generator(device, 0, 0, 0, "law")))
    if torch.equal(*drawn):
        return []
    return [
        f"data is a {type(law).__name__}, which draws other samples from the same generator: a resumed run will not"
        " equal one that was not cut off; let its sample(n, generator) draw from this generator alone."
    ]


def _trainable(drawn: Tensor) -> Tensor:
    """What may be in a graph: a copy of what was drawn in torch.inference_mode, all else as it is."""
    return drawn.clone() if drawn.is_inference() else drawn


def source_of(
    data: Tensor | Law, batch: int, value_range: tuple[float, float], device: torch.device, seed: int, rank: int
) -> Source:
    """Minibatches of a tensor of examples, or fresh ones of a law."""
    if isinstance(data, Tensor):
        return TensorSource(data, batch, value_range, device, seed, rank)
    return LawSource(data, batch, device, seed, rank)


class StackedSource:
    """Minibatches [N, batch, …] of N sources side by side."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def batch(self, number: int) -> Tensor:
        """Minibatch `number` of every source, [N, batch, …]."""
        return torch.stack([source.batch(number) for source in self._sources])

    @property
    def fingerprint(self) -> str:
        """How many there are, and of what."""
        return f"{len(self._sources)} × {self._sources[0].fingerprint}"


def _digest(examples: Tensor) -> str:
    return hashlib.sha256(examples.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data).hexdigest()[:16]

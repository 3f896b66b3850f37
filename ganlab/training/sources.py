"""Where real samples come from: a tensor of examples, or a law that can be sampled."""

import hashlib
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from ganlab.errors import ConfigError, ShapeError
from ganlab.training.randomness import generator


class Law(Protocol):
    """Anything that draws samples [n, …] with a given generator, on the generator's device."""

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` independent samples."""
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
        if examples.dtype is not torch.uint8 and not examples.is_floating_point():
            raise ShapeError(f"examples are {examples.dtype}; give uint8 images or floating-point examples.")
        if len(examples) < batch:
            raise ConfigError(f"batch is {batch} but there are {len(examples)} examples; give a smaller batch.")
        self._examples = examples.to(device)
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
    """Fresh minibatches from a law with a sampler."""

    def __init__(self, law: Law, batch: int, device: torch.device, seed: int, rank: int) -> None:
        self._law, self._batch = law, batch
        self._device, self._seed, self._rank = device, seed, rank

    def batch(self, number: int) -> Tensor:
        """Minibatch `number`, [batch, dim]."""
        return self._law.sample(self._batch, generator(self._device, self._seed, self._rank, number, "law"))

    @property
    def fingerprint(self) -> str:
        """The law's own description."""
        return repr(self._law)


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
    return hashlib.sha256(examples.cpu().contiguous().view(-1).view(torch.uint8).numpy().data).hexdigest()[:16]

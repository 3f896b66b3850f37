"""Toy laws: mixtures of Gaussians with an exact density and a sampler."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Protocol

import torch
from torch import Tensor

from ganlab.errors import ConfigError, ShapeError


class Law(Protocol):
    """A distribution in ℝ^dim that can be sampled and whose density is known exactly."""

    @property
    def dim(self) -> int:
        """The dimension of a sample."""
        ...

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` independent samples [n, dim] float32, on the generator's device (the CPU without one)."""
        ...

    def log_density(self, x: Tensor) -> Tensor:
        """The log density in nats, [n], at points x [n, dim], in the precision of x. Raises `ShapeError`."""
        ...

    def density(self, x: Tensor) -> Tensor:
        """The density [n] at points x [n, dim]."""
        ...


@dataclass(frozen=True)
class Mixture:
    """A mixture of isotropic Gaussians.

    means    k points of the same dimension
    sigmas   k standard deviations, positive
    weights  k probabilities, none negative; scaled to sum 1

    Raises `ConfigError` for numbers that make no mixture in float32, the precision of the samples.
    """

    means: tuple[tuple[float, ...], ...]
    sigmas: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        k = len(self.means)
        if not k or len(self.sigmas) != k or len(self.weights) != k:
            given = f"{k} means, {len(self.sigmas)} sigmas, {len(self.weights)} weights"
            raise ConfigError(f"a mixture of {given} is none; give as many of each, at least one.")
        if len({len(mean) for mean in self.means}) != 1 or not self.means[0]:
            raise ConfigError(f"means have dimensions {[len(mean) for mean in self.means]}; give points of one space.")
        sigmas, weights = (torch.tensor(given, dtype=torch.float32) for given in (self.sigmas, self.weights))
        if not self.modes.isfinite().all():
            raise ConfigError(f"means are {self.means}; give numbers that are finite in float32.")
        if not sigmas.isfinite().all() or (sigmas <= 0).any():
            raise ConfigError(f"sigmas are {self.sigmas}; give numbers that are finite and positive in float32.")
        if (weights < 0).any() or not 0 < weights.sum() < math.inf:
            raise ConfigError(f"weights are {self.weights}; give numbers of at least 0 with a finite, positive sum.")
        total = math.fsum(self.weights)
        object.__setattr__(self, "weights", tuple(weight / total for weight in self.weights))

    @property
    def dim(self) -> int:
        """The dimension of a sample."""
        return len(self.means[0])

    @property
    def modes(self) -> Tensor:
        """[k, dim] float32: the centres."""
        return torch.tensor(self.means, dtype=torch.float32)

    @property
    def classes(self) -> range:
        """The labels of samples: the components' numbers."""
        return range(len(self.means))

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` independent samples [n, dim] float32, on the generator's device (the CPU without one).

        Raises `ConfigError` for n below 1.
        """
        return self.sample_labelled(n, generator)[0]

    def sample_labelled(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """The same samples, and of each the number of the component that it is drawn from, int64 [n]."""
        _at_least_one("n", n)
        device = generator.device if generator else torch.device("cpu")
        weights = torch.tensor(self.weights, device=device)
        component = torch.multinomial(weights, n, replacement=True, generator=generator)  # [n]
        noise = torch.empty(n, self.dim, device=device).normal_(generator=generator)
        sigmas = torch.tensor(self.sigmas, device=device)[component, None]
        return torch.tensor(self.means, device=device)[component] + sigmas * noise, component

    def log_density(self, x: Tensor) -> Tensor:
        """The log density in nats, [n], at points x [n, dim], in the precision of x. Raises `ShapeError`."""
        if x.ndim != 2 or x.shape[1] != self.dim or not x.is_floating_point():
            raise ShapeError(f"x has shape {list(x.shape)} {x.dtype}; give floating-point points [n, {self.dim}].")
        means, sigmas, weights = (x.new_tensor(values) for values in (self.means, self.sigmas, self.weights))
        distance = ((x[:, None] - means) / sigmas[:, None]).square().sum(dim=2)  # [n, k]
        normaliser = self.dim * (sigmas.log() + 0.5 * math.log(2 * math.pi))
        return torch.logsumexp(weights.log() - normaliser - distance / 2, dim=1)

    def density(self, x: Tensor) -> Tensor:
        """The density [n] at points x [n, dim]."""
        return self.log_density(x).exp()


def mixture(
    means: Sequence[float | Sequence[float]],
    sigma: float | Sequence[float],
    weights: Sequence[float] | None = None,
) -> Mixture:
    """A mixture, equally weighted unless told otherwise.

    means  points, or numbers for a mixture on the line
    sigma  one standard deviation for all components, or one for each
    """
    points = tuple(map(_numbers, means))
    sigmas = _numbers(sigma) * (len(points) if _is_number(sigma) else 1)
    return Mixture(points, sigmas, (1.0,) * len(points) if weights is None else tuple(map(float, weights)))


def _is_number(value: Any) -> bool:
    """Whether this is a number, Python's, NumPy's or a tensor's."""
    return isinstance(value, int | float) or getattr(value, "ndim", None) == 0


def _numbers(given: Any) -> tuple[float, ...]:
    """One number or several."""
    return (float(given),) if _is_number(given) else tuple(map(float, given))


def gaussian(mean: float = 0.0, sigma: float = 1.0) -> Mixture:
    """The normal law on the line."""
    return mixture([mean], sigma)


def ring(modes: int = 8, radius: float = 1.0, sigma: float = 0.01) -> Mixture:
    """Equally weighted Gaussians on a circle, the first at angle 0 (VEEGAN, Srivastava et al. 2017)."""
    _at_least_one("modes", modes)
    return mixture([_on_circle(i / modes, radius) for i in range(modes)], sigma)


def grid(side: int = 5, spacing: float = 2.0, sigma: float = 0.05) -> Mixture:
    """side² equally weighted Gaussians on a square grid around 0 (25 on {−4, −2, 0, 2, 4}² in VEEGAN's benchmark)."""
    _at_least_one("side", side)
    ticks = [spacing * (i - (side - 1) / 2) for i in range(side)]
    return mixture([(x, y) for x in ticks for y in ticks], sigma)


def lsgan_ring() -> Mixture:
    """The ring of LSGAN's released code (Mao et al. 2017): radius 1, σ 0.01, eight modes, one of them double.

    The code takes nine angles from 0 to 2π with both ends, so the mode at angle 0 has weight 2/9 and the others 1/9.
    """
    return mixture([_on_circle(i / 8, 1.0) for i in range(8)], 0.01, [2.0, *[1.0] * 7])


def two_moons(points: int = 12, sigma: float = 0.06) -> Mixture:
    """Two half circles that hold each other, each of `points` equally weighted Gaussians, around 0."""
    _at_least_one("points", points)
    turns = [i / (2 * max(points - 1, 1)) for i in range(points)]
    upper = [_on_circle(turn, 0.8) for turn in turns]
    return mixture([(x - 0.4, y - 0.2) for x, y in upper] + [(0.4 - x, 0.2 - y) for x, y in upper], sigma)


def _at_least_one(name: str, value: int) -> None:
    if not isinstance(value, Integral) or value < 1:
        raise ConfigError(f"{name} is {value!r}; give an integer of at least 1.")


def _on_circle(turn: float, radius: float) -> tuple[float, float]:
    return radius * math.cos(2 * math.pi * turn), radius * math.sin(2 * math.pi * turn)

"""Toy laws: mixtures of Gaussians with an exact density and a sampler."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab.errors import ConfigError, ShapeError


@dataclass(frozen=True)
class Mixture:
    """A mixture of isotropic Gaussians.

    means    k points of the same dimension
    sigmas   k standard deviations, positive
    weights  k probabilities, positive; scaled to sum 1

    Raises `ConfigError` for numbers that make no mixture.
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
        for name, values in (("sigmas", self.sigmas), ("weights", self.weights)):
            if not all(math.isfinite(value) and value > 0 for value in values):
                raise ConfigError(f"{name} are {values}; give positive numbers.")
        if not all(math.isfinite(x) for mean in self.means for x in mean):
            raise ConfigError(f"means are {self.means}; give finite numbers.")
        total = math.fsum(self.weights)
        object.__setattr__(self, "weights", tuple(weight / total for weight in self.weights))

    @property
    def dim(self) -> int:
        """The dimension of a sample."""
        return len(self.means[0])

    @property
    def modes(self) -> Tensor:
        """[k, dim] float32: the centres."""
        return torch.tensor(self.means)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` independent samples [n, dim] float32, on the generator's device (the CPU without one)."""
        device = generator.device if generator else torch.device("cpu")
        weights = torch.tensor(self.weights, device=device)
        component = torch.multinomial(weights, n, replacement=True, generator=generator)  # [n]
        noise = torch.empty(n, self.dim, device=device).normal_(generator=generator)
        sigmas = torch.tensor(self.sigmas, device=device)[component, None]
        return torch.tensor(self.means, device=device)[component] + sigmas * noise

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


def mixture(means: Sequence[float | Sequence[float]], sigma: float, weights: Sequence[float] | None = None) -> Mixture:
    """A mixture with one σ for all components, equally weighted unless told otherwise; numbers as means give 1-D."""
    points = tuple((float(mean),) if isinstance(mean, int | float) else tuple(map(float, mean)) for mean in means)
    return Mixture(points, (float(sigma),) * len(points), tuple(weights or [1.0] * len(points)))


def gaussian(mean: float = 0.0, sigma: float = 1.0) -> Mixture:
    """The normal law on the line."""
    return mixture([mean], sigma)


def ring(modes: int = 8, radius: float = 1.0, sigma: float = 0.01) -> Mixture:
    """Equally weighted Gaussians on a circle, the first at angle 0 (VEEGAN, Srivastava et al. 2017)."""
    if modes < 1:
        raise ConfigError(f"modes is {modes}; give an integer of at least 1.")
    return mixture([_on_circle(i / modes, radius) for i in range(modes)], sigma)


def grid(side: int = 5, spacing: float = 2.0, sigma: float = 0.05) -> Mixture:
    """side² equally weighted Gaussians on a square grid around 0 (25 on {−4, −2, 0, 2, 4}² in VEEGAN's benchmark)."""
    if side < 1:
        raise ConfigError(f"side is {side}; give an integer of at least 1.")
    ticks = [spacing * (i - (side - 1) / 2) for i in range(side)]
    return mixture([(x, y) for x in ticks for y in ticks], sigma)


def lsgan_ring() -> Mixture:
    """The ring of LSGAN's released code (Mao et al. 2017): radius 1, σ 0.01, eight modes, one of them double.

    The code takes nine angles from 0 to 2π with both ends, so the mode at angle 0 has weight 2/9 and the others 1/9.
    """
    return mixture([_on_circle(i / 8, 1.0) for i in range(8)], 0.01, [2.0, *[1.0] * 7])


def _on_circle(turn: float, radius: float) -> tuple[float, float]:
    return radius * math.cos(2 * math.pi * turn), radius * math.sin(2 * math.pi * turn)

"""Noise, and samples of a generator."""

import math

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.training.randomness import generator


def z_dim_of(G: nn.Module) -> int:
    """The number of latent variables that G says it takes. Raises `ConfigError` when it does not say."""
    z_dim = getattr(G, "z_dim", None)
    if not isinstance(z_dim, int):
        raise ConfigError(f"{type(G).__name__} has z_dim = {z_dim!r}; set it to the number of latent variables.")
    return z_dim


def draw_noise(law: str, n: int, z_dim: int, source: torch.Generator) -> Tensor:
    """Noise z [n, z_dim] on the generator's device: "normal" is N(0, 1), "uniform" is uniform on (−1, 1), and
    "unit uniform" on (−√3, √3)."""
    z = torch.empty(n, z_dim, device=source.device)
    if law == "normal":
        return z.normal_(generator=source)
    end = 1.0 if law == "uniform" else math.sqrt(3)
    return z.uniform_(-end, end, generator=source)


@torch.no_grad()
def sample(G: nn.Module, n: int, *, noise: str = "normal", seed: int = 0, batch: int = 256) -> Tensor:
    """`n` samples of a generator in evaluation mode, on the CPU, `batch` at a time.

    The noise is drawn on the CPU, so the same seed means the same z on every device.
    """
    device = next(G.parameters()).device
    z = draw_noise(noise, n, z_dim_of(G), generator(torch.device("cpu"), seed, 0, 0, "samples"))
    was_training = G.training
    G.eval()
    try:
        return torch.cat([G(part.to(device)).float().cpu() for part in z.split(batch)])
    finally:
        G.train(was_training)

"""Noise, and samples of a generator."""

import math
import operator
import os
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError, GanlabError, ShapeError
from ganlab.models.base import evaluating
from ganlab.training.checks import integer, one_of, shown
from ganlab.training.labels import NO_LABELS, classes_of, labels_of_samples, refuse_other_arguments
from ganlab.training.randomness import derived_seed, forked, generator

NOISES = ("normal", "uniform", "unit uniform")
LATENT_SHAPES = ((), (1, 1))
"""What may follow [n, z_dim] in the shape of z that a generator takes: networks of convolutions alone want (1, 1)."""


def z_dim_of(G: nn.Module) -> int:
    """The number of latent variables that G says it takes. Raises `ConfigError` when it does not say."""
    z_dim: Any = getattr(G, "z_dim", None)
    try:
        number = operator.index(z_dim)
    except TypeError:
        number = 0
    if number < 1 or isinstance(z_dim, bool):
        raise ConfigError(f"{type(G).__name__} has z_dim = {shown(z_dim)}; set it to the number of latent variables.")
    return number


def draw_noise(law: str, n: int, z_dim: int, source: torch.Generator) -> Tensor:
    """Noise z [n, z_dim] on the generator's device: "normal" is N(0, 1), "uniform" is uniform on (−1, 1), and
    "unit uniform" on (−√3, √3)."""
    z = torch.empty(n, z_dim, dtype=torch.float32, device=source.device)
    if law == "normal":
        return z.normal_(generator=source)
    end = 1.0 if law == "uniform" else math.sqrt(3)
    return z.uniform_(-end, end, generator=source)


@torch.no_grad()
def sample(
    G: nn.Module, n: int, *, labels: Any = None, noise: str = "normal", seed: int = 0, batch: int = 256
) -> Tensor:
    """`n` samples of a generator in evaluation mode, on the CPU, `batch` at a time.

    z is given as [n, z_dim], or as [n, z_dim, 1, 1] to a G that takes no other. It is drawn on the CPU, so the same
    seed means the same z on every device; what G draws itself comes from that seed, too. A conditional G gets `labels`:
    one number for all samples or n of them; without any the classes in turn, if it says in `classes` how many it takes
    (`NO_LABELS`: it is called as G(z) even then).
    Raises `ConfigError` for an n below 1, for more samples than fit in memory, and for labels that do not fit G,
    `ShapeError` for a G that does not give one tensor with a sample for each z.
    """
    if not isinstance(G, nn.Module):
        raise ConfigError(f"G is {shown(G)}; give a network, a torch.nn.Module that is made.")
    n, z_dim, seed, batch = integer("n", n, 1), z_dim_of(G), integer("seed", seed), integer("batch", batch, 1)
    noise = one_of("noise", noise, NOISES)
    require_memory(n, z_dim)
    require_values("G", G)
    y = None if labels is NO_LABELS else labels_of_samples(n, labels, classes_of(G))
    refuse_other_arguments("G", G, labelled=y is not None)
    device = next((parameter.device for parameter in G.parameters()), torch.device("cpu"))
    z = draw_noise(noise, n, z_dim, generator(torch.device("cpu"), seed, 0, 0, "samples")).to(_precision_of(G))
    with evaluating(G), forked(device, derived_seed(seed, 0, 0, "model")):
        of = [] if y is None else [y.to(device)]
        first, latent = _first(G, z[:batch].to(device), *(part[:batch] for part in of))
        require_memory(n, z_dim + first[0].numel())
        samples = torch.empty(n, *first.shape[1:], dtype=torch.float32, device="cpu")
        samples[:batch] = first
        for start in range(batch, n, batch):
            part = z[start : start + batch].to(device)
            samples[start : start + batch] = G(part.view(*part.shape, *latent), *(y[start : start + batch] for y in of))
    return samples


def require_values(role: str, model: nn.Module) -> None:
    """Raise `ConfigError` for a network on the meta device, which holds shapes alone."""
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if tensor.is_meta and not nn.parameter.is_lazy(tensor):
            raise ConfigError(
                f"{role}'s {name} is on the meta device, without values; make the network outside of"
                " torch.device('meta'), or load its weights with assign=True."
            )


def _precision_of(G: nn.Module) -> torch.dtype:
    """The floating-point type of G's weights, which z is given in."""
    return next((p.dtype for p in G.parameters() if p.is_floating_point()), torch.float32)


def _first(G: nn.Module, z: Tensor, *y: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """G's samples of z [n, z_dim] in the first shape of z that it takes, and what follows in that shape."""
    failures: list[Exception] = []
    name = type(G).__name__
    for latent in LATENT_SHAPES:
        try:
            samples = G(z.view(*z.shape, *latent).clone(), *y)
        except GanlabError:
            raise
        except Exception as error:
            failures.append(error)
            continue
        if not isinstance(samples, Tensor):
            raise ShapeError(f"{name} gives a {type(samples).__name__}; let its forward give one tensor.")
        if samples.shape[:1] != (len(z),):
            raise ShapeError(f"{name} gives {list(samples.shape)} for {len(z)} samples; let it give [{len(z)}, …].")
        return samples, latent
    if not of_sizes(failures[0]):
        kind = type(failures[0]).__name__
        raise ConfigError(f"{name} raises {kind} on z of shape {list(z.shape)}; mend its forward.") from failures[0]
    raise ShapeError(
        f"{name} takes z neither as {list(z.shape)} nor as {[*z.shape, 1, 1]}; set z_dim to what it takes."
    ) from failures[0]


def of_sizes(error: Exception) -> bool:
    """Whether an error may come of an input of another size."""
    return isinstance(error, RuntimeError | ValueError | IndexError) and not isinstance(error, NotImplementedError)


def require_memory(n: int, floats: int, name: str = "n") -> None:
    """Raise `ConfigError` when n times so many float32 numbers are more than this machine's memory."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return  # Windows: the allocation itself fails
    needed = 4 * n * floats
    if needed > memory:
        raise ConfigError(
            f"{name} is {n:,}, which takes {needed / 1e9:,.0f} GB; this machine has {memory / 1e9:,.0f} GB of memory:"
            f" give a smaller {name}, such as {max(1, memory // (16 * floats)):,}."
        )

"""May D judge a real and a generated batch in one pass? Where it answers each example as it would alone."""

import torch
from torch import Tensor, nn

from ganlab.training.labels import Labels

ROUNDING = 1e-4
"""As a share of the norm: how far sums of float32 numbers in another order may lie apart. What looks at its batch
changes far more."""


def one_by_one(D: nn.Module, real: Tensor, fake: Tensor, y: Labels) -> bool:
    """Whether D's logits of two batches [n, …], and the gradients of these in its weights, are the same in one pass.

    They are not where a layer looks at its batch (batch norm, a batch's spread), draws (dropout) or counts (spectral
    norm): there each batch goes through D apart, as in DCGAN's own code. D is a copy: its buffers may change.
    """
    weights = [parameter for parameter in D.parameters() if parameter.requires_grad]
    before = [buffer.clone() for buffer in D.buffers()], _state(real.device)
    with torch.autocast(real.device.type, enabled=False):
        apart = torch.cat([D(real.clone(), *y.real).flatten(), D(fake.clone(), *y.fake).flatten()])
        after = list(D.buffers()), _state(real.device)
        if not all(map(_same, before, after)):
            return False
        labels = [torch.cat(of_both) for of_both in zip(y.real, y.fake, strict=True)]
        try:
            together = D(torch.cat([real, fake]), *labels).flatten()
        except Exception:  # a network that knows its batch size may raise anything
            return False
        if together.shape != apart.shape:
            return False
        by_example = torch.linspace(1, 2, len(apart), device=apart.device)
        gradients = (_gradient((t * by_example).sum(), weights) for t in (apart, together))
        return _near(apart, together) and _near(*gradients)


def _gradient(value: Tensor, weights: list[nn.Parameter]) -> Tensor:
    """In all weights, as one vector: beside the largest parts those that are 0 but for rounding do not count."""
    parts = torch.autograd.grad(value, weights, allow_unused=True, materialize_grads=True)
    return torch.cat([part.flatten() for part in parts])


def _state(device: torch.device) -> list[Tensor]:
    """Of torch's random numbers."""
    of_device = {"cuda": torch.cuda.get_rng_state, "mps": lambda _: torch.mps.get_rng_state()}.get(device.type)
    return [torch.get_rng_state(), *([of_device(device)] if of_device else [])]


def _same(before: list[Tensor], after: list[Tensor]) -> bool:
    return len(before) == len(after) and all(map(torch.equal, before, after))


def _near(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).norm() <= ROUNDING * one.norm())

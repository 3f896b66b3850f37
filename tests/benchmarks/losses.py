"""Losses compiled from sympy against hand-written ones: forward and backward on 10⁵ logits."""

import torch
import torch.nn.functional as F
from timing import ratio
from torch import Tensor

from ganlab.objectives import MINIMAX, NON_SATURATING, RELATIVISTIC, least_squares

LOGITS = 100_000
CALLS = 20


def forward_and_backward(loss, logits: Tensor):
    def run() -> None:
        for _ in range(CALLS):
            logits.grad = None
            loss(logits).backward()

    return run


def main() -> None:
    """Print, for each loss, our time over the hand-written one's (wanted: at most 1.05)."""
    logits = (3 * torch.randn(LOGITS)).requires_grad_()
    others = 3 * torch.randn(LOGITS)
    of_pairs = RELATIVISTIC.losses()
    by_hand = {
        "real, -log D": (NON_SATURATING.losses().real, lambda t: F.softplus(-t).mean()),
        "fake, -log(1 - D)": (NON_SATURATING.losses().fake, lambda t: F.softplus(t).mean()),
        "G, saturating": (MINIMAX.losses().generator, lambda t: -F.softplus(t).mean()),
        "G, non-saturating": (NON_SATURATING.losses().generator, lambda t: F.softplus(-t).mean()),
        "least squares to 1": (least_squares().losses().real, lambda t: 0.5 * ((t - 1) ** 2).mean()),
        "least squares to 0": (least_squares().losses().generator, lambda t: 0.5 * (t**2).mean()),
        "pairs, D": (lambda t: of_pairs.discriminator(t, others), lambda t: F.softplus(others - t).mean()),
        "pairs, G": (lambda t: of_pairs.generator(others, t), lambda t: F.softplus(others - t).mean()),
    }
    bce = F.binary_cross_entropy_with_logits
    by_torch = {
        "real, -log D": (NON_SATURATING.losses().real, lambda t: bce(t, torch.ones_like(t))),
        "fake, -log(1 - D)": (NON_SATURATING.losses().fake, lambda t: bce(t, torch.zeros_like(t))),
    }
    print(f"losses, {LOGITS:,} logits, forward and backward, {torch.get_num_threads()} threads")
    for other_name, cases in (("by hand", by_hand), ("BCE with logits", by_torch)):
        for name, (ours, other) in cases.items():
            found = ratio(forward_and_backward(ours, logits), forward_and_backward(other, logits))
            times = ", ".join(f"{time / CALLS * 1e6:.0f}" for time in (found.ours, found.other))
            print(f"  {name:<20} {found.median:.2f} × {other_name}  ({times} µs)")


if __name__ == "__main__":
    main()

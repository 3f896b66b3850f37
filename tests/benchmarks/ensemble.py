"""Many seeds at once against one after the other: seed-steps per second of the ring MLP, on one core.

Three ways to train N seeds: the usual plain PyTorch loop, the course's `Trainer`, and one `Ensemble` of all.
"""

import os
from typing import Any

import torch
from timing import precisions, products_of, ratio, steps_of
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from ganlab import data, models
from ganlab.objectives import NON_SATURATING
from ganlab.training import Adam, Ensemble, TrainConfig, Trainer

SEEDS, STEPS, BATCH, Z = 16, 8, 64, 2
RATES: dict[str, Any] = {"optimizer_d": Adam(1e-3), "optimizer_g": Adam(1e-3)}


def pair() -> tuple[nn.Module, nn.Module]:
    """The ring MLPs of lesson 05."""
    return models.ToyGenerator(z_dim=Z, activation="relu"), models.ToyDiscriminator(activation="relu")


def plain_loop(precision: str):
    """The loop of the usual tutorials on one pair of networks."""
    G, D = pair()
    law = data.ring()
    opt_g, opt_d = (torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999)) for net in (G, D))
    real, fake = torch.ones(BATCH), torch.zeros(BATCH)
    losses = []

    def run() -> None:
        for _ in range(STEPS):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                x, generated = law.sample(BATCH), G(torch.randn(BATCH, Z))
                opt_d.zero_grad()
                loss_d = bce(D(x).float(), real) + bce(D(generated.detach()).float(), fake)
                loss_d.backward()
                opt_d.step()
                opt_g.zero_grad()
                loss_g = bce(D(G(torch.randn(BATCH, Z))).float(), real)
                loss_g.backward()
                opt_g.step()
            losses.append((loss_d.item(), loss_g.item()))

    return run


def main() -> None:
    """Print how many times faster N seeds are trained together."""
    torch.set_num_threads(1)
    print(f"{SEEDS} seeds of the ring MLP, batch {BATCH}, one of {os.cpu_count()} cores")
    for precision in precisions():
        config = TrainConfig(steps=1_000_000, batch=BATCH, device="cpu", precision=precision, **RATES)
        ensemble = steps_of(Ensemble(pair, NON_SATURATING, data.ring(), config, seeds=range(SEEDS)), STEPS)
        others = {
            "a plain PyTorch loop": plain_loop(precision),
            "Trainer": steps_of(Trainer(*pair(), NON_SATURATING, data.ring(), config), STEPS),
        }
        within = ratio(products_of(ensemble), ensemble, rounds=9)
        print(f"  {precision:<9} {within.median:.0%} ({within.low:.0%}–{within.high:.0%}) of it in its own products")
        for name, other in others.items():
            found = ratio(ensemble, other, rounds=9)
            rates = f"{SEEDS * STEPS / found.ours:,.0f} and {STEPS / found.other:,.0f} seed-steps/s"
            print(f"  {precision:<9} {SEEDS / found.median:.2f} × as fast as {SEEDS} single runs of {name}  ({rates})")


if __name__ == "__main__":
    main()

"""A training step against the usual tutorial loop: DataLoader, BCELoss on a sigmoid, Adam, .item() each step.

Same networks, batch and update rule; the loops alternate in one process.
"""

import os

import torch
from timing import ratio, steps_of
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from ganlab import models
from ganlab.objectives import NON_SATURATING
from ganlab.training import TrainConfig, Trainer

STEPS = 20
BATCH = 64
PAIRS = {
    "MLP, 28 px": (lambda: models.MLPGenerator(), lambda: models.MLPDiscriminator(), 28, 1),
    "DCGAN, 32 px": (lambda: models.DCGANGenerator(32, 3), lambda: models.DCGANDiscriminator(32, 3), 32, 3),
}


def tutorial(G: nn.Module, D: nn.Module, images: torch.Tensor, z_dim: int):
    """The loop of the usual tutorials, as a function that does `STEPS` steps."""
    loader = DataLoader(TensorDataset(images.float() / 127.5 - 1), BATCH, shuffle=True, drop_last=True)
    bce, stream = nn.BCELoss(), iter(loader)
    opt_g, opt_d = (torch.optim.Adam(model.parameters(), lr=2e-4, betas=(0.5, 0.999)) for model in (G, D))
    real, fake = torch.ones(BATCH), torch.zeros(BATCH)
    history = []

    def run() -> None:
        nonlocal stream
        for _ in range(STEPS):
            batch = next(stream, None)
            if batch is None:
                stream = iter(loader)
                batch = next(stream)
            generated = G(torch.randn(BATCH, z_dim))
            D.zero_grad()
            loss_d = bce(D(batch[0]).sigmoid(), real) + bce(D(generated.detach()).sigmoid(), fake)
            loss_d.backward()
            opt_d.step()
            G.zero_grad()
            loss_g = bce(D(generated).sigmoid(), real)
            loss_g.backward()
            opt_g.step()
            history.append((loss_d.item(), loss_g.item()))

    return run


def main() -> None:
    """Print, for each pair and precision, how many times faster the trainer is."""
    print(f"training steps, batch {BATCH}, {torch.get_num_threads()} threads of {os.cpu_count()} cores")
    for name, (make_G, make_D, side, channels) in PAIRS.items():
        images = torch.randint(0, 256, (4096, channels, side, side), dtype=torch.uint8)
        for precision in ("float32", "bfloat16"):
            G, D = make_G(), make_D()
            config = TrainConfig(steps=100_000, batch=BATCH, precision=precision, device="cpu")
            trainer = Trainer(make_G(), make_D(), NON_SATURATING, images, config)
            value, us, other = ratio(steps_of(trainer, STEPS), tutorial(G, D, images, trainer.z_dim), rounds=5)
            rates = f"{STEPS * BATCH / us:,.0f} and {STEPS * BATCH / other:,.0f} images/s"
            print(f"  {name:<14} {precision:<9} {1 / value:.2f} × as fast as the usual loop  ({rates})")


if __name__ == "__main__":
    main()

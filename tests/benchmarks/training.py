"""Training steps against the loops that people copy: a DataLoader, BCELoss on a sigmoid or MSELoss, Adam, .item().

Same networks, batches, update rule and optimiser on both sides; the loops alternate in one process. First both train
ten steps in float32 from the same weights, on the same batches and noise: where their losses lie more than 1e-5 apart
there is no ratio. Adam's rates are a thousandth for that: at those of training, a convolutional pair makes a thousand
times as much of a rounding error within four steps.

Two ceilings on the same cores stand beside: what a large matrix product reaches, and what the library needs for the
step's own matrix products, convolutions and updates of weights, one after the other, with nothing between. No loop that
asks for these can be quicker than that.
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

import torch
from timing import ceiling, flop_of, precisions, products_of, ratio, steps_of
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from ganlab import models
from ganlab.experiments.records import environment
from ganlab.objectives import NON_SATURATING, Objective, least_squares
from ganlab.training import SGD, Adam, TrainConfig, Trainer, tune
from ganlab.training.randomness import derived_seed, forked

BATCH, ROUNDS = 64, 5
CHECKED, TOLERANCE = 10, 1e-5
PRECISIONS: dict[str, torch.dtype] = {name: getattr(torch, name) for name in precisions()}
LSGAN = least_squares(0, 1, 1)
CPU = torch.device("cpu")
ADAM = Adam()


@dataclass(frozen=True)
class Pair:
    """A pair of networks, the shape of its images, and what both sides minimise; `steps` take about half a second."""

    make: Callable[[], tuple[nn.Module, nn.Module]]
    shape: tuple[int, int, int]
    steps: int
    objective: Objective = NON_SATURATING
    optimizer: Adam | SGD = ADAM

    def slowly(self) -> "Pair":
        """The same, at rates at which rounding does not grow; Adam divides by the gradient and makes the most of it."""
        chosen = self.optimizer
        return replace(self, optimizer=replace(chosen, lr=chosen.lr / 1000)) if isinstance(chosen, Adam) else self

    def trainer(self, G: nn.Module, D: nn.Module, images: Tensor, **options: Any) -> Trainer:
        """Ours: G's turn judges the samples of D's once more, as the usual loops do."""
        both: dict[str, Any] = {"optimizer_d": self.optimizer, "optimizer_g": self.optimizer}
        config = TrainConfig(batch=BATCH, device="cpu", update="shared samples", **both)
        return Trainer(G, D, self.objective, images, replace(config, **options))


def dcgan(side: int) -> tuple[nn.Module, nn.Module]:
    return models.DCGANGenerator(side, 3), models.DCGANDiscriminator(side, 3)


def maxout() -> tuple[nn.Module, nn.Module]:
    return models.Generator2014(), models.Discriminator2014()


PAIRS = {
    "MLP, 28 px": Pair(lambda: (models.MLPGenerator(), models.MLPDiscriminator()), (1, 28, 28), 60),
    "maxout, 28 px": Pair(
        lambda: (models.Generator2014(), models.Discriminator2014()), (1, 28, 28), 10, optimizer=SGD()
    ),
    "DCGAN, 32 px": Pair(lambda: dcgan(32), (3, 32, 32), 3),
    "LSGAN, 32 px": Pair(lambda: dcgan(32), (3, 32, 32), 3, LSGAN),
    "DCGAN, 64 px": Pair(lambda: dcgan(64), (3, 64, 64), 1),
}


class PlainLoop:
    """The loop of the usual tutorials."""

    def __init__(self, pair: Pair, G: nn.Module, D: nn.Module, device: torch.device = CPU) -> None:
        self.G, self.D, self.device = G.to(device), D.to(device), device
        self.opt_g, self.opt_d = (self._optimizer(pair.optimizer, net) for net in (G, D))
        self.real, self.fake = torch.ones(BATCH, device=device), torch.zeros(BATCH, device=device)
        self.least_squares = pair.objective is LSGAN
        self.history: list[tuple[float, float]] = []

    @staticmethod
    def _optimizer(chosen: Adam | SGD, network: nn.Module) -> torch.optim.Optimizer:
        if isinstance(chosen, Adam):
            return torch.optim.Adam(network.parameters(), lr=chosen.lr, betas=(chosen.beta1, chosen.beta2))
        return torch.optim.SGD(network.parameters(), lr=chosen.lr, momentum=chosen.momentum)

    def step(self, x: Tensor, z: Tensor) -> None:
        """An update of D and one of G on the same samples; both losses are read."""
        generated = self.G(z)
        self.opt_d.zero_grad()
        loss_d = self._loss(self.D(x), self.real) + self._loss(self.D(generated.detach()), self.fake)
        loss_d.backward()
        self._update(self.opt_d, self.D)
        self.opt_g.zero_grad()
        loss_g = self._loss(self.D(generated), self.real)
        loss_g.backward()
        self._update(self.opt_g, self.G)
        self.history.append((loss_d.item(), loss_g.item()))

    def run(self, images: Tensor, steps: int) -> Callable[[], None]:
        """A function that does so many more steps, with batches from a DataLoader."""
        loader = DataLoader(TensorDataset(images.float() / 127.5 - 1), BATCH, shuffle=True, drop_last=True)
        batches = (batch for _ in cycle([0]) for batch in loader)

        def run() -> None:
            for (x,), _ in zip(batches, range(steps), strict=False):
                z = torch.randn(BATCH, self.G.z_dim)  # pyright: ignore[reportArgumentType]
                self.step(x.to(self.device), z.to(self.device))

        return run

    def _loss(self, t: Tensor, to: Tensor) -> Tensor:
        return 0.5 * F.mse_loss(t, to) if self.least_squares else F.binary_cross_entropy(t.sigmoid(), to)

    @staticmethod
    def _update(optimizer: torch.optim.Optimizer, network: nn.Module) -> None:
        optimizer.step()
        if hasattr(network, "constrain"):
            network.constrain()  # pyright: ignore[reportCallIssue]


def difference(pair: Pair) -> float:
    """How far the losses of both sides lie apart, at most, over ten steps on the same batches, noise and masks."""
    torch.manual_seed(0)
    images, (G, D) = images_for(pair), pair.make()
    plain = PlainLoop(pair, copy.deepcopy(G), copy.deepcopy(D))
    trainer = pair.trainer(G, D, images, steps=CHECKED)
    records = trainer.run()
    for n in range(CHECKED):
        x, z = trainer.real_batch(n), trainer.noise("z for D, 0")
        with forked(CPU, derived_seed(0, 0, n, "model")):
            plain.step(x, z)
        next(records)
    return float((trainer.history[:, :2] - torch.tensor(plain.history)).abs().max())


def rows(precisions: Iterable[str] = PRECISIONS) -> Iterable[str]:
    """A line for each pair and precision; the plain loop is in float32, as it is copied."""
    highest = {name: ceiling(PRECISIONS[name]) for name in precisions}
    for name, pair in PAIRS.items():
        if (apart := difference(pair.slowly())) > TOLERANCE:
            yield f"  {name:<14} losses of both sides lie {apart:.1e} apart: no ratio"
            continue
        for precision, most in highest.items():
            images, plain = images_for(pair), PlainLoop(pair, *pair.make())
            step = steps_of(pair.trainer(*pair.make(), images, steps=10**6, precision=precision), 1)
            flop = flop_of(step)
            ours = lambda: [step() for _ in range(pair.steps)]  # noqa: B023, E731 (used at once)
            found = ratio(ours, plain.run(images, pair.steps), rounds=ROUNDS)
            within = ratio(products_of(step), step, rounds=ROUNDS)
            images_a_second = [pair.steps * BATCH / time for time in (found.ours, found.other)]
            reached = flop * pair.steps / found.ours
            yield (
                f"  {name:<14} {precision:<9}{images_a_second[0]:>8,.0f} {images_a_second[1]:>8,.0f}"
                f"   {found.speed_up():<22}{reached / 1e9:>6,.0f} GFLOP/s {reached / most:>5.0%}"
                f"   {within.median:>4.0%} ({within.low:.0%}–{within.high:.0%})"
            )


def images_for(pair: Pair) -> Tensor:
    return torch.randint(256, (20 * BATCH, *pair.shape), dtype=torch.uint8)


def main() -> None:
    """Print, for each pair and precision, how many times faster the trainer is, and how near to both ceilings."""
    print(f"training steps, batch {BATCH}, on {environment()['processor']}; {'; '.join(tune())}")
    if "bfloat16" not in PRECISIONS:
        print("  bfloat16 is left out: this processor emulates it")
    for name, dtype in PRECISIONS.items():
        print(f"  ceiling, {name}: {ceiling(dtype) / 1e9:,.0f} GFLOP/s")
    print(f"  {'':<24}{'images/s':>8} {'plain':>8}   {'as fast':<22}{'of a large product':>20}   of its own products")
    for row in rows():
        print(row, flush=True)


if __name__ == "__main__":
    main()

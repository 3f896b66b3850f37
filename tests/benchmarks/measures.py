"""What each measure of the trainer brings: with it against without it, in turns in one process, all others in place."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from timing import Ratio, ratio, steps_of
from training import PAIRS, Pair, images_for

from ganlab.experiments.records import environment
from ganlab.training import Trainer, tune
from ganlab.training.optimisers import trained

NAMES = {"MLP, 28 px": "channels_last", "DCGAN, 32 px": "both batches"}
"""With the measure that does nothing there: no convolutions; batch norm in D."""
ROUNDS = 5


def apart(trainer: Trainer) -> None:
    """Each batch goes through D by itself."""
    trainer.fit = replace(trainer.fit, together=False)


def usual_optimisers(trainer: Trainer) -> None:
    """Adam without fusing."""
    rest: dict[str, Any] = {"lr": 2e-4, "betas": (0.5, 0.999)}
    trainer.optimizer_d, trainer.optimizer_g = (
        torch.optim.Adam(trained(network), **rest) for network in (trainer.D, trainer.G)
    )


def usual_layout(trainer: Trainer) -> None:
    """Convolutions' weights as they are made."""
    for network in (trainer.G, trainer.D):
        network.to(memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]


WITHOUT: dict[str, tuple[dict[str, Any], Callable[[Trainer], None]]] = {
    "both batches in one pass through D": ({}, apart),
    "one pass through G for both turns": ({"update": "alternating"}, lambda _: None),
    "fused Adam": ({}, usual_optimisers),
    "weights stored channels_last": ({}, usual_layout),
}


def without(pair: Pair, options: dict[str, Any], change: Callable[[Trainer], None]) -> Ratio:
    """A step with the measure against one without it."""
    made = [pair.trainer(*pair.make(), images_for(pair), steps=10**6, **kind) for kind in ({}, options)]
    change(made[1])
    return ratio(*(steps_of(trainer, pair.steps) for trainer in made), rounds=ROUNDS)


def main() -> None:
    """Print for each measure how many times as fast a step is with it."""
    print(f"a step with a measure against one without, on {environment()['processor']}; {'; '.join(tune())}")
    for name, idle in NAMES.items():
        for measure, (options, change) in WITHOUT.items():
            if idle in measure:
                continue
            print(f"  {name:<14}{measure:<38}{without(PAIRS[name], options, change).speed_up()}", flush=True)


if __name__ == "__main__":
    main()

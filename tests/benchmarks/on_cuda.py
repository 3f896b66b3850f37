"""Training steps on a GPU against the loops that people copy, as training.py does it on the processor.

The plain loop moves each batch to the GPU and reads both losses after each step, which waits for it. Both loops run so
many steps that the GPU's clocks settle, and are waited for at the end. CUDA graphs are `compile=True`.
"""

from collections.abc import Callable
from typing import Any

import torch
from timing import ratio, steps_of
from training import BATCH, PAIRS, PlainLoop, images_for

STEPS, ROUNDS = 40, 5
WAYS: dict[str, dict[str, Any]] = {
    "float32": {},
    "bfloat16": {"precision": "bfloat16"},
    "bfloat16, graphs": {"precision": "bfloat16", "compile": True},
}


def waited_for(run: Callable[[], object]) -> Callable[[], None]:
    def both() -> None:
        run()
        torch.cuda.synchronize()

    return both


def main() -> None:
    """Print, for each pair and way, images per second of both and how many times as fast the trainer is."""
    if not torch.cuda.is_available():
        print("training steps on a GPU: there is none here")
        return
    gpu = torch.device("cuda")
    print(f"training steps, batch {BATCH}, on one {torch.cuda.get_device_name()}, torch {torch.__version__}")
    print(f"  {'':<32}{'images/s':>9} {'plain':>9}   as fast")
    for name, pair in PAIRS.items():
        for way, options in WAYS.items():
            images, plain = images_for(pair), PlainLoop(pair, *pair.make(), gpu)
            step = steps_of(pair.trainer(*pair.make(), images, steps=10**6, device="cuda", **options), STEPS)
            found = ratio(waited_for(step), waited_for(plain.run(images, STEPS)), rounds=ROUNDS)
            speeds = [STEPS * BATCH / time for time in (found.ours, found.other)]
            print(f"  {name:<14} {way:<17}{speeds[0]:>9,.0f} {speeds[1]:>9,.0f}   {found.speed_up()}", flush=True)


if __name__ == "__main__":
    main()

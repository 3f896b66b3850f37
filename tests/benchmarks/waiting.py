"""Steps of a small and a larger network on two threads, alone and beside busy loops; threads that spin, and that sleep.

Each in a process of its own: how threads wait is read once, when torch is loaded.
"""

import multiprocessing
import os
import subprocess
import sys
from contextlib import contextmanager

SECONDS, LOOPS = 1, 3
WAYS = {
    "one thread": {"threads": "1"},
    "two, spinning (torch's own way)": {"threads": "2", "GOMP_SPINCOUNT": "300000"},
    "two, the course's way": {"threads": "2"},
}
CODE = """
import os, time
import ganlab
import torch
from ganlab import data, models
from ganlab.objectives import NON_SATURATING
from ganlab.training import TrainConfig, Trainer
torch.set_num_threads(int(os.environ["threads"]))
pair = {
    "MLP, 8 px": lambda: (models.MLPGenerator(side=8), models.MLPDiscriminator(side=8), data.load("digits").images),
    "DCGAN, 32 px": lambda: (models.DCGANGenerator(32, 1, 32), models.DCGANDiscriminator(32, 1, 32),
                             torch.randint(256, (256, 1, 32, 32), dtype=torch.uint8)),
}
G, D, images = pair[os.environ["network"]]()
steps = Trainer(G, D, NON_SATURATING, images, TrainConfig(steps=10**6, device="cpu")).run()
for _ in range(3): next(steps)
begun, done = time.perf_counter(), 0
while time.perf_counter() < begun + %d: next(steps); done += 1
print((time.perf_counter() - begun) / done)
"""


def spin() -> None:
    """An endless loop."""
    while True:
        pass


@contextmanager
def beside(loops: int):
    """So many endless loops, until the block is done."""
    processes = [multiprocessing.Process(target=spin, daemon=True) for _ in range(loops)]
    for process in processes:
        process.start()
    yield
    for process in processes:
        process.terminate()


def milliseconds(network: str, way: dict[str, str]) -> float:
    """A training step's wall time."""
    run = subprocess.run(
        [sys.executable, "-c", CODE % SECONDS],
        env=os.environ | way | {"network": network},
        capture_output=True,
        check=True,
    )
    return 1000 * float(run.stdout)


def main() -> None:
    """Print a step's time in milliseconds for each way, and what the loops beside it cost."""
    print(f"a step in ms, {os.cpu_count()} cores: alone, and beside {LOOPS} endless loops")
    for network in ("MLP, 8 px", "DCGAN, 32 px"):
        for name, way in WAYS.items():
            alone = milliseconds(network, way)
            with beside(LOOPS):
                loaded = milliseconds(network, way)
            print(f"  {network:<13} {name:<32} {alone:8.1f}  {loaded:8.1f}  ({loaded / alone:.1f} ×)")


if __name__ == "__main__":
    main()

"""Steps of a small and a larger network on two cores, alone and beside busy loops: threads that spin, threads that
sleep, and one thread for what is small.

Each way in a process of its own: how threads wait is read once, when torch is loaded.
"""

import os
import subprocess
import sys

SECONDS, LOOPS = 2, 3
WAYS = {
    "threads that spin (torch's own way)": {"GOMP_SPINCOUNT": "300000"},
    "threads that sleep soon": {},
    "as training.tune() has it": {"tuned": "yes"},
    "one, as a lesson on a busy machine": {"one": "yes"},
}
NETWORKS = ("MLP, 8 px", "DCGAN, 16 px", "DCGAN, 32 px")
CODE = """
import os, subprocess, sys, time
import ganlab
import torch
from ganlab import data, models
from ganlab.objectives import NON_SATURATING
from ganlab.training import TrainConfig, Trainer, tune
torch.set_num_threads(2)
if "tuned" in os.environ: tune()
if "one" in os.environ: torch.set_num_threads(1)
pair = {
    "MLP, 8 px": lambda: (models.MLPGenerator(side=8), models.MLPDiscriminator(side=8), data.load("digits").images),
    "DCGAN, 16 px": lambda: (models.DCGANGenerator(16, 1, 32), models.DCGANDiscriminator(16, 1, 32),
                             data.load("digits", size=16).images),
    "DCGAN, 32 px": lambda: (models.DCGANGenerator(32, 1, 32), models.DCGANDiscriminator(32, 1, 32),
                             torch.randint(256, (256, 1, 32, 32), dtype=torch.uint8)),
}
G, D, images = pair[os.environ["network"]]()
steps = Trainer(G, D, NON_SATURATING, images, TrainConfig(steps=10**6, device="cpu")).run()
for _ in range(3): next(steps)

def seconds_a_step():
    begun, done = time.perf_counter(), 0
    while time.perf_counter() < begun + SECONDS:
        next(steps)
        done += 1
    return (time.perf_counter() - begun) / done

alone = seconds_a_step()
loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(LOOPS)]
try:
    time.sleep(0.5)
    print(alone, seconds_a_step())
finally:
    for loop in loops: loop.kill()
"""


def milliseconds(network: str, way: dict[str, str]) -> list[float]:
    """A training step's wall time, alone and beside the loops."""
    code = f"SECONDS, LOOPS = {SECONDS}, {LOOPS}\n{CODE}"
    environment = os.environ | way | {"network": network}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    return [1000 * float(seconds) for seconds in run.stdout.split()]


def main() -> None:
    """Print a step's time in milliseconds for each way, and what the loops beside it cost."""
    print(f"a step in ms, {os.cpu_count()} cores: alone, and beside {LOOPS} endless loops")
    for network in NETWORKS:
        for name, way in WAYS.items():
            alone, loaded = milliseconds(network, way)
            print(f"  {network:<13} {name:<36} {alone:8.1f}  {loaded:8.1f}  ({loaded / alone:.1f} ×)")


if __name__ == "__main__":
    main()

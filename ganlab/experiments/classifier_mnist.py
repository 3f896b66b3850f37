"""classifier-mnist: the network whose features generated digits are compared in, trained from three seeds.

Of the training images the first five sixths are for training and the others, 10,000, for choosing; the test images are
looked at once, by the trained networks.

Tried with seed 100 in 4 epochs; validation images told right: moved by up to 1 pixel 99.33 %, by up to 2 99.26 %, by up
to 2 with twice the rate 99.27 %. The best of these is trained for 6 epochs, so that a seed takes less than 3 minutes.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ganlab.experiments.image_sets import called, parts
from ganlab.experiments.study import Preset, Record, Row, Study, one_per_seed
from ganlab.experiments.units import Unit
from ganlab.metrics import frechet
from ganlab.metrics.features import features_of
from ganlab.models.classifier import Classifier, ClassifierInfo, digest, packed
from ganlab.training.checkpoint import write_whole
from ganlab.training.randomness import forked, generator

CPU = torch.device("cpu")
AT_ONCE = 1000


@dataclass(frozen=True)
class Setting:
    """How a classifier is trained: Adam, with a rate that rises over a quarter of the run and then falls to 0.

    width  maps of the first convolution
    shift  by how many pixels an image is moved at most, each way, each time that it is shown
    rate   the highest learning rate
    """

    width: int
    shift: int
    batch: int
    rate: float

    def network(self, side: int, channels: int, classes: int) -> Classifier:
        """The network, untrained."""
        return Classifier(side, channels, classes, self.width)

    def shown(self, x: Tensor, drawn: torch.Generator) -> Tensor:
        """Images [batch, C, side, side] as they are shown this time."""
        return moved(x, self.shift, drawn)


MNIST = Setting(width=16, shift=1, batch=128, rate=5e-3)


def train(
    images: Tensor,
    labels: Tensor,
    setting: Setting,
    *,
    seed: int,
    epochs: float,
    device: str = "cpu",
    told: Callable[[float, Classifier], object] = lambda _done, _network: None,
) -> Classifier:
    """A classifier of uint8 images [N, C, side, side] with labels [N], in evaluation mode, on this device.

    Its features are scaled so that over these images their variances sum to their number: a distance in them means the
    same for each seed and each set. `told` is given how much is done, and the network, after each epoch.
    """
    with forked(CPU, seed):
        network = setting.network(images.shape[2], images.shape[1], int(labels.max()) + 1)
    network = network.to(device).to(memory_format=torch.channels_last)
    x, labels = images.to(device), labels.to(device)
    batches = len(x) // setting.batch
    steps = round(epochs * batches)
    optimiser = torch.optim.Adam(network.parameters(), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, setting.rate, total_steps=steps, pct_start=0.25)
    order = torch.empty(0)
    for step in range(steps):
        if step % batches == 0:
            order = torch.randperm(len(x), generator=generator(CPU, seed, 0, step, "order"))
        chosen = order[(step % batches) * setting.batch :][: setting.batch].to(device)
        shown = setting.shown(scaled(x[chosen]), generator(CPU, seed, 0, step, "shift"))
        loss = F.cross_entropy(network(shown), labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if (step + 1) % batches == 0 or step + 1 == steps:
            told((step + 1) / steps, network.eval())
            network.train()
    network = network.to(memory_format=torch.contiguous_format).eval()
    found = torch.cat([network.features(scaled(part)).detach() for part in x.split(AT_ONCE)])
    network.scale_features(float(found.cpu().double().var(dim=0).mean().rsqrt()))
    return network


def scaled(images: Tensor) -> Tensor:
    """Images of bytes as numbers in [−1, 1]."""
    return images.float() / 127.5 - 1


def moved(x: Tensor, most: int, drawn: torch.Generator) -> Tensor:
    """Images [batch, C, H, W], each moved by up to so many pixels each way; what comes in at the edges is black."""
    height, width = x.shape[2:]
    wide = F.pad(x, [most] * 4, value=-1.0)
    down, right = torch.randint(2 * most + 1, (2, len(x), 1, 1), generator=drawn).to(x.device)
    rows = down + torch.arange(height, device=x.device)[:, None]  # [batch, H, 1]
    columns = right + torch.arange(width, device=x.device)  # [batch, 1, W]
    image = torch.arange(len(x), device=x.device)[:, None, None]
    return wide[image, :, rows, columns].permute(0, 3, 1, 2)  # [batch, H, W, C] → [batch, C, H, W]


@torch.no_grad()
def accuracy(network: Classifier, images: Tensor, labels: Tensor) -> float:
    """The share of uint8 images [N, C, H, W] that the network, wherever it is, gives their labels [N]."""
    device = network.out.weight.device
    found = torch.cat([network(scaled(part.to(device))).argmax(dim=1).cpu() for part in images.split(AT_ONCE)])
    return float((found == labels).double().mean())


def measure(
    unit: Unit,
    *,
    seed: int,
    images: str,
    setting: Setting,
    floors_at: tuple[int, ...],
    epochs: float,
    device: str = "cpu",
    root: Path | None = None,
) -> dict[str, Any]:
    """Train a classifier, write its weights beside the values that are kept of it, and test it once.

    Its floors are those of the Fréchet distance between real images that it was not trained on. Raises
    `DatasetUnavailable` without the images.
    """
    shares = parts(images, root)
    curve: list[float] = []

    def told(done: float, network: Classifier) -> None:
        curve.append(accuracy(network, *shares["validation"]))
        unit.progress(done, f"{100 * curve[-1]:.2f} %")

    begun = time.perf_counter()
    network = train(*shares["training"], setting, seed=seed, epochs=epochs, device=device, told=told)
    seconds = time.perf_counter() - begun
    info = ClassifierInfo(
        spec=network.spec,
        images=called(images, root),
        command=f"python -m ganlab reproduce classifier-{images}",
        seed=seed,
        epochs=epochs,
        validation=accuracy(network, *shares["validation"]),
        accuracy=accuracy(network, *shares["test"]),
        data_sha256=digest(*shares["training"]),
    )
    content = packed(network, info)
    write_whole(unit.kept.with_suffix(".safetensors"), content)
    unseen = torch.cat([shares["validation"][0], shares["test"][0]])
    real = features_of(unseen, network, f"{info.images}, not trained on")
    return {
        "seed": seed,
        "epochs": epochs,
        "config": asdict(setting),
        "curve": [round(value, 4) for value in curve],
        "validation": round(info.validation, 4),
        "test": round(info.accuracy, 4),
        "bytes": len(content),
        "data_sha256": info.data_sha256,
        "floors": {str(n): round(value, 4) for n, value in frechet.floors(real, floors_at).items()},
        "training seconds": round(seconds, 1),
    }


def rows(_: Record) -> list[Row]:
    """None: it is a tool, and what it tells right stands in the long table."""
    return []


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each seed."""
    return [
        (
            f"{result['epochs']:g} epochs, seed {result['seed']}",
            f"{100 * result['validation']:.2f} %",
            f"{100 * result['test']:.2f} %",
            ", ".join(f"{value:.3f} at {int(n):,}" for n, value in result["floors"].items()),
        )
        for result in record["results"]
    ]


STUDY = Study(
    name="classifier-mnist",
    about="the classifier in whose features generated MNIST is compared with real MNIST: how many it tells right",
    lesson="08",
    measure=measure,
    seeds=3,
    units=partial(one_per_seed, images="mnist", setting=MNIST, floors_at=(1000, 2000, 5000, 10_000)),
    presets={"laptop": Preset("6 epochs: three minutes a seed on one core", {"epochs": 6.0})},
    uses=("epochs", "root"),
    rule="the weights at the end of a run whose length and settings were chosen on validation images",
    rows=rows,
    columns=(
        "classifier",
        "validation images told right",
        "test images told right",
        "Fréchet distance between n real images and n others",
    ),
    every=every,
)

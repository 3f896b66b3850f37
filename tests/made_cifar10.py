"""CIFAR-10 in miniature, as picture files: noise of one colour for each class, 40 to train on and 8 to test on."""

from pathlib import Path

import numpy as np
from PIL import Image

from ganlab.data.readers import CIFAR10_CLASSES

COUNTS = {"train": 40, "test": 8}


def written(root: Path, suffix: str) -> dict[str, list[tuple[np.ndarray, int]]]:
    """Write the files below a root; of each split the pixels uint8 [32, 32, 3] and labels, as they were given."""
    draw = np.random.default_rng(0)
    given: dict[str, list[tuple[np.ndarray, int]]] = {"train": [], "test": []}
    colours = draw.integers(0, 200, (len(CIFAR10_CLASSES), 3))
    for split, count in COUNTS.items():
        for label, name in enumerate(CIFAR10_CLASSES):
            folder = root / "cifar10-pictures" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = (colours[label] + draw.integers(0, 56, (32, 32, 3))).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{number:04}{suffix}")
                given[split].append((pixels, label))
    return given

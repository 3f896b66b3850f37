"""Stacked MNIST: three digits drawn at random, one for each colour channel, so that a thousand modes can be counted.

The set of Metz et al. 2017 (Unrolled GANs), of 128,000 images as PacGAN trains on it (Lin et al. 2018). It is made of
MNIST in memory each time: what lies on the disk is MNIST alone, verified, and no part of a set can be left behind. The
draws of the papers were not given out; these are ours, and the same on every machine.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganlab.data import mnist
from ganlab.data.pictures import room_for
from ganlab.data.readers import Read

IMAGES = 128_000
CHANNELS = 3
SEEDS = {"train": 0, "test": 1}
CLASSES = tuple(f"{number:03}" for number in range(10**CHANNELS))
"""The digits in red, green and blue, in this order: class 123 has a red 1, a green 2 and a blue 3."""


def stacked_mnist(root: Path, split: str, limit: int | None) -> Read:
    """The first `limit` of the 128,000 images, uint8 [N, 3, 28, 28], 287 MiB in all, with labels int64 [N], 0 … 999.

    The digits of "train" are drawn from MNIST's training images, those of "test" from its test images. The label is
    100 times the digit in red, plus 10 times that in green, plus that in blue. Raises `DatasetUnavailable` where MNIST
    is absent or damaged, `ConfigError` for more than the memory holds.
    """
    digits = mnist.idx_set(mnist.MNIST, root, split)
    which = drawn(len(digits.images), split, min(IMAGES, limit or IMAGES))  # [N, 3]
    height, width = digits.images.shape[2:]
    images = torch.from_numpy(room_for(len(which), (CHANNELS, height, width), "stacked-mnist"))
    torch.index_select(digits.images[:, 0], 0, which.flatten(), out=images.view(-1, height, width))
    return Read(images, digits.labels[which] @ torch.tensor([100, 10, 1]), CLASSES)


def drawn(digits: int, split: str, n: int) -> Tensor:
    """Which of so many digits the first n images are made of, int64 [n, 3], each drawn from all of them.

    The 64-bit numbers of PCG64 with the split's seed, image by image, modulo the number of digits. NumPy promises that
    these never change (its NEP 19), which it does not of what it makes of them.
    """
    numbers = np.random.PCG64(SEEDS[split]).random_raw((n, CHANNELS))
    return torch.from_numpy((numbers % np.uint64(digits)).astype(np.int64))

"""MNIST in miniature: files in torchvision's layout, and the checksums that belong to them."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np

from ganlab.data import mnist


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def written(root: Path, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> mnist.IdxSet:
    """The set of these images uint8 [N, H, W] and labels [N], as MNIST's place is known."""
    folder = root / "MNIST/raw"
    folder.mkdir(parents=True)
    md5: dict[str, tuple[str | None, str]] = {}
    for stem, (images, labels) in {"train": train, "t10k": test}.items():
        for name, array in {"images-idx3-ubyte": images, "labels-idx1-ubyte": labels}.items():
            content = idx(array.astype(np.uint8))
            (folder / f"{stem}-{name}").write_bytes(content)
            packed = gzip.compress(content, mtime=0)
            md5[f"{stem}-{name}"] = (hashlib.md5(content).hexdigest(), hashlib.md5(packed).hexdigest())
    return mnist.MNIST._replace(md5=md5, shapes={"train": list(train[0].shape), "test": list(test[0].shape)})

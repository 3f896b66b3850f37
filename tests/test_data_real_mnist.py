"""MNIST itself, where it is on this machine."""

from pathlib import Path

import pytest

from ganlab import data
from ganlab.errors import DatasetUnavailable

needs_mnist = pytest.mark.skipif(
    not (data.data_root() / "MNIST").exists(), reason="no MNIST on this machine (GANLAB_DATA is not set to it)"
)


@needs_mnist
def test_real_mnist():
    train, test = data.load("mnist"), data.load("mnist", split="test")
    assert train.images.shape == (60_000, 1, 28, 28)
    assert test.images.shape == (10_000, 1, 28, 28)
    assert train.images.float().mean().item() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert train.labels.bincount().tolist()[:3] == [5923, 6742, 5958]
    assert data.load("mnist", size=32, limit=3).images.shape == (3, 1, 32, 32)


@needs_mnist
def test_real_mnist_in_fashion_mnists_place_is_refused(tmp_path: Path):
    (tmp_path / "FashionMNIST").mkdir()
    (tmp_path / "FashionMNIST/raw").symlink_to((data.data_root() / "MNIST/raw").absolute())
    with pytest.raises(DatasetUnavailable, match="is MNIST's train-images-idx3-ubyte"):
        data.load("fashion-mnist", root=tmp_path)

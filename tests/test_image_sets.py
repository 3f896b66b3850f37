"""The images of studies: their parts, and CIFAR-10 as picture files, which stand in for nothing that is there."""

import hashlib
import pickle
from pathlib import Path

import made_cifar10
import numpy as np
import pytest
import torch

from ganlab import data
from ganlab.data import readers
from ganlab.errors import DatasetUnavailable
from ganlab.experiments.image_sets import called, parts


@pytest.fixture(scope="module")
def png(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("png")
    return root, made_cifar10.written(root, ".png")


def test_picture_files_are_parted_with_their_labels(png):
    """Each picture once, in its own split, with the label of its folder."""
    root, given = png
    shares = parts("cifar10", root)
    assert [len(images) for images, _ in shares.values()] == [320, 80, 80]
    found = {
        "train": [torch.cat(both) for both in zip(shares["training"], shares["validation"], strict=True)],
        "test": shares["test"],
    }
    for split, (images, labels) in found.items():
        seen = sorted((image.numpy().tobytes(), int(label)) for image, label in zip(images, labels, strict=True))
        assert seen == sorted((pixels.transpose(2, 0, 1).tobytes(), label) for pixels, label in given[split])


def test_each_part_and_its_beginning_hold_all_classes(png):
    """They lie sorted by class, and many a use takes the first so many."""
    shares = parts("cifar10", png[0])
    for images, labels in shares.values():
        assert images.shape[1:] == (3, 32, 32)
        assert labels[: len(labels) // 2].unique().tolist() == list(range(10))
    again = parts("cifar10", png[0])
    assert all(torch.equal(images, again[part][0]) for part, (images, _) in shares.items())


def test_what_lies_there_is_called_what_it_is(png, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert called("cifar10", png[0]) == "picture files of CIFAR-10"
    made_cifar10.written(tmp_path, ".jpg")
    assert called("cifar10", tmp_path) == "JPEG copies of CIFAR-10"
    assert called("mnist", tmp_path) == "mnist"
    monkeypatch.setenv("GANLAB_DATA", str(tmp_path))
    assert called("cifar10") == "JPEG copies of CIFAR-10"
    assert called("cifar10", tmp_path / "elsewhere") == "cifar10"


def test_where_there_is_neither_the_set_itself_is_asked_for(tmp_path: Path):
    with pytest.raises(DatasetUnavailable, match="cifar-10-batches-py"):
        parts("cifar10", tmp_path)


def test_the_set_itself_goes_before_pictures_and_its_last_fifth_is_for_choosing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made_cifar10.written(tmp_path, ".png")
    (tmp_path / readers.CIFAR10_FOLDER).mkdir()
    pixels = np.random.default_rng(1).integers(0, 256, (12, 3072), dtype=np.uint8)
    splits = {"train": ("data_batch_1", slice(10)), "test": ("test_batch", slice(10, 12))}
    for split, (name, part) in splits.items():
        content = pickle.dumps({"data": pixels[part], "labels": list(range(len(pixels)))[part]}, protocol=4)
        (tmp_path / readers.CIFAR10_FOLDER / name).write_bytes(content)
        monkeypatch.setitem(readers.CIFAR10_MD5, split, {name: hashlib.md5(content).hexdigest()})
    assert called("cifar10", tmp_path) == "cifar10"
    shares = parts("cifar10", tmp_path)
    assert {part: labels.tolist() for part, (_, labels) in shares.items()} == {
        "training": list(range(8)),
        "validation": [8, 9],
        "test": [10, 11],
    }
    assert np.array_equal(torch.cat([x for x, _ in shares.values()]).flatten(1).numpy(), pixels)
    (tmp_path / readers.CIFAR10_FOLDER / "data_batch_1").write_bytes(b"damaged")
    with pytest.raises(DatasetUnavailable, match="data_batch_1"):
        parts("cifar10", tmp_path)


def test_of_other_sets_the_last_sixth_is_for_choosing():
    whole, shares = data.load("digits"), parts("digits")
    assert len(shares["validation"][0]) == 250
    assert torch.equal(torch.cat([shares["training"][0], shares["validation"][0]]), whole.images)

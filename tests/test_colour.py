"""The studies of CIFAR-10 in miniature, on picture files: the classifier's, and the DCGAN's that is scored by it."""

from dataclasses import replace
from pathlib import Path

import made_cifar10
import pytest
import torch

from ganlab.experiments import classifier_cifar10, dcgan_cifar10, records, scored, tables
from ganlab.experiments.classifier_cifar10 import CIFAR10, OfPhotographs
from ganlab.experiments.classifier_mnist import moved
from ganlab.experiments.image_sets import called, parts
from ganlab.experiments.units import Unit
from ganlab.models import classifier

MACHINE = {"gpu": "a GPU", "cores": 1, "processor": "", "torch": ""}
WIDTHS = {"G": {"width": 2, "z_dim": 6}, "D": {"width": 2}}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pictures")
    made_cifar10.written(place, ".jpg")
    return place


@pytest.fixture(scope="module")
def measured(root: Path, tmp_path_factory: pytest.TempPathFactory):
    """A narrow classifier's result, and its network as it was written."""
    study, folder = classifier_cifar10.STUDY, tmp_path_factory.mktemp("runs")
    narrow = {"setting": replace(CIFAR10, width=4, batch=20), "floors_at": (80,)}
    arguments = {**study.units([100])["seed 100"], **narrow}
    result = study.measure(Unit("seed 100", folder, "key"), **arguments, epochs=4.0, device="cpu", root=root)
    return result, classifier.load(folder / "seed-100-key.safetensors")


def test_images_are_moved_and_half_of_them_mirrored():
    """By a plain loop over the images."""
    x = torch.rand(40, 3, 8, 8) * 2 - 1
    shown = CIFAR10.shown(x, torch.Generator().manual_seed(3))
    drawn = torch.Generator().manual_seed(3)
    only_moved = moved(x, 3, drawn)
    mirrored = (torch.rand(40, generator=drawn) < 0.5).tolist()
    assert 10 < sum(mirrored) < 30
    for one, image, turned in zip(shown, only_moved, mirrored, strict=True):
        assert torch.equal(one, torch.stack([image[:, :, 7 - i] for i in range(8)], dim=2) if turned else image)
    plain = OfPhotographs(width=4, shift=0, batch=1, rate=1.0, mirrored=0.0)
    assert torch.equal(plain.shown(x, torch.Generator()), x)


def test_each_length_keeps_its_weights(root: Path, tmp_path: Path):
    study = classifier_cifar10.STUDY
    narrow = {**study.units([0])["seed 0"], "setting": replace(CIFAR10, width=2, batch=20), "floors_at": (80,)}
    for key, epochs in (("short", 1.0), ("shorter", 0.5)):
        study.measure(Unit("seed 0", tmp_path, key), **narrow, epochs=epochs, device="cpu", root=root)
    kept = {file.stem: classifier.load(file).info for file in tmp_path.glob("*.safetensors")}
    assert {name: info and info.epochs for name, info in kept.items()} == {"seed-0-short": 1, "seed-0-shorter": 0.5}


def test_the_classifier_learns_and_says_of_what(measured, root: Path):
    """Its classes differ by colour alone. Told right: by a plain loop, image by image.

    Seeds 100 to 107 on two machines: 0.5 to 0.9. Chance is 0.1; the bound lies halfway from it to the worst.
    """
    result, network = measured
    images, labels = parts("cifar10", root)["test"]
    right = sum(int(network(2 * x[None].float() / 255 - 1).argmax() == y) for x, y in zip(images, labels, strict=True))
    assert network.info is not None
    assert network.info.accuracy == right / 80 >= 0.3
    assert (network.info.images, result["test"]) == ("JPEG copies of CIFAR-10", round(right / 80, 4))
    assert network.info.command == "python -m ganlab reproduce classifier-cifar10"
    assert network.spec == {**network.spec, "deep": True, "side": 32, "channels": 3, "classes": 10}
    assert result["config"] == {"width": 4, "shift": 3, "batch": 20, "rate": CIFAR10.rate, "mirrored": 0.5}
    assert classifier_cifar10.STUDY.images is not None
    assert classifier_cifar10.STUDY.images(root) == network.info.images


def test_its_file_is_small_enough_to_come_with_the_package():
    network = CIFAR10.network(32, 3, 10)
    assert sum(tensor.nbytes for tensor in network.state_dict().values()) < 950_000


def test_a_dcgan_is_scored_by_it(measured, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With what an untrained G gets, and a row that says what the images are."""
    monkeypatch.setattr(scored.models, "trained", {"cifar10": measured[1]}.__getitem__)
    study, recipe = dcgan_cifar10.STUDY, dcgan_cifar10.RECIPE
    config = replace(recipe.config, batch=20, device="cpu")
    tiny = replace(recipe, G=recipe.G | WIDTHS["G"], D=recipe.D | WIDTHS["D"], config=config)
    arguments = {**study.units([100])["seed 100"], "recipe": tiny, "looks": 2}
    unit = Unit("seed 100", tmp_path, "key")
    found = study.measure(unit, **arguments, epochs=0.5, precision="float32", root=root)
    assert unit.picture.read_bytes().startswith(b"\x89PNG")
    assert (found["n"], found["config"]["steps"], found["curve"]["step"]) == (80, 8, [4, 8])
    assert "JPEG copies of CIFAR-10" in found["features"]
    G, _ = tiny.networks(100)
    by = scored.yardstick("cifar10", root)
    assert found["untrained"] == scored.look(G, by, "uniform")["test"] != found["end"]["weights"]["test"]
    record = {"options": {"images": called("cifar10", root)}, "results": [found]}
    (cells,) = study.every(record)
    assert len(cells) == len(study.columns)
    assert cells[-1] == f"{found['untrained']:.2f}"
    (row,) = study.rows(record)
    assert row.experiment.startswith("Fréchet distance from JPEG copies of CIFAR-10's test images (n = 80, ")
    assert row.published is None  # another measure
    records.write(study.name, {"published": [], "rule": study.rule, "environment": MACHINE, **record}, tmp_path)
    long = tables.long(tmp_path)
    assert "\n\nImages: JPEG copies of CIFAR-10.\n\n" in long
    published, shown = long.splitlines()[-2:]
    assert published.split("|")[2].strip().startswith("FID 49.03")
    assert study.columns[1] == "weights at the end"
    assert shown.split("|")[2].strip() == cells[1]


def test_what_is_published_is_said_to_be_another_measure():
    assert [one.value[:9] for one in dcgan_cifar10.STUDY.published] == ["FID 48.29", "FID 49.03"]
    for one in dcgan_cifar10.STUDY.published:
        assert "another measure than ours" in one.protocol

"""Whether the 2014 recipe copies MNIST: pictures read back as images, and the study that counts their neighbours."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from ganlab import data, plots
from ganlab.errors import ConfigError, ShapeError
from ganlab.experiments import gan2014_mnist_copies as copies
from ganlab.experiments import records
from ganlab.experiments.units import Unit

ROOT = Path(__file__).parents[1]
SEED_0 = "gan2014-mnist-seed-0"


@pytest.mark.parametrize(("channels", "side"), [(1, 28), (3, 28), (1, 8), (3, 64)])
def test_a_picture_is_read_back_as_the_images_that_it_shows(
    channels: int, side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    images = torch.randint(256, (12, channels, side, side), generator=torch.Generator().manual_seed(0))
    path = tmp_path / "a picture.png"
    plots.save_grid_png(images.to(torch.uint8), path, columns=4)
    monkeypatch.setattr(records, "picture", lambda _: path)
    assert torch.equal((records.images("a picture", side) * 255).round().long(), images)


def test_another_side_than_the_pictures_is_refused():
    with pytest.raises(ShapeError, match="give the side of its images, not 20"):
        records.images(SEED_0, 20)
    assert records.images(SEED_0, 28).shape == (64, 1, 28, 28)  # the advice
    with pytest.raises(ConfigError, match=r"seed-3\.png is not there; ask for one of the pictures beside the"):
        records.images("gan2014-mnist-seed-3", 28)


def test_the_study_counts_what_lies_near_to_a_training_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """MNIST's place is taken by a record's own picture: what is shown is all copied, or not at all."""
    made = (records.images(SEED_0, 28) * 255).round().to(torch.uint8)
    upper, lower = made.chunk(2)
    others = (records.images("gan2014-mnist-seed-1", 28) * 255).round().to(torch.uint8)
    monkeypatch.setattr(data, "three_parts", lambda *_: (torch.cat([upper, others[:40]]), others[40:], others))
    unit = Unit("seed 0", tmp_path, "key")
    found = copies.measure(unit, seed=0)
    assert found["the weights themselves"]["nearer"] == 32
    assert found["the weights themselves"]["median"] == 0
    train = torch.cat([upper, others[:40]]).flatten(1).double() / 255
    own, held_out = (cdist(x.flatten(1).double() / 255, train).min(axis=1) for x in (lower, others[40:]))
    averaged = found["averaged weights"]
    assert averaged["nearer"] == np.sum(own < np.quantile(held_out, 0.05))
    assert averaged["held_out_median"] == pytest.approx(np.sort(held_out)[11], abs=1e-3)  # torch: the lower of two
    monkeypatch.setattr(records, "picture", lambda _: unit.picture)
    shown = records.images("", 28).chunk(4)
    assert torch.equal(shown[0], shown[1])  # each beside its copy
    assert not torch.equal(shown[2], shown[3])


def test_what_was_expected_before_the_run_is_judged_by_the_record():
    record = records.read("gan2014-mnist-copies", ROOT / records.FOLDER)
    own, averaged = copies.KINDS
    assert sum(copies.nearer(record, own)) < 10
    smaller = 1 - np.divide(copies.medians(record, averaged), copies.medians(record, own))
    assert smaller.min() < 0.1 < smaller.max()  # "a tenth at least, with every seed" is refuted
    assert (smaller > 0).all()

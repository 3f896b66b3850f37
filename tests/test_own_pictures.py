"""A reader's own pictures, as the README describes them: one folder with everything in it, then trained on."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import run

from ganlab import data, models, objectives, plots, training
from ganlab.errors import ConfigError, DatasetUnavailable


@pytest.fixture
def holiday(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A phone's portrait, stored lying with its white top at the left, and a drawing on nothing."""
    place = tmp_path / "holiday"
    for name in ("beach", "drawn"):
        (place / name).mkdir(parents=True)
    stored = np.zeros((64, 128, 3), np.uint8)
    stored[:, :32] = 255
    held = Image.Exif()
    held[0x0112] = 6
    Image.fromarray(stored).save(place / "beach/1.jpg", exif=held, quality=95)
    Image.new("RGBA", (80, 70), (255, 0, 0, 0)).save(place / "drawn/1.png")
    monkeypatch.chdir(tmp_path)
    return place


def test_pictures_stand_upright_and_on_white(holiday: Path):
    pictures = data.load("folder:holiday", size=64, channels=3)
    assert pictures.images.shape == (2, 3, 64, 64)
    assert pictures.classes == ("beach", "drawn")
    assert data.load("folder:holiday", size=64, channels=1).images.shape == (2, 1, 64, 64)
    beach = data.load("folder:holiday/beach").images[0].float()
    assert beach.shape == (3, 128, 64)
    assert beach[:, :30].mean() > 250
    assert beach[:, 40:].mean() < 5
    assert pictures.images[1].unique().tolist() == [255]


def test_what_cannot_be_taken_is_refused_by_name(holiday: Path):
    pages = [Image.new("L", (8, 8), shade) for shade in (1, 2)]
    pages[0].save(holiday / "drawn/2.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(DatasetUnavailable, match=r"2\.tif has 2 pages"):
        data.load("folder:holiday", size=64, channels=3)
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(holiday / "drawn/2.tif")
    with pytest.raises(DatasetUnavailable, match=r"2\.tif has more than 8 bits per channel"):
        data.load("folder:holiday", size=64, channels=3)
    (holiday / "drawn/2.tif").write_bytes(b"II*\0")
    with pytest.raises(DatasetUnavailable, match=r"2\.tif is missing or damaged"):
        data.load("folder:holiday", size=64, channels=3)


def test_of_a_folder_with_parts_one_is_given(holiday: Path):
    for part in ("train", "test"):
        (holiday / part).mkdir()
        Image.new("L", (8, 8)).save(holiday / part / "1.png")
    with pytest.raises(ConfigError, match=re.escape("give folder:holiday/train to train on that part alone")):
        data.load("folder:holiday", size=64, channels=3)
    assert len(data.load("folder:holiday/train")) == 1


def test_what_has_no_reader_is_passed_over_and_counted(holiday: Path):
    (holiday / "beach/2.heic").touch()
    with pytest.warns(UserWarning, match=r"1 of 3 pictures passed over \(1 \.heic: convert them to PNG or JPEG\)"):
        pictures = data.load("folder:holiday", size=64, channels=3)
    assert "1 of 3 pictures passed over (1 .heic: " in pictures.description


def test_own_pictures_are_trained_on_as_they_are(holiday: Path):
    images = data.load("folder:holiday", size=8, channels=1).images
    G, D = models.MLPGenerator(z_dim=4, side=8, hidden=(8,)), models.MLPDiscriminator(side=8, hidden=(8,))
    config = training.TrainConfig(steps=2, batch=2, device="cpu")
    trainer = run(training.Trainer(G, D, objectives.NON_SATURATING, images, config))
    assert plots.grid_array(trainer.sample(2)).dtype == np.uint8

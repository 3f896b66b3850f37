"""Folders of pictures: which of them are classes, in which order, and which are parts of a set."""

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_pictures import save

from ganlab import data
from ganlab.errors import ConfigError


def test_a_folder_with_subfolders_has_classes(tmp_path: Path):
    save(tmp_path / "katzen ä/1.png")
    save(tmp_path / "dogs/1.png", mode="L")
    save(tmp_path / "dogs/2.PNG")
    (tmp_path / "dogs/notes.txt").write_text("no image")
    loaded = data.load(f"folder:{tmp_path}")
    assert loaded.images.shape == (3, 3, 4, 6)
    assert loaded.classes == ("dogs", "katzen ä")
    assert loaded.labels.tolist() == [0, 0, 1]
    assert loaded.images[0].unique().tolist() == [100]


def test_a_flat_folder_of_grey_images_has_one_class_and_one_channel(tmp_path: Path):
    save(tmp_path / "a.png", mode="L")
    save(tmp_path / "b.png", mode="L", size=(9, 9))
    with pytest.raises(ConfigError, match="images of several sizes, such as 4×6 and 9×9; give a size"):
        data.load(f"folder:{tmp_path}")
    loaded = data.load(f"folder:{tmp_path}", size=5)
    assert loaded.images.shape == (2, 1, 5, 5)
    assert loaded.classes == (tmp_path.name,)


def test_what_lies_beside_the_images_makes_no_class(tmp_path: Path):
    save(tmp_path / "1.png")
    save(tmp_path / ".ipynb_checkpoints/1.png")
    (tmp_path / "._1.png").write_bytes(b"a companion file of macOS")
    (tmp_path / "empty").mkdir()
    loaded = data.load(f"folder:{tmp_path}")
    assert (len(loaded), loaded.classes) == (1, (tmp_path.name,))
    save(tmp_path / "cats/1.png")
    with pytest.raises(ConfigError, match=r"both in itself \(1\.png\) and in subfolders"):
        data.load(f"folder:{tmp_path}")


def test_the_first_images_alone_are_opened(tmp_path: Path):
    for name in ("a/1", "b/2", "b/3"):
        save(tmp_path / f"{name}.png")
    (tmp_path / "b/3.png").write_bytes(b"never opened")
    loaded = data.load(f"folder:{tmp_path}", limit=2)
    assert loaded.labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("folders", "place", "advised"),
    [
        (("train", "test"), "", "train"),
        (("Train", "VAL"), "", "Train"),
        (("train/cats", "train/dogs", "val/cats", "test/cats"), "", "train"),
        (("train",), "", "train"),
        (("testing", "validation"), "", "testing"),
        (("archive/training", "archive/test"), "archive", "training"),
        (("train", "test", "more"), "", "train"),
        (("trainA", "trainB", "testA", "testB"), "", "trainA"),
        (("training_set/cats", "test_set/cats"), "", "training_set"),
        (("seg_train", "seg_test", "seg_pred"), "", "seg_train"),
        (("train2017", "val2017"), "", "train2017"),
        (("train", "eval"), "", "train"),
    ],
    ids=str,
)
def test_the_parts_of_a_set_are_not_its_classes(tmp_path: Path, folders: tuple[str, ...], place: str, advised: str):
    for folder in folders:
        save(tmp_path / folder / "1.png")
    where = tmp_path / place
    with pytest.raises(
        ConfigError, match=f"no classes; give folder:{re.escape(str(where / advised))} to train"
    ) as caught:
        data.load(f"folder:{tmp_path}")
    advice = re.search(r"give (folder:\S+) to train", str(caught.value))
    assert advice is not None
    assert len(data.load(advice[1])) == sum(
        f"{folder}/".startswith(f"{place}/{advised}/".lstrip("/")) for folder in folders
    )


@pytest.mark.parametrize("around", ["only", "archive/faces"])
def test_what_lies_alone_around_all_classes_is_none(tmp_path: Path, around: str):
    """As archives unpack: the labels are the classes', and the note says whose folders they are."""
    for picture in ("cats/1", "dogs/1", "dogs/deep/2"):
        save(tmp_path / around / f"{picture}.png")
    with pytest.warns(UserWarning, match=f"; its classes are the folders in {around}$"):
        loaded = data.load(f"folder:{tmp_path}")
    assert (loaded.classes, loaded.labels.tolist()) == (("cats", "dogs"), [0, 1, 1])
    inside = data.load(f"folder:{tmp_path / around}")
    assert (inside.classes, inside.labels.tolist(), inside.note) == (("cats", "dogs"), [0, 1, 1], "")


def test_a_class_alone_is_one(tmp_path: Path):
    for name in ("cats/1", "cats/2"):
        save(tmp_path / f"{name}.png")
    assert data.load(f"folder:{tmp_path}").classes == ("cats",)
    save(tmp_path / "cats/kittens/3.png")
    assert data.load(f"folder:{tmp_path}").classes == ("cats",)


def test_a_class_may_be_called_train(tmp_path: Path):
    for folder in ("train", "boat", "bus", "test tube", "trainers", "trn_a", "tests"):
        save(tmp_path / folder / "1.png")
    classes = data.load(f"folder:{tmp_path}").classes
    assert classes == ("boat", "bus", "test tube", "tests", "train", "trainers", "trn_a")


@pytest.mark.parametrize(
    "name", ["@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found", "__MACOSX", ".thumbnails"]
)
def test_what_network_drives_and_systems_keep_is_passed_over(tmp_path: Path, name: str):
    save(tmp_path / "cats/1.png")
    save(tmp_path / name / "1.png")
    save(tmp_path / "cats" / name / "deep/1.png")
    loaded = data.load(f"folder:{tmp_path}")
    assert (len(loaded), loaded.classes) == (1, ("cats",))


def test_classes_and_files_are_sorted_as_people_count(tmp_path: Path):
    for name in ("10", "2", "1", "b", "a10", "a9"):
        save(tmp_path / name / "1.png")
    for value in (2, 10, 1):
        save(tmp_path / "2" / f"x{value}.png", value=value)
    loaded = data.load(f"folder:{tmp_path}")
    assert loaded.classes == ("1", "2", "10", "a9", "a10", "b")
    assert loaded.images[loaded.labels == 1, 0, 0, 0].tolist() == [100, 1, 2, 10]


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), limit=st.integers(1, 18))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_limit_takes_from_every_class_in_turn(tmp_path: Path, sizes: list[int], limit: int):
    with tempfile.TemporaryDirectory(dir=tmp_path) as place:
        for label, size in enumerate(sizes):
            for number in range(size):
                save(Path(place, f"class {label}", f"{number}.png"), mode="L", value=10 * label + number)
        loaded = data.load(f"folder:{place}", limit=limit)
        whole = data.load(f"folder:{place}")
    left, want = min(limit, sum(sizes)), [0] * len(sizes)
    while left:
        for label, size in enumerate(sizes):
            if left and want[label] < size:
                want[label] += 1
                left -= 1
    expected = [10 * label + number for label, n in enumerate(want) for number in range(n)]
    assert loaded.images[:, 0, 0, 0].tolist() == expected
    assert loaded.labels.tolist() == [value // 10 for value in expected]
    assert loaded.classes == whole.classes

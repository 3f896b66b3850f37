"""The Toronto Face Database, in files made here in the distributed format."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganlab import data
from ganlab.data.tfd import FILE, tfd
from ganlab.errors import ConfigError, DatasetUnavailable

N = 40


def content() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    folds = np.stack([np.roll(np.arange(N) % 4, fold) for fold in range(5)], axis=1)
    labels = np.where(folds[:, 0] == 0, -1, rng.integers(1, 8, N))
    images = rng.integers(0, 256, (N, 48, 48), dtype=np.uint8)
    return {"images": images, "labs_ex": labels[:, None], "labs_id": np.arange(N)[:, None], "folds": folds}


def write(folder: Path, **changes: Any) -> dict[str, Any]:
    from scipy.io import savemat

    made = content() | changes
    savemat(folder / FILE, {name: value for name, value in made.items() if value is not None})
    return made


@pytest.mark.parametrize(("part", "number"), [("unlabelled", 0), ("train", 1), ("validation", 2), ("test", 3)])
@pytest.mark.parametrize("fold", range(5))
def test_each_part_of_each_fold(tmp_path: Path, part: str, number: int, fold: int):
    made = write(tmp_path)
    read = tfd(tmp_path, part, fold)
    chosen = made["folds"][:, fold] == number
    assert torch.equal(read.images, torch.from_numpy(made["images"][chosen])[:, None])
    expected = made["labs_ex"][chosen, 0]
    assert read.labels.tolist() == [label - 1 if label > 0 else -1 for label in expected]


def test_by_name_and_in_the_doctors_list(tmp_path: Path):
    def state() -> str:
        return next(one.state for one in data.status(tmp_path) if one.name == "tfd")

    assert state() == "absent"
    write(tmp_path)
    assert state() == "OK"
    assert data.load("tfd", root=tmp_path).images.shape == (10, 1, 48, 48)
    assert data.load("tfd", root=tmp_path, split="test", size=24).images.shape == (10, 1, 24, 24)
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:5000])
    assert state() == "damaged"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"images": None}, "cannot be read"),
        ({"images": np.zeros((N, 96, 96), np.uint8)}, r"images \(40, 96, 96\)"),
        ({"images": np.zeros((N, 48, 48))}, "float64"),
        ({"folds": np.zeros((N, 4))}, r"folds \(40, 4\)"),
        ({"labs_ex": np.zeros((N - 1, 1))}, r"labs_ex \(39,\)"),
        ({"labs_ex": np.full((N, 1), 9)}, r"a labs_ex of 9; wanted are −1 and 1 … 7: ask its authors"),
        ({"labs_ex": np.full((N, 1), np.nan)}, "a labs_ex of nan"),
        ({"labs_ex": np.full((N, 1), 1.5)}, r"a labs_ex of 1\.5"),
        ({"folds": np.ones((N, 5))}, "no unlabelled faces in fold 0"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_not_as_described_is_refused(tmp_path: Path, changes: dict[str, Any], named: str):
    write(tmp_path, **changes)
    with pytest.raises(DatasetUnavailable, match=named):
        tfd(tmp_path)


def test_a_file_cut_anywhere_is_an_error_never_faces(tmp_path: Path):
    write(tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    for length in (0, 10, 127, 200, len(whole) // 3, len(whole) // 2):
        (tmp_path / FILE).write_bytes(whole[:length])
        with pytest.raises(DatasetUnavailable, match="ask its authors"):
            tfd(tmp_path)


def test_an_absent_file_and_unknown_parts_say_what_to_do(tmp_path: Path):
    with pytest.raises(DatasetUnavailable, match="is not there; ask its authors"):
        data.load("tfd", root=tmp_path)
    with pytest.raises(ConfigError, match="part is 'valid'"):
        tfd(tmp_path, "valid")
    with pytest.raises(ConfigError, match=r"fold is 5; give one of 0 … 4\."):
        tfd(tmp_path, fold=5)
    write(tmp_path)
    assert len(tfd(tmp_path, fold=4).images) > 0
    assert len(data.load("tfd", root=tmp_path).images) > 0

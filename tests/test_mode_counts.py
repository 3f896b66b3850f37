"""Studies measure what single runs would, and records keep what was measured."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from ganlab.errors import CheckpointError, ConfigError
from ganlab.experiments import mode_counts, records, running
from ganlab.metrics.modes import count_modes
from ganlab.training import Trainer, checkpoint
from ganlab.training.config import options_of

ROOT = Path(__file__).parents[1]
TINY = mode_counts.on_ring("tiny", steps=20, instance_noise=0.5)


def test_a_study_counts_what_a_single_run_reaches():
    result = mode_counts.run(TINY, [3, 4])
    assert result["steps"] == [2 * i for i in range(1, 11)]
    G, D = TINY.ensemble([4]).member(0)
    trainer = Trainer(G, D, TINY.objective, TINY.law, replace(TINY.config, seed=4))
    for _ in trainer.run():
        pass
    alone = count_modes(trainer.sample(2500, seed=1), TINY.law.modes, TINY.law.sigmas[0])
    assert result["modes"][-1][1] == alone.modes
    assert result["high_quality"][-1][1] == pytest.approx(alone.high_quality, abs=2e-3)


@pytest.mark.slow
def test_workers_change_nothing_but_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Two processes that import torch: 8 s."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mode_counts, "MODE_COUNTS", (TINY, replace(TINY, name="again")))
    together = running.reproduce(mode_counts.STUDY, {"seeds": 2}, workers=2)["results"]
    alone = mode_counts.run(TINY, [0, 1])
    assert [one["setting"] for one in together] == ["tiny", "again"]
    assert all(one["modes"] == alone["modes"] for one in together)


def test_a_run_says_how_far_it_is():
    told: list[tuple[float, str]] = []
    result = mode_counts.run(TINY, [3, 4], lambda *said: told.append(said))
    assert [done for done, _ in told] == pytest.approx([step / 20 for step in range(1, 21)])
    notes = [note for _, note in told if note]
    assert notes == [f"modes {one} {other}" for one, other in result["modes"]]


def cut_off(place: Path, *, at: int, setting: mode_counts.Setting = TINY) -> None:
    def told(done: float, _: str) -> None:
        if done >= at / 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mode_counts.run(setting, [3, 4], told, place)


def test_a_run_that_was_cut_off_goes_on_to_the_same_end_and_leaves_no_checkpoint(tmp_path: Path):
    place, told = tmp_path / "unit.ckpt", list[tuple[float, str]]()
    whole = mode_counts.run(TINY, [3, 4])
    cut_off(place, at=9)
    cut_off(place, at=13)
    assert mode_counts.run(TINY, [3, 4], lambda *said: told.append(said), place) == whole
    assert told[0] == (12 / 20, "going on from step 12")
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_other_looks_is_named_and_one_of_other_seeds_refused(tmp_path: Path):
    place, plain = tmp_path / "unit.ckpt", mode_counts.on_ring("plain", steps=20)
    cut_off(place, at=9, setting=plain)
    longer = replace(plain, config=replace(plain.config, steps=40))
    with pytest.raises(CheckpointError, match=r"4 steps; delete unit\.ckpt\* there, and the run begins anew"):
        mode_counts.run(longer, [3, 4], place=place)
    with pytest.raises(CheckpointError, match="seeds"):
        mode_counts.run(plain, [3, 5], place=place)
    for kept in tmp_path.glob("unit.ckpt*"):
        kept.unlink()
    assert mode_counts.run(longer, [3, 4], place=place)["steps"][-1] == 40


def test_a_checkpoint_from_another_device_is_refused(tmp_path: Path):
    """A record names one."""
    place = tmp_path / "unit.ckpt"
    cut_off(place, at=9)
    kept = checkpoint.read(place)
    assert kept["device"] == "cpu"
    checkpoint.write(place, kept | {"device": "cuda"})
    said = r"on cuda, and the record would say cpu; go on there, or delete unit\.ckpt\*, and the run begins anew"
    with pytest.raises(CheckpointError, match=said):
        mode_counts.run(TINY, [3, 4], place=place)
    for kept in tmp_path.glob("unit.ckpt*"):
        kept.unlink()
    assert mode_counts.run(TINY, [3, 4], place=place)["steps"][-1] == 20


def test_settings_have_names_of_their_own():
    names = [setting.name for setting in mode_counts.MODE_COUNTS]
    assert len(set(names)) == len(names)


def test_records_are_read_as_they_were_written(tmp_path: Path):
    content = {"study": "s", "environment": records.environment(), "results": [{"modes": [[1, 2], [3, 4]], "x": None}]}
    path = records.write("s", content, tmp_path)
    assert records.read("s", tmp_path) == content
    assert "[[1, 2], [3, 4]]" in path.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["s.json"]


def test_the_courses_records_are_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A lesson that was copied elsewhere finds them; a course around the working directory comes first."""
    here = records.read("mode-counts", ROOT / records.FOLDER)
    (tmp_path / "course/lessons").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "course/lessons")
    assert records.read("mode-counts") == here
    picture = records.picture("gan2014-mnist-seed-0")
    assert picture.read_bytes() == (ROOT / records.FOLDER / "gan2014-mnist-seed-0.png").read_bytes()
    records.write("mode-counts", {"study": "own"}, tmp_path / "course" / records.FOLDER)
    assert records.read("mode-counts") == {"study": "own"}
    assert records.picture("gan2014-mnist-seed-0") == picture
    with pytest.raises(ConfigError, match=r"none\.json is not there; measure it with"):
        records.read("none")


def test_a_missing_or_damaged_record_says_what_to_do(tmp_path: Path):
    spaced = tmp_path / "my records"
    with pytest.raises(ConfigError, match="python -m ganlab reproduce mode-counts") as caught:
        records.read("mode-counts", spaced)
    assert shlex.split(str(caught.value).rpartition(": ")[2])[-2:] == ["--out", str(spaced)]
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(ConfigError, match=r"folder\.json cannot be read .*; restore it"):
        records.read("folder", tmp_path)
    (tmp_path / "mode-counts.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="no JSON"):
        records.read("mode-counts", tmp_path)


def test_the_courses_record_is_of_the_courses_settings():
    """Whoever changes a setting measures it again."""
    kept = records.read("mode-counts", Path(__file__).parents[1] / records.FOLDER)
    assert [one["setting"] for one in kept["results"]] == [setting.name for setting in mode_counts.MODE_COUNTS]
    for one, setting in zip(kept["results"], mode_counts.MODE_COUNTS, strict=True):
        assert one["config"] == json.loads(json.dumps(options_of(setting.config)))
        assert one["seeds"] == list(range(16))
        assert one["z_dim"] == setting.z_dim
        assert one["objective"] == setting.objective.name

"""What damage, kills, full disks and wrong paths leave of a checkpoint: the last good one."""

import errno
import hashlib
import io
import os
import pickle
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import run, tiny_trainer

from ganlab.errors import CheckpointError
from ganlab.training import checkpoint


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    place = tmp_path_factory.mktemp("saved") / "run.ckpt"
    run(tiny_trainer(steps=3)).save(place)
    return place.read_bytes()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_bit_and_any_cut_is_noticed(tmp_path: Path, saved: bytes, data: st.DataObject):
    place = tmp_path / "run.ckpt"
    at = data.draw(st.integers(0, len(saved) - 1))
    if data.draw(st.booleans()):
        damaged = bytearray(saved)
        damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    else:
        damaged = saved[:at]
    place.write_bytes(damaged)
    with pytest.raises(CheckpointError) as caught:
        tiny_trainer().resume(place)
    assert "\n" not in str(caught.value)


def test_a_damaged_file_says_that_the_one_before_is_there(tmp_path: Path, saved: bytes):
    place = tmp_path / "run.ckpt"
    place.write_bytes(saved[:-1])
    with pytest.raises(CheckpointError, match="start the run anew"):
        checkpoint.read(place)
    checkpoint.previous(place).write_bytes(saved)
    with pytest.raises(CheckpointError, match=r"rename run\.ckpt\.previous to run\.ckpt"):
        checkpoint.read(place)


class Malicious:
    def __reduce__(self):
        return os.abort, ()


def test_a_foreign_file_is_refused_and_runs_no_code(tmp_path: Path):
    place = tmp_path / "run.ckpt"
    for content in (b"", b"\n", b"PK\x03\x04 something", pickle.dumps(Malicious())):
        place.write_bytes(content)
        with pytest.raises(CheckpointError, match="no ganlab checkpoint"):
            checkpoint.read(place)
    place.unlink()
    with pytest.raises(CheckpointError, match=r"state\['step'\] is a Malicious, which could not be read again"):
        checkpoint.write(place, {"step": Malicious()})
    assert not place.exists()
    content = io.BytesIO()
    torch.save({"step": Malicious()}, content)
    header = f"{hashlib.sha256(content.getvalue()).hexdigest()} {len(content.getvalue())}\n"
    place.write_bytes(checkpoint.MAGIC + header.encode() + content.getvalue())
    with pytest.raises(CheckpointError, match="do not trust it"):
        checkpoint.read(place)
    with pytest.raises(CheckpointError, match="cannot be read"):
        checkpoint.read(tmp_path)


def test_the_checkpoint_before_the_last_is_kept(tmp_path: Path):
    place = tmp_path / "run.ckpt"
    trainer = tiny_trainer()
    for record in trainer.run():
        if record.step in (3, 5):
            trainer.save(place)
    assert checkpoint.read(place)["step"] == 5
    assert checkpoint.read(checkpoint.previous(place))["step"] == 3
    place.unlink()  # as a kill between the two renames leaves it
    resumed = tiny_trainer()
    assert resumed.resume(place)
    assert resumed.step == 3


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_full_disk_leaves_the_checkpoint_before_it(tmp_path: Path):
    import resource

    place = tmp_path / "run.ckpt"
    trainer = tiny_trainer()
    trainer.save(place)
    good = place.read_bytes()
    ignored, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(good) // 2, limits[1]))
    try:
        with pytest.raises(CheckpointError, match="cannot be written"):
            trainer.save(place)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert place.read_bytes() == good
    assert [path.name for path in tmp_path.iterdir()] == ["run.ckpt"]


def test_no_space_at_the_flush_is_an_error_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left"):
        tiny_trainer().save(tmp_path / "run.ckpt")
    assert not list(tmp_path.iterdir())


def test_a_wrong_path_moves_and_loses_nothing(tmp_path: Path):
    trainer, folder, notes = tiny_trainer(), tmp_path / "runs", tmp_path / "notes.txt"
    folder.mkdir()
    (folder / "a.txt").write_text("mine")
    notes.write_text("mine")
    (tmp_path / "run.ckpt.previous").write_text("mine, too")
    for path, named in (
        (folder, r"is a folder; give the name of a file, such as .*runs.run\.ckpt"),
        (notes, "no file of this kind by ganlab; give another name or move it away"),
        (tmp_path / "run.ckpt", r"run\.ckpt\.previous is there and no file of this kind"),
        (notes / "run.ckpt", "cannot be written"),
    ):
        with pytest.raises(CheckpointError, match=named):
            trainer.save(path)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert found == {"runs", "runs/a.txt", "notes.txt", "run.ckpt.previous"}
    assert notes.read_text() == (folder / "a.txt").read_text() == "mine"
    trainer.save(folder / "run.ckpt")  # what the message says
    with pytest.raises(CheckpointError, match="cannot be read"):
        trainer.resume(folder)


NURSERY = """
    # Forks a child that resumes, trains and saves without pause; kills it at a random moment; 30 times.
    import os, random, signal, sys, time
    from pathlib import Path
    import torch
    from tiny import tiny_trainer

    torch.set_num_threads(1)  # a fork has none of its parent's other threads, and would wait for them
    place, moment, trainer = Path(sys.argv[1]), random.Random(0), tiny_trainer()
    begun = time.perf_counter()
    for _ in range(5):
        trainer.save(place.with_name("timed.ckpt"))
    a_save = (time.perf_counter() - begun) / 5
    for _ in range(30):
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            trainer = tiny_trainer(steps=100_000)
            resumed = trainer.resume(place)
            os.write(writable, f"{resumed} {trainer.step}\\n".encode())
            for record in trainer.run():
                trainer.save(place)
                os.write(writable, b"s")
        line = os.read(readable, 100).decode().partition("\\n")[0]
        for _ in range(moment.randrange(10)):  # saves are counted: how busy the machine is decides nothing
            os.read(readable, 1)
        time.sleep(moment.uniform(0.0, 2 * a_save))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        print(line or "died", flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_thirty_kills_while_writing_leave_a_whole_checkpoint(tmp_path: Path):
    """About 12 s: thirty children, each killed while it writes one of its first twelve checkpoints or so."""
    place = tmp_path / "run.ckpt"
    child = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(NURSERY), str(place)],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True,
    )
    lines = [line.split() for line in child.stdout.splitlines()]
    assert len(lines) == 30
    assert all(len(line) == 2 for line in lines), child.stdout
    steps = [int(step) for _, step in lines]
    assert steps == sorted(steps)
    assert steps[-1] > 30
    assert [resumed for resumed, _ in lines[5:]] == ["True"] * 25
    assert tiny_trainer(steps=100_000).resume(place)

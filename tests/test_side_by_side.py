"""Jobs in several processes: order, failures, killed workers, Ctrl-C. Each starts processes: about 3 s."""

import math
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from ganlab.errors import ConfigError
from ganlab.experiments.side_by_side import side_by_side
from ganlab.training import tuning


@pytest.mark.slow
def test_results_come_in_the_order_of_the_items_from_workers_with_the_threads_they_are_given():
    results = list(side_by_side(_root, [9, 4, 1], workers=2, threads=3))
    assert results == [(3, 3), (2, 3), (1, 3)]


@pytest.mark.slow
def test_a_result_waits_for_none_after_it():
    begun = time.monotonic()
    results = side_by_side(time.sleep, [1, 0, 600], workers=2)
    found = [next(results), next(results)]
    del results  # no more are wanted
    assert found == [None, None]
    assert time.monotonic() - begun < 300


@pytest.mark.slow
@pytest.mark.parametrize("tuned", [False, True])
def test_workers_are_tuned_as_their_caller_is_and_keep_their_threads(tuned: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tuning, "_tuned", tuned)
    assert list(side_by_side(_settings, [None], workers=1, threads=3)) == [(tuned, 3)]


def _settings(_: None) -> tuple[bool, int]:
    return tuning.is_tuned(), torch.get_num_threads()


def _root(x: float) -> tuple[float, int]:
    return math.sqrt(x), torch.get_num_threads()


@pytest.mark.slow
def test_a_killed_worker_is_named():
    with pytest.raises(ConfigError, match=r"one of 2 worker processes died: .* if memory ran out"):
        list(side_by_side(_die, [1], workers=2))


def _die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)


@pytest.mark.slow
@pytest.mark.parametrize("items", [["no number", 600], [600, "no number", 600]], ids=str)
def test_a_failing_job_raises_what_it_raised_and_ends_its_own_workers_and_no_other_process(items: list[Any]):
    other = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    other.start()
    try:
        begun = time.monotonic()
        with pytest.raises(TypeError, match="str"):
            list(side_by_side(time.sleep, items, workers=2))
        assert time.monotonic() - begun < 300
        assert multiprocessing.active_children() == [other]
        assert other.is_alive()
    finally:
        other.terminate()
        other.join()


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"workers": -1}, {"workers": 1.5}, {"workers": 1, "threads": 0}])
def test_numbers_that_do_not_fit_are_named(wrong: dict[str, Any]):
    name, value = list(wrong.items())[-1]
    with pytest.raises(ConfigError, match=rf"^{name} is {value}; give an integer of at least 1\.$"):
        next(side_by_side(math.sqrt, [1], **wrong))


@pytest.mark.slow
def test_a_script_without_a_guard_is_told_so(tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(
        "import math\n"
        "from ganlab.experiments.side_by_side import side_by_side\n"
        "print(list(side_by_side(math.sqrt, [4], workers=1)))\n"
    )
    process = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=100, check=False)
    assert process.returncode != 0
    last = process.stderr.splitlines()[-1]
    assert "ConfigError: one of 1 worker processes died" in last
    assert "a script must call this under if __name__ == '__main__'" in last


def _waiting_for_workers() -> subprocess.Popen[str]:
    """A script whose two workers sleep for ten minutes."""
    code = """
        import time
        from ganlab.experiments.side_by_side import side_by_side
        if __name__ == "__main__":
            print("begun", flush=True)
            list(side_by_side(time.sleep, [600, 600], workers=2))
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(3)
    return process


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_caller_leaves_no_worker_behind():
    process = _waiting_for_workers()
    process.kill()
    process.communicate(timeout=300)  # returns when the last process that holds the pipe has ended


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to a group")
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_all_processes_at_once():
    process = _waiting_for_workers()
    os.killpg(process.pid, signal.SIGINT)
    begun = time.monotonic()
    _, stderr = process.communicate(timeout=500)  # returns when the last process that holds the pipe has ended
    assert time.monotonic() - begun < 300
    assert process.returncode != 0
    assert stderr.count("KeyboardInterrupt") == 1

"""Jobs in several processes: order, failures, killed workers, Ctrl-C. Each starts processes: about 3 s."""

import math
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import torch

from ganlab.errors import ConfigError
from ganlab.side_by_side import side_by_side


@pytest.mark.slow
def test_results_come_in_the_order_of_the_items():
    assert list(side_by_side(math.sqrt, [9, 4, 1], workers=2)) == [3, 2, 1]


@pytest.mark.slow
def test_a_failing_job_raises_what_it_raised_and_a_killed_one_says_so():
    with pytest.raises(ValueError, match=r"math domain|nonnegative"):
        list(side_by_side(math.sqrt, [-1], workers=1))
    with pytest.raises(ConfigError, match="a worker process was killed, perhaps for memory; give fewer workers than 2"):
        list(side_by_side(_die, [1, 2], workers=2))


def _die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)


@pytest.mark.slow
def test_workers_use_the_threads_they_are_given():
    assert list(side_by_side(_threads, [0], workers=1, threads=3)) == [3]


def _threads(_: int) -> int:
    return torch.get_num_threads()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to a group")
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_all_processes_at_once():
    code = """
        import time
        from ganlab.side_by_side import side_by_side
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
    os.killpg(process.pid, signal.SIGINT)
    begun = time.monotonic()
    _, stderr = process.communicate(timeout=60)  # returns when the last process that holds the pipe has ended
    assert time.monotonic() - begun < 20
    assert process.returncode != 0
    assert stderr.count("KeyboardInterrupt") == 1

"""The command line as a user meets it, in a process of its own, without two seconds of imports for each.

A server imports the package once and forks for each command. Where processes cannot fork, each starts anew.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 300
_forks = "forkserver" in multiprocessing.get_all_start_methods()
if _forks:
    _server = multiprocessing.get_context("forkserver")
    # torch imports torch._dynamo when the first optimiser is made: that takes as long as to import torch itself.
    _server.set_forkserver_preload(["ganlab.cli", "ganlab.data.readers", "ganlab.plots", "torch._dynamo"])


def ganlab(
    *arguments: str | Path, cwd: Path, data: str | Path = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """What `python -m ganlab ARGUMENTS` gives in this folder, with one thread, this data folder and these variables."""
    line = [*map(str, arguments)]
    environment = {"GANLAB_DATA": str(data), "OMP_NUM_THREADS": "1", **variables}
    if not _forks:
        return subprocess.run(
            [sys.executable, "-m", "ganlab", *line],
            cwd=cwd,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    return _forked(line, cwd, environment, lambda _: None)


def interrupted(*arguments: str | Path, cwd: Path, once: Path) -> subprocess.CompletedProcess[str]:
    """What `python -m ganlab ARGUMENTS` gives in this folder when Ctrl-C comes as soon as there is a file `once`."""

    def stop(process: Any) -> None:
        while not once.exists() and process.is_alive():
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGINT)

    return _forked([*map(str, arguments)], cwd, {"OMP_NUM_THREADS": "1"}, stop)


def _forked(
    line: list[str], cwd: Path, environment: dict[str, str], meanwhile: Callable[[Any], None]
) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = _server.Process(target=_main, args=(line, cwd, os.environ | environment, out, err))
        process.start()
        meanwhile(process)
        process.join(PATIENCE_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(line, PATIENCE_SECONDS)
        said = [place.read_text(encoding="utf-8") for place in (out, err)]
    return subprocess.CompletedProcess(line, process.exitcode, *said)


def _main(line: list[str], cwd: Path, environment: dict[str, str], *streams: Path) -> None:
    from ganlab import cli

    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a run in the background inherits ignored
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    for number, place in enumerate(streams, start=1):
        os.dup2(os.open(place, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["ganlab", *line]
    cli.main()

"""Settings of all tests."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ganlab", deadline=None, max_examples=50, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ganlab")


# Workers of pytest-xdist share the cores; the networks of the tests are tiny.
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """IPython in this process, as a notebook's kernel runs it, without its files in the home folder."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    config = Config(HistoryManager={"enabled": False})
    yield InteractiveShell.instance(config=config)
    InteractiveShell.clear_instance()


@pytest.fixture
def style() -> Iterator[None]:
    """The course's figures, drawn without a screen and closed after the test."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    from ganlab import plots

    mpl.use("agg")
    with mpl.rc_context():
        plots.use_style()
        yield
    plt.close("all")


@pytest.fixture
def without_cpp(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.compile with all that decides what can be differentiated, but without the ten seconds of a C++ compiler."""
    whole = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda network: whole(network, backend="aot_eager"))


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let SIGINT through, here and in child processes: a test run in the background starts with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

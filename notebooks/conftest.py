"""Settings of the lessons under nbval: figures go to a folder of the test run, and HTML is not compared.

HTML holds pictures, which differ from machine to machine as PNGs do, and the measured numbers of claims, of which the
plain text leaves out what the machine decides.

The hash seed is the one that `execute.py` wrote the outputs with, so that sets print in the same order. A busy machine
may take long to start a kernel, or to hand over what a cell printed: nbval's own waits of 60 and 5 seconds, of which
the second cannot be set, would fail there.
"""

import os
import tempfile

import pytest

PATIENCE_SECONDS = 600

# Set when this file is read, before any kernel starts: nbval's cells know no fixtures.
_figures = tempfile.TemporaryDirectory(prefix="ganlab-figures-")
os.environ["GANLAB_FIGURES"] = _figures.name
os.environ["PYTHONHASHSEED"] = "0"
os.environ["PYTHONWARNINGS"] = "error:hard to read"  # of `plots.save`: a figure that some cannot read is a failure
# nbval reads what a cell sends when the cell is done. Meanwhile the socket holds some thousands of messages and drops
# the rest: ten minutes of a progress bar at ten times a second are more, and the message lost is that the cell is done.
os.environ["TQDM_MININTERVAL"] = "20"


def pytest_configure(config: pytest.Config) -> None:
    config.option.nbval_kernel_startup_timeout = PATIENCE_SECONDS


def pytest_collectstart(collector: pytest.Collector) -> None:
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("text/html",)  # pyright: ignore[reportAttributeAccessIssue]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if hasattr(item, "output_timeout"):
            item.output_timeout = PATIENCE_SECONDS  # pyright: ignore[reportAttributeAccessIssue]

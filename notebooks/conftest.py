"""Settings of the lessons under nbval: figures go to a folder of the test run, never into the course's own.

The hash seed is the one that `execute.py` wrote the outputs with, so that sets print in the same order.
"""

import os
import tempfile

# Set when this file is read, before any kernel starts: nbval's cells know no fixtures.
_figures = tempfile.TemporaryDirectory(prefix="ganlab-figures-")
os.environ["GANLAB_FIGURES"] = _figures.name
os.environ["PYTHONHASHSEED"] = "0"

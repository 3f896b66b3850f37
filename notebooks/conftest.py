"""Settings of the lessons under nbval: figures go to a folder of the test run, never into the course's own."""

import os
import tempfile

# Set when this file is read, before any kernel starts: nbval's cells know no fixtures.
_figures = tempfile.TemporaryDirectory(prefix="ganlab-figures-")
os.environ["GANLAB_FIGURES"] = _figures.name

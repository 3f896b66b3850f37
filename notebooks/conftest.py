"""Settings of the lessons under nbval: figures go to a folder of the test run, never into the course's own."""

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _figures(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["GANLAB_FIGURES"] = str(tmp_path_factory.mktemp("figures"))

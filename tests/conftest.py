"""Settings of all tests."""

import pytest
import torch
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ganlab", deadline=None, max_examples=50, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ganlab")


# Workers of pytest-xdist share the cores; the networks of the tests are tiny.
torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))

"""Sizes that are no positive integers are refused by every network, by their names, before anything is built."""

import inspect
from typing import Any

import pytest
import torch

from ganlab import models
from ganlab.errors import ConfigError, ShapeError
from ganlab.models.base import Rebuildable
from ganlab.models.stacked import Stacked

SIZES = [
    pytest.param(kind, name, id=f"{kind.__name__}-{name}")
    for kind in map(models.__dict__.get, models.__all__)
    if inspect.isclass(kind) and issubclass(kind, Rebuildable)
    for name, parameter in inspect.signature(kind).parameters.items()
    if parameter.annotation is int and name != "size"
]


def test_all_networks_are_among_them():
    assert len(SIZES) > 40
    assert len({one.values[0] for one in SIZES}) >= 14


@pytest.mark.parametrize("value", [0, -1, True, 2.5])
@pytest.mark.parametrize(("kind", "name"), SIZES)
def test_a_size_is_at_least_one(kind: Any, name: str, value: Any):
    with pytest.raises(ConfigError, match=rf"^{name} is {value!r}; give an integer of at least 1\.$"):
        kind(**{name: value})


@pytest.mark.parametrize("shape", [(5, 4), (3, 5, 4), (1, 5, 4), (2, 1, 5, 4)])
def test_networks_side_by_side_take_a_batch_each(shape: tuple[int, ...]):
    generators = Stacked([models.ToyGenerator(z_dim=4, width=3) for _ in range(2)])
    assert generators(torch.zeros(2, 5, 4)).shape == (2, 5, 2)
    with pytest.raises(ShapeError, match=r"give \[2, batch, n\], one per member\.$"):
        generators(torch.zeros(shape))

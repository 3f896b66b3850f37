"""What is saved of a network has its plain names, however it or its parts are wrapped; and fits only its like."""

import pytest
import torch
from torch import nn

from ganlab.training.wrappers import eager, load_state, misfit, shapes_of, state_of, unwrapped

NAMES = ["module.0.weight", "module.0.bias", "module.1.weight", "module.1.bias"]


def network() -> nn.Module:
    """With a part of its own that is called as wrappers call theirs."""
    net = nn.Module()
    net.module = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    return net


def compiled(part: nn.Module) -> nn.Module:
    return torch.compile(part, backend="eager")  # pyright: ignore[reportReturnType]


def with_compiled_parts() -> nn.Module:
    net = network()
    net.module = compiled(nn.Sequential(nn.Linear(3, 2), compiled(nn.Linear(2, 1))))
    return net


WRAPPED = {
    "plain": network,
    "compiled": lambda: compiled(network()),
    "parts compiled": with_compiled_parts,
    "parallel": lambda: nn.DataParallel(network()),
    "parallel, compiled": lambda: compiled(nn.DataParallel(compiled(network()))),
}


@pytest.mark.parametrize("make", WRAPPED.values(), ids=WRAPPED.keys())
def test_names_are_those_of_the_network_without_wrappers(make):
    wrapped, other = make(), network()
    assert list(state_of(wrapped)) == NAMES
    assert shapes_of(wrapped) == dict(zip(NAMES, [[2, 3], [2], [1, 2], [1]], strict=True))
    assert misfit(wrapped, state_of(other)) == misfit(other, state_of(wrapped)) == ""
    assert misfit(other, {f"_orig_mod.{name}": value for name, value in state_of(other).items()}) == ""
    load_state(wrapped, state_of(other))
    for name, value in state_of(wrapped).items():
        assert torch.equal(value, state_of(other)[name])
    assert type(unwrapped(wrapped)) is nn.Module
    assert list(eager(wrapped).state_dict()) == NAMES
    assert not any("OptimizedModule" in type(part).__name__ for part in eager(wrapped).modules())


def test_the_first_difference_is_said():
    state = state_of(network())
    said = "module.1.bias is {} there and {} here"
    assert misfit(network(), state | {"module.1.bias": torch.zeros(2)}) == said.format([2], [1])
    assert misfit(network(), {n: v for n, v in state.items() if n != "module.1.bias"}) == said.format("missing", [1])
    assert misfit(network(), state | {"more": torch.zeros(4)}) == "more is [4] there and missing here"
    with pytest.raises(RuntimeError, match=r"Unexpected key.*more"):
        load_state(network(), state | {"more": torch.zeros(4)})

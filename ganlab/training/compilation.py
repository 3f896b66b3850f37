"""torch.compile: in CUDA graphs where there is a GPU, its failures in one line, and its limits."""

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from ganlab.errors import ConfigError

COMPILER = ("torch._dynamo", "torch._inductor")


@contextlib.contextmanager
def compiler_named() -> Iterator[None]:
    """Raise `ConfigError` in the place of whatever torch.compile raises within."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(COMPILER):
            raise
        raise ConfigError(
            f"torch.compile fails on these networks ({type(error).__name__}); install a C++ compiler if there is none"
            " (for a GPU also Triton), or train without compile."
        ) from error


def compiled(device: torch.device, **networks: nn.Module) -> Callable[[], contextlib.AbstractContextManager[object]]:
    """Compile the networks, each under its role, in place; gives the context that a training step is to run in."""
    if device.type == "cuda":
        return CudaGraphs(**networks).step
    for network in networks.values():
        network.compile()
    return contextlib.nullcontext


class CudaGraphs:
    """Networks compiled with torch's mode "reduce-overhead": each pass is recorded once and replayed as one launch.

    What a replay gives lies in memory that later ones write to, so it lives for one step alone: within `step()` all
    passes of both networks are kept apart, and gradients are dropped at its end. Elsewhere, as when samples are drawn,
    the networks run as they were written; so does, with a warning, one whose pass torch.compile fails on.
    """

    def __init__(self, **networks: nn.Module) -> None:
        self._networks, self._recording = networks.values(), False
        for role, network in networks.items():
            network.compile(mode="reduce-overhead")
            network._compiled_call_impl = self._replayed(role, network, network._compiled_call_impl)

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """A training step."""
        torch.compiler.cudagraph_mark_step_begin()
        self._recording = True
        try:
            yield
        finally:
            self._recording = False
            for network in self._networks:
                network.zero_grad(set_to_none=True)

    def _replayed(self, role: str, network: nn.Module, replay: Any) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            if not self._recording:
                return network._call_impl(*args)
            try:
                return replay(*args)
            except Exception as error:
                if not type(error).__module__.startswith(COMPILER):
                    raise
                network._compiled_call_impl = None
                warnings.warn(
                    f"torch.compile fails on {role} ({type(error).__name__}), which runs as it is written, without CUDA"
                    " graphs; install Triton and a C++ compiler if they are missing.",
                    stacklevel=2,
                )
                return network(*args)

        return call


def differentiable_twice() -> contextlib.AbstractContextManager[object]:
    """Within it compiled networks run as they were written: what torch.compile makes can be differentiated once."""
    loaded = "torch._dynamo" in sys.modules  # else nothing is compiled; and its import takes seconds
    return torch.compiler.set_stance("force_eager") if loaded else contextlib.nullcontext()

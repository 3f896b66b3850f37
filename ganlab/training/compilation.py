"""torch.compile's failures in one line, and its limits."""

import contextlib
import sys
from collections.abc import Iterator

import torch

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


def differentiable_twice() -> contextlib.AbstractContextManager[object]:
    """Within it compiled networks run as they were written: what torch.compile makes can be differentiated once."""
    compiled = "torch._dynamo" in sys.modules  # else nothing is; and its import takes seconds
    return torch.compiler.set_stance("force_eager") if compiled else contextlib.nullcontext()

"""torch.compile's failures in one line."""

import contextlib
from collections.abc import Iterator

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

"""Copies of networks to try things with: what a forward pass leaves in them is left in the copy."""

import contextlib
from collections.abc import Iterator

from torch import Tensor, nn

from ganlab.training.averaging import twin
from ganlab.training.wrappers import eager, unwrapped


@contextlib.contextmanager
def understudy(model: nn.Module) -> Iterator[nn.Module]:
    """A copy with the same weights, without wrappers; or the network itself, its buffers put back after, if it holds
    what cannot be copied."""
    model = unwrapped(model)
    try:
        copied = eager(twin(model, share=True))
    except Exception:
        before = [(module, dict(module._buffers), _values(module)) for module in model.modules()]
        try:
            yield model
        finally:
            for module, buffers, values in before:
                module._buffers.update(buffers)
                for name, value in values.items():
                    module._buffers[name].data.copy_(value)  # pyright: ignore[reportOptionalMemberAccess]
    else:
        yield copied


def _values(module: nn.Module) -> dict[str, Tensor]:
    """Copies of the buffers that a module has itself."""
    return {name: buffer.clone() for name, buffer in module._buffers.items() if buffer is not None}

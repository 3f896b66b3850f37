"""Why a network fails on a first batch: where, and what to do about it."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from ganlab.training.sampling import of_sizes

ELSEWHERE = ("cuda", "nvidia", "device", "mps")
"""Words in what torch says of tensors on two devices, or on one that is not there."""


def advice_on(error: Exception, role: str, x: Tensor, *y: Tensor) -> str:
    """What to do about an error that a forward pass on x, or on x and labels y, ends in."""
    said = str(error).lower()
    elsewhere = isinstance(error, RuntimeError | AssertionError) and any(word in said for word in ELSEWHERE)
    if not of_sizes(error) and not elsewhere:
        return f"it raises {type(error).__name__}: mend its forward"
    if elsewhere:
        return "let it make tensors on the device of its input, such as torch.zeros(3, device=z.device), not by cuda()"
    given = "z" if role == "G" else "x"
    labelled = f" and the number of classes; it is called as {role}({given}, y) with integers y [{len(x)}]" if y else ""
    small = "" if len(x) > 1 else ", and batch norm a batch of at least 2"
    return "give it their sizes" + labelled + small + ("" if role == "G" else or_as_images(x.shape))


def or_as_images(shape: tuple[int, ...]) -> str:
    """What else may be wrong with examples of this shape: that they are images whose channels are elsewhere."""
    if (code := as_images(shape)) is None:
        return ""
    return f"; or, if they are images, give them as [N, C, H, W]: {code}"


def as_images(shape: tuple[int, ...]) -> str | None:
    """How examples [n, H, W] or [n, H, W, C] become images [n, C, H, W]; None for examples that are no such ones."""
    if len(shape) == 3:
        return "images[:, None]"
    if len(shape) == 4 and shape[3] in (1, 3, 4) and shape[1] not in (1, 3, 4):
        return "torch.as_tensor(images).permute(0, 3, 1, 2)"
    return None


def where(model: nn.Module, x: Tensor, *y: Tensor) -> str:
    """In which layer a forward pass fails, and what this layer was given."""
    path: list[tuple[str, str]] = []

    def enter(name: str) -> Callable[..., None]:
        def note(layer: nn.Module, inputs: tuple[Any, ...]) -> None:
            shapes = [str(list(part.shape)) for part in inputs if isinstance(part, Tensor)]
            path.append((name, f"{type(layer).__name__} {name}, given {', '.join(shapes)}"))

        return note

    layers = [(name, layer) for name, layer in model.named_modules() if name]
    hooks = [layer.register_forward_pre_hook(enter(name)) for name, layer in layers]
    hooks += [layer.register_forward_hook(lambda *_: path.pop() and None) for _, layer in layers]
    try:
        model(x.clone(), *y)
    except Exception:
        return f", in its {path[-1][1]}" if path else ", between its layers"
    finally:
        for hook in hooks:
            hook.remove()
    return ""

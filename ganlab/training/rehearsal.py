"""A first batch through both networks before the first step: what they take and what they give.

It goes through copies that share the weights, so that batch norm's statistics, counters and whatever else a forward
pass leaves in a network stay as they are; it draws from a fork of torch's random numbers.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError, GanlabError, ShapeError
from ganlab.training.averaging import twin
from ganlab.training.labels import Labels, refuse_other_arguments
from ganlab.training.randomness import forked
from ganlab.training.sampling import LATENT_SHAPES
from ganlab.training.wrappers import eager, unwrapped

SMALL = 4
"""Examples of the first batch: enough for batch norm, few enough for milliseconds."""
RESHAPING = "View Squeeze Unsqueeze Select Slice Reshape ReshapeAlias UnsafeView Clone ToCopy Transpose Permute Alias"
CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


@dataclass(frozen=True)
class Fit:
    """How a pair of networks is called, and what came out of the first batch.

    latent       what follows [n, z_dim] in the shape of z that G takes: nothing, or (1, 1)
    flat         D gives one logit per example, but as [n, 1] or [n, 1, 1, 1]
    copies_z, copies_x   G and D change their input in place, so that they are given a copy
    last_of_G, last_of_D   the last operation that is no reshaping, such as "Tanh"
    fake         what G gave, [n, …]
    """

    latent: tuple[int, ...]
    flat: bool
    copies_z: bool
    copies_x: bool
    last_of_G: str
    last_of_D: str
    fake: Tensor


def rehearse(
    G: nn.Module, D: nn.Module, real: Tensor, z: Tensor, y: Labels, precision: Callable[[], AbstractContextManager[Any]]
) -> Fit:
    """Send the first few of `real` [batch, …] and z [batch, z_dim], with their labels if there are any, through both
    networks; all of them if few fail.

    Weights of convolutions are stored channels_last where the networks go through with it (a `view` in a forward pass
    may not), else contiguous. Raises `ConfigError` or `ShapeError` for networks that cannot be trained as they are.
    """
    for role, model, labels in (("G", G, y.fake), ("D", D, y.real)):
        refuse_other_arguments(role, model, labelled=bool(labels))
    with forked(real.device):
        materialise(G, z, D, real, y)
    last: GanlabError | None = None
    for n in dict.fromkeys((min(SMALL, len(real)), len(real))):
        for layout in (torch.channels_last, torch.contiguous_format):
            converted = [_stored(model, layout) for model in (G, D)]
            try:
                with forked(real.device), torch.enable_grad(), precision():
                    few = Labels(tuple(part[:n] for part in y.real), tuple(part[:n] for part in y.fake))
                    return _rehearsed(G, D, real[:n], z[:n], few)
            except GanlabError as error:
                last = error
            if not any(converted):
                break
    assert last is not None
    raise last


def _stored(model: nn.Module, layout: torch.memory_format) -> bool:
    """Store the weights of a network with convolutions in this layout; False for one without."""
    if not any(isinstance(module, CONVOLUTIONS) for module in model.modules()):
        return False
    model.to(memory_format=layout)  # pyright: ignore[reportCallIssue]
    return True


def _rehearsed(G: nn.Module, D: nn.Module, real: Tensor, z: Tensor, y: Labels) -> Fit:
    with understudy(G) as g, understudy(D) as d:
        t_real, copies_x = _called("D", d, real, *y.real)
        flat = _one_logit_each(t_real, len(real))
        fake, latent, copies_z = _generated(g, z, real, *y.fake)
        t_fake, _ = _called("D", d, fake.clone() if copies_x else fake, *y.fake)
        _require_gradients("D", D, t_real)
        _require_gradients("G", G, t_fake)
    return Fit(latent, flat, copies_z, copies_x, _last(fake), _last(t_real), fake.detach().float())


@contextlib.contextmanager
def understudy(model: nn.Module) -> Iterator[nn.Module]:
    """A copy with the same weights, without wrappers; or the network itself, its buffers put back after, if it holds
    what cannot be copied."""
    model = unwrapped(model)
    try:
        copied = eager(twin(model, share=True))
    except Exception:
        before = [(buffer, buffer.clone()) for buffer in model.buffers()]
        try:
            yield model
        finally:
            for buffer, value in before:
                buffer.data.copy_(value)
    else:
        yield copied


def _called(role: str, model: nn.Module, x: Tensor, *y: Tensor) -> tuple[Tensor, bool]:
    """What a network makes of x, or of x and y, as a floating-point tensor, and whether it changes x in place."""
    given = x.clone()
    version = given._version
    try:
        answer = model(given, *y)
    except GanlabError:
        raise
    except Exception as error:
        what = "examples" if role == "D" else "z"
        labels = f" with labels up to {int(y[0].max())}" if y else ""
        advice = "give it their sizes" + (" and the number of classes" if y else "")
        advice += "" if len(x) > 1 else ", and batch norm a batch of at least 2"
        raise ConfigError(
            f"{role} ({_name(model)}) fails on {what} of shape {list(x.shape)}{labels}{_where(model, x, *y)}; {advice}."
        ) from error
    if not isinstance(answer, Tensor) or not answer.is_floating_point():
        what = str(answer.dtype) if isinstance(answer, Tensor) else f"a {type(answer).__name__}"
        raise ShapeError(f"{role} gives {what}; let its forward give one floating-point tensor.")
    if answer.dtype is torch.float64:
        raise ShapeError(f"{role} gives torch.float64; end its forward with .float().")
    if not answer.isfinite().all():
        raise ConfigError(f"{role} gives NaN or infinity on a first batch; check its weights.")
    return answer, given._version != version


def _generated(g: nn.Module, z: Tensor, real: Tensor, *y: Tensor) -> tuple[Tensor, tuple[int, ...], bool]:
    """G's samples, in the first shape of z with which they are shaped like real examples."""
    failures: list[GanlabError] = []
    for latent in LATENT_SHAPES:
        try:
            fake, copies = _called("G", g, z.view(*z.shape, *latent), *y)
        except GanlabError as error:
            failures.append(error)
            continue
        if fake.shape == real.shape:
            return fake, latent, copies
        same = fake.numel() == real.numel()
        shape = ", ".join(map(str, real.shape[1:]))
        advice = f"end its forward with .view(-1, {shape})" if same else "give it the examples' shape"
        failures.insert(0, ShapeError(f"G gives {list(fake.shape)} where examples are {list(real.shape)}; {advice}."))
    raise failures[0]


def _one_logit_each(t: Tensor, n: int) -> bool:
    """Whether D's logits are to be flattened: they are [n, 1, …]. Raises `ShapeError` unless there is one each."""
    if t.numel() == n and (t.ndim == 0 or len(t) == n):
        return t.ndim != 1
    advice = "leave out what averages over the batch" if t.numel() == 1 else "average over all but the first dimension"
    raise ShapeError(f"D gives {list(t.shape)} for {n} examples; give one logit each, [{n}]: {advice}.")


def _require_gradients(role: str, model: nn.Module, t: Tensor) -> None:
    """Raise `ConfigError` unless the gradient of D's logits t reaches a network's weights, as Adam and SGD take it."""
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    found: tuple[Tensor | None, ...] = ()
    if t.requires_grad:
        try:
            found = torch.autograd.grad(t.float().sum(), list(trained.values()), allow_unused=True)
        except RuntimeError as error:
            raise ConfigError(
                f"no gradient comes back to {role} ({_name(model)}): a layer overwrites what the backward pass needs;"
                " set inplace=False in its activations."
            ) from error
    if all(gradient is None for gradient in found):
        raise ConfigError(
            f"no gradient of D's output reaches the weights of {role} ({_name(model)}); take detach(), no_grad() and"
            " rounding out of both forward passes."
        )
    sparse = [
        name for name, gradient in zip(trained, found, strict=True) if gradient is not None and gradient.is_sparse
    ]
    if sparse:
        raise ConfigError(
            f"{role}'s {sparse[0]} has sparse gradients, which the optimisers do not take; make it with sparse=False."
        )


def _last(y: Tensor) -> str:
    """The last operation behind y that is no reshaping: "Tanh", "Sigmoid", …; "" where there is none."""
    node = y.grad_fn
    while node is not None:
        name = node.name().partition("Backward")[0]
        if name not in RESHAPING.split():
            return name
        node = node.next_functions[0][0]
    return ""


def _where(model: nn.Module, x: Tensor, *y: Tensor) -> str:
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


def materialise(G: nn.Module, z: Tensor, D: nn.Module, real: Tensor, labels: Labels) -> None:
    """Let lazy layers take their sizes from a first batch, with first weights from torch's own random numbers."""
    latents = [(z.view(*z.shape, *latent), *labels.fake) for latent in LATENT_SHAPES]
    for model, inputs in ((G, latents), (D, [(real, *labels.real)])):
        for x, *y in inputs:
            if any(nn.parameter.is_lazy(tensor) for tensor in (*model.parameters(), *model.buffers())):
                was_training = model.training
                model.eval()
                try:
                    with torch.no_grad():
                        model(x.clone(), *y)
                except Exception:
                    continue
                finally:
                    model.train(was_training)


def _name(model: nn.Module) -> str:
    return type(model).__name__

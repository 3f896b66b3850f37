"""A first batch through both networks before the first step: what they take and what they give.

It goes through copies that share the weights, so that batch norm's statistics, counters and whatever else a forward
pass leaves in a network stay as they are; it draws from a fork of torch's random numbers.
"""

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError, GanlabError, ShapeError
from ganlab.models.base import evaluating
from ganlab.training.compilation import differentiable_twice
from ganlab.training.derivatives import refuse_one_answer_for_all, require_gradients, require_second_derivative
from ganlab.training.failures import advice_on, as_images, where
from ganlab.training.labels import Labels, refuse_other_arguments
from ganlab.training.left_behind import held, strangers, what_is_left
from ganlab.training.penalties import Batches, Penalty
from ganlab.training.randomness import drawn_elsewhere, forked
from ganlab.training.reach import range_of, reach
from ganlab.training.sampling import LATENT_SHAPES
from ganlab.training.together import one_by_one
from ganlab.training.understudy import understudy
from ganlab.training.wrappers import misfit, state_of, unwrapped

SMALL = 4
"""Examples of the first batch: enough for batch norm, few enough for milliseconds."""
RESHAPING = "View Squeeze Unsqueeze Select Slice Reshape ReshapeAlias UnsafeView Clone ToCopy Transpose Permute Alias"
KEEPING_BOUNDS = "Mean AvgPool2D AdaptiveAvgPool2D Expand Clamp ClampMin ClampMax Rsub"
"""Operations after which D's probabilities are still some: averages over an image, and 1 − p."""
OUTPUT_RANGES = {
    **dict.fromkeys(("Tanh", "Sin", "Cos", "Erf"), (-1.0, 1.0)),
    **dict.fromkeys(("Sigmoid", "Hardsigmoid", "Softmax"), (0.0, 1.0)),
}
"""What a generator gives whose last operation is this one."""
CUTS = {"Hardtanh": ("min_val", "max_val"), "Clamp": ("min", "max")}
"""Operations that cut to bounds, and how autograd calls these."""
CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


@dataclass(frozen=True)
class Fit:
    """How a pair of networks is called, and what came out of the first batch.

    latent       what follows [n, z_dim] in the shape of z that G takes: nothing, or (1, 1)
    flat         D gives one logit per example, but as [n, 1] or [n, 1, 1, 1]
    copies_z, copies_x   G and D change their input in place, so that they are given a copy
    together     D answers each example as it would alone, so that it may judge two batches in one pass
    last_of_G, last_of_D   the last operation that is no reshaping, such as "Tanh"
    fake         what G gave, [n, …]
    range_of_G   where its last operation keeps what G gives; None: not in bounds
    reach_of_D   between what D's logits lie when its last layer grows without end; None: it is not known
    moving       attributes that forward passes change, as the description of a run calls them
    said         what is to be said of the networks
    """

    latent: tuple[int, ...]
    flat: bool
    copies_z: bool
    copies_x: bool
    last_of_G: str
    last_of_D: str
    fake: Tensor
    range_of_G: tuple[float, float] | None = None
    reach_of_D: tuple[float, float] | None = None
    together: bool = False
    moving: frozenset[str] = frozenset()
    said: tuple[str, ...] = ()


def rehearse(
    G: nn.Module,
    D: nn.Module,
    real: Tensor,
    z: Tensor,
    y: Labels,
    precision: Callable[[], AbstractContextManager[Any]],
    penalty: Penalty | None = None,
) -> Fit:
    """Send the first few of `real` [batch, …] and z [batch, z_dim], with their labels if there are any, through both
    networks, all of them if few fail; then let D pay the penalty, if there is one.

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
                    return _rehearsed(G, D, real[:n], z[:n], few, penalty)
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


def _rehearsed(G: nn.Module, D: nn.Module, real: Tensor, z: Tensor, y: Labels, penalty: Penalty | None) -> Fit:
    with drawn_elsewhere({"G": G, "D": D}) as said, understudy(G) as g, understudy(D) as d:
        before = {"G": held(g), "D": held(d)}
        t_real, copies_x = _called("D", d, real, *y.real)
        flat = _one_logit_each(t_real, len(real))
        fake, latent, copies_z = _generated(g, z, real, *y.fake)
        t_fake, _ = _called("D", d, fake.clone() if copies_x else fake, *y.fake)
        require_gradients("D", D, t_real)
        require_gradients("G", G, t_fake, fake)
        refuse_one_answer_for_all(d, t_real, real, *y.real)
        for role, model, copy in (("D", D, d), ("G", G, g)):
            _require_fixed_shapes(role, model, copy)
        if penalty is not None:
            of = Batches(real, fake.detach().float(), 0.0, torch.rand_like, labels=y)
            with torch.autocast(real.device.type, enabled=False), differentiable_twice():
                said += require_second_derivative(penalty, D, lambda x, *y: d(x.clone(), *y).flatten(), of)
        pairs = (("G", G, g, z.view(*z.shape, *latent), y.fake, fake), ("D", D, d, real, y.real, t_real))
        known = {id(weight) for network in (G, D, g, d) for weight in network.parameters()}
        moving: set[str] = set()
        for role, model, copy, x, labels, answer in pairs:
            left, places = what_is_left(role, model, copy, before[role], x, *labels)
            said += [*left, *strangers(role, copy, answer, known)]
            moving |= places
        last_of_G, of_G = _last(fake)
        last_of_D, _ = _last(t_real, (*RESHAPING.split(), *KEEPING_BOUNDS.split()))
        fit = Fit(latent, flat, copies_z, copies_x, last_of_G, last_of_D, fake.detach().float(), of_G)
        if of_G is None and g is not unwrapped(G):
            fit = replace(fit, range_of_G=range_of(g, pairs[0][3], *y.fake))
        if d is not unwrapped(D):
            fit = replace(fit, reach_of_D=reach(d, real, *y.real))
        alone = not any(place.startswith("D") for place in moving)
        fit = replace(fit, together=alone and one_by_one(d, real, fake.detach().float(), y))
    return replace(fit, moving=frozenset(moving), said=tuple(said))


def _require_fixed_shapes(role: str, model: nn.Module, after: nn.Module) -> None:
    """Raise `ConfigError` for a network whose state has other shapes after a forward pass: no file of it could be read
    into one that is made anew."""
    before, now = ([buffer.shape for buffer in network.buffers()] for network in (model, after))
    if before != now and (reason := misfit(model, state_of(after))):
        raise ConfigError(
            f"{role}'s state has other shapes after a forward pass ({reason}); keep its buffers' shapes, or make them"
            " with persistent=False: a resumed run then begins them anew."
        )


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
        given = f"{what} of shape {list(x.shape)}{labels}"
        advice = advice_on(error, role, x, *y)
        raise ConfigError(
            f"{role} ({type(model).__name__}) fails on {given}{where(model, x, *y)}; {advice}."
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
        advice = _to_the_same_shape(fake.shape, real.shape)
        failures.insert(0, ShapeError(f"G gives {list(fake.shape)} where examples are {list(real.shape)}; {advice}."))
    raise failures[0]


def _to_the_same_shape(fake: torch.Size, real: torch.Size) -> str:
    """What to do about samples of another shape than examples': to the one that is laid out in another way."""
    if len(fake) == 4 and fake != real == (fake[0], fake[3], *fake[1:3]):
        return "end its forward with .permute(0, 3, 1, 2)"
    laid_out = (real[0], *fake[2:], fake[1]) if len(fake) == 4 else ()
    if (code := as_images(real)) and tuple(real) in (laid_out, laid_out[:-1]):
        return f"give images as [N, C, H, W]: {code}"
    same = fake.numel() == real.numel()
    return f"end its forward with .view(-1, {', '.join(map(str, real[1:]))})" if same else "give it the examples' shape"


def _one_logit_each(t: Tensor, n: int) -> bool:
    """Whether D's logits are to be flattened: they are [n, 1, …]. Raises `ShapeError` unless there is one each."""
    if t.numel() == n and (t.ndim == 0 or len(t) == n):
        return t.ndim != 1
    advice = "leave out what averages over the batch" if t.numel() == 1 else "average over all but the first dimension"
    raise ShapeError(f"D gives {list(t.shape)} for {n} examples; give one logit each, [{n}]: {advice}.")


def _last(y: Tensor, passed: Sequence[str] = RESHAPING.split()) -> tuple[str, tuple[float, float] | None]:
    """The last operation behind y that is none of these: "Tanh", "Sigmoid", …, "" where there is none; and the bounds
    in which it keeps y."""
    node: Any = y.grad_fn
    while node is not None:
        name = node.name().partition("Backward")[0]
        if name not in passed:
            low, high = (getattr(node, f"_saved_{end}", None) for end in CUTS.get(name, ("", "")))
            cut = None if low is None or high is None else (float(low), float(high))
            return name, cut or OUTPUT_RANGES.get(name)
        node = node.next_functions[0][0]
    return "", None


def materialise(G: nn.Module, z: Tensor, D: nn.Module, real: Tensor, labels: Labels) -> None:
    """Let lazy layers take their sizes from a first batch, with first weights from torch's own random numbers."""
    latents = [(z.view(*z.shape, *latent), *labels.fake) for latent in LATENT_SHAPES]
    for model, inputs in ((G, latents), (D, [(real, *labels.real)])):
        for x, *y in inputs:
            if any(nn.parameter.is_lazy(tensor) for tensor in (*model.parameters(), *model.buffers())):
                with contextlib.suppress(Exception), evaluating(model), torch.no_grad():
                    model(x.clone(), *y)

"""What comes into `Trainer` is looked at once, before the first step: arguments, objective, networks, ranges.

What cannot be trained is refused in a line; what is likely a mistake is said in a warning.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError, ShapeError
from ganlab.objectives import Objective
from ganlab.training.checks import integer, number, shown
from ganlab.training.config import TrainConfig
from ganlab.training.labels import Labels, classes_of
from ganlab.training.penalties import Penalty
from ganlab.training.rehearsal import Fit, rehearse
from ganlab.training.sampling import require_values

NO_LOGITS = ("Sigmoid", "Softmax", "LogSigmoid", "LogSoftmax", "Hardsigmoid")
"""Last operations of a discriminator that give probabilities, or their logarithms."""
TOLERANCE = 0.1
"""How far examples may lie outside G's range, as a share of its width, before it is said."""
GROSS = 2.0
"""From how many times the width of G's range on examples are another scale's."""


def look(
    G: nn.Module,
    D: nn.Module,
    objective: Objective,
    real: Tensor,
    z: Tensor,
    y: Labels,
    examples: Any,
    precision: Callable[[], AbstractContextManager[Any]],
    penalty: Penalty | None = None,
) -> tuple[Fit, list[str]]:
    """How the networks are called, and what is to be said.

    real, z, y   a first batch, [batch, …] and [batch, z_dim], and labels for both, where there are any
    examples     all of them, or the law that they are drawn from
    Raises `ConfigError` or `ShapeError` for what cannot be trained as it is.
    """
    fit = rehearse(G, D, real, z, y, precision, penalty)
    refuse_probabilities(fit, objective)
    said = refuse_turned_sign(objective) + compare_ranges(G, fit, examples if isinstance(examples, Tensor) else real)
    refuse_turned_generator(objective)
    return fit, [*fit.said, *said]


def refuse_wrong_arguments(G: Any, D: Any, objective: Any, config: Any, rank: Any) -> None:
    """Raise `ConfigError` for an argument of another kind, and for networks that have nothing to train."""
    if not isinstance(objective, Objective):
        raise ConfigError(
            f"objective is {shown(objective)}; give an Objective, such as objectives.NON_SATURATING or"
            " objectives.least_squares()."
        )
    if not isinstance(config, TrainConfig):
        raise ConfigError(f"config is {shown(config)}; give training.TrainConfig(steps=2000), say.")
    integer("rank", rank, 0)
    for role, model in {"G": G, "D": D}.items():
        if not isinstance(model, nn.Module):
            raise ConfigError(f"{role} is {shown(model)}; give a network, a torch.nn.Module that is made.")
        require_values(role, model)
        parameters = dict(model.named_parameters())
        if not any(parameter.requires_grad for parameter in parameters.values()):
            what = f"{len(parameters)} parameters, all frozen" if parameters else "no parameters"
            raise ConfigError(f"{role} ({type(model).__name__}) has {what}; give a network with something to train.")
        wrong = [name for name, p in parameters.items() if p.is_floating_point() and p.dtype is not torch.float32]
        if wrong:
            raise ConfigError(
                f"{role}'s {wrong[0]} is {parameters[wrong[0]].dtype}; make it float32 with {role}.float() (for forward"
                " passes in bfloat16 there is precision='bfloat16')."
            )
        if name := next((name for name, p in parameters.items() if p.requires_grad and p.is_complex()), None):
            raise ConfigError(
                f"{role}'s {name} is {parameters[name].dtype}, which the optimisers do not take; hold it as real"
                " numbers, as torch.view_as_real makes them."
            )
    if G is D:
        raise ConfigError("G and D are one and the same network; give two.")
    refuse_inference_mode()


def refuse_inference_mode() -> None:
    """Raise `ConfigError` within torch.inference_mode, where nothing has a gradient."""
    if torch.is_inference_mode_enabled():
        raise ConfigError("torch.inference_mode is on, in which nothing can be trained; train outside of it.")


def say_what_is_unusual(G: nn.Module, D: nn.Module) -> list[str]:
    """What to say of weights that both players move, and of layers that stay in evaluation mode."""
    of_G = {id(parameter) for parameter in G.parameters() if parameter.requires_grad}
    shared = [name for name, parameter in D.named_parameters() if id(parameter) in of_G]
    said = [f"G's weights are D's, too ({shared[0]}): both players move them; give each its own."] if shared else []
    for role, model in {"G": G, "D": D}.items():
        still = {type(layer).__name__ for layer in model.modules() if not layer.training}
        if model.training and still:
            said.append(
                f"{role} has layers in evaluation mode ({', '.join(sorted(still))}), which stay so; to train them as"
                f" well, call {role}.train()."
            )
    return said


def refuse_other_classes(G: nn.Module, D: nn.Module, classes: int) -> None:
    """Raise `ConfigError` for a network that says another number of classes than the labels have."""
    for role, model in {"G": G, "D": D}.items():
        if classes_of(model) not in (None, classes):
            raise ConfigError(
                f"{role} ({type(model).__name__}) has {classes_of(model)} classes and the labels {classes}; make it"
                f" with classes={classes}."
            )


def refuse_turned_sign(objective: Objective) -> list[str]:
    """What to say of losses of D without a lower bound; raises `ConfigError` where one's sign is turned.

    A loss that falls without end in the logit but has an upper bound is a gain by mistake: D minimises. One that has
    neither, as the Wasserstein GAN's, is meant so, and needs a D that is kept in bounds by other means.
    """
    losses, said = objective.losses(), []
    if objective.output == "pair":
        of_D = {"real": lambda t: losses.discriminator(t, torch.zeros_like(t))}
    else:
        of_D = {"real": losses.real, "fake": losses.fake}
    for role, loss in of_D.items():
        at = {t: loss(torch.tensor([t])).item() for t in (-1e4, -1e3, 1e3, 1e4)}
        grows = [at[sign * 1e4] - at[sign * 1e3] for sign in (-1, 1)]
        if min(grows) < -1 < 1 < max(grows):
            said.append(
                f"{objective.name}: {role} = {getattr(objective, role)} has no lower bound, so D can win without end;"
                " keep its weights or its slope in bounds, as a method constrain() of D can."
            )
        elif min(grows) < -1:
            expression = getattr(objective, role)
            raise ConfigError(
                f"{objective.name}: {role} = {expression} falls without end; D minimises it, so turn its sign:"
                f" {role} = {-expression}."
            )
    return said


def refuse_turned_generator(objective: Objective) -> None:
    """Raise `ConfigError` for a loss of G that draws its samples to where D has generated ones, away from real ones."""
    if objective.output == "pair":
        return
    losses = objective.losses()
    best = {
        role: min((-10.0, -3.0, -1.0, 0.0, 1.0, 3.0, 10.0), key=lambda t: loss(torch.tensor([t])).item())
        for role, loss in {"real": losses.real, "fake": losses.fake}.items()
    }
    t = torch.tensor([best["fake"]], requires_grad=True)
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(losses.generator(t).sum(), t)
    if slope.item() * (best["real"] - best["fake"]) > 0:
        expression = objective.generator
        raise ConfigError(
            f"{objective.name}: generator = {expression} draws G's samples to where D has generated ones; G minimises"
            f" it, so turn its sign: generator = {-expression}."
        )


def refuse_probabilities(fit: Fit, objective: Objective) -> None:
    """Raise `ConfigError` for a D whose last operation bounds its output, which is to be a logit or a score."""
    bounded = (*NO_LOGITS, "Tanh") if objective.output != "score" else NO_LOGITS
    if fit.last_of_D in bounded:
        raise ConfigError(
            f"D ends in a {fit.last_of_D.lower()}; let it give its raw output, the logit, and leave this layer out: the"
            " objective brings its own."
        )


def declared_range(G: nn.Module) -> tuple[float, float] | None:
    """The `output_range` that G declares, as plain numbers; None for none. Raises `ConfigError` for what is none."""
    given = getattr(G, "output_range", None)
    if given is None:
        return None
    wanted = "two finite numbers, the lower first, such as (-1, 1), or None for no bounds"
    try:
        low, high = (float(number("output_range", end, wanted)) for end in given)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"G.output_range is {shown(given)}; give {wanted}.") from error
    if low >= high:
        raise ConfigError(f"G.output_range is ({low:g}, {high:g}); give {wanted}.")
    return low, high


def compare_ranges(G: nn.Module, fit: Fit, examples: Tensor) -> list[str]:
    """What to say of ranges that do not fit: what G gives, what it says that it gives, and where the examples lie.

    examples   uint8 images, which are scaled to G's range, or floating-point examples, which are taken as they are

    Raises `ConfigError` for a G that says one range and gives another, or says none where images are scaled to it, and
    `ShapeError` for float images on another scale.
    """
    declared, gives = declared_range(G), fit.range_of_G
    seen = _span(fit.fake)
    like_sigmoid = gives == (0.0, 1.0) or (gives is None and fit.fake.ndim == 4 and seen[0] >= 0)
    if declared and gives and not _fits(declared, gives):
        raise ConfigError(
            f"G.output_range says {_text(declared)} but its last layer is a {fit.last_of_G.lower()}, which gives"
            f" {_text(gives)}; set G.output_range = {gives}."
        )
    silent = not hasattr(G, "output_range") and not hasattr(G, "shown_range")
    if examples.dtype is torch.uint8:
        if silent and like_sigmoid:
            raise ConfigError(
                f"G says no output_range and gives {_text(seen)} on a first batch, but images would be scaled to"
                " −1 … 1; set G.output_range = (0, 1), or the range that it has."
            )
        return []
    reach = declared or (gives if silent else None)
    return [] if reach is None else _compare_with_reach(reach, _span(examples), fit.fake.ndim)


def _fits(declared: tuple[float, float], gives: tuple[float, float]) -> bool:
    """Whether images in one range can be made by a last layer of the other; (0, 1) is a tanh's only by mistake."""
    return gives[0] <= declared[0] and declared[1] <= gives[1] and (declared != (0.0, 1.0) or gives == declared)


def _compare_with_reach(reach: tuple[float, float], span: tuple[float, float], dimensions: int) -> list[str]:
    (low, high), (least, most) = reach, span
    width, images = high - low, dimensions == 4
    as_fractions = reach == (-1.0, 1.0) and least >= 0 and 0.5 < most <= 1
    if (as_fractions and images) or (images and most - least > GROSS * width):
        scaled = "x * 2 - 1" if as_fractions else "uint8 images, which are scaled"
        raise ShapeError(
            f"images lie in {_text(span)} where G gives {_text(reach)}; give {scaled}, or set G.output_range = None if"
            " they are meant so."
        )
    if least < low - TOLERANCE * width or most > high + TOLERANCE * width:
        return [f"examples lie in {_text(span)} where G gives {_text(reach)}: it cannot reach them all; scale them."]
    if as_fractions:
        return [f"examples lie in {_text(span)} where G gives {_text(reach)}: give x * 2 - 1 if they are images."]
    return []


def _span(x: Tensor) -> tuple[float, float]:
    low, high = x.aminmax() if x.numel() else (torch.tensor(math.nan), torch.tensor(math.nan))
    return low.item(), high.item()


def _text(span: tuple[float, float]) -> str:
    return f"{span[0]:.4g} … {span[1]:.4g}".replace("-", "−")

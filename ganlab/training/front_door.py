"""What comes into `Trainer` is looked at once, before the first step: arguments, objective, networks, ranges.

What cannot be trained is refused in a line; what is likely a mistake is said in a warning.
"""

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.objectives import Objective
from ganlab.training.checks import integer, shown
from ganlab.training.config import TrainConfig
from ganlab.training.labels import Labels, classes_of
from ganlab.training.penalties import Penalty
from ganlab.training.ranges import compare_ranges, in_words
from ganlab.training.rehearsal import Fit, rehearse
from ganlab.training.sampling import require_values
from ganlab.training.sources import say_of_other_randomness
from ganlab.training.wrappers import unwrapped

NO_LOGITS = ("Sigmoid", "Softmax", "LogSigmoid", "LogSoftmax", "Hardsigmoid")
"""Last operations of a discriminator that give probabilities, or their logarithms."""
EPSILON = 1e-6
"""Rounding of what saturates."""


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
    if objective.output == "pair":
        # All logits may move together there: the gradients of real and generated ones cancel exactly in D's last bias.
        # In one pass they would do so but for rounding, and Adam makes whole steps of that.
        fit = replace(fit, together=False)
    said = refuse_probabilities(fit, objective) + refuse_turned_sign(objective)
    said += compare_ranges(G, fit, examples if isinstance(examples, Tensor) else real)
    said += [] if isinstance(examples, Tensor) else say_of_other_randomness(examples, len(real), real.device)
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
        _refuse_constraint(role, unwrapped(model))
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


def _refuse_constraint(role: str, model: nn.Module) -> None:
    """Raise `ConfigError` for a `constrain` that cannot be called after each update."""
    constrain = getattr(model, "constrain", None)
    if constrain is None:
        return
    try:
        if isinstance(constrain, nn.Module):
            raise TypeError
        inspect.signature(constrain).bind()
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{role}.constrain cannot be called as constrain(), as it is after each update; let it be a method without"
            " arguments, or give it another name."
        ) from error


def refuse_inference_mode() -> None:
    """Raise `ConfigError` within torch.inference_mode, where nothing has a gradient."""
    if torch.is_inference_mode_enabled():
        raise ConfigError("torch.inference_mode is on, in which nothing can be trained; train outside of it.")


def refuse_other_modes(device: torch.device) -> None:
    """Raise `ConfigError` within torch.inference_mode, and within torch.autocast of this device, which would change the
    losses."""
    refuse_inference_mode()
    if torch.is_autocast_enabled(device.type):
        raise ConfigError(
            "torch.autocast is on, which makes it another training; train outside of it (forward passes in bfloat16"
            " are precision='bfloat16')."
        )


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
                f" well, call {role}.train() before the Trainer is made."
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
    if objective.real == objective.fake:
        said.append(
            f"{objective.name}: real and fake are one loss, so D gains nothing by telling the samples apart; give two."
        )
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


def refuse_probabilities(fit: Fit, objective: Objective) -> list[str]:
    """What to say of a D whose logits have one sign; raises `ConfigError` for one whose last operations bound its
    output, which is to be a logit or a score."""
    scores = objective.output == "score"
    if fit.last_of_D in NO_LOGITS or (fit.last_of_D == "Tanh" and not scores):
        raise ConfigError(
            f"D ends in a {fit.last_of_D.lower()}; let it give its raw output, the logit, and leave this layer out: the"
            " objective brings its own."
        )
    if fit.reach_of_D is None:
        return []
    low, high = fit.reach_of_D
    if (0.0 if scores else -1.0) - EPSILON <= low and high <= 1 + EPSILON:
        raise ConfigError(
            f"D's output stays in {in_words((low, high))}, however strong its last layer is; let it give its raw"
            " output, the logit, and leave out what comes behind that layer: the objective brings its own."
        )
    if objective.output == "probability" and (low >= 0 or high <= 0):
        sign = "negative" if low >= 0 else "positive"
        return [
            f"D's output is never {sign}, however strong its last layer is, and a logit has both signs; leave out what"
            " comes behind that layer."
        ]
    return []

"""What a run writes down and goes on from: its state, and a description that tells it from other runs."""

import warnings
from collections.abc import Iterator
from inspect import isroutine, signature
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.errors import CheckpointError
from ganlab.losses import Losses, PairLosses
from ganlab.models import spec_of
from ganlab.objectives import Objective
from ganlab.training import checkpoint
from ganlab.training.averaging import Average
from ganlab.training.conditions import Conditions
from ganlab.training.config import TrainConfig, plain
from ganlab.training.finite import require_finite, require_finite_weights
from ganlab.training.optimisers import moved
from ganlab.training.rehearsal import Fit
from ganlab.training.sources import Source
from ganlab.training.wrappers import load_state, misfit, shapes_of, state_of, unwrapped, weights_of

RESUMABLE_WITH_OTHER = ("steps", "device")
"""Options that may differ between a checkpoint and the run that goes on from it, unless they decide a schedule."""
WITH_LABELS = ("fake_labels",)
"""Options that mean something where there are labels, and stand in the description of such a run alone."""
CHANGEABLE = {"precision": ("precision",), "optimizer_d": ("lr", "lr_floor"), "optimizer_g": ("lr", "lr_floor")}
"""What else may be changed from a checkpoint on, which is then said: the way out of a loss that is not finite."""


class Resumable:
    """The part of a `Trainer` that saves and resumes it."""

    G: nn.Module
    D: nn.Module
    ema: Average | None
    optimizer_g: Any
    optimizer_d: Any
    config: TrainConfig
    objective: Objective
    source: Source
    conditions: Conditions | None
    rank: int
    step: int
    fit: Fit
    losses: Losses | PairLosses
    _history: Tensor
    _known_finite: int
    _midway = False  # an error has broken off a step

    def refuse_non_finite(self) -> None:
        """Raise `NonFiniteLoss` where a loss so far, or a weight that is trained or averaged, is NaN or infinite."""
        require_finite(self._history[: self.step], self._known_finite, self.config, self._real_batches)
        self._known_finite = self.step
        require_finite_weights(self._moved(), self.step, self.config)

    def _moved(self) -> dict[str, nn.Parameter]:
        """The weights that training moves, and their averages, by name."""
        of_G, of_D = moved(self.G, self.optimizer_g), moved(self.D, self.optimizer_d)
        averages = {} if self.ema is None else weights_of(self.ema.module)
        weights = {f"{name} of G": weight for name, weight in of_G.items()}
        weights |= {f"{name} of D": weight for name, weight in of_D.items()}
        return weights | {f"{name} of G's average": averages[name] for name in of_G if name in averages}

    def _real_batches(self, step: int) -> Iterator[Tensor]:
        """The real batches of step 1, 2, …"""
        each = self.config.minibatches(self.losses.generator_needs_real)
        return map(self.source.batch, range((step - 1) * each, step * each))

    def _refuse_half_a_step(self) -> None:
        if self._midway:
            raise CheckpointError(
                f"step {self.step + 1} was broken off by an error, so that one network may have learned and the other"
                " not; go on from a checkpoint with resume(path), or make the networks and the Trainer anew."
            )

    def save(self, path: Path | str) -> None:
        """Write a checkpoint in one move; the one before it is kept. Raises `CheckpointError`, `NonFiniteLoss`."""
        self.refuse_non_finite()
        checkpoint.write(checkpoint.place_of(path), self.state_dict())

    def resume(self, path: Path | str) -> bool:
        """Go on from a checkpoint at `path`; False when there is none.

        Learning rates and the precision may be others than before; a warning names them. Raises `CheckpointError` when
        the checkpoint is damaged, foreign, or of a run with other options (naming them).
        """
        place = checkpoint.find(checkpoint.place_of(path))
        if place is None:
            return False
        state = checkpoint.read(place)
        then, now = state["run"], self.description
        checkpoint.refuse_drift(place, _fixed(then), _fixed(now))
        if state["step"] > self.config.steps:
            raise CheckpointError(f"{place} is at step {state['step']}; give at least as many steps.")
        self.load_state_dict(state)
        if changed := checkpoint.differences(then, now):
            warnings.warn(f"{place} goes on with other options from step {self.step} on: {changed}.", stacklevel=2)
        return True

    @property
    def description(self) -> dict[str, Any]:
        """What must be equal for a run to go on from a checkpoint, as plain values."""
        free = ("device",) if self.config.scheduled else RESUMABLE_WITH_OTHER
        unsaid = {*free, *WITH_LABELS}
        config = {key: value for key, value in plain(self.config).items() if key not in unsaid}
        labels = {} if self.conditions is None else self.conditions.description
        roles = ("real", "fake", "generator")
        models = _anatomy("G", self.G) | _anatomy("D", self.D)
        models = {key: value for key, value in models.items() if key not in self.fit.moving}
        models |= _trained("G", self.G, self.optimizer_g) | _trained("D", self.D, self.optimizer_d)
        objective = {f"objective.{role}": str(getattr(self.objective, role)) for role in (*roles, "output")}
        return config | objective | models | labels | {"data": self.source.fingerprint, "rank": self.rank}

    def state_dict(self) -> dict[str, Any]:
        """Everything that a run needs to go on, as tensors and plain values. Raises `CheckpointError` after an error
        within a step."""
        self._refuse_half_a_step()
        networks = {name: state_of(network) for name, network in self._networks().items()}
        optimizers = {name: optimizer.state_dict() for name, optimizer in self._optimizers().items()}
        return {
            "run": self.description,
            "step": self.step,
            "history": self._history[: self.step].cpu(),
            **networks,
            **optimizers,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state that `state_dict` gave. Raises `CheckpointError`, and changes nothing, when the models
        differ or other weights of them are trained."""
        for name, network in self._networks().items():
            if reason := misfit(network, state.get(name, {})):
                raise CheckpointError(
                    f"the checkpoint does not fit these models ({name}: {reason}); give the same ones."
                )
        try:
            for name, optimizer in self._optimizers().items():
                _require_moments_of(optimizer, state[name])
            for name, network in self._networks().items():
                load_state(network, state[name])
            for name, optimizer in self._optimizers().items():
                optimizer.load_state_dict(state[name])
        except (KeyError, RuntimeError, ValueError) as error:
            raise CheckpointError(
                "the checkpoint does not fit these models (other weights are trained); freeze the same ones."
            ) from error
        self.step, self._known_finite, self._midway = state["step"], state["step"], False
        self._history[: self.step] = state["history"]

    def _networks(self) -> dict[str, nn.Module]:
        networks = {"G": self.G, "D": self.D}
        return networks if self.ema is None else networks | {"ema": self.ema}

    def _optimizers(self) -> dict[str, Any]:
        return {"optimizer_g": self.optimizer_g, "optimizer_d": self.optimizer_d}


def _trained(role: str, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, bool]:
    """Which weights of a network its optimiser moves."""
    trained = moved(model, optimizer)
    return {f"{role}.{name}:trained": name in trained for name in weights_of(model)}


def _require_moments_of(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Raise `ValueError` for a state that is of more or fewer weights than an optimiser's, or has moments of other
    shapes: torch takes any, and its fused kernels then write beyond them."""
    for here, there in zip(optimizer.param_groups, state["param_groups"], strict=True):
        for weight, number in zip(here["params"], there["params"], strict=True):
            for name, moment in state["state"].get(number, {}).items():
                if name != "step" and moment is not None and moment.shape != weight.shape:
                    raise ValueError(f"{name} is {list(moment.shape)} of a weight {list(weight.shape)}")


def _anatomy(role: str, model: nn.Module) -> dict[str, str]:
    """What a network is: its specification, or of one that has none its class, its layers and its tensors' shapes."""
    model = unwrapped(model)
    if (spec := spec_of(model)) is not None:
        return {role: str(spec)}
    layers = {f"{role}.{name}": type(layer).__name__ for name, layer in model.named_modules() if name}
    tensors = {f"{role}.{name}": str(shape) for name, shape in shapes_of(model).items()}
    settings = {
        ".".join(filter(None, (role, name))) + f":{setting}": value
        for name, layer in model.named_modules()
        for setting, value in _settings(layer).items()
    }
    return {role: type(model).__name__, **layers, **tensors, **settings}


def _settings(layer: nn.Module) -> dict[str, str]:
    """What a layer was made with besides its weights' shapes, as it keeps it: numbers, names, and functions by name."""
    arguments = signature(type(layer).__init__).parameters.keys() - {"inplace"}
    kept = {name: value for name, value in vars(layer).items() if name in arguments}
    functions = {name: value.__name__ for name, value in kept.items() if isroutine(value)}
    plain = {name: str(value) for name, value in kept.items() if isinstance(value, int | float | str | tuple | None)}
    return {name: text for name, text in (functions | plain).items() if " at 0x" not in text}


def _fixed(run: dict[str, Any]) -> dict[str, Any]:
    """A run's description without what may be changed."""
    fixed = dict(run)
    for option, changeable in CHANGEABLE.items():
        value = fixed.pop(option, None)
        if isinstance(value, dict):
            fixed[option] = {key: part for key, part in value.items() if key not in changeable}
    return fixed

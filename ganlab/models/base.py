"""What all networks share: how they are rebuilt, and how they refuse a wrong shape."""

import contextlib
import functools
import inspect
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError, ShapeError

SMALLEST_RANDOM_SEED = 2**33
"""Seeds that torch gives itself are random, of 64 bits; one below this was given by somebody."""
MODELS: dict[str, Callable[..., nn.Module]] = {}


RANDOM_SEED = torch.initial_seed()
"""The seed that torch gave itself when this process began, or the one that it was given before this import."""
_numbers = itertools.count()


def _repeatable(init: Callable[..., None]) -> Callable[..., None]:
    """A constructor whose first weights are the same in every process, where nobody seeded torch.

    A process that never calls `torch.manual_seed` has another seed each time. In it the first network made, the second
    and so on get first weights of their own, always the same ones; torch's random numbers stay where they are.
    """

    @functools.wraps(init)
    def drawn(module: nn.Module, *args: Any, **kwargs: Any) -> None:
        args, kwargs = tuple(map(_plain, args)), {name: _plain(value) for name, value in kwargs.items()}
        if torch.initial_seed() != RANDOM_SEED or RANDOM_SEED < SMALLEST_RANDOM_SEED:
            return init(module, *args, **kwargs)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(next(_numbers))
            return init(module, *args, **kwargs)

    return drawn


class Rebuildable(nn.Module):
    """A module that remembers its constructor arguments as `spec`: plain values from which `build` makes it again.

    Subclasses are registered by name; every constructor argument must be a keyword with a plain value. First weights
    come from torch's random numbers, and are repeatable where these were never seeded, too. `later` holds arguments
    that specifications from before do not name, with their defaults: they are named when they differ.
    """

    spec: dict[str, Any]
    later: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        MODELS[cls.__name__] = cls
        cls.__init__ = _repeatable(cls.__init__)

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Note the arguments, defaults included, before the constructor runs."""
        module = super().__new__(cls)
        bound = inspect.signature(cls.__init__).bind(module, *args, **kwargs)
        bound.apply_defaults()
        arguments = {
            name: value
            for name, value in list(bound.arguments.items())[1:]
            if name not in cls.later or value != cls.later[name]
        }
        plain = {key: _plain(value) for key, value in arguments.items()}
        object.__setattr__(module, "spec", {"name": cls.__name__, **plain})
        return module


def _plain(value: Any) -> Any:
    """Numbers and arrays of NumPy and torch as Python's own numbers and lists, and tuples as lists."""
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value


def build(spec: dict[str, Any]) -> nn.Module:
    """The untrained network of a specification: {"name": class, argument: value, …}.

    Raises `ConfigError` for an unknown name or argument, listing what there is, and for values that do not fit.
    """
    arguments = dict(spec)
    name = arguments.pop("name", None)
    if not isinstance(name, str) or name not in MODELS:
        raise ConfigError(f"model is {name!r}; give one of {', '.join(MODELS)}.")
    known = list(inspect.signature(MODELS[name]).parameters)
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        raise ConfigError(f"{name} takes no {', '.join(unknown)}; give some of {', '.join(known)}.")
    return MODELS[name](**arguments)


def spec_of(module: nn.Module) -> dict[str, Any] | None:
    """What `build` makes a module again from; None for one of another class, whatever it calls `spec`."""
    spec = getattr(module, "spec", None)
    return spec if isinstance(module, Rebuildable) and isinstance(spec, dict) else None


@contextlib.contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Within it a network is in evaluation mode; after it each of its layers is in the mode that it was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def require_shape(x: Tensor, wanted: Sequence[int], what: str) -> None:
    """Raise `ShapeError` unless x is floating-point with shape [batch, *wanted]."""
    if not isinstance(x, Tensor):
        raise ShapeError(f"{what} is a {type(x).__name__}; give a tensor [n, {', '.join(map(str, wanted))}].")
    if tuple(x.shape[1:]) != tuple(wanted) or x.ndim != len(wanted) + 1 or not x.is_floating_point():
        given = f"[{', '.join(map(str, x.shape))}] {x.dtype}"
        raise ShapeError(f"{what} has shape {given}; give a floating-point batch [n, {', '.join(map(str, wanted))}].")


def at_least_one(**values: int) -> None:
    """Raise `ConfigError` for a size that is no positive integer."""
    for name, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigError(f"{name} is {value!r}; give an integer of at least 1.")


def yes_or_no(**values: bool) -> None:
    """Raise `ConfigError` for a value that is neither True nor False."""
    for name, value in values.items():
        if not isinstance(value, bool):
            raise ConfigError(f"{name} is {value!r}; give True or False.")


def positive(**values: float) -> None:
    """Raise `ConfigError` for a value that is no positive, finite number."""
    for name, value in values.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
            raise ConfigError(f"{name} is {value!r}; give a positive number.")


@torch.no_grad()
def init_normal(model: nn.Module) -> None:
    """DCGAN's initialisation (its sec. 4): weights N(0, 0.02²), batch-norm gains N(1, 0.02²), biases 0."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            module.weight.normal_(0, 0.02)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.weight.normal_(1, 0.02)
        else:
            continue
        if module.bias is not None:
            module.bias.zero_()


@torch.no_grad()
def init_uniform(model: nn.Module, half_width: float) -> None:
    """The 2014 paper's initialisation: weights uniform on ±half_width, biases 0."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            module.weight.uniform_(-half_width, half_width)
            if module.bias is not None:
                module.bias.zero_()


@torch.no_grad()
def limit_norms(model: nn.Module, max_norm: float) -> None:
    """Scale down, in place, the weights into each linear unit whose norm exceeds `max_norm` (Hinton et al. 2012)."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            module.weight.copy_(module.weight.renorm(2, 0, max_norm))


def value_range(G: nn.Module) -> tuple[float, float]:
    """What is black and what is white in G's images: its output range, or where most of an unbounded output lies."""
    return getattr(G, "output_range", None) or getattr(G, "shown_range", (-1.0, 1.0))

"""Ranges that have to fit: what G gives, what it says that it gives, and where the examples lie."""

import math

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError, ShapeError
from ganlab.training.checks import number, shown
from ganlab.training.rehearsal import Fit

TOLERANCE = 0.1
"""How far examples may lie outside G's range, as a share of its width, before it is said."""
GROSS = 2.0
"""From how many times the width of G's range on examples are another scale's."""
GRAY_LEVELS = 255
DARK = 64
"""Below which highest level of grey a set of images is likely meant on another scale."""


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
    another = gives[0] >= 0 or gives[1] - gives[0] > 2 * GROSS if gives else fit.fake.ndim == 4 and seen[0] >= 0
    if declared and gives and not _fits(declared, gives):
        raise ConfigError(
            f"G.output_range says {in_words(declared)} but its last operation, {fit.last_of_G.lower()}, keeps what it"
            f" gives in {in_words(gives)}; set G.output_range = {gives}."
        )
    silent = not hasattr(G, "output_range") and not hasattr(G, "shown_range")
    if examples.dtype is torch.uint8:
        if silent and another:
            raise ConfigError(
                f"G says no output_range and gives {in_words(seen)} on a first batch, but images would be scaled to"
                " −1 … 1; set G.output_range = ({:g}, {:g}), or the range that it has.".format(*gives or (0, 1))
            )
        return say_dark(examples)
    reach = declared or (gives if silent else None)
    return [] if reach is None else _compare_with_reach(reach, _span(examples), fit.fake.ndim)


def say_dark(images: Tensor) -> list[str]:
    """What to say of uint8 images of which all are nearly black; raises `ShapeError` for such of 0 and 1 alone."""
    most = int(images.max()) if images.numel() else GRAY_LEVELS
    if most == 1:
        raise ShapeError("images hold 0 and 1 alone, of 0 … 255, so that all is black; give images * 255.")
    if 1 < most < DARK:
        scaled = f"images * {GRAY_LEVELS // most}"
        return [f"images hold 0 … {most}, of 0 … 255, so that all are dark; give {scaled} if they are not meant so."]
    return []


def _fits(declared: tuple[float, float], gives: tuple[float, float]) -> bool:
    """Whether images in one range can be made by a last layer of the other; (0, 1) is a tanh's only by mistake."""
    return gives[0] <= declared[0] and declared[1] <= gives[1] and (declared != (0.0, 1.0) or gives == declared)


def _compare_with_reach(reach: tuple[float, float], span: tuple[float, float], dimensions: int) -> list[str]:
    (low, high), (least, most) = reach, span
    both = f"examples lie in {in_words(span)} where G gives {in_words(reach)}"
    width, images = high - low, dimensions == 4
    as_fractions = reach == (-1.0, 1.0) and least >= -TOLERANCE and 0.5 < most <= 1 + TOLERANCE
    if (as_fractions and images) or (images and most - least > GROSS * width):
        scaled = "x * 2 - 1" if as_fractions else "uint8 images, which are scaled"
        raise ShapeError(
            f"images lie in {in_words(span)} where G gives {in_words(reach)}; give {scaled}, or set"
            " G.output_range = None if they are meant so."
        )
    if least < low - TOLERANCE * width or most > high + TOLERANCE * width:
        return [f"{both}: it cannot reach them all; scale them."]
    if as_fractions:
        return [f"{both}: give x * 2 - 1 if they are images."]
    return []


def _span(x: Tensor) -> tuple[float, float]:
    low, high = x.aminmax() if x.numel() else (torch.tensor(math.nan), torch.tensor(math.nan))
    return low.item(), high.item()


def in_words(span: tuple[float, float]) -> str:
    """A range as a message shows it."""
    return f"{span[0]:.4g} … {span[1]:.4g}".replace("-", "−")

"""Whether a figure can be read by everybody: on a dark page, with eyes that tell no red from green, in thin lines.

Contrast is that of WCAG 2.1 (https://www.w3.org/TR/WCAG21/, 1.4.3 for texts, 1.4.11 for lines and dots). Colours are
told apart by their distance in CIELAB (1976) as a deuteranope sees them, by Machado, Oliveira & Fernandes, "A
physiologically-based model for simulation of color vision deficiency", IEEE TVCG 15 (2009), with severity 1: there are
none of the cones for middle wavelengths.
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

LEAST_OF_TEXT, LEAST_OF_LINES = 4.5, 3.0
"""Contrasts."""
LEAST_APART = 30.0
"""CIELAB units: patches that touch differ from 2.3 on, but lines are thin and lie apart."""
DEUTERANOPE = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
"""Linear RGB to the linear RGB that looks to all as the first looks to a deuteranope."""
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
"""Linear sRGB to XYZ (IEC 61966-2-1); the second row is the luminance."""


class Mark(NamedTuple):
    """A line, or dots, as they are told from others: by colour, and by shape, that is dashes and marker."""

    colour: tuple[float, float, float]
    contrast: float
    shape: tuple[Any, ...]
    label: str


def linear(colour: Any) -> np.ndarray:
    """A colour of matplotlib as linear RGB [3], 0 … 1."""
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: Any, other: Any) -> float:
    """Of two opaque colours, 1 … 21, as WCAG defines it."""
    dark, light = sorted(float(TO_XYZ[1] @ linear(colour)) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB [3] of linear RGB [3], white being (100, 0, 0)."""
    share = TO_XYZ @ rgb / TO_XYZ.sum(axis=1)
    x, y, z = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(one: Any, other: Any) -> float:
    """How far two colours are apart for a deuteranope, in units of CIELAB."""
    seen = [lab(np.clip(DEUTERANOPE @ linear(colour), 0, 1)) for colour in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def hindrances(figure: Figure) -> list[str]:
    """What keeps somebody from reading a figure, each in a line that says what to do; empty when nothing does.

    Looked at are the background, texts, lines and dots; neither areas nor arrows, and no text that lies on a picture.
    Faint lines count as seen where a strong one of their colour is in the same panel.
    """
    behind = to_rgba(figure.get_facecolor())
    found = (
        [] if behind[3] == 1 else ["its background lets the page through; give the figure a facecolor that is opaque"]
    )
    for text in sorted({text for text in figure.findobj(Text) if _read(text)}, key=lambda text: text.get_text()):
        found += _too_pale(repr(text.get_text()), _of_text(text, behind), LEAST_OF_TEXT)
    for marks in _panels(figure):
        strongest = {mark.colour: mark for mark in sorted(marks, key=lambda mark: mark.contrast)}
        for mark in strongest.values():
            found += _too_pale(_called(mark), mark.contrast, LEAST_OF_LINES)
        found += [said for one, other in itertools.combinations(marks, 2) for said in _alike(one, other)]
    return list(dict.fromkeys(found))


def _read(text: Any) -> bool:
    return text.get_visible() and bool(text.get_text().strip())


def _of_text(text: Any, behind: Any) -> float:
    box = text.get_bbox_patch()
    ground = behind if box is None else _over(box.get_facecolor(), behind)
    return contrast(_over(to_rgba(text.get_color(), text.get_alpha()), ground), ground)


def _over(colour: Any, ground: Any) -> tuple[float, float, float]:
    """What is seen of a colour with alpha on an opaque ground."""
    red, green, blue, alpha = to_rgba(colour)
    return tuple(alpha * c + (1 - alpha) * g for c, g in zip((red, green, blue), to_rgb(ground), strict=True))  # pyright: ignore[reportReturnType]


def _too_pale(name: str, found: float, least: float) -> list[str]:
    if found >= least:
        return []
    return [f"{name} has contrast {found:.1f} to its ground; take a colour that is stronger, with {least:g} or more"]


def _alike(one: Mark, other: Mark) -> list[str]:
    """What two marks of one shape have in common that should tell them apart."""
    named = not one.label.startswith("_") and not other.label.startswith("_")
    if one.shape != other.shape or (one.colour == other.colour and (one.label == other.label or not named)):
        return []
    distance = apart(one.colour, other.colour)
    if distance >= LEAST_APART:
        return []
    advice = f"give them unlike dashes or markers, or colours that are {LEAST_APART:g} apart or more"
    return [f"{_called(one)} and {_called(other)} are {distance:.0f} apart for colour-blind eyes; {advice}"]


def _called(mark: Mark) -> str:
    return "a mark without a label" if mark.label.startswith("_") else repr(mark.label)


def _panels(figure: Figure) -> Iterator[list[Mark]]:
    """The marks of each panel; axes that lie over one another are one panel."""
    panels: dict[tuple[float, ...], list[Mark]] = {}
    for axes in figure.axes:
        panels.setdefault(tuple(axes.get_position().bounds), []).extend(_marks(axes, figure.get_facecolor()))
    yield from panels.values()


def _marks(axes: Axes, behind: Any) -> Iterator[Mark]:
    ground = _over(axes.get_facecolor(), behind)
    for line in axes.lines:
        if line.get_visible():
            colour = to_rgba(line.get_color(), line.get_alpha())
            yield Mark(colour[:3], contrast(_over(colour, ground), ground), _shape(line), str(line.get_label()))
    for dots in axes.collections:
        if isinstance(dots, PathCollection) and len(dots.get_facecolor()):
            colour = to_rgba(np.asarray(dots.get_facecolor())[0])
            outline = len(np.asarray(dots.get_paths()[0].vertices))
            yield Mark(colour[:3], contrast(_over(colour, ground), ground), (outline,), str(dots.get_label()))


def _shape(line: Line2D) -> tuple[Any, ...]:
    """Dashes, marker, and whether it is a straight line across the panel."""
    dashes = str(vars(line)["_unscaled_dash_pattern"])  # the only place where matplotlib keeps them
    drawn = dashes if line.get_linestyle() not in ("None", "", " ") else None
    points = np.asarray(line.get_xydata())
    straight = len(points) == 2 and np.ptp(points, axis=0).min() == 0
    return drawn, str(line.get_marker()), straight

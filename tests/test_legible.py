"""Figures that everybody can read: what hinders is named, and gone when the advice is followed."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from ganlab import legible, plots

pytestmark = pytest.mark.usefixtures("style")
X = np.linspace(0, 1, 5)
BLUE, ORANGE, GREEN = (plots.COLOURS[name] for name in ("data", "generator", "discriminator"))
TO_CONES = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
WITHOUT_THE_SECOND = np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]])
"""Linear RGB to the three kinds of cones, and what stands for the second where it is missing: Viénot, Brettel & Mollon,
"Digital video colourmaps for checking the legibility of displays by dichromats", 1999."""


def figure_of(*lines: dict[str, Any]) -> Figure:
    figure, axes = plt.subplots()
    for number, look in enumerate(lines):
        axes.plot(X, X**number, label=f"line {number}")[0].set(**look)
    axes.set_title("two powers of x")
    return figure


@pytest.mark.parametrize(
    ("one", "other", "known"), [("black", "white", 21), ("#777777", "white", 4.48), ("red", "red", 1)]
)
def test_contrast_is_that_of_wcag(one: str, other: str, known: float):
    assert legible.contrast(one, other) == legible.contrast(other, one) == pytest.approx(known, abs=0.005)


@pytest.mark.parametrize(
    ("colour", "known"),
    [
        ("white", (100, 0, 0)),
        ("red", (53.24, 80.09, 67.20)),
        ("lime", (87.73, -86.18, 83.18)),
        ("blue", (32.30, 79.19, -107.86)),
        ("#010101", (0.27, 0, 0)),
    ],
)
def test_cielab_of_colours_that_are_published(colour: str, known: tuple[float, float, float]):
    np.testing.assert_allclose(legible.lab(legible.linear(colour)), known, atol=0.1)


@pytest.mark.parametrize(("one", "other"), [*itertools.combinations([BLUE, ORANGE, GREEN, "black", "#666666"], 2)])
def test_distances_are_those_of_an_older_model_of_the_same_eyes(one: str, other: str):
    """Both models leave out the medium cones, in unlike spaces: distances of 15 to 110 agree within 8."""
    back = np.linalg.inv(TO_CONES) @ WITHOUT_THE_SECOND @ TO_CONES
    seen = [legible.lab(np.clip(back @ legible.linear(colour), 0, 1)) for colour in (one, other)]
    assert legible.apart(one, other) == pytest.approx(np.linalg.norm(seen[0] - seen[1]), abs=8)


def test_red_and_green_of_one_lightness_are_alike_to_a_deuteranope_alone():
    red, green = (legible.lab(legible.linear(colour)) for colour in ("#C0392B", "#6B7A00"))
    assert np.linalg.norm(red - green) > 60
    assert legible.apart("#C0392B", "#6B7A00") < legible.LEAST_APART


def test_the_players_are_told_apart_and_seen():
    for name, other in itertools.combinations(("data", "generator", "discriminator"), 2):
        assert legible.apart(plots.COLOURS[name], plots.COLOURS[other]) >= legible.LEAST_APART
    for name, colour in plots.COLOURS.items():
        assert legible.contrast(colour, "white") >= legible.LEAST_OF_LINES
        assert legible.contrast(plots.INK[name], "white") >= legible.LEAST_OF_TEXT


@pytest.mark.parametrize("name", plots.COLOURS)
def test_the_ink_of_a_text_looks_most_like_the_colour_that_it_stands_for(name: str):
    seen = {of: legible.lab(legible.linear(colour)) for of, colour in plots.COLOURS.items()}
    ink = legible.lab(legible.linear(plots.INK[name]))
    assert min(seen, key=lambda of: float(np.linalg.norm(seen[of] - ink))) == name


def recolour(figure: Figure, colour: str, alpha: float = 1) -> None:
    figure.axes[0].lines[1].set(color=colour, alpha=alpha)


def write(figure: Figure, colour: str) -> None:
    figure.axes[0].text(0, 0, "a word", color=colour)


ALIKE = (
    "'line 0' and 'line 1' are {} apart for colour-blind eyes; "
    "give them unlike dashes or markers, or colours that are 30 apart or more"
)
PALE = "{} has contrast {} to its ground; take a colour that is stronger, with {} or more"
HINDERED: dict[str, tuple[Callable[[Figure], Any], str, Callable[[Figure], Any]]] = {
    "a colour that is near": (
        lambda figure: recolour(figure, "#0072A0"),
        ALIKE.format(10),
        lambda figure: recolour(figure, GREEN),
    ),
    "grey for green, with other dashes then": (
        lambda figure: (recolour(figure, GREEN), figure.axes[0].lines[0].set(color="#666666")),
        ALIKE.format(16),
        lambda figure: figure.axes[0].lines[1].set(linestyle="--"),
    ),
    "one colour for two, with markers then": (
        lambda figure: recolour(figure, BLUE),
        ALIKE.format(0),
        lambda figure: figure.axes[0].lines[1].set(marker="o"),
    ),
    "a faint line": (
        lambda figure: recolour(figure, ORANGE, 0.5),
        PALE.format("'line 1'", 1.9, 3),
        lambda figure: recolour(figure, ORANGE),
    ),
    "a pale text": (
        lambda figure: write(figure, ORANGE),
        PALE.format("'a word'", 3.9, 4.5),
        lambda figure: figure.axes[0].texts[0].set(color=plots.INK["generator"]),
    ),
    "black on a box of its own that is dark": (
        lambda figure: figure.axes[0].text(0, 0, "a word", bbox={"facecolor": "#444444"}),
        PALE.format("'a word'", 2.2, 4.5),
        lambda figure: figure.axes[0].texts[0].set(color="white"),
    ),
    "no ground": (
        lambda figure: figure.patch.set(alpha=0.5),
        "its background lets the page through; give the figure a facecolor that is opaque",
        lambda figure: figure.patch.set(alpha=1),
    ),
}


@pytest.mark.parametrize(("spoil", "said", "mend"), HINDERED.values(), ids=HINDERED)
def test_what_hinders_is_named_and_gone_when_the_advice_is_followed(spoil: Any, said: str, mend: Any):
    figure = figure_of({"color": BLUE}, {"color": ORANGE})
    assert legible.hindrances(figure) == []
    spoil(figure)
    assert legible.hindrances(figure) == [said]
    mend(figure)
    assert legible.hindrances(figure) == []


def test_faint_companions_families_and_straight_lines_are_no_hindrance():
    figure = figure_of({"color": ORANGE}, {"color": ORANGE, "alpha": 0.2, "label": "_no name"}, {"color": GREEN})
    axes = figure.axes[0]
    axes.plot(X, np.outer(X, [1, 2, 3]), color=ORANGE)  # no labels: of one kind
    axes.axhline(0.5, color="#666666")  # too near to green for a curve
    assert legible.hindrances(figure) == []


def test_dots_and_axes_that_lie_over_one_another_are_compared():
    figure, axes = plt.subplots()
    axes.scatter(X, X, color=GREEN, label="a")
    axes.scatter(X, X**2, color="#666666", label="b")
    assert [said[:19] for said in legible.hindrances(figure)] == ["'a' and 'b' are 16 "]
    figure, axes = plt.subplots()
    axes.plot(X, X, color=GREEN, label="a")
    axes.twinx().plot(X, X**2, color="#666666", label="b")
    assert [said[:19] for said in legible.hindrances(figure)] == ["'a' and 'b' are 16 "]
    figure, panels = plt.subplots(1, 2)
    panels[0].plot(X, X, color=GREEN, label="a")
    panels[1].plot(X, X**2, color="#666666", label="b")
    assert legible.hindrances(figure) == []


def test_saving_warns_and_saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANLAB_FIGURES", str(tmp_path))
    figure = figure_of({"color": BLUE}, {"color": "#0072A0"})
    figure.axes[0].set_title("")
    with pytest.warns(UserWarning, match="hard to read") as warned:
        assert plots.save(figure, "near") == tmp_path / "near.png"
    assert [str(one.message) for one in warned] == [
        "hard to read, near: it has no title; give it one that says what is to be seen.",
        f"hard to read, near: {ALIKE.format(10)}.",
    ]
    figure.axes[0].set_title("a line and a square")
    recolour(figure, ORANGE)
    assert plots.save(figure, "near")


def test_the_readers_own_settings_do_not_show_through():
    plt.style.use("dark_background")
    mpl.rcParams["savefig.transparent"] = True
    plots.use_style()
    figure = figure_of({"color": BLUE}, {"color": ORANGE})
    assert legible.hindrances(figure) == []
    assert figure.get_facecolor() == (1, 1, 1, 1)
    assert not mpl.rcParams["savefig.transparent"]

"""Pictures of single lessons: each image in its place, each number at its height, and what does not fit is named."""

import numpy as np
import pytest
import torch
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from ganlab import panels, plots
from ganlab.errors import ConfigError, ShapeError

pytestmark = pytest.mark.usefixtures("style")
IMAGES = torch.rand(9, 1, 50, 50, generator=torch.Generator().manual_seed(0)) * 2 - 1
SCORES = {"nothing": [2.0, 3.0, 2.5], "no batch norm": [4.0, 9.0, 5.0], "ReLU in D": [1.0, 2.75, 3.5]}
FIGURES = {
    "rows": lambda: panels.rows({"above": IMAGES[:4], "below": IMAGES[4:8]}, title="a message"),
    "walk": lambda: panels.walk(IMAGES, 4, title="a message"),
    "arithmetic": lambda: panels.arithmetic(
        {"+ a": IMAGES[:3], "− b": IMAGES[3:6], "+ c": IMAGES[6:]}, IMAGES, IMAGES[:1], title="a message"
    ),
    "gradients": lambda: panels.gradients(IMAGES[:3], {"trained": IMAGES[3:6]}, title="a message"),
    "score": lambda: panels.score_over_time([1, 2, 3], {"G": [3, 2, 1]}, 0.5, xlabel="steps", title="a message"),
    "ablation": lambda: panels.ablation(SCORES, baseline="nothing", title="a message", xlabel="distance"),
}


def canvas_of(ax) -> np.ndarray:
    return np.asarray(ax.images[0].get_array())


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES.keys())
def test_every_figure_has_a_message_and_named_axes_and_can_be_drawn(draw):
    figure = draw()
    assert plots.in_words(figure).startswith("a message")
    for ax in (ax for ax in figure.axes if ax.axison):
        assert ax.get_xlabel()
        assert ax.get_ylabel()
    figure.canvas.draw()


def test_a_walk_has_a_row_from_each_point_to_the_next():
    """The last image of a row begins the next; the frames are around the points' own, in the gaps between images."""
    ax = panels.walk(IMAGES, 4, title="t").axes[0]
    wanted = plots.grid_array(IMAGES[[0, 1, 2, 3, 4, 4, 5, 6, 7, 8]], 5)
    assert np.array_equal(canvas_of(ax), wanted)
    frames = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [frame.get_xy() for frame in frames] == [(0.5, 0.5), (208.5, 0.5), (0.5, 52.5), (208.5, 52.5)]
    assert {(frame.get_width(), frame.get_height()) for frame in frames} == {(52, 52)}


@pytest.mark.parametrize(("n", "steps"), [(9, 3), (1, 4), (8, 4), (4, 4)])
def test_a_walk_of_another_length_is_named(n: int, steps: int):
    with pytest.raises(ShapeError, match=f"there are {n} images; give a multiple of {steps} steps, and one more"):
        panels.walk(IMAGES[:n], steps, title="t")


def test_arithmetic_shows_exemplars_in_rows_the_result_and_the_control():
    rows = {"+ a": IMAGES[:3], "− b": IMAGES[3:6], "+ c": IMAGES[6:]}
    figure = panels.arithmetic(rows, IMAGES.flip(0), IMAGES[4:6], title="t", value_range=(-1, 1))
    left, middle, right = figure.axes
    assert np.array_equal(canvas_of(left), plots.grid_array(IMAGES, 3, (-1, 1)))
    assert np.array_equal(canvas_of(middle), plots.grid_array(IMAGES.flip(0), 3, (-1, 1)))
    assert np.array_equal(canvas_of(right), plots.grid_array(IMAGES[4:6], 1, (-1, 1)))
    assert [(text.get_text(), text.get_position()[1]) for text in left.texts] == [
        (name, pytest.approx(158 / 3 * (row + 0.5))) for row, name in enumerate(rows)
    ]
    (frame,) = middle.patches
    assert isinstance(frame, Rectangle)
    assert frame.get_xy() == (52.5, 52.5)
    assert plots.in_words(figure) == "t. exemplars. in latent space. on pixels"


def test_gradients_are_scaled_one_by_one_and_nothing_is_grey():
    seen = torch.stack([IMAGES[3] * 1e-4, IMAGES[4] * 0, IMAGES[5] * 1e-2])
    ax = panels.gradients(IMAGES[:3], {"trained": seen, "random": seen.flip(0)}, title="t").axes[0]
    scaled = [IMAGES[3] / IMAGES[3].abs().max(), 0 * IMAGES[4], IMAGES[5] / IMAGES[5].abs().max()]
    rows = torch.stack([*IMAGES[:3], *scaled, *scaled[::-1]])
    assert np.array_equal(canvas_of(ax), plots.grid_array(rows, 3, (-1, 1)))
    assert canvas_of(ax)[80, 80] == 128
    assert [text.get_text() for text in ax.texts] == ["image", "trained", "random"]


def test_a_score_over_time_has_its_floor():
    scores = {"three seeds": np.arange(12).reshape(3, 4), "their mean": np.arange(4)}
    ax = panels.score_over_time([1, 2, 4, 8], scores, 0.07512, xlabel="minutes", title="t", yscale="log").axes[0]
    lines = [[list(map(float, line.get_xdata())), list(map(float, line.get_ydata()))] for line in ax.lines]  # pyright: ignore[reportArgumentType]
    assert lines[:3] == [[[1, 2, 4, 8], row.tolist()] for row in scores["three seeds"]]
    assert lines[4][1] == [0.07512, 0.07512]
    assert ax.get_yscale() == "log"
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [*scores, "real against real: 0.0751"]


def test_an_ablation_shows_every_seed_and_their_mean():
    figure = panels.ablation(SCORES, baseline="nothing", title="t", xlabel="distance", floor=0.5, xscale="log")
    ax = figure.axes[0]
    drawn = [
        (line.get_marker(), np.ravel(line.get_xdata()).tolist(), np.ravel(line.get_ydata()).tolist())
        for line in ax.lines
    ]
    for row, values in enumerate(SCORES.values()):
        assert drawn[2 * row] == ("o", values, [row] * 3)
        assert drawn[2 * row + 1] == ("|", [sum(values) / 3], [row])
    assert drawn[6][1] == [0.5, 0.5]
    assert [label.get_text() for label in ax.get_yticklabels()] == list(SCORES)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first stands above
    band = ax.patches[0] if ax.patches else next(c for c in ax.collections if isinstance(c, PolyCollection))
    assert isinstance(band, Rectangle)
    assert (band.get_x(), band.get_x() + band.get_width()) == (2, 3)
    assert to_hex(band.get_facecolor()) == plots.COLOURS["reference"].lower()
    assert ax.get_xscale() == "log"


def test_the_title_of_an_ablation_has_the_whole_width_however_long_the_names_are():
    scores = {"G: LeakyReLU, sigmoid at the end": [1.0, 2.0], "the other": [1.0, 3.0]}
    title = "A message that takes the most of the width of a figure"
    figure = panels.ablation(scores, baseline="the other", title=title, xlabel="distance")
    figure.canvas.draw()
    (written,) = [text for text in figure.texts if text.get_text() == title]
    extent = written.get_window_extent()
    assert 0 <= extent.x0 < extent.x1 <= figure.bbox.x1
    assert extent.x1 - extent.x0 > figure.axes[0].bbox.width


@pytest.mark.parametrize(
    ("call", "error", "named"),
    [
        (
            lambda: panels.arithmetic({"+ a": IMAGES[:3], "− b": IMAGES[:2]}, IMAGES, IMAGES[:1], title="t"),
            ShapeError,
            r"exemplars have \+ a: 3, − b: 2; give equally many of each",
        ),
        (lambda: panels.arithmetic({}, IMAGES, IMAGES[:1], title="t"), ShapeError, "exemplars have no rows"),
        (
            lambda: panels.arithmetic({"+ a": IMAGES[:3]}, IMAGES[:8], IMAGES[:1], title="t"),
            ShapeError,
            "result holds 8 images; give nine",
        ),
        (
            lambda: panels.gradients(IMAGES, {"trained": IMAGES[:8]}, title="t"),
            ShapeError,
            r"trained have shape \[8, 1, 50, 50\] for images \[9, 1, 50, 50\]; give one each",
        ),
        (
            lambda: panels.ablation(SCORES, baseline="all", title="t", xlabel="x"),
            ConfigError,
            "baseline is 'all'; give one of nothing, no batch norm, ReLU in D",
        ),
        (
            lambda: panels.ablation({"a": [1.0, float("nan")]}, baseline="a", title="t", xlabel="x"),
            ShapeError,
            r"a has the scores \[1.0, nan\]; give a finite number per seed",
        ),
        (lambda: panels.ablation({"a": []}, baseline="a", title="t", xlabel="x"), ShapeError, r"a has the scores \[\]"),
    ],
)
def test_what_is_not_given_right_is_named(call, error: type[Exception], named: str):
    with pytest.raises(error, match=named) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_rows_hold_their_images_under_their_names():
    """The canvas is the grid of the rows, one below the other, and each name stands at the middle of its row."""
    ax = panels.rows({"above": IMAGES[:4], "below": IMAGES[4:8]}, title="t", value_range=(-1, 1)).axes[0]
    np.testing.assert_array_equal(canvas_of(ax), plots.grid_array(IMAGES[:8], 4, (-1, 1)))
    height = len(canvas_of(ax))
    places = {text.get_text(): text.get_position()[1] / height for text in ax.texts}
    assert places == {"above": 0.25, "below": 0.75}


@pytest.mark.parametrize("images", [{}, {"above": IMAGES[:4], "below": IMAGES[:3]}])
def test_rows_of_unlike_lengths_are_refused(images):
    with pytest.raises(ShapeError, match="give equally many of one shape in each row"):
        panels.rows(images, title="t")

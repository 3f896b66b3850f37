"""Pictures: right pixels, named axes, the same bytes each time."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from PIL import Image

from ganlab import players, plots
from ganlab.errors import ShapeError

pytestmark = pytest.mark.usefixtures("style")
X = np.linspace(-1, 1, 20)
FIGURES = {
    "sample grid": lambda: plots.sample_grid(torch.zeros(5, 1, 8, 8), title="a message"),
    "losses": lambda: plots.losses(np.ones((60, 4)), title="a message", reference={"2 log 2": 1.386}),
    "densities": lambda: players.densities_1d(X, X**2, X**4, D=X**2, title="a message"),
    "densities and the best D": lambda: players.densities_1d(X, X**2, X**4, D=X**2, best=X**4, title="a message"),
    "densities without D": lambda: players.densities_1d(X, X**2, X**4, title="a message"),
    "points": lambda: plots.samples_2d(torch.zeros(4, 2), np.ones((3, 2)), title="a message"),
    "points over D": lambda: plots.samples_2d(
        torch.zeros(4, 2), np.ones((3, 2)), title="a message", D=lambda points: torch.from_numpy(points).sum(dim=1)
    ),
    "curves": lambda: plots.curves(
        X, {"one": X, "three": [X, 2 * X, 3 * X]}, title="a message", xlabel="x", ylabel="y"
    ),
    "game": lambda: players.game(title="a message"),
}


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES.keys())
def test_every_figure_has_a_message_and_named_axes(draw):
    axes = draw().axes
    assert axes[0].get_title(loc="left") == "a message"
    for ax in axes:
        if ax.axison:
            assert ax.get_ylabel()
            assert ax.get_xlabel() or ax is not axes[0]


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES.keys())
def test_a_saved_figure_has_the_same_bytes_each_time(draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANLAB_FIGURES", str(tmp_path / "new"))
    kept = tmp_path / "new/name.png"
    assert plots.save(draw(), "name") == kept
    first = kept.read_bytes()
    assert plots.save(draw(), "name") == kept
    assert kept.read_bytes() == first
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["name.png"]


@pytest.mark.parametrize("folder", [None, ""])
def test_reading_a_lesson_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str | None):
    monkeypatch.delenv("GANLAB_FIGURES", raising=False)
    if folder is not None:
        monkeypatch.setenv("GANLAB_FIGURES", folder)
    for name in ("ganlab", "notebooks", "figures"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    figure = players.game(title="t")
    assert plots.save(figure, "x") is None
    assert plt.fignum_exists(figure.number)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["figures", "ganlab", "notebooks"]


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES.keys())
def test_the_title_of_a_figure_says_it_in_words(draw):
    assert plots.in_words(draw()).startswith("a message")


def test_a_figure_in_words_holds_each_title_once():
    figure, (left, right) = plt.subplots(1, 2)
    figure.suptitle("Both at once:\noutwards.")
    left.set_title("GAN", loc="right")
    right.set_title("GAN")
    assert plots.in_words(figure) == "Both at once: outwards. GAN"
    assert plots.in_words(plt.figure()) == ""


@pytest.mark.parametrize("place", ["file", "file/deeper", "taken"])
def test_a_figure_that_cannot_be_kept_is_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
):
    """A file where the folder should be, and a folder where the picture should be; the figure is left as it was."""
    (tmp_path / "file").touch()
    (tmp_path / "taken/x.png").mkdir(parents=True)
    monkeypatch.setenv("GANLAB_FIGURES", str(tmp_path / place))
    figure = players.game(title="t")
    advice = f"{re.escape(str(tmp_path / place))} cannot be written to .*; to keep figures, set GANLAB_FIGURES to"
    with pytest.warns(UserWarning, match=advice):
        assert plots.save(figure, "x") is None
    assert plt.fignum_exists(figure.number)
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["x.png"]
    monkeypatch.setenv("GANLAB_FIGURES", str(tmp_path / "mine"))
    assert plots.save(figure, "x") == tmp_path / "mine/x.png"


def test_a_disk_that_is_full_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_figure: object, place: Path, **_options: object) -> None:
        place.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("GANLAB_FIGURES", str(tmp_path))
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    with pytest.warns(UserWarning, match=r"cannot be written to \(No space left on device\)"):
        plots.save(players.game(title="t"), "x")
    assert list(tmp_path.iterdir()) == []


@given(n=st.integers(1, 20), columns=st.integers(1, 9), side=st.integers(1, 60), channels=st.sampled_from([1, 3]))
def test_every_pixel_of_a_grid_is_in_its_place(n: int, columns: int, side: int, channels: int):
    images = np.random.default_rng(0).integers(0, 256, (n, channels, side, side), dtype=np.uint8)
    canvas = plots.grid_array(images, columns).reshape(-1, plots.grid_array(images, columns).shape[1], channels)
    columns = min(columns, n)
    rows = -(-n // columns)
    tile = (canvas.shape[1] - 2) // columns
    scale = (tile - 2) // side
    assert canvas.shape[0] == rows * tile + 2
    assert scale * side >= min(plots.SMALLEST_TILE, side * scale)
    for i in range(n):
        top, left = i // columns * tile + 2, i % columns * tile + 2
        cut = canvas[top : top + side * scale : scale, left : left + side * scale : scale]
        assert np.array_equal(cut, images[i].transpose(1, 2, 0))


def test_floats_are_mapped_from_their_range_and_clipped():
    images = torch.tensor([-9.0, -1.0, 0.0, 1.0, 9.0]).repeat_interleave(64 * 64).reshape(5, 1, 64, 64)
    grid = plots.grid_array(images, 5)
    assert [int(grid[10, 10 + 66 * i]) for i in range(5)] == [0, 0, 128, 255, 255]
    assert plots.grid_array(images, 5, (0, 1))[10, 10 + 66 * 2] == 0


@given(
    low=st.sampled_from([-1.0, -0.1, 0.0]),
    high=st.sampled_from([0.0, 0.5, 1.0]),
    given_range=st.sampled_from([True, False]),
)
def test_a_generators_images_are_drawn_in_its_range(low: float, high: float, given_range: bool):
    """Black is black and white is white: of a sigmoid's images, which have nothing below 0, and of tanh's."""
    images = np.array([low, high], np.float32).repeat(64 * 64).reshape(2, 1, 64, 64)
    own = (-1.0, 1.0) if low < 0 else (0.0, 1.0)
    grid = plots.grid_array(images, value_range=own if given_range else None)
    for i, value in enumerate((low, high)):
        assert abs(int(grid[10, 10 + 66 * i]) - 255 * (value - own[0]) / (own[1] - own[0])) <= 0.5
    assert np.array_equal(np.asarray(plots.sample_grid(images, title="t").axes[0].images[0].get_array()), grid)
    plt.close("all")


def test_a_grid_file_is_the_grid(tmp_path: Path):
    images = torch.rand(4, 3, 8, 8) * 2 - 1
    plots.save_grid_png(images, tmp_path / "deep" / "grid.png", columns=2)
    with Image.open(tmp_path / "deep" / "grid.png") as grid:
        assert np.array_equal(np.asarray(grid), plots.grid_array(images, 2))
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["grid.png"]


def test_the_running_mean_is_the_mean_of_the_last_steps():
    history = np.random.default_rng(0).normal(size=(100, 2))
    ax = plots.losses(history, title="t", smooth=10).axes[0]
    smooth = next(line for line in ax.lines if line.get_label() == "loss of G")
    steps, values = (np.asarray(smooth.get_data()[i], dtype=float) for i in range(2))
    assert steps[0] == 10
    np.testing.assert_allclose(values, [history[i - 10 : i, 1].mean() for i in steps.astype(int)])


@pytest.mark.parametrize(
    ("draw", "named"),
    [
        (lambda: plots.grid_array(np.zeros((2, 2, 8, 8))), r"\[2, 2, 8, 8\]"),
        (lambda: plots.grid_array(np.zeros((0, 1, 8, 8))), r"\[0, 1, 8, 8\]"),
        (lambda: plots.grid_array(np.zeros((8, 8))), r"\[8, 8\]"),
        (lambda: plots.grid_array(np.zeros((2, 1, 8, 8), dtype=np.int64)), "dtype int64"),
        (lambda: plots.losses(np.zeros(5), title="t"), r"\[5\]"),
        (lambda: plots.losses(np.zeros((0, 2)), title="t"), r"\[0, 2\]"),
        (lambda: players.densities_1d(X, X, X[1:], title="t"), r"x has shape \[20\], and p_data \[20\], p_g \[19\]"),
        (lambda: players.densities_1d(X, X, X, D=X[1:], title="t"), r"D \[19\]"),
        (lambda: players.densities_1d(X, X, X, D=X, best=X[1:], title="t"), r"D \[20\], best \[19\]"),
        (lambda: plots.curves(X, {"a line": X[1:]}, title="t", xlabel="x", ylabel="y"), r"a line: .*\[20\].*\[1, 19\]"),
        (lambda: plots.samples_2d(np.zeros((3, 3)), np.zeros((3, 2)), title="t"), r"\[3, 3\]"),
    ],
)
def test_wrong_shapes_are_named(draw, named: str):
    with pytest.raises(ShapeError, match=named) as caught:
        draw()
    assert "\n" not in str(caught.value)


def test_rows_of_a_grid_are_named_at_their_height():
    figure = plots.sample_grid(torch.zeros(6, 1, 40, 40), title="t", columns=2)
    ax = figure.axes[0]
    plots.name_rows(ax, ["one", "two", "three"])
    assert [(text.get_text(), text.get_position()[1]) for text in ax.texts] == [
        (name, pytest.approx((row + 0.5) * 128 / 3)) for row, name in enumerate(["one", "two", "three"])
    ]
    assert all(text.get_position()[0] < 0 and text.get_horizontalalignment() == "right" for text in ax.texts)

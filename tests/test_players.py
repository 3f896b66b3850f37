"""Pictures of the two players: what is drawn is what is meant."""

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation

from ganlab import players, plots

pytestmark = pytest.mark.usefixtures("style")
X = np.linspace(-4, 4, 81)


def bell(mean: float) -> np.ndarray:
    return np.exp(-((X - mean) ** 2) / 2)


def panel(p_g: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "x": X,
        "p_data": bell(1),
        "p_g": p_g,
        "D": X / 8 + 0.5,
        "z": np.array([-1.0, 1.0]),
        "G_z": np.array([0.0, 2.0]),
    }


def line(ax: Axes, label: str) -> Line2D:
    (found,) = (line for line in ax.lines if str(line.get_label()).startswith(label))
    return found


@pytest.fixture
def stages() -> Figure:
    return players.figure_1({"first": panel(bell(-1)), "then": panel(bell(1))}, title="a message")


def test_each_stage_has_the_best_d_where_there_are_samples(stages: Figure):
    for column, p_g in enumerate((bell(-1), bell(1))):
        drawn = np.asarray(line(stages.axes[2 + column], "D*").get_ydata())
        both = bell(1) + p_g
        sampled = both > 0.02 * both.max()
        assert 20 < sampled.sum() < 81
        assert np.allclose(drawn[sampled], (bell(1) / both)[sampled])
        assert np.isnan(drawn[~sampled]).all()


def test_where_there_are_hardly_any_samples_d_is_faint_and_still_seen(stages: Figure):
    whole, strong = stages.axes[2].lines[1], line(stages.axes[2], "D(x)")
    assert np.allclose(np.asarray(whole.get_ydata()), X / 8 + 0.5)
    assert (whole.get_alpha() or 1) < 0.5
    assert strong.get_alpha() is None
    assert np.isnan(np.asarray(strong.get_ydata())[0])


def test_the_stages_share_their_scales_and_one_legend_names_each_line_once(stages: Figure):
    assert stages.axes[0].get_ylim() == stages.axes[1].get_ylim()
    assert stages.axes[2].get_ylim() == stages.axes[3].get_ylim()
    (legend,) = stages.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "$p_{data}(x)$",
        "$p_g(x)$",
        "D(x)",
        "D*(x), the formula",
    ]
    assert plots.in_words(stages) == "a message. first. then"


def test_d_and_the_best_d_have_one_axis_and_one_legend():
    figure = players.densities_1d(X, bell(1), bell(-1), D=torch.from_numpy(X / 8 + 0.5), best=X**2 / 16, title="t")
    densities, answers = figure.axes
    assert len(densities.lines) == len(answers.lines) == 2
    assert np.allclose(np.asarray(line(answers, "D*").get_ydata()), X**2 / 16)
    assert np.allclose(np.asarray(line(answers, "D(x)").get_ydata()), X / 8 + 0.5)
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 4
    assert densities.get_legend() is answers.get_legend() is None


def test_an_arrow_leads_from_what_d_says_back_to_g():
    figure = players.game(title="t")
    (ax,) = figure.axes
    boxes = {text.get_text().split("\n")[0]: text.get_position() for text in ax.texts if text.get_text()}
    G, says = np.array(boxes["generator $G$"]), np.array(boxes["$D(\\cdot)$"])
    arrows = [(np.array(text.xyann), np.array(text.xy)) for text in ax.texts if isinstance(text, Annotation)]
    back = [(start, end) for start, end in arrows if np.abs(start - says).max() < 0.5 and np.abs(end - G).max() < 1]
    assert len(back) == 1

"""Pairs of ways to train: what was said of them, what became of it, and the table and the picture of both."""

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex

from ganlab import plots, sweeps
from ganlab.errors import ShapeError
from ganlab.experiments import predicted
from ganlab.experiments.verdicts import Difference

NAMES, RANKS = ["A", "B", "C"], {"theory": [1, 2, 1], "custom": [2, 1, 1]}
LEAD = {
    ("A", "B"): Difference(2.0, 1.5, 2.5),
    ("A", "C"): Difference(0.1, -0.2, 0.4),
    ("B", "C"): Difference(-0.7, -1.6, 0.2),
}
PAIRS = predicted.pairs(NAMES, RANKS, lambda one, other: (LEAD[one, other], 0.5))


def test_a_lower_rank_is_before_and_equal_ranks_are_alike():
    assert [(pair.one, pair.other) for pair in PAIRS] == list(LEAD)
    assert [dict(pair.said) for pair in PAIRS] == [
        {"theory": "before", "custom": "after"},
        {"theory": "alike", "custom": "after"},
        {"theory": "after", "custom": "alike"},
    ]


def test_each_prediction_meets_what_was_measured():
    """`after` is judged as `before` with the two exchanged."""
    assert [pair.verdicts for pair in PAIRS] == [
        {"theory": "holds", "custom": "refuted"},
        {"theory": "holds", "custom": "refuted"},
        {"theory": "undecided", "custom": "undecided"},
    ]
    assert predicted.counts(PAIRS) == {
        "theory": {"holds": 2, "refuted": 0, "undecided": 1},
        "custom": {"holds": 0, "refuted": 2, "undecided": 1},
    }
    one = predicted.Pair("A", "B", {"p": "after"}, Difference(-1.0, -1.4, -0.6), 0.5)
    assert one.verdicts == {"p": "holds"}


def test_the_table_has_a_row_for_each_pair():
    heads, _, first, *_, last = predicted.table(PAIRS).splitlines()
    assert heads == "| pair | measured: first better by | margin | theory | custom |"
    assert first == "| A, B | +2.00 (+1.50 to +2.50) | 0.5 | before: holds | after: refuted |"
    assert last == "| B, C | −0.70 (−1.60 to +0.20) | 0.5 | after: undecided | alike: undecided |"


def test_small_margins_get_more_digits():
    assert predicted.shown(Difference(0.0015, -0.0002, 0.0032), 0.05) == "+0.0015 (−0.0002 to +0.0032)"


def drawn(line: Any, which: str = "y") -> list[float]:
    return [float(value) for value in getattr(line, f"get_{which}data")()]


@pytest.mark.usefixtures("style")
class TestPictures:
    """Lesson 10's pictures."""

    def test_a_side_of_the_diagonal_for_each_prediction_coloured_by_its_fate(self):
        figure = sweeps.verdicts(PAIRS, title="a message")
        assert plots.in_words(figure) == "a message. above: by theory, below: by custom"
        (ax,) = figure.axes
        cells = {tuple(map(round, text.get_position())): text.get_text() for text in ax.texts}  # column, row
        assert cells == {
            (1, 0): "> +2.00 ✓",
            (2, 0): "= ✓",
            (2, 1): "< −0.70 ?",
            (0, 1): "> −2.00 ✗",
            (0, 2): "> ✗",
            (1, 2): "= +0.70 ?",
        }
        colours = {to_hex(patch.get_facecolor()) for patch in ax.patches}
        assert colours == {plots.COLOURS[name].lower() for name in ("discriminator", "generator", "reference")}
        figure.canvas.draw()
        many = [predicted.Pair("A", "B", dict.fromkeys("pqr", "alike"), LEAD["A", "B"], 0.5)]
        with pytest.raises(ShapeError, match=r"^there are 3 predictions; give one or two\.$"):
            sweeps.verdicts(many, title="t")

    def test_over_time_shows_median_middle_half_and_all_seeds(self):
        found = {"A": [[1, 2, 3, 4, 10], [5, 5, 5, 5, 5]], "B": [[0, 0, 0, 0, 0], [8, 8, 8, 8, 8]]}
        figure = sweeps.over_time([10, 20], found, title="t", ylabel="modes", best=8, columns=3)
        first, second, empty = figure.axes
        assert drawn(first.lines[0]) == [3, 5]
        widest, middle = (np.asarray(band.get_paths()[0].vertices)[:, 1] for band in first.collections)
        assert (widest.min(), widest.max(), middle.min(), middle.max()) == (1, 10, 2, 5)
        assert drawn(second.lines[0]) == [0, 8]
        assert not empty.axison
        figure.canvas.draw()
        with pytest.raises(ShapeError, match=r"^A has shape \[2, 5\] for 3 steps; give \[steps, seeds\]\.$"):
            sweeps.over_time([1, 2, 3], found, title="t", ylabel="modes")

    def test_at_the_end_has_a_panel_for_each_group_and_a_dot_for_each_seed(self):
        groups = {"quarter": {"A": [1, 2], "B": [3, 4]}, "half": {"A": [5, 6], "B": [7, 8]}}
        figure = sweeps.at_the_end(groups, title="t", xlabel="modes", lines={"real": 9})
        assert plots.in_words(figure) == "t. quarter. half"
        assert drawn(figure.axes[1].lines[2], "x") == [7, 8]
        assert drawn(figure.axes[1].lines[3], "x") == [7.5]
        legend: Any = figure.axes[1].get_legend()
        assert [text.get_text() for text in legend.get_texts()] == ["real"]
        figure.canvas.draw()
        with pytest.raises(ShapeError, match=r"^group 'half' has B; give A, B, as in the first\.$"):
            sweeps.at_the_end({**groups, "half": {"B": [1]}}, title="t", xlabel="modes")

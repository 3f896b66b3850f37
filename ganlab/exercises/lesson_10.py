"""Exercises of lesson 10: codings for two goals, samples far away, a claim held against a record, a small project."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.stats

from ganlab.exercises import Exercise
from ganlab.exercises.broken import Broken
from ganlab.exercises.codings import coding_of
from ganlab.exercises.given import finite
from ganlab.experiments import mode_counts
from ganlab.experiments.verdicts import alike, before, paired
from ganlab.objectives import least_squares
from ganlab.theory.kept import modes_kept

HIGHEST = 10
"""The samples' mean is not as high where a tenth of them was lifted by 40."""
FEW = 6
"""Where training would keep fewer modes on paper than this, it is not tried: with c = 0.6 it wants 6, and finds 8."""
SEEDS, ENOUGH, STEPS = range(300, 308), 7, 1000
"""For how many seeds of the goal's eight a coding has to keep all modes, after how many steps."""


def _judge_goals(answer: Any) -> str:
    """Whether two codings (a, b, 0) follow no f-divergence, and the first keeps all modes of the ring all the same, by
    training it, while with the second what training follows is lowest at a single mode."""
    answer = answer.tolist() if hasattr(answer, "tolist") else answer
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "Give two codings: return ((a, b, 0), (a, b, 0))."
    wanted = []
    for which, coding in zip(("first", "second"), map(coding_of, answer), strict=True):
        if isinstance(coding, str):
            return f"The {which} one. {coding}"
        if coding[2] != 0:
            return f"The {which} one: c is to be 0. Shift all three numbers."
        wanted.append(least_squares(*coding))
        if wanted[-1].followed.is_f_divergence:
            return (
                f"The {which} one: training with it follows an f-divergence, since c lies beyond b, or at it. Here c is"
                " to lie between a and b."
            )
    kept, lost = (modes_kept(objective.followed) for objective in wanted)
    if kept < FEW:
        return (
            f"The first one: what training follows is lowest at {kept} of 8 modes. Let c lie nearer to b:"
            " (c − a)/(b − a) > 0.647."
        )
    if lost > 1:
        return f"The second one: what training follows is lowest at {lost} of 8 modes. Let c lie nearer to a."
    ensemble = mode_counts.on_ring("goal", objective=wanted[0], steps=STEPS, **mode_counts.CURE).ensemble(SEEDS)
    for _ in ensemble.run():
        pass
    found = [one.modes for one in mode_counts.count(ensemble, mode_counts.on_ring("goal").law)]
    full = sum(modes == 8 for modes in found)
    if full >= ENOUGH:
        return ""
    advice = "On paper it is right, but D has to reach a and b at its rate: take numbers of about 1 to 3."
    advice = advice if kept == 8 else "Let c lie nearer to b: (c − a)/(b − a) > 0.647."
    return f"The first one, trained: 8 seeds find {found} modes, {full} of them all eight. {advice}"


def _fault_of_line(came: Any) -> str:
    """For the samples' mean height, and the share of those below the data that D's line pushes up."""
    numbers = finite(came)
    if numbers is None or len(numbers) != 2 or not 0 <= numbers[1] <= 1:
        return "What came of it is `came`: the samples' mean height, and the share of those below that is pushed up."
    height, up = numbers
    if height > HIGHEST:
        return (
            "The samples' mean is too high. Lift the few above, not the many below, by 40, in a fresh copy:"
            " lifted[above, 1] += 40."
        )
    if up == 1 and height < 0:
        return (
            "Nothing broke yet: the samples' mean is as it was. Lift the few above by 40: lifted[above, 1] += 40"
            " (lifted[above][:, 1] is a copy)."
        )
    if up == 1:
        return "The mean rose, but no line turned. Give `lifted` to trained_line; lift the second coordinate alone."
    return "" if up == 0 else "A straight line pushes all below the same way. Leave the lines after `lifted`."


def _largest_difference(found: Mapping[str, Sequence[float]], statistic: Any = None) -> tuple[str, str, float, float]:
    """The pair (better, worse) with the largest mean difference, and the ends of its 95 % interval."""
    ranked = sorted(found, key=lambda name: math.fsum(found[name]))
    better, worse = ranked[-1], ranked[0]
    low, high = (statistic or _paired)(np.array(found[better], float), np.array(found[worse], float))
    return better, worse, low, high


def _turned(found: Mapping[str, Sequence[float]]) -> tuple[str, str, float, float]:
    better, worse, low, high = _largest_difference(found)
    return worse, better, -high, -low


def _without_the_worst(found: Mapping[str, Sequence[float]]) -> tuple[str, str, float, float]:
    worst = min(found, key=lambda name: math.fsum(found[name]))
    return _largest_difference({name: values for name, values in found.items() if name != worst})


def _paired(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    difference = paired(one.tolist(), other.tolist())
    return difference.low, difference.high


def _around(middle: float, reach: float) -> tuple[float, float]:
    return middle - reach, middle + reach


def _t(n: int, level: float = 0.975) -> float:
    return float(scipy.stats.t.ppf(level, n - 1))


def _error(values: np.ndarray, ddof: int = 1) -> float:
    return float(values.std(ddof=ddof) / math.sqrt(len(values)))


_MADE_UP = {
    "A": [8, 7, 8, 8, 6, 8, 8, 7],
    "B": [5, 4, 6, 4, 3, 7, 5, 4],
    "C": [6, 7, 7, 5, 8, 8, 7, 6],
}
_UNEVEN = {
    "one way": [900, 912, 870, 941, 925],
    "another": [910, 950, 905, 960, 931],
    "a third": [880, 905, 899, 930, 918],
}
_THIRD = {"near": [5, 5, 8, 5, 8, 5], "worst": [7, 2, 3, 2, 4, 2], "best": [6, 6, 9, 6, 9, 7]}
"""Whoever compares first seeds, or takes the pair with the largest t, finds another pair here."""
_NO_NUMBERS = (
    "one and other are lists of finite numbers, and seeds is a list, too: one of each for every seed. Of"
    ' mode_counts.run take the last look: run(…)["modes"][-1].'
)
_NO_PROJECT = "Return a dict with the keys question, predicted, margin, seeds, one, other, verdict."


def _judge_project(answer: Any) -> str:
    """Whether a project says what it asks and predicts, has seeds enough, and ends in the verdict of the rule."""
    if not isinstance(answer, Mapping):
        return _NO_PROJECT
    keys = ("question", "predicted", "margin", "seeds", "one", "other", "verdict")
    if missing := [key for key in keys if key not in answer]:
        return f"{', '.join(missing)} is missing. {_NO_PROJECT}"
    question = str(answer["question"]).strip()
    if not question.endswith("?") or not question.strip("…?. "):
        return "A question ends with a question mark: what do you want to know?"
    if answer["predicted"] not in ("before", "alike"):
        return 'predicted is "before" (one is better than other by at least the margin) or "alike".'
    margin = finite([answer["margin"]])
    if not margin or margin[0] <= 0:
        return "The margin has to be a number above 0: how large a difference would be of interest to you?"
    one, other, seeds = (finite(answer[key]) for key in ("one", "other", "seeds"))
    if one is None or other is None or seeds is None:
        return _NO_NUMBERS
    if not len(one) == len(other) == len(seeds):
        return (
            f"There are {len(seeds)} seeds, and {len(one)} and {len(other)} results; give one of each for every seed."
        )
    if len(set(seeds)) < 4:
        return f"{len(set(seeds))} seeds tell little: four at least, and none left out."
    difference = paired(one, other)
    by_rule = (before if answer["predicted"] == "before" else alike)(difference, margin[0])
    if answer["verdict"] != by_rule:
        turned = " More counts as better: of what is better small, such as KL, give minus it." * (difference.mean < 0)
        return (
            f"By the rule the verdict is {by_rule!r}: the difference is {difference}, the margin {margin[0]:g}.{turned}"
        )
    return ""


EXERCISES = (
    Exercise("10.1", answer=lambda: ((-3, 1, 0), (-1, 3, 0)), judge=_judge_goals),
    Exercise(
        "10.2",
        answer=lambda: ("a", [3.1, 0.0], "e"),
        judge=Broken(
            outcomes="abc",
            outcome="b",
            fault=_fault_of_line,
            reasons={
                "d": "Try NON_SATURATING: its line leans the other way, too.",
                "e": "",
                "f": "What a straight D pays is a bowl, and the search went on until it was flat: no line is better.",
            },
        ),
    ),
    Exercise(
        "10.3",
        answer=_largest_difference,
        inputs=((_MADE_UP,), (_UNEVEN,), (_THIRD,)),
        mistakes=(
            (
                _turned,
                "The better one first, and how much better it is: both ends turn round.",
            ),
            (
                lambda found: _largest_difference(
                    found,
                    lambda one, other: _around(
                        one.mean() - other.mean(), _t(2 * len(one) - 1) * math.hypot(_error(one), _error(other))
                    ),
                ),
                "That treats the two as unrelated. Both have the same seeds: take the difference seed by seed first.",
            ),
            (
                lambda found: _largest_difference(
                    found, lambda one, other: _around((one - other).mean(), 1.96 * _error(one - other))
                ),
                "1.96 is for very many seeds. For few take Student's t: scipy.stats.t.ppf(0.975, n − 1).",
            ),
            (
                lambda found: _largest_difference(
                    found, lambda one, other: _around((one - other).mean(), _t(len(one), 0.95) * _error(one - other))
                ),
                "That leaves 5 % out on each side. For 95 % between the ends take the quantile at 0.975.",
            ),
            (
                _without_the_worst,
                "These two are the best and the next one. Their means do not differ most: compare with the worst.",
            ),
            (
                lambda found: _largest_difference(
                    found, lambda one, other: _around((one - other).mean(), _t(len(one)) * _error(one - other, ddof=0))
                ),
                "The spread of a sample divides by n − 1: np.std(…, ddof=1).",
            ),
            (
                lambda found: _largest_difference(
                    found,
                    lambda one, other: _around((one - other).mean(), _t(len(one)) * float((one - other).std(ddof=1))),
                ),
                "That says how far single seeds lie apart. The mean of n of them has an error √n times smaller.",
            ),
            (
                lambda found: _largest_difference(
                    found, lambda one, other: (float((one - other).min()), float((one - other).max()))
                ),
                "These are the smallest and the largest difference of a seed. Asked is the interval of their mean.",
            ),
            (
                lambda found: _largest_difference(
                    found, lambda one, other: (*np.percentile(one - other, (2.5, 97.5)),)
                ),
                "Between these lie 95 % of the seeds' differences. Asked is the interval of their mean.",
            ),
        ),
    ),
    Exercise(
        "10.4",
        answer=lambda: {
            "question": "Does A find more than B?",
            "predicted": "before",
            "margin": 0.5,
            "seeds": range(8),
            "one": _MADE_UP["A"],
            "other": _MADE_UP["B"],
            "verdict": "holds",
        },
        judge=_judge_project,
    ),
)

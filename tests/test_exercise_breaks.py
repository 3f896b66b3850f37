"""What readers break on purpose: each stage of the work gets its hint, and the code as it stands is not broken."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import numpy as np
import pytest
import sympy as sp
import torch
from torch.nn.functional import logsigmoid

from ganlab import models
from ganlab.exercises import find, lesson_03, verdict
from ganlab.objectives import NON_SATURATING, least_squares
from ganlab.theory import game
from ganlab.theory.densities import mixture, normal

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
PASSED, CAME, ERROR, ON_ONE = [36, 36], [4.6, 0.997], 0.21, [0, 0, 0, 1, 0, 0]

# Each exercise: what is right, and what readers give instead with what they are told.
GIVEN: dict[str, tuple[Any, list[tuple[Any, str]]]] = {
    "00.4": (
        ("a", PASSED, "e"),
        [
            (PASSED, "three things"),
            (("…", PASSED, "e"), "a, b or c (one small letter): a wrong guess costs nothing"),
            (("a", [36, 0], "e"), "Nothing broke yet: D still catches the fog"),
            (("c", [0, 0], "e"), "no longer takes real pictures for real"),
            (("c", torch.tensor(36), "e"), "What came of it is `passed`"),
            (("a", PASSED, "…"), "You said a, and it came out c. Now say why: d, e or f (one small letter)."),
            (("c", PASSED, "d"), "fog is no digit"),
            (("c", PASSED, "f"), "the same 100 steps are enough"),
        ],
    ),
    "01.2": (
        ("b", CAME, "d"),
        [
            ("b", "three things"),
            ((0.5, CAME, "d"), "a, b or c"),
            (("b", [7.9, 0.51], "d"), "Nothing broke yet: G came to the data"),
            (("b", [9.5, 0.01], "d"), "Leave G's move as it is"),
            (("b", [0.4, 0.003], "d"), "Leave G's move as it is"),
            (("b", [5.0, 0.6], "d"), "D has not learnt enough"),
            (("b", 4.6, "d"), "What came of it is `came`"),
            (("b", CAME, "It stops."), "You said b, and it came out b. Now say why"),
            (("b", CAME, "e"), "where D says *generated*, it is full"),
            (("b", CAME, "f"), "Take another seed"),
        ],
    ),
    "02.4": (
        ("c", ERROR, "e"),
        [
            (ERROR, "three things"),
            (("", ERROR, "e"), "a, b or c"),
            (("b", 0.02, "e"), "Nothing broke yet"),
            (("b", 0.1, "e"), "still bent enough"),
            (("b", 0.4, "e"), "worse than ½ everywhere"),
            (("b", np.ones(3), "e"), "What came of it is `error`"),
            (("a", ERROR, ""), "You said a, and it came out b. Now say why"),
            (("a", ERROR, "d"), "A line that is best is still a line"),
            (("a", ERROR, "f"), "It found D*"),
        ],
    ),
    "03.3": (
        ("b", ON_ONE, "e"),
        [
            (("b", ON_ONE), "three things"),
            (("all of it", ON_ONE, "e"), "a, b or c"),
            (("b", lesson_03.TARGET, "e"), "Nothing broke yet"),
            (("b", lesson_03.START, "e"), "has not moved at all"),
            (("b", [0.1, 0.1, 0.5, 0.1, 0.1, 0.1], "e"), "on its way"),
            (("b", [np.nan] * 6, "e"), "six probabilities"),
            (("b", [0, 0, 3, 0, 0, 0], "e"), "six probabilities"),
            (("c", ON_ONE, None), "You said c, and it came out b. Now say why"),
            (("b", ON_ONE, "d"), "it ends on the same letter"),
            (("b", ON_ONE, "f"), "C is a bowl in p_g"),
        ],
    ),
}


@pytest.mark.parametrize("id_", GIVEN)
def test_each_stage_has_its_hint(id_: str):
    right, wrong = GIVEN[id_]
    assert verdict(find(id_), lambda: right) == "right"
    for given, hint in wrong:
        said = verdict(find(id_), lambda given=given: given)
        assert said.startswith("not yet. ")
        assert hint in said


def cells_of(lesson: str) -> dict[str, str]:
    (path,) = NOTEBOOKS.glob(f"{lesson}_*.ipynb")
    return {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}


def as_lesson_00() -> dict[str, Any]:
    """Two kinds of pictures that are easily told apart."""
    dark, fog = -torch.ones(64, 1, 8, 8), torch.zeros(36, 1, 8, 8)
    noise = torch.randn(64, 1, 8, 8, generator=torch.Generator().manual_seed(0)) / 10
    return {"models": models, "side": 8, "x": dark + noise, "seen": {0: fog + noise[:36]}}


def as_lesson_01() -> dict[str, Any]:
    names: dict[str, Any] = {"torch": torch}
    for cell in ("01-players", "01-moves"):
        exec(cells_of("01")[cell], names)
    return names


def as_lesson_02() -> dict[str, Any]:
    points = np.linspace(-6, 6, 481)
    law_d, law_g = mixture([-1, 2], sp.Rational(1, 2)), normal(0, 2)
    p_d, p_g = law_d.compiled()(points), law_g.compiled()(points)
    names = SimpleNamespace(law_d=law_d, law_g=law_g, models=models, nn=torch.nn, D_star=p_d / (p_d + p_g))
    names.mass, names.inputs = (p_d + p_g) / (p_d + p_g).sum(), torch.tensor(points[:, None]).float()
    names.loss = lambda t_real, t_fake: -logsigmoid(t_real).mean() - logsigmoid(-t_fake).mean()
    return vars(names)


def as_lesson_08() -> dict[str, Any]:
    """A G that shows z as it is, and a distance that grows with the mean of what it is given."""
    names: dict[str, Any] = {"torch": torch, "half": 500, "steps": 9, "distances": {9: 2.0}}
    return names | {"made_of": lambda z: z, "distance": lambda images: 2 + 9 * images.mean().abs().item()}


def as_lesson_10() -> dict[str, Any]:
    names: dict[str, Any] = {"torch": torch, "zero_one": least_squares(0, 1, 1), "NON_SATURATING": NON_SATURATING}
    for cell in ("10-010", "10-011"):
        exec(cells_of("10")[cell], names)
    return names


LESSONS = {
    "00.4": as_lesson_00,
    "01.2": as_lesson_01,
    "02.4": as_lesson_02,
    "03.3": lambda: {"game": game},
    "07.5": dict,
    "08.6": as_lesson_08,
    "10.2": as_lesson_10,
}
STUBS = {
    "00.4": "00-050",
    "01.2": "01-053",
    "02.4": "02-052",
    "03.3": "03-042",
    "07.5": "07-090",
    "08.6": "08-broken-stub",
    "10.2": "10-086",
}


def run(id_: str, *changes: tuple[str, str]) -> str:
    """The verdict on an exercise's code as a reader has it, who predicts b, and after changes of it."""
    names = {"torch": torch, "np": np, **LESSONS[id_]()}
    code = cells_of(id_[:2])[STUBS[id_]]
    for old, new in (("    raise NotImplementedError\n", ""), ('predicted = "…"', 'predicted = "b"'), *changes):
        assert code.count(old) == 1
        code = code.replace(old, new)
    exec(code, names)
    with torch.random.fork_rng(devices=[]):
        return verdict(find(id_), names["broken"])


@pytest.mark.slow
@pytest.mark.parametrize("id_", LESSONS)
def test_the_code_as_it_stands_is_not_broken(id_: str):
    """Five short trainings; about 6 s in all."""
    assert "Nothing broke yet" in run(id_)


FEWER_MOVES = "        move(D,", "        if step < 400: move(D,"
STRAIGHT = "models.ToyDiscriminator(dim=1, width=64, gain=1.0)", "nn.Linear(1, 1)"
LOOP, D_BEST = "    for _ in range(400):\n", "D_best = game.best_discriminator(target, p)\n"
PAIRS, LIFTED = ("16", "2"), ("+= 0", "+= 40")
WITH_EPSILON = "batches.std(axis=1, keepdims=True)", "(batches.var(axis=1, keepdims=True) + 1e-5) ** 0.5"
KEPT = (LOOP, ""), (f"        {D_BEST}", f"    {D_BEST}{LOOP}")


@pytest.mark.parametrize(
    ("id_", "change", "hint"),
    [
        ("07.5", ("16", "4"), "batches of 4"),
        ("07.5", (" / batches.std(axis=1, keepdims=True)", ""), "That comes of another change"),
        ("08.6", (" - 1", ""), "That forgets `- 1` alone"),
        ("08.6", (" * 2", ""), "That forgets `* 2` alone"),
        ("10.2", ("+= 0", "+= 5"), "Nothing broke yet"),
        ("10.2", ("above, 1] += 0", "above, 0] += 40"), "Nothing broke yet"),
        ("10.2", ("above, 1] += 0", "~above, 1] += 40"), "not the many below"),
    ],
)
def test_another_change_is_named_or_breaks_nothing(id_: str, change: tuple[str, str], hint: str):
    assert hint in run(id_, change)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("id_", "changes"),
    [
        ("00.4", [(" - (1 - on_fog).log().mean()", "")]),
        *(("01.2", [FEWER_MOVES, ("manual_seed(1)", f"manual_seed({seed})")]) for seed in (0, 2, 3)),
        ("02.4", [STRAIGHT, ("range(300)", "range(3000)")]),
        ("03.3", KEPT),
        ("03.3", [*KEPT, ("range(400)", "range(4000)"), ("** -0.5", "** -0.05")]),
        ("07.5", [PAIRS]),
        ("07.5", [PAIRS, WITH_EPSILON]),
        ("07.5", [PAIRS, ("10_000", "100_000")]),
        ("08.6", [(" * 2 - 1", "")]),
        ("10.2", [LIFTED]),
        ("10.2", [LIFTED, ("zero_one", "NON_SATURATING")]),
    ],
)
def test_changed_as_asked_it_breaks_and_so_it_does_where_a_hint_says_to_look(id_: str, changes: list[tuple[str, str]]):
    """About 8 s in all."""
    assert "It is broken. You said b" in run(id_, *changes)

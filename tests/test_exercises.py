"""The check knows right from wrong, hints at usual mistakes, and never tells the solution."""

import importlib
import math
from pathlib import Path

import nbformat
import numpy as np
import pytest
import sympy as sp
import torch

from ganlab import exercises
from ganlab.errors import UnknownExercise
from ganlab.exercises import Exercise, check, compare, of_lesson, predict, solution, verdict

LESSONS = sorted(path.stem[-2:] for path in Path(exercises.__file__).parent.glob("lesson_[0-9][0-9].py"))
ALL = [exercise for lesson in LESSONS for exercise in of_lesson(lesson)]
D, t = sp.Symbol("D", real=True), sp.Symbol("t", real=True)
EVEN = 1 + (-1) ** sp.Symbol("n", integer=True)

SQUARE = Exercise("99.1", lambda x: x**2, ((2.0,), (3.0,)), ((lambda x: -(x**2), "The sign."),))
LOSS = Exercise("99.2", lambda: -sp.log(D), mistakes=((lambda: sp.log(D), "It is minimised: mind the sign."),))


@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.id)
def test_every_exercise_accepts_its_answer_and_catches_its_mistakes(exercise: Exercise):
    assert verdict(exercise, exercise.answer) == "right"
    for mistake, hint in exercise.mistakes:
        assert verdict(exercise, mistake) == f"not yet. {hint}"


@pytest.mark.parametrize("lesson", LESSONS)
def test_ids_belong_to_their_lesson_and_are_used_in_it(lesson: str):
    ids = [exercise.id for exercise in of_lesson(lesson)]
    assert ids == [f"{lesson}.{i}" for i in range(1, len(ids) + 1)]
    assert 3 <= len(ids) <= 6
    (notebook,) = Path(__file__).parents[1].glob(f"notebooks/{lesson}_*.ipynb")
    text = notebook.read_text(encoding="utf-8")
    for id_ in ids:
        # A stub's check and the solution; the outputs of both are committed.
        assert text.count(f'exercises.check(\\"{id_}\\", \\"') == 1
        name = f"solution_{id_.replace('.', '_')}"
        assert f"def {name}(" in text
        assert f'exercises.solution(\\"{id_}\\", {name})' in text
        assert f'"{id_}: not attempted\\n"' in text
        assert f'"{id_}, solution: checked\\n"' in text
        assert f"{id_}: right" not in text


def not_written(_x: float) -> float:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("exercise", "attempt", "said"),
    [
        (SQUARE, not_written, "not attempted"),
        (SQUARE, lambda x: x * x, "right"),
        (SQUARE, lambda x: torch.tensor(x * x), "right"),
        (SQUARE, lambda x: x * x * (1 + 1e-8), "right"),
        (SQUARE, lambda x: -x * x, "not yet. The sign."),
        (SQUARE, lambda x: 2 * x, "not yet. With input (3.0) it gives 6.0."),
        (SQUARE, lambda _: None, "not yet. The function gives nothing back: end it with `return`."),
        (SQUARE, lambda x: x / 0, "not yet. With input (2.0) it raised ZeroDivisionError: float division by zero"),
        (SQUARE, lambda: 4, "not yet. With input (2.0) it raised TypeError"),
        (SQUARE, lambda _: "four", "not yet. With input (2.0) it gives four."),
        (LOSS, lambda: -sp.log(sp.Symbol("D")), "right"),
        (LOSS, lambda: -sp.log(sp.Symbol("D", positive=True)), "right"),
        (LOSS, lambda: sp.log(1 / D), "right"),
        (LOSS, lambda: sp.log(D), "not yet. It is minimised: mind the sign."),
        (LOSS, lambda: -sp.log(1 - D), "not yet. It gives -log(1 - D)."),
        (LOSS, lambda: "-log(D)", "not yet. It gives -log(D), where a sympy expression is wanted."),
        (LOSS, lambda: math.log, "not yet. It gives"),
        (LOSS, lambda: [D], "not yet. It gives [D], where a sympy expression is wanted."),
        (LOSS, lambda: {D}, "not yet. It gives {D}, where a sympy expression is wanted."),
        (LOSS, lambda: torch.ones(2), "not yet. It gives tensor([1., 1.]), where a sympy expression is wanted."),
        (LOSS, lambda: sp.Matrix([D]), "not yet. It gives Matrix([[D]]), where a sympy expression is wanted."),
        (LOSS, lambda: sp.Eq(D, 1), "not yet. It gives Eq(D, 1)."),
        (LOSS, lambda: True, "not yet. It gives True."),
        (SQUARE, lambda x: str(x * x), "not yet. With input (2.0) it gives 4.0."),
        (SQUARE, lambda x: x * x + 1j, "not yet. With input (2.0) it gives (4+1j)."),
    ],
)
def test_what_is_said_of_an_attempt(exercise: Exercise, attempt, said: str):
    told = verdict(exercise, attempt)
    assert told.startswith(said)
    assert "\n" not in told


@pytest.mark.parametrize(
    ("answer", "right", "wrong"),
    [
        ([1, 0], (1, 0), [0, 1]),
        ({"A", "B"}, {"B", "A"}, {"A"}),
        ("saturating", "saturating", "non-saturating"),
        (True, True, 1),
        (True, np.True_, np.False_),
        (True, torch.tensor(True), torch.tensor(1)),
        (1.0, sp.Integer(1), True),
        (sp.oo, sp.oo, sp.Integer(1)),
        (2 * EVEN, EVEN**2, -2 * EVEN),  # for whole numbers alone
        (sp.Matrix([D, 1]), sp.ImmutableMatrix([sp.Symbol("D"), 1]), sp.Matrix([1, D])),
        (torch.ones(2), torch.ones(2, dtype=torch.bfloat16), torch.zeros(2, dtype=torch.bfloat16)),
        ((1.0, sp.sqrt(2)), (1, sp.sqrt(2)), (1.0, 2)),
        (torch.eye(2), [[1, 0], [0, 1]], torch.ones(2, 2)),
        (torch.eye(2), torch.eye(2), torch.eye(3)),
    ],
)
def test_answers_of_many_kinds_are_compared(answer, right, wrong):
    exercise = Exercise("99.3", lambda: answer)
    assert verdict(exercise, lambda: right) == "right"
    assert verdict(exercise, lambda: wrong).startswith("not yet.")


def test_a_wrong_shape_is_told():
    assert verdict(Exercise("99.4", lambda: torch.zeros(2, 3)), lambda: torch.zeros(3, 2)).endswith(
        "of shape [3, 2] where [2, 3] is wanted."
    )


def test_an_attempt_that_changes_its_input_is_judged_by_what_it_gives():
    def in_place(z_0: np.ndarray, z_1: np.ndarray, s: float) -> np.ndarray:
        z_0 *= 1 - s
        z_0 += s * z_1
        return z_0

    def swapped(z_0: np.ndarray, z_1: np.ndarray, s: float) -> np.ndarray:
        return in_place(z_1, z_0, s)

    ends = (np.array([0.0, 2.0]), np.array([4.0, -2.0]))
    between = Exercise(
        "99.5",
        lambda z_0, z_1, s: (1 - s) * z_0 + s * z_1,
        inputs=((*ends, 0.0), (*ends, 0.25), (*ends, 1.0)),
        mistakes=((lambda z_0, z_1, s: s * z_0 + (1 - s) * z_1, "The ends are swapped."),),
    )
    assert verdict(between, in_place) == "right"
    assert verdict(between, swapped) == "not yet. The ends are swapped."


def test_check_prints_one_line(capsys: pytest.CaptureFixture[str]):
    check("03.2", lambda: sp.Integer(0))
    check("03.2", lambda: sp.log(2))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "03.2: right"
    assert lines[1].startswith("03.2: not yet. That is the largest JSD")


def test_a_solution_is_checked_and_printed_as_the_solutions(capsys: pytest.CaptureFixture[str]):
    solution("03.2", lambda: sp.Integer(0))
    solution("03.2", lambda: sp.log(2))
    checked, wrong = capsys.readouterr().out.splitlines()
    assert checked == "03.2, solution: checked"
    assert wrong.startswith("03.2, solution: not yet. That is the largest JSD")


RIGHT = "def moved(table):\n    return min(map(max, table))"
WRONG = "def moved(table):\n    return max(map(max, table))"
STUB = "def moved(table):\n    raise NotImplementedError"
SLIP = "def moved(table)\n    return min(map(max, table))"
EARLY = "1 / 0\n\n" + RIGHT
LATE = RIGHT + "\n\n\n1 / 0"
OURS = RIGHT.replace("moved", "solution_01_4") + "\n\n\nexercises.solution('01.4', solution_01_4)"
DID_NOT_RUN = "not attempted: its cell did not run"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([], DID_NOT_RUN),
        ([STUB], "not attempted"),
        ([RIGHT], "right"),
        ([WRONG], "not yet. G chooses the row, and G wants to pay little."),
        ([SLIP], DID_NOT_RUN),
        ([SLIP, OURS], DID_NOT_RUN),
        ([STUB, OURS, SLIP], DID_NOT_RUN),
        ([RIGHT, SLIP], DID_NOT_RUN),
        ([RIGHT, SLIP, RIGHT], "right"),
        ([RIGHT, WRONG, RIGHT], "right"),
        ([SLIP, WRONG], "not yet."),
        ([RIGHT, EARLY], DID_NOT_RUN),
        ([STUB, LATE], "right"),
        ([STUB, "moved = lambda table: min(map(max, table))"], "right"),
        ([STUB, "moved = lambda table: min("], DID_NOT_RUN),
        ([STUB, "def mine(table):\n    return min(map(max, table))", "moved = mine"], "right"),
        ([RIGHT, "import functools\nmoved = functools.partial(moved)"], "right"),
        ([RIGHT, "moved_by_me = 1 +"], "right"),
        ([RIGHT, "del moved"], DID_NOT_RUN),
        ([STUB, "moved = 7"], "not yet. With input ([[0, 1], [1, 0]]) it raised TypeError"),
    ],
)
def test_a_check_judges_what_was_last_written(shell, capsys: pytest.CaptureFixture[str], cells: list[str], said: str):
    for source in ["from ganlab import exercises", *cells, "exercises.check('01.4', 'moved')"]:
        shell.run_cell(source, store_history=True)
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"01.4: {said}")


def test_without_a_notebook_a_name_is_nobodys_work(capsys: pytest.CaptureFixture[str]):
    check("01.4", "moved")
    assert capsys.readouterr().out == f"01.4: {DID_NOT_RUN}\n"


@pytest.mark.parametrize(
    ("answer", "options", "kept", "compared"),
    [
        (..., "", "no prediction made", "no prediction made; it came out 1.25, 3 of 8"),
        (2, "", "you say 2", "you said 2; it came out 1.25, 3 of 8"),
        (-0.5, "", "you say −0.5", "you said −0.5; it came out 1.25, 3 of 8"),
        ("two", "", "'two' is no number", "no prediction made; it came out 1.25, 3 of 8"),
        (True, "", "True is no number", "no prediction made; it came out 1.25, 3 of 8"),
        ("b", "abc", "you say b", "you said b; it came out 1.25, 3 of 8"),
        ("ab", "abc", "'ab' is none of a, b, c", "no prediction made; it came out 1.25, 3 of 8"),
        ("", "abc", "'' is none of a, b, c", "no prediction made; it came out 1.25, 3 of 8"),
        (2, "abc", "2 is none of a, b, c", "no prediction made; it came out 1.25, 3 of 8"),
        (..., "abc", "no prediction made", "no prediction made; it came out 1.25, 3 of 8"),
    ],
)
def test_a_prediction_is_kept_until_the_result_is_there(
    capsys: pytest.CaptureFixture[str], answer, options: str, kept: str, compared: str
):
    predict("99.p1", answer, options=options)
    compare("99.p1", torch.tensor([1.25, 3.0]), unit="of 8")
    assert capsys.readouterr().out.splitlines() == [f"99.p1: {kept}", f"99.p1: {compared}"]


def test_predictions_may_change_and_do_not_mix(capsys: pytest.CaptureFixture[str]):
    predict("99.p1", 1)
    predict("99.p2", "c", options="abc")
    predict("99.p1", ...)
    compare("99.p1", 3)
    compare("99.p2", "a")
    compare("99.p3", "a")
    assert capsys.readouterr().out.splitlines()[3:] == [
        "99.p1: no prediction made; it came out 3",
        "99.p2: you said c; it came out a",
        "99.p3: no prediction made; it came out a",
    ]


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_lesson_asks_for_predictions_and_hides_the_results_until_then(lesson: str):
    (notebook,) = Path(__file__).parents[1].glob(f"notebooks/{lesson}_*.ipynb")
    cells = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    asked = [i for i, cell in enumerate(cells) if "exercises.predict(" in cell.source]
    shown = [i for i, cell in enumerate(cells) if "exercises.compare(" in cell.source]
    assert len(asked) == len(shown) > 0
    for number, (question, result) in enumerate(zip(asked, shown, strict=True), 1):
        assert f'exercises.predict("{lesson}.p{number}", ...' in cells[question].source
        assert f'exercises.compare("{lesson}.p{number}", ' in cells[result].source
        assert question < result
        assert all(cell.metadata["jupyter"]["outputs_hidden"] for cell in cells[question + 1 : result + 1])
        assert "no prediction made" in str(cells[question].outputs)
        assert "no prediction made; it came out" in str(cells[result].outputs)


@pytest.mark.parametrize(("id_", "known"), [("00.9", "00.1, 00.2"), ("77.1", "none"), ("", "none"), (0.1, "none")])
def test_an_unknown_exercise_lists_the_known_ones(id_, known: str):
    with pytest.raises(UnknownExercise, match=known):
        check(id_, lambda: 1)


def test_a_broken_lesson_module_is_not_hidden(monkeypatch: pytest.MonkeyPatch):
    def broken(name: str):
        raise ModuleNotFoundError("No module named 'other'", name="other")

    monkeypatch.setattr(importlib, "import_module", broken)
    with pytest.raises(ModuleNotFoundError):
        of_lesson("00")


@pytest.mark.parametrize(
    ("coding", "said"),
    [
        ((-2, -1, 0), "right"),
        ((2, 1, 0), "right"),
        ((-1.5, -1, 0), "right"),
        ((0, 1, 2), "It does all that, but c is not 0"),
        ((0, 1, 1), "no push of first order"),
        (np.array([-2.0, -1.0, 0.0]), "right"),
        (torch.tensor([-2, -1, 0]), "right"),
        ((-1, 1, 0), "is negative for r < 1; b must lie between a and c (here 0)."),
        ((-3, 1, 0), "is negative for r < 1/3; b must"),
        ((1, 2, 0), "is negative for every r > 0; b must"),
        ((1, 3, 0), "is negative for every r > 0; b must"),
        ((0, -1, 0), "is negative for every r > 0; b must"),
        ((0.1, 0.3, 0), "is negative for every r > 0; b must"),
        ((0, 1, 0.5), "b must lie between a and c (here 1/2)."),
        ((-1, 0, 0), "no push of first order; b must lie between a and c (here 0), not at c."),
        ((1, 1, 3), "With a = b"),
        ((0, 1), "Give three numbers"),
        ((0, 1, sp.Symbol("c")), "Give three numbers"),
        ((0, 1, sp.oo), "Give three numbers"),
        ((0, 1, [2]), "Give three numbers"),
        (7, "Give three numbers"),
        ({-2, -1, 0}, "Give three numbers"),
        ({-2: 0, -1: 0, 0: 0}, "Give three numbers"),
        ("210", "Give three numbers"),
        (np.array(7.0), "Give three numbers"),
        (sp.Matrix([-2, -1, 0]), "Give three numbers"),
    ],
)
def test_a_coding_of_ones_own_is_judged_by_what_it_does(coding: object, said: str):
    assert said in verdict(exercises.find("09.4"), lambda: coding)

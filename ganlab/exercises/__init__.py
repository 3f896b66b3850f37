"""Exercises that check themselves: `exercises.check("03.2", "f")` says "not attempted", "right", or gives a hint.

"right" is said of the reader's own work alone: the course's solutions go through `exercises.solution`. Before a cell
that shows a result, `exercises.predict` keeps what the reader expects, and `exercises.compare` shows both.

The exercises of lesson NN stand in `ganlab/exercises/lesson_NN.py`, each with a reference answer, the inputs on which
answers are compared, and the usual mistakes with a hint for each. Answers are compared by mathematics: sympy
expressions by their difference, numbers within rounding.
"""

import copy
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from ganlab.errors import UnknownExercise
from ganlab.exercises import cells
from ganlab.exercises.predictions import compare, predict

__all__ = ["Exercise", "check", "compare", "find", "of_lesson", "predict", "same", "solution", "verdict"]

RELATIVE, ABSOLUTE = 1e-6, 1e-9
SHOWN = 80
Answer = Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    answer    the reference answer
    inputs    argument tuples on which an attempt is compared with it; `((),)` for a function without arguments
    mistakes  usual wrong answers, each with the hint for whoever gives it
    judge     for exercises with many right answers: the hint for an answer, "" for a right one
    absolute  how far off a number may be besides a millionth of it; 0 where the digits of tiny numbers are asked for
    """

    id: str
    answer: Answer
    inputs: tuple[tuple[Any, ...], ...] = ((),)
    mistakes: tuple[tuple[Answer, str], ...] = ()
    judge: Callable[[Any], str] | None = None
    absolute: float = ABSOLUTE


def check(id: str, attempt: Answer | str) -> None:  # noqa: A002
    """Print whether an attempt is right, in one line: "not attempted", "right", or a hint (never the solution).

    `attempt` is the function, or its name in the notebook: by its name it need not be there yet, and what an older
    version of its cell left behind is not taken for it. Raises `UnknownExercise` for an id that there is not.
    """
    exercise = find(id)
    function = cells.last_written(attempt) if isinstance(attempt, str) else attempt
    said = "not attempted: its cell did not run" if function is None else verdict(exercise, function)
    print(f"{id}: {said}")


def solution(id: str, answer: Answer) -> None:  # noqa: A002
    """Check the course's own solution as an attempt is checked, and print the result as the solution's.

    Raises `UnknownExercise` for an id that there is not.
    """
    said = verdict(find(id), answer)
    print(f"{id}, solution: {'checked' if said == 'right' else said}")


def find(id: str) -> Exercise:  # noqa: A002
    """The exercise of this id, such as "03.2". Raises `UnknownExercise`, listing those of the lesson."""
    lesson = str(id).partition(".")[0]
    known = {exercise.id: exercise for exercise in of_lesson(lesson)}
    if id not in known:
        raise UnknownExercise(f"exercise is {id!r}; lesson {lesson!r} has {', '.join(known) or 'none'}.")
    return known[id]


def of_lesson(lesson: str) -> tuple[Exercise, ...]:
    """The exercises of a lesson given by its two digits; empty when it has none."""
    name = f"{__name__}.lesson_{lesson}"
    try:
        return importlib.import_module(name).EXERCISES
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return ()


def verdict(exercise: Exercise, attempt: Answer) -> str:
    """What `check` says of an attempt."""
    given = []
    for arguments in exercise.inputs:
        try:
            given.append(_call(attempt, arguments))
        except Exception as error:
            if isinstance(error, NotImplementedError) and not error.args:  # the template's own, not torch's
                return "not attempted"
            return f"not yet. {_called(arguments)} raised {type(error).__name__}: {_short(error)}"
    if all(value is None for value in given):
        return "not yet. The function gives nothing back: end it with `return`."
    if exercise.judge is not None:
        try:
            hint = next(filter(None, map(exercise.judge, given)), "")
        except (TypeError, ValueError, OverflowError) as error:
            hint = f"{_short(given[0])} is of another kind than is asked for ({_short(error)})."
        return f"not yet. {hint}" if hint else "right"
    wanted = [_call(exercise.answer, arguments) for arguments in exercise.inputs]
    equal = partial(same, absolute=exercise.absolute)
    wrong = [i for i, (one, other) in enumerate(zip(given, wanted, strict=True)) if not equal(one, other)]
    if not wrong:
        return "right"
    for mistake, hint in exercise.mistakes:
        if all(
            equal(value, _call(mistake, arguments)) for value, arguments in zip(given, exercise.inputs, strict=True)
        ):
            return f"not yet. {hint}"
    first = wrong[0]
    return (
        f"not yet. {_called(exercise.inputs[first])} gives {_short(given[first])}{_kind(given[first], wanted[first])}."
    )


def same(given: Any, wanted: Any, absolute: float = ABSOLUTE) -> bool:
    """Whether two answers are equal as mathematics: expressions, numbers, arrays, tensors, texts, collections.

    `absolute` is how far off numbers in arrays may be, besides a millionth of them.
    """
    if isinstance(wanted, bool) and (isinstance(given, np.bool_) or _is_truth(given)):
        given = bool(given)
    if isinstance(wanted, str):
        return isinstance(given, str) and given == wanted
    if isinstance(wanted, bool | set | frozenset):
        return type(given) is type(wanted) and given == wanted
    if isinstance(wanted, tuple | list):
        fits = isinstance(given, tuple | list) and len(given) == len(wanted)
        return fits and all(same(one, other, absolute) for one, other in zip(given, wanted, strict=True))
    if isinstance(wanted, sp.MatrixBase) or isinstance(given, sp.MatrixBase):
        both = isinstance(wanted, sp.MatrixBase) and isinstance(given, sp.MatrixBase)
        return both and same(given.tolist(), wanted.tolist())
    if isinstance(wanted, sp.Basic):
        return _same_expression(given, wanted)
    try:
        one, other = _array(given), _array(wanted)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # RuntimeError: a list of tensors with gradients
        return False
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=RELATIVE, atol=absolute))


def _is_truth(given: Any) -> bool:
    """Whether it is a tensor that holds one truth value."""
    return getattr(given, "ndim", None) == 0 and str(getattr(given, "dtype", "")) == "torch.bool"


def _same_expression(given: Any, wanted: sp.Basic) -> bool:
    try:
        given = sp.sympify(given, strict=True)
    except (TypeError, ValueError, sp.SympifyError):
        return False
    if not (isinstance(given, sp.Expr) and isinstance(wanted, sp.Expr)):
        return given == wanted
    # A reader's own Symbol("D") is meant to be ours, whatever its assumptions are.
    ours = {symbol.name: symbol for symbol in wanted.free_symbols}
    given = given.xreplace({symbol: ours.get(symbol.name, symbol) for symbol in given.free_symbols})
    if given == wanted:
        return True
    difference = sp.expand_log(given - wanted, force=True)
    values = _at_some_points(difference)
    if given.has(sp.Float) and values:
        off = ABSOLUTE if wanted.free_symbols else max(ABSOLUTE, RELATIVE * abs(complex(wanted)))
        return all(value.is_number and abs(complex(value)) < off for value in values)
    settled = values and all(value.is_number and value.is_finite and abs(value) > ABSOLUTE for value in values)
    return not settled and sp.simplify(sp.nsimplify(difference, rational=True)) == 0


def _at_some_points(expression: sp.Expr) -> list[sp.Expr]:
    """An expression's values at three points that are positive in all symbols; none where a symbol cannot be so."""
    symbols = sorted(expression.free_symbols, key=str)
    if any(symbol.is_positive is False or symbol.is_integer for symbol in symbols):
        return []
    points = ({symbol: sp.Rational(3 + 4 * k + i, 10) for i, symbol in enumerate(symbols)} for k in range(3))
    return [sp.N(expression.subs(point)) for point in points]


def _array(value: Any) -> np.ndarray:
    array = np.asarray(value.tolist() if hasattr(value, "tolist") else value)
    if array.dtype.kind in "bSU":
        raise TypeError
    return array.astype(np.complex128)


def _call(function: Answer, arguments: tuple[Any, ...]) -> Any:
    """On copies: an attempt may change its arguments in place, and they serve every later call."""
    return function(*copy.deepcopy(arguments))


def _called(arguments: tuple[Any, ...]) -> str:
    return f"With input ({', '.join(map(_short, arguments))}) it" if arguments else "It"


def _kind(given: Any, wanted: Any) -> str:
    """A word on the kind of answer that is wanted, where the given one is of another kind."""
    if hasattr(wanted, "shape") and hasattr(given, "shape") and tuple(given.shape) != tuple(wanted.shape):
        return f", of shape {list(given.shape)} where {list(wanted.shape)} is wanted"
    if isinstance(wanted, sp.Basic) and not isinstance(given, sp.Basic | int | float):
        return f", where {'a sympy expression' if wanted.free_symbols else 'a number or a sympy expression'} is wanted"
    if isinstance(wanted, str | bool | set | tuple | list) and not isinstance(given, type(wanted)):
        return f", where a {type(wanted).__name__} is wanted"
    return ""


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"

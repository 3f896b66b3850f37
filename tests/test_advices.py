"""No advice without a test: what an error or a warning says to do is quoted by a test, which does it.

The quotation is what can be looked for by machine; that the advice is then followed is the custom of
`test_advice_*.py`, where each is refused first and taken when it is followed, and of the tests `test_own_*.py`.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENOUGH = 25
"""Characters of the longest part of an advice, between what is filled in, that are enough to know it by."""
VERBS = (
    "ask average call check choose convert delete end fill free get give go hold install keep leave let make mend"
    " move number put remove restore run save see set swap take train unpack use write"
)
"""What an advice begins with."""
RUN_AS_CODE = {
    "training/examples.py": "test_own_data.py::test_the_advice_for_each_kind_of_data_gives_all_examples",
    "training/failures.py": "test_failures.py::test_channels_are_moved_to_the_front_where_they_stand_last_alone",
}
"""Files whose advice ends in code, which these tests run as it is printed."""


def texts(path: Path) -> Iterator[tuple[str, ...]]:
    """The texts of a file that are no docstrings, each as the pieces between what is filled in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    skipped = parts | {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield tuple(str(part.value) if isinstance(part, ast.Constant) else "" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield (node.value,)


def advice_in(text: tuple[str, ...]) -> tuple[str, ...]:
    """What a text says to do: from the verb that stands at its beginning or after a semicolon; nothing for others."""
    clauses = re.sub(r"\{[^}]*\}", "\0", "\0".join(text)).split("; ")
    advices = [clause for clause in clauses if re.match(rf"({VERBS.replace(' ', '|')})\b", clause)]
    return tuple(piece.strip(" .,") for advice in advices for piece in advice.split("\0"))


@cache
def quoted() -> str:
    """All that tests quote."""
    tests = sorted(set((ROOT / "tests").glob("test_*.py")) - {Path(__file__)})
    return "\n".join("".join(text).replace("\\", "") for test in tests for text in texts(test))


def test_every_advice_is_quoted():
    package = ROOT / "ganlab"
    files = [path for path in package.rglob("*.py") if path.relative_to(package).as_posix() not in RUN_AS_CODE]
    advices = [(file.name, advice) for file in files for text in texts(file) if (advice := advice_in(text))]
    assert len(advices) > 200
    unknown = [one for one in advices if max(one[1], key=len)[:ENOUGH] not in quoted()]
    assert unknown == []


def test_the_tests_that_run_code_are_there():
    for test in RUN_AS_CODE.values():
        file, name = test.split("::")
        assert f"def {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")


def test_an_advice_is_known_by_its_verb():
    assert advice_in(("x is ", "", "; give an integer.")) == ("give an integer",)
    assert advice_in(("set G.range = ", "", " here")) == ("set G.range =", "", "here")
    assert advice_in(("25 epochs; needs a GPU",)) == advice_in(("gives",)) == advice_in(("",)) == ()

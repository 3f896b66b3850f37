"""Small mistakes that a file of the package could have: mutmut's, and a few kinds of our own.

mutmut's own runner changes the bodies of undecorated functions only; here constants, defaults, class attributes and
properties are changed, too.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation import mutators
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.pragma_handling import IgnoredCode

ROOT = Path(__file__).parents[1]
FEWER = ("encoding", "newline", "strict", "exist_ok", "parents", "fused")
"""Arguments that are not left out: what they change is not to be seen on one machine, or in right use."""


def _number(node: cst.BaseNumber) -> Iterator[cst.BaseNumber]:
    if not isinstance(node, cst.Float):
        yield from mutators.operator_number(node)
    else:
        yield node.with_changes(value=repr(2 * node.evaluated_value or 1.0))


def _string(node: cst.SimpleString) -> Iterator[cst.BaseString]:
    """Names and keys; what has several words is text for people."""
    if str(node.evaluated_value).count(" ") < 3:
        yield from list(mutators.operator_string(node))[:1]


def _argument_left_out(node: cst.Call) -> Iterator[cst.Call]:
    for i, argument in enumerate(node.args):
        if len(node.args) > 1 and not (argument.keyword and argument.keyword.value in FEWER):
            yield node.with_changes(args=[*node.args[:i], *node.args[i + 1 :]])


def _call_left_out(node: cst.Call) -> Iterator[cst.BaseExpression]:
    """f(x) becomes x, and x.f(…) becomes x."""
    if len(node.args) == 1 and not node.args[0].star and not node.args[0].keyword:
        yield node.args[0].value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    if isinstance(node.func, cst.Attribute) and not (isinstance(node.func.value, cst.Name) and node.args):
        yield node.func.value


def _statement_left_out(node: cst.SimpleStatementLine) -> Iterator[cst.SimpleStatementLine]:
    if isinstance(node.body[0], cst.Raise) or (
        isinstance(node.body[0], cst.Expr) and not isinstance(node.body[0].value, cst.BaseString | cst.Ellipsis)
    ):
        yield node.with_changes(body=[cst.Pass()])


def _condition_negated(node: cst.If) -> Iterator[cst.If]:
    if not isinstance(node.test, cst.Comparison | cst.UnaryOperation):
        bracketed = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.with_changes(test=cst.UnaryOperation(cst.Not(), bracketed))


_REPLACED = (mutators.operator_number, mutators.operator_string, mutators.operator_arg_removal)
OPERATORS = [
    *(pair for pair in mutators.mutation_operators if pair[1] not in (*_REPLACED, mutators.operator_assignment)),
    (cst.BaseNumber, _number),
    (cst.SimpleString, _string),
    (cst.Call, _argument_left_out),
    (cst.Call, _call_left_out),
    (cst.SimpleStatementLine, _statement_left_out),
    (cst.If, _condition_negated),
]


class _Finder(MutationVisitor):
    """All places but annotations, imports, decorators, assertions and the texts of errors."""

    NOISE = (cst.Annotation, cst.Import, cst.ImportFrom, cst.Decorator, cst.Assert, cst.Raise, cst.FormattedString)

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Assign):
            return any(getattr(target.target, "value", "") == "__all__" for target in node.targets)
        if isinstance(node, cst.Subscript):
            return getattr(node.value, "value", "") == "Literal"
        if isinstance(node, cst.Arg):
            return node.keyword is not None and node.keyword.value in FEWER
        if isinstance(node, cst.FunctionDef | cst.Param):
            return False
        return isinstance(node, self.NOISE) or super()._skip_node_and_children(node)


@dataclass(frozen=True)
class Mutant:
    """One mistake. `statement` holds the lines of the statement that it is in, `around` those of the function."""

    module: str
    line: int
    before: str
    after: str
    code: str
    statement: range
    around: range | None

    @property
    def name(self) -> str:
        """The same after changes elsewhere in the file."""
        return f"`{self.before}` → `{self.after}`".replace("|", "¦")


def mutants_of(module: str) -> list[Mutant]:
    """All mutants of ganlab/…: those that look the same are numbered in their `after`."""
    source = (ROOT / module).read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(source))
    finder = _Finder(OPERATORS, IgnoredCode(set(), set(), set()))
    wrapper.visit(finder)
    positions, parents = wrapper.resolve(PositionProvider), wrapper.resolve(ParentNodeProvider)

    def lines_of(node: cst.CSTNode, kind: type) -> range | None:
        while not isinstance(node, kind):
            if isinstance(node, cst.Module):
                return None
            node = parents[node]
        return range(positions[node].start.line, positions[node].end.line + 1)

    whole = wrapper.module
    parts = [whole.code_for_node(part) for part in (*whole.header, *whole.body, *whole.footer)]
    assert "".join(parts) == source
    found: list[Mutant] = []
    seen: Counter[tuple[str, str]] = Counter()
    for mutation in finder.mutations:
        node = top = mutation.original_node
        while parents[top] is not whole:
            top = parents[top]
        at = len(whole.header) + next(i for i, part in enumerate(whole.body) if part is top)
        changed = whole.code_for_node(cst.ensure_type(top.deep_replace(node, mutation.mutated_node), cst.CSTNode))
        code = "".join([*parts[:at], changed, *parts[at + 1 :]])
        before, after = _difference(source, code)
        seen[before, after] += 1
        after += f" ({seen[before, after]})" if seen[before, after] > 1 else ""
        place = positions.get(node) or positions[parents[node]]
        here = lines_of(node, cst.SimpleStatementLine) or range(place.start.line, place.end.line + 1)
        found.append(Mutant(module, place.start.line, before, after, code, here, lines_of(node, cst.FunctionDef)))
    return found


def _difference(source: str, changed: str) -> tuple[str, str]:
    one, other = source.splitlines(), changed.splitlines()
    top = next((i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    end = next((i for i, pair in enumerate(zip(one[::-1], other[::-1], strict=False)) if pair[0] != pair[1]), 0)
    end = min(end, len(one) - top, len(other) - top)
    before, after = (" ".join(" ".join(lines[top : len(lines) - end]).split())[:200] for lines in (one, other))
    return before, after

"""Small mistakes, put into the package one at a time: do the unit tests notice? `make mutants` runs this.

The mistakes are mutmut's, and a few kinds of our own (`OPERATORS`). mutmut's own runner changes the bodies of undecorated
functions only; here constants, defaults, class attributes and properties are changed, too. Each mutant is a copy of one
file; a child forked from a process that has loaded all libraries, but nothing of ganlab, runs the tests that execute the
changed lines, the quickest first, until one fails. What was found is kept in .mutants/, so a run that is cut off goes on.
"""

import gc
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import libcst as cst
import tyro
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation import mutators
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.pragma_handling import IgnoredCode

ROOT = Path(__file__).parents[1]
STATE = ROOT / ".mutants"
RESULTS, COVERAGE = STATE / "results.jsonl", STATE / "coverage.json"
LIST = Path(__file__).with_suffix(".md")
PRELOADED = (
    "torch torch._dynamo torchvision.transforms sympy numpy scipy.stats scipy.optimize sklearn.neighbors sklearn.cluster"
    " sklearn.datasets matplotlib.pyplot PIL.Image pytest hypothesis nbformat IPython ipywidgets safetensors.torch"
).split()
FEWER = ("encoding", "newline", "strict", "exist_ok", "parents", "fused")
"""Arguments that are not left out: what they change is not to be seen on one machine, or in right use."""


# The mistakes ---------------------------------------------------------------------------------------------------------


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
    if isinstance(node.func, cst.Attribute) and not isinstance(node.func.value, cst.Name):
        yield node.func.value
    elif isinstance(node.func, cst.Attribute) and not node.args:
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
    return tuple(" ".join(" ".join(lines[top : len(lines) - end]).split())[:200] for lines in (one, other))


# The tests ------------------------------------------------------------------------------------------------------------


class Chosen:
    """A plugin of pytest: runs the chosen tests in their order, and says which failed and how long each took."""

    def __init__(self, order: list[str] | None, context: Callable[[str], None] = lambda _: None) -> None:
        self.order, self.context = order, context
        self.failed: list[str] = []
        self.seconds: Counter[str] = Counter()

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        if self.order is not None:
            place = {name: i for i, name in enumerate(self.order)}
            items[:] = sorted((i for i in items if i.nodeid in place), key=lambda item: place[item.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.context(nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.seconds[report.nodeid] += report.duration
        if report.failed:
            self.failed.append(report.nodeid)


def _pytest(folder: Path, files: Iterable[str], plugin: Chosen, *options: str) -> int:
    import pytest

    plain = ["-q", "--assert=plain", "--disable-plugin-autoload", "-p", "no:cacheprovider"]
    return pytest.main([*plain, "--rootdir", str(folder), *options, *files], plugins=[plugin])


def _run_chosen(folder: Path, order: list[str]) -> str:
    """The first test that fails, "" if none does."""
    chosen = Chosen(order)
    status = _pytest(folder, dict.fromkeys(name.partition("::")[0] for name in order), chosen, "-x")
    return chosen.failed[0] if chosen.failed else "" if status == 0 else "import"


def _measure(folder: Path, files: list[str]) -> dict[str, Any]:
    """For each line which tests execute it, and how long each test takes. Ends the program when a test fails."""
    import coverage

    watch = coverage.Coverage(data_file=None, source=[str(folder / "ganlab")], config_file=False)
    watch.start()
    chosen = Chosen(None, watch.switch_context)
    _pytest(folder, files, chosen, "-m", "not slow and not gpu")
    watch.stop()
    data = watch.get_data()
    lines = {
        str(Path(file).relative_to(folder)): {
            str(line): tests for line, tests in data.contexts_by_lineno(file).items() if any(tests)
        }
        for file in data.measured_files()
    }
    return {"seconds": chosen.seconds, "lines": lines, "failed": chosen.failed}


def _in_child(folder: Path, work: Callable[[], Any], timeout: float) -> Any:
    """What work() gives in a forked process whose package is the one in `folder`; "timeout" when it takes longer."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        os.environ["PYTHONPATH"] = str(folder)
        log = os.open(folder / "log.tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        with os.fdopen(writes, "w") as pipe:
            try:
                result = work()
            except BaseException:
                result = traceback.format_exc()
            pipe.write(json.dumps(result))
        os._exit(0)
    os.close(writes)
    got, end = b"", time.monotonic() + timeout
    with os.fdopen(reads, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], max(0, end - time.monotonic()))[0]:
            part = pipe.read(1 << 20)
            got += part
            if not part:
                break
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return json.loads(got or '"timeout"')


# A round --------------------------------------------------------------------------------------------------------------


class Tests:
    """Which tests execute which line, from one run of all tests; files that changed since are run again."""

    def __init__(self, folder: Path) -> None:
        known = json.loads(COVERAGE.read_text()) if COVERAGE.exists() else {"files": {}}
        stamp = _digest(*sorted((ROOT / "ganlab").rglob("*.py")))
        if known.get("package") != stamp:
            known = {"package": stamp, "files": known["files"] if "--keep" in sys.argv else {}}
        for file in sorted((folder / "tests").glob("test_*.py")):
            name, now = f"tests/{file.name}", _digest(file)
            if known["files"].get(name, {}).get("digest") != now:
                print(f"measuring {name}", flush=True)
                measured = _in_child(folder, lambda name=name: _measure(folder, [name]), 1200)
                if isinstance(measured, str) or measured["failed"]:
                    sys.exit(f"{name} fails without any mistake: {measured}")
                known["files"][name] = measured | {"digest": now}
                COVERAGE.write_text(json.dumps(known))
        self.seconds: dict[str, float] = {}
        self.lines: dict[str, dict[int, set[str]]] = {}
        for measured in known["files"].values():
            self.seconds |= measured["seconds"]
            for module, lines in measured["lines"].items():
                for line, tests in lines.items():
                    self.lines.setdefault(module, {}).setdefault(int(line), set()).update(filter(None, tests))

    def of(self, mutant: Mutant, first: list[str], budget: float) -> list[str]:
        """The tests of a mutant: `first` ones first, then the quickest, as long as they take `budget` seconds in all.

        A line that runs at import belongs to all tests in its function, or to all tests of the files that use its module.
        """
        lines = self.lines.get(mutant.module, {})
        chosen = self._executing(lines, mutant.statement) or self._executing(lines, mutant.around or range(0))
        if not chosen:
            files = {test.partition("::")[0] for test in set().union(*lines.values())}
            chosen = {test for test in self.seconds if test.partition("::")[0] in files}
        order, spent = [], 0.0
        for test in sorted(chosen, key=lambda test: (test not in first, self.seconds.get(test, 0))):
            spent += self.seconds.get(test, 0)
            if order and spent > budget:
                break
            order.append(test)
        return order


    @staticmethod
    def _executing(lines: dict[int, set[str]], place: range) -> set[str]:
        return set().union(*(lines[line] for line in place if line in lines))


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _copy(number: int) -> Path:
    """A copy of the repository for one worker."""
    folder = STATE / f"copy-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(lambda name: (ROOT / name).is_file(), listed.stdout.splitlines()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


def _verdicts() -> dict[tuple[str, str], list[str]]:
    """What happened to each mutant, round by round: the test that caught it, "timeout", "import", or ""."""
    found: dict[tuple[str, str], list[str]] = {}
    for line in RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else ():
        module, name, caught_by = json.loads(line)
        found.setdefault((module, name), []).append(caught_by)
    return found


def _work(folder: Path, mutants: list[Mutant], tests: Tests, budget: float) -> None:
    """Try mutants one after the other, and write each verdict down at once."""
    first: list[str] = []
    for number, mutant in enumerate(mutants, start=1):
        begun, place = time.monotonic(), folder / mutant.module
        order = tests.of(mutant, first, budget)
        if order:
            original, times = place.read_bytes(), place.stat()
            place.write_text(mutant.code, encoding="utf-8")
            os.utime(place, (number, number))  # or Python would take the bytecode of another mutant of this second
            limit = 20 + 5 * sum(tests.seconds.get(test, 0) for test in order)
            caught_by = _in_child(folder, lambda order=order: _run_chosen(folder, order), limit)
            place.write_bytes(original)
            os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
        else:
            caught_by = ""
        if "::" in caught_by:
            first = [caught_by, *(test for test in first if test != caught_by)][:3]
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps([mutant.module, mutant.name, caught_by], ensure_ascii=False) + "\n")
        seconds = time.monotonic() - begun
        verdict = f"caught by {caught_by}" if caught_by else "SURVIVED"
        print(f"{seconds:5.1f} s  {mutant.module}:{mutant.line}  {mutant.name}  {verdict}", flush=True)


def _is_below(file: str, module: str) -> bool:
    return not module or file.startswith((f"ganlab/{module}.", f"ganlab/{module}/"))


def main(
    modules: Annotated[tuple[str, ...], tyro.conf.Positional] = (),
    jobs: int = 1,
    budget: float = 20,
    again: bool = False,
) -> None:
    """Try all mutants of some modules (all by default) that have no verdict yet.

    Args:
        modules: such as training, metrics/parzen or claims, below ganlab/.
        jobs: how many to try side by side.
        budget: seconds of tests for each mutant; the slowest tests are left out beyond.
        again: try those that survived, too.
    """
    STATE.mkdir(exist_ok=True)
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "ganlab").rglob("*.py"))
    wanted = [file for module in modules or [""] for file in files if _is_below(file, module)]
    folders = [_copy(number) for number in range(jobs)]
    for name in PRELOADED:
        __import__(name)
    gc.freeze()
    tests, known = Tests(folders[0]), _verdicts()
    for module in wanted:
        todo = [m for m in mutants_of(module) if not (v := known.get((module, m.name))) or (again and not v[-1])]
        workers = []
        for number, folder in enumerate(folders):
            if not (worker := os.fork()):
                _work(folder, todo[number::jobs], tests, budget)
                os._exit(0)
            workers.append(worker)
        for worker in workers:
            os.waitpid(worker, 0)


if __name__ == "__main__":
    tyro.cli(main)

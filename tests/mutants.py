"""Small mistakes, put into the package one at a time: do the unit tests notice? `make mutants` runs this.

The mistakes are those of tests/mistakes.py. For each one a child, forked from a process that has loaded all libraries
but nothing of ganlab, runs the tests that execute the changed lines, the quickest first, until one fails; a test that
hangs has noticed, too. What was found is kept in .mutants/, so that a run that is cut off goes on, and tests/mutants.md
lists what no test noticed. Needs fork, so not for Windows.
"""

import gc
import hashlib
import importlib
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
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import pytest
import tyro
from found import NAMES, RESULTS, STATE, modules_of_package, names_so_far, report, verdicts_so_far
from mistakes import ROOT, Mutant, mutants_of

COVERAGE = STATE / "coverage.json"
PRELOADED = """torch torch._dynamo torchvision.transforms sympy numpy scipy.stats scipy.optimize sklearn.neighbors
    sklearn.cluster sklearn.datasets matplotlib.pyplot PIL.Image hypothesis nbformat IPython ipywidgets
    safetensors.torch torchmetrics.image.fid""".split()  # noqa: SIM905


# The tests ------------------------------------------------------------------------------------------------------------


class Chosen:
    """A plugin of pytest: runs the chosen tests in their order, and says which failed and how long each took."""

    def __init__(self, order: list[str] | None, context: Callable[[str], object] = lambda _: None) -> None:
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
            known = {"package": stamp, "files": {}}
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

        A line that runs at import belongs to all tests in its function, or to all of the files that use its module.
        """
        lines = self.lines.get(mutant.module, {})
        chosen = self._executing(lines, mutant.statement) or self._executing(lines, mutant.around or range(0))
        if not chosen:
            files = {test.partition("::")[0] for test in set().union(*lines.values())}
            chosen = {test for test in self.seconds if test.partition("::")[0] in files}
        order: list[str] = []
        spent = 0.0
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


def _worker(folder: Path, mutants: list[Mutant], tests: "Tests", budget: float) -> int:
    """A process that tries these mutants; its id."""
    if worker := os.fork():
        return worker
    try:
        _work(folder, mutants, tests, budget)
    except BaseException:
        traceback.print_exc()
    os._exit(0)


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


def _open(verdicts: list[str], again: bool) -> bool:
    return not verdicts or (again and not verdicts[-1])


def main(
    modules: Annotated[tuple[str, ...], tyro.conf.Positional] = (),
    jobs: int = 1,
    budget: float = 20,
    again: bool = False,
    one_in: int = 1,
    report_only: bool = False,
) -> None:
    """Try all mutants of some modules (all by default) that have no verdict yet, and renew tests/mutants.md.

    Args:
        modules: such as training, metrics/parzen or claims, below ganlab/.
        jobs: how many to try side by side.
        budget: seconds of tests for each mutant; the slowest tests are left out beyond.
        again: try those that survived, too.
        one_in: try only this share of them, chosen by their names.
        report_only: try none.
    """
    STATE.mkdir(exist_ok=True)
    if not report_only:
        folders = [_copy(number) for number in range(jobs)]
        for name in PRELOADED:
            importlib.import_module(name)
        gc.freeze()  # children share the memory of what is loaded: the collector must not touch it
        tests, known = Tests(folders[0]), verdicts_so_far()
        for module in modules_of_package(modules):
            found = mutants_of(module)
            NAMES.write_text(json.dumps(names_so_far() | {module: [mutant.name for mutant in found]}), encoding="utf-8")
            todo = [m for m in found if _open(known.get((module, m.name), []), again)]
            todo = [m for m in todo if int(hashlib.sha256(m.name.encode()).hexdigest(), 16) % one_in == 0]
            workers = [_worker(folder, todo[i::jobs], tests, budget) for i, folder in enumerate(folders)]
            for worker in workers:
                os.waitpid(worker, 0)
    report()


if __name__ == "__main__":
    tyro.cli(main)

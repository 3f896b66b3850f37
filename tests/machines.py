"""Does a green run hang on the machine? `make machines` plays unlike ones on this one, and compares.

Under each of `MACHINES` it runs all lessons under strict nbval and the tests that train. Then it writes
`tests/machines.md`: what was green, and for each observed claim the room that the worst machine left to its bound.
One machine moves every seed instead: a bound that hangs on one seed set hangs on the machine as well.

The rule: that room is at least half of the range that the machines with the lessons' own seeds span, and under other
seeds the claim holds as well. A claim that breaks it asks for a weaker statement or a bigger experiment, never for
another seed.

    python tests/machines.py [--only NAME …] [--lessons 05 …] [-j 2]

What was green is kept in runs/machines and not run again: delete that folder to begin anew.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganlab.experiments.records import environment
from ganlab.measured import Measured

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "runs" / "machines"
REPORT = ROOT / "tests" / "machines.md"
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
TRAINING = "tests that train"
TESTS_THAT_TRAIN = [
    f"tests/test_{name}.py"
    for name in (
        *("averaging", "checkpoint", "checkpoint_damage", "classifier", "colour", "conditional_runs", "conditions"),
        *("copied_gans", "dcgan", "dcgan_probe", "ensemble", "exercise_breaks", "exercise_later_steps", "exercises_10"),
        *("interrupts", "mode_counts", "models", "own_bounds", "own_networks", "penalised_training", "randomness"),
        *("schedules", "score_itself", "scored", "table_1", "together", "training", "updates", "wide2014"),
    )
]
SEEDS_MOVED_BY = 1000


@dataclass(frozen=True)
class Machine:
    """A machine that this one can play: what it sets, and whether it has the oldest versions or other seeds."""

    name: str
    environment: dict[str, str] = field(default_factory=dict)
    oldest: bool = False
    moved_seeds: int = 0


def _threads(number: int) -> dict[str, str]:
    return {"OMP_NUM_THREADS": str(number), "MKL_NUM_THREADS": str(number)}


_SSE41 = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE"}
_AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "AVX2"}
_AVX512 = {"ATEN_CPU_CAPABILITY": "avx512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}
MACHINES = (
    Machine("native, 1 thread", _threads(1)),
    Machine("AVX2, 1 thread", _AVX2 | _threads(1)),
    Machine("SSE4.1, 1 thread", _SSE41 | _threads(1)),
    Machine("AVX-512 without AMX, 1 thread", _AVX512 | _threads(1)),
    Machine("oldest torch, 1 thread", _threads(1), oldest=True),
    Machine("seeds + 1000, 1 thread", _threads(1), moved_seeds=SEEDS_MOVED_BY),
    Machine("native, 2 threads", _threads(2)),
    Machine("native, 3 threads", _threads(3)),
)


def run_part(machine: Machine, part: str) -> dict[str, Any]:
    """Run one lesson, or the tests that train, as this machine, unless it was green before; what came of it."""
    place = RESULTS / _slug(machine.name) / f"{_slug(part)}.json"
    if place.exists() and (before := json.loads(place.read_text(encoding="utf-8")))["green"]:
        return before
    place.parent.mkdir(parents=True, exist_ok=True)
    kept = place.with_suffix(".claims")
    begun = time.perf_counter()
    done = subprocess.run(
        [str(_python(machine)), "-m", "pytest", "-q", "-p", "no:cacheprovider", *_what(machine, part)],
        cwd=ROOT,
        env=_environment(machine, part, kept),
        capture_output=True,
        text=True,
        check=False,
    )
    result = {
        "machine": machine.name,
        "part": part,
        "green": done.returncode == 0,
        "seconds": round(time.perf_counter() - begun),
        "said": [line for line in done.stdout.splitlines() if line.strip()][-40:] if done.returncode else [],
        "claims": json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else [],
    }
    kept.unlink(missing_ok=True)
    place.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(f"{machine.name}, {part}: {'green' if result['green'] else 'RED'}, {result['seconds']} s", flush=True)
    for line in result["said"]:
        print(line, flush=True)
    return result


def _what(machine: Machine, part: str) -> list[str]:
    if part == TRAINING:
        return TESTS_THAT_TRAIN
    # Other seeds print other numbers: there a lesson's claims have to hold, its printed text may differ.
    strictness = "--nbval-lax" if machine.moved_seeds else "--nbval"
    return [strictness, "--nbval-current-env", f"notebooks/{part}.ipynb"]


def _python(machine: Machine) -> Path:
    place = ROOT / (".venv-oldest" if machine.oldest else ".venv")
    return place / "bin" / "python"


def _environment(machine: Machine, part: str, kept: Path) -> dict[str, str]:
    variables = os.environ | machine.environment | {"OMP_WAIT_POLICY": "passive"}
    variables["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    # torch.compile's cache does not ask which instructions code was made for: another machine's gives wrong numbers.
    variables["TORCHINDUCTOR_CACHE_DIR"] = str(RESULTS / _slug(machine.name) / "compiled")
    if machine.moved_seeds:
        variables["GANLAB_MOVED_SEEDS"] = str(machine.moved_seeds)
    if part != TRAINING:
        startup = kept.with_suffix(".ipython") / "profile_default" / "startup"
        startup.mkdir(parents=True, exist_ok=True)
        (startup / "00_machines.py").write_text("import machines_startup\n", encoding="utf-8")
        variables |= {"IPYTHONDIR": str(startup.parents[1]), "GANLAB_KEPT_CLAIMS": str(kept)}
    return variables


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def report(results: list[dict[str, Any]]) -> str:
    """The text of `tests/machines.md`."""
    varying = [of for of in rooms(results).values() if len(set(of.values())) > 1]
    lines = [
        "# The course on unlike machines",
        "",
        f"Made by `make machines` on {environment()['processor']}, {os.cpu_count()} cores, torch"
        f" {environment()['torch']} (oldest: 2.11). What was green, and how long it took:",
        "",
        *_green_table(results),
        "",
        f"Of {len(rooms(results))} observed claims {len(varying)} have numbers that differ from machine to machine. How"
        " much room the worst machine leaves to the bound, the most room, and the first in shares of the range that all"
        " span; too tight is less than ½ of the range of the machines with the lessons' own seeds:",
        "",
        *_bounds_table(results),
    ]
    return "\n".join(lines) + "\n"


def _green_table(results: list[dict[str, Any]]) -> Iterator[str]:
    parts = list(dict.fromkeys(result["part"] for result in results))
    yield "| machine | " + " | ".join(part if part == TRAINING else part[:2] for part in parts) + " |"
    yield "|---" * (len(parts) + 1) + "|"
    for name in dict.fromkeys(result["machine"] for result in results):
        of = {result["part"]: result for result in results if result["machine"] == name}
        cells = (f"{'✓' if of[part]['green'] else '✗'} {of[part]['seconds']} s" if part in of else "" for part in parts)
        yield f"| {name} | " + " | ".join(cells) + " |"


def rooms(results: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, float]]:
    """How far inside its bound each observed claim lies: by lesson and statement, then by machine."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for result in results:
        seen: Counter[str] = Counter()
        for claim in (claim for claim in result["claims"] if claim["kind"] == "observed"):
            seen[claim["statement"]] += 1
            number = seen[claim["statement"]]
            key = (result["part"][:2], claim["statement"] + (f" ({number})" if number > 1 else ""))
            found.setdefault(key, {})[result["machine"]] = Measured(**claim["measured"]).room
    return found


def tight(of: dict[str, float]) -> bool:
    """Whether a bound hangs on the machine: the worst one's room is less than half the range that they span. Where
    seeds are moved a claim has to hold, no more: its numbers are others."""
    other_seeds = {machine.name for machine in MACHINES if machine.moved_seeds}
    own = [room for name, room in of.items() if name not in other_seeds]
    return bool(own) and min(own) < (max(own) - min(own)) / 2


def _bounds_table(results: list[dict[str, Any]]) -> Iterator[str]:
    """The claims whose numbers differ from machine to machine, the tightest first."""
    rows = []
    for (lesson, statement), of in rooms(results).items():
        worst, best = min(of, key=of.__getitem__), max(of.values())
        if (spread := best - of[worst]) > 0:
            mark = "**too tight**" if tight(of) else f"{of[worst] / spread:.2g}"
            row = f"| {lesson} | {statement} | {of[worst]:.3g} | {best:.3g} | {mark} | {worst} |"
            rows.append((of[worst] / spread, row))
    yield "| lesson | claim | least room to the bound | most | least / range | least on |"
    yield "|---|---|---|---|---|---|"
    yield from (row for _, row in sorted(rows))


def main() -> int:
    """Status 1 when anything was red."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument(
        "--only", nargs="+", help="names of machines", choices=[m.name for m in MACHINES], metavar="NAME"
    )
    options.add_argument("--parts", nargs="+", help=f"beginnings of lessons, or '{TRAINING}'")
    options.add_argument("-j", type=int, default=2, help="parts side by side")
    chosen = options.parse_args()
    machines = [m for m in MACHINES if not chosen.only or m.name in chosen.only]
    parts = [p for p in (*LESSONS, TRAINING) if not chosen.parts or any(p.startswith(name) for name in chosen.parts)]
    missing = sorted({str(_python(m).parents[1].name) for m in machines if not _python(m).exists()})
    if missing:
        print(f"no environment {', '.join(missing)}; run: make machines", file=sys.stderr)
        return 2
    # Tests compare with processes of their own, whose seeds nobody moves.
    jobs = [(m, part) for m in machines for part in parts if part != TRAINING or not m.moved_seeds]
    with ThreadPoolExecutor(chosen.j) as pool:
        results = list(pool.map(lambda job: run_part(*job), jobs))
    text = report(results)
    print(text)
    if not (chosen.only or chosen.parts):
        REPORT.write_text(text, encoding="utf-8")
    return 0 if all(result["green"] for result in results) and not any(map(tight, rooms(results).values())) else 1


if __name__ == "__main__":
    sys.exit(main())

"""What `make mutants` found: kept in .mutants/, and shown in tests/mutants.md."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
STATE = ROOT / ".mutants"
RESULTS, NAMES = STATE / "results.jsonl", STATE / "names.json"
LIST, START = (
    Path(__file__).with_name("mutants.md"),
    "<!-- from here on `make mutants` writes; the reasons are kept -->",
)


def modules_of_package(wanted: Iterable[str] = ()) -> list[str]:
    """Files of the package, such as ganlab/claims.py: those of the wanted names, in their order, or all."""
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "ganlab").rglob("*.py"))
    if not wanted:
        return files
    return [file for name in wanted for file in files if file.startswith((f"ganlab/{name}.", f"ganlab/{name}/"))]


def verdicts_so_far() -> dict[tuple[str, str], list[str]]:
    """What happened to each mutant, round by round: the test that caught it, "timeout", "import", or ""."""
    found: dict[tuple[str, str], list[str]] = {}
    for line in RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else ():
        module, name, caught_by = json.loads(line)
        found.setdefault((module, name), []).append(caught_by)
    return found


def names_so_far() -> dict[str, list[str]]:
    """For each module that was begun, the names of all its mutants."""
    return json.loads(NAMES.read_text(encoding="utf-8")) if NAMES.exists() else {}


def report() -> None:
    """Renew tests/mutants.md for the modules that were tried here; the reasons that stand there are kept."""
    text = LIST.read_text(encoding="utf-8")
    rows = {
        row[1]: [int(n) for n in row[2].split("|")] for row in re.finditer(r"(?m)^\| (ganlab/\S+) \|([\d |]+)\|", text)
    }
    lists: dict[str, dict[str, str]] = {}
    for part in text.split("\n## ")[1:]:
        pairs = re.findall(r"(?m)^\| (`.*`) \| (.*) \|$", part)
        lists[part.partition("\n")[0].strip("`")] = {name: reason.strip() for name, reason in pairs}
    verdicts = verdicts_so_far()
    for module, names in ((module, names) for module, names in names_so_far().items() if names):
        known = [(name, verdicts[module, name]) for name in names if (module, name) in verdicts]
        lists[module] = {name: lists.get(module, {}).get(name, "") for name, found in known if not found[-1]}
        equivalent = sum(reason.startswith("equivalent") for reason in lists[module].values())
        first = sum(bool(found[0]) for _, found in known)
        rows[module] = [len(names), len(known), first, len(known) - len(lists[module]), equivalent]
    rows["all"] = [sum(column) for column in zip(*(row for name, row in rows.items() if name != "all"), strict=True)]
    open_ = [name for name in modules_of_package() if name not in rows or rows[name][1] < rows[name][0]]
    lines = [
        text.partition(START)[0] + START,
        "",
        "| module | mistakes | tried | caught at first | caught now | equivalent | share caught |",
        "|---|" + "---|" * 6,
        *(_row(name, row) for name, row in sorted(rows.items(), key=lambda item: (item[0] == "all", item[0]))),
        "",
        f"Not tried, or not all of it: {', '.join(open_) or 'none'}.",
    ]
    for module, left in sorted(lists.items()):
        lines += ["", f"## `{module}`", "", "| mistake | why no test notices |", "|---|---|"] if left else []
        lines += [f"| {name} | {reason} |" for name, reason in left.items()]
    LIST.write_text("\n".join([*lines, ""]), encoding="utf-8")


def _row(name: str, counts: list[int]) -> str:
    """The share is that of those tried that are not equivalent."""
    _, tried, _, now, equivalent = counts
    return f"| {name} | {' | '.join(map(str, counts))} | {now / max(1, tried - equivalent):.1%} |"

"""The ledger of the course: every claim that the lessons made when they were last run, read from their outputs."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganlab.claims import ID, KINDS, Claim
from ganlab.errors import ConfigError

# Strict about ids: a statement may end in an interval, such as [0, 1].
_LINE = re.compile(
    rf"✓ (?P<kind>proved|verified|observed): (?P<statement>.*?)(?: \[(?P<answers>{ID.pattern}(?:, {ID.pattern})*)\])?"
)


@dataclass(frozen=True)
class Entry:
    """A claim as a lesson made it."""

    notebook: str
    claim: Claim


def read_ledger(notebooks: Path) -> list[Entry]:
    """The claims in the outputs of all lessons in a folder, in file order: what was printed when they last ran.

    Raises `ConfigError` for a folder without notebooks, and for a file that is none.
    """
    paths = sorted(notebooks.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise ConfigError(f"{notebooks} holds no lessons; give the folder of the notebooks.")
    entries = []
    for path in paths:
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigError(f"{path} is no notebook, or only a part of one; fetch it again.") from error
        outputs = (output for cell in cells for output in cell.get("outputs", []))
        lines = (line for output in outputs for line in _text(output).splitlines())
        entries += [Entry(path.stem, claim) for claim in map(parse, lines) if claim is not None]
    return entries


def _text(output: dict[str, Any]) -> str:
    """What a cell printed, or published as plain text: a claim's line as it is on every machine."""
    return "".join(output["text"] if output.get("name") == "stdout" else output.get("data", {}).get("text/plain", ""))


def parse(line: str) -> Claim | None:
    """The claim that printed this line; None for a line that is no claim's."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    answers = match["answers"].split(", ") if match["answers"] else []
    return Claim(match["kind"], match["statement"], tuple(answers))


def format_ledger(entries: Sequence[Entry]) -> str:
    """All claims by kind, each with its lesson, then how each question is answered."""
    lines = []
    for kind in KINDS:
        chosen = [entry for entry in entries if entry.claim.kind == kind]
        lines += [
            f"{kind} ({len(chosen)})",
            *(f"  {e.notebook[:2]}  {str(e.claim).split(': ', 1)[1]}" for e in chosen),
            "",
        ]
    answered: dict[str, list[str]] = {}
    for entry in entries:
        for answer in entry.claim.answers:
            answered.setdefault(answer, []).append(f"{entry.claim.kind} in {entry.notebook[:2]}")
    lines.append(f"questions ({len(answered)})")
    for answer in sorted(answered, key=lambda id_: (id_[0], int(id_[1:]))):
        lines.append(f"  {answer:<4} {', '.join(dict.fromkeys(answered[answer]))}")
    return "\n".join(lines)

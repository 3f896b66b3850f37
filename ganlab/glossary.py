"""The course's words and symbols: what each means, in three languages, and where a lesson introduces it.

The list itself is glossary.txt, beside this file; its first lines say how it is read.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LIST = Path(__file__).with_name("glossary.txt")
_ENGLISH = re.compile(r"(?P<name>.*?)(?: \(`(?P<code>.+)`\))?")


@dataclass(frozen=True)
class Term:
    """A word, such as `latent vector`, or a symbol in dollar signs, such as `$z$`."""

    name: str
    code: str  # how the course's code writes it; "" for no name of its own
    forms: tuple[str, ...]  # other words and symbols that a lesson may use for it
    others: tuple[str, ...]  # phrases that hold one of these words and mean something else
    japanese: str
    korean: str
    meaning: str
    cell: str  # the id of the cell that introduces it, such as 00-009

    @property
    def lesson(self) -> str:
        """The number of the lesson that introduces it, such as 00."""
        return self.cell[:2]


@cache
def terms() -> tuple[Term, ...]:
    """All words and symbols, in the order of the list."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return tuple(_term(line) for line in lines if not line.startswith("#"))


def _term(line: str) -> Term:
    english, also, japanese, korean, meaning, cell = (part.strip() for part in line.split("|"))
    found = _ENGLISH.fullmatch(english)
    assert found is not None  # any text has this form
    also = [part.strip() for part in also.split(",") if part.strip()]
    forms = tuple(part for part in also if not part.startswith("not "))
    others = tuple(part.removeprefix("not ") for part in also if part.startswith("not "))
    return Term(found["name"], found["code"] or "", forms, others, japanese, korean, meaning, cell)


def table() -> str:
    """The glossary as Markdown: the symbols, then the words, each in the order of the lessons."""
    symbols = [term for term in terms() if term.name.startswith("$")]
    words = [term for term in terms() if term not in symbols]
    return "\n\n".join((_rows("symbol", symbols), _rows("word", words)))


def _rows(kind: str, listed: list[Term]) -> str:
    rows = [(kind, "meaning", "in the code", "日本語", "한국어", "lesson"), ("---",) * 6]
    for term in listed:
        names = ", ".join((term.name, *(form for form in term.forms if form == form.upper())))  # abbreviations, too
        code = f"`{term.code}`" if term.code else ""
        rows.append((names, term.meaning, code, term.japanese, term.korean, term.lesson))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)

"""How lessons are read: how long it takes, which words and symbols a cell uses, and in which order."""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ganlab.glossary import Term
from ganlab.ledger import parse

WORDS_A_MINUTE, LINES_A_MINUTE = 150, 12
MATHS = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)
NO_PROSE = re.compile(r"```.*?```|`[^`]*`|(?<=\])\([^)]*\)|</?[a-z]+[^<>]*>", re.DOTALL)
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n(?=[-|#])")
NO_LETTERS = [
    re.compile(r"\\(?:text|mathrm|mathbb|operatorname|mathsf|begin|end)\s*(?:\{[^{}]*\}|[A-Z])"),  # names, 𝔼, and ᵀ
    re.compile(r"_(?:\{[^{}]*\}|\\?[A-Za-z]+|.)"),  # indices
    re.compile(r"(?<![\\A-Za-z])d(?=[A-Za-z\\])"),  # dx
]
# All but π, which is a number, and χ, which is part of a name.
GREEK = re.compile(
    r"\\(?:[Aa]lpha|[Bb]eta|[Gg]amma|[Dd]elta|(?:var)?epsilon|zeta|eta|(?:var)?theta|Theta|iota|kappa|[Ll]ambda|mu|nu|[Xx]i"
    r"|Pi|rho|[Ss]igma|tau|[Uu]psilon|(?:var)?phi|Phi|[Pp]si|[Oo]mega)(?![A-Za-z])"
)
POINTER = re.compile(r"(?i)lessons? (\d\d)(?:(?:,| and| to) (\d\d))?")


class Use(NamedTuple):
    """A term where it comes too early: the lesson, the cell, the term, and what is said there."""

    lesson: str
    cell: str
    term: str
    said: str


def minutes(cells: Iterable[Any]) -> float:
    """Reading time: all words of the text cells, and the lines of code that are neither blank nor folded.

    What stands between two spaces is a word. Exercises and sources count, folded solutions do not.
    """
    words = lines = 0
    for cell in cells:
        if cell.cell_type == "markdown":
            words += len(cell.source.split())
        elif not cell.metadata.get("jupyter", {}).get("source_hidden", False):
            lines += sum(bool(line.strip()) for line in cell.source.splitlines())
    return words / WORDS_A_MINUTE + lines / LINES_A_MINUTE


def sentences(source: str) -> list[str]:
    """The sentences of a text cell, without code and the targets of links."""
    return [part.strip() for part in SENTENCE.split(NO_PROSE.sub(" ", source)) if part and part.strip()]


def maths(text: str) -> str:
    """What stands between dollar signs."""
    return " ".join(shown or inline for shown, inline in MATHS.findall(text))


@functools.cache
def pattern(form: str) -> re.Pattern[str]:
    """Finds a word with its plural, or a symbol within maths."""
    if form.startswith("$"):
        symbol = form.strip("$")
        before = r"(?<![\\A-Za-z])" if symbol[0].isalpha() else ""
        return re.compile(before + re.escape(symbol) + r"(?![A-Za-z])")
    words = r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", form)))
    cased = 0 if any(letter.isupper() for letter in form) else re.IGNORECASE
    return re.compile(rf"(?<!\w){words}(?:s|es)?(?!\w)", cased)


def used(sentence: str, terms: Sequence[Term]) -> set[str]:
    """The names of the terms that a sentence uses. A longer one hides those in it: cross-entropy is no entropy."""
    symbols, words, found = maths(sentence), MATHS.sub(" ", sentence), set()
    forms = [(form, term.name) for term in terms for form in (term.name, *term.forms)]
    forms += [(phrase, "") for term in terms for phrase in term.others]
    for form, name in sorted(forms, key=lambda one: -len(one[0])):
        if form.startswith("$"):
            found |= {name} if pattern(form).search(symbols) else set()
        else:
            words, times = pattern(form).subn(" ", words)
            found |= {name} if times and name else set()
    return found


def claimed(cell: Any) -> list[str]:
    """The statements of the claims that a cell of code printed."""
    printed = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return [claim.statement for claim in map(parse, "\n".join(printed).splitlines()) if claim is not None]


def too_early(lessons: Mapping[str, Sequence[Any]], terms: Sequence[Term]) -> list[Use]:
    """The uses of terms before the cell that introduces them, in texts and in claims, lessons being read in order.

    What comes may be named by a lesson's first cell, which says what it is about; by its sources; by a sentence that
    points to the lesson, or to a later one: (lesson 05); and by a claim whose term stands in the text above it.
    """
    order = [cell.id for number in sorted(lessons) for cell in lessons[number]]
    place = {cell: number for number, cell in enumerate(order)}
    found = []
    for number, cells in sorted(lessons.items()):
        above: set[str] = set()
        for cell in cells[1:]:
            coming = {term.name: term.lesson for term in terms if place[term.cell] > place[cell.id]}
            if cell.cell_type == "code":
                pairs = [(said, used(said, terms) & coming.keys() - above) for said in claimed(cell)]
            elif cell.source.startswith("## Sources"):
                continue
            else:
                uses = {sentence: used(sentence, terms) for sentence in sentences(cell.source)}
                above = set().union(*uses.values())
                pairs = [
                    (sentence, {name for name in names & coming.keys() if coming[name] > farthest(sentence)})
                    for sentence, names in uses.items()
                ]
            found += [Use(number, cell.id, name, said) for said, early in pairs for name in sorted(early)]
    return found


def farthest(sentence: str) -> str:
    """The last lesson that a sentence points to, such as 05; "" for none."""
    return max((lesson for pair in POINTER.findall(sentence) for lesson in pair), default="")


def letters(cells: Iterable[Any]) -> set[str]:
    r"""The letters in the maths of the text cells, such as D and \theta, without indices and without the d of dx."""
    text = " ".join(maths(NO_PROSE.sub(" ", cell.source)) for cell in cells if cell.cell_type == "markdown")
    for no_letter in NO_LETTERS:
        text = no_letter.sub(" ", text)
    return {*GREEK.findall(text), *re.findall(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", " ", text))}

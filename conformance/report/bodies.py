"""Bodies as the page shows them: laid out, bounded, with what decided the verdict marked."""

import re
from collections.abc import Iterator, Sequence

from attrs import define, frozen
from markupsafe import escape

from conformance.results import Verdict
from conformance.text import harmless, indented

MOST_WORDS = 2000
MOST_MARKS = 12
"""Lines of one body that are marked; where everything stands out, nothing does."""

_QUOTED = re.compile(r" with \{.*?(?=, and (?!.*, and )|$)", re.DOTALL)
_KEY = re.compile(r'^\s*"([^"\\]+)": ')
_ID = re.compile(r"\d{6,}")
_NUMBER = re.compile(r'(?<="requestNo": )"[^"]*"')
_COMMON = frozenset({"refund", "refunds", "order", "line", "limit"})


@frozen
class Line:
    """A line of a body; ``marked`` when the verdict speaks of it."""

    text: str
    marked: bool = False


@frozen
class Body:
    """What is shown of a body, and whether that is all of it."""

    lines: tuple[Line, ...] = ()
    whole: bool = True


@define
class Allowance:
    """How many bytes of page may still be taken."""

    left: int

    def spend(self, size: int) -> bool:
        """Take room for so many bytes of markup; return whether there was any."""
        there_is = self.left >= size
        self.left = max(0, self.left - size)
        return there_is

    def cut(self, text: str) -> str:
        """Return as much of the text as there is room for, and take that room."""
        text = harmless(text)
        size = len(escape(text).encode())
        if size > self.left:
            text = text[: len(text) * self.left // size]
            size = len(escape(text).encode())
        self.spend(size)
        return text


def contrast(
    one: tuple[Sequence[str], Sequence[str]], other: tuple[Sequence[str], Sequence[str]]
) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """Return the lines of two requests, each a head and a body, with those marked that the other does not have.

    Ids and request numbers do not count, and lines of the head are only kept when they differ.
    """
    sets = [{_likened(line) for part in each for line in part} for each in (one, other)]
    differ = sets[0] ^ sets[1]

    def lines(head: Sequence[str], body: Sequence[str]) -> tuple[Line, ...]:
        kept = [line for line in head if _likened(line) in differ]
        return tuple(Line(line, marked=_likened(line) in differ) for line in (*kept, *body))

    return lines(*one), lines(*other)


def body(text: str, wanted: frozenset[str], allowance: Allowance) -> Body:
    """Return as much of a body as there is room for, with the lines marked that have one of the wanted words."""
    # What there is no room for is not laid out either: bodies may be large, and there may be thousands.
    begun = text[: allowance.left]
    laid_out = indented(harmless(begun))
    kept = allowance.cut(laid_out)
    return Body(tuple(_lines(kept, wanted)), whole=(begun, laid_out) == (text, kept))


def _lines(text: str, wanted: frozenset[str]) -> Iterator[Line]:
    lines = text.split("\n") if text else []
    keys = [(number, key[1], line) for number, line in enumerate(lines) if (key := _KEY.match(line))]
    deciding = [number for number, key, _ in keys if _folded(key) in wanted]
    if not deciding:  # where no field is named, a record is that should not be there
        deciding = [number for number, _, line in keys if not wanted.isdisjoint(_ID.findall(line))]
    marked = set(deciding[:MOST_MARKS])
    return (Line(line, number in marked) for number, line in enumerate(lines))


def named(verdict: Verdict) -> frozenset[str]:
    """Return the words of a failure that may be names of fields, and the ids that were not expected.

    An answer that is quoted in it names every field that it has, and so none.
    """
    expected, observed = verdict.expected[:MOST_WORDS], _QUOTED.sub(" ", verdict.observed[:MOST_WORDS])
    words: Sequence[str] = re.findall(r"[A-Za-z_]{4,}", f"{expected} {observed}")
    ids = set(_ID.findall(observed)) - set(_ID.findall(expected))
    return (frozenset(_folded(word) for word in words) - _COMMON) | ids


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


def _likened(line: str) -> str:
    """Return a line with what is different in any two requests taken out."""
    return _ID.sub("#", _NUMBER.sub("", line)).strip().rstrip(",")

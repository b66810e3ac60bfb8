"""Exchanges as the page shows them: in their order, bounded, with what decided the verdict marked."""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from attrs import define, frozen
from markupsafe import escape

from conformance.report.text import harmless, indented
from conformance.results import Evidence, Verdict

MOST_EXCHANGES = 24
"""Exchanges of one verdict that are shown; a check that polls may have made hundreds."""

MOST_PATH = 400
MOST_WORDS = 2000
MOST_MARKS = 12
"""Lines of one body that are marked; where everything stands out, nothing does."""

EXCHANGE_BYTES = 1000
"""What the markup around an exchange takes."""

ROLES: Mapping[str, str] = {
    "order": "set-up",
    "arrange": "set-up",
    "act": "request",
    "look": "look",
    "probe": "probe",
    "control": "control",
    "open": "observed",
}
_FIRST = ("probe", "control", "act", "look", "arrange", "order", "open")
_KEY = re.compile(r'^\s*"([^"\\]+)": ')
_ID = re.compile(r"\d{6,}")
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


@frozen
class Shown:
    """One exchange as the page shows it."""

    number: int
    exchange: Evidence
    role: str
    path: str
    decides: bool
    request: Body
    response: Body
    curl: str

    @property
    def whole(self) -> bool:
        """Whether both bodies are shown to their ends."""
        return self.request.whole and self.response.whole


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


def shown(verdict: Verdict, allowance: Allowance) -> tuple[list[Shown], int]:
    """Return the exchanges of a verdict in their order, and how many are left out.

    Room is given to the probe and its control first, so that they are whole when a report has to be short.
    """
    probe = verdict.deciding
    named = _named(verdict)
    ranked = sorted(enumerate(verdict.telling, start=1), key=lambda entry: _rank(entry[1], probe))
    chosen = [
        _shown(number, each, each is probe, named, allowance)
        for number, each in ranked[:MOST_EXCHANGES]
        if allowance.spend(EXCHANGE_BYTES) or each is probe
    ]
    return sorted(chosen, key=lambda each: each.number), len(ranked) - len(chosen)


def path_of(url: str) -> str:
    """Return an address without scheme and host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _rank(exchange: Evidence, probe: Evidence | None) -> tuple[bool, int]:
    role = _FIRST.index(exchange.role) if exchange.role in _FIRST else len(_FIRST)
    return exchange is not probe, role


def _shown(number: int, exchange: Evidence, decides: bool, named: frozenset[str], allowance: Allowance) -> Shown:  # noqa: FBT001 - one of its facts
    judged = exchange.role in {"probe", "look", "act"}
    return Shown(
        number=number,
        exchange=exchange,
        role=ROLES.get(exchange.role, exchange.role),
        path=allowance.cut(path_of(exchange.url)[:MOST_PATH]),
        decides=decides,
        request=_body(exchange.request_body or "", frozenset(), allowance),
        response=_body(exchange.response_body, named if judged else frozenset(), allowance),
        curl=allowance.cut(exchange.curl),
    )


def _body(text: str, named: frozenset[str], allowance: Allowance) -> Body:
    # What there is no room for is not laid out either: bodies may be large, and there may be thousands.
    begun = text[: allowance.left]
    laid_out = indented(harmless(begun))
    kept = allowance.cut(laid_out)
    return Body(tuple(_lines(kept, named)), whole=(begun, laid_out) == (text, kept))


def _lines(text: str, named: frozenset[str]) -> Iterator[Line]:
    marks = 0
    for line in text.split("\n") if text else ():
        key = _KEY.match(line)
        decides = key is not None and (_folded(key[1]) in named or not named.isdisjoint(_ID.findall(line)))
        marked = decides and marks < MOST_MARKS
        marks += marked
        yield Line(line, marked)


def _named(verdict: Verdict) -> frozenset[str]:
    """Return the words of a failure that may be names of fields, and the ids that were not expected."""
    expected, observed = verdict.expected[:MOST_WORDS], verdict.observed[:MOST_WORDS]
    words: Sequence[str] = re.findall(r"[A-Za-z_]{4,}", f"{expected} {observed}")
    ids = set(_ID.findall(observed)) - set(_ID.findall(expected))
    return (frozenset(_folded(word) for word in words) - _COMMON) | ids


def _folded(name: str) -> str:
    return name.replace("_", "").lower()

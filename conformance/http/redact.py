"""Secrets leave no trace: every form in which a token could be shown is replaced by a name."""

import base64
import html
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from urllib.parse import quote, quote_plus

MIN_SECRET = 4
"""A shorter value is not hidden everywhere it occurs: it would make every text unreadable."""
LONGEST_CHARACTER = 12
"""Characters that one of a secret may take when it is written as an escape, as in ``&amp;#x0074;``."""
LAYERS = 4
"""How many times a text is read with one layer of escapes taken away: there may be JSON in JSON in an address."""
VARIABLE = re.compile(r"\$(?:GENSTORE_TOKEN|(?:TOKEN|OTHER_SHOP|HEADER|ORDERS|PROXY)_[A-Z0-9_]+)")
"""What stands in the place of a secret of a target, and is a variable of the shell in what is sent again."""
_ESCAPE = re.compile(
    r"%([0-9a-f]{2})|\\(?:u00|x)([0-9a-f]{2})|&#x0*([0-9a-f]{2});?|&#0*([0-9]{2,3});?|&(lt|gt|quot|amp);"
    # What nobody sees, or reads over, stands between characters of a secret as between any others.
    r"|\\[nrt]|\\(.)|[\x00-\x1f\x7f\xad\u200b-\u200f\u2060\ufeff]+",
    re.IGNORECASE,
)
MAX_KEPT, MOST_KEPT = 200, 4096
"""Short texts, as header values, come again and again: so many are kept as they are shown (characters, texts)."""
_NAMED = {"lt": "<", "gt": ">", "quot": '"', "amp": "&"}


class _Table:
    """The spellings of some secrets and what is shown in their place; it is never changed, only replaced by another."""

    def __init__(self, names: Mapping[str, str], longest: int) -> None:
        self.names = names
        self.longest = longest
        self.lower = {spelling.lower(): shown for spelling, shown in names.items()}
        self.kept: dict[str, str] = {}

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self.names, key=len, reverse=True)
        # Beyond ASCII there are characters that match a letter in other case, and are none of ours.
        return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE | re.ASCII)

    def shown(self, text: str) -> str:
        if len(text) > MAX_KEPT:
            return self._redacted(text)
        if len(self.kept) > MOST_KEPT:
            self.kept.clear()
        return self.kept.get(text) or self.kept.setdefault(text, self._redacted(text))

    def _redacted(self, text: str) -> str:
        found: list[tuple[int, int, str]] = []
        layer = text
        for depth in range(LAYERS):
            lowered = layer.lower()  # looking for texts is much quicker than for a pattern, and there is rarely any
            if any(map(lowered.__contains__, self.lower)):
                places = _places(text, depth)
                matches = self.pattern.finditer(layer)
                found += [(places[m.start()], places[m.end()], self.lower[m[0].lower()]) for m in matches]
            if layer.isprintable() and not any(mark in layer for mark in "%\\&"):
                break  # nothing is escaped, which is quicker to see than to look for each escape
            under, layer = layer, _ESCAPE.sub(_character, layer)
            if under == layer:
                break
        return _replaced(text, found) if found else text


class Redactor:
    """Replaces the values of secrets, in any common spelling, in texts that leave the suite.

    It is safe to use from several threads.
    """

    def __init__(self, secrets: Iterable[tuple[str, str]] = ()) -> None:
        self._table = _Table({}, 0)
        self._lock = threading.Lock()
        for name, value in secrets:
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """From now on ``value`` is shown as ``$name``."""
        if len(value) < MIN_SECRET:
            return
        with self._lock:
            names = {**self._table.names, **dict.fromkeys(_spellings(value), f"${name}")}
            longest = max(self._table.longest, *map(len, names), len(value) * LONGEST_CHARACTER)
            self._table = _Table(names, longest)

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced by its name."""
        table = self._table
        return table.shown(text) if text and table.names else text

    def start(self, text: str | bytes, length: int) -> str:
        """Return the beginning of the text, redacted, without a secret that was cut in the middle."""
        longest = self._table.longest
        if isinstance(text, bytes):
            text = text[: 4 * (length + longest + 1)].decode("utf-8", "replace")
        window = text[: length + longest]
        shown = self(window)
        if len(window) < len(text) and longest:
            shown = shown[:-longest]
        return shown[:length]


def _spellings(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogatepass")
    read = [value]  # what a reader makes of it who takes a part of it for an escape
    for _ in range(1, LAYERS):
        read.append(_ESCAPE.sub(_character, read[-1]))
    spellings = {*read, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], html.escape(value)}
    spellings |= {raw.hex(), *_in_base64(raw), *_byte_by_byte(raw)}
    return {each for each in spellings if len(each) >= MIN_SECRET}


def _byte_by_byte(raw: bytes) -> Iterator[str]:
    """Yield what a program shows that prints bytes one by one."""
    numbers = [str(byte) for byte in raw]
    yield from (",".join(numbers), ", ".join(numbers), raw.hex(" "))


def _in_base64(raw: bytes) -> Iterator[str]:
    """Yield what shows of some bytes in base64, whatever else was encoded before and after them."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw + bytes(-(len(raw) + before) % 3)).decode()
        first = -(-before * 8 // 6)  # the characters that also depend on the bytes before, and those after
        last = (before + len(raw)) * 8 // 6
        yield encoded[first:last]
        yield encoded[first:last].translate({ord("+"): "-", ord("/"): "_"})


def _places(text: str, depth: int) -> Sequence[int]:
    """Return where in a text each character is that shows when so many layers of escapes are taken away."""
    places: Sequence[int] = range(len(text) + 1)
    for _ in range(depth):
        kept: list[int] = []
        last = 0
        for match in _ESCAPE.finditer(text):
            kept += places[last : match.start() + len(_character(match))]
            last = match.end()
        text, places = _ESCAPE.sub(_character, text), [*kept, *places[last:]]
    return places


def _character(match: re.Match[str]) -> str:
    percent, code, entity, decimal, name, plain = match.groups()
    hexadecimal = percent or code or entity
    if hexadecimal or decimal:
        return chr(int(hexadecimal, 16) if hexadecimal else int(decimal))
    return _NAMED[name.lower()] if name else plain or ""


def _replaced(text: str, found: Iterable[tuple[int, int, str]]) -> str:
    """Return a text with names for what was found in it, the first of them for what overlaps."""
    pieces: list[str] = []
    last = 0
    for start, end, shown in sorted(found):
        if start >= last:
            pieces += text[last:start], shown
        last = max(last, end)
    return "".join((*pieces, text[last:]))

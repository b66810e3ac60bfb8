"""Secrets leave no trace: every form in which a token could be shown is replaced by a name."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from urllib.parse import quote, quote_plus

MIN_SECRET = 4
"""A shorter value is not hidden everywhere it occurs: it would make every text unreadable."""
LONGEST_CHARACTER = 8
"""Characters that one of a secret may take when it is written as an escape, as in ``&#x0074;``."""
_ESCAPE = re.compile(
    r"%(?:25)?([0-9a-f]{2})|\\(?:u00|x)([0-9a-f]{2})|&#x0*([0-9a-f]{2});|&#0*([0-9]{2,3});", re.IGNORECASE
)
MAX_KEPT, MOST_KEPT = 200, 4096
"""Short texts, as header values, come again and again: so many are kept as they are shown (characters, texts)."""
_NAMED = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&amp;": "&"}


class Redactor:
    """Replaces the values of secrets, in any common spelling, in texts that leave the suite."""

    def __init__(self, secrets: Iterable[tuple[str, str]] = ()) -> None:
        self._names: dict[str, str] = {}
        self._lower: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._kept: dict[str, str] = {}
        self._longest = 0
        for name, value in secrets:
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """From now on ``value`` is shown as ``$name``."""
        if len(value) < MIN_SECRET:
            return
        self._names |= dict.fromkeys(_spellings(value), f"${name}")
        self.__dict__.pop("_pattern", None)
        self._kept.clear()
        self._lower = {spelling.lower(): shown for spelling, shown in self._names.items()}
        self._values[value] = f"${name}"
        self._longest = max(self._longest, *map(len, self._names), len(value) * LONGEST_CHARACTER)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self._names, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced by its name."""
        if not text or not self._names:
            return text
        if len(text) > MAX_KEPT:
            return self._redacted(text)
        if len(self._kept) > MOST_KEPT:
            self._kept.clear()
        return self._kept.get(text) or self._kept.setdefault(text, self._redacted(text))

    def _redacted(self, text: str) -> str:
        lowered = text.lower()  # looking for texts is much quicker than for a pattern, and there is rarely anything
        if any(spelling in lowered for spelling in self._lower):
            text = self._pattern.sub(lambda match: self._lower[match[0].lower()], text)
        return self._without_escaped(text) if "%" in text or "\\" in text or "&" in text else text

    def _without_escaped(self, text: str) -> str:
        plain = _unescaped(text).lower()
        for value, shown in sorted(self._values.items(), key=lambda entry: len(entry[0]), reverse=True):
            if _unescaped(value).lower() in plain:
                written = re.compile("".join(map(_written, value)), re.IGNORECASE)
                text = written.sub(shown.replace("\\", r"\\"), text)
        return text

    def start(self, text: str | bytes, length: int) -> str:
        """Return the beginning of the text, redacted, without a secret that was cut in the middle."""
        if isinstance(text, bytes):
            text = text[: 4 * (length + self._longest + 1)].decode("utf-8", "replace")
        window = text[: length + self._longest]
        shown = self(window)
        if len(window) < len(text) and self._longest:
            shown = shown[: -self._longest]
        return shown[:length]


def _spellings(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogatepass")
    return {
        value,
        quote(value, safe=""),
        quote_plus(value),
        json.dumps(value)[1:-1],
        html.escape(value),
        raw.hex(),
        *_in_base64(raw),
    }


def _in_base64(raw: bytes) -> Iterator[str]:
    """Yield what shows of some bytes in base64, whatever else was encoded before and after them."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw + bytes(-(len(raw) + before) % 3)).decode()
        first = -(-before * 8 // 6)  # the characters that also depend on the bytes before, and those after
        last = (before + len(raw)) * 8 // 6
        yield encoded[first:last]
        yield encoded[first:last].translate({ord("+"): "-", ord("/"): "_"})


def _unescaped(text: str) -> str:
    text = _ESCAPE.sub(_character, text)
    for name, character in _NAMED.items():
        text = text.replace(name, character)
    return text.replace("\\", "")


def _character(match: re.Match[str]) -> str:
    decimal = match[4]
    return chr(int(decimal) if decimal else int(match[1] or match[2] or match[3], 16))


def _written(character: str) -> str:
    """Return a pattern of the character itself and of every escape that stands for it."""
    plain, code = re.escape(character), ord(character)
    if code > 0x7F:  # noqa: PLR2004 - no token has such a character: it could not be sent
        return plain
    named = re.escape(html.escape(character))
    return rf"(?:{named}|\\?{plain}|%(?:25)?{code:02x}|\\u00{code:02x}|\\x{code:02x}|&#0*{code};|&#x0*{code:x};)"

"""Secrets leave no trace: every form in which a token could be shown is replaced by a name."""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

MIN_SECRET = 4
"""A shorter value is not hidden everywhere it occurs: it would make every text unreadable."""


class Redactor:
    """Replaces the values of secrets, in any common spelling, in texts that leave the suite."""

    def __init__(self, secrets: Iterable[tuple[str, str]] = ()) -> None:
        self._names: dict[str, str] = {}
        self._lower: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        for name, value in secrets:
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """From now on ``value`` is shown as ``$name``."""
        if len(value) < MIN_SECRET:
            return
        raw = value.encode("utf-8", "surrogatepass")
        spellings = {
            value,
            quote(value, safe=""),
            json.dumps(value)[1:-1],
            base64.b64encode(raw).decode().rstrip("="),
            base64.urlsafe_b64encode(raw).decode().rstrip("="),
            raw.hex(),
        }
        self._names |= dict.fromkeys(spellings, f"${name}")
        longest_first = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
        self._lower = {spelling.lower(): shown for spelling, shown in self._names.items()}

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced by its name."""
        if self._pattern is None:
            return text
        lowered = text.lower()  # looking for texts is much quicker than for a pattern, and there is rarely anything
        if not any(spelling in lowered for spelling in self._lower):
            return text
        return self._pattern.sub(lambda match: self._lower[match[0].lower()], text)

"""How fast to send: as fast as the target's rate limit allows, learnt from what it says of it.

The limit is seen as a bucket of tokens, one for each request, that is refilled at a steady rate.
"""

import re
import threading
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from attrs import define, field, frozen

from conformance.clock import Clock

PLATFORM_HEADER = "x-genstore-shop-api-rate-limit"
PLATFORM_BUCKET, PLATFORM_RATE = 40, 2.0
"""Tokens in the platform's bucket, and those that it is refilled with in a second."""
TOO_MANY = 429
LONG_ENOUGH = 0.5
"""Seconds between two answers that tell whole tokens of a refill."""
LONGEST_HOLD = 60.0
SLOWEST = 0.1
"""Tokens per second that are hoped for, whatever was seen."""
DOUBTED_AFTER = 5
"""Answers in a row that tell of an empty bucket, and were let through, before it is seen whether it fills at all."""
REST = 2.0
"""Seconds in which a bucket that does not fill cannot be one."""


@frozen
class Told:
    """What one answer says of the limit: tokens left, and perhaps the bucket's size, its refill, and when to go on."""

    free: int
    size: int | None = None
    rate: float | None = None
    reset: float | None = None


@define
class Pace:
    """Holds requests back while the target's bucket is empty; shared by every thread of a run.

    ``limited`` counts the answers that said 429. A bucket that is told to be empty, lets everything through, and does
    not fill while nothing is sent, is not believed until an answer says 429.
    """

    requests_per_second: float | None = None
    limited: int = 0
    size: int | None = None
    rate: float = PLATFORM_RATE
    _free: float | None = None
    _at: float = 0.0
    _slot: float = 0.0
    _hold: float = 0.0
    _outstanding: int = 0
    _answered: int = 0
    _window: tuple[float, int, int] | None = None
    _empty: int = 0
    _rested: float | None = None
    _lock: threading.Lock = field(factory=threading.Lock)

    @property
    def described(self) -> str | None:
        """The limit in words, if the target told of one."""
        if self._free is None:
            return None
        return f"a bucket of {self.size or 'unknown size'}, refilled at about {self.rate:.3g} per second"

    def wait(self, clock: Clock, requests: int = 1) -> None:
        """Wait until so many requests to the API may go at once, or one to the order provider when there are none."""
        with self._lock:
            now = clock.monotonic()
            start = max(now, self._hold, self._slotted(now, requests or 1), self._filled(now, requests))
            self._outstanding += requests
        if start > now:
            clock.sleep(start - now)

    def returned(self) -> None:
        """A request to the API came to its end, whatever came of it."""
        with self._lock:
            self._outstanding -= 1
            self._answered += 1

    def _slotted(self, now: float, requests: int) -> float:
        """Take places in the row of ``requests_per_second``; returns when the last of them comes."""
        if not self.requests_per_second:
            return now
        interval = 1 / self.requests_per_second
        last = max(now, self._slot) + (requests - 1) * interval
        self._slot = last + interval
        return last

    def _filled(self, now: float, requests: int) -> float:
        """Take tokens, in advance when there are too few; returns when they are there."""
        if self._free is None:
            return now
        self._free += (now - self._at) * self.rate
        self._at = now
        missing = min(requests, self.size or requests) - self._free
        self._free -= requests
        return now + max(0.0, missing) / self.rate

    def learn(self, status: int | None, headers: Mapping[str, str], clock: Clock) -> None:
        """Take note of an answer, and of what it says of the limit."""
        told = _told({name.lower(): value for name, value in headers.items()})
        with self._lock:
            if status == TOO_MANY:
                self.limited += 1
                self.rate, self._window = min(self.rate, PLATFORM_RATE), None  # it was believed to be higher than it is
            now = clock.monotonic()
            if told is None or not self._believable(now, told):
                return
            self.size = told.size or self.size
            self._learn_rate(now, told)
            # What is under way may be counted by the target already, or not: the fewer tokens are believed.
            self._free, self._at = float(told.free - self._outstanding), now
            if told.free < 1 and told.reset is not None:
                self._hold = max(self._hold, now + min(told.reset, LONGEST_HOLD))

    def _believable(self, now: float, told: Told) -> bool:
        """Say if a bucket that is told of refuses, or fills; once it seems to do neither, let it rest, to be sure."""
        if self.limited or told.free > 0 or told.reset is not None:
            self._empty = 0
            return True
        self._empty += 1
        if self._empty >= DOUBTED_AFTER and self._rested is None:
            self._rested = self._hold = max(self._hold, now + REST)
        if self._rested is None or now < self._rested or self._empty <= DOUBTED_AFTER:
            return True
        self._free = None
        return False

    def _learn_rate(self, now: float, told: Told) -> None:
        if told.rate is not None:
            self.rate = told.rate
            return
        if self._window is not None:
            since, free, answered = self._window
            if now - since <= LONG_ENOUGH:
                return
            # Both counts are whole ones, so each may be one off; a full bucket takes no more.
            refilled = told.free - free + self._answered - answered
            full = self.size is not None and told.free + 1 >= self.size
            highest = self.rate if full else (refilled + 1) / (now - since)
            self.rate = max(min(self.rate, highest), (refilled - 1) / (now - since), SLOWEST)
        self._window = (now, told.free, self._answered)

    def hold(self, seconds: float, clock: Clock) -> None:
        """No request goes before so many seconds have passed."""
        with self._lock:
            self._hold = max(self._hold, clock.monotonic() + seconds)

    @staticmethod
    def retry_after(headers: Mapping[str, str], at_most: float) -> float | None:
        """Return the seconds of a ``Retry-After`` (RFC 9110, 10.2.3), bounded, or ``None`` if there is no sane one."""
        lowered = {name.lower(): value.strip() for name, value in headers.items()}
        told = lowered.get("retry-after", "")
        if told.isdecimal() and len(told) < 10:  # noqa: PLR2004 - longer is no time to wait
            return min(float(told) + 0.05, at_most)
        try:
            until = parsedate_to_datetime(told)
            since = parsedate_to_datetime(lowered.get("date", ""))
        except ValueError:
            return None
        return min(max((until - since).total_seconds(), 0.1), at_most)


def _told(headers: Mapping[str, str]) -> Told | None:
    """Return what the headers, named in small letters, say of a limit: the platform's, or RateLimit in any draft.

    A bucket of no size is none: no request would ever go through.
    """
    used, slash, size = headers.get(PLATFORM_HEADER, "").partition("/")
    if slash and used.strip().isdecimal() and size.strip().isdecimal() and int(size):
        return Told(free=int(size) - int(used), size=int(size))
    policy = _parameters(headers.get("ratelimit-policy", ""))
    limit = {
        name: int(value)
        for name in ("limit", "remaining", "reset")
        if (value := headers.get(f"ratelimit-{name}", "")).isdecimal()
    }
    limit |= _parameters(headers.get("ratelimit", ""))
    free = limit.get("r", limit.get("remaining"))
    quota, window = policy.get("q", limit.get("limit")), policy.get("w")
    if free is None or quota == 0:
        return None
    return Told(
        free, quota, rate=quota / window if quota and window else None, reset=limit.get("t", limit.get("reset"))
    )


def _parameters(told: str) -> dict[str, int]:
    """Return the whole numbers of a ``RateLimit`` or ``RateLimit-Policy``; of several limits, those of the first.

    The older drafts list the numbers of one limit between commas; in the newer ones each limit begins with its name.
    """
    if '"' in told:
        told = told.partition(",")[0]
    found = re.findall(r"(?:^|[;,])\s*([a-z]+)\s*=\s*([0-9]{1,9})(?![0-9])", told)
    return {name: int(value) for name, value in found}

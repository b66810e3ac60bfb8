"""How fast to send: as fast as the target's rate limit allows, learnt from what it says (platform page)."""

import threading
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from conformance.clock import Clock

RATE_LIMIT_HEADER = "x-genstore-shop-api-rate-limit"
PLATFORM_RATE = 2.0
"""Requests per second that an empty bucket of the platform is refilled with."""


class Pace:
    """Holds requests back while the target's bucket is empty; shared by every thread of a run."""

    def __init__(self, requests_per_second: float | None = None) -> None:
        self._interval = 1 / requests_per_second if requests_per_second else 0.0
        self._next = 0.0
        self._rate = PLATFORM_RATE
        self._seen: tuple[float, int] | None = None
        self._lock = threading.Lock()
        self.limited = 0

    def wait(self, clock: Clock) -> float:
        """Wait until a request may go, and return the seconds waited."""
        with self._lock:
            now = clock.monotonic()
            pause = max(0.0, self._next - now)
            self._next = max(now, self._next) + self._interval
        if pause:
            clock.sleep(pause)
        return pause

    def learn(self, status: int | None, headers: Mapping[str, str], clock: Clock) -> None:
        """Take note of what an answer says of the limit: ``used/size`` of a bucket."""
        if status == 429:  # noqa: PLR2004 - Too Many Requests
            self.limited += 1
        told = {name.lower(): value for name, value in headers.items()}.get(RATE_LIMIT_HEADER)
        if told is None:
            return
        used, _, size = told.partition("/")
        if not (used.strip().isdecimal() and size.strip().isdecimal()):
            return
        with self._lock:
            now, free = clock.monotonic(), int(size) - int(used)
            if self._seen is not None:
                self._learn_rate(now, free)
            self._seen = (now, free)
            if free < 1:
                self._next = max(self._next, now + 1 / self._rate)

    def _learn_rate(self, now: float, free: int) -> None:
        # Between two answers one request was taken from the bucket; the rest of the difference was refilled.
        assert self._seen is not None  # noqa: S101 - narrowed for the type checker
        before, free_before = self._seen
        refilled = free - free_before + 1
        if now - before > 0.2 and refilled > 0:  # noqa: PLR2004 - shorter gaps say nothing of whole tokens
            self._rate = max(self._rate, refilled / (now - before) * 0.9)

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

"""Time as the suite sees it: real, or virtual so that the proof of the faults need not wait."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What tells the time and lets it pass."""

    def now(self) -> datetime:
        """Return the present time, with an offset."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        ...

    def stopwatch(self) -> float:
        """Return seconds that never run backwards, for what one thread does: another's waiting does not count."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return when that many seconds have passed."""
        ...


class RealClock:
    """The clock on the wall."""

    def now(self) -> datetime:
        """Return the present time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the seconds of the system's monotonic clock."""
        return time.monotonic()

    def stopwatch(self) -> float:
        """Return the same: time passes for every thread."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class VirtualClock:
    """A clock on which waiting takes no time; shared by the suite and an in-process server."""

    def __init__(self) -> None:
        self._start = datetime.now(UTC)
        self._real = time.monotonic()
        self._skipped = 0.0
        self._own = threading.local()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the real time plus all that was skipped."""
        return self._start + timedelta(seconds=self.monotonic() - self._real)

    def monotonic(self) -> float:
        """Return real monotonic seconds plus all that was skipped."""
        return time.monotonic() + self._skipped

    def stopwatch(self) -> float:
        """Return real monotonic seconds plus what this thread skipped."""
        return time.monotonic() + self._skipped_here

    @property
    def _skipped_here(self) -> float:
        return getattr(self._own, "skipped", 0.0)

    def sleep(self, seconds: float) -> None:
        """Skip ahead at once."""
        self._own.skipped = self._skipped_here + seconds
        with self._lock:
            self._skipped += seconds

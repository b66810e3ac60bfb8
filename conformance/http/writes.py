"""The writes of a run: counted, and stopped at what the user allows."""

import threading
from collections.abc import Callable

from conformance.outcome import Blocked

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""The methods that ask for no change (RFC 9110, 9.2.1)."""

TOO_MANY_REQUESTS = 429
READ_ONLY = "--read-only: nothing is written, and no order is made"


class Writes:
    """A hard limit on the requests that may change something; ``most`` is 0 for none, ``None`` for any number.

    Room is kept for one rejection of each open refund, as ``open_refunds`` counts them, so that a run that reaches
    its limit can still tidy up within it. It is safe to use from several threads.
    """

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self.sent = 0
        self.open_refunds: Callable[[], int] = lambda: 0
        self._creating = 0
        self._lock = threading.Lock()

    def take(self, method: str, operation: str) -> None:
        """Count a request that is about to be sent; one that changes nothing is always allowed.

        Making an order is no write of the refund API, and not counted; but where no refund can be made of it any more,
        no order is made either.

        Raises:
            Blocked: it is not allowed; it must not be sent.
        """
        if method in SAFE_METHODS:
            return
        if self.most == 0:
            raise Blocked(READ_ONLY)
        with self._lock:
            room = 2 if operation in {"create", "orders"} else 1  # a refund that is created may have to be rejected
            if self.most is not None and self.sent + self._kept() + room > self.most:
                raise Blocked(f"--max-writes: no more than {self.most} writes are allowed, tidying up included")
            self.sent += operation != "orders"
            self._creating += operation == "create"

    def answered(self, method: str, operation: str, status: int | None) -> None:
        """A request that was taken has been answered; one that met the rate limit was no write."""
        if method in SAFE_METHODS or operation == "orders":
            return
        with self._lock:
            self._creating -= operation == "create"
            self.sent -= status == TOO_MANY_REQUESTS

    def take_back(self, method: str, operation: str) -> None:
        """A request that was taken could not be sent."""
        if method in SAFE_METHODS or operation == "orders":
            return
        with self._lock:
            self._creating -= operation == "create"
            self.sent -= 1

    def _kept(self) -> int:
        return self.open_refunds() + self._creating

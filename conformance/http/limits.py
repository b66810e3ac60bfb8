"""How long anything may take, and how much of it in vain."""

import threading

from attrs import frozen

from conformance.outcome import Blocked


@frozen
class Limits:
    """How long anything may take, in seconds; a target can raise them under ``limits:``.

    ``answer`` bounds a whole answer, ``provider`` one of an order provider that is a program. What an operation costs
    in vain, without an answer in between, is bounded by ``progress``; after that it is asked no more.
    """

    connect: float = 5.0
    answer: float = 10.0
    settle: float = 10.0
    poll: float = 0.1
    provider: float = 30.0
    rate_limited: float = 120.0
    progress: float = 60.0


class Patience:
    """How much waiting was in vain, by operation, since it last gave an answer; ends when it was too much.

    It takes two requests in vain, so that one which a target cannot answer ends nothing else. What all operations of
    the API cost together counts as well; the order provider is on its own.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lost: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def insist(self, operation: str) -> None:
        """The operation may be asked.

        Raises:
            Blocked: it has cost too much time already.
        """
        with self._lock:
            for name in _names(operation):
                lost = self._lost.get(name, ())
                if len(lost) > 1 and sum(lost) > self._seconds:
                    raise Blocked(f"{name} gave no answer in {sum(lost):.0f} s of waiting, and was asked no more")

    def answered(self, operation: str) -> None:
        """The operation gave an answer."""
        with self._lock:
            for name in _names(operation):
                self._lost.pop(name, None)

    def lost(self, operation: str, seconds: float) -> None:
        """A request took so long, and got no answer."""
        with self._lock:
            for name in _names(operation):
                self._lost.setdefault(name, []).append(seconds)


def _names(operation: str) -> tuple[str, ...]:
    return ("the order provider",) if operation == "orders" else (operation, "the target")

"""Which of many things that were drawn are worth a request."""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

T = TypeVar("T")


def most_different(drawn: Iterable[T], count: int, kinds: Callable[[T], set[Hashable]]) -> tuple[T, ...]:
    """Return so many of the things that were drawn: those that have, together, the most kinds; of equals the first."""
    left, chosen, seen = list(drawn), list[T](), set[Hashable]()
    while left and len(chosen) < count:
        best = max(left, key=lambda one: len(kinds(one) - seen))
        chosen.append(best)
        seen |= kinds(best)
        left.remove(best)
    return tuple(chosen)

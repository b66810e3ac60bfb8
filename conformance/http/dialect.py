"""The wire form of numbers, which the page declares as numbers and shows as text (reading A01)."""

from collections.abc import Iterator
from itertools import chain, combinations
from typing import Any

from attrs import frozen

IN_LINES = ("lineItemId", "quantity", "rightsReasonType")
IN_CREATES = ("orderId", "customerId", "rightsType", *IN_LINES)
IN_REVIEWS = ("orderId", "refundId", "action")
IDS = frozenset({"orderId", "customerId", "refundId", "lineItemId"})
ALL = frozenset({*IN_CREATES, *IN_REVIEWS})


@frozen
class Dialect:
    """Which wire form of numbers a target takes: the fields in ``text`` are text, all others JSON numbers."""

    name: str
    text: frozenset[str]

    def wire(self, field: str, value: str | int) -> Any:
        """Return the value of a field in its wire form; an id that is no number stays as it is."""
        if isinstance(value, str) and not value.isdecimal():
            return value
        return str(int(value) if isinstance(value, int) else value) if field in self.text else int(value)


TEXT = Dialect("text", ALL)
NUMBERS = Dialect("numbers", frozenset())
USUAL = (
    TEXT,
    NUMBERS,
    Dialect("text ids, other numbers as numbers", IDS),
    Dialect("text in line items, numbers elsewhere", frozenset(IN_LINES)),
    Dialect("ids as numbers, other numbers as text", ALL - IDS),
)
"""Dialects that are likely: they are tried first."""


def dialects_for(fields: tuple[str, ...]) -> Iterator[Dialect]:
    """Yield every dialect that differs in these fields: the usual ones first, then those with the fewest exceptions."""
    known = set[frozenset[str]]()
    for dialect in chain(USUAL, _by_exceptions(fields)):
        form = dialect.text & frozenset(fields)
        if form not in known:
            known.add(form)
            yield dialect


def _by_exceptions(fields: tuple[str, ...]) -> Iterator[Dialect]:
    for count in range(1, len(fields)):
        for some in map(frozenset, combinations(fields, count)):
            for text in (frozenset(fields) - some, some):
                yield Dialect(f"text in {', '.join(sorted(text))}, numbers elsewhere", text)

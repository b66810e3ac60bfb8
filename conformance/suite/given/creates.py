"""Creates that differ from a plain one in a single thing: what the tables of creation are made of."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from attrs import frozen

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, Part, RefundApi
from conformance.http.dialect import NUMBERS, TEXT
from conformance.model import Order, RightsType
from conformance.running.plugin import requirement
from conformance.suite.given.benches import Probe, selected_rows

RETURN, REFUND = RightsType.RETURN_AND_REFUND, RightsType.REFUND
Send = Callable[[RefundApi, Order], Answer]
MANTISSA = 53
"""Bits of a whole number that are kept where numbers have a fraction (IEEE 754, binary64)."""


@frozen
class Row:
    """A create of a table and its requirement; it proves nothing unless the row that it needs is refused."""

    requirement: str
    send: Send
    needs: str | None = None
    profile: str = "standard"


def rows_of(table: Mapping[str, Row]) -> list[Any]:
    """Return the rows of a table as parameters of a check."""
    return [pytest.param(name, marks=requirement(r.requirement, profile=r.profile)) for name, r in table.items()]


def wanted(request: pytest.FixtureRequest, table: Mapping[str, Row], api: RefundApi) -> dict[str, Probe]:
    """Return the probes of a table that this run has checks for, and those that they need."""
    chosen = selected_rows(request, table)
    names = chosen.keys() | {row.needs for row in chosen.values()}
    return {name: partial(row.send, api) for name, row in table.items() if name in names}


def changed(members: dict[str, Any], name: str, change: object) -> None:
    """Leave a member out, put a value in its place, or make one of the value it has in its wire form."""
    if change is ABSENT:
        members.pop(name, None)
    else:
        members[name] = change(members[name]) if callable(change) else change


def with_fields(*names: str, change: object = ABSENT, **fields: Any) -> Send:
    """Return a create that is valid but for some fields of its refund."""

    def send(api: RefundApi, order: Order) -> Answer:
        body = api.create_body(order, **fields)
        for name in names:
            changed(body["refund"], name, change)
        return api.create(body)

    return send


def with_line(
    name: str, change: object = ABSENT, *, line: int = 0, index: int = 0, lines: int = 1, **fields: Any
) -> Send:
    """Return a create of some lines, from ``line`` on, that is valid but for one field of the one at ``index``."""

    def send(api: RefundApi, order: Order) -> Answer:
        body = api.create_body(order, *map(Part, order.lines[line : line + lines]), **fields)
        changed(body["refund"]["lineItems"][index], name, change)
        return api.create(body)

    return send


def digit_more(value: Any) -> Any:
    """Return an id that is not there: one digit longer."""
    return type(value)(f"{value}7")


def next_to(value: Any) -> Any:
    """Return an id next to another: where numbers of 64 bits with a fraction cannot hold it, one they take for it.

    Next to an id that is no number there is a longer one.
    """
    if not str(value).isdecimal():
        return digit_more(value)
    number = int(value)
    apart = 1 << max(0, number.bit_length() - MANTISSA)
    towards = -1 if 0 < number % apart <= apart // 2 else 1
    return type(value)(f"{number + towards}")


def confusable(value: Any) -> Any:
    """Return an id that some take for another; where numbers with a fraction hold it, a longer one.

    There the id next to it tells nothing, and may be of somebody whom a write would harm.
    """
    small = str(value).isdecimal() and int(value).bit_length() <= MANTISSA
    return digit_more(value) if small else next_to(value)


def in_other_form(api: RefundApi) -> RefundApi:
    """Return the same API with numbers in a form other than the usual one."""
    return api.speaking(NUMBERS if api.create_dialect is TEXT else TEXT)

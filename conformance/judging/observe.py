"""Which readings a target is seen to take, read off traffic that is there anyway, at no extra request.

Nothing here judges. A sentence names a form or a habit, never a value of this run, so that the same sentence about two
targets means the same. What a refusal was for cannot be told from outside, so most sentences speak of acceptances.
"""

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from conformance.http.client import MAX_LIMIT
from conformance.http.exchange import Exchange
from conformance.model import Action, RefundStatus, load_json, read_id, read_money, read_number, read_time

METHODS = {"create": "POST", "review": "PUT", "list": "GET", "get": "GET"}
RESOURCE = (
    "refundId", "customerId", "lineItems", "createTime", "updateTime", "amount", "status", "orderId", "rightsType",
)  # fmt: skip
LINE = ("totalTax", "lineItem", "quantity", "lineItemId", "subtotal", "rightsReason", "rightsReasonType")
NUMBERS = ("refundId", "customerId", "orderId", "status", "rightsType")
LINE_NUMBERS = ("lineItemId", "quantity", "rightsReasonType")
SENT = {
    "create": {"requestNo", "customerId", "lineItems", "orderId", "rightsType", "shipping", "amount"},
    "review": {"orderId", "refundId", "action"},
}
FORMS: dict[Any, str] = {str: "text", int: "a JSON number", Decimal: "a JSON number"}
OUTCOMES = {
    Action.APPROVE: {RefundStatus.INITIATED, RefundStatus.IN_PROCESS, RefundStatus.COMPLETED},
    Action.REJECT: {RefundStatus.INITIATED, RefundStatus.IN_PROCESS, RefundStatus.CANCELED},
}
STATUSES = {Decimal(status): status for status in RefundStatus}
ACCEPTED, REFUSED = range(200, 300), range(400, 500)
CREDENTIALS = {401, 403}
MISSING = {404, 410}
EXACT_IN_FLOATS = 2**53
LOOKED_AT = 3
"""Records of a list, and lines of a record, that are looked at: the others have the same form."""
MOST_LETTERS = 2000
"""An object whose names together have more letters than this is no record of this API."""

Told = Iterator[tuple[str, str]]
JSON = dict[str, Any]
Types = dict[str, type]
Shape = tuple[tuple[str, ...], tuple[type, ...]]


def observations(exchange: Exchange) -> Told:
    """Yield which reading (its id) an exchange shows the target to take, and how, in one short sentence each."""
    operation, status = exchange.operation, exchange.status
    if exchange.trouble is not None or status is None or METHODS.get(operation) != exchange.request.method:
        return
    told = _json(exchange.body)
    if status in ACCEPTED:
        yield from _headers(exchange, "an acceptance")
        records = list(_records(operation, told))
        for record in records[:LOOKED_AT]:
            yield from _record(operation, record)
        if operation in SENT and (sent := _json(exchange.request.body or b"")) and isinstance(sent, dict):
            yield from _accepted(exchange, sent, records[0] if records else {})
        if operation == "list":
            yield from _list(exchange, told, records)
    elif status in REFUSED:
        yield from _headers(exchange, "a refusal")
        yield "A54", f"{operation} refuses with {status}"
        yield "A55", f"a refusal is {_kind(exchange.body, told)}"
    if operation in {"list", "get"}:
        query = dict(parse_qsl(exchange.request.url.partition("?")[2], keep_blank_values=True))
        yield from _nowhere(status, told, query) if operation == "list" else _named(status, told, query)
    elif operation == "review" and status in MISSING:
        yield "A50", f"where there is nothing, review answers {status}"


def _json(body: bytes) -> Any:
    try:
        return load_json(body.decode("utf-8-sig"))
    except ValueError:
        return None


def _records(operation: str, told: Any) -> Iterator[JSON]:
    if isinstance(told, dict):
        inside = told.get("refunds" if operation == "list" else "refund")
        for record in inside if isinstance(inside, list) else (inside,):
            if isinstance(record, dict):
                yield record


# HTTP.


def _headers(exchange: Exchange, what: str) -> Told:
    names = [name.lower() for name in exchange.headers]
    yield "A60", f"{what} has the content type {_media_type(exchange.header('content-type'))}"
    limited = any(name.endswith("rate-limit") or "ratelimit" in name for name in names)
    yield "A65", f"answers tell {'the' if limited else 'no'} rate limit"


@lru_cache(maxsize=64)
def _media_type(value: str) -> str:
    media = value.partition(";")[0].strip().lower()
    return media if re.fullmatch(r"[a-z]{1,20}/[a-z.+-]{1,40}", media) else "of no known form" if media else "left out"


def _kind(body: bytes, told: Any) -> str:
    if not body.strip():
        return "empty"
    if told is not None:
        return "JSON with an error field" if isinstance(told, dict) and "error" in told else "JSON of another form"
    return "a web page" if body.lstrip()[:15].lower().startswith((b"<!doctype", b"<html")) else "plain text"


# What a record looks like.


def _record(operation: str, record: JSON) -> Told:
    lines = record.get("lineItems")
    lines = [line for line in lines[:LOOKED_AT] if isinstance(line, dict)] if isinstance(lines, list) else []
    yield from _of_shape(operation, _shape(record), tuple(map(_line_shape, lines)))
    yield from _money(operation, record, lines)
    refund_id = read_id(record.get("refundId"))
    if refund_id is not None:
        yield "A06", f"a refundId {_magnitude(refund_id)}"
    for name in ("createTime", "updateTime"):
        if isinstance(record.get(name), str):
            yield "A08", f"times {_time_form(record[name])}"
    if (status := _status(record)) is not None:
        yield "A41", f"status {status} occurs"


def _shape(record: Any) -> Shape:
    """Return the names and the types of an object's members, from which most sentences follow."""
    if not isinstance(record, dict) or sum(map(len, record)) > MOST_LETTERS:
        return (), ()
    return tuple(record), tuple(map(type, record.values()))


def _types(shape: Shape) -> Types:
    return dict(zip(*shape, strict=True))


def _line_shape(line: JSON) -> tuple[Shape, Shape]:
    return _shape(line), _shape(line.get("lineItem"))


@lru_cache(maxsize=64)
def _of_shape(operation: str, shape: Shape, lines: tuple[tuple[Shape, Shape], ...]) -> tuple[tuple[str, str], ...]:
    """Return what follows from names and types alone: the same few shapes come again and again."""
    record = _types(shape)
    told = [*_forms(operation, record, [_types(line) for line, _ in lines]), *_fields(operation, record)]
    for line, item in lines:
        told += _line(_types(line), _types(item))
    return tuple(dict.fromkeys(told))


def _forms(operation: str, record: Types, lines: list[Types]) -> Told:
    found = {(name, FORMS[record[name]]) for name in NUMBERS if record.get(name) in FORMS}
    found |= {(name, FORMS[line[name]]) for line in lines for name in LINE_NUMBERS if line.get(name) in FORMS}
    forms = Counter(form for _, form in sorted(found))
    for usual, _ in forms.most_common(1):
        others = sorted(name for name, form in found if form != usual)
        yield "A01", f"every number is {usual} in {operation}{_but(others)}"


def _fields(operation: str, record: Types) -> Told:
    missing = [name for name in RESOURCE if name not in record]
    yield "A62", f"{operation} shows every field of the resource{_but(missing)}"
    if operation != "create":
        yield "A16", f"{operation} shows {'the' if 'orderId' in record else 'no'} orderId"
    for name in _others(record, (*RESOURCE, "shipping")):
        yield "A62", f"{operation} shows the further field {name}"


def _line(line: Types, item: Types) -> Told:
    missing = [name for name in LINE if name not in line]
    yield "A10", f"a line shows every field of the examples{_but(missing)}"
    for name in _others(line, LINE):
        yield "A10", f"a line shows the further field {name}"
    if line.get("lineItem") is dict:
        for name in ("productId", "variantId"):
            yield "A07", f"{name} is {FORMS.get(item.get(name), 'left out')}"


def _but(names: list[str]) -> str:
    return f" but {', '.join(names)}" if names else ""


def _others(record: Types, known: tuple[str, ...]) -> list[str]:
    """Return what else is there, by name; only what can be a name and no value."""
    return [name for name in record if name not in known and re.fullmatch("[A-Za-z_]{1,30}", name)][:LOOKED_AT]


def _money(operation: str, record: JSON, lines: list[JSON]) -> Told:
    amount = record.get("amount")
    if isinstance(amount, str) and amount[:1] == '"':
        yield "A02", f"amount is text in quotes in {operation}"
    elif type(amount) in FORMS:
        yield "A02", f"amount is {FORMS[type(amount)]} in {operation}"
    total, subtotals = _amount(amount), [_amount(line.get("subtotal")) for line in lines]
    for name, value in (("amount", total), *(("subtotal", subtotal) for subtotal in subtotals)):
        if value is not None:
            yield "A03", f"{name} has {_decimals(value)}"
    everything = record.get("lineItems")
    if total is None or not isinstance(everything, list) or len(lines) < len(everything):
        return
    units = [_amount(line.get("quantity")) for line in lines]
    if any(unit is not None and unit > 1 for unit in units):
        yield from _subtotals(total, list(zip(subtotals, units, strict=True)))


def _subtotals(total: Decimal, lines: list[tuple[Decimal | None, Decimal | None]]) -> Told:
    known = [(subtotal, units) for subtotal, units in lines if subtotal is not None and units is not None]
    if len(known) < len(lines):
        return
    if sum(subtotal for subtotal, _ in known) == total:
        yield "A04", "subtotal is the price of all units of a line"
    elif sum(subtotal * units for subtotal, units in known) == total:
        yield "A04", "subtotal is the price of one unit"


def _amount(value: Any) -> Decimal | None:
    """Return an amount of a size that can be reckoned with."""
    amount = read_money(value)
    return amount if amount is not None and abs(amount.adjusted()) < 30 else None  # noqa: PLR2004


def _decimals(value: Decimal) -> str:
    decimals = max(0, -int(value.as_tuple().exponent))
    return f"{decimals} decimals" if decimals < 4 else "more than 3 decimals"  # noqa: PLR2004


def _magnitude(identifier: str) -> str:
    if not re.fullmatch("[0-9]{1,100}", identifier):
        return "is no whole number"
    return "is above 2^53" if int(identifier) > EXACT_IN_FLOATS else "is at most 2^53"


def _time_form(text: str) -> str:
    match = re.fullmatch(r"[0-9]{4}(-?)[0-9-]{4,5}[Tt ][0-9:]{4,8}([.,][0-9]+)?([Zz]?|[+-][0-9:]{2,5})", text)
    if match is None:
        return "have no form of ISO 8601"
    form = "extended form" if match[1] else "basic form"
    fraction = "fractions of a second" if match[2] else "whole seconds"
    zone = "no offset" if not match[3] else "Z" if match[3] in "Zz" else "an offset"
    return f"have the {form}, {fraction} and {zone}"


def _status(record: JSON) -> RefundStatus | None:
    number = read_number(record.get("status"))
    return None if number is None else STATUSES.get(number)


# What was asked for, and accepted.


def _accepted(exchange: Exchange, sent: JSON, record: JSON) -> Told:
    operation = exchange.operation
    body = sent if operation == "review" else sent.get("refund")
    if not isinstance(body, dict):
        return
    if not body.keys() <= SENT[operation]:
        yield "A30", f"an unknown field in {operation} is accepted"
    if operation == "review":
        yield from _reviewed(body, record)
    else:
        yield from _asked(body)
        yield from _shipping(body, record)
        if exchange.role == "arrange":
            yield from _new(exchange, record)


def _reviewed(body: JSON, record: JSON) -> Told:
    action, status = read_number(body.get("action")), _status(record)
    for known, outcomes in OUTCOMES.items():
        if action == known and status in outcomes:  # another status: it was decided otherwise before
            reading, what = ("A37", "an approval") if known is Action.APPROVE else ("A38", "a rejection")
            yield reading, f"the answer to {what} shows status {status}"
    yield from _times("an answer to a review", record)


def _asked(body: JSON) -> Told:
    if "customerId" not in body:
        yield "A15", "a create without customerId is accepted"
    if "amount" in body:
        yield "A25", "a create with an amount is accepted"
    if "rightsType" in body and body["rightsType"] in (None, ""):
        yield "A34", f"rightsType {'null' if body['rightsType'] is None else 'empty'} is accepted"
    key = body.get("requestNo")
    if isinstance(key, str) and not key.isascii():
        yield "A21", "a key with characters beyond ASCII is accepted"
    lines = body.get("lineItems")
    if lines == []:
        yield "A29", "a create without lines is accepted"
    lines = [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
    if any(read_number(line.get("rightsReasonType")) not in {None, Decimal(0)} for line in lines):
        yield "A11", "a rightsReasonType other than 0 is accepted"
    if any("rightsReason" not in line for line in lines):
        yield "A12", "a line without a reason is accepted"
    if len({str(line.get("lineItemId")) for line in lines}) < len(lines):
        yield "A28", "a line that is named twice is accepted"


def _shipping(body: JSON, record: JSON) -> Told:
    sent = body.get("shipping") or {}
    if record and isinstance(sent, dict) and not any(sent.values()):
        yield "A13", f"shipping is {_nothing(record)} when none was sent"


def _nothing(record: JSON) -> str:
    """Return how a record says that it knows of no shipping."""
    told = record.get("shipping")
    if told is None:
        return "null" if "shipping" in record else "left out"
    if not isinstance(told, dict) or any(told.values()):
        return "filled"
    return "empty texts" if told else "an empty object"


def _new(exchange: Exchange, record: JSON) -> Told:
    yield "A36", f"a create is answered with {exchange.status}"
    if (status := _status(record)) is not None:
        yield "A35", f"a new refund has status {status}"
    yield from _times("a new refund", record)


def _times(what: str, record: JSON) -> Told:
    created, updated = (read_time(record.get(name)) for name in ("createTime", "updateTime"))
    if created is None or updated is None or (created.tzinfo is None) != (updated.tzinfo is None):
        return
    relation = "equal to" if updated == created else "later than" if updated > created else "before"
    yield "A09", f"{what} has an updateTime {relation} its createTime"


# List and get.


def _list(exchange: Exchange, told: Any, records: list[JSON]) -> Told:
    if not isinstance(told, dict):
        return
    if exchange.header("link"):
        yield "A46", "list has a Link header"
    further = _others(_types(_shape(told)), ("refunds",))
    for name in further:
        yield "A46", f"list shows the further field {name}"
    if not further:
        yield "A46", "list shows nothing of pages"
    if records:
        wrapped = "refund" in records[0]
        one = not isinstance(told.get("refunds"), list)
        yield "A61", f"refunds is {'one object' if one else 'an array of wrapped refunds' if wrapped else 'an array'}"
    yield from _order(records[: LOOKED_AT + 1])


def _order(records: list[JSON]) -> Told:
    times = [read_time(record.get("createTime")) for record in records]
    known = [time for time in times if time is not None and time.tzinfo is not None]
    if len(known) < len(times) or len(set(known)) < 2:  # noqa: PLR2004
        return
    if known == sorted(known):
        yield "A48", "list shows the oldest first"
    elif known == sorted(known, reverse=True):
        yield "A48", "list shows the newest first"
    else:
        yield "A48", "list is in no order of time"


def _nowhere(status: int, told: Any, query: dict[str, str]) -> Told:
    # What limits do is observed by the checks of the listing, which know how many refunds there are.
    if status in MISSING:
        yield "A49", f"where there is nothing, list answers {status}"
    elif status in ACCEPTED and told == {"refunds": []} and query.get("limit") == str(MAX_LIMIT):
        yield "A49", "where there is nothing, list answers []"


def _named(status: int, told: Any, query: dict[str, str]) -> Told:
    missing = [name for name in ("orderId", "refundId") if name not in query]
    if missing:
        what = f"get without {' and '.join(missing)}"
        if status in ACCEPTED:
            shown = {"refund": "a refund", "refunds": "a list"}
            kinds = [text for name, text in shown.items() if isinstance(told, dict) and name in told]
            yield "A42", f"{what} is answered with {kinds[0] if kinds else 'neither refund nor list'}"
        elif status in REFUSED and status not in CREDENTIALS:
            yield "A42", f"{what} is refused"
    elif status in REFUSED and status not in CREDENTIALS and "".join(query.values()).isdecimal():
        yield "A50", f"where there is nothing, get answers {status}"

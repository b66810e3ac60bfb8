"""What the requests of a run reached: each parameter of each operation, each keyword of its schema, what came of it.

A request that breaks nothing counts as ``legal`` for every parameter it has; one that breaks something counts for the
keywords that it breaks. It is read off the traffic, whichever check sent it.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from conformance.http.client import MAX_LIMIT, TOKEN_HEADER
from conformance.http.exchange import Exchange
from conformance.http.status import Reply, reply_of
from conformance.judging import contract
from conformance.results import Reach

LEGAL = "legal"
BODIES = {"create": "CreateRequest", "review": "ReviewRequest"}
IN_PATH = {"review": "refundId in the path", "list": "orderId"}
IDS = {"review": ("refundId in the path",), "list": ("orderId",), "get": ("orderId", "refundId")}
BOUNDS = ("pattern", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems")
Place = tuple[str, str]
"""A parameter, and a keyword of its schema."""


class Reached:
    """Counts what the requests of a run reached; safe to use from several threads."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str, str]] = Counter()
        self._lock = threading.Lock()

    def note(self, exchange: Exchange) -> None:
        """Count an exchange."""
        outcome = _outcome(exchange)
        if exchange.operation in contract.OPERATION_IDS and outcome is not None:
            places = set(places_of(exchange))
            with self._lock:
                self._counts.update((exchange.operation, *place, outcome) for place in places)

    def lines(self) -> list[Reach]:
        """Return a line for everything that the document tells apart, in its order, also for what was not reached."""
        return [
            Reach(operation, parameter, keyword, *(self._counts[operation, parameter, keyword, o] for o in OUTCOMES))
            for operation in contract.OPERATION_IDS
            for parameter, keyword in documented(operation)
        ]


OUTCOMES = ("accepted", "refused", "broken", "unsent")


def _outcome(exchange: Exchange) -> str | None:
    if exchange.unsent:
        return "unsent"
    if exchange.trouble is not None or exchange.status is None:
        return None
    reply = reply_of(exchange.status)
    return reply.value if reply in {Reply.ACCEPTED, Reply.REFUSED} else Reply.BROKEN.value


def places_of(exchange: Exchange) -> Iterator[Place]:
    """Yield which parameters a request has, and which keyword of each it breaks, if any."""
    broken = [*_broken_in_token(exchange), *_broken_in_url(exchange), *_broken_in_body(exchange)]
    yield from broken or [(parameter, LEGAL) for parameter in _present(exchange)]


def _broken_in_token(exchange: Exchange) -> Iterator[Place]:
    if not any(name.lower() == TOKEN_HEADER.lower() and value for name, value in exchange.request.headers.items()):
        yield TOKEN_HEADER, "required"


def _parameters(exchange: Exchange) -> dict[str, str]:
    """Return the parameters of path and query by name."""
    url = urlsplit(exchange.request.url)
    values = dict(parse_qsl(url.query, keep_blank_values=True, errors="replace"))
    if exchange.operation in IN_PATH:
        part = -1 if exchange.operation == "review" else -2
        values[IN_PATH[exchange.operation]] = unquote(url.path.split("/")[part], errors="replace")
    return values


def _broken_in_url(exchange: Exchange) -> Iterator[Place]:
    values = _parameters(exchange)
    for name in IDS.get(exchange.operation, ()):
        if name not in values:
            yield name, "required"
        elif not re.fullmatch(r"[1-9][0-9]*", values[name], re.ASCII):
            yield name, "pattern"
    if exchange.operation == "list":
        yield from _broken_limit(values.get("limit"))


def _broken_limit(value: str | None) -> Iterator[Place]:
    if value is None:
        yield "limit", "required"
    elif not re.fullmatch(r"-?[0-9]{1,400}", value, re.ASCII):
        yield "limit", "type"
    elif int(value) < 1:
        yield "limit", "minimum"
    elif int(value) > MAX_LIMIT:
        yield "limit", "maximum"


def _broken_in_body(exchange: Exchange) -> Iterator[Place]:
    if exchange.operation not in BODIES:
        return
    try:
        body = json.loads(exchange.request.body or b"")
    except (ValueError, RecursionError):
        yield "body", "syntax"
        return
    for error in contract.request_errors(exchange.operation, body):
        parameter, keyword = contract.place_of(exchange.operation, error)
        parameter = "body" if parameter == "refund" else parameter
        yield parameter, _refined(exchange.operation, parameter, keyword, error.instance)


def _refined(operation: str, parameter: str, keyword: str, value: Any) -> str:
    """Return which keyword of several forms a value breaks: that of the form of its own type."""
    if keyword != "anyOf":
        return keyword
    of_type = {"string"} if isinstance(value, str) else {"integer", "number"} if _is_number(value) else set()
    forms = _members(operation)[parameter].get("anyOf", ())
    for form in forms:
        if form.get("type") in of_type:
            return next((bound for bound in BOUNDS if bound in form), "type")
    return "type"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _present(exchange: Exchange) -> Iterator[str]:
    yield TOKEN_HEADER
    yield from (name for name in _parameters(exchange) if name in {"orderId", "refundId", "limit", *IN_PATH.values()})
    if exchange.operation in BODIES:
        body = json.loads(exchange.request.body or b"null")
        inside = body["refund"] if exchange.operation == "create" else body
        yield from inside
        yield from (f"lineItems.{name}" for line in inside.get("lineItems", ()) for name in line)
        yield from (f"shipping.{name}" for name in inside.get("shipping", ()))


@cache
def documented(operation: str) -> tuple[Place, ...]:
    """Return what the document tells apart: each parameter of an operation, legal and with each keyword broken."""
    places: list[Place] = [(TOKEN_HEADER, LEGAL), (TOKEN_HEADER, "required")]
    for name in IDS.get(operation, ()):
        places += [(name, LEGAL), (name, "pattern")]
        places += [(name, "required")] if operation == "get" else []
    if operation == "list":
        places += [("limit", keyword) for keyword in (LEGAL, "required", "type", "minimum", "maximum")]
    if operation in BODIES:
        places += [("body", "syntax"), ("body", "type")]
        places += [(name, keyword) for name, schema in _members(operation).items() for keyword in _keywords(schema)]
    return tuple(places)


def _keywords(schema: dict[str, Any]) -> Iterator[str]:
    yield LEGAL
    if schema.get("required_here"):
        yield "required"
    yield "type"
    for bound in BOUNDS:
        if any(bound in form for form in (schema, *schema.get("anyOf", ()))):
            yield bound


@cache
def _members(operation: str) -> dict[str, dict[str, Any]]:
    """Return the schema of each member of a body by its dotted name, with whether it is required."""
    found: dict[str, dict[str, Any]] = {}

    def walk(schema: dict[str, Any], prefix: str) -> None:
        schema = contract.resolved(schema)
        for name, inner in schema.get("properties", {}).items():
            member = contract.resolved(inner)
            found[prefix + name] = {**member, "required_here": name in schema.get("required", ())}
            walk(member.get("items", member), f"{prefix}{name}.")

    top = {"$ref": f"#/components/schemas/{BODIES[operation]}"}
    walk(contract.resolved(top)["properties"]["refund"] if operation == "create" else top, "")
    return found

"""Servers that carry out creates whose body has not the shape of one, or break on them."""

import contextlib
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from conformance.faults import breaks
from conformance.faults.creation import out_of_list
from conformance.model import load_json
from conformance.reference.app import App
from conformance.reference.requests import Refusal, RequestedLine
from conformance.reference.rules import Shop
from conformance.reference.store import StoredOrder


@breaks("CREATE-02")
class TakesBareFields(Shop):
    """Takes the fields of a refund without the wrapper too."""

    def member(self, body: Any, name: str) -> Any:
        """Take the body itself for a missing wrapper."""
        return body if name == "refund" and isinstance(body, dict) and name not in body else super().member(body, name)


@breaks("CREATE-03")
class TakesListsOfRefunds(Shop):
    """Carries out the first of a list of refunds."""

    def member(self, body: Any, name: str) -> Any:
        """Take the first of a list for the refund."""
        value = super().member(body, name)
        return out_of_list(value) if name == "refund" else value


@breaks("CREATE-03")
class AnswersNullWithNothing(App):
    """Answers a create whose refund is null with an acceptance of nothing."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Accept nothing."""
        if operation == "create" and request.get_data() == b'{"refund": null}':
            return Response('{"refund": null}', mimetype="application/json")
        return super().operate(shop, operation, values, request)


@breaks("CREATE-03")
class AnswersNothingWithNothing(App):
    """Answers a create without a refund with an acceptance of nothing."""

    def carry_out(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Accept nothing."""
        if operation == "create" and request.get_data() == b"{}":
            return Response("{}", mimetype="application/json")
        return super().carry_out(shop, operation, values, request)


@breaks("CREATE-04")
class MissingLinesMeanAll(Shop):
    """Refunds a unit of every line when no lines are named."""

    def member(self, body: Any, name: str) -> Any:
        """Let missing lines pass."""
        missing = name == "lineItems" and isinstance(body, dict) and body.get(name) is None
        return "all" if missing else super().member(body, name)

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Take a unit of every line."""
        every = [{"lineItemId": line.id, "quantity": 1} for line in order.lines]
        return super().read_lines(every if value == "all" else value, order)


@breaks("CREATE-04")
class TakesSingleLines(Shop):
    """Takes one line that is in no list."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Put the line in a list."""
        return super().read_lines([value] if isinstance(value, dict) else value, order)


@breaks("CREATE-04")
class BreaksOnNullLines(Shop):
    """Fails with 500 when there is null among the lines."""

    def read_line(self, value: Any, order: StoredOrder) -> RequestedLine:
        """Look into what is not there."""
        if value is None:
            raise Refusal(500, "null has no lineItemId")
        return super().read_line(value, order)


@breaks("CREATE-04")
class TakesLinesInText(Shop):
    """Takes lines that are written as JSON in a text."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Decode them once more."""
        with contextlib.suppress(ValueError):
            value = load_json(value) if isinstance(value, str) else value
        return super().read_lines(value, order)


@breaks("CREATE-04")
class TakesIdsForLines(Shop):
    """Refunds one unit of a line of which only the id is in the list."""

    def read_line(self, value: Any, order: StoredOrder) -> RequestedLine:
        """Make a line of an id."""
        line = value if isinstance(value, dict) or value is None else {"lineItemId": value, "quantity": 1}
        return super().read_line(line, order)


@breaks("CREATE-04")
class HangsUpOnLinesThatAreNull(App):
    """Falls over a null in the place of the lines, and closes the connection without an answer."""

    def respond(self, request: Request) -> Response:
        """Fall before anything is answered."""
        if b'"lineItems": null' in request.get_data():
            raise ConnectionResetError
        return super().respond(request)

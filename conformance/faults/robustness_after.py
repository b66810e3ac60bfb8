"""Servers that give the token away, or cannot carry plain requests out after others."""

import json
from collections.abc import Mapping
from typing import Any

from conformance.faults import breaks
from conformance.reference.app import TOKEN_HEADER, App
from conformance.reference.requests import Refusal
from conformance.reference.rules import Shop
from conformance.reference.store import StoredLine, StoredOrder, StoredRefund


@breaks("ROBUST-19")
class ShowsTheTokenInItsErrors(App):
    """Shows the token in the error page of an address that it does not know."""

    def respond(self, request: Any) -> Any:
        """Show the request."""
        answer = super().respond(request)
        if answer.status_code == 404:
            answer.set_data(json.dumps({"error": "not found", "headers": dict(request.headers)}))
        return answer


@breaks("ROBUST-19")
class SendsTheTokenBack(App):
    """Sends the token back in a header when it refuses a body."""

    def respond(self, request: Any) -> Any:
        """Copy the header."""
        answer = super().respond(request)
        if answer.status_code == 400:
            answer.headers["X-Token"] = request.headers.get(TOKEN_HEADER, "")
        return answer


@breaks("ROBUST-19")
class TellsWhichTokenLacksTheScope(Shop):
    """Names the token that lacks a scope."""

    def admit(self, value: str | None, operation: str) -> None:
        """Name it."""
        try:
            super().admit(value, operation)
        except Refusal as refusal:
            raise Refusal(refusal.status, f"{refusal.message}: {value}") from None


@breaks("ROBUST-20")
class CannotShowNul(Shop):
    """Stores a reason with NUL, and fails to list it."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Fail on what it stored."""
        found = super().list_refunds(order_id, query)
        if any("\x00" in line.reason for refund in found for line in refund.lines):
            raise ValueError("embedded NUL")
        return found


@breaks("ROBUST-20")
class DiesOfAnUnknownMethod(App):
    """Loses its worker to a method that it does not know, and creates nothing any more."""

    alive = True

    def respond(self, request: Any) -> Any:
        """Lose the worker."""
        answer = super().respond(request)
        self.alive = self.alive and answer.status_code != 405
        return answer

    def carry_out(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Need the worker."""
        if operation == "create" and not self.alive:
            raise MemoryError
        return super().carry_out(shop, operation, values, request)


@breaks("ROBUST-20")
class LeavesTheBodiesOfStrangersUnread(App):
    """Refuses an unknown token before it reads the body, and takes that for the connection's next request."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.unread: set[object] = set()

    def respond(self, request: Any) -> Any:
        """Read on where it stopped."""
        connection = request.environ.get("REMOTE_PORT")
        if connection in self.unread and "/_test/" not in request.path:
            self.unread.discard(connection)
            return self.refuse(400, "the request is malformed")
        answer = super().respond(request)
        if answer.status_code == 401 and request.content_length:
            self.unread.add(connection)
        return answer


@breaks("ROBUST-20")
class PoisonsTheList(Shop):
    """Notes a create before it looks its lines up, and never lists the order again when there was no such line."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.poisoned: set[str] = set()

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Leave half of a refund behind."""
        try:
            return super().find_line(value, order)
        except Refusal:
            self.poisoned.add(order.id)
            raise

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Fail on that half."""
        if order_id in self.poisoned:
            raise Refusal(500, "internal error")
        return super().list_refunds(order_id, query)

"""Honest readings of the request number."""

from datetime import datetime
from typing import Any

from attrs import evolve

from conformance.reference.requests import RefundRequest, Refusal
from conformance.reference.rules import Shop
from conformance.reference.store import StoredRefund
from conformance.variants import reads


@reads("A22", "A23", aspect="replay")
class RefusesReplaysWith409(Shop):
    """Refuses a replay as a duplicate."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Say that the key was used."""
        raise Refusal(409, "the requestNo was used before")


@reads("A22", "A23", aspect="replay")
class RefusesReplaysWith422(Shop):
    """Refuses a replay as a request that is not valid any more."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Say that the key was used."""
        raise Refusal(422, "the requestNo was used before")


@reads("A22", aspect="replay")
class AnswersReplaysWithSnapshots(Shop):
    """Answers a replay with the refund as it was when it was created."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Return the first state."""
        return evolve(super().replay(existing, request), status=self.initial_status(), updated=existing.created)


@reads("A23", aspect="reused key")
class RefusesReusedKeys(Shop):
    """Refuses a key that comes again with something else to be refunded."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Compare what is asked for with what was."""
        asked = {line.id: units for line, units in self.asked(request).items()}
        had = {part.line.id: 0 for part in existing.lines}
        for part in existing.lines:
            had[part.line.id] += part.quantity
        if asked != had or (request.rights_type, request.order.id) != (existing.rights_type, existing.order_id):
            raise Refusal(422, "the requestNo was used for another request")
        return super().replay(existing, request)


@reads("A24", aspect="key scope")
class KeepsKeysByOrder(Shop):
    """Keeps the keys of each order apart."""

    def read_request(self, body: Any) -> RefundRequest:
        """Make the order a part of the key."""
        request = super().read_request(body)
        return evolve(request, key=f"{request.order.id} {request.key}")


@reads("A24", aspect="key lifetime")
class KeepsKeysOneMinute(Shop):
    """Takes half a second for a create, and forgets keys that it first saw more than a minute ago."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.seen: dict[str, tuple[datetime, int]] = {}

    def read_request(self, body: Any) -> RefundRequest:
        """Make it a part of a key how often it was forgotten."""
        self.clock.sleep(0.5)
        request, now = super().read_request(body), self.clock.now()
        since, lives = self.seen.setdefault(request.key, (now, 0))
        if (now - since).total_seconds() > 60:
            self.seen[request.key] = since, lives = now, lives + 1
        return evolve(request, key=f"{request.key} {lives}")


@reads("A24", aspect="refused keys")
class BurnsRefusedKeys(Shop):
    """Refuses a key for good once a create under it was refused."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.burnt: set[str] = set()

    def create(self, body: Any) -> StoredRefund:
        """Remember the keys of refused creates."""
        refund = body.get("refund") if isinstance(body, dict) else None
        key = refund.get("requestNo") if isinstance(refund, dict) else None
        if not isinstance(key, str):
            return super().create(body)
        if key in self.burnt:
            raise Refusal(409, "the requestNo was used before")
        try:
            return super().create(body)
        except Refusal:
            self.burnt.add(key)
            raise


@reads("A21", aspect="key characters")
class RefusesKeysBeyondAscii(Shop):
    """Takes only ASCII characters in a key."""

    def read_key(self, value: Any) -> str:
        """Refuse any other."""
        key = super().read_key(value)
        if not key.isascii():
            raise Refusal(400, "requestNo must be ASCII")
        return key


@reads("A21", aspect="keys of numbers")
class TurnsNumbersIntoKeys(Shop):
    """Takes the digits of a JSON number for a key, as a reader of typed objects does."""

    def read_key(self, value: Any) -> str:
        """Write a number out before looking at its length."""
        number = isinstance(value, int) and not isinstance(value, bool)
        return super().read_key(str(value) if number else value)

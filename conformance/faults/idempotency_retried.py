"""Servers that do not know a create again when it comes in another way, asks for something else, or is special."""

import uuid
from collections.abc import Hashable, Mapping
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.faults.idempotency import ForgetsSome, OwnMemory
from conformance.reference.app import App
from conformance.reference.requests import RefundRequest, Refusal
from conformance.reference.rules import Shop, Token
from conformance.reference.store import StoredOrder, StoredRefund


@breaks("IDEM-15")
class TiesKeysToConnections(App):
    """Keeps keys with the connection that they came over, so that a request that closes its own finds none."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Start with an empty memory where no connection is kept."""
        if request.headers.get("Connection") == "close":
            shop = OwnMemory(shop.name, shop.store, shop.tokens, shop.clock)
        return super().operate(shop, operation, values, request)


@breaks("IDEM-16")
class ComparesTheOrderOfMembers(OwnMemory):
    """Knows a request by the text of its body, so that reordered members make it another one."""

    def read_request(self, body: Any) -> RefundRequest:
        """Note which member comes first."""
        refund = self.member(body, "refund")
        self.first = next(iter(refund), "") if isinstance(refund, dict) else ""
        return super().read_request(body)

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the first member to the key."""
        return key, self.first


@breaks("IDEM-17")
class PaysOtherQuantitiesUnderOneKey(OwnMemory):
    """Knows a request by its key and its units, so that other units make another refund."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the units to the key."""
        return key, sum(part.quantity for part in request.lines)


@breaks("IDEM-17")
class PaysTheDifferenceUnderOneKey(OwnMemory):
    """Makes another refund when a key is used again for more units than before."""

    def recall(self, key: str) -> StoredRefund | None:
        """Find only what has as many units, or more."""
        found = super().recall(key)
        if found is None or self.request is None or self.request.order.id != found.order_id:
            return found
        units = sum(line.quantity for line in found.lines)
        return found if units >= sum(part.quantity for part in self.request.lines) else None


@breaks("IDEM-17")
class AnswersWhatIsAsked(Shop):
    """Answers a replay with the original's id and the units and the amount that the replay asks for."""

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Make up the answer from the request, if it is of the same lines."""
        made_up = self.new_refund(request)
        if [part.line for part in made_up.lines] != [part.line for part in existing.lines]:
            return existing
        return evolve(existing, lines=made_up.lines, amount=made_up.amount)


@breaks("IDEM-18")
class PaysOtherLinesUnderOneKey(OwnMemory):
    """Knows a request by its key and its lines, so that another line makes another refund."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the lines to the key."""
        return key, request.order.id, tuple(request.order.lines.index(part.line) for part in request.lines)


@breaks("IDEM-26")
class TiesKeysToTokens(OwnMemory):
    """Keeps the keys of each token apart."""

    holder = ""

    def authorise(self, token: Token, operation: str) -> None:
        """Note who is calling."""
        super().authorise(token, operation)
        self.holder = token.value

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the token to the key."""
        return key, self.holder


@breaks("IDEM-30")
class ComparesTheFormOfNumbers(OwnMemory):
    """Knows a request by the bytes of its values, so that a number and its text are two requests."""

    def read_lines(self, value: Any, order: StoredOrder) -> Any:
        """Note the form of the first quantity."""
        lines = super().read_lines(value, order)
        self.form = type(value[0]["quantity"])
        return lines

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the form to the key."""
        return key, self.form


@breaks("IDEM-33")
class PaysOtherTypesUnderOneKey(OwnMemory):
    """Knows a request by its key and its type, so that another type makes another refund."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the type to the key."""
        return key, request.rights_type


@breaks("IDEM-33")
class PaysOtherReasonsUnderOneKey(OwnMemory):
    """Knows a request by its key and its reasons, so that another reason makes another refund."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Add the reasons to the key."""
        return key, tuple(part.reason for part in request.lines)


@breaks("IDEM-33")
class TakesTheParcelOfReplays(Shop):
    """Keeps the logistics information of a replay in place of that of the refund."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.parcels: dict[str, dict[str, str]] = {}

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Take over what it is sent with."""
        if request.shipping:
            self.parcels[existing.id] = request.shipping
        return self.with_parcel(existing)

    def select(self, refunds: list[StoredRefund]) -> list[StoredRefund]:
        """List each with the parcel that came last."""
        return [self.with_parcel(refund) for refund in super().select(refunds)]

    def find_refund(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Find it with the parcel that came last."""
        return self.with_parcel(super().find_refund(order, refund_id))

    def with_parcel(self, refund: StoredRefund) -> StoredRefund:
        """Return the refund with the parcel that came last."""
        return evolve(refund, shipping=self.parcels.get(refund.id, refund.shipping))


@breaks("IDEM-33")
class TakesTheWholeParcelOfReplays(TakesTheParcelOfReplays):
    """Needs a carrier for logistics information, and keeps that of a replay in place of that of the refund."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Refuse a tracking number that nobody can look up."""
        shipping = super().read_shipping(value)
        if shipping and "shippingCarrier" not in shipping:
            raise Refusal(400, "shippingCarrier is required")
        return shipping


@breaks("IDEM-34")
class ForgetsKeysOfSeveralLines(OwnMemory):
    """Remembers the key of a refund of one line only."""

    def slot(self, key: str, request: RefundRequest) -> Hashable:
        """Forget the others."""
        return key if len(request.lines) == 1 else object()


@breaks("IDEM-33", also=("IDEM-14", "IDEM-34"))
class ForgetsKeysOfParcels(ForgetsSome):
    """Forgets the key of a refund with logistics information, which is stored in another way."""

    def forgotten(self, refund: StoredRefund) -> bool:
        """Forget what has a parcel."""
        return bool(refund.shipping)


@breaks("IDEM-34", also=("IDEM-33",))
class ForgetsKeysWithoutCustomer(Shop):
    """Has a unique index on customer and key, in which no two rows without a customer are the same."""

    def read_request(self, body: Any) -> RefundRequest:
        """Remember a create that names no customer under a key of its own."""
        request = super().read_request(body)
        return request if "customerId" in body["refund"] else evolve(request, key=f"{request.key} {uuid.uuid4()}")


@breaks("IDEM-35")
class DropsKeysOfRefusedCreates(Shop):
    """Deletes the key of a create that it refuses, though an earlier refund may have it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.dropped: set[str] = set()

    def read_request(self, body: Any) -> RefundRequest:
        """Clean up after a request that cannot be read."""
        try:
            return super().read_request(body)
        except Refusal:
            refund = self.member(body, "refund")
            self.dropped.add(str(refund.get("requestNo") if isinstance(refund, dict) else ""))
            raise

    def recall(self, key: str) -> StoredRefund | None:
        """Find nothing for a key that was deleted."""
        return None if key in self.dropped else super().recall(key)

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Store a refund under its key again."""
        if request.key in self.dropped:
            self.store.add_refund(refund)
        else:
            super().save(refund, request)


@breaks("IDEM-35")
class KeepsTheLatestOrderOfAKey(OwnMemory):
    """Remembers of a key the latest refund, and makes another one when it comes for another order."""

    def recall(self, key: str) -> StoredRefund | None:
        """Find the latest one, if it is of this order."""
        found = super().recall(key)
        asked = None if self.request is None else self.request.order.id
        return found if found is not None and found.order_id == asked else None

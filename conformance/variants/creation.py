"""Honest readings of what a create may say, and of how it is accepted."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import evolve

from conformance.reference.requests import RefundRequest, Refusal, RequestedLine
from conformance.reference.rules import Shop
from conformance.reference.store import StoredLine, StoredOrder, StoredRefund
from conformance.variants import reads

IDS = frozenset({"orderId", "customerId", "refundId"})
COUNTS = frozenset({"rightsType", "action"})
LINE_IDS = frozenset({"lineItemId"})
LINE_COUNTS = frozenset({"quantity", "rightsReasonType"})


class TakesForms(Shop):
    """Takes numbers in one form only; the variants below differ in which fields are text, and where."""

    text: frozenset[str] = frozenset()

    def text_of_reviews(self) -> frozenset[str]:
        """Return which fields of a review are text."""
        return self.text

    def create(self, body: Any) -> StoredRefund:
        """Look at the forms first."""
        refund = body.get("refund") if isinstance(body, dict) else None
        self.insist(refund, self.text)
        lines = refund.get("lineItems") if isinstance(refund, dict) else None
        for line in lines if isinstance(lines, list) else ():
            self.insist(line, self.text)
        return super().create(body)

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Look at the forms first."""
        self.insist(body, self.text_of_reviews())
        return super().review(refund_id, body)

    def insist(self, part: Any, text: frozenset[str]) -> None:
        """Refuse a number that is text, or the other way round."""
        for name in IDS | COUNTS | LINE_IDS | LINE_COUNTS if isinstance(part, dict) else ():
            if part.get(name) is not None and isinstance(part[name], str) != (name in text):
                raise Refusal(400, f"{name} must be {'text' if name in text else 'a number'}")


@reads("A01", aspect="input form")
class TakesOnlyJsonNumbers(TakesForms):
    """Takes JSON numbers, as the page declares them, and refuses text."""


@reads("A01", aspect="input form")
class TakesOnlyText(TakesForms):
    """Takes numbers as text, as the page's examples show them, and refuses JSON numbers."""

    text = IDS | COUNTS | LINE_IDS | LINE_COUNTS


@reads("A01", aspect="input form")
class TakesIdsAsText(TakesForms):
    """Takes ids as text and all other numbers as JSON numbers."""

    text = IDS | LINE_IDS


@reads("A01", aspect="input form")
class TakesCountsAsText(TakesForms):
    """Takes ids as JSON numbers and all other numbers as text."""

    text = COUNTS | LINE_COUNTS


@reads("A01", aspect="input form")
class TakesLinesAsText(TakesForms):
    """Takes what a line item says as text, as the examples show it, and what is declared a number as JSON number."""

    text = LINE_IDS | LINE_COUNTS


@reads("A01", aspect="input form")
class TakesQuantitiesAsNumbers(TakesForms):
    """Takes quantities as JSON numbers, since they are counted with, and all other numbers as text."""

    text = IDS | COUNTS | LINE_IDS | (LINE_COUNTS - {"quantity"})


@reads("A01", aspect="input form")
class TakesOrdersAndTypesAsNumbers(TakesForms):
    """Takes an order's id and a refund's type as JSON numbers, and all other numbers as text."""

    text = (IDS | COUNTS | LINE_IDS | LINE_COUNTS) - {"orderId", "rightsType"}


@reads("A01", aspect="input form")
class TakesTextInCreatesOnly(TakesOnlyText):
    """Takes numbers as text in creates and as JSON numbers in reviews."""

    def text_of_reviews(self) -> frozenset[str]:
        """Know only JSON numbers there."""
        return frozenset()


@reads("A34", aspect="empty type")
class RefusesNullTypes(Shop):
    """Refuses a type that is null, as it is not left out."""

    def read_request(self, body: Any) -> RefundRequest:
        """Tell null from nothing."""
        refund = self.member(body, "refund")
        if isinstance(refund, dict) and refund.get("rightsType", 0) is None:
            raise Refusal(400, "rightsType must not be null")
        return super().read_request(body)


@reads("A34", aspect="empty type")
class TakesEmptyTypesForTheDefault(Shop):
    """Takes an empty type for one that is left out."""

    def read_rights_type(self, value: Any) -> int:
        """Fill in the default."""
        return super().read_rights_type(None if value == "" else value)


@reads("A30", aspect="unknown fields")
class RefusesUnknownFields(Shop):
    """Refuses a create or a review with a field that the page does not know."""

    def create(self, body: Any) -> StoredRefund:
        """Look at the names first."""
        known = {"requestNo", "customerId", "lineItems", "orderId", "rightsType", "shipping"}
        self.insist_on_known(body, {"refund"})
        self.insist_on_known(self.member(body, "refund"), known)
        return super().create(body)

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Look at the names first."""
        self.insist_on_known(body, {"orderId", "refundId", "action"})
        return super().review(refund_id, body)

    def insist_on_known(self, part: Any, known: set[str]) -> None:
        """Refuse any other name."""
        if isinstance(part, dict) and not part.keys() <= known:
            raise Refusal(400, "there is an unknown field")


@reads("A28", aspect="duplicate lines")
class TakesDuplicateLines(Shop):
    """Takes a line that a request names twice, and keeps both."""

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Refuse nothing; only the sum matters."""


@reads("A28", aspect="duplicate lines")
class MergesDuplicateLines(Shop):
    """Makes one line of two that name the same."""

    def check_distinct(self, lines: tuple[RequestedLine, ...]) -> None:
        """Refuse nothing; they are merged."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Add the units up."""
        merged: dict[str, RequestedLine] = {}
        for line in super().read_lines(value, order):
            known = merged.get(line.line.id)
            merged[line.line.id] = line if known is None else evolve(known, quantity=known.quantity + line.quantity)
        return tuple(merged.values())


@reads("A29", aspect="lines of a refund")
class TakesTwentyLines(Shop):
    """Refuses a refund of more than twenty lines, which have to be asked for bit by bit."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Count them first."""
        if isinstance(value, list) and len(value) > 20:
            raise Refusal(422, "a refund has 20 lines at most")
        return super().read_lines(value, order)


@reads("A15", aspect="wrong customer")
class IgnoresTheCustomer(Shop):
    """Takes the customer from the order, whatever the request says."""

    def read_customer(self, value: Any, order: StoredOrder) -> str:
        """Look at the order alone."""
        return order.customer


@reads("A25", aspect="sent amount")
class RefusesSentAmounts(Shop):
    """Refuses a create that brings an amount."""

    def read_request(self, body: Any) -> RefundRequest:
        """Insist on computing it."""
        refund = self.member(body, "refund")
        if isinstance(refund, dict) and "amount" in refund:
            raise Refusal(400, "the amount is computed")
        return super().read_request(body)


@reads("A25", aspect="sent amount")
class HonoursSmallerAmounts(Shop):
    """Refunds the amount that a create brings, up to the price of what it gives back."""

    sent: Any = None

    def create(self, body: Any) -> StoredRefund:
        """Note the amount, one create at a time."""
        with self.exclusive():
            refund = self.member(body, "refund")
            self.sent = refund.get("amount") if isinstance(refund, dict) else None
            return super().create(body)

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Use it where it is one."""
        refund = super().new_refund(request)
        try:
            sent = Decimal(str(self.sent))
        except ArithmeticError:
            return refund
        return evolve(refund, amount=sent) if Decimal(0) < sent < refund.amount else refund


@reads("A29", aspect="empty lines")
class TakesEmptyLineLists(Shop):
    """Makes a refund of nothing, with amount zero, where the list of lines is empty."""

    def read_lines(self, value: Any, order: StoredOrder) -> tuple[RequestedLine, ...]:
        """Let the empty list pass."""
        return () if value == [] else super().read_lines(value, order)


@reads("A26", aspect="over-quantity")
class ClampsQuantities(Shop):
    """Refunds what is left where more units are asked for, and refuses only when nothing is."""

    def check_refundable(self, request: RefundRequest) -> None:
        """Refuse where nothing is left."""
        if request.lines and not self.clamped(request).lines:
            raise Refusal(409, "nothing is left to be refunded")

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Make the refund of what is left."""
        return super().new_refund(self.clamped(request))

    def clamped(self, request: RefundRequest) -> RefundRequest:
        """Return the request with no more units than are left."""
        left: dict[StoredLine, int] = {line: self.refundable(request.order, line) for line in request.order.lines}
        lines = []
        for part in request.lines:
            units = min(part.quantity, left[part.line])
            left[part.line] -= units
            if units > 0:
                lines.append(evolve(part, quantity=units))
        return evolve(request, lines=tuple(lines))


@reads("A10", "A12", aspect="line children")
class RequiresReasons(Shop):
    """Refuses a line without a reason or without its type."""

    def read_line(self, value: Any, order: StoredOrder) -> RequestedLine:
        """Insist on both."""
        self.member(value, "rightsReason")
        self.member(value, "rightsReasonType")
        return super().read_line(value, order)


@reads("A11", aspect="reason types")
class KnowsOneReasonType(Shop):
    """Knows no reason type but 0, the one that the page shows."""

    def read_reason_type(self, value: Any) -> str:
        """Refuse any other."""
        if value is not None and self.number(value, "rightsReasonType") != 0:
            raise Refusal(400, "rightsReasonType must be 0")
        return super().read_reason_type(value)


class AcceptsWith(Shop):
    """Accepts with other codes; the variants below differ in which."""

    codes: Mapping[str, int] = {}

    def success_status(self, operation: str) -> int:
        """Return the code of the operation."""
        return self.codes.get(operation, super().success_status(operation))


@reads("A36", aspect="acceptance code")
class AcceptsCreatesWith201(AcceptsWith):
    """Accepts a create with 201."""

    codes: Mapping[str, int] = {"create": 201}


@reads("A36", aspect="acceptance code")
class AcceptsWritesWith202(AcceptsWith):
    """Accepts creates and reviews with 202, and the refund in the body."""

    codes: Mapping[str, int] = {"create": 202, "review": 202}


@reads("A36", aspect="acceptance code")
class AcceptsWritesWith201(AcceptsWith):
    """Accepts creates and reviews with 201."""

    codes: Mapping[str, int] = {"create": 201, "review": 201}


@reads("A12", aspect="reasons")
class TakesPlainReasonsOnly(Shop):
    """Refuses a reason with anything in it but letters, digits, spaces and common signs."""

    def read_reason(self, value: Any) -> str:
        """Refuse whatever could mean something to a machine."""
        reason = super().read_reason(value)
        if not re.fullmatch(r"[A-Za-z0-9 .,:;!?'()/-]*", reason):
            raise Refusal(422, "rightsReason has characters that are not allowed")
        return reason


@reads("A12", aspect="reasons")
class TakesShortReasonsOnly(Shop):
    """Refuses a reason of more than 255 characters, for which its table has no room."""

    def read_reason(self, value: Any) -> str:
        """Count them."""
        reason = super().read_reason(value)
        if len(reason) > 255:
            raise Refusal(400, "rightsReason is too long")
        return reason


@reads("A10", aspect="parts of the parcel")
class NeedsWholeParcels(Shop):
    """Refuses logistics information of which a part is missing."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Take all of it or nothing."""
        shipping = super().read_shipping(value)
        if len(shipping) not in {0, 3}:
            raise Refusal(422, "a part of the shipping is missing")
        return shipping

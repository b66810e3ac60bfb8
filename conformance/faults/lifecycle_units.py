"""Servers whose books of units are moved by reviews that are refused, or that come again; and what else those move."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from conformance.faults import breaks
from conformance.reference.app import TOKEN_HEADER, App
from conformance.reference.requests import APPROVE, REFUND, REJECT, RefundRequest, Refusal
from conformance.reference.rules import CANCELED, COMPLETED, Shop
from conformance.reference.store import StoredLine, StoredOrder, StoredRefund

ABNORMAL = 5
TAKEN, FREED = 1, -1


class KeepsBooks(Shop):
    """Keeps a count of units besides the refunds; the faults below differ in what moves it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.moved: Counter[str] = Counter()

    def move(self, refund: StoredRefund, way: int) -> None:
        """Take the units of a refund once more, or free them once more."""
        for part in refund.lines:
            self.moved[part.line.id] += way * part.quantity

    def refundable(self, order: StoredOrder, line: StoredLine) -> int:
        """Leave out what the count says is taken."""
        return super().refundable(order, line) - self.moved[line.id]


@breaks("LIFE-01")
class TakesUnitsWithEachApproval(KeepsBooks):
    """Takes the units of a completed refund once more when it is approved again."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Move the count first."""
        if action == APPROVE and refund.status == COMPLETED:
            self.move(refund, TAKEN)
        return super().decide(refund, action)


@breaks("LIFE-01")
class TakesUnitsWithEachLateApproval(KeepsBooks):
    """Takes the units of a canceled refund again before it refuses to approve it."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Move the count first."""
        if action == APPROVE and refund.status == CANCELED:
            self.move(refund, TAKEN)
        return super().decide(refund, action)


class MovesUnitsForOthers(KeepsBooks):
    """Moves the count for a review that names another order, and then refuses it."""

    action, way = REJECT, FREED

    def find_refund(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Move the count where the order is another one."""
        refund = self.store.refund(self.name, refund_id)
        if refund is not None and refund.order_id != order.id and self.asked_for == self.action:
            self.move(refund, self.way)
        return super().find_refund(order, refund_id)

    def read_action(self, value: Any) -> int:
        """Note what is asked for."""
        self.asked_for = super().read_action(value)
        return self.asked_for


@breaks("LIFE-01")
class FreesUnitsForAnotherOrder(MovesUnitsForOthers):
    """Frees the units of a refund when it is rejected as one of another order, which is refused."""


@breaks("LIFE-01")
class TakesUnitsForAnotherOrder(MovesUnitsForOthers):
    """Takes the units of a refund again when it is approved as one of another order, which is refused."""

    action, way = APPROVE, TAKEN


class WorksForOtherActions(KeepsBooks):
    """Does something with a refund before it refuses an action that is none."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Do it where the refund is there."""
        try:
            return super().review(refund_id, body)
        except Refusal:
            refund = self.store.refund(self.name, refund_id) if refund_id.isdecimal() else None
            action = body.get("action") if isinstance(body, dict) else None
            if refund is not None and action is not None and str(action) not in {str(APPROVE), str(REJECT)}:
                self.work(refund)
            raise

    def work(self, refund: StoredRefund) -> None:
        """Do what should not be done."""
        raise NotImplementedError


@breaks("LIFE-01")
class FreesUnitsForOtherActions(WorksForOtherActions):
    """Frees the units of a refund for an action that is none, and then refuses it."""

    def work(self, refund: StoredRefund) -> None:
        """Move the count."""
        self.move(refund, FREED)


@breaks("LIFE-05")
class CancelsSiblingsForOtherActions(WorksForOtherActions):
    """Cancels the other open refunds of the order for an action that is none, and then refuses it."""

    def work(self, refund: StoredRefund) -> None:
        """Leave the refund itself alone."""
        for other in self.store.refunds_of(self.name, refund.order_id):
            if other.id != refund.id and self.is_open(other):
                self.change(other, CANCELED)


@breaks("LIFE-03")
class CancelsRefundsWithoutReturnForOtherActions(WorksForOtherActions):
    """Cancels a refund without return for an action that is none, and then refuses it."""

    def work(self, refund: StoredRefund) -> None:
        """Take whatever is no approval for a rejection."""
        if refund.rights_type == REFUND and self.is_open(refund):
            self.change(refund, CANCELED)


@breaks("LIFE-01")
class FreesTheLineInItsPlace(KeepsBooks):
    """Gives the units of a rejected refund back to the order's line in the same place, and not to their own."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Count places in the refund."""
        was_open, decided = self.is_open(refund), super().decide(refund, action)
        order = self.store.order(self.name, refund.order_id)
        if was_open and action == REJECT and order is not None:
            for line, part in zip(order.lines, refund.lines, strict=False):
                self.moved[line.id] -= part.quantity
                self.moved[part.line.id] += part.quantity
        return decided


@breaks("LIFE-01")
class TakesBackWhatWasShipped(Shop):
    """Takes an order for one that was not shipped once all units of a line came back."""

    def is_shipped(self, request: RefundRequest) -> bool:
        """Look for a line that came back."""
        refunds = self.store.refunds_of(self.name, request.order.id)
        parts = [part for refund in refunds if refund.status == COMPLETED for part in refund.lines]
        back = len(request.order.lines) > 1 and any(part.quantity == part.line.quantity > 1 for part in parts)
        return super().is_shipped(request) and not back


@breaks("LIFE-03")
class EndsAbnormallyAtTheThirdReview(Shop):
    """Counts the reviews of a refund, and takes the third approval for something that went wrong."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.tries: Counter[str] = Counter()

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Count."""
        self.tries[refund.id] += action == APPROVE
        again = refund.status == COMPLETED and self.tries[refund.id] > 2
        return self.change(refund, ABNORMAL) if again else super().decide(refund, action)


@breaks("LIFE-03")
class ShowsTheDecidedToAnyScope(App):
    """Answers the review of a completed refund at once for every token of the shop, since nothing is left to do."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Ask for a token alone."""
        refund = shop.store.refund(shop.name, values.get("refund_id", ""))
        if operation == "review" and refund is not None and refund.status == COMPLETED:
            shop.authenticate(request.headers.get(TOKEN_HEADER))
            return self.carry_out(shop, operation, values, request)
        return super().operate(shop, operation, values, request)

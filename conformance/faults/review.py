"""Servers that get the review wrong."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.faults.nearmiss import up_to_letters
from conformance.reference.rules import APPROVE, CANCELED, COMPLETED, INITIATED, REFUND, REJECT, Refusal, Shop
from conformance.reference.store import StoredOrder, StoredRefund

# Whether an action is carried out.


@breaks("REVIEW-01")
class OnlySaysApproved(Shop):
    """Answers an approval with status 3 and stores nothing."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Change the answer alone."""
        return evolve(refund, status=status) if status == COMPLETED else super().change(refund, status)


@breaks("REVIEW-01")
class ApprovesIntoCanceled(Shop):
    """Cancels what is approved."""

    def approved_status(self) -> int:
        """Mix the actions up."""
        return CANCELED


@breaks("REVIEW-01")
class ApprovesIntoAbnormal(Shop):
    """Brings an approved refund to the abnormal status."""

    def approved_status(self) -> int:
        """Fail on the way to the bank."""
        return 5


@breaks("REVIEW-01")
class RefusesApprovals(Shop):
    """Refuses every approval."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Take no approval."""
        if action == APPROVE:
            raise Refusal(409, "the refund cannot be approved")
        return super().decide(refund, action)


@breaks("REVIEW-02")
class OnlySaysCanceled(Shop):
    """Answers a rejection with status 4 and stores nothing."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Change the answer alone."""
        return evolve(refund, status=status) if status == CANCELED else super().change(refund, status)


class Rejects(Shop):
    """Brings a rejected refund to some status; the faults below differ in which."""

    into = CANCELED

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Carry a rejection of an open refund out in its own way."""
        if action == REJECT and self.is_open(refund):
            return self.change(refund, self.into)
        return super().decide(refund, action)


@breaks("REVIEW-02")
class RejectsIntoCompleted(Rejects):
    """Completes what is rejected."""

    into = COMPLETED


@breaks("REVIEW-02")
class RejectsIntoAbnormal(Rejects):
    """Brings a rejected refund to the abnormal status."""

    into = 5


# What an action may be.


class ReadsActions(Shop):
    """Reads some actions in its own way; the faults below differ in which."""

    actions: Callable[[Any], int | None] = staticmethod(lambda _: None)

    def read_action(self, value: Any) -> int:
        """Return what it takes the action for, or what it is."""
        read = self.actions(value)
        return super().read_action(value) if read is None else read


@breaks("REVIEW-03")
class ReadsTheNumberOneAsRejection(ReadsActions):
    """Compares the action with the text 1, and takes whatever is not that for a rejection."""

    actions = staticmethod(lambda value: REJECT if value == 1 and value is not True else None)


@breaks("REVIEW-03")
class IgnoresTheNumberOne(Shop):
    """Accepts an approval that comes as a JSON number, and does nothing."""

    as_number = False

    def read_action(self, value: Any) -> int:
        """Note the form."""
        self.as_number = value == 1 and value is not True
        return super().read_action(value)

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Do nothing where the number matches no case."""
        return refund if self.as_number else super().decide(refund, action)


@breaks("REVIEW-04")
class ReadsTheNumberTwoAsApproval(ReadsActions):
    """Compares the action with the text 2, and takes whatever number is not that for an approval."""

    actions = staticmethod(lambda value: APPROVE if value == 2 else None)


@breaks("REVIEW-05")
class ReadsOthersAsApproval(ReadsActions):
    """Takes every whole number but 2 for an approval."""

    actions = staticmethod(lambda value: APPROVE if str(value) in {"0", "3", "-1"} else None)


@breaks("REVIEW-05")
class ReadsThreeAsRejection(ReadsActions):
    """Takes every action above 1 for a rejection."""

    actions = staticmethod(lambda value: REJECT if str(value) in {"3", "4"} else None)


@breaks("REVIEW-05")
class ReadsThirtyTwoBits(ReadsActions):
    """Reads actions into a variable of 32 bits, so that 4294967297 is an approval."""

    actions = staticmethod(lambda value: APPROVE if str(value) == str(2**32 + 1) else None)


@breaks("REVIEW-05")
class AcceptsZeroAndDoesNothing(Shop):
    """Accepts action 0 and does nothing."""

    def read_action(self, value: Any) -> int:
        """Let it pass."""
        return 0 if value == 0 and value is not False else super().read_action(value)

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Find no case for it."""
        return refund if action == 0 else super().decide(refund, action)


@breaks("REVIEW-06")
class ParsesLeadingDigits(ReadsActions):
    """Reads an action up to the first character that is no digit."""

    actions = staticmethod(
        lambda value: int(value[0]) if isinstance(value, str) and re.fullmatch("[12][^0-9].*", value) else None
    )


@breaks("REVIEW-06")
class ReadsTrueAsOne(ReadsActions):
    """Takes true for the number 1."""

    actions = staticmethod(lambda value: APPROVE if value is True else None)


@breaks("REVIEW-06")
class UnwrapsLists(ReadsActions):
    """Takes the one entry of a list for the action."""

    actions = staticmethod(lambda value: value[0] if isinstance(value, list) and value in ([1], [2]) else None)


@breaks("REVIEW-06")
class TakesTheUnreadableForApproval(ReadsActions):
    """Takes an action that is no whole number for an approval, since nobody would ask so for a rejection."""

    actions = staticmethod(
        lambda value: APPROVE if isinstance(value, Decimal) or (isinstance(value, str) and value.isalpha()) else None
    )


@breaks("REVIEW-07")
class ApprovesByDefault(Shop):
    """Approves when a review names no action."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Fill in an approval."""
        unnamed = isinstance(body, dict) and body.get("action") is None
        return super().review(refund_id, body | {"action": APPROVE} if unnamed else body)


@breaks("REVIEW-07")
class RejectsEmptyActions(Shop):
    """Rejects when the action is empty."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Fill in a rejection."""
        if isinstance(body, dict) and body.get("action") == "":
            body = body | {"action": REJECT}
        return super().review(refund_id, body)


@breaks("REVIEW-29")
class ReadsBodiesOfOneNumber(Shop):
    """Takes a body that is but the number 1 for an approval of the refund in the path."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Make an object of the number."""
        refund = self.store.refund(self.name, refund_id)
        if body == APPROVE and refund is not None:
            body = {"orderId": refund.order_id, "action": body}
        return super().review(refund_id, body)


@breaks("REVIEW-29")
class AcceptsEmptyBodies(Shop):
    """Accepts an empty list or null for a body, finds nothing in it to do, and says so with 200."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Do nothing for nothing."""
        refund = self.store.refund(self.name, refund_id)
        nothing = body is None or body == []
        return refund if nothing and refund is not None else super().review(refund_id, body)


# Which refund is meant.


class FindsOrders(Shop):
    """Finds the order of a review in its own way; the faults below differ in how."""

    def order_of(self, refund: StoredRefund, named: Any) -> Any:
        """Return the order that the review is taken to be of."""
        return named

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Put the order in its place."""
        refund = self.store.refund(self.name, refund_id)
        if isinstance(body, dict) and refund is not None:
            body = body | {"orderId": self.order_of(refund, body.get("orderId"))}
        return super().review(refund_id, body)


@breaks("REVIEW-08")
class NeedsNoOrder(FindsOrders):
    """Reviews a refund when the orderId is missing, null or empty."""

    def order_of(self, refund: StoredRefund, named: Any) -> Any:
        """Fill in the refund's own."""
        return named or refund.order_id


@breaks("REVIEW-09")
class NeverComparesTheOrder(FindsOrders):
    """Takes any order that exists for the refund's."""

    def order_of(self, refund: StoredRefund, named: Any) -> Any:
        """Ask only whether it exists."""
        known = named and self.store.order(self.name, str(named))
        return refund.order_id if known else named


@breaks("REVIEW-09")
class ComparesTheCustomer(FindsOrders):
    """Takes any order of the same customer for the refund's."""

    def order_of(self, refund: StoredRefund, named: Any) -> Any:
        """Compare the customers."""
        order = self.store.order(self.name, str(named))
        return refund.order_id if order is not None and order.customer == refund.customer else named


@breaks("REVIEW-10")
class AcceptsUnknownOrders(FindsOrders):
    """Compares the order with the refund's only where there is such an order."""

    def order_of(self, refund: StoredRefund, named: Any) -> Any:
        """Ask only what is known."""
        unknown = re.fullmatch("[0-9]+", str(named)) and self.store.order(self.name, str(named)) is None
        return refund.order_id if unknown else named


@breaks("REVIEW-10")
class TakesOrderZeroForNone(FindsOrders):
    """Compares the order with the refund's unless its number is 0, which its parser makes of a missing one."""

    def order_of(self, refund: StoredRefund, named: Any) -> Any:
        """Take zero for nothing."""
        return refund.order_id if str(named) == "0" else named


@breaks("REVIEW-11")
class ReadsTheDigitsOfThePath(Shop):
    """Takes the number that the path begins with for the refund's id, whatever follows it."""

    def named_refund(self, refund_id: str, body: Any) -> str:
        """Leave the rest aside."""
        return super().named_refund(up_to_letters(refund_id), body)


@breaks("REVIEW-11")
class ReadsTheDigitsOfTheBody(Shop):
    """Reads the refund's id in the body up to the first letter."""

    def named_refund(self, refund_id: str, body: Any) -> str:
        """Leave the rest aside."""
        return super().named_refund(refund_id, body | {"refundId": up_to_letters(body.get("refundId"))})


@breaks("REVIEW-11")
class ReviewsRefundsByPrefix(Shop):
    """Finds the refund to review by the first digits of its id."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Take the first refund of the order that begins alike."""
        order = self.store.order(self.name, str(body.get("orderId"))) if isinstance(body, dict) else None
        rows = [] if order is None else self.store.refunds_of(self.name, order.id)
        for alike in rows:
            if refund_id == body.get("refundId") == alike.id[:-1]:
                return super().review(alike.id, body | {"refundId": alike.id})
        return super().review(refund_id, body)


@breaks("REVIEW-11")
class AcceptsUnknownRefunds(Shop):
    """Answers a review of a refund that does not exist with an acceptance."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Make the answer from the request."""
        order = self.store.order(self.name, str(body.get("orderId"))) if isinstance(body, dict) else None
        alike = [] if order is None else self.store.refunds_of(self.name, order.id)
        unknown = refund_id.isdecimal() and self.store.refund(self.name, refund_id) is None
        if alike and unknown and body.get("refundId") == refund_id:
            return evolve(alike[0], id=refund_id, status=COMPLETED)
        return super().review(refund_id, body)


class NamesRefunds(Shop):
    """Lets the path and the body name different refunds; the faults below differ in when and which counts."""

    def counts(self, path: str, body: str) -> str | None:
        """Return the one that counts, or ``None`` for a refusal."""
        return None

    def named_refund(self, refund_id: str, body: Any) -> str:
        """Return the one that counts where they differ and both are there."""
        inside = str(body.get("refundId"))
        there = all(self.store.refund(self.name, named) is not None for named in (refund_id, inside))
        counts = self.counts(refund_id, inside) if there and inside != refund_id else None
        return counts or super().named_refund(refund_id, body)


@breaks("REVIEW-12")
class LetsTheBodyOverrule(NamesRefunds):
    """Routes by the path and decides about the refund of the body."""

    def counts(self, path: str, body: str) -> str | None:
        """Take the body's."""
        return body


@breaks("REVIEW-12")
class IgnoresTheBodysRefund(NamesRefunds):
    """Decides about the refund of the path, whatever the body says."""

    def counts(self, path: str, body: str) -> str | None:
        """Take the path's."""
        return path


@breaks("REVIEW-13")
class LetsTheBodyReachOtherOrders(NamesRefunds):
    """Refuses a conflict within one order, and lets the body overrule the path across orders."""

    def counts(self, path: str, body: str) -> str | None:
        """Take the body's, where the orders differ."""
        one, other = self.store.refund(self.name, path), self.store.refund(self.name, body)
        return body if one and other and one.order_id != other.order_id else None


@breaks("REVIEW-13")
class ComparesOnlyWithinOneOrder(NamesRefunds):
    """Looks for the body's refund in the order of the path's, and goes on when it is not there."""

    def counts(self, path: str, body: str) -> str | None:
        """Take the path's, where the orders differ."""
        one, other = self.store.refund(self.name, path), self.store.refund(self.name, body)
        return path if one and other and one.order_id != other.order_id else None


class FindsAmongSeveral(Shop):
    """Finds a refund of an order with three in its own way; the faults below differ in how."""

    def find(self, refunds: list[StoredRefund], named: StoredRefund) -> StoredRefund:
        """Return the one that is decided."""
        return named

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Decide about another refund than the named one, and answer with that."""
        named = self.store.refund(self.name, refund_id)
        refunds = [] if named is None else self.store.refunds_of(self.name, named.order_id)
        if named is not None and len(refunds) == 3 and isinstance(body, dict):
            found = self.find(refunds, named)
            return super().review(found.id, body | {"refundId": found.id})
        return super().review(refund_id, body)


@breaks("REVIEW-18")
class DecidesTheFirst(FindsAmongSeveral):
    """Finds a refund by its order and takes the first."""

    def find(self, refunds: list[StoredRefund], named: StoredRefund) -> StoredRefund:
        """Take the first that is open."""
        return next(filter(self.is_open, refunds), named)


@breaks("REVIEW-18")
class DecidesTheLatest(FindsAmongSeveral):
    """Finds a refund by its order and takes the latest."""

    def find(self, refunds: list[StoredRefund], named: StoredRefund) -> StoredRefund:
        """Take the last one."""
        return refunds[-1]


@breaks("REVIEW-18")
class IgnoresTheLast(Shop):
    """Accepts a review of the third refund of an order and does nothing."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Update the first two rows alone."""
        rows = [row.id for row in self.store.refunds_of(self.name, refund.order_id)]
        return refund if rows.index(refund.id) == 2 and len(rows) == 3 else super().change(refund, status)


class TouchesOthers(Shop):
    """Changes other refunds with the one that is reviewed; the faults below differ in which."""

    def touched(self, refund: StoredRefund, status: int) -> list[StoredRefund]:
        """Return the others."""
        return []

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Change them all."""
        for other in self.touched(refund, status):
            if other.id != refund.id:
                super().change(other, status)
        return super().change(refund, status)


@breaks("REVIEW-18")
class FindsRefundsByTheirAmount(Shop):
    """Decides the first open refund of the order that is worth what the named one is."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Find it by its amount."""
        alike = (
            other
            for other in self.store.refunds_of(self.name, refund.order_id)
            if self.is_open(other) and other.amount == refund.amount
        )
        return super().decide(next(alike, refund), action)


@breaks("REVIEW-19")
class DecidesTheWholeOrder(TouchesOthers):
    """Updates every open refund of the order."""

    def touched(self, refund: StoredRefund, status: int) -> list[StoredRefund]:
        """Leave the refund out of the condition."""
        return list(filter(self.is_open, self.store.refunds_of(self.name, refund.order_id)))


@breaks("REVIEW-19")
class RejectsWhatIsYounger(TouchesOthers):
    """Cancels the later refunds of the order with the one that is rejected."""

    def touched(self, refund: StoredRefund, status: int) -> list[StoredRefund]:
        """Take all from the refund on."""
        refunds = self.store.refunds_of(self.name, refund.order_id)
        return [other for other in refunds if status == CANCELED and int(other.id) > int(refund.id)]


@breaks("REVIEW-19")
class RenewsTheWholeOrder(Shop):
    """Saves every refund of the order with the one that is reviewed, each with a new update time."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Save the others as they are."""
        for other in self.store.refunds_of(self.name, refund.order_id):
            if other.id != refund.id:
                super().change(other, other.status)
        return super().change(refund, status)


@breaks("REVIEW-19")
class CancelsTheRestOnApproval(Shop):
    """Cancels the other open refunds of the order when one is approved."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Clear the way first."""
        for other in self.store.refunds_of(self.name, refund.order_id):
            if status == COMPLETED and other.id != refund.id and self.is_open(other):
                super().change(other, CANCELED)
        return super().change(refund, status)


@breaks("REVIEW-19")
class TouchesOldSiblings(Shop):
    """Moves the update time of all refunds of the order with a review, as shows once they are seconds old."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Renew what is older than a clock of whole seconds can tell."""
        changed = super().change(refund, status)
        for other in self.store.refunds_of(self.name, refund.order_id):
            age = datetime.fromisoformat(changed.updated) - datetime.fromisoformat(other.updated)
            if other.id != refund.id and age > timedelta(seconds=2):
                self.store.set_status(other.id, other.status, changed.updated)
        return changed


@breaks("REVIEW-20")
class DecidesForTheCustomer(TouchesOthers):
    """Updates every open refund of the customer on other orders."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.orders: dict[str, str] = {}

    def find_order(self, value: Any) -> StoredOrder:
        """Note whose orders were seen."""
        order = super().find_order(value)
        self.orders[order.id] = order.customer
        return order

    def touched(self, refund: StoredRefund, status: int) -> list[StoredRefund]:
        """Take the customer for the condition."""
        others = [key for key, who in self.orders.items() if who == refund.customer and key != refund.order_id]
        return [row for key in others for row in self.store.refunds_of(self.name, key) if self.is_open(row)]


@breaks("REVIEW-28")
class AcceptsWithoutRefundIdAndDoesNothing(Shop):
    """Accepts a review whose body leaves out the refundId, and finds nothing to decide."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Update where the id is that of the body."""
        return super().decide(refund, action) if self.inside else refund

    def named_refund(self, refund_id: str, body: Any) -> str:
        """Note whether the body names a refund."""
        self.inside = "refundId" in body
        return super().named_refund(refund_id, body)


@breaks("REVIEW-28")
class DecidesAnotherWithoutRefundId(Shop):
    """Decides about the first refund of the order when the body leaves out the refundId."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Guess a refund."""
        named = self.store.refund(self.name, refund_id)
        if isinstance(body, dict) and "refundId" not in body and named is not None:
            refund_id = self.store.refunds_of(self.name, named.order_id)[0].id
        return super().review(refund_id, body)


# Reviews of what was decided.


class Reviewed(Shop):
    """Reviews a decided refund again in its own way; the faults below differ in how."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Return what comes of it."""
        return super().decide(refund, action)

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Tell a first review from a later one."""
        return super().decide(refund, action) if self.is_open(refund) else self.again(refund, action)


@breaks("REVIEW-14")
class PaysTwice(Reviewed):
    """Stores a second refund when an approved one is approved again."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Pay once more."""
        if refund.status == COMPLETED and action == APPROVE:
            self.store.add_refund(evolve(refund, id=self.store.next_id("refund")))
        return super().again(refund, action)


@breaks("REVIEW-14")
class TogglesApprovals(Reviewed):
    """Takes a second approval back."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Open it again."""
        if refund.status == COMPLETED and action == APPROVE:
            return self.change(refund, INITIATED)
        return super().again(refund, action)


@breaks("REVIEW-14")
class FailsOnTheSecondApproval(Reviewed):
    """Breaks when an approved refund is approved again."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Fail as an unhandled error does."""
        if refund.status == COMPLETED and action == APPROVE:
            raise Refusal(500, "no transition from COMPLETED to COMPLETED")
        return super().again(refund, action)


@breaks("REVIEW-15")
class TogglesRejections(Reviewed):
    """Takes a second rejection back."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Open it again."""
        return (
            self.change(refund, INITIATED) if action == REJECT == refund.status - 2 else super().again(refund, action)
        )


@breaks("REVIEW-16")
class RevivesCanceled(Shop):
    """Approves a refund that was rejected before."""

    def is_open(self, refund: StoredRefund) -> bool:
        """Take a canceled refund for open."""
        return refund.status in {INITIATED, CANCELED}


@breaks("REVIEW-16")
class RefusesButRevives(RevivesCanceled):
    """Refuses to approve a canceled refund when that is already done."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Check last of all."""
        before = self.store.refund(self.name, refund_id)
        refund = super().review(refund_id, body)
        if before is not None and (before.status, refund.status) == (CANCELED, COMPLETED):
            raise Refusal(409, "the refund was already reviewed")
        return refund


@breaks("REVIEW-16", also=("REVIEW-17",))
class TouchesWhatItRefuses(Shop):
    """Saves a refund, with a new update time, before it finds that it was already reviewed."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Save what is decided in any case."""
        try:
            return super().review(refund_id, body)
        except Refusal:
            refund = self.store.refund(self.name, refund_id)
            if refund is not None and not self.is_open(refund):
                self.change(refund, refund.status)
            raise


@breaks("REVIEW-16")
class SaysThatCanceledWasApproved(Shop):
    """Answers the approval of a canceled refund as if it had been carried out."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Leave the refund as it is, and show another."""
        late = refund.status == CANCELED and action == APPROVE
        return evolve(refund, status=COMPLETED) if late else super().decide(refund, action)


@breaks("REVIEW-17")
class SaysThatCompletedWasRejected(Shop):
    """Answers the rejection of a completed refund as if it had been carried out."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Leave the refund as it is, and show another."""
        late = refund.status == COMPLETED and action == REJECT
        return evolve(refund, status=CANCELED) if late else super().decide(refund, action)


@breaks("REVIEW-17")
class CancelsCompleted(Reviewed):
    """Cancels a refund that was completed before."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Ask nothing about the present status."""
        return self.change(refund, CANCELED) if action == REJECT else super().again(refund, action)


@breaks("REVIEW-17")
class CancelsCompletedAfterASecond(Reviewed):
    """Refuses to cancel what was completed just now, and cancels what was completed seconds ago."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Look into a memory that is short."""
        now, then = datetime.fromisoformat(self.now()), datetime.fromisoformat(refund.updated)
        forgotten = action == REJECT and now - then > timedelta(seconds=2)
        return self.change(refund, CANCELED) if forgotten else super().again(refund, action)


@breaks("REVIEW-17")
class CancelsCompletedWithoutReturn(Reviewed):
    """Cancels a completed refund without return, for no parcel is under way."""

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Ask for the type alone."""
        late = refund.rights_type == REFUND and action == REJECT
        return self.change(refund, CANCELED) if late else super().again(refund, action)


@breaks("REVIEW-17")
class CancelsAfterTwoApprovals(Reviewed):
    """Holds a refund that was approved twice for one that is under way, and lets it be rejected."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.twice: set[str] = set()

    def again(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Lose the status of what was approved twice."""
        if action == APPROVE:
            self.twice.add(refund.id)
        elif refund.id in self.twice:
            return self.change(refund, CANCELED)
        return super().again(refund, action)


# What else a review changes.


class Rewrites(Shop):
    """Shows a reviewed refund with another content; the faults below differ in which."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Return the refund as it is shown."""
        return refund

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Show the new content everywhere."""
        return super().record(operation, self.rewritten(refund))


@breaks("REVIEW-21", also=("RECORD-65",))
class ForgetsTheParcelOnApproval(Rewrites):
    """Loses the logistics information of an approved refund."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Write the row without it."""
        return evolve(refund, shipping={}) if refund.status == COMPLETED else refund


@breaks("REVIEW-21", also=("RECORD-71",))
class RenewsTheCreateTimeOnApproval(Rewrites):
    """Writes the time of the approval over the time of creation."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Set both times."""
        return evolve(refund, created=refund.updated) if refund.status == COMPLETED else refund


@breaks("REVIEW-21")
class WithholdsOneCentOnApproval(Rewrites):
    """Takes a cent off the amount of an approved refund."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Take the fee."""
        return evolve(refund, amount=refund.amount - Decimal("0.01")) if refund.status == COMPLETED else refund


@breaks("REVIEW-21")
class TurnsApprovedReturnsIntoRefunds(Rewrites):
    """Makes a refund without return of an approved return."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Change the type."""
        return evolve(refund, rights_type=REFUND) if refund.status == COMPLETED else refund


@breaks("REVIEW-22", also=("AMOUNT-07",))
class ZeroesTheAmountOnRejection(Rewrites):
    """Sets the amount of a rejected refund to nothing."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Pay nothing."""
        return evolve(refund, amount=Decimal(0)) if refund.status == CANCELED else refund


@breaks("REVIEW-22")
class WritesTheReasonOver(Rewrites):
    """Writes the reviewer's decision over the customer's reason."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Use the one field there is."""
        lines = tuple(evolve(line, reason="Rejected") for line in refund.lines)
        return evolve(refund, lines=lines) if refund.status == CANCELED else refund


@breaks("REVIEW-22")
class WritesTheReasonOverAmongSeveral(Rewrites):
    """Writes why a refund was rejected over the customer's reason when its order has others."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Say that there are others."""
        several = len(self.store.refunds_of(self.name, refund.order_id)) > 1
        lines = tuple(evolve(line, reason="Duplicate") for line in refund.lines)
        return evolve(refund, lines=lines) if several and refund.status == CANCELED else refund


@breaks("REVIEW-27")
class LosesLinesOnReview(Rewrites):
    """Keeps the first line alone of a refund that was decided."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Join the lines wrongly."""
        return refund if refund.status == INITIATED else evolve(refund, lines=refund.lines[:1])


@breaks("REVIEW-27")
class RejectsSingleLinesOnly(Shop):
    """Accepts a rejection of a refund of several lines, and does nothing."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Update what has one line."""
        return refund if status == CANCELED and len(refund.lines) > 1 else super().change(refund, status)


@breaks("REVIEW-26")
class ApprovesReturnsOnly(Shop):
    """Accepts an approval of a refund without return, and waits for goods that never come."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Update what comes back."""
        waits = status == COMPLETED and refund.rights_type == REFUND
        return refund if waits else super().change(refund, status)


@breaks("REVIEW-26")
class CompletesRejectedRefunds(Shop):
    """Completes a refund without return when it is rejected."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Know no other end for type 2."""
        return super().change(refund, COMPLETED if refund.rights_type == REFUND else status)


class Overwrites(Shop):
    """Writes parts of a review's body over the record; the faults below differ in which."""

    def smuggled(self, body: Any) -> Any:
        """Return what is written over the record."""
        return body

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.amounts: dict[str, Decimal] = {}

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Note the amount of the body."""
        refund = super().review(refund_id, body)
        inside = self.smuggled(body)
        if isinstance(inside, dict) and "amount" in inside:
            self.amounts[refund.id] = Decimal(str(inside["amount"]))
        return refund

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Show the noted amount everywhere."""
        return super().record(operation, evolve(refund, amount=self.amounts.get(refund.id, refund.amount)))


@breaks("REVIEW-23")
class TakesAmountsOfReviews(Overwrites):
    """Writes an amount that a review brings over the stored one."""


@breaks("REVIEW-23")
class TakesRecordsOfReviews(Overwrites):
    """Writes a record that a review brings over the stored one."""

    def smuggled(self, body: Any) -> Any:
        """Look into the wrapper."""
        return body.get("refund")


@breaks("REVIEW-23")
class TakesReasonsOfReviews(Shop):
    """Writes the reasons that a review brings over those of the lines that it names."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Remember what else the body says."""
        refund = super().review(refund_id, body)
        lines = body.get("lineItems") or []
        self.reasons[refund.id] = {str(line["lineItemId"]): line["rightsReason"] for line in lines}
        return refund

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.reasons: dict[str, dict[str, str]] = {}

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Show the remembered reasons everywhere."""
        said = self.reasons.get(refund.id, {})
        lines = tuple(evolve(line, reason=said.get(line.line.id, line.reason)) for line in refund.lines)
        return super().record(operation, evolve(refund, lines=lines))


@breaks("REVIEW-23")
class TakesParcelsOfReviews(Shop):
    """Writes the logistics information that a review brings over the stored one."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Remember what else the body says."""
        refund = super().review(refund_id, body)
        if body.get("shipping"):
            self.parcels[refund.id] = body["shipping"]
        return refund

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.parcels: dict[str, dict[str, str]] = {}

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Show it everywhere."""
        return super().record(operation, evolve(refund, shipping=self.parcels.get(refund.id, refund.shipping)))


@breaks("REVIEW-23")
class TakesStatusesOfReviews(Shop):
    """Writes a status that a review brings over the one that its action leads to."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Bind the whole body to the record."""
        refund = super().review(refund_id, body)
        return self.change(refund, int(body["status"])) if body.get("status") else refund


# What is answered, and what comes afterwards.


class ForgetsDecisions(Shop):
    """Shows a decided refund as initiated again after three seconds; the faults below differ in the decision."""

    forgotten: int

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Look at the time since the decision."""
        age = (self.clock.now() - datetime.fromisoformat(refund.updated)).total_seconds()
        if refund.status == self.forgotten and age > 3:
            refund = evolve(refund, status=INITIATED)
        return super().record(operation, refund)


@breaks("REVIEW-30")
class LetsApprovalsRunOut(ForgetsDecisions):
    """Shows an approved refund as initiated again when three seconds have passed."""

    forgotten = COMPLETED


@breaks("REVIEW-31")
class OpensRejectedRefundsAgain(ForgetsDecisions):
    """Shows a canceled refund as initiated again when three seconds have passed."""

    forgotten = CANCELED


class AnswersReviews(Shop):
    """Answers a review with something else than is stored; the faults below differ in what."""

    def answered(self, refund: StoredRefund) -> StoredRefund:
        """Return what the answer shows."""
        return refund

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Change the answers to reviews alone."""
        return super().record(operation, self.answered(refund) if operation == "review" else refund)


@breaks("REVIEW-24")
class AnswersCanceledForApproved(AnswersReviews):
    """Answers an approval as if it had been a rejection."""

    def answered(self, refund: StoredRefund) -> StoredRefund:
        """Show the wrong status."""
        return evolve(refund, status=CANCELED) if refund.status == COMPLETED else refund


@breaks("REVIEW-24")
class AnswersCompletedForRejected(AnswersReviews):
    """Answers a rejection as if it had been an approval."""

    def answered(self, refund: StoredRefund) -> StoredRefund:
        """Show the wrong status."""
        return evolve(refund, status=COMPLETED) if refund.status == CANCELED else refund


@breaks("REVIEW-24")
class AnswersWithAnotherParcel(AnswersReviews):
    """Answers a review with a tracking number of its own, and keeps the one that is stored."""

    def answered(self, refund: StoredRefund) -> StoredRefund:
        """Show a number that nobody sent."""
        return evolve(refund, shipping=refund.shipping | {"trackingNumber": f"RETURN{refund.id}"})


@breaks("REVIEW-24", also=("AMOUNT-04",))
class AnswersWithTheFirstOfTheOrder(Shop):
    """Decides the refund that is named, and answers with the first one of its order."""

    def record(self, operation: str, refund: StoredRefund) -> dict[str, Any]:
        """Look the order's refunds up and take one."""
        if operation == "review":
            refund = self.store.refunds_of(self.name, refund.order_id)[0]
        return super().record(operation, refund)


@breaks("REVIEW-24")
class AnswersWithTheLatestId(AnswersReviews):
    """Decides the refund that is named, and answers with the id of the latest one of its order."""

    def answered(self, refund: StoredRefund) -> StoredRefund:
        """Take the id of the last row."""
        return evolve(refund, id=self.store.refunds_of(self.name, refund.order_id)[-1].id)


class Locks(Shop):
    """Locks a refund after refused reviews; the faults below differ in how many."""

    patience = 1

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.refused: dict[str, int] = {}

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Count the refusals of a refund."""
        if self.refused.get(refund_id, 0) >= self.patience:
            raise Refusal(409, "the refund is locked")
        try:
            return super().review(refund_id, body)
        except Refusal:
            self.refused[refund_id] = self.refused.get(refund_id, 0) + 1
            raise


@breaks("REVIEW-25")
class LocksAfterOneRefusal(Locks):
    """Accepts no review of a refund after it refused one."""


@breaks("REVIEW-25")
class LocksAfterTwoRefusals(Locks):
    """Accepts no review of a refund after it refused two."""

    patience = 2


@breaks("REVIEW-26")
class ApprovesShippedOrdersOnly(Shop):
    """Refuses to approve a refund of an order that was not shipped, though it needs no shipment."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Look at the order."""
        order = self.store.order(self.name, refund.order_id)
        if action == APPROVE and order is not None and not order.shipped:
            raise Refusal(409, "the order was not shipped")
        return super().decide(refund, action)


@breaks("REVIEW-01")
class WaitsForAParcel(Shop):
    """Accepts the approval of a return without logistics information, and waits for a parcel."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Wait."""
        if action == APPROVE and refund.rights_type != REFUND and not refund.shipping:
            return refund
        return super().decide(refund, action)


@breaks("REVIEW-18")
class ApprovesOnceByOrder(Shop):
    """Accepts the approval of a second refund of an order, and does nothing."""

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Find the order paid back already."""
        others = self.store.refunds_of(self.name, refund.order_id)
        if action == APPROVE and any(other.status == COMPLETED for other in others):
            return refund
        return super().decide(refund, action)


@breaks("REVIEW-21")
class WritesLaterApprovalsOff(Rewrites):
    """Sets the amount of an approved refund to nothing when another one of its order was decided before."""

    def rewritten(self, refund: StoredRefund) -> StoredRefund:
        """Find the order paid back already."""
        others = self.store.refunds_of(self.name, refund.order_id)
        later = any(not self.is_open(other) and other.updated < refund.updated for other in others)
        return evolve(refund, amount=Decimal(0)) if later and refund.status == COMPLETED else refund


@breaks("REVIEW-08")
class RejectsWithoutOrder(Shop):
    """Rejects a refund when the orderId is missing, null or empty."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Look the order up by the refund."""
        if isinstance(body, dict) and not body.get("orderId") and str(body.get("action")) == str(REJECT):
            refund = self.store.refund(self.name, refund_id)
            body = body if refund is None else body | {"orderId": refund.order_id}
        return super().review(refund_id, body)


@breaks("REVIEW-05")
class TakesAStatusForTheAction(Shop):
    """Takes action 4, which is the status of canceled refunds, for a rejection."""

    def read_action(self, value: Any) -> int:
        """Look it up among the statuses."""
        return REJECT if str(value) == str(CANCELED) else super().read_action(value)


class GivesInAtTheSecondTry(Shop):
    """Refuses a review that comes too late once; the faults below differ in which."""

    late = (CANCELED, APPROVE)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.tried: set[str] = set()

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Carry it out when it comes again."""
        if (refund.status, action) == self.late and refund.id in self.tried:
            return self.change(refund, COMPLETED if action == APPROVE else CANCELED)
        if (refund.status, action) == self.late:
            self.tried.add(refund.id)
        return super().decide(refund, action)


@breaks("REVIEW-16", also=("REVIEW-17",))
class RevivesAtTheSecondTry(GivesInAtTheSecondTry):
    """Refuses to approve a canceled refund once, and does it when asked again."""


@breaks("REVIEW-17")
class CancelsCompletedAtTheSecondTry(GivesInAtTheSecondTry):
    """Refuses to reject a completed refund once, and does it when asked again."""

    late = (COMPLETED, REJECT)


@breaks("REVIEW-06")
class ReadsActionsAsFloats(Shop):
    """Reads an action that is text as a decimal number, and drops what is behind the point."""

    def read_action(self, value: Any) -> int:
        """Cut the fraction off."""
        fraction = re.fullmatch(r"([0-9]+)\.[0-9]+", value) if isinstance(value, str) else None
        return super().read_action(fraction[1] if fraction else value)

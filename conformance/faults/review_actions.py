"""Servers that read the action of a review as another one."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from conformance.faults import breaks
from conformance.reference.requests import APPROVE, REJECT, Refusal
from conformance.reference.rules import CANCELED, IN_PROCESS, INITIATED, Shop
from conformance.reference.store import StoredRefund


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
class DropsTheSignOfActions(ReadsActions):
    """Reads an action without its sign, so that -1 is an approval."""

    actions = staticmethod(lambda value: APPROVE if str(value) == "-1" else None)


@breaks("REVIEW-05")
class AcceptsZeroAndDoesNothing(Shop):
    """Accepts action 0 and does nothing."""

    def read_action(self, value: Any) -> int:
        """Let it pass."""
        return 0 if value == 0 and value is not False else super().read_action(value)

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Find no case for it."""
        return refund if action == 0 else super().decide(refund, action)


@breaks("REVIEW-05")
class TakesAStatusForTheAction(Shop):
    """Takes action 4, which is the status of canceled refunds, for a rejection."""

    def read_action(self, value: Any) -> int:
        """Look it up among the statuses."""
        return REJECT if str(value) == str(CANCELED) else super().read_action(value)


@breaks("REVIEW-05")
class BeginsWhatItRefuses(Shop):
    """Refuses an action that there is not, with the refund already in process."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Begin before the action is looked up."""
        try:
            return super().review(refund_id, body)
        except Refusal:
            refund = self.store.refund(self.name, refund_id)
            if (
                isinstance(body, dict)
                and str(body.get("action")) in {"0", "3", "4"}
                and refund is not None
                and refund.status == INITIATED
            ):
                self.change(refund, IN_PROCESS)
            raise

    def is_open(self, refund: StoredRefund) -> bool:
        """Let what was begun be reviewed."""
        return refund.status in {INITIATED, IN_PROCESS}


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


@breaks("REVIEW-06")
class ReadsActionsAsFloats(Shop):
    """Reads an action that is text as a decimal number, and drops what is behind the point."""

    def read_action(self, value: Any) -> int:
        """Cut the fraction off."""
        fraction = re.fullmatch(r"([0-9]+)\.[0-9]+", value) if isinstance(value, str) else None
        return super().read_action(fraction[1] if fraction else value)


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


@breaks("REVIEW-08")
class TakesNullForNoOrder(Shop):
    """Compares the order of a refund unless its id is null."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Fill in the refund's own."""
        refund = self.store.refund(self.name, refund_id) if refund_id.isdecimal() else None
        if refund is not None and isinstance(body, dict) and body.get("orderId", "") is None:
            body = body | {"orderId": refund.order_id}
        return super().review(refund_id, body)

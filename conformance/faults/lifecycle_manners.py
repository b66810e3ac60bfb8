"""Servers that go wrong only once, or only when they are asked in one manner of several."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from attrs import evolve
from werkzeug.wrappers import Request, Response

from conformance.faults import breaks
from conformance.faults.creation_optional import Believing
from conformance.faults.idempotency import OwnMemory
from conformance.faults.lifecycle import is_other
from conformance.reference.app import App
from conformance.reference.requests import APPROVE, REFUND, RefundRequest
from conformance.reference.rules import CANCELED, COMPLETED, INITIATED, Shop, Token
from conformance.reference.store import StoredRefund


@breaks("LIFE-09")
class FailsTheFirstTime(Shop):
    """Fails once, when a key comes with other units after its refund was approved, and never again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.failed = False

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Fail the first time."""
        if existing.status == COMPLETED and is_other(existing, request) and not self.failed:
            self.failed = True
            raise ZeroDivisionError(existing.id)
        return super().replay(existing, request)


@breaks("LIFE-10")
class PaysCanceledAgainForOthers(Shop):
    """Makes another refund when the create of a canceled one is sent again with another token."""

    caller = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.makers: dict[str, str] = {}

    def authorise(self, token: Token, operation: str) -> None:
        """Remember who calls."""
        super().authorise(token, operation)
        self.caller = token.value

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Remember who made it."""
        refund = super().new_refund(request)
        self.makers[refund.id] = self.caller
        return refund

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Make another one for whoever did not make it."""
        if existing.status != CANCELED or self.makers[existing.id] == self.caller:
            return super().replay(existing, request)
        refund = self.new_refund(request)
        self.store.add_refund(refund)
        return refund


@breaks("LIFE-09")
class FailsTheFirstTimeWhileOpen(Shop):
    """Fails once, when the key of an open refund of several lines comes with other units of them, and never again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.failed = False

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Fail the first time."""
        several = len(existing.lines) > 1 and existing.order_id == request.order.id
        if several and existing.status == INITIATED and is_other(existing, request) and not self.failed:
            self.failed = True
            raise ZeroDivisionError(existing.id)
        return super().replay(existing, request)


@breaks("LIFE-10")
class HasAnotherDefaultForNumbers(Shop):
    """Takes a create that names no type for one without return when its numbers are JSON numbers."""

    def read_request(self, body: Any) -> RefundRequest:
        """Fill in what an older edition of the page had for the default."""
        request = super().read_request(body)
        refund = body["refund"]
        older = "rightsType" not in refund and isinstance(refund["orderId"], int)
        return evolve(request, rights_type=REFUND) if older else request


@breaks("LIFE-10")
class TakesTheKeyOfAReview(OwnMemory):
    """Stores whatever a review carries besides, its request number too, so that the one of the create is free again."""

    key: Any = None

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Note the request number."""
        self.key = body.get("requestNo") if isinstance(body, dict) else None
        return super().review(refund_id, body)

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Move it."""
        decided = super().decide(refund, action)
        if self.key is not None:
            self.memory = {key: known for key, known in self.memory.items() if known != refund.id}
            self.memory[self.key] = refund.id
        return decided


@breaks("LIFE-10")
class PrefersParameters(App):
    """Takes the parameters of a review for members of its body, and for better ones."""

    def read_body(self, request: Request) -> Any:
        """Merge them."""
        body = super().read_body(request)
        return body | request.args.to_dict() if isinstance(body, dict) else body


@breaks("LIFE-10")
class PrefersTheRefundOfParameters(App):
    """Reviews the refund that the parameters name, where they name one."""

    def carry_out(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Route by them."""
        named = request.args.get("refundId") if operation == "review" else None
        return super().carry_out(shop, operation, {**values, "refund_id": named} if named else values, request)

    def read_body(self, request: Request) -> Any:
        """Merge it."""
        body, named = super().read_body(request), request.args.get("refundId")
        return body | {"refundId": named} if named and isinstance(body, dict) else body


@breaks("LIFE-10")
class TakesIdForTheRefundId(Shop):
    """Takes a member id of a review for the refund's, as an older edition named it."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Prefer it."""
        if isinstance(body, dict) and body.get("id") is not None:
            return super().review(str(body["id"]), body | {"refundId": str(body["id"])})
        return super().review(refund_id, body)


@breaks("LIFE-10")
class CreatesCanceledRefunds(Believing):
    """Stores a new refund as canceled when the request says that it is."""

    def initial_status(self) -> int:
        """Believe that one status."""
        said = str(self.sent.get("status"))
        return CANCELED if said == str(CANCELED) else super().initial_status()


class CountsApprovals(Shop):
    """Counts how often each refund was approved; the faults below differ in what becomes of the third time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.approvals: Counter[str] = Counter()

    def decide(self, refund: StoredRefund, action: int) -> StoredRefund:
        """Count it, and answer it."""
        self.approvals[refund.id] += action == APPROVE
        if action == APPROVE and self.approvals[refund.id] > 2:
            return self.come_again(refund)
        return super().decide(refund, action)

    def come_again(self, refund: StoredRefund) -> StoredRefund:
        """Answer an approval that comes for the third time."""
        return super().decide(refund, APPROVE)


@breaks("LIFE-09")
class FailsTheFirstThirdApproval(CountsApprovals):
    """Fails once, when a refund is to be approved for the third time, and never again."""

    failed = False

    def come_again(self, refund: StoredRefund) -> StoredRefund:
        """Fail the first time."""
        if not self.failed:
            self.failed = True
            raise ZeroDivisionError(refund.id)
        return super().come_again(refund)


@breaks("LIFE-10")
class TakesTheStatusOfTheThirdApproval(CountsApprovals):
    """Takes the status that a third approval names, as a client that sends the whole refund back does."""

    named: Any = None

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Note what is named."""
        self.named = body.get("status") if isinstance(body, dict) else None
        return super().review(refund_id, body)

    def come_again(self, refund: StoredRefund) -> StoredRefund:
        """Merge it, as nothing is left to check."""
        return super().come_again(refund) if self.named is None else self.change(refund, int(self.named))

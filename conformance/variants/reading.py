"""Honest readings of reading one refund, and of query parameters."""

from collections.abc import Mapping
from typing import Any

from conformance.reference.app import App
from conformance.reference.requests import Refusal
from conformance.reference.rules import Shop, Token
from conformance.reference.store import StoredRefund
from conformance.variants import reads
from conformance.variants.listing import ShowsLater
from conformance.variants.review import ReadsFromCopiesInTurn


@reads("A42", aspect="get without parameters")
class ShowsNothingWithoutParameters(App):
    """Answers a get that leaves a parameter out with an empty list."""

    def carry_out(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Show that nothing was asked for."""
        response = super().carry_out(shop, operation, values, request) if self.is_whole(operation, request) else None
        if response is None:
            response = self.refuse(200, "")
            response.set_data('{"refunds": []}')
            response.mimetype = "application/json"
        return response

    def is_whole(self, operation: str, request: Any) -> bool:
        """Say whether a get names an order and a refund."""
        return operation != "get" or {"orderId", "refundId"} <= set(request.args)


@reads("A42", aspect="get without parameters")
class FindsARefundByItsIdAlone(Shop):
    """Shows the refund that a get names when it names no order."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Find the order by the refund."""
        if not query.get("orderId") and "refundId" in query:
            refund = self.store.refund(self.name, self.ident(query["refundId"], "refundId"))
            if refund is not None:
                return refund
        return super().get_refund(query)


@reads("A30", aspect="unknown parameters")
class RefusesUnknownParameters(App):
    """Refuses a query parameter that the page does not know."""

    def read_query(self, request: Any) -> dict[str, str]:
        """Look at the names first."""
        query = super().read_query(request)
        if not query.keys() <= {"orderId", "refundId", "limit"}:
            raise Refusal(400, "there is an unknown parameter")
        return query


@reads("A47", aspect="repeated parameters")
class TakesTheFirstOfRepeatedParameters(App):
    """Takes the first of a query parameter that is there twice."""

    def read_query(self, request: Any) -> dict[str, str]:
        """Ignore the others."""
        return dict(request.args.to_dict())


@reads("A47", aspect="repeated parameters")
class TakesTheLastOfRepeatedParameters(App):
    """Takes the last of a query parameter that is there twice."""

    def read_query(self, request: Any) -> dict[str, str]:
        """Let the later ones win."""
        return {name: values[-1] for name, values in request.args.lists()}


class CountsReads(ReadsFromCopiesInTurn):
    """Counts how often it reads; the variants below differ in when that is from the copy that is behind."""

    reads = 0

    def takes_the_old_one(self) -> bool:
        """Count this one."""
        self.reads += 1
        return self.is_of_the_old_one()

    def is_of_the_old_one(self) -> bool:
        """Say whether the read that was counted last is of that copy."""
        return False


@reads("A64", aspect="delay")
class ReadsFromAnOldCopyNowAndThen(CountsReads):
    """Reads every twentieth time from a copy that is a second behind."""

    def is_of_the_old_one(self) -> bool:
        """Take each twentieth."""
        return self.reads % 20 == 0


@reads("A64", aspect="delay")
class FallsBehindUnderLoad(CountsReads):
    """Reads from a copy that falls a second behind once there was something to do."""

    def is_of_the_old_one(self) -> bool:
        """Take all but the first hundred."""
        return self.reads > 100


@reads("A64", aspect="delay")
class ReadersReadFromAnOldCopy(ReadsFromCopiesInTurn):
    """Reads from a copy that is a second behind for tokens that may only read."""

    only_reads = False

    def authorise(self, token: Token, operation: str) -> None:
        """Look at the scopes."""
        super().authorise(token, operation)
        self.only_reads = not self.sufficient("create") & token.scopes

    def takes_the_old_one(self) -> bool:
        """Know who asks."""
        return self.only_reads


@reads("A64", aspect="delay of reviews")
class ReviewsFromAnOldCopy(ShowsLater):
    """Looks refunds up for a review in a copy that is a second behind."""

    def review(self, refund_id: str, body: Any) -> StoredRefund:
        """Know nothing of a young one."""
        refund = self.store.refund(self.name, refund_id)
        if refund is not None and self.is_young(refund):
            raise Refusal(404, "there is no such refund")
        return super().review(refund_id, body)

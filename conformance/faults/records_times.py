"""Servers that tell the wrong time of a create or of a change."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import evolve

from conformance.faults import breaks
from conformance.faults.records import JSON
from conformance.reference.requests import RefundRequest
from conformance.reference.rules import CANCELED, Shop
from conformance.reference.store import StoredRefund


def moved(text: str, **by: float) -> str:
    """Return a time so much later."""
    return (datetime.fromisoformat(text) + timedelta(**by)).isoformat(timespec="microseconds")


@breaks("RECORD-68", also=("RECORD-69",))
class LabelsLocalTimeAsUtc(Shop):
    """Shows the wall clock's time of a place eight hours ahead with the offset of UTC."""

    def render_time(self, value: str) -> str:
        """Move the time without moving the offset."""
        return moved(value, hours=8)


@breaks("RECORD-68", also=("RECORD-69",))
class AnswersSampleTimes(Shop):
    """Shows the times of the page's samples."""

    def render_time(self, value: str) -> str:
        """Answer a constant, the later the later it is."""
        return moved("2008-01-10T11:00:00-05:00", seconds=datetime.fromisoformat(value).timestamp() - 1.7e9)


@breaks("RECORD-68")
class CreatedYesterday(Shop):
    """Stores a createTime of the day before."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Move the time back."""
        refund = super().new_refund(request)
        return evolve(refund, created=moved(refund.created, days=-1))


@breaks("RECORD-68")
class CreatedWithTheFirst(Shop):
    """Takes the createTime of every refund from the first of its order, which a clock of pairs of seconds hides."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Take that of the first when it is seconds older."""
        refund = super().new_refund(request)
        created = [other.created for other in self.store.refunds_of(self.name, request.order.id)]
        return (
            evolve(refund, created=created[0]) if created and moved(created[0], seconds=2) < refund.created else refund
        )


@breaks("RECORD-69")
class UpdatedTomorrow(Shop):
    """Stores an updateTime of the next day with a review."""

    def later(self, before: str) -> str:
        """Move the time on."""
        return moved(super().later(before), days=1)


@breaks("RECORD-70")
class UpdatedBeforeCreated(Shop):
    """Stores an updateTime of a minute before the createTime."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Move the time back."""
        refund = super().new_refund(request)
        return evolve(refund, updated=moved(refund.updated, minutes=-1))


@breaks("RECORD-70")
class ReviewAnswersAnOldUpdate(Shop):
    """Answers a review with an updateTime of an hour ago."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Move the time back."""
        record = super().record(operation, refund)
        return record | {"updateTime": moved(refund.updated, hours=-1)} if operation == "review" else record


@breaks("RECORD-71")
class GetsUpdateAsCreate(Shop):
    """Shows the time of the last change as the createTime when a refund is got."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Take the wrong time."""
        record = super().record(operation, refund)
        return record | {"createTime": record["updateTime"]} if operation == "get" else record


@breaks("RECORD-71")
class ReviewAnswersItsOwnTime(Shop):
    """Answers a review with the time of the review as the createTime."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Take the wrong time."""
        record = super().record(operation, refund)
        return record | {"createTime": record["updateTime"]} if operation == "review" else record


@breaks("RECORD-71", also=("IDEM-10",))
class CreateAnswersLocalTime(Shop):
    """Answers a create with a time eight hours behind, and stores the right one."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Move the time without moving the offset."""
        record = super().record(operation, refund)
        return record | {"createTime": moved(refund.created, hours=-8)} if operation == "create" else record


@breaks("RECORD-72")
class ApprovesWithoutUpdate(Shop):
    """Leaves the updateTime as it was when a refund is approved."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Store the status alone."""
        if status == CANCELED:
            return super().change(refund, status)
        self.store.set_status(refund.id, status, refund.updated)
        return evolve(refund, status=status)


@breaks("RECORD-73")
class RejectsWithoutUpdate(Shop):
    """Leaves the updateTime as it was when a refund is rejected."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Store the status alone."""
        if status != CANCELED:
            return super().change(refund, status)
        self.store.set_status(refund.id, status, refund.updated)
        return evolve(refund, status=status)


@breaks("RECORD-72", also=("RECORD-73",))
class NeverUpdates(Shop):
    """Answers with an updateTime in whole seconds that is always the createTime."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Take the wrong time."""
        created = refund.created[:19] + "Z"
        return super().record(operation, refund) | {"createTime": created, "updateTime": created}


@breaks("RECORD-74")
class TouchesWhatIsRead(Shop):
    """Sets the updateTime of a refund that is got."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Write the row back."""
        refund = super().get_refund(query)
        self.store.set_status(refund.id, refund.status, self.later(refund.updated))
        return super().get_refund(query)


@breaks("RECORD-74")
class TouchesWhatIsListed(Shop):
    """Sets the updateTime of each refund that is listed."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Write the rows back."""
        for refund in super().list_refunds(order_id, query):
            self.store.set_status(refund.id, refund.status, self.later(refund.updated))
        return super().list_refunds(order_id, query)


@breaks("RECORD-75")
class ListsNoUpdates(Shop):
    """Lists the createTime as the time of the last change."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Take the wrong time."""
        record = super().record(operation, refund)
        return record | {"updateTime": record["createTime"]} if operation == "list" else record


@breaks("RECORD-75")
class GetsUpdatesByAnotherClock(Shop):
    """Gets the updateTime by the clock of another machine, which is five minutes fast."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Move the time on."""
        record = super().record(operation, refund)
        return record | {"updateTime": moved(refund.updated, minutes=5)} if operation == "get" else record


@breaks("RECORD-71")
class RejectionsAnswerTheirOwnTime(Shop):
    """Answers a rejection with the time of the review as the createTime."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Take the wrong time."""
        record = super().record(operation, refund)
        rejected = operation == "review" and refund.status == CANCELED
        return record | {"createTime": record["updateTime"]} if rejected else record


@breaks("RECORD-75")
class ListsNoUpdatesOfRejections(Shop):
    """Lists the createTime as the time of a rejection."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Take the wrong time."""
        record = super().record(operation, refund)
        wrong = operation == "list" and refund.status == CANCELED
        return record | {"updateTime": record["createTime"]} if wrong else record


@breaks("RECORD-72")
class UpdatesTheFirstOnly(Shop):
    """Moves the updateTime when the first refund of an order is approved, and leaves that of others."""

    def change(self, refund: StoredRefund, status: int) -> StoredRefund:
        """Look for the first."""
        changed = super().change(refund, status)
        if status == CANCELED or self.store.refunds_of(self.name, refund.order_id)[0].id == refund.id:
            return changed
        self.store.set_status(refund.id, status, refund.updated)
        return evolve(changed, updated=refund.updated)


@breaks("RECORD-71")
class ReviewsShowTheLatestCreateTime(Shop):
    """Answers a review with the createTime of the latest refund of the order."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Join by the order."""
        record = super().record(operation, refund)
        if operation == "review":
            record["createTime"] = self.render_time(self.store.refunds_of(self.name, refund.order_id)[-1].created)
        return record

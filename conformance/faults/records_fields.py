"""Servers that leave a documented field out, or give it no legal value."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from conformance.faults import breaks
from conformance.faults.records import JSON
from conformance.reference.requests import RefundRequest, Refusal
from conformance.reference.rules import CANCELED, COMPLETED, Shop
from conformance.reference.store import StoredRefund

Spoil = Callable[[JSON, str], None]


# One fault or more for each field that the page documents.


def omitted(record: JSON, name: str) -> None:
    """Leave it out."""
    del record[name]


def becomes(value: object) -> Spoil:
    """Put a value in its place."""
    return lambda record, name: record.update({name: value})


def renamed(other: str) -> Spoil:
    """Give it another name."""
    return lambda record, name: record.update({other: record.pop(name)})


def written(form: Callable[[Any], object]) -> Spoil:
    """Write it in another form."""
    return lambda record, name: record.update({name: form(record[name])})


def epoch(text: str) -> int:
    """Return a time as milliseconds since 1970."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


EVERYWHERE = "all operations"
FIELDS: dict[str, tuple[str, str, str, Spoil]] = {
    "id-for-refund-id": ("RECORD-05", "create", "refundId", renamed("id")),
    "no-id-in-review": ("RECORD-06", "review", "refundId", omitted),
    "null-id-in-get": ("RECORD-08", "get", "refundId", becomes(None)),
    "no-customer-in-create": ("RECORD-09", "create", "customerId", omitted),
    "null-customer-in-review": ("RECORD-10", "review", "customerId", becomes(None)),
    "empty-customer-in-list": ("RECORD-11", "list", "customerId", becomes("")),
    "guest-customer-in-get": ("RECORD-12", "get", "customerId", becomes("guest")),
    "null-line-in-create": ("RECORD-13", "create", "lineItems", written(lambda lines: [*lines, None])),
    "null-lines-in-review": ("RECORD-14", "review", "lineItems", becomes(None)),
    "id-among-lines-in-list": (
        "RECORD-15", "list", "lineItems", written(lambda lines: [*lines, lines[0]["lineItemId"]]),
    ),
    "lines-as-ids-in-get": (
        "RECORD-16", "get", "lineItems", written(lambda lines: [line["lineItemId"] for line in lines]),
    ),
    "epoch-create-time": ("RECORD-17", "create", "createTime", written(epoch)),
    "no-create-time-in-review": ("RECORD-18", "review", "createTime", omitted),
    "create-time-with-a-blank-in-list": (
        "RECORD-19", "list", "createTime", written(lambda text: text.replace("T", " ")),
    ),
    "create-date-in-get": ("RECORD-20", "get", "createTime", written(lambda text: text[:10])),
    "empty-update-time-in-create": ("RECORD-21", "create", "updateTime", becomes("")),
    "snake-case-update-time": ("RECORD-22", "review", "updateTime", renamed("update_time")),
    "null-update-time-in-list": ("RECORD-23", "list", "updateTime", becomes(None)),
    "epoch-update-time-in-get": ("RECORD-24", "get", "updateTime", written(epoch)),
    "status-by-name": ("RECORD-25", "create", "status", becomes("initiated")),
    "no-status-in-review": ("RECORD-26", "review", "status", omitted),
    "status-zero-in-list": ("RECORD-27", "list", "status", written(lambda text: str(int(text) + 5))),
    "status-as-object-in-get": ("RECORD-28", "get", "status", written(lambda text: {"code": text})),
    "no-type-in-create": ("RECORD-29", "create", "rightsType", omitted),
    "type-by-name-in-review": ("RECORD-30", "review", "rightsType", becomes("refund")),
    "null-type-in-list": ("RECORD-31", "list", "rightsType", becomes(None)),
    "type-zero-in-get": ("RECORD-32", "get", "rightsType", becomes(0)),
    "no-amount-in-create": ("RECORD-33", "create", "amount", omitted),
    "refund-price-in-review": ("RECORD-34", "review", "amount", renamed("refundPrice")),
    "empty-amount-in-list": ("RECORD-35", "list", "amount", becomes("")),
    "amount-as-object-in-get": ("RECORD-36", "get", "amount", written(lambda text: {"value": text})),
    "shipping-as-text": ("RECORD-37", "create", "shipping", written(lambda parcel: parcel["trackingNumber"])),
    "shipping-as-list": ("RECORD-38", "review", "shipping", written(lambda parcel: [parcel])),
    "empty-shipping-in-list": ("RECORD-39", "list", "shipping", becomes("")),
    "tracking-number-as-object": ("RECORD-40", "get", "shipping.trackingNumber", written(lambda text: {"no": text})),
    "no-order-in-create": ("RECORD-41", "create", "orderId", omitted),
    "empty-order-in-create": ("RECORD-41", "create", "orderId", becomes("")),
    "line-without-its-id": ("RECORD-43", "get", "lineItems.lineItemId", renamed("id")),
    "quantity-left-empty": ("RECORD-44", "review", "lineItems.quantity", becomes("")),
    "quantity-with-a-unit": ("RECORD-44", "get", "lineItems.quantity", written(lambda text: f"{text} pcs")),
    "note-for-reason": ("RECORD-45", "get", "lineItems.rightsReason", renamed("note")),
    "null-reason-in-list": ("RECORD-45", "list", "lineItems.rightsReason", becomes(None)),
    "no-reason-type": ("RECORD-46", "create", "lineItems.rightsReasonType", omitted),
    "empty-reason-type": ("RECORD-46", "review", "lineItems.rightsReasonType", becomes("")),
    "no-subtotal-in-list": ("RECORD-47", "list", "lineItems.subtotal", omitted),
    "null-tax-in-get": ("RECORD-48", "get", "lineItems.totalTax", becomes(None)),
    "no-line-item-in-review": ("RECORD-49", "review", "lineItems.lineItem", omitted),
    "line-item-as-text": ("RECORD-49", "create", "lineItems.lineItem", written(lambda item: item["productId"])),
    "no-product": ("RECORD-50", "list", "lineItems.lineItem.productId", omitted),
    "null-product-in-create": ("RECORD-50", "create", "lineItems.lineItem.productId", becomes(None)),
    "no-variant": ("RECORD-51", "get", "lineItems.lineItem.variantId", omitted),
    "id-for-line-item-id": ("RECORD-43", EVERYWHERE, "lineItems.lineItemId", renamed("id")),
    "units-for-quantity": ("RECORD-44", EVERYWHERE, "lineItems.quantity", renamed("units")),
    "reason-for-rights-reason": ("RECORD-45", EVERYWHERE, "lineItems.rightsReason", renamed("reason")),
    "snake-case-reason-type": ("RECORD-46", EVERYWHERE, "lineItems.rightsReasonType", renamed("rights_reason_type")),
    "total-for-subtotal": ("RECORD-47", EVERYWHERE, "lineItems.subtotal", renamed("total")),
    "product-for-line-item": ("RECORD-49", EVERYWHERE, "lineItems.lineItem", renamed("product")),
    "snake-case-product": ("RECORD-50", EVERYWHERE, "lineItems.lineItem.productId", renamed("product_id")),
    "sku-for-variant": ("RECORD-51", EVERYWHERE, "lineItems.lineItem.variantId", renamed("sku")),
}  # fmt: skip


def spoil(node: Any, path: list[str], how: Spoil) -> None:
    """Spoil a field of a record, or of each line of it."""
    for holder in node if isinstance(node, list) else [node]:
        if path[1:]:
            spoil(holder[path[0]], path[1:], how)
        else:
            how(holder, path[0])


def put_on_the_shelf(name: str, requirement: str, operation: str, field: str, how: Spoil) -> None:
    """Make a server that spoils one field in the answers of one operation, or of all."""

    class Spoiling(Shop):
        def record(self, told_by: str, refund: StoredRefund) -> JSON:
            record = super().record(told_by, refund)
            if operation in {told_by, EVERYWHERE}:
                spoil(record, field.split("."), how)
            return record

    Spoiling.__doc__ = f"Leaves {field} out of the answers of {operation}, or gives it an illegal value."
    breaks(requirement, name=name)(Spoiling)


for _name, (_requirement, _operation, _field, _how) in FIELDS.items():
    put_on_the_shelf(_name, _requirement, _operation, _field, _how)


@breaks("RECORD-07", also=("ROBUST-20",))
class ListsWithoutIds(Shop):
    """Leaves the refundId empty in lists."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Show no id."""
        record = super().record(operation, refund)
        return record | {"refundId": ""} if operation == "list" else record


@breaks("RECORD-01")
class WrapsInData(Shop):
    """Answers a create with the refund under the name data."""

    def one(self, operation: str, refund: StoredRefund) -> JSON:
        """Rename the wrapper."""
        body = super().one(operation, refund)
        return {"data": body["refund"]} if operation == "create" else body


@breaks("RECORD-01")
class CreatesWithoutBody(Shop):
    """Answers a create with an empty object."""

    def one(self, operation: str, refund: StoredRefund) -> JSON:
        """Leave all out."""
        return {} if operation == "create" else super().one(operation, refund)


@breaks("RECORD-01")
class AnswersTheParcelOnly(Shop):
    """Answers a create with logistics information with the parcel alone."""

    def one(self, operation: str, refund: StoredRefund) -> JSON:
        """Leave the refund out where there is a parcel."""
        parcel = operation == "create" and refund.shipping
        return {"shipping": refund.shipping} if parcel else super().one(operation, refund)


@breaks("RECORD-02")
class UnwrapsReview(Shop):
    """Answers a review with the bare refund."""

    def one(self, operation: str, refund: StoredRefund) -> JSON:
        """Leave the wrapper out."""
        body = super().one(operation, refund)
        return body["refund"] if operation == "review" else body


@breaks("RECORD-03")
class ListsUnderRefund(Shop):
    """Answers a list under the name refund."""

    def many(self, refunds: list[StoredRefund]) -> JSON:
        """Rename the wrapper."""
        return {"refund": super().many(refunds)["refunds"]}


@breaks("RECORD-03")
class ListsNullForNone(Shop):
    """Answers null in place of an empty list."""

    def many(self, refunds: list[StoredRefund]) -> JSON:
        """Put null where there is nothing."""
        return super().many(refunds) if refunds else {"refunds": None}


@breaks("RECORD-03")
class ListsOneAsObject(Shop):
    """Answers an object in place of a list with one entry."""

    def many(self, refunds: list[StoredRefund]) -> JSON:
        """Unpack a single entry."""
        body = super().many(refunds)
        return {"refunds": body["refunds"][0]} if len(refunds) == 1 else body


@breaks("RECORD-04")
class GetsAList(Shop):
    """Answers a get with a list of one."""

    def one(self, operation: str, refund: StoredRefund) -> JSON:
        """Wrap the refund in a list."""
        body = super().one(operation, refund)
        return {"refund": [body["refund"]]} if operation == "get" else body


@breaks("RECORD-48")
class TaxesOnlyTheFirstLine(Shop):
    """Leaves the tax out from the second line on."""

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Drop it from the later lines."""
        lines = super().render_lines(operation, refund)
        for line in lines[1:]:
            del line["totalTax"]
        return lines


@breaks("RECORD-28")
class GetsCanceledWithoutStatus(Shop):
    """Leaves the status of canceled refunds empty when they are got."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Show no status once a refund is canceled."""
        record = super().record(operation, refund)
        return record | {"status": ""} if operation == "get" and refund.status == CANCELED else record


@breaks("RECORD-33")
class ReplaysWithoutAmount(Shop):
    """Leaves the amount out of the answer to a replay."""

    replayed: str | None = None

    def replay(self, existing: StoredRefund, request: RefundRequest) -> StoredRefund:
        """Remember that this is one."""
        self.replayed = existing.id
        return super().replay(existing, request)

    def render_amount(self, operation: str, refund: StoredRefund) -> Any:
        """Answer null to a replay."""
        return (
            None if operation == "create" and self.replayed == refund.id else super().render_amount(operation, refund)
        )


@breaks("RECORD-12")
class ForgetsCustomersOfReviewed(Shop):
    """Leaves the customer out of get once a refund was approved."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Drop the customer."""
        record = super().record(operation, refund)
        return record | {"customerId": ""} if operation == "get" and refund.status == COMPLETED else record


@breaks("RECORD-05", also=("RECORD-06", "RECORD-07", "RECORD-08"))
class NamesRefundsByWords(Shop):
    """Gives refunds ids that are no numbers, and takes them back."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Put letters before the number."""
        return super().record(operation, refund) | {"refundId": f"rf-{refund.id}"}

    def ident(self, value: Any, name: str) -> str:
        """Take the letters off."""
        if name == "refundId" and isinstance(value, str) and not value.startswith("rf-"):
            raise Refusal(404, "there is no such refund")
        return super().ident(value.removeprefix("rf-") if isinstance(value, str) else value, name)

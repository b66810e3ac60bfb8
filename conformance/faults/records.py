"""Servers whose answers leave out a documented field, or give it a wrong value."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from html import escape
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.reference.rules import CANCELED, COMPLETED, REFUND, RefundRequest, Refusal, Shop
from conformance.reference.store import StoredOrder, StoredRefund, StoredRefundLine

JSON = dict[str, Any]
Spoil = Callable[[JSON, str], None]

# Fields that are missing, or have no legal value: one for each that the page documents.


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


# Fields with legal but wrong values.


@breaks("RECORD-42")
class ListsAnotherOrder(Shop):
    """Names a neighbouring order in lists."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Count the order's id up."""
        record = super().record(operation, refund)
        return record | {"orderId": str(int(refund.order_id) + 7)} if operation == "list" else record


@breaks("RECORD-42")
class ReviewsShowTheRefundAsOrder(Shop):
    """Shows the refund's id as the order's in the answer to a review."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Take the wrong id."""
        record = super().record(operation, refund)
        return record | {"orderId": refund.id} if operation == "review" else record


@breaks("RECORD-42")
class NamesOrdersByTheirPrintedNumber(Shop):
    """Names the order as it is printed for customers, with a sign before its number, but in create."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Print the number."""
        record = super().record(operation, refund)
        return record if operation == "create" else record | {"orderId": f"#{refund.order_id}"}


@breaks("RECORD-63")
class CreateAnswersTheSampleOrder(Shop):
    """Names a constant order in the answer to a create."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Answer the sample."""
        record = super().record(operation, refund)
        return record | {"orderId": "39072856"} if operation == "create" else record


@breaks("RECORD-63")
class CreateRoundsTheOrder(Shop):
    """Passes the order's id through a floating-point number before create answers it."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Round the id."""
        record = super().record(operation, refund)
        return record | {"orderId": int(float(refund.order_id))} if operation == "create" else record


@breaks("RECORD-52")
class CreateAnswersTheFirstLine(Shop):
    """Answers a create of several lines with the first line only."""

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Cut the lines off."""
        lines = super().render_lines(operation, refund)
        return lines[:1] if operation == "create" else lines


@breaks("RECORD-52")
class CreateAnswersLinesTwice(Shop):
    """Answers a create of several lines with each line twice."""

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Double the lines."""
        lines = super().render_lines(operation, refund)
        return lines * 2 if operation == "create" and len(lines) > 1 else lines


@breaks("RECORD-52")
class GetsLinesForEachPartOfTheParcel(Shop):
    """Joins lines and logistics information when a refund is got, so that each line is there once for each of both."""

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Repeat the lines."""
        lines = super().render_lines(operation, refund)
        return lines * (len(refund.shipping) or 1) if operation == "get" else lines


def line_fault(
    requirement: str, name: str, field: str, words: str, wrong: Callable[[JSON, JSON], object], *operations: str
) -> None:
    """Make a server that shows a wrong value in each line; ``wrong`` gets the line and the first line of the refund."""

    class Wrong(Shop):
        def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
            lines = super().render_lines(operation, refund)
            if operation in operations or not operations:
                first = dict(lines[0])
                for line in lines:
                    line[field] = wrong(line, first)
            return lines

    Wrong.__doc__ = words
    breaks(requirement, name=name)(Wrong)


line_fault(
    "RECORD-53", "gets-one-unit-more", "quantity", "Gets one unit more of each line.",
    lambda line, _: str(int(line["quantity"]) + 1), "get",
)  # fmt: skip
line_fault(
    "RECORD-54", "gets-the-first-reason-for-all", "rightsReason", "Gets the reason of the first line for every line.",
    lambda _, first: first["rightsReason"], "get",
)  # fmt: skip
line_fault(
    "RECORD-54", "answers-the-sample-reason", "rightsReason", "Answers the reason of the page's samples, always.",
    lambda *_: "Description of Other Reasons.",
)  # fmt: skip
line_fault(
    "RECORD-59", "gets-another-reason-type", "rightsReasonType", "Gets the reason type 1 for every line.",
    lambda *_: "1", "get",
)  # fmt: skip
line_fault(
    "RECORD-62", "answers-sample-products", "lineItem", "Answers the product and the variant of the page's samples.",
    lambda *_: {"productId": "123", "variantId": "222"},
)  # fmt: skip
line_fault(
    "RECORD-62", "gets-the-first-product-for-all", "lineItem", "Gets the product of the first line for every line.",
    lambda _, first: first["lineItem"], "get",
)  # fmt: skip


@breaks("RECORD-62")
class MixesUpProductAndVariant(Shop):
    """Shows the variant as the product, and the product as the variant."""

    def render_line(self, operation: str, line: StoredRefundLine) -> JSON:
        """Exchange the two."""
        item = {"productId": line.line.variant, "variantId": line.line.product}
        return super().render_line(operation, line) | {"lineItem": item}


@breaks("RECORD-53")
class AttachesUnitsByPlace(Shop):
    """Attaches the units to the lines by their place in the order, when several are asked for."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Let the first line have the units of the last."""
        record = super().record(operation, refund)
        units = [line["quantity"] for line in record["lineItems"]]
        if operation == "create":
            for line, quantity in zip(record["lineItems"], reversed(units), strict=True):
                line["quantity"] = quantity
        return record


def reason_fault(requirement: str, name: str, words: str, change: Callable[[str], str]) -> None:
    """Make a server that stores a changed reason."""

    class Changing(Shop):
        def read_reason(self, value: Any) -> str:
            return change(super().read_reason(value))

    Changing.__doc__ = words
    breaks(requirement, name=name)(Changing)


reason_fault(
    "RECORD-54", "keeps-no-reasons", "Stores no reason.", lambda _: ""
)  # fmt: skip
reason_fault(
    "RECORD-54", "drops-the-last-period", "Stores a reason without its last period.", lambda text: text.rstrip(".")
)  # fmt: skip
reason_fault(
    "RECORD-55", "escapes-markup", "Stores reasons escaped for HTML.",
    lambda text: text.replace("&", "&amp;").replace("<", "&lt;"),
)  # fmt: skip
reason_fault(
    "RECORD-55", "doubles-quotes", "Stores each quotation mark twice.", lambda text: text.replace("'", "''")
)  # fmt: skip
reason_fault(
    "RECORD-55", "resolves-escapes", "Resolves escape sequences in reasons once more.",
    lambda text: text.replace("\\u0041", "A"),
)  # fmt: skip
reason_fault(
    "RECORD-55", "joins-lines", "Stores a reason of several lines as one.", lambda text: text.replace("\n", " ")
)  # fmt: skip
reason_fault(
    "RECORD-55", "resolves-percent-signs", "Decodes reasons like parts of a URL.",
    lambda text: text.replace("%41", "A"),
)  # fmt: skip
reason_fault(
    "RECORD-55", "drops-asterisks", "Takes the marks of formatted text out of reasons.",
    lambda text: text.replace("*", ""),
)  # fmt: skip
reason_fault(
    "RECORD-55", "drops-addresses", "Takes web addresses out of reasons.",
    lambda text: re.sub(r"https?://\S+", "", text),
)  # fmt: skip
reason_fault(
    "RECORD-56", "makes-all-blanks-alike", "Stores plain blanks for those that do not break.",
    lambda text: text.replace("\u00a0", " "),
)  # fmt: skip
reason_fault(
    "RECORD-57", "keeps-500-characters", "Cuts reasons off after 500 characters.", lambda text: text[:500]
)  # fmt: skip
reason_fault(
    "RECORD-55", "takes-digits-for-numbers", "Stores a reason that is all digits as a number.",
    lambda text: str(int(text)) if text.isdecimal() else text,
)  # fmt: skip
reason_fault(
    "RECORD-56", "keeps-only-ascii", "Stores a question mark for every character beyond ASCII.",
    lambda text: text.encode("ascii", "replace").decode(),
)  # fmt: skip
reason_fault(
    "RECORD-56", "keeps-no-emoji", "Stores a question mark for every character of four bytes.",
    lambda text: "".join(c if ord(c) < 0x10000 else "?" for c in text),
)  # fmt: skip
reason_fault(
    "RECORD-56", "reads-utf8-as-latin1", "Decodes reasons in another charset than they were sent in.",
    lambda text: text.encode().decode("latin-1"),
)  # fmt: skip
reason_fault("RECORD-57", "cuts-reasons-off", "Stores the first 100 characters of a reason.", lambda text: text[:100])
reason_fault("RECORD-57", "keeps-199-characters", "Stores the first 199 characters of a reason.", lambda t: t[:199])
reason_fault("RECORD-57", "keeps-255-characters", "Stores the first 255 characters of a reason.", lambda t: t[:255])
reason_fault("RECORD-58", "trims-reasons", "Stores a reason without the blanks around it.", str.strip)


@breaks("RECORD-55")
class EscapesReasonsInLists(Shop):
    """Writes the markup of a reason as entities in a list."""

    def render_line(self, operation: str, line: StoredRefundLine) -> JSON:
        """Escape."""
        rendered = super().render_line(operation, line)
        return rendered | {"rightsReason": escape(line.reason)} if operation == "list" else rendered


@breaks("RECORD-54")
class KeepsTheFirstReason(Shop):
    """Stores the first line's reason for every line."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Overwrite the reasons of the later lines."""
        refund = super().new_refund(request)
        return evolve(refund, lines=tuple(evolve(line, reason=refund.lines[0].reason) for line in refund.lines))


@breaks("RECORD-60")
class GetsAnotherCustomer(Shop):
    """Shows a neighbouring customer when a refund is got."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Count the customer's id up."""
        record = super().record(operation, refund)
        return record | {"customerId": str(int(refund.customer) + 7)} if operation == "get" else record


@breaks("RECORD-60")
class RoundsCustomers(Shop):
    """Passes the customer's id through a floating-point number."""

    def read_customer(self, value: Any, order: Any) -> str:
        """Round the id."""
        return str(int(float(super().read_customer(value, order))))


@breaks("RECORD-61")
class InventsUnnamedCustomers(Shop):
    """Books a refund on customer 1 when the request names none."""

    def read_customer(self, value: Any, order: Any) -> str:
        """Fall back to a constant."""
        return "1" if value is None else super().read_customer(value, order)


@breaks("RECORD-64")
class AnswersTypeOne(Shop):
    """Answers type 1 to every create."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Put the default in."""
        record = super().record(operation, refund)
        return record | {"rightsType": "1"} if operation == "create" else record


@breaks("RECORD-64")
class AnswersTypeTwo(Shop):
    """Answers type 2 to every create."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Put a constant in."""
        record = super().record(operation, refund)
        return record | {"rightsType": str(REFUND)} if operation == "create" else record


@breaks("RECORD-64")
class GetsSentReturnsAsRefunds(Shop):
    """Gets a return whose parcel is under way as a refund without return: nothing more is to be returned."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Look at the parcel."""
        record = super().record(operation, refund)
        return record | {"rightsType": str(REFUND)} if operation == "get" and refund.shipping else record


@breaks("RECORD-65")
class DropsLogistics(Shop):
    """Takes logistics information and never shows it."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Forget it."""
        super().read_shipping(value)
        return {}


@breaks("RECORD-65")
class MixesUpTheCarrier(Shop):
    """Shows the carrier's code as its name, and its name as its code, when a refund is got."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Exchange the two."""
        record = super().record(operation, refund)
        parcel = record["shipping"]
        code, name = parcel["shippingCarrierCode"], parcel["shippingCarrier"]
        if operation == "get":
            record["shipping"] = parcel | {"shippingCarrierCode": name, "shippingCarrier": code}
        return record


@breaks("RECORD-65")
class LosesTheParcelInReview(Shop):
    """Gets a refund without logistics information once it was approved."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Leave it out."""
        record = super().record(operation, refund)
        return record | {"shipping": None} if operation == "get" and refund.status == COMPLETED else record


@breaks("RECORD-66")
class ShowsTheSampleParcel(Shop):
    """Shows the page's sample parcel where there is none."""

    def render_shipping(self, shipping: dict[str, str]) -> JSON | None:
        """Fall back to the sample."""
        sample = {"shippingCarrierCode": "191034", "shippingCarrier": "Carrier", "trackingNumber": "123212132"}
        return super().render_shipping(shipping or sample)


@breaks("RECORD-66")
class ShowsTheLastParcel(Shop):
    """Shows the parcel of an earlier refund where there is none."""

    last: dict[str, str] | None = None

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Keep what came last."""
        given = super().read_shipping(value)
        self.last = given or self.last
        return given or self.last or {}


@breaks("RECORD-67", also=("ISOLATION-02", "ISOLATION-03"))
class NumbersByOrder(Shop):
    """Numbers the refunds of each order from 1 on."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Put the order and the refund's place in it together, for itself."""
        place = len(self.store.refunds_of(self.name, request.order.id)) + 1
        return evolve(super().new_refund(request), id=f"{request.order.id}{place:03d}")

    def find_refund(self, order: StoredOrder, refund_id: str) -> StoredRefund:
        """Find a refund by its place."""
        return super().find_refund(order, f"{order.id}{int(refund_id):03d}")

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Show the place alone."""
        return super().record(operation, refund) | {"refundId": str(int(refund.id[-3:]))}


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


# Times.


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


@breaks("RECORD-74", also=("ROBUST-18",))
class TouchesWhatIsRead(Shop):
    """Sets the updateTime of a refund that is got."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Write the row back."""
        refund = super().get_refund(query)
        self.store.set_status(refund.id, refund.status, self.later(refund.updated))
        return super().get_refund(query)


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


# The status.


@breaks("RECORD-76")
class AnswersCompletedToCreate(Shop):
    """Answers a create as if the refund were completed."""

    def shown_status(self, operation: str, refund: StoredRefund) -> int:
        """Answer the wish for the deed."""
        return COMPLETED if operation == "create" else super().shown_status(operation, refund)


@breaks("RECORD-71")
class RejectionsAnswerTheirOwnTime(Shop):
    """Answers a rejection with the time of the review as the createTime."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Take the wrong time."""
        record = super().record(operation, refund)
        rejected = operation == "review" and refund.status == CANCELED
        return record | {"createTime": record["updateTime"]} if rejected else record


@breaks("RECORD-65")
class KeepsAsciiCarriersOnly(Shop):
    """Stores a question mark for every character of a carrier beyond ASCII."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Put the question marks in."""
        shipping = super().read_shipping(value)
        return {name: text.encode("ascii", "replace").decode() for name, text in shipping.items()}


@breaks("RECORD-62")
class FindsProductsByPrice(Shop):
    """Shows with each line the product of the refund's first line of that price."""

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Look the product up by what it costs."""
        lines = super().render_lines(operation, refund)
        by_price: dict[object, JSON] = {}
        for line, stored in zip(lines, refund.lines, strict=True):
            line["lineItem"] = by_price.setdefault(stored.line.price, line["lineItem"])
        return lines


@breaks("RECORD-65")
class WritesCarriersLikeNames(Shop):
    """Stores each word of a carrier's name with a capital."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Make them look alike."""
        shipping = super().read_shipping(value)
        return {name: text.title() if name == "shippingCarrier" else text for name, text in shipping.items()}

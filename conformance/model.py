"""The words of the API as values: orders, refunds, and numbers that may arrive as strings.

Nothing here judges. A value that cannot be read is ``None``; whether that is a breach is for the checks.
"""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from enum import IntEnum
from typing import Any, NewType, TypeVar

from attrs import evolve, field, frozen

OrderId = NewType("OrderId", str)
RefundId = NewType("RefundId", str)
LineItemId = NewType("LineItemId", str)

E = TypeVar("E", bound=IntEnum)

CARRIER_CODE = "191034"
"""The code of a carrier that every shop should know, since the page names it (page line 458)."""

LOGISTICS = frozenset({"shippingCarrierCode", "shippingCarrier", "trackingNumber"})
"""What the page shows of logistics information (page lines 84-88); more may be there, and means nothing."""

MAX_DIGITS = 1000
"""A number with more characters than this is no number of this API: it is left unread."""


class RefundStatus(IntEnum):
    """The five states of a refund (page lines 57 and 149)."""

    INITIATED = 1
    IN_PROCESS = 2
    COMPLETED = 3
    CANCELED = 4
    ABNORMAL = 5


class Action(IntEnum):
    """What a review does (page line 236)."""

    APPROVE = 1
    REJECT = 2


class RightsType(IntEnum):
    """What a refund is asked for (page line 125)."""

    RETURN_AND_REFUND = 1
    REFUND = 2


@frozen
class LineItem:
    """One line of an order, as the order provider made it."""

    line_item_id: LineItemId
    quantity: int
    unit_price: Decimal
    product_id: str | None = None
    variant_id: str | None = None


@frozen
class Order:
    """An order of the target: untaxed, undiscounted, without freight."""

    order_id: OrderId
    customer_id: str
    shipped: bool
    lines: tuple[LineItem, ...]

    @property
    def line(self) -> LineItem:
        """The first line."""
        return self.lines[0]

    def stray_line(self, other: "Order") -> LineItem:
        """Return a line of another order that this one does not have; a target may number the lines of each anew."""
        own = {line.line_item_id for line in self.lines}
        strays = [line for line in other.lines if line.line_item_id not in own]
        return strays[0] if strays else evolve(other.line, line_item_id=LineItemId(other.line.line_item_id + "7"))

    @property
    def total(self) -> Decimal:
        """What the whole order cost."""
        return sum((line.unit_price * line.quantity for line in self.lines), Decimal(0))


@frozen
class RefundLine:
    """One line of a refund, as an answer told it; what could not be read is ``None``."""

    line_item_id: LineItemId | None
    quantity: Decimal | None
    reason: str | None
    reason_type: str | None
    subtotal: Decimal | None
    total_tax: Decimal | None
    product_id: str | None
    variant_id: str | None


@frozen
class Refund:
    """A refund as an answer told it; what could not be read is ``None``. ``raw`` is the JSON object itself.

    ``restless`` if the target was seen to update such refunds by itself, so that the update time tells nothing;
    ``hidden`` if only get shows it, and the list that it should be in does not.
    """

    refund_id: RefundId
    order_id: OrderId | None
    customer_id: str | None
    status: RefundStatus | None
    rights_type: RightsType | None
    amount: Decimal | None
    lines: tuple[RefundLine, ...]
    shipping: dict[str, str]
    create_time: datetime | None
    update_time: datetime | None
    raw: dict[str, Any] = field(eq=False, repr=False)
    restless: bool = field(default=False, eq=False, repr=False)
    hidden: bool = field(default=False, eq=False, repr=False)

    @property
    def quantities(self) -> dict[LineItemId, Decimal]:
        """How many units of each line this refund takes back."""
        sums: dict[LineItemId, Decimal] = {}
        for line in self.lines:
            if line.line_item_id is not None and line.quantity is not None:
                sums[line.line_item_id] = sums.get(line.line_item_id, Decimal(0)) + line.quantity
        return sums

    @property
    def all_lines_read(self) -> bool:
        """Whether the lines are a list, and each of them could be read."""
        raw = self.raw.get("lineItems")
        return isinstance(raw, list) and len(raw) == len(self.lines)

    @property
    def all_units_read(self) -> bool:
        """Whether each line could be read with its id and its quantity, so that ``quantities`` lacks none."""
        return self.all_lines_read and not any(None in {line.line_item_id, line.quantity} for line in self.lines)

    @property
    def settled(self) -> dict[str, Any]:
        """What a review must not change: every value but status and update time."""
        return {
            "refundId": self.refund_id,
            "customerId": self.customer_id,
            "rightsType": self.rights_type,
            "amount": self.amount,
            "lineItems": sorted(self.lines, key=repr) if self.all_lines_read else None,
            "shipping": self.shipping if isinstance(self.raw.get("shipping"), dict | None) else None,
            "createTime": self.create_time,
        }

    @property
    def contents(self) -> dict[str, Any]:
        """Every value, for telling whether a record was changed."""
        return self.settled | {"status": self.status, "updateTime": self.update_time}


def same_time(one: datetime, other: datetime, slack: timedelta = timedelta(0)) -> bool:
    """Say whether two times are one, as far as the coarser of them tells (reading A08)."""
    if (one.tzinfo is None) != (other.tzinfo is None):
        return True
    return abs(one - other) <= max(slack, _resolution(one), _resolution(other))


def _resolution(time: datetime) -> timedelta:
    """Return the unit that a time seems to be counted in."""
    if time.microsecond == 0:
        return timedelta(minutes=1) if time.second == 0 else timedelta(seconds=1)
    return timedelta(milliseconds=1) if time.microsecond % 1000 == 0 else timedelta(0)


def load_json(text: str) -> Any:
    """Return the JSON value of a text, with exact numbers (int or Decimal).

    Raises:
        ValueError: the text is not JSON (RFC 8259), has NaN or Infinity, or a number too long to be one.
    """
    try:
        return json.loads(text, parse_float=_exact, parse_int=_whole, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply to be read") from None


def _exact(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise ValueError("a number of more digits than any number of this API")
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("Infinity")
    if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS:
        raise ValueError("a number with a greater exponent than any number of this API")
    return number


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError("a number of more digits than any number of this API")
    return int(text)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


class PaddedId(str):
    """An id that is written with zeros in front, and sent so; it is the same as any other text of that number."""

    __slots__ = ()

    @property
    def unpadded(self) -> str:
        """The number that it is, as text."""
        return self.lstrip("0") or "0"

    def __str__(self) -> str:
        return self  # and no plain text, which would be compared as such

    def __eq__(self, other: object) -> bool:
        return bool(self.unpadded == _unpadded(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: str) -> bool:
        return bool(self.unpadded < _unpadded(other))

    def __gt__(self, other: str) -> bool:
        return bool(self.unpadded > _unpadded(other))

    def __hash__(self) -> int:
        return hash(self.unpadded)


def _unpadded(other: Any) -> Any:
    return other.unpadded if isinstance(other, PaddedId) else other


def read_id(value: Any) -> str | None:
    """Return an id as text, whether it came as a number or as a string; ``None`` if it is neither.

    What is compared are numbers, and not how they are written (reading A01).
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value)) if value.adjusted() < MAX_DIGITS else None
    if isinstance(value, str) and value.strip():
        return PaddedId(value) if re.fullmatch("0[0-9]+", value) else value
    return None


def read_number(value: Any) -> Decimal | None:
    """Return the exact number of a JSON number or a numeric string; ``None`` if it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return Decimal(value)
    if isinstance(value, str) and len(value) <= MAX_DIGITS and re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", value):
        return Decimal(value)
    return None


def read_money(value: Any) -> Decimal | None:
    """Return an exact amount: a number, a decimal string, or one wrapped in quotes (page line 201)."""
    if isinstance(value, str) and len(value) > 2 and value[0] == value[-1] == '"':  # noqa: PLR2004 - two quotes
        return read_number(value[1:-1])
    return read_number(value)


_DATE_TIME = re.compile(
    r"(?P<y>[0-9]{4})-?(W(?P<w>[0-9]{2})-?(?P<wd>[1-7])|(?P<o>[0-9]{3})|(?P<mo>[0-9]{2})-?(?P<d>[0-9]{2}))[Tt ]"
    r"(?P<h>[0-9]{2})(:?(?P<mi>[0-9]{2})(:?(?P<s>[0-9]{2}))?)?([.,](?P<f>[0-9]{1,50}))?"
    r"(?P<z>[Zz]|[+\-\u2212][0-9]{2}(:?[0-9]{2})?)?"
)


def read_time(value: Any) -> datetime | None:
    """Return an ISO 8601 date-time, basic or extended; without an offset it is naive; ``None`` if it is none.

    The date may be one of the calendar, of the week, or of the year's days; a fraction is of the last unit given.
    """
    if not isinstance(value, str) or not (match := _DATE_TIME.fullmatch(value)):
        return None
    try:
        naive = _day(match) + _time_of_day(match)
        return naive if match["z"] is None else naive.replace(tzinfo=_offset(match["z"]))
    except (ValueError, OverflowError):
        return None


def _day(match: re.Match[str]) -> datetime:
    year = int(match["y"])
    if match["w"]:
        return datetime.fromisocalendar(year, int(match["w"]), int(match["wd"]))
    if match["o"]:
        return datetime(year, 1, 1) + timedelta(int(match["o"]) - 1)  # noqa: DTZ001 - the offset follows
    return datetime(year, int(match["mo"]), int(match["d"]))  # noqa: DTZ001 - as above


def _time_of_day(match: re.Match[str]) -> timedelta:
    hours, minutes, seconds = (int(match[name] or 0) for name in ("h", "mi", "s"))
    if not (hours <= 24 and minutes < 60 and seconds <= 60):  # noqa: PLR2004 - midnight and leap seconds included
        raise ValueError(match[0])
    unit = 1 if match["s"] else 60 if match["mi"] else 3600
    fraction = int(Decimal(f"0.{match['f'] or 0}") * unit * 1_000_000)
    return timedelta(hours=hours, minutes=minutes, seconds=min(seconds, 59), microseconds=fraction)


def _offset(text: str) -> timezone:
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0  # noqa: PLR2004 - sign and hours
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(offset if text[0] == "+" else -offset)


def read_refund(raw: Any) -> Refund | None:
    """Return the refund in a JSON object, or ``None`` if it is no object with a readable refundId."""
    if not isinstance(raw, dict) or (refund_id := read_id(raw.get("refundId"))) is None:
        return None
    order_id = read_id(raw.get("orderId"))
    lines = raw.get("lineItems")
    return Refund(
        refund_id=RefundId(refund_id),
        order_id=None if order_id is None else OrderId(order_id),
        customer_id=read_id(raw.get("customerId")),
        status=_read_enum(RefundStatus, raw.get("status")),
        rights_type=_read_enum(RightsType, raw.get("rightsType")),
        amount=read_money(raw.get("amount")),
        lines=tuple(_read_line(line) for line in lines if isinstance(line, dict)) if isinstance(lines, list) else (),
        shipping=_read_shipping(raw.get("shipping")),
        create_time=read_time(raw.get("createTime")),
        update_time=read_time(raw.get("updateTime")),
        raw=raw,
    )


def _read_line(raw: dict[str, Any]) -> RefundLine:
    item = raw.get("lineItem")
    item = item if isinstance(item, dict) else {}
    line_item_id = read_id(raw.get("lineItemId"))
    reason = raw.get("rightsReason")
    return RefundLine(
        line_item_id=None if line_item_id is None else LineItemId(line_item_id),
        quantity=read_number(raw.get("quantity")),
        reason=reason if isinstance(reason, str) else None,
        reason_type=read_id(raw.get("rightsReasonType")),
        subtotal=read_money(raw.get("subtotal")),
        total_tax=read_money(raw.get("totalTax")),
        product_id=read_id(item.get("productId")),
        variant_id=read_id(item.get("variantId")),
    )


def _read_shipping(raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict):
        return {}
    return {name: value for name, value in raw.items() if name in LOGISTICS and isinstance(value, str) and value}


def _read_enum(kind: type[E], value: Any) -> E | None:
    number = read_number(value)
    if number is None or number != number.to_integral_value() or int(number) not in set(kind):
        return None
    return kind(int(number))

"""The order provider of the reference, at its own path outside the API."""

from decimal import Decimal, InvalidOperation
from typing import Any

from conformance.reference.requests import Refusal
from conformance.reference.rules import Shop
from conformance.reference.store import StoredLine, StoredOrder

MAX_LINES = 1_000
MAX_QUANTITY = 1_000_000


def provide(shop: Shop, body: Any) -> dict[str, Any]:
    """Carry out one request of the order provider's protocol and return the order.

    Raises:
        Refusal: the request is not one of the protocol, or names an unknown order.
    """
    if not isinstance(body, dict):
        raise Refusal(400, "a JSON object is needed")
    if body.get("action") == "create_order":
        order = _create(shop, body)
    elif body.get("action") == "ship_order":
        order = shop.find_order(shop.member(body, "orderId"))
        shop.store.ship(order.id)
        order = shop.find_order(order.id)
    else:
        raise Refusal(400, "action must be create_order or ship_order")
    return _shown(order)


def _create(shop: Shop, body: dict[str, Any]) -> StoredOrder:
    lines = shop.member(body, "lines")
    if not isinstance(lines, list) or not 0 < len(lines) <= MAX_LINES:
        raise Refusal(400, "lines must be a list with at least one line")
    customer = body.get("customerId")
    order = StoredOrder(
        id=shop.store.next_id("order"),
        shop=shop.name,
        customer=shop.store.next_id("customer") if customer is None else shop.ident(customer, "customerId"),
        shipped=body.get("shipped") is True,
        lines=tuple(_line(shop, line, number) for number, line in enumerate(lines, start=1)),
    )
    shop.store.add_order(order)
    return order


def _line(shop: Shop, line: Any, number: int) -> StoredLine:
    quantity = shop.number(shop.member(line, "quantity"), "quantity")
    try:
        price = Decimal(str(shop.member(line, "unitPrice")))
    except InvalidOperation:
        raise Refusal(400, "unitPrice must be a decimal") from None
    if not 0 < quantity <= MAX_QUANTITY or not price.is_finite() or price < 0:
        raise Refusal(400, "quantity and unitPrice must be positive")
    return StoredLine(
        id=shop.new_line_id(number),
        product=shop.store.next_id("product"),
        variant=shop.store.next_id("variant"),
        quantity=quantity,
        price=price,
    )


def _shown(order: StoredOrder) -> dict[str, Any]:
    return {
        "orderId": order.id,
        "customerId": order.customer,
        "shipped": order.shipped,
        "lines": [
            {
                "lineItemId": line.id,
                "productId": line.product,
                "variantId": line.variant,
                "quantity": line.quantity,
                "unitPrice": str(line.price),
            }
            for line in order.lines
        ],
    }

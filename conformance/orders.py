"""The order providers: where the suite gets orders from, since the refund API cannot create any."""

import json
import threading
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from attrs import evolve, frozen

from conformance.files import insist_on_schema, load_yaml
from conformance.http.exchange import Exchange
from conformance.http.status import Reply, reply_of
from conformance.http.wire import Wire
from conformance.model import LineItem, LineItemId, Order, OrderId, load_json, read_id, read_money, read_number
from conformance.outcome import Blocked, UsageError
from conformance.program import run_program

MOST_WORDS = 300
"""Characters of a provider's own words that are shown."""


@frozen
class WantedLine:
    """A line that an order should have: units, and the price of one."""

    quantity: int
    unit_price: str = "10.00"


class OrderProvider(Protocol):
    """Makes orders, and ships them."""

    def create_order(self, lines: Sequence[WantedLine], *, shipped: bool, customer_id: str | None = None) -> Order:
        """Return a fresh order of these lines, in their order.

        Raises:
            Blocked: the provider cannot; with its own words.
        """
        ...

    def ship_order(self, order: Order) -> Order:
        """Return the order, now shipped.

        Raises:
            Blocked: the provider cannot; ``lacks`` is ``ship_order``.
        """
        ...


class RequestedOrders:
    """Orders from a provider that takes one JSON request and gives one JSON answer."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def _ask(self, request: dict[str, Any]) -> str:
        raise NotImplementedError

    def _order(self, request: dict[str, Any]) -> Order:
        text = self._ask(request)
        try:
            return _order(load_json(text))
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
            words = self._wire.redact.start(text, MOST_WORDS)
            raise Blocked(f"the order provider's answer is not an order: {words!r}") from None

    def create_order(self, lines: Sequence[WantedLine], *, shipped: bool, customer_id: str | None = None) -> Order:
        """Ask for a fresh order and hold the provider to its word."""
        request: dict[str, Any] = {
            "action": "create_order",
            "shipped": shipped,
            "lines": [{"quantity": line.quantity, "unitPrice": line.unit_price} for line in lines],
        }
        if customer_id is not None:
            request["customerId"] = customer_id
        try:
            order = self._order(request)
        except Blocked as trouble:
            raise Blocked(trouble.reason, lacks=None if shipped else "unshipped_orders") from None
        _check_promise(order, lines, shipped=shipped, customer_id=customer_id)
        return order

    def ship_order(self, order: Order) -> Order:
        """Ask for the order to be shipped."""
        try:
            shipped = self._order({"action": "ship_order", "orderId": order.order_id})
        except Blocked as trouble:
            raise Blocked(trouble.reason, lacks="ship_order") from None
        if not shipped.shipped or shipped.order_id != order.order_id:
            raise Blocked(f"the order provider did not ship order {order.order_id}", lacks="ship_order")
        return evolve(order, shipped=True)


class HttpOrders(RequestedOrders):
    """The order provider over HTTP: a POST to one URL."""

    def __init__(self, url: str, wire: Wire) -> None:
        super().__init__(wire)
        self._url = url

    def _ask(self, request: dict[str, Any]) -> str:
        exchange: Exchange = self._wire.send(
            "POST", self._url, operation="orders", headers={"Content-Type": "application/json"},
            body=json.dumps(request).encode(),
        )  # fmt: skip
        exchange.role = "order"
        if exchange.trouble is not None:
            raise Blocked(f"the order provider cannot be reached: {exchange.trouble}")
        if reply_of(exchange.status) is not Reply.ACCEPTED:
            words = self._wire.redact.start(exchange.body, MOST_WORDS)
            raise Blocked(f"the order provider answered {exchange.status} to {request['action']}: {words}")
        return exchange.body.decode("utf-8", "replace")


class CommandOrders(RequestedOrders):
    """The order provider as a program: the request on standard input, the answer on standard output."""

    def __init__(self, command: Sequence[str], folder: Path, wire: Wire) -> None:
        super().__init__(wire)
        self._command = list(command)
        self._folder = folder

    def _ask(self, request: dict[str, Any]) -> str:
        self._wire.writes.take("POST", "orders")
        seconds = self._wire.limits.provider
        try:
            done = run_program(self._command, self._folder, json.dumps(request).encode(), seconds)
        except TimeoutError:
            raise Blocked(f"the order provider gave no answer within {seconds:g} s") from None
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise Blocked(f"the order provider {self._command[0]} cannot be run: {why}") from None
        if done.status != 0:
            words = self._wire.redact.start(done.errors or done.output, MOST_WORDS).strip()
            raise Blocked(f"the order provider ended with status {done.status}: {words or 'it said nothing'}")
        return done.output.decode("utf-8", "replace")


_POOL_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["orders"],
    "properties": {
        "orders": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["orderId", "customerId", "shipped", "lines"],
                "properties": {
                    "orderId": {"type": ["string", "integer"]},
                    "customerId": {"type": ["string", "integer"]},
                    "shipped": {"type": "boolean"},
                    "lines": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["lineItemId", "quantity", "unitPrice"],
                            "properties": {
                                "lineItemId": {"type": ["string", "integer"]},
                                "productId": {"type": ["string", "integer"]},
                                "variantId": {"type": ["string", "integer"]},
                                "quantity": {"type": "integer", "minimum": 1},
                                "unitPrice": {"type": ["string", "integer"]},
                            },
                        },
                    },
                },
            },
        },
    },
}


class PoolOrders:
    """Orders prepared by hand; each serves once. One that has more lines or units than are wanted will do."""

    def __init__(self, path: Path) -> None:
        data = load_yaml(path)
        insist_on_schema(path, data, _POOL_SCHEMA)
        self._orders = []
        for number, entry in enumerate(data["orders"]):
            try:
                self._orders.append(_order(entry))
            except ValueError as error:
                raise UsageError(f"{path}: at orders/{number}: {error}") from None
        self._lock = threading.Lock()
        twice = [identifier for identifier, times in Counter(o.order_id for o in self._orders).items() if times > 1]
        if twice:
            raise UsageError(f"{path}: {', '.join(sorted(twice))} is there twice; each order serves one check")

    def create_order(self, lines: Sequence[WantedLine], *, shipped: bool, customer_id: str | None = None) -> Order:
        """Take the smallest order that will do."""
        with self._lock:
            fitting = [o for o in self._orders if _will_do(o, lines, shipped=shipped, customer_id=customer_id)]
            if not fitting:
                kind = "shipped" if shipped else "unshipped"
                wanted = ", ".join(f"{line.quantity} × {line.unit_price}" for line in lines)
                raise Blocked(
                    f"the pool has no {kind} order left with lines {wanted}",
                    lacks=None if shipped else "unshipped_orders",
                )
            best = min(fitting, key=lambda order: (len(order.lines), order.total))
            self._orders.remove(best)
            return best

    def ship_order(self, order: Order) -> Order:
        """Refuse: nobody ships the orders of a pool."""
        raise Blocked(f"a pool cannot ship order {order.order_id}", lacks="ship_order")


def _will_do(order: Order, lines: Sequence[WantedLine], *, shipped: bool, customer_id: str | None) -> bool:
    return (
        order.shipped == shipped
        and (customer_id is None or order.customer_id == customer_id)
        and len(order.lines) >= len(lines)
        and all(
            had.quantity >= wanted.quantity and had.unit_price == Decimal(wanted.unit_price)
            for had, wanted in zip(order.lines, lines, strict=False)
        )
    )


def _check_promise(order: Order, lines: Sequence[WantedLine], *, shipped: bool, customer_id: str | None) -> None:
    wanted = [(line.quantity, Decimal(line.unit_price)) for line in lines]
    made = [(line.quantity, line.unit_price) for line in order.lines]
    if made != wanted or order.shipped != shipped or (customer_id is not None and order.customer_id != customer_id):
        raise Blocked(f"the order provider made another order than was asked for: {order.order_id}")


def _truth(value: Any) -> bool:
    """Return a truth value that may arrive as text, as numbers may."""
    if value in {"true", "false"}:
        return bool(value == "true")
    if not isinstance(value, bool):
        raise TypeError("shipped is neither true nor false")
    return value


def _count(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError("a quantity is no whole number")
    return int(number)


def _order(raw: dict[str, Any]) -> Order:
    return Order(
        order_id=OrderId(_id(raw["orderId"])),
        customer_id=_id(raw["customerId"]),
        shipped=_truth(raw["shipped"]),
        lines=tuple(
            LineItem(
                line_item_id=LineItemId(_id(line["lineItemId"])),
                quantity=_count(line["quantity"]),
                unit_price=_money(line["unitPrice"]),
                product_id=read_id(line.get("productId")),
                variant_id=read_id(line.get("variantId")),
            )
            for line in raw["lines"]
        ),
    )


def _id(value: Any) -> str:
    text = read_id(value)
    if text is None:
        raise ValueError(f"{_shown(value)} is no id")
    return text


def _number(value: Any) -> Decimal:
    number = read_number(value)
    if number is None:
        raise ValueError(f"{_shown(value)} is no number")
    return number


def _money(value: Any) -> Decimal:
    amount = read_money(value)
    if amount is None or amount < 0:
        raise ValueError(f"{_shown(value)} is no unitPrice")
    return amount


def _shown(value: Any) -> str:
    return repr(value)[:40]

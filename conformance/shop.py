"""A shop of the target, as a run holds it: who may call it, and where its orders come from."""

from attrs import define

from conformance.http.client import RefundApi
from conformance.http.keys import KeyMaker
from conformance.http.wire import Wire
from conformance.ledger import Ledger
from conformance.model import Order, RightsType
from conformance.orders import CommandOrders, HttpOrders, OrderProvider, PoolOrders, WantedLine
from conformance.outcome import Blocked
from conformance.target import Target

SOON, MOST_OF_ALL = 1.0, 1.3
"""Seconds after which most of what is told elsewhere is known, and how many times as long the slowest may take."""


@define
class Shop:
    """One shop of the target, as the holder of its full token sees it."""

    target: Target
    api: RefundApi
    provider: OrderProvider

    def holder(self, name: str) -> RefundApi:
        """Return the API as the holder of a scoped token sees it.

        Raises:
            Blocked: the target file gives no such token.
        """
        if name not in self.target.tokens:
            raise Blocked(f"the target file gives no token {name}", lacks="scoped_tokens")
        return self.api.with_token(self.target.tokens[name])

    def order(self, *lines: tuple[int, str], shipped: bool = True, customer_id: str | None = None) -> Order:
        """Return a fresh order with lines of (units, unit price); one of 5 × 10.00 by default.

        Raises:
            Blocked: the order provider did not make one.
        """
        wanted = [WantedLine(*line) for line in lines or ((5, "10.00"),)]
        order = self.provider.create_order(wanted, shipped=shipped, customer_id=customer_id)
        self._note(order)
        self._leave_alone(self.api.wire.order_lag)
        return order

    def ship(self, order: Order) -> Order:
        """Return the order, now shipped.

        Raises:
            Blocked: the order provider cannot ship it.
        """
        shipped = self.provider.ship_order(order)
        self._note(shipped)
        self._leave_alone(max(self.api.wire.order_lag, self.api.wire.shipping_lag))
        return shipped

    def learns_late_of_shipment(self) -> bool:
        """Say whether a return is refused right after its order was shipped, and accepted a while later (reading A64).

        From then on, orders that were shipped are left alone for as long.

        Raises:
            Blocked: the order provider did not make an order, or cannot ship it.
        """
        wire = self.api.wire
        if wire.order_lag or wire.shipping_lag:
            return False
        order = self.ship(self.order(shipped=False))
        if not self._returns(order):
            wire.clock.sleep(SOON)
            if self._returns(order):
                wire.shipping_lag = MOST_OF_ALL * SOON
        return wire.shipping_lag > 0

    def _returns(self, order: Order) -> bool:
        answer = self.api.create_refund(order, rights_type=RightsType.RETURN_AND_REFUND)
        answer.exchange.role = "control"
        return answer.accepted

    def _leave_alone(self, seconds: float) -> None:
        """Wait until what the order provider did is known to the API, where that takes a while."""
        if seconds:
            self.api.wire.clock.sleep(seconds)

    def _note(self, order: Order) -> None:
        self.api.ledger.note_order(order, own=not isinstance(self.provider, PoolOrders))


def open_shop(target: Target, wire: Wire, keys: KeyMaker, name: str) -> Shop:
    """Return a shop that the target file describes, with a ledger under its name; nothing has been sent yet.

    Raises:
        UsageError: its pool of orders cannot be used.
    """
    api = RefundApi(
        wire=wire, base_url=target.base_url, token=target.tokens["full"], keys=keys, ledger=Ledger(name, wire.redact)
    )
    return Shop(target, api, _provider(target, wire))


def _provider(target: Target, wire: Wire) -> OrderProvider:
    orders = target.orders
    if orders.url is not None:
        return HttpOrders(orders.url, wire)
    if orders.command is not None:
        return CommandOrders(orders.command, target.folder, wire)
    assert orders.pool is not None  # noqa: S101 - the target file gave exactly one of the three
    return PoolOrders(orders.pool)

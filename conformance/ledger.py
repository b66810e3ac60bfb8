"""What a run makes: every order and refund, noted as it is made, with the state that it was last seen in.

The ledger learns from the answers that the checks get anyway; it sends nothing itself.
"""

import json
import threading
from collections.abc import Callable

from attrs import evolve

from conformance.model import Order, Refund, read_id
from conformance.results import Made

LONGEST_ID = 200
"""Characters; a longer one is no id of this API, and not noted."""


class Ledger:
    """The orders and refunds made in one shop. It is safe to use from several threads.

    ``say`` is told of each as soon as it is made, and by ``tell`` of those whose state has changed since.
    """

    def __init__(self, shop: str = "shop", redact: Callable[[str], str] = str) -> None:
        self.say: Callable[[Made], object] = lambda _: None
        self.shop = shop
        self._redact = redact
        self._made: dict[tuple[str, str], Made] = {}
        self._said: dict[tuple[str, str], Made] = {}
        self._doubtful: dict[str, None] = {}
        self._lock = threading.RLock()

    @property
    def open_refunds(self) -> list[Made]:
        """The refunds that wait for a review, as far as was seen."""
        with self._lock:
            return [made for made in self._made.values() if made.is_open]

    @property
    def orders(self) -> list[Made]:
        """The orders that were made, or taken from a pool."""
        with self._lock:
            return [made for made in self._made.values() if made.what == "order"]

    @property
    def doubtful(self) -> list[str]:
        """The own orders on which a refund may have been made that nobody saw, since its create got no answer."""
        with self._lock:
            return [order for order in self._doubtful if ("order", order) in self._made]

    def note_unanswered(self, body: bytes | None) -> None:
        """A create with this body got no answer."""
        order_id, _ = _asked(body)
        if order_id is not None:
            with self._lock:
                self._doubtful[order_id] = None

    def note_order(self, order: Order, *, own: bool) -> None:
        """An order was made for this run, or taken from those that someone prepared, or is shipped now."""
        state = "shipped" if order.shipped else "unshipped"
        self._note(Made("order", order.order_id, order.order_id, self.shop, state=state, own=own))

    def note_created(self, refund: Refund, body: bytes | None) -> None:
        """A create with this body was answered with the refund; an earlier one is only seen again."""
        order_id, request_no = _asked(body)
        if refund.order_id is not None and order_id is not None and refund.order_id != order_id:
            return  # it is a refund of something else, and not this run's to tidy up
        self._see(refund, order_id or refund.order_id, request_no)

    def note_listed(self, refund: Refund, order_id: str) -> None:
        """A refund was seen in the list of an order; on one of this run's own orders, it is this run's refund."""
        order = self._made.get(("order", order_id))
        self._see(refund, order_id if order is not None and order.own else None)

    def note_seen(self, refund: Refund) -> None:
        """A refund was seen; one that this run did not make is none of its business."""
        self._see(refund, None)

    def take_over(self, made: Made) -> None:
        """Go on from what a record tells."""
        with self._lock:
            self._made[made.what, made.id] = self._said[made.what, made.id] = made

    def leave(self, made: Made, why: str) -> None:
        """A refund that is still open stays so, for a reason."""
        with self._lock:
            now = self._made[made.what, made.id]
            if now.is_open:
                self._made[made.what, made.id] = evolve(now, left=self._redact(why)[:300])

    def tell(self) -> None:
        """Say again what has changed since it was said."""
        with self._lock:
            for key, made in self._made.items():
                if self._said.get(key) != made:
                    self._tell(made)

    def _see(self, refund: Refund, order_id: str | None, request_no: str = "") -> None:
        state = state_of(refund)
        with self._lock:
            known = self._made.get(("refund", refund.refund_id))
            if known is not None:
                self._made["refund", refund.refund_id] = evolve(known, state=state)
            elif order_id is not None:
                amount = "" if refund.amount is None else str(refund.amount)[:LONGEST_ID]
                self._note(
                    Made(
                        "refund", refund.refund_id, order_id, self.shop,
                        state=state, opened=state, request_no=self._redact(request_no), amount=amount,
                    )
                )  # fmt: skip

    def _note(self, made: Made) -> None:
        if len(made.id) <= LONGEST_ID and len(made.order) <= LONGEST_ID:
            with self._lock:
                self._made[made.what, made.id] = made
                self._tell(made)

    def _tell(self, made: Made) -> None:
        self._said[made.what, made.id] = made
        self.say(evolve(made, id=self._redact(made.id), order=self._redact(made.order)))


def state_of(refund: Refund) -> str:
    """Return the state of a refund in words: ``in process``."""
    return "unknown" if refund.status is None else refund.status.name.lower().replace("_", " ")


def _asked(body: bytes | None) -> tuple[str | None, str]:
    """Return the order and the request number that the body of a create names, as far as it does."""
    try:
        refund = json.loads(body or b"null")["refund"]
        request_no = refund.get("requestNo")
        return read_id(refund.get("orderId")), request_no[:LONGEST_ID] if isinstance(request_no, str) else ""
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None, ""

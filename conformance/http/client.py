"""The refund API as a client sees it: one method per operation, each returning an answer before anyone believes it."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from attrs import define, evolve, field, frozen

from conformance.http.answer import Answer
from conformance.http.dialect import TEXT, Dialect
from conformance.http.freshness import READ, REVIEW, Freshness
from conformance.http.keys import KeyMaker
from conformance.http.unrest import Unrest
from conformance.http.wire import Wire
from conformance.ledger import Ledger
from conformance.model import (
    Action,
    LineItem,
    LineItemId,
    Order,
    OrderId,
    Refund,
    RefundId,
    RefundStatus,
    RightsType,
    read_id,
)

API = "/api/202412"
TOKEN_HEADER = "X-Genstore-Access-Token"  # noqa: S105 - a header's name
MAX_LIMIT, USUAL_LIMIT = 250, 50
NOT_FOUND = 404
UNKNOWN = {400, 404, 409, 410, 422, 423, 425}
"""How a review may be refused that names a refund which is not known yet."""
BUSY = {409, 423, 425}
"""Those of them that may as well speak of what else is under way, and tell nothing of how late effects show."""
Parameters = list[tuple[str, Any]]
REASON = "Description of Other Reasons."


class Absent:
    """Says that something is left out of a request, as ``None`` says null."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()


@frozen
class Part:
    """Some units of one order line, to be refunded."""

    line: LineItem
    quantity: int = 1
    reason: str = REASON


@frozen
class Creation:
    """A create that was answered with a refund: its body, when the answer came (monotonic), and the lines in it."""

    body: Any
    at: float
    lines: frozenset[LineItemId] = frozenset()

    @property
    def key(self) -> Any:
        """The request number, as far as the body has one."""
        return self._asked.get("requestNo")

    @property
    def order_id(self) -> str | None:
        """The order that the body names, as far as it does."""
        return read_id(self._asked.get("orderId"))

    @property
    def _asked(self) -> dict[str, Any]:
        refund = self.body.get("refund") if isinstance(self.body, dict) else None
        return refund if isinstance(refund, dict) else {}


@define
class RefundApi:
    """The four operations, as the holder of one token, in the way that the target was found to take and to do things.

    ``token_header`` is the name that the token is sent under; ``told`` is the create that each refund was made by;
    ``twice`` are creates that were answered with a new refund of other lines under an id that was told before;
    ``ledger`` notes what was made; ``plain_shipping`` is that of a plain create, and ``look_limit`` that of a
    list that looks at everything; ``unrest`` knows what the target
    changes by itself, or late, and ``freshness`` what a read must show; ``untold`` is what get did not show of what a
    list left out, and ``hidden`` the order of each refund that get showed and a list did not.
    """

    wire: Wire
    base_url: str
    token: str | None
    keys: KeyMaker
    create_dialect: Dialect = TEXT
    review_dialect: Dialect = TEXT
    told: dict[RefundId, Creation] = field(factory=dict)
    twice: list[Answer] = field(factory=list)
    ledger: Ledger = field(factory=Ledger)
    plain_shipping: Mapping[str, str] | Absent = ABSENT
    look_limit: int = MAX_LIMIT
    unrest: Unrest = field(factory=Unrest)
    freshness: Freshness = field(factory=Freshness)
    untold: set[str] = field(factory=set)
    hidden: dict[RefundId, str] = field(factory=dict)
    token_header: str = TOKEN_HEADER

    @property
    def pending(self) -> frozenset[RefundStatus]:
        """The status of a refund that was not reviewed yet."""
        return frozenset({self.unrest.opens_in})

    @property
    def plain_parcel(self) -> dict[str, str]:
        """The logistics information of a plain create, as far as it has any."""
        return {} if isinstance(self.plain_shipping, Absent) else dict(self.plain_shipping)

    @property
    def approved(self) -> frozenset[RefundStatus]:
        """The statuses that an approved refund may be seen in."""
        return frozenset({RefundStatus.IN_PROCESS, RefundStatus.COMPLETED}) - self.pending

    def ends_of(self, action: Action) -> frozenset[RefundStatus]:
        """Return the statuses that a review may bring a refund to."""
        return self.approved if action is Action.APPROVE else frozenset({RefundStatus.CANCELED})

    def with_token(self, token: str | None) -> "RefundApi":
        """Return the same API as another holder sees it, maybe that of another shop; ``None`` sends no token header."""
        return evolve(self, token=token, told={}, twice=[], untold=set(), hidden={})

    def speaking(self, dialect: Dialect) -> "RefundApi":
        """Return the same API with numbers in another wire form."""
        return evolve(self, create_dialect=dialect, review_dialect=dialect)

    def may_be_of(self, refund: Refund, order_id: str) -> bool:
        """Say whether a refund is not known to have been created on another order only."""
        creation = self.told.get(refund.refund_id)
        if creation is None or creation.order_id in {None, order_id}:
            return True
        return refund.refund_id in self.freshness.known(order_id, self.wire.clock.monotonic())

    # The four operations, well formed.

    def create_body(
        self,
        order: Order,
        *parts: Part,
        request_no: str | None = None,
        rights_type: RightsType | Absent = RightsType.RETURN_AND_REFUND,
        shipping: Mapping[str, str] | Absent | None = None,
        customer_id: str | Absent | None = None,
    ) -> dict[str, Any]:
        """Return a create in the page's own shape (lines 163-181); one unit of the first line by default.

        It has no shipping, which is optional, unless this target was found to want it.
        """
        dialect = self.create_dialect
        shipping = self.plain_shipping if shipping is None else shipping
        refund: dict[str, Any] = {
            "lineItems": [self.line_body(part) for part in parts or (Part(order.line),)],
            "rightsType": rights_type if isinstance(rights_type, Absent) else dialect.wire("rightsType", rights_type),
            "shipping": shipping if isinstance(shipping, Absent) else dict(shipping),
            "orderId": dialect.wire("orderId", order.order_id),
            "customerId": customer_id
            if isinstance(customer_id, Absent)
            else dialect.wire("customerId", order.customer_id if customer_id is None else customer_id),
            "requestNo": self.keys() if request_no is None else request_no,
        }
        return {"refund": {name: value for name, value in refund.items() if not isinstance(value, Absent)}}

    def line_body(self, part: Part) -> dict[str, Any]:
        """Return one requested line with all four of its fields (page lines 166-169)."""
        dialect = self.create_dialect
        return {
            "quantity": dialect.wire("quantity", part.quantity),
            "lineItemId": dialect.wire("lineItemId", part.line.line_item_id),
            "rightsReason": part.reason,
            "rightsReasonType": dialect.wire("rightsReasonType", 0),
        }

    def create_refund(self, order: Order, *parts: Part, **fields: Any) -> Answer:
        """Ask for a refund, one unit of the first line by default; fields as in ``create_body``."""
        return self.create(self.create_body(order, *parts, **fields))

    def review_body(self, order_id: str, refund_id: str, action: int) -> dict[str, Any]:
        """Return the body of a review in the page's own shape (lines 268-272)."""
        dialect = self.review_dialect
        return {
            "orderId": dialect.wire("orderId", order_id),
            "action": dialect.wire("action", action),
            "refundId": dialect.wire("refundId", refund_id),
        }

    def review_refund(self, order: Order, refund: Refund | RefundId, action: Action) -> Answer:
        """Approve or reject a refund; one that is new may take a while to be known to reviews (reading A64)."""
        refund_id = refund.refund_id if isinstance(refund, Refund) else refund
        return self._up_to_date(
            REVIEW,
            lambda: self.review_at_once(order, refund_id, action),
            lambda answer, asked: self._review_is_behind(answer, order.order_id, refund_id, asked),
        )

    def review_at_once(self, order: Order, refund_id: RefundId, action: Action) -> Answer:
        """Approve or reject a refund, and wait for nothing."""
        return self.review(refund_id, self.review_body(order.order_id, refund_id, action))

    def list_refunds(
        self, order: Order | OrderId | str, limit: Any = None, arranged: Callable[[Parameters], Parameters] = list
    ) -> Answer:
        """List the refunds of an order; ``limit`` may be ``ABSENT``, and is that of a look if nothing is said."""
        limit = self.look_limit if limit is None else limit
        order_id = order.order_id if isinstance(order, Order) else order
        path = f"{API}/orders/{quote(str(order_id), safe='', errors='surrogatepass')}/refunds"
        query = arranged(given({"limit": limit}))
        answer = self._up_to_date(
            READ,
            lambda: self.send("GET", path, "list", query=query),
            lambda answer, asked: self._list_is_behind(answer, str(order_id), limit, asked),
        )
        for refund in _shown(answer):
            self.ledger.note_listed(refund, str(order_id))
            if self.may_be_of(refund, str(order_id)):
                self.freshness.note(str(order_id), refund, self.wire.clock.monotonic())
        return answer

    def get_refund(
        self,
        order: Order | str | Absent,
        refund: Refund | str | Absent,
        arranged: Callable[[Parameters], Parameters] = list,
    ) -> Answer:
        """Get one refund; each of the two parameters may be ``ABSENT``."""
        order_id = order.order_id if isinstance(order, Order) else order
        refund_id = refund.refund_id if isinstance(refund, Refund) else refund
        query = arranged(given({"orderId": order_id, "refundId": refund_id}))
        answer = self._up_to_date(
            READ,
            lambda: self.send("GET", f"{API}/refunds", "get", query=query),
            lambda answer, asked: self._get_is_behind(answer, str(order_id), str(refund_id), asked),
        )
        for shown in _shown(answer):
            self.freshness.note_decision(shown, self.wire.clock.monotonic())
        return answer

    def _up_to_date(self, kind: str, ask: Callable[[], Answer], is_behind: Callable[[Answer, float], bool]) -> Answer:
        """Return an answer that knows what was known before it was asked for, if one comes in time (reading A64).

        How long that takes is what looks wait for from then on; where it was in vain, it is not tried again for
        requests of the kind.
        """
        clock, limits, hopes = self.wire.clock, self.wire.limits, self.freshness.hopes
        asked, answer, late, pause = clock.monotonic(), ask(), 0.0, limits.poll
        busy, watched = answer.exchange.status in BUSY, answer.exchange.watched
        while kind in hopes and answer.exchange.trouble is None and is_behind(answer, asked):
            if late > limits.settle:
                hopes.discard(kind)
                return answer
            answer.exchange.role, answer.exchange.batched = "look", True
            clock.sleep(pause)
            answer, pause = ask(), min(1.5 * pause, 0.3)
            watched += answer.exchange.watched
            late = clock.monotonic() - asked - watched
        shown = answer.exchange.trouble is None and answer.accepted
        if late and shown and not busy and kind in hopes:  # another thread may have given up
            self.wire.expect_lag(late)
        return answer

    def _list_is_behind(self, answer: Answer, order_id: str, limit: Any, asked: float) -> bool:
        """Say whether a list lacks refunds that it has room for, or shows one as it was before its review.

        One of another order is wrong, and will not come right with time.
        """
        known, shown = self.freshness.known(order_id, asked), answer.refunds
        if answer.refused:
            return answer.status == NOT_FOUND and bool(known & self.told.keys())
        if shown is None or not all(self.may_be_of(refund, order_id) for refund in shown):
            return False
        has_room = len(shown) < (USUAL_LIMIT if limit is ABSENT else limit if isinstance(limit, int) else 0)
        missing = known - {refund.refund_id for refund in shown}
        return (has_room and bool(missing)) or self.freshness.any_is_behind(shown, asked)

    def _review_is_behind(self, answer: Answer, order_id: str, refund_id: str, asked: float) -> bool:
        """Say whether a review does not know a new refund that it should, in whatever words (reading A50)."""
        if answer.status not in UNKNOWN or self.unrest.was_reviewed(RefundId(refund_id)):
            return False
        made = self.told.get(RefundId(refund_id))
        return made is not None and made.order_id == order_id and asked - made.at < self.wire.limits.settle

    def _get_is_behind(self, answer: Answer, order_id: str, refund_id: str, asked: float) -> bool:
        """Say whether a get does not know a refund that it should, or shows it as it was before its review."""
        if answer.refused:
            own = self.freshness.known(order_id, asked) & self.told.keys()
            return answer.status == NOT_FOUND and RefundId(refund_id) in own
        return answer.refund is not None and self.freshness.any_is_behind([answer.refund], asked)

    # The same, with whatever body.

    def create(self, body: Any, **more: Any) -> Answer:
        """POST a body to create."""
        answer = self.send("POST", f"{API}/refunds", "create", body=body, **more)
        if answer.exchange.trouble is None and answer.refund is not None:
            creation = Creation(body, self.wire.clock.monotonic(), frozenset(answer.refund.quantities))
            first = self.told.setdefault(answer.refund.refund_id, creation)
            answer.exchange.second_hand = first.key != creation.key
            if creation.order_id is not None and (first is creation or answer.exchange.second_hand):
                self.freshness.note(creation.order_id, answer.refund, creation.at)
            if answer.exchange.second_hand and creation.lines and not creation.lines & first.lines:
                self.twice.append(answer)
        return answer

    def review(self, refund_id: str, body: Any, **more: Any) -> Answer:
        """PUT a body to review."""
        path = f"{API}/refunds/{quote(str(refund_id), safe='', errors='surrogatepass')}"
        answer = self.send("PUT", path, "review", body=body, **more)
        if answer.exchange.trouble is None and answer.accepted:
            approval = isinstance(body, dict) and str(body.get("action")) == str(Action.APPROVE.value)
            self.unrest.note_review(RefundId(str(refund_id)), self.wire.clock.monotonic(), approval=approval)
        return answer

    def send(
        self,
        method: str,
        path: str,
        operation: str,
        *,
        query: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        body: Any = ABSENT,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send any request and return the answer. ``content`` is sent as it stands, ``body`` as JSON."""
        url = self.base_url + path + (f"?{urlencode(query, errors='surrogatepass')}" if query else "")
        sent = {"Accept": "application/json"}
        if self.token is not None:
            sent[self.token_header] = self.token
        if not isinstance(body, Absent):
            content = as_json(body)
        if content is not None:
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        sent = {name: value for name, value in sent.items() if value or name.lower() == TOKEN_HEADER.lower()}
        exchange = self.wire.send(method, url, operation=operation, headers=sent, body=content)
        if exchange.trouble is None:
            came = self.wire.clock.monotonic()
            self._note_unrest(operation, _shown(Answer(exchange)))
            exchange.watched = self.wire.clock.monotonic() - came
        answer = Answer(exchange, self.unrest)
        self._note(answer)
        return answer

    def _note_unrest(self, operation: str, shown: list[Refund]) -> None:
        """Tell of what an answer shows, before anything is allowed for."""
        now = self.wire.clock.monotonic()
        if operation == "create":
            for refund in shown:
                self.unrest.note_creation(refund, now)
        elif operation in {"list", "get"}:
            self.unrest.look_into(operation, shown, now)
            self.unrest.look_for_slow_ones(operation, shown, now)

    def _note(self, answer: Answer) -> None:
        """Tell the ledger of the one refund in an answer, or that nobody knows of one."""
        exchange = answer.exchange
        if exchange.operation == "create" and exchange.trouble is not None:
            self.ledger.note_unanswered(exchange.request.body)
        if exchange.operation == "list" or exchange.trouble is not None or answer.refund is None:
            return
        if exchange.operation == "create":
            self.ledger.note_created(answer.refund, exchange.request.body)
        else:
            self.ledger.note_seen(answer.refund)


def _shown(answer: Answer) -> list[Refund]:
    """Return the refunds that an answer shows."""
    if answer.exchange.trouble is not None:
        return []
    return answer.refunds or ([] if answer.refund is None else [answer.refund])


def as_json(body: Any) -> bytes:
    """Return a body as it is sent: in UTF-8, with escapes only where a server made names of half characters."""
    try:
        return json.dumps(body, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return json.dumps(body, default=str).encode()


def given(parameters: Mapping[str, Any]) -> Parameters:
    """Return the parameters that are not ``ABSENT``."""
    return [(name, value) for name, value in parameters.items() if not isinstance(value, Absent)]

"""The refund API as a client sees it: one method per operation, each returning an answer before anyone believes it."""

import itertools
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from attrs import define, evolve, field, frozen

from conformance.http.dialect import TEXT, Dialect
from conformance.http.wire import Exchange, Wire
from conformance.judging import contract
from conformance.judging.freshness import Freshness
from conformance.judging.unrest import Unrest
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
    load_json,
    read_id,
    read_refund,
)
from conformance.results import Blocked

API = "/api/202412"
TOKEN_HEADER = "X-Genstore-Access-Token"  # noqa: S105 - a header's name
MAX_LIMIT, USUAL_LIMIT = 250, 50
NOT_FOUND = 404
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


@frozen(eq=False)
class Answer:
    """What a target replied, read but not believed.

    ``unrest`` knows what the target changes by itself.
    """

    exchange: Exchange
    unrest: Unrest = field(factory=Unrest)

    @property
    def status(self) -> int:
        """The HTTP status.

        Raises:
            Blocked: nothing came back; transport trouble is no verdict on the target's conformance.
        """
        if self.exchange.trouble is not None or self.exchange.status is None:
            raise Blocked(self.exchange.trouble or "no answer came")
        return self.exchange.status

    @cached_property
    def json(self) -> Any:
        """The body as JSON with exact numbers; ``None`` when it is none."""
        try:
            return load_json(self.exchange.body.decode("utf-8-sig"))
        except ValueError:
            return None

    @property
    def accepted(self) -> bool:
        """Whether the target says that it did what was asked: 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004

    @property
    def refused(self) -> bool:
        """Whether the target says that it did not: 4xx (429 never gets here)."""
        return 400 <= self.status < 500  # noqa: PLR2004

    @cached_property
    def refund(self) -> Refund | None:
        """The one refund of an accepted answer, if it can be read."""
        return self._read(self.json.get("refund")) if self.accepted and isinstance(self.json, dict) else None

    @cached_property
    def refunds(self) -> list[Refund] | None:
        """The refunds of an accepted list, if each of them can be read."""
        entries = self.json.get("refunds") if self.accepted and isinstance(self.json, dict) else None
        if not isinstance(entries, list):
            return None
        read = [self._read(entry) for entry in entries]
        return [refund for refund in read if refund is not None] if all(read) else None

    def _read(self, value: Any) -> Refund | None:
        refund = read_refund(value)
        return None if refund is None else self.unrest.allowed_for(refund)

    @property
    def described(self) -> str:
        """The answer in a few words, for an explanation."""
        if self.exchange.trouble is not None:
            return self.exchange.trouble
        text = self.exchange.opening.strip()
        return f"{self.exchange.status}" + (f" with {text}" if text else " with an empty body")


class KeyMaker:
    """Makes request numbers: each fresh, with the run's id in it so that what a run made can be recognised.

    The id is all digits, so that it keeps its form in keys of digits, in UUIDs and in both cases. What tells one key
    from another is at both ends, for targets that compare only the one or the other; only some checks are about that.
    """

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._numbers = itertools.count(1)

    def __call__(self, length: int = 32) -> str:
        """Return a key of that many ASCII characters; one of fewer than 17 is not unique."""
        number = f"{next(self._numbers):05d}"
        return f"{self._run_id}{number}{number.rjust(length, 'K')[len(self._run_id) + len(number) :]}"[:length]

    def digits(self, length: int) -> str:
        """Return a key of that many digits, at least 17; it does not begin with a zero."""
        return self(17).rjust(length, "1")

    def uuid(self) -> str:
        """Return a key in the form of a UUID (RFC 9562), some of it letters; its last group is the run's id."""
        drawn = (uuid.uuid5(uuid.NAMESPACE_OID, self()).hex[:20] for _ in itertools.count())
        return str(uuid.UUID(next(digits for digits in drawn if not digits.isdecimal()) + self._run_id))


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
    ``ledger`` notes what was made; ``opens_in`` is the status of a new refund (reading A35); ``approvals_show`` unless
    an approval is under way for so long that its refund stays in that status (reading A37); ``unrest`` knows what the
    target changes by itself, and ``freshness`` what a read must show.
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
    opens_in: RefundStatus = RefundStatus.INITIATED
    approvals_show: bool = True
    unrest: Unrest = field(factory=Unrest)
    freshness: Freshness = field(factory=Freshness)
    token_header: str = TOKEN_HEADER

    @property
    def pending(self) -> frozenset[RefundStatus]:
        """The status of a refund that was not reviewed yet."""
        return frozenset({self.opens_in})

    def is_open(self, refund: Refund) -> bool:
        """Say whether a refund waits for a review; one whose approval does not show may look so (reading A37)."""
        decided = not self.approvals_show and self.unrest.was_reviewed(refund.refund_id)
        return refund.status in self.pending and not decided

    @property
    def approved(self) -> frozenset[RefundStatus]:
        """The statuses that an approved refund may be seen in."""
        moved_on = frozenset({RefundStatus.IN_PROCESS, RefundStatus.COMPLETED}) - self.pending
        return moved_on if self.approvals_show else moved_on | self.pending

    def ends_of(self, action: Action) -> frozenset[RefundStatus]:
        """Return the statuses that a review may bring a refund to."""
        return self.approved if action is Action.APPROVE else frozenset({RefundStatus.CANCELED})

    def with_token(self, token: str | None) -> "RefundApi":
        """Return the same API as another holder sees it, maybe that of another shop; ``None`` sends no token header."""
        return evolve(self, token=token, told={}, twice=[])

    def speaking(self, dialect: Dialect) -> "RefundApi":
        """Return the same API with numbers in another wire form."""
        return evolve(self, create_dialect=dialect, review_dialect=dialect)

    # The four operations, well formed.

    def create_body(
        self,
        order: Order,
        *parts: Part,
        request_no: str | None = None,
        rights_type: RightsType | Absent = RightsType.RETURN_AND_REFUND,
        shipping: Mapping[str, str] | Absent = ABSENT,
        customer_id: str | Absent | None = None,
    ) -> dict[str, Any]:
        """Return a create in the page's own shape (lines 163-181); one unit of the first line by default."""
        dialect = self.create_dialect
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
        """Approve or reject a refund."""
        refund_id = refund.refund_id if isinstance(refund, Refund) else refund
        body = self.review_body(order.order_id, refund_id, action)
        return self._up_to_date(
            lambda: self.review(refund_id, body),
            lambda answer, asked: self._review_is_behind(answer, order.order_id, refund_id, asked),
        )

    def list_refunds(
        self, order: Order | OrderId | str, limit: Any = MAX_LIMIT, arranged: Callable[[Parameters], Parameters] = list
    ) -> Answer:
        """List the refunds of an order; ``limit`` may be ``ABSENT``."""
        order_id = order.order_id if isinstance(order, Order) else order
        path = f"{API}/orders/{quote(str(order_id), safe='', errors='surrogatepass')}/refunds"
        query = arranged(given({"limit": limit}))
        answer = self._up_to_date(
            lambda: self.send("GET", path, "list", query=query),
            lambda answer, asked: self._list_is_behind(answer, str(order_id), limit, asked),
        )
        for refund in _shown(answer):
            self.ledger.note_listed(refund, str(order_id))
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
            lambda: self.send("GET", f"{API}/refunds", "get", query=query),
            lambda answer, asked: self._get_is_behind(answer, str(order_id), str(refund_id), asked),
        )
        for shown in _shown(answer):
            self.freshness.note_decision(shown, self.wire.clock.monotonic())
        return answer

    def _up_to_date(self, ask: Callable[[], Answer], is_behind: Callable[[Answer, float], bool]) -> Answer:
        """Return an answer that knows what was known before it was asked for, if one comes in time (reading A64).

        How long that takes is what looks wait for from then on; where it was in vain, it is not tried again.
        """
        clock, limits = self.wire.clock, self.wire.limits
        asked, answer, late, pause = clock.monotonic(), ask(), 0.0, limits.poll
        while self.freshness.hopes and answer.exchange.trouble is None and is_behind(answer, asked):
            if late > limits.settle:
                self.freshness.hopes = False
                return answer
            answer.exchange.role, answer.exchange.batched = "look", True
            clock.sleep(pause)
            answer, late, pause = ask(), clock.monotonic() - asked, min(2 * pause, 2.0)
        if late and self.freshness.hopes:
            self.wire.lag = max(self.wire.lag, min(1.3 * late + 0.2, limits.settle))
        return answer

    def _list_is_behind(self, answer: Answer, order_id: str, limit: Any, asked: float) -> bool:
        """Say whether a list lacks refunds that it has room for, or shows one as it was before its review."""
        known, shown = self.freshness.known(order_id, asked), answer.refunds
        if answer.refused:
            return answer.status == NOT_FOUND and bool(known & self.told.keys())
        if shown is None:
            return False
        has_room = len(shown) < (USUAL_LIMIT if limit is ABSENT else limit if isinstance(limit, int) else 0)
        missing = known - {refund.refund_id for refund in shown}
        return (has_room and bool(missing)) or self.freshness.any_is_behind(shown, asked)

    def _review_is_behind(self, answer: Answer, order_id: str, refund_id: str, asked: float) -> bool:
        """Say whether a review does not know a new refund that it should."""
        if answer.status != NOT_FOUND or self.unrest.was_reviewed(RefundId(refund_id)):
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
            self.unrest.note_creation(answer.refund, creation.at)
            if creation.order_id is not None and first is creation:
                self.freshness.note(creation.order_id, answer.refund, creation.at)
            if answer.exchange.second_hand and creation.lines and not creation.lines & first.lines:
                self.twice.append(answer)
        return answer

    def review(self, refund_id: str, body: Any, **more: Any) -> Answer:
        """PUT a body to review."""
        path = f"{API}/refunds/{quote(str(refund_id), safe='', errors='surrogatepass')}"
        answer = self.send("PUT", path, "review", body=body, **more)
        if answer.exchange.trouble is None and answer.accepted:
            self.unrest.note_review(RefundId(str(refund_id)))
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
        if exchange.trouble is None and operation in {"list", "get"}:
            self.unrest.look_into(operation, _shown(Answer(exchange)), self.wire.clock.monotonic())
        answer = Answer(exchange, self.unrest)
        self._note(answer)
        return answer

    def _note(self, answer: Answer) -> None:
        """Tell the ledger of the one refund in an answer."""
        exchange = answer.exchange
        if exchange.operation == "list" or exchange.trouble is not None or answer.refund is None:
            return
        if exchange.operation == "create":
            self.ledger.note_created(answer.refund, exchange.request.body)
        else:
            self.ledger.note_seen(answer.refund)


def _shown(answer: Answer) -> list[Refund]:
    """Return the refunds that a list or a get shows."""
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


def breaches(answer: Answer) -> list[contract.Breach]:
    """Return what an accepted answer of one of the four operations leaves out or gets wrong."""
    exchange = answer.exchange
    if exchange.trouble is not None or not answer.accepted or exchange.operation not in contract.OPERATION_IDS:
        return []
    return list(contract.breaches_of(exchange.operation, answer.json))

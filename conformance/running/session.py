"""A run's hold on its target: who may call it, where orders come from, and what was found out about it first."""

import contextlib
import secrets
import ssl
from collections.abc import Callable
from typing import Any

import httpx
from attrs import define, evolve, field

from conformance.clock import Clock, RealClock
from conformance.generation.reach import Reached
from conformance.generation.stories import Story
from conformance.http.client import Answer, KeyMaker, RefundApi
from conformance.http.dialect import IN_CREATES, IN_REVIEWS, USUAL, dialects_for
from conformance.http.pace import Pace
from conformance.http.redact import Redactor
from conformance.http.wire import Exchange, Wire
from conformance.http.writes import Writes
from conformance.judging import verify
from conformance.judging.unrest import Unrest, Watched
from conformance.ledger import Ledger
from conformance.model import Action, Order, Refund, RefundStatus
from conformance.orders import CommandOrders, HttpOrders, OrderProvider, PoolOrders, WantedLine
from conformance.results import Blocked, Observation, UsageError
from conformance.target import Target

SURE, CLOSE = 8, 0.05
"""So many looks in a row, so many seconds apart, say that something is there to stay."""
LEFT_ALONE, AGAIN, LONGEST = 3.0, 1.1, 60.0
"""Seconds that a refund is left alone for at least, once more, and at most, to see what the target does with it."""
PART = 0.35
"""Part of a second: three such moments are not all in the same part of theirs."""
BASE_UNITS = 20
MALFORMED = {400, 422}
"""How a target says that it cannot take the form of a request."""


def new_run_id() -> str:
    """Return twelve digits that tell this run's request numbers from those of others."""
    return f"{secrets.randbelow(10**12):012d}"


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
        """Return a fresh order with lines of (units, unit price); one of 5 × 10.00 by default."""
        wanted = [WantedLine(*line) for line in lines or ((5, "10.00"),)]
        order = self.provider.create_order(wanted, shipped=shipped, customer_id=customer_id)
        self._note(order)
        return order

    def ship(self, order: Order) -> Order:
        """Return the order, now shipped."""
        shipped = self.provider.ship_order(order)
        self._note(shipped)
        return shipped

    def _note(self, order: Order) -> None:
        self.api.ledger.note_order(order, own=not isinstance(self.provider, PoolOrders))


@define
class Session:
    """Everything a check needs: the shops, the wire, and the observations made so far.

    ``whole`` unless the user selected some requirements only; ``noticed`` is what a user should know of the target
    that no check judges; ``reached`` counts what its requests reached;
    ``case`` is the one story that the run is about, if it is about one; ``base_status`` is the one that the first
    approval of the run was seen to lead to.
    """

    target: Target
    wire: Wire
    shop: Shop
    other_shop: Shop | None
    seed: int = 0
    whole: bool = True
    observations: list[Observation] = field(factory=list)
    base_order: Order | None = None
    base_refund: Refund | None = None
    base_key: str = ""
    base_status: RefundStatus | None = None
    began: float = 0.0
    controls: list[Exchange] = field(factory=list)
    noticed: list[str] = field(factory=list)
    reached: Reached = field(factory=Reached)
    case: Story | None = None
    _observed: dict[tuple[str, str], Observation] = field(factory=dict, init=False)

    @property
    def shops(self) -> list[Shop]:
        """The shop under test, and the second one if there is one."""
        return [self.shop] if self.other_shop is None else [self.shop, self.other_shop]

    def observe(self, reading: str, observed: str, check: str = "") -> None:
        """Remember which reading the target was seen to take; the same one is remembered once."""
        if (reading, observed) in self._observed:
            return
        seen = Observation(reading, self.wire.redact(observed)[:300], check)
        if self._observed.setdefault((reading, observed), seen) is seen:
            self.observations.append(seen)

    def find_out(self) -> None:
        """Find out the wire form of numbers that the target takes, and how long an effect takes to show.

        The page shows text and declares numbers (reading A01), so neither is a fault; what works is used from here on.

        Raises:
            Blocked: no order can be had, or the target cannot be reached or does not answer as an API does.
        """
        shop = self.shop
        order = self.base_order = shop.order((BASE_UNITS, "10.00"))
        self.controls = self.wire.recorded
        answer = self._first_accepted(order)
        if answer is None or answer.refund is None:
            return
        self.base_refund = answer.refund
        self.began = self.wire.clock.monotonic()
        if answer.refund.status is RefundStatus.IN_PROCESS:  # legal, if advisory (reading A35)
            self._speak(opens_in=RefundStatus.IN_PROCESS)
        self._find_out_lag(order, answer.refund)
        self._find_out_reviews(order, answer.refund)
        if self.wire.lag:
            waits = f"after a write, a look waits {self.wire.lag:.1f} s"
            self.noticed.append(f"effects show late: {waits}. --workers makes up for some of it")
        for exchange in self.wire.recorded:
            exchange.batched = True

    def show_control(self) -> None:
        """Make the plain create and review that were accepted first, and their order, evidence of the check."""
        for exchange in self.controls:
            self.wire.show(exchange)

    def _first_accepted(self, order: Order) -> Answer | None:
        for number, dialect in enumerate(dialects_for(IN_CREATES), start=1):
            api = evolve(self.shop.api, create_dialect=dialect)
            self.base_key = api.keys()
            answer = api.create_refund(order, request_no=self.base_key)
            answer.exchange.role = "arrange"
            self._insist_on_an_api(answer)
            if answer.accepted:
                self._speak(create_dialect=dialect)
                self._keep_as_control(answer)
                self.observe("A01", f"create takes {dialect.name}")
                return answer
            if number >= len(USUAL) and answer.status not in MALFORMED:
                break  # it is not the form that is in the way
        return None

    def _keep_as_control(self, answer: Answer) -> None:
        answer.exchange.role = "control"
        self.controls.append(answer.exchange)

    def _insist_on_an_api(self, answer: Answer) -> None:
        if answer.status in {401, 403}:
            raise Blocked(
                f"the target refused the full token with {answer.status}: check tokens/full in the target file"
            )
        if 300 <= answer.status < 400:  # noqa: PLR2004 - 3xx
            told = {name.lower(): value for name, value in answer.exchange.headers.items()}.get("location", "nowhere")
            where = self.wire.redact.start(told, 200)
            raise Blocked(
                f"{self.target.base_url} answers with a redirect to {where}: check base_url. "
                "None is followed, so that the token goes to no other address."
            )
        page = answer.exchange.body.lstrip()[:15].lower()
        if answer.json is None and page.startswith((b"<!doctype", b"<html")) and not answer.refused:
            answer.exchange.exempt = True  # whoever it is of, it is no record of the target's
            raise Blocked(f"{self.target.base_url} answers with a web page, not with the API: check base_url")

    def _find_out_lag(self, order: Order, refund: Refund) -> None:
        api, written = self.shop.api, self.wire.clock.monotonic()

        def is_listed() -> bool:
            return refund.refund_id in verify.look_list(api, order)

        def is_got() -> bool:
            answer = api.get_refund(order, refund)
            answer.exchange.role = "look"
            return answer.accepted

        try:
            late = max(self._late_by(look, written) for look in (is_listed, is_got))
        except Blocked:
            return  # a list that cannot be read is judged by the checks
        self._lags(late)
        self.observe("A64", f"a new refund is shown {'later' if late else 'at once'}")

    def _late_by(self, look: Callable[[], bool], written: float) -> float:
        """Return how long after it was written something shows from then on; 0.0 when it shows at first, or never.

        It is looked at closely: where copies take turns, one may show it and the next not yet.
        """
        clock, limits = self.wire.clock, self.wire.limits
        if look():
            return 0.0
        shown, since, pause = 0, written, limits.poll
        while shown < SURE and clock.monotonic() - written < limits.settle:
            clock.sleep(CLOSE if shown else pause)
            pause = pause if shown else min(2 * pause, 2.0)
            shown = shown + 1 if look() else 0
            since = clock.monotonic() if shown == 1 else since
        self.wire.waits_in_vain += not shown
        return since - written if shown else 0.0

    def _lags(self, late: float) -> None:
        """Allow for effects that show so many seconds late, if they do at all."""
        if late:
            self.wire.lag = max(self.wire.lag, min(1.3 * late + 0.2, self.wire.limits.settle))

    def _find_out_reviews(self, order: Order, refund: Refund) -> None:
        for dialect in dialects_for(IN_REVIEWS):
            api = evolve(self.shop.api, review_dialect=dialect)
            answer = api.review_refund(order, refund, Action.APPROVE)
            answer.exchange.role = "arrange"
            if answer.accepted:
                self._speak(review_dialect=dialect)
                self._keep_as_control(answer)
                self.observe("A01", f"review takes {dialect.name}")
                self._find_out_approvals(order, refund, answer.refund)
                return

    def _find_out_approvals(self, order: Order, refund: Refund, told: Refund | None) -> None:
        """Find out whether an approved refund moves on; one that can be rejected was not approved (reading A37).

        Reads that show it only some time after the answer to the review said so may come from a cache (reading A64).
        """
        api, written = self.shop.api, self.wire.clock.monotonic()
        shown: list[RefundStatus | None] = []

        def is_got_so() -> bool:
            shown.append(verify.look_get(api, order, refund).status)
            return shown[-1] in api.approved

        def is_listed_so() -> bool:
            listed = verify.look_list(api, order).get(refund.refund_id)
            return listed is not None and listed.status in api.approved

        with contextlib.suppress(Blocked):  # what cannot be read is judged by the checks
            late = self._late_by(is_got_so, written)
            self.base_status = shown[-1]
            if told is not None and {told.status, shown[-1]} <= api.approved:
                self._lags(max(late, self._late_by(is_listed_so, written)))
        if self.base_status in api.pending:
            rejection = api.review_refund(order, refund, Action.REJECT)
            rejection.exchange.role = "arrange"
            with contextlib.suppress(Blocked):
                self._speak(approvals_show=not self._stands_against(rejection, order, refund))

    def _stands_against(self, rejection: Answer, order: Order, refund: Refund) -> bool:
        """Say whether an approval stood against a rejection, which cancels a refund that was not approved."""
        api = self.shop.api
        if rejection.refused or verify.was_canceled(api, order, refund, rejection):
            return rejection.refused
        another = verify.given_refund(api, order)
        return verify.was_canceled(api, order, another, api.review_refund(order, another, Action.REJECT))

    def watch(self, reviewed: bool, age: float, operation: str) -> Watched:  # noqa: FBT001 - which refunds
        """Make a refund, approve it if it is to be reviewed, and tell what becomes of it if it is left alone.

        It is left alone for as long as the one was old that gave the sign in the answer of an operation, and looked at
        by the other one. What changes again whenever it is looked at is not changed by itself.
        """
        before = len(self.wire.recorded)
        try:
            return self._watched(reviewed, min(max(LEFT_ALONE, age + 1.0), LONGEST), operation)
        except Blocked:
            return Watched()
        finally:
            for exchange in self.wire.recorded[before:]:
                exchange.batched = True

    def _watched(self, reviewed: bool, seconds: float, operation: str) -> Watched:  # noqa: FBT001 - which refunds
        made = [self._arranged(reviewed)]
        if made[0][1].update_time is not None and made[0][1].update_time.microsecond == 0:
            for _ in range(2):  # of whole seconds, one at least of three is full before the update
                self.wire.clock.sleep(PART)
                made.append(self._arranged(reviewed))
        shown = []
        for pause in (0.0, seconds, AGAIN):
            self.wire.clock.sleep(pause)
            shown.append([self._seen(order, refund, operation) for order, refund in made])
        first, later, last = ([refund.update_time for refund in each] for each in shown)
        told, now = made[0][1].status, shown[1][0].status
        moved_on = not reviewed and (told, now) == (RefundStatus.INITIATED, RefundStatus.IN_PROCESS)
        updated = first != later == last
        if moved_on:
            self.observe("A35", "a new refund goes on to 2 by itself")
        if updated and shown[0][0].status is now:
            self.observe("A09", f"{'an approved' if reviewed else 'a new'} refund is updated once more by itself")
        return Watched(moved_on, updated)

    def _arranged(self, reviewed: bool) -> tuple[Order, Refund]:  # noqa: FBT001 - which refunds
        """Return a refund to be left alone, and its order."""
        order = self.shop.order()
        refund = verify.given_refund(self.shop.api, order)
        if reviewed:
            verify.given_review(self.shop.api, order, refund, Action.APPROVE)
        return order, refund

    def _seen(self, order: Order, refund: Refund, operation: str) -> Refund:
        """Return a refund as another operation shows it.

        Raises:
            Blocked: it does not.
        """
        if operation == "list":
            return verify.look_get(self.shop.api, order, refund)
        there = verify.look_list(self.shop.api, order)
        if refund.refund_id not in there:
            raise Blocked("the list lacks a refund (LIST-01)")
        return there[refund.refund_id]

    def _speak(self, **traits: Any) -> None:
        """Use the API of both shops in the way that was found out."""
        for shop in self.shops:
            shop.api = evolve(shop.api, **traits)

    def let_pass(self, seconds: float) -> None:
        """Wait until so many seconds have passed since the run's first refund was created."""
        missing = self.began + seconds - self.wire.clock.monotonic()
        if missing > 0:
            self.wire.clock.sleep(missing)

    def close(self) -> None:
        """Close every connection."""
        self.wire.close()


def open_session(
    target: Target,
    *,
    seed: int = 0,
    run_id: str | None = None,
    clock: Clock | None = None,
    transport: httpx.BaseTransport | None = None,
    requests_per_second: float | None = None,
    max_writes: int | None = None,
) -> Session:
    """Return a session with a target; nothing has been sent yet.

    Raises:
        UsageError: the target's pool or CA file cannot be used.
    """
    redact = Redactor(target.secrets)
    wire = Wire(
        clock=clock or RealClock(),
        limits=target.limits,
        pace=Pace(requests_per_second),
        writes=Writes(max_writes),
        redact=redact,
        verify=True if transport is not None else _tls(target),
        proxy=target.proxy,
        transport=transport,
        headers=dict(target.headers),
    )
    keys = KeyMaker(run_id or new_run_id())
    other = target.other_shop
    session = Session(
        target=target,
        wire=wire,
        shop=_shop(target, wire, keys, "shop"),
        other_shop=None if other is None else _shop(other, wire, keys, "other_shop"),
        seed=seed,
    )
    found: dict[bool, Watched] = {}
    for shop in session.shops:  # which may number their refunds alike
        shop.api = evolve(shop.api, unrest=Unrest(session.watch, found))
    wire.writes.open_refunds = lambda: sum(len(shop.api.ledger.open_refunds) for shop in session.shops)
    return session


def _shop(target: Target, wire: Wire, keys: KeyMaker, name: str) -> Shop:
    ledger = Ledger(name, wire.redact)
    api = RefundApi(wire=wire, base_url=target.base_url, token=target.tokens["full"], keys=keys, ledger=ledger)
    return Shop(target, api, _provider(target, wire))


def _provider(target: Target, wire: Wire) -> OrderProvider:
    orders = target.orders
    if orders.url is not None:
        return HttpOrders(orders.url, wire)
    if orders.command is not None:
        return CommandOrders(orders.command, target.folder, wire)
    assert orders.pool is not None  # noqa: S101 - the target file gave exactly one of the three
    return PoolOrders(orders.pool)


def _tls(target: Target) -> ssl.SSLContext:
    """Return the one context of all connections: to load what is trusted takes longer than many requests."""
    if target.ca_file is None or not target.verify_tls:
        return httpx.create_ssl_context(verify=target.verify_tls, trust_env=False)
    try:
        return ssl.create_default_context(cafile=str(target.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"tls/ca_file: {target.ca_file} cannot be used: {error}") from None

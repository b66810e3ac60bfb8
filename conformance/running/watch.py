"""A refund that is left alone, to see what a target changes by itself (http/unrest.py)."""

from decimal import Decimal

from attrs import evolve

from conformance.http.answer import Answer
from conformance.http.client import Part
from conformance.http.unrest import Unrest, Watched
from conformance.judging import arrange, verify
from conformance.model import Action, Order, Refund, RefundStatus, RightsType
from conformance.outcome import Blocked
from conformance.running.session import Session

LEFT_ALONE, AGAIN, LONGEST = 3.0, 1.1, 60.0
"""Seconds that a refund is left alone for at least, once more, and at most."""
CENT = Decimal("0.01")
PART = 0.35
"""Part of a second: three such moments are not all in the same part of theirs."""


def keep_watch(session: Session) -> None:
    """From here on, both shops find out what the target changes by itself, at the first sign of it.

    What is found goes for both; they are asked apart, since they may number their refunds alike.
    """
    found: dict[bool, Watched] = {}

    def watch(reviewed: bool, age: float, operation: str, sign: Refund) -> Watched:  # noqa: FBT001 - which refunds
        """Return what becomes of one like that which gave the sign, if it is left alone for as long as that was old."""
        before = len(session.wire.recorded)
        try:
            return _watched(session, reviewed, min(max(LEFT_ALONE, age + 1.0), LONGEST), operation, sign)
        except Blocked:
            return Watched()
        finally:
            for exchange in session.wire.recorded[before:]:
                exchange.batched = True

    def stands(sign: Refund, operation: str) -> bool:
        """Say whether the approval of a refund like the one that gave the sign stands, and shows nowhere."""
        before = len(session.wire.recorded)
        try:
            order, refund = _arranged(session, sign)
            session.shop.api.review_refund(order, refund, Action.APPROVE)
            if _seen(session, order, refund, operation).status not in session.shop.api.pending:
                return False
            return stands_against(session, order, refund, session.shop.api.review_refund(order, refund, Action.REJECT))
        except Blocked:
            return False
        finally:
            for exchange in session.wire.recorded[before:]:
                exchange.role, exchange.batched = "arrange", True

    slow: dict[RightsType | None, bool] = {}
    for shop in session.shops:
        shop.api = evolve(shop.api, unrest=Unrest(watch, stands, found, slow))


def stands_against(session: Session, order: Order, refund: Refund, rejection: Answer) -> bool:
    """Say whether an approval stood against a rejection, which cancels a refund that was not approved.

    Raises:
        Blocked: the refund cannot be read.
    """
    api = session.shop.api
    if rejection.refused or verify.was_canceled(api, order, refund, rejection):
        return rejection.refused
    another = arrange.given_refund(api, order)
    return verify.was_canceled(api, order, another, api.review_refund(order, another, Action.REJECT))


def _watched(
    session: Session, reviewed: bool, seconds: float, operation: str, sign: Refund  # noqa: FBT001 - which refunds
) -> Watched:  # fmt: skip
    """Make some refunds, approve them if they are to be reviewed, leave them alone, and look in another way.

    A target may change some of them only. What changes again whenever it is looked at is not changed by itself.
    Whether the look does it is tried, too, since then no update time tells what a request did.
    """
    made: list[tuple[Order, Refund]] = []
    shown: list[list[Refund]] = [[]]
    for pause in (0.0, PART, PART):  # of whole seconds, one at least of three is full before the update
        session.wire.clock.sleep(pause)
        made.append(_arranged(session, sign, reviewed=reviewed))
        shown[0].append(_seen(session, *made[-1], operation))  # at once: a rate limit may make the next one wait
    for pause in (seconds, AGAIN):
        session.wire.clock.sleep(pause)
        shown.append([_seen(session, order, refund, operation) for order, refund in made])
    moved_on = not reviewed and any(
        (told.status, later.status) == (RefundStatus.INITIATED, RefundStatus.IN_PROCESS)
        for (_, told), later in zip(made, shown[1], strict=True)
    )
    first, later, last = ([refund.update_time for refund in each] for each in shown)
    updated = first != later == last
    touched = first == later == last and _is_touched(session, *made[-1], operation)
    if moved_on:
        session.observe("A35", "a new refund goes on to 2 by itself")
    if updated and not moved_on:
        session.observe("A09", f"{'an approved' if reviewed else 'a new'} refund is updated once more by itself")
    return Watched(moved_on, updated, touched)


def _is_touched(session: Session, order: Order, refund: Refund, operation: str) -> bool:
    """Say whether the operation that gave the sign updates what it reads, as the other one shows it each time."""
    shown = [_seen(session, order, refund, operation)]
    for _ in range(2):
        session.wire.clock.sleep(AGAIN)
        _seen(session, order, refund, "get" if operation == "list" else "list")
        shown.append(_seen(session, order, refund, operation))
    return len({each.update_time for each in shown}) == len(shown)


def _arranged(session: Session, sign: Refund, *, reviewed: bool = False) -> tuple[Order, Refund]:
    """Return a refund to be left alone, like the one that gave the sign, and its order."""
    order, rights_type = session.shop.order(*_lines_of(sign)), sign.rights_type or RightsType.RETURN_AND_REFUND
    parts = [Part(line) for line in order.lines]
    refund = arrange.given_refund(session.shop.api, order, *parts, rights_type=rights_type)
    if reviewed:
        arrange.given_review(session.shop.api, order, refund, Action.APPROVE)
    return order, refund


def _lines_of(sign: Refund) -> list[tuple[int, str]]:
    """Return lines of two units, one unit of each of which makes a refund of as many lines and of the same amount."""
    others = max(len(sign.lines) - 1, 0)
    if not sign.amount or sign.amount <= others * CENT:
        return []
    return [(2, f"{sign.amount - others * CENT:.2f}"), *[(2, f"{CENT}")] * others]


def _seen(session: Session, order: Order, refund: Refund, operation: str) -> Refund:
    """Return a refund as another operation shows it.

    Raises:
        Blocked: it does not.
    """
    if operation == "list":
        return verify.look_get(session.shop.api, order, refund)
    there = verify.look_list(session.shop.api, order)
    if refund.refund_id not in there:
        raise Blocked("the list lacks a refund (LIST-01)")
    return there[refund.refund_id]

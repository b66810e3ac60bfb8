"""Tidying up: the open refunds that a run made are rejected, so that nothing stays pending on its target.

It takes one request for each, and another look only at those whose answer does not say that they are canceled.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from attrs import evolve

from conformance.http.dialect import IN_REVIEWS, Dialect, dialects_for
from conformance.http.wire import WORKER
from conformance.judging import verify
from conformance.model import Action
from conformance.outcome import Blocked, UsageError
from conformance.results import Made, Run
from conformance.running.session import Session, open_session
from conformance.shop import Shop
from conformance.target import Target

KEPT = "kept: --keep"
INTERRUPTED = "not rejected: interrupted"
BROKEN = "not rejected: the suite itself failed"
PATIENCE = 2
"""How many rejections in a row may meet trouble before the others are not tried."""


def tidy_record(run: Run, target: Target) -> list[Made]:
    """Reject what the run of a record left open; return the lines of the ledger that changed, which the run has, too.

    Raises:
        UsageError: the run had another target.
    """
    told: list[Made] = []
    session = open_session(target)
    was = run.header.get("target")
    had, has = was.get("base_url") if isinstance(was, dict) else was, session.wire.redact(target.base_url)
    if had != has:
        raise UsageError(f"the run of the record had its target at {had}, and this one is at {has}")
    for shop in session.shops:
        shop.api.ledger.say = told.append
    try:
        take_over(session, run)
        tidy_up(session, dialects=tuple(dialects_for(IN_REVIEWS)))
    except Blocked as trouble:
        leave_open(session, f"not rejected: {trouble.reason}")
    except KeyboardInterrupt:
        pass
    finally:
        leave_open(session, INTERRUPTED)
        session.close()
    has_shops = {shop.api.ledger.shop for shop in session.shops}
    told += [
        evolve(made, left="not rejected: the target has no other_shop now")
        for made in run.left
        if made.shop not in has_shops
    ]
    for made in told:
        run.note(made)
    return list({(made.shop, made.what, made.id): made for made in told}.values())


def tidy_up(
    session: Session,
    stop: Callable[[], object] = lambda: False,
    dialects: Sequence[Dialect] = (),
    workers: int = 1,
) -> None:
    """Every open refund of the ledgers is rejected, so many at a time as there are workers, or is left with the reason.

    ``dialects`` are further wire forms of numbers to try, until a rejection was accepted. Trouble with the target twice
    in a row ends it, and so does ``stop``.
    """
    session.wire.writes.open_refunds = lambda: 0  # this is what their room was kept for
    try:
        for shop in session.shops:
            for order in shop.api.ledger.doubtful:
                _ = shop.api.list_refunds(order).status
            _reject_all(shop, stop, dialects, workers)
    except Blocked as trouble:
        leave_open(session, f"not rejected: {trouble.reason}")


def leave_open(session: Session, why: str) -> None:
    """What is still open is left for this reason, unless another is known; the ledgers tell what has changed."""
    for shop in session.shops:
        ledger = shop.api.ledger
        for made in ledger.open_refunds:
            if not made.left:
                ledger.leave(made, why)
        ledger.tell()


def take_over(session: Session, run: Run) -> None:
    """The ledgers go on from those of a record, with each refund in the state that it is in now.

    Of a run that came to its end, only the orders with open refunds are looked at; of one that was killed or cut short,
    all of them, since a refund may have been made whose answer nobody saw.

    Raises:
        Blocked: the target cannot be asked.
    """
    for made in run.ledger:
        for shop in session.shops:
            if shop.api.ledger.shop == made.shop:
                shop.api.ledger.take_over(evolve(made, left=""))
    for shop in session.shops:
        ledger = shop.api.ledger
        with_open_refunds = {made.order for made in ledger.open_refunds}
        for order in ledger.orders:
            if run.interrupted or order.id in with_open_refunds:
                _ = shop.api.list_refunds(order.id).status


def _reject_all(shop: Shop, stop: Callable[[], object], dialects: Sequence[Dialect], workers: int) -> None:
    accepted: set[str] = set()
    troubles: list[Blocked] = []
    numbers = count()

    def reject(made: Made) -> None:
        if stop() or len(troubles) >= PATIENCE:
            return
        try:
            if _reject(shop, made, () if accepted else dialects):
                accepted.add(made.id)
            troubles.clear()
        except Blocked as trouble:
            shop.api.ledger.leave(made, f"not rejected: {trouble.reason}")
            troubles.append(trouble)

    with ThreadPoolExecutor(workers, initializer=lambda: WORKER.set(next(numbers))) as pool:
        list(pool.map(reject, shop.api.ledger.open_refunds))
    if len(troubles) >= PATIENCE:
        raise troubles[-1]
    _wait_for(shop, accepted)


def _reject(shop: Shop, made: Made, dialects: Sequence[Dialect]) -> bool:
    """Reject a refund in the first wire form of numbers that is accepted, and say whether one was."""
    for dialect in dict.fromkeys((shop.api.review_dialect, *dialects)):
        api = evolve(shop.api, review_dialect=dialect)
        answer = api.review(made.id, api.review_body(made.order, made.id, Action.REJECT))
        if answer.accepted:
            shop.api = api
            return True
    shop.api.get_refund(made.order, made.id)
    shop.api.ledger.leave(made, f"the target would not reject it: it answered {answer.described}")
    return False


def _wait_for(shop: Shop, refund_ids: set[str]) -> None:
    """Look at the refunds whose rejection was accepted, until each is seen to be canceled, or it takes too long."""
    ledger = shop.api.ledger

    def still_open() -> list[Made]:
        return [made for made in ledger.open_refunds if made.id in refund_ids]

    def look() -> list[Made]:
        for made in still_open():
            shop.api.get_refund(made.order, made.id)
        return still_open()

    if still_open():
        for made in verify.patiently(shop.api, look, lambda left: not left):
            ledger.leave(made, "its rejection was accepted, but does not show")

"""Request numbers that are as old as may be: they are still known."""

from datetime import timedelta

import pytest
from attrs import define, evolve

from conformance.http.answer import Answer
from conformance.http.client import Creation, RefundApi
from conformance.judging import arrange, verify
from conformance.model import OrderId, Refund, RefundId, RefundStatus, same_time
from conformance.outcome import Blocked
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.replays import names_the_original
from conformance.suite.given.reviews import REJECT, Decision, decision

KEPT = 59.0
"""Seconds that a key must be kept for: a little less than the minute of reading A24."""
SURELY_KEPT = 45.0
"""Seconds after which there is still time for a look and a replay, even where a rate limit makes them wait."""
A_WHILE = 1.0
"""Seconds in which a queue carries out what a review left to it."""
CANCELED = {RefundStatus.CANCELED, None}
"""What a canceled refund may show; a status that cannot be read is judged as a field of its own (RECORD-28)."""
SLACK = timedelta(seconds=2)
"""How far two looks at one time may lie apart."""


def oldest_kept(session: Session, api: RefundApi) -> tuple[RefundId, Creation]:
    """Return the earliest refund of the run whose key must still be kept, the very first unless the run is long.

    Raises:
        Blocked: a fresh one, in the place of those that are all too old, is not accepted.
    """
    now = api.wire.clock.monotonic()
    kept = [told for told in api.told.items() if now - told[1].at < SURELY_KEPT and names_an_order(told[1])]
    if not kept:
        arrange.given_refund(api, session.shop.order())
        kept = list(api.told.items())[-1:]
    return kept[0]


def names_an_order(made: Creation) -> bool:
    """Say whether a create can be sent again, and looked for: not each that was accepted has all that it should."""
    return isinstance(made.key, str) and "orderId" in made.body["refund"]


@define
class Late:
    """The replay of a create that is as old as may be, and the refunds of its order before and after it."""

    refund_id: RefundId
    before: dict[RefundId, Refund]
    answer: Answer
    after: dict[RefundId, Refund]


def replay_late(api: RefundApi, session: Session, seconds: float) -> Late:
    """Send an early create of the run again, when it is so many seconds old."""
    refund_id, made = oldest_kept(session, api)
    order_id = OrderId(str(made.body["refund"]["orderId"]))
    before = verify.look_list(api, order_id)
    api.wire.clock.sleep(max(0.0, made.at + seconds - api.wire.clock.monotonic()))
    answer = api.create(made.body)
    answer.exchange.role = "probe"
    return Late(refund_id, before, answer, verify.look_list(api, order_id))


@pytest.fixture(scope="session")
def late(api: RefundApi, session: Session) -> Late:
    """The replay at the end of the run."""
    return replay_late(api, session, 0.0)


@requirement("IDEM-27", late=True)
@pytest.mark.usefixtures("protected")
def test_an_early_key_of_the_run_still_protects(late: Late) -> None:
    """A replay of an early create, after all the others, creates nothing."""
    verify.same(sorted(late.before), sorted(late.after), "the refunds of the order")


@requirement("IDEM-11", late=True)
@pytest.mark.usefixtures("protected")
def test_a_late_replay_changes_nothing(late: Late) -> None:
    """The refund of a create that is sent again seconds later keeps all its values."""
    if late.refund_id not in late.before.keys() & late.after.keys():
        raise Blocked(f"refund {late.refund_id} is not in the list of its order (LIST-01)")
    was, now = late.before[late.refund_id], late.after[late.refund_id]
    if was.status is not now.status:
        raise Blocked("its status changed: by the replay (IDEM-13), or by a review at the same time")
    if not (was.shipping and now.shipping):  # where a list lacks it, get was asked, which may show more (reading A13)
        was, now = evolve(was, shipping={}), evolve(now, shipping={})
    verify.unchanged({late.refund_id: was}, {late.refund_id: now}, "the refund")


@requirement("IDEM-10", late=True)
@pytest.mark.usefixtures("protected")
def test_a_late_replay_shows_when_the_refund_was_created(late: Late) -> None:
    """The answer to a replay at the end of the run has the createTime of the refund that it names."""
    told = late.answer.refund
    there = None if told is None else late.before.get(told.refund_id)
    if told is not None and there is not None and there.create_time is not None and told.create_time is not None:
        expected = f"the createTime {there.create_time.isoformat()}"
        alike = same_time(there.create_time, told.create_time, SLACK)
        verify.holds(alike, expected, told.create_time.isoformat())


@requirement("IDEM-14", late=True)
@pytest.mark.usefixtures("protected")
def test_the_key_of_what_was_rejected_a_while_ago_protects(
    api: RefundApi, session: Session, late: Late, rejection: Decision
) -> None:
    """Sent again a while after the rejection, a create makes no new refund, and revives none."""
    if late.before.keys() != late.after.keys():
        raise Blocked("keys are already forgotten in the course of the run (IDEM-27)")
    first = rejection
    if api.wire.clock.monotonic() - api.told[first.refund_id].at > SURELY_KEPT:
        first = decision(api, session.shop.order(), REJECT)
    answer, after = sent_again_later(api, first)
    if first.refund_id in after and after[first.refund_id].status not in CANCELED:  # by whatever came in between?
        first = decision(api, session.shop.order(), REJECT)
        answer, after = sent_again_later(api, first)
    verify.same([first.refund_id], sorted(after), "the refunds of the order")
    now = after[first.refund_id]
    verify.holds(now.status in CANCELED, "the refund still canceled", verify.shown(now.status))
    if answer.broken:
        raise Blocked(f"the create sent again broke the server, and was not decided on: {answer.described}")
    names_the_original(answer, now)


def sent_again_later(api: RefundApi, first: Decision) -> tuple[Answer, dict[RefundId, Refund]]:
    """Send the create of a refund again a while after its review; returns the answer and the refunds of its order."""
    api.wire.clock.sleep(max(0.0, first.at + A_WHILE - api.wire.clock.monotonic()))
    answer = api.create(api.told[first.refund_id].body)
    answer.exchange.role = "probe"
    return answer, verify.look_list(api, first.order)


@requirement("IDEM-28", profile="full", late=True)
@pytest.mark.usefixtures("protected")
def test_a_key_protects_for_a_minute(api: RefundApi, session: Session) -> None:
    """A replay of a create that is a minute old creates nothing."""
    late = replay_late(api, session, KEPT)
    verify.same(sorted(late.before), sorted(late.after), "the refunds of the order")

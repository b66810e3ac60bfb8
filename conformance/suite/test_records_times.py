"""The times of the record: when a refund was created, and when it changed."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from conformance.generation.books import clocks
from conformance.http.answer import Answer
from conformance.http.client import RefundApi
from conformance.judging import verify
from conformance.model import Order, Refund
from conformance.outcome import Blocked
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.grants import LateApproval
from conformance.suite.given.specimens import Review, Specimen, entry, readable

SLACK = timedelta(seconds=2)
A_SECOND = 1.1
"""So many seconds change a time in whole seconds."""


def instant(time: datetime) -> datetime:
    """Return a time with an offset; one that came without is taken for UTC."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def apart(one: datetime, other: datetime) -> timedelta:
    """Return how much later the other time is; nothing where only one of them has an offset (reading A08)."""
    if (one.tzinfo is None) != (other.tzinfo is None):
        return timedelta(0)
    return instant(other) - instant(one)


def some_near(session: Session, told: Mapping[str, datetime], answer: Answer, what: str) -> None:
    """A time is the present one, by the server's clock or ours, in some answer; that the others agree is judged apart.

    Without an offset it can be off by any offset there is.
    """
    off = timedelta(hours=0 if any(time.tzinfo for time in told.values()) else 14)
    if off:
        session.observe("A08", "times have no offset")
    closest, now, tolerance = min(
        ((time, now, tolerance) for time in told.values() for now, tolerance in clocks(answer.exchange)),
        key=lambda seen: abs(instant(seen[0]) - seen[1]) - seen[2],
    )
    verify.holds(abs(instant(closest) - now) <= tolerance + off, f"{what} near {now.isoformat()}", closest.isoformat())


def all_alike(told: Mapping[str, datetime], what: str) -> None:
    """All answers show one time, but for two seconds."""
    first = next(iter(told.values()))
    for operation, time in told.items():
        expected = f"{what} {first.isoformat()} in the answer of {operation}"
        verify.holds(abs(apart(first, time)) <= SLACK, expected, time.isoformat())


@requirement("RECORD-68", profile="quick")
def test_a_new_refund_was_created_now(session: Session, specimen: Specimen) -> None:
    """The createTime is the time of the create."""
    told = readable(specimen.shown, lambda refund: refund.create_time, "createTime")
    some_near(session, told, specimen.answers["create"], "createTime")


def when(identifier: str) -> pytest.MarkDecorator:
    """Mark a check that is made on a new refund and, at the end of the run, on the reviewed one."""
    rows = [
        pytest.param("created", marks=requirement(identifier)),
        pytest.param("reviewed", marks=requirement(identifier, late=True)),
    ]
    return pytest.mark.parametrize("when", rows)


def shown_when(request: pytest.FixtureRequest, when: str) -> tuple[dict[str, Refund | None], Answer]:
    """Return the specimen by operation when it was new, or after its review; and the answer that made it so."""
    if when == "created":
        made: Specimen = request.getfixturevalue("specimen")
        return dict(made.shown), made.answers["create"]
    review: Review = request.getfixturevalue("approved")
    listed = entry(review.answers["list"], review.specimen.refund.refund_id)
    return {"list": listed, "get": review.after}, review.answers["review"]


@when("RECORD-69")
def test_a_refund_was_updated_when_it_changed(request: pytest.FixtureRequest, session: Session, when: str) -> None:
    """The updateTime is the time of the create, and then that of the review (reading A09)."""
    refunds, answer = shown_when(request, when)
    some_near(session, readable(refunds, lambda refund: refund.update_time, "updateTime"), answer, "updateTime")


@when("RECORD-70")
def test_no_refund_was_updated_before_it_was_created(request: pytest.FixtureRequest, when: str) -> None:
    """The updateTime is not before the createTime, but for two seconds."""
    refunds, answer = shown_when(request, when)
    refunds.setdefault(answer.exchange.operation, entry(answer))
    for operation, (created, updated) in readable(refunds, times, "both times").items():
        expected = f"updateTime from {created.isoformat()} on in the answer of {operation}"
        verify.holds(apart(created, updated) >= -SLACK, expected, updated.isoformat())


def times(refund: Refund) -> tuple[datetime, datetime] | None:
    """Return both times, if both can be read."""
    if refund.create_time is None or refund.update_time is None:
        return None
    return refund.create_time, refund.update_time


@when("RECORD-71")
def test_the_create_time_never_changes(request: pytest.FixtureRequest, specimen: Specimen, when: str) -> None:
    """Create, list and get show one createTime; so do review, list and get, seconds later."""
    refunds, answer = shown_when(request, when)
    refunds.setdefault(answer.exchange.operation, entry(answer))
    later = {f"{operation} in the end": refund for operation, refund in refunds.items()}
    all_alike(readable(specimen.shown | later, lambda refund: refund.create_time, "createTime"), "createTime")


@requirement("RECORD-71", late=True)
def test_a_rejection_answers_with_the_create_time(twin: Specimen, rejected: Review) -> None:
    """A rejection, seconds after the create, answers with the createTime that was there before."""
    shown = twin.shown | {"review": entry(rejected.answers["review"])}
    all_alike(readable(shown, lambda refund: refund.create_time, "createTime"), "createTime")


@pytest.mark.parametrize(
    "which",
    [
        pytest.param("approved", marks=requirement("RECORD-72", late=True)),
        pytest.param("rejected", marks=requirement("RECORD-73", late=True)),
    ],
)
def test_a_review_moves_the_update_time(
    request: pytest.FixtureRequest, api: RefundApi, session: Session, which: str
) -> None:
    """Seconds lie between create and review, and get shows it."""
    review: Review = request.getfixturevalue(which)
    told = readable(dict(zip(("before", "after"), review.seen, strict=True)), lambda r: r.update_time, "updateTime")
    if len(told) < 2:
        raise Blocked("updateTime cannot be read before and after the review")
    if review.after is not None and review.after.restless and told["after"] == told["before"]:
        session.observe("A37", "an approval is under way for long, and has not moved updateTime yet")
        return
    is_later(session, told["before"], told["after"])


def is_later(session: Session, before: datetime, after: datetime) -> None:
    """An updateTime has moved on, unless times are given to the minute."""
    first = None if session.base_refund is None else session.base_refund.create_time
    if all(time.second == time.microsecond == 0 for time in (before, after, first or before)):
        session.observe("A08", "times are given to the minute, so that a review within one cannot move them")
        return
    verify.holds(apart(before, after) > timedelta(0), f"updateTime after {before.isoformat()}", after.isoformat())


@requirement("RECORD-72", late=True)
def test_the_approval_of_a_later_refund_of_its_order_moves_the_update_time(
    session: Session, late_approval: LateApproval | None
) -> None:
    """Seconds after the create of one that is not the first of its order, get shows it."""
    if late_approval is None:
        return  # all were approved to make room for others (reading A27)
    before, now = late_approval.before, late_approval.now
    if now.restless and now.update_time == before.update_time:
        return  # it is under way for long (reading A37)
    if before.update_time is None or now.update_time is None or before.status == now.status:
        raise Blocked("updateTime cannot be read before and after the review, or nothing was decided (REVIEW-01)")
    is_later(session, before.update_time, now.update_time)


@requirement("RECORD-71", late=True)
def test_the_approval_of_a_later_refund_of_its_order_answers_with_its_create_time(
    late_approval: LateApproval | None,
) -> None:
    """Its answer has the createTime that list showed, and not that of another, which was created seconds apart."""
    if late_approval is None:
        return  # all were approved to make room for others (reading A27)
    shown = {"list": late_approval.before, "review": entry(late_approval.answer)}
    all_alike(readable(shown, lambda refund: refund.create_time, "createTime"), "createTime")


@requirement("REVIEW-19", late=True)
def test_an_approval_does_not_move_the_update_time_of_another_refund(sibling: Answer, approved: Review) -> None:
    """The review of the order's first refund, seconds after both were created, leaves the later one as it was."""
    if sibling.refused:
        return  # as a second open refund may be (reading A27)
    told = sibling.refund
    if sibling.exchange.second_hand or (told is not None and told.refund_id == approved.specimen.refund.refund_id):
        raise Blocked("the later refund has the id of an earlier one (RECORD-67)")
    now = None if told is None else entry(approved.answers["list"], told.refund_id)
    if told is None or now is None or told.update_time is None or now.update_time is None:
        raise Blocked("the updateTime of the later refund cannot be read before and after the review")
    if now.restless:
        return
    if told.create_time is not None and abs(apart(told.create_time, told.update_time)) > SLACK:
        raise Blocked("the answer to a create already tells an updateTime that is not the refund's (RECORD-69)")
    verify.holds(
        abs(apart(told.update_time, now.update_time)) <= SLACK, f"updateTime {told.update_time.isoformat()}",
        now.update_time.isoformat(),
    )  # fmt: skip


@requirement("RECORD-74", late=True)
def test_reading_does_not_move_the_update_time(api: RefundApi, specimen: Specimen, approved: Review) -> None:
    """What get showed at first it shows seconds and several reads later, as long as the status is the same."""
    if api.unrest.touched:
        stays_while_it_is_read(api, specimen.order, specimen.refund)
        return
    first, later = specimen.shown.get("get"), approved.before
    if first is None or later is None or first.refund_id != later.refund_id:
        raise Blocked("there are no two gets of the refund")
    if later.restless:
        return  # it may have gone on by itself between them
    if first.status != later.status:
        raise Blocked("the two gets do not show the refund in one state")
    verify.same(first.update_time, later.update_time, "updateTime")


def stays_while_it_is_read(api: RefundApi, order: Order, refund: Refund) -> None:
    """List and get show the updateTime that they showed before, though both read the refund a second ago."""
    shown = []
    for _ in range(2):
        shown.append((verify.look_get(api, order, refund), verify.look_list(api, order).get(refund.refund_id)))
        api.wire.clock.sleep(A_SECOND)
    for before, after in zip(*shown, strict=True):
        if before is not None and after is not None and before.status == after.status:
            verify.same(before.update_time, after.update_time, "updateTime")


@when("RECORD-75")
def test_all_answers_show_one_update_time(request: pytest.FixtureRequest, api: RefundApi, when: str) -> None:
    """Create, list and get show the same; so do list and get after the review, as long as they show one status."""
    refunds, _ = shown_when(request, when)
    if when == "reviewed" and not are_in_one_state(refunds):  # one of the two was behind, or it moved on in between
        specimen: Specimen = request.getfixturevalue("specimen")
        refunds = verify.patiently(api, lambda: listed_and_got(api, specimen), are_in_one_state)
    if not are_in_one_state(refunds):
        raise Blocked("the answers do not show the refund in one state")
    if any(refund.restless for refund in refunds.values() if refund is not None):
        return
    all_alike(readable(refunds, lambda refund: refund.update_time, "updateTime"), "updateTime")


@requirement("RECORD-75", late=True)
def test_list_and_get_show_one_update_time_of_a_rejection(rejected: Review) -> None:
    """They do so as long as they show one status."""
    listed = entry(rejected.answers["list"], rejected.specimen.refund.refund_id)
    shown = {"list": listed, "get": rejected.after}
    if not are_in_one_state(shown):
        raise Blocked("the answers do not show the refund in one state")
    if not any(refund.restless for refund in shown.values() if refund is not None):
        all_alike(readable(shown, lambda refund: refund.update_time, "updateTime"), "updateTime")


def listed_and_got(api: RefundApi, specimen: Specimen) -> dict[str, Refund | None]:
    """Return a refund as list and get show it now."""
    order, refund_id = specimen.order, specimen.refund.refund_id
    return {
        "list": verify.look_list(api, order).get(refund_id),
        "get": verify.look_get(api, order, specimen.refund),
    }


def are_in_one_state(refunds: Mapping[str, Refund | None]) -> bool:
    """Say whether every answer that shows a refund shows it with the same status."""
    return len({refund.status for refund in refunds.values() if refund is not None}) <= 1

"""What a target changes by itself is found out at the first sign, and only then."""

from typing import Any

import pytest
from attrs import evolve

from conformance.http.unrest import Unrest, Watched
from conformance.model import Refund, RefundId, RefundStatus, read_refund


def record(status: int, updated: str = "2026-01-02T03:04:05Z") -> Refund:
    """Return a refund as an answer shows it."""
    refund = read_refund(
        {"refundId": "70001", "status": status, "createTime": "2026-01-02T03:04:05Z", "updateTime": updated}
    )
    assert refund is not None
    return refund


def watching(seen: Watched) -> tuple[Unrest, list[Any]]:
    """Return an unrest that watches nothing, says that it saw so much, and notes what it was asked."""
    asked: list[Any] = []

    def watch(*question: Any) -> Watched:
        asked.append(question)
        return seen

    unrest = Unrest(watch)
    unrest.note_creation(record(1), 10.0)
    return unrest, asked


def test_a_new_refund_in_process_is_read_as_initiated_once_one_was_seen_going_there() -> None:
    """The first sign is looked into, once, by leaving another refund alone for as long."""
    unrest, asked = watching(Watched(moved_on=True))

    unrest.look_into("list", [record(2)], 12.5)
    unrest.look_into("list", [record(2)], 13.0)

    assert asked == [(False, 2.5, "list", record(2))]
    assert unrest.allowed_for(record(2)).status is RefundStatus.INITIATED


def test_a_refund_that_was_moved_by_a_request_stays_moved() -> None:
    """Where another refund stays as it is when it is left alone, the sign meant nothing."""
    unrest, asked = watching(Watched())

    unrest.look_into("get", [record(2)], 12.5)

    assert len(asked) == 1
    assert unrest.allowed_for(record(2)) == record(2)
    assert not unrest.allowed_for(record(2)).restless


def test_a_later_update_time_is_a_sign_where_one_operation_tells_it_of_one_state() -> None:
    """Two operations may tell the time to another fraction, and a review may move it."""
    unrest, asked = watching(Watched(updated=True))

    unrest.look_into("get", [record(1, "2026-01-02T03:04:05.250Z")], 11.0)
    unrest.look_into("list", [record(1, "2026-01-02T03:04:09Z")], 11.0)
    unrest.look_into("get", [record(1, "2026-01-02T03:04:05.250Z"), record(3, "2026-01-02T03:04:08Z")], 12.0)
    assert not asked

    unrest.look_into("get", [record(1, "2026-01-02T03:04:07Z")], 13.0)
    assert asked == [(False, 3.0, "get", record(1, "2026-01-02T03:04:07Z"))]
    assert unrest.allowed_for(record(1)).restless


def test_the_time_of_what_is_updated_by_reading_tells_nothing_of_requests() -> None:
    """That reading does it is judged once, and everything else is not failed for it."""
    unrest, _ = watching(Watched(touched=True))

    unrest.look_into("list", [record(1)], 11.0)
    assert not unrest.touched
    unrest.look_into("list", [record(1, "2026-01-02T03:04:07Z")], 12.0)

    assert unrest.touched
    assert unrest.allowed_for(record(1)).restless


def test_what_an_accepted_review_changes_is_no_sign() -> None:
    """An approved refund may be in process, and each accepted review may update it."""
    unrest, asked = watching(Watched(moved_on=True, updated=True))

    unrest.note_review(RefundId("70001"), 12.0, approval=True)
    unrest.look_into("get", [record(2, "2026-01-02T03:04:07Z")], 13.0)
    unrest.note_review(RefundId("70001"), 12.0, approval=True)
    unrest.look_into("get", [record(2, "2026-01-02T03:04:09Z")], 14.0)

    assert not asked
    assert unrest.allowed_for(record(2)) == record(2)


@pytest.mark.parametrize(("usual", "other"), [(1, 2), (2, 1)])
def test_a_refund_that_begins_in_the_other_status_waits_there_as_others_do(usual: int, other: int) -> None:
    """Until its review it is read as if it were in the usual one, and if it is seen in that, as if it had moved."""
    unrest = Unrest()
    first = evolve(record(usual), refund_id=RefundId("70000"))
    unrest.note_creation(first, 9.0)
    unrest.note_creation(record(other), 10.0)

    assert unrest.allowed_for(first).status == usual
    assert unrest.allowed_for(record(other)).status == usual
    assert unrest.allowed_for(record(usual)).status == other
    unrest.note_review(record(other).refund_id, 12.0, approval=True)
    assert unrest.allowed_for(record(2)).status == 2


@pytest.mark.parametrize("stands", [True, False])
def test_an_approval_that_does_not_show_for_seconds_is_believed_if_it_stands(stands: bool) -> None:  # noqa: FBT001 - a parameter
    """Whether it stands is found out once for a type, and not before seconds have passed."""
    asked: list[Refund] = []

    def stands_or_not(sign: Refund, _: str) -> bool:
        asked.append(sign)
        return stands

    unrest = Unrest(stands=stands_or_not)
    unrest.note_creation(record(1), 10.0)
    unrest.note_review(record(1).refund_id, 11.0, approval=True)

    unrest.look_for_slow_ones("get", [record(1)], 12.0)
    assert not asked
    for now in (13.5, 14.0):
        unrest.look_for_slow_ones("get", [record(1)], now)

    assert asked == [record(1)]
    assert unrest.allowed_for(record(1)).status == (2 if stands else 1)
    assert unrest.allowed_for(record(3)).status == 3

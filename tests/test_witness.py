"""What is wrong with a list alone is said once, and nearly everything else is judged all the same."""

import pytest

from conformance.faults import load_faults
from conformance.outcome import Outcome
from tests.conftest import Judge, told


@pytest.mark.parametrize(
    ("fault", "requirement", "beside"),
    [
        ("takes-canceled-for-deleted", "LIST-09", ()),
        ("lists-twenty-at-most", "LIST-01", ()),
        ("allows-ahundred", "LIST-11", ("ROBUST-82",)),
        ("lists-null-for-none", "RECORD-03", ()),
        ("lists-one-as-object", "RECORD-03", ()),
    ],
)
def test_a_list_that_is_wrong_keeps_little_from_being_judged(
    judge: Judge, fault: str, requirement: str, beside: tuple[str, ...]
) -> None:
    """A list that hides, is cut, bounded or of another form fails what is about lists, and blocks next to nothing."""
    run = judge(load_faults()[fault].make)

    failed = {name for name in told(run, Outcome.FAILED) if not name.startswith("LIFE-")}
    blocked = {name for name in told(run, Outcome.BLOCKED) if not name.startswith("LIFE-")}
    assert failed == {requirement, *beside}
    assert len(blocked) < 10, blocked


def test_a_server_that_wants_shipping_is_judged_with_it(judge: Judge) -> None:
    """It fails for that alone, and no check is blocked."""
    run = judge(load_faults()["needs-shipping"].make)

    assert list(told(run, Outcome.FAILED, Outcome.BLOCKED)) == ["CREATE-33"]

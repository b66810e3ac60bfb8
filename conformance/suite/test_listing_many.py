"""Lists of many refunds: of two dozen on the roomy order, and of as many as a limit can ask for and more."""

from typing import Any

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, MAX_LIMIT, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Order, Refund, RefundId
from conformance.outcome import Blocked
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.benches import NewOrder
from conformance.suite.given.lists import Own, counted, ids, plain
from conformance.suite.given.retries import THIRTEEN, Retries, listed_with_limit


@requirement("LIST-01")
def test_two_dozen_refunds_of_an_order_are_listed(roomy_refunds: set[RefundId], retries: Retries) -> None:
    """All refunds of the roomy order are in its list."""
    if not roomy_refunds:
        raise Blocked("the order has no refunds yet, or none is listed")
    missing = sorted(roomy_refunds - listed_with_limit(retries))
    verify.holds(not missing, f"all {len(roomy_refunds)} refunds of the order", f"without {', '.join(missing)}")


@requirement("LIST-13")
def test_a_list_without_limit_shows_many_refunds(
    roomy_refunds: set[RefundId], retries: Retries, unlimited: Answer
) -> None:
    """The refunds of the roomy order are listed without a limit as well as with one."""
    with_limit = len(roomy_refunds & listed_with_limit(retries))
    if not with_limit:
        raise Blocked("the order has no refunds, or none is listed with a limit (LIST-01)")
    if not unlimited.refused:  # reading A44
        shown = len(verify.accepted(unlimited).refunds or ())
        verify.holds(shown >= with_limit, f"{with_limit} refunds or more, as with a limit", f"{shown} refunds")


@requirement("LIST-10")
def test_a_greater_limit_is_the_number_of_entries(thirteen: Answer) -> None:
    """A limit of 13 shows 13 of two dozen refunds."""
    shown = len(verify.accepted(thirteen).refunds or ())
    verify.same(THIRTEEN, shown, f"the entries of a list with limit {THIRTEEN}")


def ids_in(answer: Answer) -> list[RefundId]:
    """Return the ids that an answer lists."""
    return [refund.refund_id for refund in (answer.refunds if answer.accepted else None) or ()]


@requirement("LIST-02")
def test_each_of_many_refunds_is_listed_once(
    api: RefundApi, roomy_order: Order, thirteen: Answer, unlimited: Answer
) -> None:
    """However many refunds the roomy order has, its list shows none of them twice."""
    shown = ids_in(unlimited)
    if len(shown) < THIRTEEN:  # it may be refused (reading A44), or be older than some of the refunds
        shown = ids_in(api.list_refunds(roomy_order))
    if len(shown) < THIRTEEN:
        raise Blocked(f"the list of many refunds shows only {len(shown)} (LIST-01)")
    verify.same([], sorted({refund_id for refund_id in shown if shown.count(refund_id) > 1}), "those listed twice")


@requirement("LIST-07")
def test_each_of_many_refunds_is_listed_with_its_line(thirteen: Answer, unlimited: Answer) -> None:
    """However many refunds the roomy order has, none of them is listed without a line."""
    shown = max((unlimited, thirteen), key=lambda answer: len(ids_in(answer)))
    if not ids_in(shown):
        raise Blocked("no list shows the refunds of the roomy order (LIST-01)")
    bare = sorted(refund.refund_id for refund in shown.refunds or () if refund.all_lines_read and not refund.lines)
    verify.same([], bare, "those listed without a line")


@define
class Pile:
    """An order on which refunds pile up."""

    api: RefundApi
    order: Order
    made: list[Refund]

    def up_to(self, count: int) -> set[RefundId]:
        """Refund one unit after the other until there are so many refunds, and return their ids."""
        while len(self.made) < min(count, MAX_LIMIT):
            self.made.append(arrange.given_refund(self.api, self.order))
        while len(self.made) < count:
            self.made.append(self.beyond())
        return set(ids(self.made))

    def beyond(self) -> Refund:
        """Create a refund that a list of the greatest length need not show."""
        answer = self.api.create_refund(self.order)
        if answer.refused and arrange.approve_open(self.api, self.order):
            answer = self.api.create_refund(self.order)
        if not answer.accepted or answer.refund is None:
            raise Blocked(f"a refund could not be arranged: create answered {answer.described}")
        return answer.refund


@pytest.fixture(scope="module")
def pile(api: RefundApi, new_order: NewOrder, own: Own) -> Pile:
    """An order with units for 251 refunds; the control is that four are listed."""
    return Pile(api, new_order((260, "1.00")), [])


@requirement("LIST-22", profile="full")
def test_the_default_limit_is_50(api: RefundApi, session: Session, pile: Pile) -> None:
    """Of 51 refunds a list without limit shows 50, unless it is refused (reading A44)."""
    made = pile.up_to(51)
    answer = plain(api, pile.order, ABSENT)
    session.observe("A44", f"a list without limit is answered with {answer.status}")
    if not answer.refused:
        verify.same(50, counted(answer, made), "the entries of a list without limit")


@requirement("LIST-23", profile="full")
@pytest.mark.parametrize(("limit", "shown"), [(50, 50), (51, 51), (250, 51)])
def test_more_than_the_default_can_be_asked_for(api: RefundApi, pile: Pile, limit: int, shown: int) -> None:
    """Of 51 refunds there are as many as the limit allows."""
    made = pile.up_to(51)
    verify.same(shown, counted(plain(api, pile.order, limit), made), f"the entries of a list with limit {limit}")


@requirement("LIST-24", profile="full")
def test_the_greatest_limit_shows_250(api: RefundApi, pile: Pile) -> None:
    """Of 251 refunds there are 250."""
    made = pile.up_to(251)
    verify.same(250, counted(plain(api, pile.order, MAX_LIMIT), made), "the entries of a list with limit 250")


@requirement("LIST-25", profile="full")
@pytest.mark.parametrize("limit", [ABSENT, 251, 1000, "9" * 30], ids=["absent", "251", "1000", "30 digits"])
def test_no_list_is_longer_than_250(api: RefundApi, pile: Pile, limit: Any) -> None:
    """Whatever is asked for is refused or gets 250 at most (reading A45)."""
    made = pile.up_to(251)
    answer = plain(api, pile.order, limit, role="open")
    verify.decided(answer)
    if not answer.refused:
        shown = counted(answer, made)
        verify.holds(shown <= MAX_LIMIT, "at most 250 refunds", f"{shown} refunds")

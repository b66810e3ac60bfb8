"""Amounts: the price of what is refunded, exact, the same in every answer, and for good."""

from decimal import Decimal

import pytest
from attrs import define, field

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.http.dialect import NUMBERS, TEXT
from conformance.judging import arrange, verify
from conformance.model import Action, Order, Refund, RefundId, RefundLine, RightsType
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.benches import NewOrder
from conformance.suite.given.histories import Whole

LINES = (
    (9, "10.00"), (9, "7.00"), (9, "25.00"), (9, "4.00"), (7, "15.00"), (9, "30.00"),
    (9, "3.33"), (5, "0.10"), (8, "1.15"), (2, "99999999.99"), (120, "1234.56"), (9, "7.00"),
    (5, "2.00"), (5, "5.00"), (5, "6.00"), (5, "8.00"), (5, "9.00"), (5, "11.00"), (5, "13.00"),
    *[(5, f"{price}.00") for price in range(21, 31)], (5, "17.00"), (5, "70.00"), (9, "20.00"),
)  # fmt: skip
PLAIN, BASKET = "2 × 10.00", "21 lines, 2 of them 3 × 7.00"
TYPE_2 = "2 × 30.00 + 1 × 4.00 without a return"
SERIES = ("the first 3 × 15.00", "the next 3 × 15.00", "the last 1 × 15.00")
GREAT = "1 × 99999999.99"
EXACT = ("3 × 3.33", "3 × 0.10", "7 × 1.15", GREAT, "112 × 1234.56")
ASKED: dict[str, dict[int, int]] = {
    PLAIN: {0: 2}, BASKET: {2: 1, 1: 3, 3: 2, 11: 3} | dict.fromkeys(range(12, 29), 1),
    TYPE_2: {5: 2, 3: 1},
    SERIES[0]: {4: 3}, SERIES[1]: {4: 3}, SERIES[2]: {4: 1},
    "3 × 3.33": {6: 3}, "3 × 0.10": {7: 3}, "7 × 1.15": {8: 7}, GREAT: {9: 1}, "112 × 1234.56": {10: 112},
}  # fmt: skip
"""The refunds of one order by name: units by the number of the line.

The basket has two lines that cost the same, for what is summed by its price, and more lines than fit on a short page.
"""
SMALL_BASKET = {2: 1, 1: 3, 3: 2, 11: 3}
"""What is in the basket where a target takes no more lines; the page gives no bound, and asks for none."""


def amount_of(refund: Refund | None) -> Decimal:
    """Return the amount of a refund.

    Raises:
        Blocked: it cannot be read; its form is judged with the records.
    """
    if refund is None or refund.amount is None:
        raise Blocked("the amount of the refund cannot be read")
    return refund.amount


@define
class Books:
    """The refunds of one order, as create told each and as list shows all of them afterwards.

    The first, plain one is also there as get showed it before the others came.
    """

    api: RefundApi
    order: Order
    asked: dict[str, dict[int, int]] = field(factory=ASKED.copy)
    told: dict[str, Refund] = field(factory=dict)
    plain: Refund | None = None
    other_form: Answer | None = None
    priced: Answer | None = None
    listed: dict[RefundId, Refund] = field(factory=dict)
    got: dict[str, Refund] = field(factory=dict)

    def ask(self, name: str) -> None:
        """Create a refund.

        Raises:
            Blocked: it was refused.
        """
        parts = [Part(self.order.lines[line], units) for line, units in self.asked[name].items()]
        rights_type = RightsType.REFUND if name == TYPE_2 else RightsType.RETURN_AND_REFUND
        self.told[name] = arrange.new_refund(self.api, self.order, *parts, rights_type=rights_type)

    def price(self, name: str) -> Decimal:
        """Return what the units of a refund cost."""
        parts = ((self.order.lines[line].unit_price, units) for line, units in self.asked[name].items())
        return sum((price * units for price, units in parts), Decimal(0))

    def entry(self, name: str) -> Refund:
        """Return a refund as list shows it."""
        refund_id = self.told[name].refund_id
        if refund_id not in self.listed:
            raise Blocked(f"the refund {name} is not in the list of its order")
        return self.listed[refund_id]

    def judge(self, name: str) -> None:
        """The amount of a refund is the price of its units."""
        refund = self.entry(name)
        verify.units_of(refund)
        asked = {self.order.lines[line].line_item_id: units for line, units in self.asked[name].items()}
        if refund.quantities != asked:
            raise Blocked("the refund is already of other units than were asked for (CREATE-28, CREATE-29)")
        verify.same(self.price(name), self.paid(name), f"the amount of {name}")

    def paid(self, name: str) -> Decimal:
        """Return the amount of a refund as list shows it; where it is wrong, get must not show a right one."""
        amount = amount_of(self.entry(name))
        if amount != self.price(name) == amount_of(self.as_got(name)):
            raise Blocked("list already tells another amount than get (AMOUNT-04)")
        return amount

    def as_got(self, name: str) -> Refund:
        """Return a refund as get shows it, which is asked once."""
        if name not in self.got:
            self.got[name] = verify.look_get(self.api, self.order, self.told[name])
        return self.got[name]

    def wrong(self) -> list[str]:
        """Return the refunds that list shows with another amount than they should have."""
        shown = {name: self.listed[told.refund_id] for name, told in self.told.items() if told.refund_id in self.listed}
        return [name for name, refund in shown.items() if refund.amount not in {None, self.price(name)}]


@pytest.fixture(scope="session")
def books(api: RefundApi, new_order: NewOrder) -> Books:
    """An order with several refunds; the first is looked at before the others come."""
    books = Books(api, new_order(*LINES))
    order = books.order
    for name in ASKED:
        try:
            books.ask(name)
        except Blocked:
            if name != BASKET:
                raise
            books.asked[BASKET] = SMALL_BASKET
            books.ask(BASKET)
        if name == PLAIN:
            arrange.await_visible(api, order, books.told[name])
            books.plain = verify.look_get(api, order, books.told[name])
    arrange.await_visible(api, order, *books.told.values())
    books.other_form, books.priced = in_other_form(api, order), with_prices(api, order)
    books.listed = verify.look_list(api, order)
    return books


def in_other_form(api: RefundApi, order: Order) -> Answer:
    """Ask for two units of the last line with numbers in the form that is not the usual one."""
    other = api.speaking(NUMBERS if api.create_dialect is TEXT else TEXT)
    answer = other.create_refund(order, Part(order.lines[-1], 2))
    if answer.refused and arrange.approve_open(api, order):  # one may have been in the way (reading A27)
        answer = other.create_refund(order, Part(order.lines[-1], 2))
    return answer


DEAR = {"price": "999.00", "unitPrice": "999.00", "subtotal": "999.00", "totalTax": "99.00", "discount": "-99.00"}
CHEAP = {"price": "0.01", "unitPrice": "0.01", "subtotal": "0.01", "totalTax": "0.00", "discount": "9.99"}


def with_prices(api: RefundApi, order: Order) -> Answer:
    """Ask for a unit of 17.00 and one of 70.00, and name a price too high for the one and too low for the other."""
    body = api.create_body(order, Part(order.lines[-3]), Part(order.lines[-2]))
    for line, prices in zip(body["refund"]["lineItems"], (DEAR, CHEAP), strict=True):
        line.update(prices, lineItem={"price": prices["price"]})
    answer = api.create(body)
    if answer.refused and arrange.approve_open(api, order):  # one may have been in the way (reading A27)
        answer = api.create(body | {"refund": body["refund"] | {"requestNo": api.keys()}})
    answer.exchange.role = "probe"
    return answer


@pytest.fixture
def plain_is_right(books: Books) -> None:
    """The control of every special amount: a plain one is right."""
    if amount_of(books.plain) != books.price(PLAIN):
        raise Blocked("a plain amount is already wrong (AMOUNT-01)")


@pytest.fixture
def later_is_right(books: Books, plain_is_right: None) -> None:
    """The control of what makes one amount special: not all but the order's first are wrong."""
    if set(books.wrong()) >= ASKED.keys() - {PLAIN}:
        raise Blocked("whatever comes after the order's first refund already has a wrong amount (AMOUNT-09)")


@requirement("LIST-01")
def test_a_dozen_refunds_of_an_order_are_listed(books: Books) -> None:
    """As many as were created are there; which of them may be missing is told where ids are right (CREATE-31)."""
    listed = {refund_id for refund_id, refund in books.listed.items() if not refund.hidden}
    missing = [name for name, told in books.told.items() if told.refund_id not in listed]
    others = [answer for answer in (books.other_form, books.priced) if answer is not None and answer.refund is not None]
    created = len(books.told) + len(others)
    verify.holds(len(listed) >= created, f"all {created} refunds of the order", f"without {', '.join(missing)}")


@requirement("CREATE-28")
def test_a_refund_of_many_lines_has_them_all(books: Books) -> None:
    """However many lines a create names, the stored refund has each of them."""
    asked = sorted(books.order.lines[line].line_item_id for line in books.asked[BASKET])
    listed = sorted(verify.units_of(books.entry(BASKET)))
    if listed != asked and sorted(verify.units_of(books.as_got(BASKET))) == asked:
        raise Blocked("get shows all lines of the refund, and only list does not (LIST-07)")
    verify.same(asked, listed, "the lines of the refund")


@requirement("AMOUNT-01")
def test_an_amount_is_price_times_units(books: Books) -> None:
    """Two units of 10.00 are 20.00."""
    verify.same(books.price(PLAIN), amount_of(books.plain), f"the amount of {PLAIN}")


@requirement("AMOUNT-02")
@pytest.mark.usefixtures("later_is_right")
def test_each_line_of_several_counts_with_its_own_price(books: Books) -> None:
    """The amount of several lines is the sum of each line's price times its units."""
    books.judge(BASKET)


@requirement("AMOUNT-03")
@pytest.mark.usefixtures("later_is_right")
@pytest.mark.parametrize("name", EXACT)
def test_an_amount_is_exact(books: Books, name: str) -> None:
    """Small, uneven and large prices are multiplied to the last cent."""
    books.judge(name)


@requirement("AMOUNT-09")
@pytest.mark.usefixtures("plain_is_right")
@pytest.mark.parametrize("name", SERIES)
def test_each_of_several_refunds_has_the_price_of_its_own_units(books: Books, name: str) -> None:
    """The first, the next and the last refund of a line are each worth their own units."""
    books.judge(name)


@requirement("AMOUNT-09")
@pytest.mark.usefixtures("plain_is_right")
def test_refunds_to_the_last_unit_add_up_to_the_price(books: Books) -> None:
    """All units of a line, refunded one part after another, are worth what they cost, and not more."""
    line = books.order.lines[4]
    paid_back = sum((books.paid(name) for name in SERIES), Decimal(0))
    limit = line.unit_price * line.quantity
    verify.holds(paid_back <= limit, f"refunds of {limit} at most", paid_back)


@requirement("AMOUNT-09")
@pytest.mark.usefixtures("plain_is_right")
def test_a_rejected_refund_costs_the_next_one_nothing(whole: Whole) -> None:
    """All units of an order are worth what they cost once more, unless they are not to be had again (reading A33)."""
    first, second = whole.answer.refund, whole.second.refund
    if whole.second.refused:
        return
    if first is None or second is None or first.refund_id not in whole.listed or second.refund_id not in whole.before:
        raise Blocked("all units of an order are already not refunded, or not once more (CREATE-24, CREATE-41)")
    if amount_of(whole.listed[first.refund_id]) != whole.order.total:
        raise Blocked("the amount of several lines is already wrong (AMOUNT-02)")
    there = whole.before[second.refund_id]
    units = verify.units_of(there)
    price = sum((line.unit_price * units.get(line.line_item_id, 0) for line in whole.order.lines), Decimal(0))
    verify.same(price, amount_of(there), "the amount of all units, once more")


@requirement("AMOUNT-11")
@pytest.mark.usefixtures("later_is_right")
def test_a_refund_without_return_is_worth_the_same(books: Books) -> None:
    """Type 2 changes nothing in the amount, which is that of both lines."""
    if amount_of(books.entry(BASKET)) != books.price(BASKET):
        raise Blocked("the amount of several lines is already wrong (AMOUNT-02)")
    if set(SERIES) & set(books.wrong()):
        raise Blocked("a second refund of a line already has a wrong amount (AMOUNT-09)")
    books.judge(TYPE_2)


@requirement("AMOUNT-12")
@pytest.mark.usefixtures("later_is_right")
def test_numbers_in_the_other_form_are_worth_the_same(books: Books) -> None:
    """Two units of 20.00 are 40.00, whether the 2 came as text or as a JSON number; or they are refused."""
    told = None if books.other_form is None else books.other_form.refund
    if told is not None:
        refund = books.listed.get(told.refund_id)
        if refund is None or refund.quantities != {books.order.lines[-1].line_item_id: Decimal(2)}:
            raise Blocked("the refund is already not of two units (CREATE-37)")
        verify.same(Decimal("40.00"), amount_of(refund), "the amount of 2 × 20.00")


@requirement("AMOUNT-08")
def test_later_refunds_of_the_order_change_no_amount(books: Books) -> None:
    """The first refund has the amount that it had before the others came."""
    verify.same(amount_of(books.plain), books.paid(PLAIN), "the amount of the first refund")


@define
class Decision:
    """A refund before and after a review, what the review told, and what kept it from having its effect."""

    before: Refund
    answer: Answer
    after: Refund
    trouble: str = ""


@pytest.fixture(scope="module")
def reviewed(api: RefundApi, books: Books) -> dict[Action, Decision]:
    """Two refunds of uneven amounts, a great one approved and a small one rejected, or what came of it."""
    great = Part(books.order.lines[6], 2), Part(books.order.lines[9])
    return {
        Action.APPROVE: decision(api, books.order, Action.APPROVE, *great),
        Action.REJECT: decision(api, books.order, Action.REJECT, Part(books.order.lines[6])),
    }


@pytest.fixture(scope="module")
def decisions(reviewed: dict[Action, Decision]) -> dict[Action, Decision]:
    """The two refunds, decided."""
    for seen in reviewed.values():
        if seen.trouble:
            raise Blocked(f"the review to look at {seen.trouble}")
    return reviewed


def decision(api: RefundApi, order: Order, action: Action, *parts: Part) -> Decision:
    """Arrange a refund, and decide it."""
    refund = arrange.given_refund(api, order, *parts)
    before = verify.look_get(api, order, refund)
    answer = api.review_refund(order, refund, action)
    if not answer.accepted:
        return Decision(before, answer, before, f"was not accepted: {answer.described}")
    try:
        after = verify.settles(
            api,
            lambda: verify.look_get(api, order, refund),
            lambda now: now.status in api.ends_of(action),
            "the decision",
        )
    except Failed as failure:
        return Decision(before, answer, before, f"had not its effect: {failure.observed}")
    return Decision(before, answer, after)


ACTIONS = pytest.mark.parametrize("action", [Action.APPROVE, Action.REJECT], ids=["approve", "reject"])


@pytest.fixture(scope="module")
def plain_review(api: RefundApi, session: Session, accepted_create: Refund) -> tuple[Refund, Refund]:
    """The first refund of the run before its review and after it."""
    order = session.base_order
    assert order is not None  # noqa: S101 - there is no accepted create without its order
    return accepted_create, verify.look_get(api, order, accepted_create)


@requirement("AMOUNT-07")
@ACTIONS
def test_a_review_leaves_an_uneven_amount_as_it_is(
    plain_review: tuple[Refund, Refund], decisions: dict[Action, Decision], action: Action
) -> None:
    """Get shows the amount that it showed before the review."""
    seen, (before, after) = decisions[action], plain_review
    if amount_of(before) != amount_of(after):
        raise Blocked("a plain amount is already not what it was before the review (REVIEW-21)")
    verify.same(amount_of(seen.before), amount_of(seen.after), "the amount")


@requirement("AMOUNT-13")
def test_a_great_amount_is_initiated_and_approved_like_any_other(
    api: RefundApi, books: Books, reviewed: dict[Action, Decision]
) -> None:
    """A refund of a hundred millions is open until it is approved, and then it is not, as get shows it."""
    seen, plain = reviewed[Action.APPROVE], reviewed[Action.REJECT].before.status
    if plain in verify.FINAL:
        raise Blocked("a plain new refund is already not initiated (CREATE-30)")
    great = seen.before.status
    verify.holds(great not in verify.FINAL, "status 1 (initiated)", verify.shown(great))
    if seen.trouble:
        arrange.given_review(api, books.order, books.told[SERIES[-1]], Action.APPROVE)
    verify.holds(not seen.trouble, "an approval as of any other amount", f"it {seen.trouble}")


@requirement("AMOUNT-04")
@ACTIONS
def test_a_review_tells_the_stored_amount(decisions: dict[Action, Decision], action: Action) -> None:
    """The answer to a review has the amount that get shows."""
    seen = decisions[action]
    verify.same(amount_of(seen.after), amount_of(seen.answer.refund), "the amount in the answer to the review")


@requirement("AMOUNT-04")
def test_create_tells_the_stored_amount(books: Books) -> None:
    """The answer to a create has the amount that list shows."""
    last = EXACT[-1]
    verify.same(amount_of(books.entry(last)), amount_of(books.told[last]), "the amount in the answer to the create")


@requirement("AMOUNT-04")
@pytest.mark.parametrize("name", [GREAT, BASKET])
def test_get_and_list_tell_one_amount(books: Books, name: str) -> None:
    """The amount is the same whichever way it is looked up."""
    verify.same(amount_of(books.entry(name)), amount_of(books.as_got(name)), "the amount that get tells")


@requirement("AMOUNT-04")
def test_what_list_tells_wrongly_get_tells_as_well(books: Books) -> None:
    """Where list shows another amount than it should, get shows that one, too."""
    for name in books.wrong():
        verify.same(amount_of(books.as_got(name)), amount_of(books.entry(name)), f"the amount of {name} in the list")


def worth(books: Books, line: RefundLine) -> tuple[Decimal, Decimal]:
    """Return what a line of a refund costs, and what one unit of it does."""
    prices = {bought.line_item_id: bought.unit_price for bought in books.order.lines}
    if line.quantity is None or line.line_item_id not in prices:
        raise Blocked("a line of the refund cannot be read")
    return prices[line.line_item_id] * line.quantity, prices[line.line_item_id]


@requirement("AMOUNT-05")
@pytest.mark.usefixtures("plain_is_right")
def test_the_lines_add_up_to_the_amount(books: Books) -> None:
    """Every subtotal is its line's price times units, or all of them are the price of one unit (reading A04)."""
    right = [books.entry(name) for name in ASKED if amount_of(books.entry(name)) == books.price(name)]
    lines = [line for refund in right for line in refund.lines if line.subtotal is not None]
    whole, single = ([line for line in lines if line.subtotal != worth(books, line)[index]] for index in (0, 1))
    wrong = [f"{line.subtotal} for {worth(books, line)[0]}" for line in whole] if single else []
    verify.same([], wrong, "subtotals that are not the price of their line")


@requirement("AMOUNT-06")
def test_an_untaxed_order_has_no_tax(books: Books) -> None:
    """The totalTax of every line is zero on an order without tax."""
    taxes = [line.total_tax for name in ASKED for line in books.entry(name).lines if line.total_tax is not None]
    verify.same([], [tax for tax in taxes if tax != 0], "taxes other than zero")


@requirement("AMOUNT-10")
@pytest.mark.usefixtures("plain_is_right")
def test_prices_of_the_request_are_not_believed(books: Books) -> None:
    """A create that brings a price too high for one line and too low for another is refused, or paid as ordered."""
    if amount_of(books.entry(BASKET)) != books.price(BASKET):
        raise Blocked("the amount of several lines is already wrong (AMOUNT-02)")
    assert books.priced is not None  # noqa: S101 - the books are complete
    books.api.wire.show(books.priced.exchange)
    if books.priced.refused:
        return
    told = verify.accepted(books.priced).refund
    if told is None or told.refund_id not in books.listed:
        raise Blocked("the refund cannot be found in the list of its order")
    verify.same(Decimal("87.00"), amount_of(books.listed[told.refund_id]), "the amount of a unit of each")

"""Requests one edit away from a legal one: refused, or taken for what they can only mean."""

from collections.abc import Callable
from functools import partial

import pytest
from attrs import define, evolve, field, frozen

from conformance.generation.nearmiss import (
    CONDITION,
    NEXT,
    NONE_OF_THEM,
    OTHER_IDS,
    NearMiss,
    near_parameters,
    spellings,
)
from conformance.http.answer import Answer
from conformance.http.client import ABSENT, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Action, Order, Refund, RefundId, RefundStatus, RightsType
from conformance.outcome import Blocked
from conformance.running.plugin import requirement
from conformance.suite.given.benches import NewOrder, Probes, ReviewBench
from conformance.suite.given.nearmisses import (
    CREATES,
    REVIEWS,
    STANDARD,
    UNITS,
    Table,
    about_the_parcel,
    create_body,
    selected,
    send_create,
    send_review,
)
from conformance.suite.given.strangers import ELSEWHERE, OTHER_SHOP, STRANGE, Turned

LIMIT = 2
JUDGED_BY = {
    "quantity": "NEAR-02", "orderId": "NEAR-03", "lineItemId": "NEAR-03", "rightsType": "NEAR-04", "action": "NEAR-07",
}  # fmt: skip


def rows(operation: str, misses: Table, identifier: Callable[[NearMiss], str], *, strict: bool) -> pytest.MarkDecorator:
    """Return a row for each near miss that must be refused, or that need not be."""
    standard = STANDARD[operation]
    return pytest.mark.parametrize(
        "row",
        [
            pytest.param(name, marks=requirement(identifier(miss), profile="standard" if name in standard else "full"))
            for name, miss in misses.items()
            if miss.must_be_refused is strict
        ],
    )


# Creates.


@rows("create", CREATES, lambda _: "NEAR-01", strict=True)
def test_a_create_that_cannot_be_meant_is_refused(near_creates: Probes, row: str) -> None:
    """A create with a value next to a legal one is refused, and leaves no refund behind."""
    near_creates.judge(row)


@define
class Spelled:
    """Creates that are legal but for their spelling, sent to one order, and its refunds after the last."""

    api: RefundApi
    order: Order
    sent: dict[str, Answer]
    there: dict[RefundId, Refund]
    strays: set[str] = field(factory=set)

    def judge(self, row: str) -> None:
        """The create was refused without a trace, or is stored as the plain one would be."""
        answer = self.sent[row]
        self.api.wire.show(answer.exchange)
        verify.decided(answer)
        verify.holds(row not in self.strays, "no refund after a refusal", f"{answer.described}, and a refund")
        if answer.accepted:
            told = verify.created(answer)
            verify.holds(told.refund_id in self.there, f"refund {told.refund_id} on its order", sorted(self.there))
            stored = self.there[told.refund_id]
            line = self.order.lines[1]
            units = {} if row.endswith(NONE_OF_THEM) else {line.line_item_id: UNITS}
            verify.same(units, verify.units_of(stored), "the units of each line")
            verify.same(line.unit_price * sum(units.values()), stored.amount, "the amount")
            rights_type = RightsType.RETURN_AND_REFUND if about_the_parcel(row) else RightsType.REFUND
            verify.same(rights_type, stored.rights_type, "the rightsType")


@pytest.fixture(scope="module")
def spelled_creates(
    request: pytest.FixtureRequest, api: RefundApi, new_order: NewOrder, accepted_create: Refund
) -> Spelled:
    """Each in another spelling, on one order, and after them their control, the plain one."""
    order = new_order((90, "10.00"), (400, "10.00"))
    sent = {name: probed(send_create(api, name, order)) for name in selected(request, CREATES, strict=False)}
    control = api.create(create_body(api, order))
    if control.refused and accepted_of(sent):  # the others may be refused only because one is open (reading A27)
        for name in sent.keys() - accepted_of(sent):
            arrange.approve_open(api, order)
            sent[name] = probed(send_create(api, name, order))
    else:
        verify.control(control)
    spelled = Spelled(api, order, sent, verify.look_list(api, order, role="open"))
    if len(spelled.there) > len(accepted_of(sent)) + control.accepted:
        spelled.strays = {name for name in sent.keys() - accepted_of(sent) if leaves_a_refund(api, new_order, name)}
    return spelled


def probed(answer: Answer) -> Answer:
    """Take an answer for that of one probe of many, whose form is not judged."""
    answer.exchange.role = "probe"
    answer.exchange.batched = answer.exchange.exempt = True
    return answer


def accepted_of(sent: dict[str, Answer]) -> set[str]:
    """Return which of the requests were accepted."""
    return {name for name, answer in sent.items() if answer.exchange.trouble is None and answer.accepted}


def leaves_a_refund(api: RefundApi, new_order: NewOrder, name: str) -> bool:
    """Say whether a create leaves a refund on an order of its own although it is refused."""
    order = new_order((12, "10.00"), (12, "10.00"))
    answer = probed(send_create(api, name, order))
    return answer.exchange.trouble is None and answer.refused and bool(verify.look_list(api, order, role="open"))


@rows("create", CREATES, lambda miss: JUDGED_BY.get(miss.member, "NEAR-05"), strict=False)
def test_a_create_in_another_spelling_is_refused_or_meant(spelled_creates: Spelled, row: str) -> None:
    """A create that a lenient reader may take for a legal one is stored as that one, or refused without a trace."""
    spelled_creates.judge(row)


# Reviews.


@rows("review", REVIEWS, lambda _: "NEAR-06", strict=True)
def test_a_review_that_cannot_be_meant_is_refused(near_reviews: Probes, row: str) -> None:
    """A review with a value next to a legal one is refused, and decides nothing."""
    near_reviews.judge(row)


@define
class Decided:
    """Rejections in other spellings: what each answered, and the refund's status after it."""

    sent: dict[str, Answer]
    status: dict[str, RefundStatus | None]


@pytest.fixture(scope="module")
def spelled_reviews(request: pytest.FixtureRequest, review_bench: ReviewBench) -> Decided:
    """Each sent to an open refund, which the refused ones leave open for the next."""
    bench = evolve(review_bench)
    decided, is_open = Decided({}, {}), False
    refused: list[str] = []
    for name in selected(request, REVIEWS, strict=False):
        if not is_open:
            bench.renew()
        answer = decided.sent[name] = probed(send_review(bench, name, Action.REJECT))
        if answer.exchange.trouble is None and answer.accepted:
            decided.status[name] = verify.patiently(
                bench.api, partial(status_of, bench), lambda status: status is RefundStatus.CANCELED
            )
            refused.clear()
        else:
            refused.append(name)
        is_open = bool(refused)
    decided.status |= dict.fromkeys(refused, status_of(bench)) if refused else {}
    return decided


def status_of(bench: ReviewBench) -> RefundStatus | None:
    """Return the status of the bench's refund, once whatever it was sent had the time to show; none if it is gone.

    Raises:
        Blocked: it cannot be read.
    """
    refund = verify.look_list(bench.api, bench.order, role="open").get(bench.refund.refund_id)
    if refund is not None and refund.status is None:
        raise Blocked("the status of the refund cannot be read")
    return None if refund is None else refund.status


@rows("review", REVIEWS, lambda miss: JUDGED_BY.get(miss.member, "NEAR-08").replace("NEAR-03", "NEAR-08"), strict=False)
def test_a_review_in_another_spelling_is_refused_or_meant(
    spelled_reviews: Decided, review_bench: ReviewBench, row: str
) -> None:
    """A rejection that a lenient reader may take for a legal one rejects, or is refused and decides nothing."""
    answer = spelled_reviews.sent[row]
    review_bench.api.wire.show(answer.exchange)
    verify.decided(answer)
    if answer.accepted:
        verify.same(RefundStatus.CANCELED, spelled_reviews.status[row], "the status after the rejection")
    elif row in spelled_reviews.status:
        seen = spelled_reviews.status[row]
        verify.holds(seen in review_bench.api.pending, "a refund that is open after refused reviews", seen)


# Lists.


LIMITS = spellings(str(LIMIT))


@define
class Listed:
    """An order with one refund more than the limits ask for."""

    order: Order
    refunds: list[Refund]

    def one_for(self, row: str) -> RefundId:
        """Return a refund whose near miss is no other of the order: their ids may count up, or down."""
        own = [refund.refund_id for refund in self.refunds]
        queries = {each: near_parameters("get", parameters_of(self.order, each)) for each in own}
        missed = {each: query.get(row.removeprefix("get, "), {}).get("refundId") for each, query in queries.items()}
        return next(each for each in reversed(own) if missed[each] == each or missed[each] not in own)


@pytest.fixture(scope="module")
def listed(api: RefundApi, new_order: NewOrder) -> Listed:
    """An order to be read, whose refunds are of one unit each."""
    order = new_order()
    return Listed(order, [arrange.given_refund(api, order) for _ in range(LIMIT + 1)])


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(name, marks=requirement("NEAR-09", profile="standard" if index % 6 == 5 else "full"))
        for index, name in enumerate(LIMITS)
    ],
)
def test_a_limit_in_another_spelling_is_refused_or_meant(api: RefundApi, listed: Listed, row: str) -> None:
    """A limit that a lenient reader may take for 2 lists two refunds, or all as without it, or is refused."""
    answer = api.list_refunds(listed.order, LIMITS[row])
    answer.exchange.role = "probe"
    answer.exchange.exempt = True
    verify.decided(answer)
    if answer.accepted:
        if answer.refunds is None:
            raise Blocked(f"the list cannot be read: {answer.described}")
        count = len({refund.refund_id for refund in answer.refunds})
        verify.holds(count in {LIMIT, LIMIT + 1}, f"{LIMIT} refunds, or all {LIMIT + 1}", count)


# Lists and gets.


@frozen
class Read:
    """A read whose parameters are one edit away from legal ones: what it asks for, and the numbers it may list.

    One that still ``names`` its refund may show that one (reading A42); what is there ``elsewhere``, under an id that
    may be another's, may be shown as well.
    """

    ask: Callable[[RefundApi, Order, RefundId], Answer]
    may_list: frozenset[int] = frozenset({0})
    names: bool = False
    elsewhere: bool = False


def parameters_of(order: Order, refund_id: RefundId) -> dict[str, str]:
    """Return the legal parameters that are edited."""
    return {"orderId": order.order_id, "refundId": refund_id}


def got(name: str) -> Read:
    """Return a get with a near miss of its parameters."""

    def ask(api: RefundApi, order: Order, refund_id: RefundId) -> Answer:
        query = near_parameters("get", parameters_of(order, refund_id))[name]
        return api.get_refund(query.get("orderId", ABSENT), query.get("refundId", ABSENT))

    return Read(ask, names=name in {"orderId left out", "orderId empty"}, elsewhere=may_be_another(name))


def of_order(name: str) -> Read:
    """Return a list with a near miss of its order."""

    def ask(api: RefundApi, order: Order, _: RefundId) -> Answer:
        return api.list_refunds(near_parameters("list", {"orderId": order.order_id})[name]["orderId"])

    return Read(ask, elsewhere=may_be_another(name))


def may_be_another(name: str) -> bool:
    """Say whether a near miss names what may be there, though it was not asked for."""
    return name.endswith((*OTHER_IDS, NEXT))


def limited(limit: str) -> Read:
    """Return a list with a limit that is none; it may be moved to the nearest one, or left aside (reading A45)."""
    moved = set[int]() if limit.isdecimal() and int(limit) else {0, 1} if limit.lstrip("-").isdecimal() else {1}
    return Read(lambda api, order, _: api.list_refunds(order, limit), frozenset({LIMIT + 1, *moved}))


EXAMPLES = {"orderId": "39072856", "refundId": "255858046"}
TURNED = Read(lambda api, order, refund_id: api.get_refund(refund_id, order.order_id))
NOTHING = Read(lambda api, *_: api.get_refund(ABSENT, ABSENT))
GETS = {f"get, {name}": got(name) for name in near_parameters("get", EXAMPLES)}
GETS |= {"get, one id for the other": TURNED, "get, nothing": NOTHING}
LISTS = {
    f"list, {name}": of_order(name)
    for name in near_parameters("list", {"orderId": EXAMPLES["orderId"]})
    if name not in {"orderId left out", "orderId empty"}  # that is another path
}
NO_LIMITS = {f"list, limit {limit or 'empty'}": limited(limit) for limit in ("0", "-1", "251", "abc", "")}
READS = GETS | LISTS | NO_LIMITS
FEWER = (
    "with a half", "with a comma", "twice in one text", "with a superscript", "Infinity", "orderId negative",
    "orderId without its last digit", "list, limit empty", "get, nothing",
    "list, orderId with a digit more", "get, orderId with a digit more", CONDITION,
    *(f"list, limit {limit}" for limit in ("0", "-1", "251", "abc")), "get, one id for the other",
    *(f"get, {name} {how}" for name in ("orderId", "refundId") for how in ("left out", "empty", "and one")),
    "refundId without its last digit", "refundId negative", "list, orderId and one",
)  # fmt: skip
"""Ways to be no id or limit that the full profile alone tries; some of them GET and LIST try as well."""


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            name,
            marks=requirement(
                "NEAR-10" if name in GETS else "NEAR-11", profile="full" if name.endswith(FEWER) else "standard"
            ),
        )
        for name in READS
    ],
)
def test_a_read_that_cannot_be_meant_shows_nothing(api: RefundApi, listed: Listed, row: str) -> None:
    """A get or a list with a parameter next to a legal one is refused, or shows no refund that was not asked for."""
    read, refund_id = READS[row], listed.one_for(row)
    answer = probed(read.ask(api, listed.order, refund_id))
    verify.decided(answer)
    if answer.refused:
        return
    shown = answer.refunds if answer.exchange.operation == "list" else [answer.refund] if answer.refund else []
    if shown is None:
        raise Blocked(f"the list cannot be read: {answer.described}")
    ids = [refund.refund_id for refund in shown]
    if read.elsewhere:
        own = {refund.refund_id for refund in listed.refunds}
        verify.holds(own.isdisjoint(ids), "a refusal, or no refund of this order", ids)
        return
    expected = " or ".join(str(count) for count in sorted(read.may_list))
    legal = (len(ids) in read.may_list and len(set(ids)) == len(ids)) or (read.names and ids == [refund_id])
    verify.holds(legal, f"a refusal, or {expected} refunds", ids)


# Tokens.


QUICK = (
    "create with the scope to read", "reject with the scope to read", "another scope",
    f"create with {OTHER_SHOP}", f"reject with {OTHER_SHOP}", "create with an empty token", "get with a token cut off",
    *(f"{operation} with {ELSEWHERE}" for operation in ("list", "get", "reject")),
)  # fmt: skip
FULL = "get with a token with a character more", "get with a token in other case", f"get with {OTHER_SHOP}"
"""What creates with the same tokens tell as well."""


def rows_of(*operations: str) -> pytest.MarkDecorator:
    """Return what strangers try with these operations as parameters of a check."""
    rows = [name for name, (operation, _) in STRANGE.items() if operation in operations]
    profiles = {name: "full" if name in FULL else "quick" if name.endswith(QUICK) else "standard" for name in rows}
    params = [pytest.param(name, marks=requirement("NEAR-12", profile=profiles[name])) for name in rows]
    return pytest.mark.parametrize("row", params)


@rows_of("create", "create as text", "replay", "list", "get")
def test_a_token_next_to_the_right_one_opens_nothing(strangers: Turned, row: str) -> None:
    """A create or a read with something that is nearly the right token is refused, and shows nothing."""
    strangers.judge(row)


@rows_of("review", "reject", "review again")
def test_a_token_next_to_the_right_one_decides_nothing(strange_reviews: Turned, row: str) -> None:
    """A review with something that is nearly the right token is refused, and has no effect."""
    strange_reviews.judge(row)

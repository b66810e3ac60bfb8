"""Who may do what: the token that each operation needs, and the scopes of which any one is enough."""

from collections.abc import Callable, Mapping
from functools import partial

import pytest
from attrs import define, evolve, field, frozen

from conformance.generation.strangers import CUT_OFF, IN_OTHER_CASE, LONGER, scoped, shows_a_refund, unknown
from conformance.http.answer import Answer
from conformance.http.client import ABSENT, TOKEN_HEADER, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Action, Order, Refund
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.shop import Shop
from conformance.suite.given.benches import Bench, NewOrder, Probes, ReviewBench, selected_rows
from conformance.suite.given.senseless import list_path

ALL = ("create", "list", "get", "review")
NO_ONE = ("no token", "an unknown token")


@frozen
class Stranger:
    """A token without the right to some operations; it proves more than the ``plainer`` ones if they are kept out."""

    requirement: str
    token: Callable[[Shop], str | None]
    plainer: tuple[str, ...] = NO_ONE
    operations: tuple[str, ...] = ALL


STRANGERS: Mapping[str, Stranger] = {
    "no token": Stranger("ACCESS-01", lambda _: None, (), (*ALL, "reject", "replay")),
    "an unknown token": Stranger("ACCESS-02", unknown, ("no token",), (*ALL, "replay")),
    "an empty token": Stranger("ACCESS-03", lambda _: "", NO_ONE, ("create", "list", "review")),
    "a token cut off": Stranger("ACCESS-04", CUT_OFF, (*NO_ONE, "an empty token"), ("create", "get", "review")),
    "a token with a character more": Stranger("ACCESS-04", LONGER, NO_ONE, ("create",)),
    "a token in other case": Stranger("ACCESS-04", IN_OTHER_CASE, NO_ONE, ("create",)),
    "a wildcard for a token": Stranger("ACCESS-04", lambda _: "%", (*NO_ONE, "an empty token"), ("list",)),
    "null for a token": Stranger("ACCESS-02", lambda _: "null", (*NO_ONE, "an empty token"), ("list",)),
    "another scope": Stranger("ACCESS-11", scoped("unrelated"), NO_ONE, (*ALL, "reject", "replay")),
    "the scope to read": Stranger(
        "ACCESS-10", scoped("read_refunds"), (*NO_ONE, "another scope"), ("create", "review", "reject", "replay")
    ),
}
ROWS = {f"{operation} with {who}": (operation, who) for who in STRANGERS for operation in STRANGERS[who].operations}
QUICK = {"list with no token", "get with no token"}
FULL = {"create with a token cut off", "review with a token cut off"}
"""What a get with the same token tells as well."""


def rests_on(row: str) -> list[str]:
    """Return the rows that a row proves more than, if they are refused."""
    operation, who = ROWS[row]
    operations = ("review", operation) if operation == "reject" else (operation,)
    plainer = [f"{each} with {name}" for each in operations for name in STRANGERS[who].plainer]
    return [each for each in plainer if each in ROWS] + ([f"create with {who}"] if operation == "replay" else [])


def rows(*operations: str) -> pytest.MarkDecorator:
    """Return a row for each stranger to each of the operations."""
    return pytest.mark.parametrize(
        "row",
        [
            pytest.param(
                row,
                marks=requirement(
                    "ACCESS-05" if operation == "replay" else STRANGERS[who].requirement,
                    profile="quick" if row in QUICK else "full" if row in FULL else "standard",
                ),
            )
            for row, (operation, who) in ROWS.items()
            if operation in operations
        ],
    )


@define
class Refusals(Probes):
    """What strangers asked for; a stranger is not judged where a plainer one already gets through."""

    shop: Shop = field(kw_only=True)

    def send_for_strangers(
        self,
        request: pytest.FixtureRequest,
        sends: Mapping[str, Callable[[RefundApi, Order], Answer]],
        others: Probes,
    ) -> None:
        """Send the rows that are wanted, and those on which they rest, operation by operation as they are given.

        What the others sent is not sent again.
        """
        wanted = set(selected_rows(request, ROWS, "test_access"))
        wanted |= {plainer for row in wanted for plainer in rests_on(row)}
        self.borrow(others, {row: row for row in wanted})
        self.send(
            {
                row: partial(self.attempt, STRANGERS[ROWS[row][1]], sends[operation])
                for operation in sends
                for row in ROWS
                if ROWS[row][0] == operation and row in wanted and self.is_given(ROWS[row][1])
            }
        )

    def attempt(self, stranger: Stranger, send: Callable[[RefundApi, Order], Answer], order: Order) -> Answer:
        """Send a request as a stranger."""
        return send(self.shop.api.with_token(stranger.token(self.shop)), order)

    def is_given(self, who: str) -> bool:
        """Say whether the target file gives the stranger's token."""
        try:
            STRANGERS[who].token(self.shop)
        except Blocked:
            return False
        return True

    def lets_through(self, row: str) -> bool:
        """Say whether a request was seen to be answered or carried out."""
        answer = self.sent.get(row)
        return answer is not None and (not answer.refused or row in self.effects or shows_a_refund(answer))

    def judge(self, name: str) -> None:
        """The stranger was refused, had no effect, and was shown no refund."""
        STRANGERS[ROWS[name][1]].token(self.shop)
        for row in rests_on(name):
            if self.lets_through(row):
                raise Blocked(f"a {row} already gets through, so this would prove nothing more")
        super().judge(name)
        verify.holds(not shows_a_refund(self.sent[name]), "a refusal that shows no refund", self.sent[name].described)


@pytest.fixture(scope="module")
def base_order(session: Session, accepted_create: Refund) -> Order:
    """The order of the run's first refund, which every holder of the full token can read."""
    order = session.base_order
    assert order is not None  # noqa: S101 - there is no accepted create without its order
    verify.control(session.shop.api.get_refund(order, accepted_create))
    return order


@pytest.fixture(scope="module")
def refusals(
    request: pytest.FixtureRequest,
    session: Session,
    create_bench: Bench,
    base_order: Order,
    accepted_create: Refund,
    strangers: Probes,
) -> Refusals:
    """Reads, creates and replays that the full token may make, made by strangers.

    Gets come first: the full token just made the same, and no write since then has emptied any cache.
    """
    attempts = Refusals(create_bench, shop=session.shop)
    attempts.send_for_strangers(
        request,
        {
            "get": lambda api, _: api.get_refund(base_order, accepted_create),
            "list": lambda api, _: api.list_refunds(base_order),
            "create": lambda api, order: api.create_refund(order),
            "replay": lambda api, _: api.create_refund(base_order, request_no=session.base_key),
        },
        strangers,
    )
    return attempts


@pytest.fixture(scope="module")
def refused_reviews(
    request: pytest.FixtureRequest, shop: Shop, review_bench: ReviewBench, strange_reviews: Probes
) -> Refusals:
    """Approvals and rejections that the full token may make, made by strangers."""
    attempts = Refusals(review_bench, shop=shop)

    def reviewing(action: Action) -> Callable[[RefundApi, Order], Answer]:
        return lambda api, order: api.review_refund(order, review_bench.refund, action)

    sends = {"review": reviewing(Action.APPROVE), "reject": reviewing(Action.REJECT)}
    attempts.send_for_strangers(request, sends, strange_reviews)
    return attempts


@rows("create", "list", "get", "replay")
def test_a_stranger_neither_creates_nor_reads(refusals: Refusals, row: str) -> None:
    """Without a token that gives the right to it, the request is refused, does nothing and shows nothing."""
    refusals.judge(row)


@rows("review", "reject")
def test_a_stranger_decides_nothing(refused_reviews: Refusals, row: str) -> None:
    """Without a token that gives the right to it, the review is refused, and the refund stays open."""
    refused_reviews.judge(row)


@requirement("ACCESS-01")
def test_an_order_without_refunds_is_not_listed_without_a_token(
    shop: Shop, new_order: NewOrder, refusals: Refusals
) -> None:
    """Where there is nothing to show, a list without a token is refused all the same."""
    if refusals.lets_through("list with no token"):
        raise Blocked("a list with no token already gets through")
    verify.refused(shop.api.with_token(None).list_refunds(new_order()))


ADDRESSES: dict[str, tuple[str, Callable[[str], str]]] = {
    "a slash behind": ("standard", lambda path: f"{path}/"),
    "an escaped letter": ("full", lambda path: path.replace("/refunds", "/%72efunds")),
    "capitals": ("full", str.upper),
}
"""Ways to write an address that one part of a server may take for another one, and the next for the same."""


@pytest.mark.parametrize(
    "address",
    [pytest.param(name, marks=requirement("ACCESS-01", profile=profile)) for name, (profile, _) in ADDRESSES.items()],
)
def test_no_spelling_of_its_address_lists_an_order_without_a_token(
    shop: Shop, base_order: Order, refusals: Refusals, address: str
) -> None:
    """Whatever another spelling of the address of a list comes to, it shows no refund without a token."""
    if refusals.lets_through("list with no token"):
        raise Blocked("a list with no token already gets through")
    path = ADDRESSES[address][1](list_path(base_order.order_id))
    answer = shop.api.with_token(None).send("GET", path, "list")
    answer.exchange.role = "probe"
    answer.exchange.exempt = True
    if shows_a_refund(answer):
        raise Failed("nothing of the order's refunds", answer.described, answer.exchange)


@requirement("ACCESS-11")
def test_an_order_without_refunds_is_not_listed_with_another_scope(
    shop: Shop, new_order: NewOrder, refusals: Refusals
) -> None:
    """Where there is nothing to show, and no limit is named, a list with another scope is refused all the same."""
    token = scoped("unrelated")(shop)
    if refusals.lets_through("list with another scope"):
        raise Blocked("a list with another scope already gets through")
    verify.refused(shop.api.with_token(token).list_refunds(new_order(), ABSENT))


@pytest.fixture(scope="module")
def their_order(other_shop: Shop, accepted_create: Refund) -> Order:
    """An order of a second shop with a refund, which that shop's full token lists."""
    order = other_shop.order()
    arrange.given_refund(other_shop.api, order)
    verify.control(other_shop.api.list_refunds(order))
    return order


@pytest.fixture(scope="module")
def listed_for_nobody(other_shop: Shop, their_order: Order) -> Answer:
    """The answer to a list in the second shop without a token."""
    return other_shop.api.with_token(None).list_refunds(their_order)


@requirement("ACCESS-01")
def test_another_shop_lists_nothing_without_a_token(listed_for_nobody: Answer) -> None:
    """In a second shop, too, a list without a token is refused, and shows nothing."""
    shows_nothing(listed_for_nobody)


@requirement("ACCESS-02")
def test_another_shop_lists_nothing_for_an_unknown_token(
    other_shop: Shop, their_order: Order, listed_for_nobody: Answer
) -> None:
    """In a second shop, too, a list with an unknown token is refused, and shows nothing."""
    if not listed_for_nobody.refused or shows_a_refund(listed_for_nobody):
        raise Blocked("a list without a token already gets through there (ACCESS-01)")
    shows_nothing(other_shop.api.with_token(unknown(other_shop)).list_refunds(their_order))


def shows_nothing(answer: Answer) -> None:
    """The answer is a refusal, with no refund in it."""
    verify.refused(answer)
    verify.holds(not shows_a_refund(answer), "a refusal that shows no refund", answer.described)


@define
class Written:
    """A refund that the holder of a single scope asked for; made with the full token if that was refused.

    ``action`` is what that holder decides.
    """

    holder: RefundApi
    action: Action
    order: Order
    answer: Answer
    refund: Refund


@pytest.fixture(scope="module", params=["write_refunds", "write_refund"])
def written(request: pytest.FixtureRequest, shop: Shop, new_order: NewOrder, accepted_create: Refund) -> Written:
    """A refund on a fresh order, asked for with one of the two scopes to write."""
    holder, order = shop.holder(request.param), new_order()
    answer = holder.create_refund(order)
    refund = answer.refund or arrange.given_refund(shop.api, order)
    action = Action.REJECT if request.param == "write_refunds" else Action.APPROVE
    return Written(holder, action, order, answer, refund)


@requirement("ACCESS-06")
def test_one_scope_to_write_is_enough_to_create(api: RefundApi, written: Written) -> None:
    """A create by the holder of one scope only is accepted, and the refund is there."""
    verify.appears(api, written.order, verify.created(written.answer))


@requirement("ACCESS-13")
def test_a_scope_to_write_may_imply_to_read(session: Session, written: Written) -> None:
    """The holder of one scope to write gets the list or a refusal."""
    answer = written.holder.list_refunds(written.order)
    answer.exchange.role = "open"
    verify.decided(answer)
    session.observe("A53", f"a token that may only write {'may' if answer.accepted else 'may not'} read")


@requirement("ACCESS-07")
@pytest.mark.usefixtures("reviewed")
def test_one_scope_to_write_is_enough_to_review(
    request: pytest.FixtureRequest, api: RefundApi, written: Written
) -> None:
    """A rejection by the holder of the one scope, and an approval by that of the other, are carried out."""
    if written.action is Action.REJECT:
        request.getfixturevalue("rejection")  # the control of this one
    arrange.await_visible(api, written.order, written.refund)
    verify.accepted(written.holder.review_refund(written.order, written.refund, written.action))

    ends = api.ends_of(written.action)
    verify.settles(
        api,
        lambda: verify.look_get(api, written.order, written.refund).status,
        lambda status: status in ends or status is None,  # what cannot be read is judged as a field of its own
        f"status {verify.shown(sorted(ends))}",
    )


@requirement("ACCESS-08")
def test_the_scope_to_read_is_enough_to_list(
    api: RefundApi, shop: Shop, base_order: Order, accepted_create: Refund
) -> None:
    """The holder of the scope to read lists the one refund of the order, which the full token gets."""
    answer = shop.holder("read_refunds").list_refunds(base_order)
    shown = [refund.refund_id for refund in answer.refunds or ()] if answer.accepted else []
    if shown != [accepted_create.refund_id]:
        seen = verify.look_list(api, base_order)
        verify.accepted(answer)
        verify.same(sorted(seen), sorted(shown), "the refunds listed")


@requirement("ACCESS-09")
def test_the_scope_to_read_is_enough_to_get(shop: Shop, base_order: Order, accepted_create: Refund) -> None:
    """The holder of the scope to read gets the refund that the full token gets."""
    answer = verify.accepted(shop.holder("read_refunds").get_refund(base_order, accepted_create))

    told = None if answer.refund is None else answer.refund.refund_id
    verify.same(accepted_create.refund_id, told, "the refund in the answer")


@requirement("ACCESS-12")
@pytest.mark.usefixtures("reviewed")
def test_the_header_s_name_has_no_case(
    api: RefundApi, shipped_order: Order, base_order: Order, accepted_create: Refund
) -> None:
    """Create, get and review take the token from a header named in small letters, and get from one in capitals."""
    small, capitals = (evolve(api, token_header=name) for name in (TOKEN_HEADER.lower(), TOKEN_HEADER.upper()))

    refund = verify.created(small.create_refund(shipped_order))
    arrange.await_visible(api, shipped_order, refund)
    verify.accepted(small.get_refund(shipped_order, refund))
    verify.accepted(small.review_refund(shipped_order, refund, Action.APPROVE))
    verify.accepted(capitals.get_refund(base_order, accepted_create))

"""What the checks are given: the API, fresh orders, and benches where many refusals are tried on one order."""

from collections.abc import Iterator

import pytest

from conformance.catalogue import Catalogue
from conformance.generation import generated
from conformance.http.client import RefundApi
from conformance.judging import arrange, verify
from conformance.model import Order, Refund
from conformance.outcome import Blocked, Failed
from conformance.running.plugin import PLAN
from conformance.running.session import Session
from conformance.shop import Shop
from conformance.suite.given.benches import Bench, NewOrder, ReviewBench, list_showing
from conformance.suite.given.bursts import last_units
from conformance.suite.given.grants import grants, last_grant, late_approval
from conformance.suite.given.histories import series, shipped, stored, whole
from conformance.suite.given.keys import accepted_keys, roomy_order
from conformance.suite.given.lists import crowd, found, own
from conformance.suite.given.nearmisses import near_creates, near_reviews
from conformance.suite.given.odd_creates import odd_creates
from conformance.suite.given.odd_reads import readings
from conformance.suite.given.reasons import plain_reason, reasons
from conformance.suite.given.replays import closed, protected, replay
from conformance.suite.given.retries import retries, roomy_refunds, thirteen, unlimited
from conformance.suite.given.reviews import approval, first_approval, first_rejection, rejection, several
from conformance.suite.given.senseless import refused_creates
from conformance.suite.given.specimens import approved, gap, rejected, sibling, specimen, twin
from conformance.suite.given.strangers import strange_reviews, strangers
from conformance.suite.given.units import excess, limited

__all__ = [
    "accepted_keys", "approval", "approved", "closed", "crowd", "excess", "first_approval", "first_rejection",
    "found", "gap", "grants", "last_grant", "last_units", "late_approval", "limited", "near_creates", "near_reviews",
    "odd_creates", "own", "plain_reason", "protected", "readings", "reasons", "refused_creates", "rejected",
    "rejection", "replay", "retries", "roomy_order", "roomy_refunds", "series", "several", "shipped", "sibling",
    "specimen", "stored", "strange_reviews", "strangers", "thirteen", "twin", "unlimited", "whole",
]  # fmt: skip
"""Fixtures that checks of several files share: made in ``given/``, and found by pytest here."""


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """Insist on a target: the checks are of no use without one.

    Raises:
        pytest.UsageError: none was named.
    """
    if PLAN not in config.stash:
        raise pytest.UsageError("the conformance checks need a target: --conformance-target FILE.yaml")


@pytest.fixture(scope="session")
def session(pytestconfig: pytest.Config) -> Session:
    """The run's hold on its target."""
    found = pytestconfig.stash[PLAN].session
    assert found is not None  # noqa: S101 - only a listing has none, and it runs no check
    return found


@pytest.fixture(scope="session")
def catalogue(pytestconfig: pytest.Config) -> Catalogue:
    """Everything ``spec/`` says."""
    return pytestconfig.stash[PLAN].catalogue


@pytest.fixture(scope="session", autouse=True)
def generation(request: pytest.FixtureRequest, session: Session) -> Iterator[None]:
    """Begin to generate requests, which takes seconds, if any check of this run sends some."""
    wanted = any("ground" in getattr(item, "fixturenames", ()) for item in request.session.items)
    if wanted:
        generated.generate_ahead(session.seed)
    yield
    if wanted:
        generated.give_up(session.seed)


@pytest.fixture(scope="session")
def shop(session: Session) -> Shop:
    """The shop under test."""
    return session.shop


@pytest.fixture(scope="session")
def other_shop(session: Session) -> Shop:
    """A second shop on the same implementation."""
    if session.other_shop is None:
        raise Blocked("the target file describes no other_shop", lacks="other_shop")
    return session.other_shop


@pytest.fixture(scope="session")
def api(shop: Shop, accepted_create: Refund) -> RefundApi:
    """The API as the holder of the full token sees it; where no create is accepted, nothing can be judged by it."""
    return shop.api


@pytest.fixture(scope="session")
def new_order(shop: Shop) -> NewOrder:
    """Makes fresh orders: ``new_order((units, unit price), ..., shipped=True)``."""
    return shop.order


@pytest.fixture
def shipped_order(new_order: NewOrder) -> Order:
    """A fresh shipped order with one line of 5 × 10.00."""
    return new_order()


@pytest.fixture(scope="session")
def accepted_create(session: Session) -> Refund:
    """The control of every refused create: a plain one, accepted when the run began."""
    if session.base_refund is None:
        raise Blocked(f"there is no control: {session.no_base}")
    return session.base_refund


@pytest.fixture(scope="session")
def create_bench(api: RefundApi, session: Session, new_order: NewOrder, accepted_create: Refund) -> Bench:
    """A shared shipped order with two lines of 40 × 10.00 for creates that must be refused."""
    session.show_control()
    return Bench(api, new_order((40, "10.00"), (40, "10.00")))


@pytest.fixture(scope="session")
def reviewed(api: RefundApi, session: Session, accepted_create: Refund) -> Refund:
    """The control of every refused review: a plain approval that took effect."""
    order = session.base_order
    assert order is not None  # noqa: S101 - there is no accepted create without its order
    try:  # the session approved it when it found out how to review
        return verify.settles(
            api, lambda: verify.look_get(api, order, accepted_create), lambda now: now.status in api.approved,
            "the first refund of the run approved",
        )  # fmt: skip
    except (Blocked, Failed) as trouble:
        raise Blocked(f"the control, a plain approval, did not work: {trouble}") from None


@pytest.fixture(scope="session")
def review_bench(api: RefundApi, session: Session, new_order: NewOrder, reviewed: Refund) -> ReviewBench:
    """A shared order with one open refund for reviews that must be refused."""
    session.show_control()
    order = new_order()
    refund = arrange.given_refund(api, order)
    assert session.base_order is not None  # noqa: S101 - there is no reviewed refund without its order
    return ReviewBench(
        api, order, list_showing(api, order, refund), new_order=new_order, refund=refund,
        another_order=new_order(customer_id=order.customer_id), foreign_order=session.base_order,
    )  # fmt: skip

"""What is found out of a target before the first check: its form of numbers, how late effects show, how it approves.

The page shows text and declares numbers (reading A01), so neither is a fault; what works is used from here on.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping

from attrs import define, evolve

from conformance.http.answer import Answer
from conformance.http.client import ABSENT, USUAL_LIMIT, Absent
from conformance.http.dialect import IN_CREATES, IN_REVIEWS, USUAL, Dialect, dialects_for
from conformance.http.status import Reply, reply_of
from conformance.judging import verify
from conformance.model import CARRIER_CODE, Action, Order, Refund
from conformance.outcome import Blocked
from conformance.running.session import Session
from conformance.running.watch import keep_watch, stands_against
from conformance.shop import MOST_OF_ALL, SOON

SURE, CLOSE = 8, 0.05
"""So many looks in a row, so many seconds apart, say that something is there to stay."""
BASE_UNITS = 20
PARCEL = {"shippingCarrierCode": CARRIER_CODE, "shippingCarrier": "Carrier", "trackingNumber": "TRACK000001"}
SHIPPINGS: tuple[Mapping[str, str] | Absent, ...] = (
    ABSENT,
    {"shippingCarrierCode": "", "shippingCarrier": "", "trackingNumber": ""},
    PARCEL,
)
"""Shipping is optional (page line 126); a target that wants it all the same can then be judged in the rest."""
MALFORMED = {400, 422}
"""How a target says that it cannot take the form of a request."""


def survey(session: Session) -> None:
    """Find out what a session must know before its first check, and tell it.

    Raises:
        Blocked: no order can be had, or the target cannot be reached or does not answer as an API does.
    """
    shop, wire = session.shop, session.wire
    keep_watch(session)
    order = session.base_order = shop.order((BASE_UNITS, "10.00"))
    session.controls = wire.recorded
    _Survey(session, order).carry_out()


@define
class _Survey:
    """The plain create and review that every refused one is compared with, and what became of their refund."""

    session: Session
    order: Order

    def carry_out(self) -> None:
        session = self.session
        answer = self._first_accepted()
        if answer is None:
            return
        if answer.refund is None:
            session.no_base = f"a plain create is accepted, but no refund can be read in {answer.described}"
            return
        refund = session.base_refund = answer.refund
        session.began = session.wire.clock.monotonic()
        self._find_out_lag(refund)
        self._find_out_reviews(refund)
        if session.wire.lag:
            waits = f"after a write, a look waits {session.wire.lag:.1f} s"
            session.noticed.append(f"effects show late: {waits}")
        for exchange in session.wire.recorded:
            exchange.batched = True

    def _first_accepted(self) -> Answer | None:
        """Return the answer to a create that was accepted; its order may take a while to be known to the API."""
        answer, wire = self._accepted_in_some_form(), self.session.wire
        if answer is None:
            wire.clock.sleep(SOON)
            answer = self._accepted_in_some_form()
            if answer is not None:
                wire.order_lag, wire.waits = MOST_OF_ALL * SOON, True
                waits = f"each is left alone for {wire.order_lag:.1f} s"
                self.session.noticed.append(f"new orders are known to the API only after a while: {waits}")
        return answer

    def _accepted_in_some_form(self) -> Answer | None:
        session = self.session
        for number, (dialect, shipping) in enumerate(_forms(), start=1):
            api = evolve(session.shop.api, create_dialect=dialect, plain_shipping=shipping)
            session.base_key = api.keys()
            answer = api.create_refund(self.order, request_no=session.base_key)
            answer.exchange.role = "arrange"
            self._insist_on_an_api(answer)
            if answer.accepted:
                session.speak(create_dialect=dialect, plain_shipping=shipping)
                self._keep_as_control(answer)
                session.observe("A01", f"create takes {dialect.name}")
                return answer
            session.no_base = f"a plain create in the page's own shape is not accepted: {answer.described}"
            if number >= len(SHIPPINGS) * len(USUAL) and answer.status not in MALFORMED:
                break  # it is not the form that is in the way
        return None

    def _keep_as_control(self, answer: Answer) -> None:
        answer.exchange.role = "control"
        self.session.controls.append(answer.exchange)

    def _insist_on_an_api(self, answer: Answer) -> None:
        base_url = self.session.target.base_url
        if answer.status in {401, 403}:
            raise Blocked(
                f"the target refused the full token with {answer.status}: check tokens/full in the target file"
            )
        if reply_of(answer.status) is Reply.MOVED:
            where = answer.exchange.location or "nowhere"
            raise Blocked(
                f"{base_url} answers with a redirect to {where}: check base_url. "
                "None is followed, so that the token goes to no other address."
            )
        page = answer.exchange.body.lstrip()[:15].lower()
        if answer.json is None and page.startswith((b"<!doctype", b"<html")) and answer.accepted:
            answer.exchange.exempt = True  # whoever it is of, it is no record of the target's
            raise Blocked(f"{base_url} answers with a web page, not with the API: check base_url")

    # How late effects show.

    def _find_out_lag(self, refund: Refund) -> None:
        api, written = self.session.shop.api, self.session.wire.clock.monotonic()

        def is_listed() -> bool:
            return refund.refund_id in verify.look_list(api, self.order)

        def is_got() -> bool:
            answer = api.get_refund(self.order, refund)
            answer.exchange.role = "look"
            return answer.accepted

        try:
            late = max(self._late_by(look, written) for look in (is_listed, is_got))
        except Blocked:  # a list that cannot be read is judged by the checks
            if self._lists_with_the_usual_limit():
                self._find_out_lag(refund)
            return
        self.session.wire.expect_lag(late)
        self.session.observe("A64", f"a new refund is shown {'later' if late else 'at once'}")

    def _lists_with_the_usual_limit(self) -> bool:
        """Say whether a list that is refused with the greatest limit is not with the usual one, and use that then."""
        api = self.session.shop.api
        if api.look_limit == USUAL_LIMIT or not api.list_refunds(self.order, USUAL_LIMIT).accepted:
            return False
        self.session.speak(look_limit=USUAL_LIMIT)
        return True

    def _late_by(self, look: Callable[[], bool], written: float) -> float:
        """Return how many seconds after it was written something shows from then on; 0.0 if at first, or never.

        It is looked at closely: where copies take turns, one may show it and the next not yet.
        """
        wire = self.session.wire
        clock, limits = wire.clock, wire.limits
        if look():
            return 0.0
        shown, since, pause = 0, written, limits.poll
        while shown < SURE and clock.monotonic() - written < limits.settle:
            clock.sleep(CLOSE if shown else pause)
            pause = pause if shown else min(2 * pause, 2.0)
            shown = shown + 1 if look() else 0
            since = clock.monotonic() if shown == 1 else since
        wire.waits_in_vain += not shown
        return since - written if shown else 0.0

    # How reviews are done.

    def _find_out_reviews(self, refund: Refund) -> None:
        """Find out how an approval is accepted; one that wants to know of a parcel, which is optional, gets one."""
        if self._approves(refund):
            return
        self.session.refused_review = self.session.wire.recorded[-1]
        if not isinstance(self.session.shop.api.plain_shipping, Absent):
            return
        api, key = evolve(self.session.shop.api, plain_shipping=PARCEL), self.session.shop.api.keys()
        answer = api.create_refund(self.order, request_no=key)
        answer.exchange.role = "arrange"
        if answer.refund is not None and self._approves(answer.refund):
            self.session.base_refund, self.session.base_key = answer.refund, key
            self.session.speak(plain_shipping=PARCEL)

    def _approves(self, refund: Refund) -> bool:
        """Say whether an approval of a refund is accepted in some form of its numbers, which is used from then on.

        Reviews may look it up in a copy that is behind (reading A64): then each form is tried again, soon and late.
        """
        wire = self.session.wire
        for pause in (0.0, SOON, wire.limits.settle):
            wire.clock.sleep(pause)
            for dialect in dialects_for(IN_REVIEWS):
                api = evolve(self.session.shop.api, review_dialect=dialect)
                answer = api.review_at_once(self.order, refund.refund_id, Action.APPROVE)
                answer.exchange.role = "arrange"
                if answer.accepted:
                    self.session.speak(review_dialect=dialect)
                    self._keep_as_control(answer)
                    self.session.observe("A01", f"review takes {dialect.name}")
                    self._find_out_approvals(refund, answer.refund)
                    return True
        return False

    def _find_out_approvals(self, refund: Refund, told: Refund | None) -> None:
        """Find out whether an approved refund moves on; one that can be rejected was not approved (reading A37).

        Reads that show it only some time after the answer to the review said so may come from a cache (reading A64).
        """
        session, api = self.session, self.session.shop.api
        written = session.wire.clock.monotonic()
        shown: list[Refund] = []

        def is_got_so() -> bool:
            shown.append(verify.look_get(api, self.order, refund))
            return shown[-1].status in api.approved

        def is_listed_so() -> bool:
            listed = verify.look_list(api, self.order).get(refund.refund_id)
            return listed is not None and listed.status in api.approved

        with contextlib.suppress(Blocked):  # what cannot be read is judged by the checks
            late = self._late_by(is_got_so, written)
            session.wire.waits = session.wire.waits or late > 0
            session.base_status = shown[-1].status
            if told is not None and {told.status, shown[-1].status} <= api.approved:
                session.wire.expect_lag(max(late, self._late_by(is_listed_so, written)))
        if session.base_status in api.pending:
            rejection = api.review_refund(self.order, refund, Action.REJECT)
            rejection.exchange.role = "arrange"
            with contextlib.suppress(Blocked):
                stands = stands_against(session, self.order, refund, rejection)
                api.unrest.slow[shown[-1].rights_type] = stands
                session.base_status = api.unrest.allowed_for(shown[-1]).status


def _forms() -> Iterator[tuple[Dialect, Mapping[str, str] | Absent]]:
    """Yield the forms that a plain create may have: without shipping first, and first of all in the usual dialects."""
    for shipping in SHIPPINGS:
        for dialect in USUAL:
            yield dialect, shipping
    for dialect in dialects_for(IN_CREATES):
        if dialect not in USUAL:
            yield dialect, ABSENT

"""What checks arrange: refunds that are there, visible and decided. What goes wrong here blocks the check."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import verify
from conformance.model import Action, Order, Refund, RefundId, RefundStatus
from conformance.outcome import Blocked, Failed


def given_refund(api: RefundApi, order: Order, *parts: Part, **fields: Any) -> Refund:
    """Return a new refund of the order, visible in its list.

    Raises:
        Blocked: the target did not create it.
    """
    refund = new_refund(api, order, *parts, **fields)
    await_visible(api, order, refund)
    return refund


def new_refund(api: RefundApi, order: Order, *parts: Part, **fields: Any) -> Refund:
    """Return a new refund of the order, which may not be visible yet.

    A target may refuse a second refund while another is open (reading A27): then the open ones are approved first.

    Raises:
        Blocked: the target did not create it.
    """
    answer = api.create_refund(order, *parts, **fields)
    answer.exchange.role = "arrange"
    if answer.refused and approve_open(api, order):
        fields.pop("request_no", None)
        answer = api.create_refund(order, *parts, **fields)
        answer.exchange.role = "arrange"
    return made(answer)


def made(answer: Answer) -> Refund:
    """Return the refund that an arranged create made.

    Raises:
        Blocked: it was not accepted, or answered with nothing, or with the refund of another request number.
    """
    if not answer.accepted or answer.refund is None or answer.exchange.second_hand:
        seen = "an earlier refund" if answer.exchange.second_hand else answer.described
        raise Blocked(f"a refund could not be arranged: create answered {seen}")
    return answer.refund


def await_visible(api: RefundApi, order: Order, *refunds: Refund) -> None:
    """The refunds can be got and are listed, on a target that was seen to lag; no other is asked.

    Raises:
        Blocked: it does not show within ``limits.settle`` seconds.
    """

    def seen_by_get(refund: Refund) -> bool:
        answer = api.get_refund(order, refund)
        answer.exchange.role, answer.exchange.reads_back = "look", True
        return answer.accepted

    try:
        for refund in refunds if api.wire.lag else ():
            verify.appears(api, order, refund)
            verify.settles(api, partial(seen_by_get, refund), bool, f"refund {refund.refund_id} to be got")
    except Failed as failure:
        raise Blocked(f"a refund could not be arranged: {failure}") from None


def approve_open(api: RefundApi, order: Order) -> bool:
    """Approve the open refunds of the order and wait until they are decided; says whether any was in the way.

    One that is in process may be in the way until it is completed (readings A27, A37), which it may come to while a
    look waits.

    Raises:
        Blocked: one stays open.
    """
    open_ones = _pending(api, verify.look_list(api, order))
    for refund_id in open_ones:
        api.review_refund(order, refund_id, Action.APPROVE).exchange.role = "arrange"
    seen = verify.patiently(api, lambda: verify.look_list(api, order), lambda now: not _pending(api, now) & open_ones)
    if _pending(api, seen) & open_ones:
        raise Blocked("an open refund that is in the way could not be approved")
    late = api.wire.lag > 0 and any(refund.status is RefundStatus.COMPLETED for refund in seen.values())
    return await_completion(api, order, seen) or bool(open_ones) or late


def await_completion(api: RefundApi, order: Order, seen: Mapping[RefundId, Refund]) -> bool:
    """Wait until no refund seen in process is, unless that was in vain before; says whether there was one."""

    def is_busy(refunds: Mapping[RefundId, Refund]) -> bool:
        return any(refund.status is RefundStatus.IN_PROCESS for refund in refunds.values())

    wire = api.wire
    if wire.completes is False or RefundStatus.IN_PROCESS in api.pending or not is_busy(seen):
        return False
    wire.completes = not is_busy(
        verify.patiently(api, lambda: verify.look_list(api, order), lambda now: not is_busy(now))
    )
    return wire.completes


def _pending(api: RefundApi, refunds: Mapping[RefundId, Refund]) -> set[RefundId]:
    return {refund_id for refund_id, refund in refunds.items() if refund.status in api.pending}


def given_review(api: RefundApi, order: Order, refund: Refund, action: Action) -> Refund:
    """Return the refund, now approved or rejected.

    Raises:
        Blocked: the target did not bring it there.
    """
    _arranged_review(api, order, refund, action)
    return _decided(api, order, refund, action)


def reviewed(api: RefundApi, order: Order, refund: Refund, action: Action) -> None:
    """The refund is approved or rejected, as far as the answer tells; where it does not, as get shows.

    For what is followed by a look that shows whether it is so.

    Raises:
        Blocked: the target did not bring it there.
    """
    told = _arranged_review(api, order, refund, action).refund
    if told is None or told.status not in _ends(api, action):
        _decided(api, order, refund, action)


def _arranged_review(api: RefundApi, order: Order, refund: Refund, action: Action) -> Answer:
    answer = api.review_refund(order, refund, action)
    answer.exchange.role = "arrange"
    if not answer.accepted:
        raise Blocked(f"a review could not be arranged: it answered {answer.described}")
    return answer


def _ends(api: RefundApi, action: Action) -> frozenset[RefundStatus]:
    if action is Action.APPROVE and api.wire.completes:  # a create was refused as long as a refund was in process
        return frozenset({RefundStatus.COMPLETED})
    return api.ends_of(action)


def _decided(api: RefundApi, order: Order, refund: Refund, action: Action) -> Refund:
    """Return the refund once get shows it decided."""
    ends = _ends(api, action)
    try:
        return verify.settles(
            api,
            lambda: verify.look_get(api, order, refund),
            lambda now: now.status in ends,
            "the status after a review",
        )
    except Failed as failure:
        raise Blocked(f"a review could not be arranged: {failure.observed}") from None

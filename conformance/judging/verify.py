"""The vocabulary of the checks: what they look at, and what they insist on.

``look`` functions read back; what goes wrong there blocks the check. The other functions judge; what goes wrong there
fails it.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TypeVar

from attrs import astuple

from conformance.http.answer import Answer
from conformance.http.client import NOT_FOUND, RefundApi
from conformance.judging import witness
from conformance.model import LineItemId, Order, OrderId, Refund, RefundId, RefundLine, RefundStatus
from conformance.outcome import Blocked, Failed

T = TypeVar("T")

FINAL = {RefundStatus.COMPLETED, RefundStatus.CANCELED}


# Looks.


def listed(api: RefundApi, order: Order | OrderId, *, limit: int | None = None, role: str = "look") -> list[Refund]:
    """Return the refunds of the order as list tells them, and what it hides or leaves out as get does (witness.py).

    In the role ``open`` the records may break the page, since requests that do may have made them.

    Raises:
        Blocked: the list cannot be read.
    """
    limit = api.look_limit if limit is None else min(limit, api.look_limit)
    asked, order_id = api.wire.clock.monotonic(), order.order_id if isinstance(order, Order) else order
    answer = api.list_refunds(order, limit)
    answer.exchange.role, answer.exchange.reads_back = role, True
    shown = [] if answer.status == NOT_FOUND else answer.refunds  # an order without refunds (reading A49)
    if shown is None:
        raise Blocked(f"the refunds of the order could not be looked up: list answered {answer.described}")
    return witness.seen(api, order_id, shown, most=limit, asked=asked, role=role)


def look_list(api: RefundApi, order: Order | OrderId, *, role: str = "look") -> dict[RefundId, Refund]:
    """Return the refunds of the order by id, as list tells them once everything already sent had the time to show.

    Raises:
        Blocked: the list cannot be read.
    """
    return {refund.refund_id: refund for refund in listed(api, order, role=role)}


def look_get(api: RefundApi, order: Order, refund: Refund | RefundId) -> Refund:
    """Return one refund as get tells it.

    Raises:
        Blocked: it cannot be read.
    """
    answer = api.get_refund(order, refund)
    answer.exchange.role, answer.exchange.reads_back = "look", True
    if answer.refused and api.wire.lag:  # it may not show yet (reading A64)
        api.wire.clock.sleep(api.wire.lag)
        answer = api.get_refund(order, refund)
        answer.exchange.role, answer.exchange.reads_back = "look", True
    if answer.refund is None:
        raise Blocked(f"the refund could not be looked up: get answered {answer.described}")
    wanted = refund.refund_id if isinstance(refund, Refund) else refund
    if answer.refund.refund_id != wanted:
        raise Blocked(f"the refund could not be looked up: get showed refund {answer.refund.refund_id}")
    return answer.refund


def was_canceled(api: RefundApi, order: Order, refund: Refund | RefundId, rejection: Answer) -> bool:
    """Say whether a rejection was not refused, and brought its refund to *canceled*; what it answers proves nothing.

    Raises:
        Blocked: the refund cannot be read.
    """
    if rejection.refused:
        return False
    seen = patiently(api, lambda: look_get(api, order, refund), lambda now: now.status is RefundStatus.CANCELED)
    return seen.status is RefundStatus.CANCELED


def patiently(api: RefundApi, look: Callable[[], T], until: Callable[[T], bool]) -> T:
    """Return what is seen once a condition holds, or at last when it does not within ``limits.settle`` seconds.

    A target on which many waits were in vain is waited for less each time, down to twice its lag: it has had its
    chance, and a run must end.
    """
    wire = api.wire
    clock, allowed = wire.clock, max(wire.limits.settle / (1 + wire.waits_in_vain), 2 * wire.lag)
    started, pause = clock.monotonic(), wire.limits.poll
    while not until(seen := look()):
        if clock.monotonic() - started > allowed:
            wire.waits_in_vain += 1
            break
        clock.sleep(pause)
        pause = min(pause * 2, 2.0)
    return seen


def units_of(refund: Refund) -> dict[LineItemId, Decimal]:
    """Return the units of each line of a refund.

    Raises:
        Blocked: not all of them can be read, which is judged as fields of their own (RECORD-43, RECORD-44).
    """
    if not refund.all_units_read:
        raise Blocked(f"the units of refund {refund.refund_id} cannot be read")
    return refund.quantities


# Judgements.


def accepted(answer: Answer, what: str = "an acceptance (2xx)") -> Answer:
    """The target says that it did what it was asked; returns the answer.

    Raises:
        Failed: it says anything else.
    """
    if answer.exchange.role == "act":
        answer.exchange.role = "probe"
    if not answer.accepted:
        raise Failed(what, answer.described, answer.exchange)
    return answer


def decided(answer: Answer, what: str = "an acceptance or a refusal") -> None:
    """The target says that it did it, or that it did not; which of the two is left to it.

    Raises:
        Failed: it says neither.
    """
    if not (answer.accepted or answer.refused):
        raise Failed(what, answer.described, answer.exchange)


def created(answer: Answer) -> Refund:
    """The answer is an acceptance with a refund in it; returns the refund.

    Raises:
        Failed: the request was not accepted.
        Blocked: no refund can be read from the answer, which is judged by the fields that it lacks; or it is the
            refund of another request number, which is judged by comparing the two.
    """
    accepted(answer, "an acceptance (2xx) with the refund")
    if answer.refund is None:
        raise Blocked(f"the refund in the answer cannot be read: {answer.described}")
    if answer.exchange.second_hand:
        raise Blocked(f"create answered with the refund of another request number: {answer.refund.refund_id}")
    return answer.refund


def refused(answer: Answer) -> None:
    """The target says that it did not do it: a 4xx.

    Raises:
        Failed: it says anything else.
    """
    answer.exchange.role = "probe"
    answer.exchange.exempt = True
    if not answer.refused:
        raise Failed("a refusal (4xx)", answer.described, answer.exchange)


def control(answer: Answer) -> Answer:
    """The same request with the one thing put right is accepted; otherwise the refusal proved nothing.

    Raises:
        Blocked: it is not.
    """
    answer.exchange.role = "control"
    if not answer.accepted:
        raise Blocked(f"the control was not accepted, so the refusal proves nothing: {answer.described}")
    return answer


def same(expected: object, observed: object, what: str) -> None:
    """Two values are equal.

    Raises:
        Failed: they are not; with both.
        Blocked: one of them cannot be read, which is judged as a field of its own.
    """
    if (observed is None) != (expected is None):
        raise Blocked(f"{what} cannot be read everywhere")
    if expected != observed:
        raise Failed(f"{what}: {shown(expected)}", shown(observed))


def holds(condition: bool, expected: str, observed: object) -> None:  # noqa: FBT001 - the judged condition
    """A condition is met.

    Raises:
        Failed: it is not.
    """
    if not condition:
        raise Failed(expected, shown(observed))


def unchanged(before: Mapping[RefundId, Refund], after: Mapping[RefundId, Refund], what: str = "the refunds") -> None:
    """The same refunds with the same values are there.

    Raises:
        Failed: one was added, is gone, or has another value; names each difference.
    """
    differences = list(_differences(before, after))
    if differences:
        raise Failed(f"{what} of the order as they were", "; ".join(differences))


def differ(before: Mapping[RefundId, Refund], after: Mapping[RefundId, Refund]) -> bool:
    """Say whether refunds were added, are gone, or have other values, as ``unchanged`` sees it.

    In which order a record has its lines, or whether it shows what it may leave out (reading A16), is no difference.
    """
    return any(True for _ in _differences(before, after))


def no_effect(
    answer: Answer, before: Mapping[RefundId, Refund], after: Mapping[RefundId, Refund], *, beside: int = 0
) -> None:
    """The request was refused, and everything is as it was.

    So many others were accepted ``beside`` it and may have done what is seen.

    Raises:
        Failed: it was not refused, or it had an effect all the same.
    """
    answer.exchange.role = "probe"
    answer.exchange.exempt = True
    differences = list(_differences(before, after))
    if not answer.refused or differences:
        seen = f"{answer.described}, and " + ("; ".join(differences) or "nothing changed")
        if beside and differences:
            seen += f" (some of it may be of the {beside} that were accepted beside it)"
        raise Failed("a refusal (4xx), and nothing changed", seen, answer.exchange)


def settles(api: RefundApi, look: Callable[[], T], until: Callable[[T], bool], what: str) -> T:
    """Looking again until a condition holds, it does so within ``limits.settle`` seconds; returns what was then seen.

    Raises:
        Failed: it did not; with what was seen last.
    """
    seen = patiently(api, look, until)
    if not until(seen):
        raise Failed(f"{what} within {api.wire.limits.settle:g} s", f"still {shown(seen)}")
    return seen


def appears(api: RefundApi, order: Order, refund: Refund) -> dict[RefundId, Refund]:
    """The refund shows up in the list of its order; returns the list by id.

    Raises:
        Failed: it does not within ``limits.settle`` seconds.
    """
    return settles(
        api, lambda: look_list(api, order), lambda seen: refund.refund_id in seen,
        f"refund {refund.refund_id} in the list of its order",
    )  # fmt: skip


def _differences(before: Mapping[RefundId, Refund], after: Mapping[RefundId, Refund]) -> Iterable[str]:
    for refund_id in after.keys() - before.keys():
        yield f"a new refund {refund_id}"
    for refund_id, was in before.items():
        if refund_id not in after:
            yield f"refund {refund_id} is gone"
            continue
        now = after[refund_id].contents
        if was.status is RefundStatus.IN_PROCESS and after[refund_id].status is RefundStatus.COMPLETED:
            now |= {"status": was.status, "updateTime": was.update_time}  # it gets there on its own (reading A37)
        if after[refund_id].restless:
            now |= {"updateTime": was.update_time}
        if was.hidden is not after[refund_id].hidden and not (was.shipping and after[refund_id].shipping):
            now |= {"shipping": was.shipping}  # one is as get tells it, and a list may leave parcels out (reading A16)
        for name, value in was.contents.items():
            if not _agree(value, now[name]):
                yield f"refund {refund_id}: {name} went from {shown(value)} to {shown(now[name])}"


def _agree(was: object, now: object) -> bool:
    """Say whether two values are equal; one that cannot be read is judged as a field of its own, and agrees."""
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        return all(map(_agree, was, now))
    if isinstance(was, RefundLine) and isinstance(now, RefundLine):
        return all(map(_agree, astuple(was), astuple(now)))
    return was is None or now is None or was == now


def shown(value: object) -> str:
    """Return a value as an explanation shows it."""
    if isinstance(value, RefundStatus):
        return f"{value.value} ({value.name.lower().replace('_', ' ')})"
    if isinstance(value, Refund):
        status = "unreadable" if value.status is None else shown(value.status)
        return f"refund {value.refund_id} with status {status}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{shown(key)}: {shown(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, RefundLine):
        return f"{shown(value.quantity)} of line {value.line_item_id}, {value.reason!r} ({shown(value.reason_type)})"
    if isinstance(value, list | tuple | set | frozenset):
        return "[" + ", ".join(map(shown, value)) + "]"
    return str(value)

"""What a look sees where the list itself is wrong: what it hides or leaves out, get may show.

Most effects are seen through lists. That a list leaves out a field, hides a refund or shows one of another order is
judged by checks of its own, which read the list as it is; no other check is to be blocked or failed for it.
"""

from collections.abc import Callable, Sequence

from attrs import evolve

from conformance.http.client import RefundApi
from conformance.model import Refund, RefundId

Get = Callable[[RefundId], Refund | None]

NEEDED = ("status", "amount", "units")
"""What effects are judged by."""


def seen(
    api: RefundApi, order_id: str, listed: Sequence[Refund], *, most: int, asked: float, role: str
) -> list[Refund]:
    """Return the refunds of an order as a list of at most so many shows them, and what it hides or leaves out.

    Those that are known to have been created on another order are none of its. What is missed was known when the list
    was asked for, a moment in seconds of the run's clock.
    """

    def get(refund_id: RefundId) -> Refund | None:
        got = api.get_refund(order_id, refund_id)
        got.exchange.role, got.exchange.reads_back = role, True
        return None if got.refund is None or got.refund.refund_id != refund_id else got.refund

    own = [_completed(api, refund, get) for refund in listed if api.may_be_of(refund, order_id)]
    return own + (_hidden(api, order_id, listed, asked, get) if len(listed) < most else [])


def _completed(api: RefundApi, refund: Refund, get: Get) -> Refund:
    """Return a refund of a list with what cannot be read there as get tells it.

    What get does not tell either is not asked again.
    """
    unread = {name for name in NEEDED if not _is_told(api, refund, name)} - api.untold
    told = get(refund.refund_id) if unread else None
    for name in unread:
        if told is None or not _is_told(api, told, name):
            api.untold.add(name)
        elif name == "units":
            refund = evolve(refund, lines=told.lines, raw=refund.raw | {"lineItems": told.raw["lineItems"]})
        else:
            refund = evolve(refund, **{name: getattr(told, name)})
    return refund


def _is_told(api: RefundApi, refund: Refund, name: str) -> bool:
    """Say whether something can be read of a refund; of its units, those of all lines that create answered."""
    if name != "units":
        return getattr(refund, name) is not None
    creation = api.told.get(refund.refund_id)
    return refund.all_units_read and (creation is None or creation.lines <= refund.quantities.keys())


def _hidden(api: RefundApi, order_id: str, listed: Sequence[Refund], asked: float, get: Get) -> list[Refund]:
    """Return the refunds of an order that were created by a moment, are not in a list of it, and that get shows.

    One that get does not show is not asked for again.
    """
    known = api.freshness.known(order_id, asked) & api.told.keys()
    missing = sorted(known - {refund.refund_id for refund in listed} - api.untold)
    got = [(refund_id, get(refund_id)) for refund_id in missing]
    api.untold.update(refund_id for refund_id, refund in got if refund is None)
    api.hidden.update((refund_id, order_id) for refund_id, refund in got if refund is not None)
    return [evolve(refund, hidden=True) for _, refund in got if refund is not None]

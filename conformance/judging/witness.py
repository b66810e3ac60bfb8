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


def own_of(api: RefundApi, order_id: str, listed: Sequence[Refund]) -> list[Refund]:
    """Return those of the refunds in a list of an order that are not known to have been created on another one."""
    return [refund for refund in listed if api.may_be_of(refund, order_id)]


def completed(api: RefundApi, refund: Refund, get: Get) -> Refund:
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


def hidden(api: RefundApi, order_id: str, listed: Sequence[Refund], asked: float, get: Get) -> list[Refund]:
    """Return the refunds of an order that were created by a moment, are not in a list of it, and that get shows.

    The moment is in seconds of the run's clock. One that get does not show is not asked for again.
    """
    known = api.freshness.known(order_id, asked) & api.told.keys()
    missing = sorted(known - {refund.refund_id for refund in listed} - api.untold)
    got = [(refund_id, get(refund_id)) for refund_id in missing]
    api.untold.update(refund_id for refund_id, refund in got if refund is None)
    api.hidden.update((refund_id, order_id) for refund_id, refund in got if refund is not None)
    return [evolve(refund, hidden=True) for _, refund in got if refund is not None]

"""What a run needs, before anything is sent: found out by a rehearsal on the reference, in this process."""

import io
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen

from conformance.clock import VirtualClock
from conformance.http.pace import PLATFORM_BUCKET, PLATFORM_RATE
from conformance.proof import ORIGIN, judge_in_process
from conformance.reference.app import WSGI
from conformance.reference.server import FIRST_SHOP, Reference, make_reference
from conformance.running.run import Options
from conformance.target import Target

PROVIDER = "/_test/orders"
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


@frozen
class Wanted:
    """A kind of order: shipped or not, its lines as (units, unit price), and whether in the other shop."""

    shipped: bool
    lines: tuple[tuple[int, str], ...]
    other_shop: bool = False


@frozen
class Forecast:
    """What a run needs of a target that conforms: orders, requests, and the money that it lets flow.

    ``orders`` are in the order of the run; ``to_ship`` of them are asked to be shipped later. ``approved`` is the sum
    of the approved refunds; on a target that pays out too much, all of ``worth`` may flow. ``to_reject`` refunds are
    still open when the checks are through, and take a request each.
    """

    checks: int
    orders: tuple[Wanted, ...]
    to_ship: int
    requests: int
    writes: int
    to_reject: int
    approved: Decimal

    @property
    def worth(self) -> Decimal:
        """What all the orders cost."""
        return sum((units * Decimal(price) for order in self.orders for units, price in order.lines), Decimal(0))

    @property
    def seconds(self) -> float:
        """The least time that the requests take at the platform's rate, tidying up included."""
        return max(0, self.requests + self.to_reject - PLATFORM_BUCKET) / PLATFORM_RATE

    @property
    def kinds(self) -> Counter[Wanted]:
        """How many orders of each kind, the most frequent first."""
        return Counter(dict(Counter(self.orders).most_common()))


@define
class _Tally:
    """Counts what passes to an application, and remembers the orders that were made; a pool ships none."""

    app: WSGI
    can_ship: bool
    requests: int = 0
    writes: int = 0
    to_ship: int = 0
    made: list[tuple[str, Mapping[str, Any]]] = field(factory=list)

    def __call__(self, environ: Any, start: Any) -> Iterable[bytes]:
        """Pass one request on."""
        path = environ["PATH_INFO"]
        if not path.endswith(PROVIDER):
            self.requests += 1
            self.writes += environ["REQUEST_METHOD"] in WRITES
            return self.app(environ, start)
        asked = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(asked)
        if json.loads(asked)["action"] == "ship_order":
            return self._ship(environ, start)
        answer = b"".join(self.app(environ, start))
        self.made.append((path.split("/")[1], json.loads(answer)))
        return [answer]

    def _ship(self, environ: Any, start: Any) -> Iterable[bytes]:
        if not self.can_ship:
            start("501 Not Implemented", [])
            return [b"a pool ships no orders"]
        self.to_ship += 1
        return self.app(environ, start)


def forecast(target: Target, options: Options) -> Forecast:
    """Return what a run needs of a target that has the tokens, the shops and the order provider of this one."""
    clock = VirtualClock()
    tally: _Tally | None = None

    def counted(app: WSGI) -> WSGI:
        nonlocal tally
        tally = _Tally(app, can_ship=target.orders.pool is None)
        return tally

    reference = make_reference(clock=clock, wrap=counted)
    assert tally is not None  # noqa: S101 - the reference was wrapped
    try:
        with tempfile.TemporaryDirectory() as folder:
            done = judge_in_process(reference, clock, options, Path(folder), target=_like(target, reference))
        return Forecast(
            checks=len(done.verdicts),
            orders=tuple(_wanted(shop, order) for shop, order in tally.made),
            to_ship=tally.to_ship,
            requests=tally.requests,
            writes=tally.writes,
            to_reject=len(done.left),
            approved=_approved(reference, tally.made),
        )
    finally:
        reference.store.close()


def _like(target: Target, reference: Reference) -> Target:
    """Return the reference as a target that lacks what another lacks."""
    full = reference.target(ORIGIN)
    tokens = {name: value for name, value in full.tokens.items() if name in target.tokens}
    other = None if target.other_shop is None else full.other_shop
    return evolve(full, tokens=tokens, other_shop=other, not_available=target.not_available)


def _wanted(shop: str, order: Mapping[str, Any]) -> Wanted:
    lines = tuple((int(line["quantity"]), str(line["unitPrice"])) for line in order["lines"])
    return Wanted(bool(order["shipped"]), lines, other_shop=shop != FIRST_SHOP)


def _approved(reference: Reference, made: Sequence[tuple[str, Mapping[str, Any]]]) -> Decimal:
    refunds = (refund for shop, order in made for refund in reference.store.refunds_of(shop, order["orderId"]))
    return sum((refund.amount for refund in refunds if refund.status in {2, 3}), Decimal(0))


def pool_template(needed: Forecast) -> str:
    """Return a pool file with the ids left to be filled in."""
    lines = [
        "# Orders for a pool, one for each that a run takes. Fill in the ids; all orders of one customer.",
        "# No tax, discount or freight. More lines or units than here will do; add a few orders to spare.",
        "orders:",
    ]
    for wanted in needed.orders:
        if not wanted.other_shop:
            named = ", ".join(
                f'{{lineItemId: "", productId: "", variantId: "", quantity: {units}, unitPrice: "{price}"}}'
                for units, price in wanted.lines
            )
            lines.append(
                f'  - {{orderId: "", customerId: "", shipped: {str(wanted.shipped).lower()}, lines: [{named}]}}'
            )
    return "\n".join(lines) + "\n"

"""A run's hold on its target: who may call it, where orders come from, and what was found out about it first."""

import secrets
import ssl
from typing import Any

import httpx
from attrs import define, evolve, field

from conformance.clock import Clock, RealClock
from conformance.generation.reach import Reached
from conformance.generation.stories import Story
from conformance.http.exchange import Exchange
from conformance.http.keys import KeyMaker
from conformance.http.pace import Pace
from conformance.http.redact import Redactor
from conformance.http.wire import Wire
from conformance.http.writes import Writes
from conformance.model import Order, Refund, RefundStatus
from conformance.outcome import UsageError
from conformance.results import Observation
from conformance.shop import Shop, open_shop
from conformance.target import Target


def new_run_id() -> str:
    """Return twelve digits that tell this run's request numbers from those of others."""
    return f"{secrets.randbelow(10**12):012d}"


@define
class Session:
    """Everything a check needs: the shops, the wire, and the observations made so far.

    ``noticed`` is what a user should know of the target that no check judges; ``reached`` counts what its requests
    reached; ``case`` is the one story that the run is about, if it is about one; ``base_status`` is the one that the
    first approval of the run was seen to lead to; ``no_base`` says why there is no ``base_refund``, if so;
    ``refused_review`` is its first approval, if that was refused and another had to be made.
    """

    target: Target
    wire: Wire
    shop: Shop
    other_shop: Shop | None
    seed: int = 0
    observations: list[Observation] = field(factory=list)
    base_order: Order | None = None
    base_refund: Refund | None = None
    no_base: str = ""
    refused_review: Exchange | None = None
    base_key: str = ""
    base_status: RefundStatus | None = None
    began: float = 0.0
    controls: list[Exchange] = field(factory=list)
    noticed: list[str] = field(factory=list)
    reached: Reached = field(factory=Reached)
    case: Story | None = None
    _observed: dict[tuple[str, str], Observation] = field(factory=dict, init=False)

    @property
    def shops(self) -> list[Shop]:
        """The shop under test, and the second one if there is one."""
        return [self.shop] if self.other_shop is None else [self.shop, self.other_shop]

    def observe(self, reading: str, observed: str, check: str = "") -> None:
        """Remember which reading the target was seen to take; the same one is remembered once."""
        if (reading, observed) in self._observed:
            return
        seen = Observation(reading, self.wire.redact(observed)[:300], check)
        if self._observed.setdefault((reading, observed), seen) is seen:
            self.observations.append(seen)

    def show_control(self) -> None:
        """Make the plain create and review that were accepted first, and their order, evidence of the check."""
        for exchange in self.controls:
            self.wire.show(exchange)

    def speak(self, **traits: Any) -> None:
        """Use the API of both shops in the way that was found out."""
        for shop in self.shops:
            shop.api = evolve(shop.api, **traits)

    def let_pass(self, seconds: float) -> None:
        """Wait until so many seconds have passed since the run's first refund was created."""
        missing = self.began + seconds - self.wire.clock.monotonic()
        if missing > 0:
            self.wire.clock.sleep(missing)

    def close(self) -> None:
        """Close every connection."""
        self.wire.close()


def open_session(
    target: Target,
    *,
    seed: int = 0,
    run_id: str | None = None,
    clock: Clock | None = None,
    transport: httpx.BaseTransport | None = None,
    requests_per_second: float | None = None,
    max_writes: int | None = None,
) -> Session:
    """Return a session with a target; nothing has been sent yet.

    Raises:
        UsageError: the target's pool or CA file cannot be used.
    """
    redact = Redactor(target.secrets)
    wire = Wire(
        clock=clock or RealClock(),
        limits=target.limits,
        pace=Pace(requests_per_second),
        writes=Writes(max_writes),
        redact=redact,
        verify=True if transport is not None else _tls(target),
        proxy=target.proxy,
        transport=transport,
        headers=dict(target.headers),
    )
    keys = KeyMaker(run_id or new_run_id())
    other = target.other_shop
    session = Session(
        target=target,
        wire=wire,
        shop=open_shop(target, wire, keys, "shop"),
        other_shop=None if other is None else open_shop(other, wire, keys, "other_shop"),
        seed=seed,
    )
    wire.writes.open_refunds = lambda: sum(len(shop.api.ledger.open_refunds) for shop in session.shops)
    return session


def _tls(target: Target) -> ssl.SSLContext:
    """Return the one context of all connections: to load what is trusted takes longer than many requests."""
    if target.ca_file is None or not target.verify_tls:
        return httpx.create_ssl_context(verify=target.verify_tls, trust_env=False)
    try:
        return ssl.create_default_context(cafile=str(target.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"tls/ca_file: {target.ca_file} cannot be used: {error}") from None

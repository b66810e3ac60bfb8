"""The plan of a run: which checks, against what, by how many workers, and who hears of each verdict."""

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from attrs import define, field

from conformance.catalogue import Catalogue, Requirement
from conformance.http.exchange import Exchange
from conformance.model import RefundId
from conformance.results import Observation, Reach, Verdict, unsaid
from conformance.running.session import Session
from conformance.running.workers import Queue

CASE = "case"
"""The profile of the checks that carry out a case file, and run only for one."""
ANY_EXCHANGE = "every exchange of the run"


@define
class Check:
    """A check as it was found in the suite."""

    name: str
    requirement: str
    profile: str
    late: bool
    sentence: str


class Listener(Protocol):
    """Hears of a run while it goes on."""

    def noticed(self, told: str) -> None:
        """Something that a user should know of the target was found out before the first check."""

    def planned(self, areas: Mapping[str, int]) -> None:
        """So many checks of each area are going to run."""

    def started(self, check: str, requirement: Requirement) -> None:
        """A check begins."""

    def judged(self, verdict: Verdict, requests: int) -> None:
        """A check ended; the run has sent so many requests by now."""


@define
class Plan:
    """Which checks to run, against what, by how many workers, and who is told.

    ``shard`` is (2, 4) for the second of four shards. A run that ``shares`` has one worker until effects are seen to
    show late, and then as many as a guest may have, which take turns.
    ``breaches`` are those of documented fields, and of plain requests that break the server, by requirement;
    ``breaking`` are the last such reads of each URL, as long as nothing else came of it, and such writes of each
    operation; ``odd`` are the refunds whose form is not judged, since no plain request made them; ``over`` once nothing
    more is to be said.
    """

    catalogue: Catalogue
    session: Session | None
    profile: str = "standard"
    selection: tuple[str, ...] = ()
    workers: int = 1
    shares: bool = False
    shard: tuple[int, int] | None = None
    say: Callable[[Verdict | Observation | Reach], object] = lambda _: None
    waive: Callable[[Verdict], Verdict] = lambda verdict: verdict
    listener: Listener | None = None
    again: Callable[[Requirement], str] = lambda _: ""
    blocked: str | None = None
    stop: Callable[[], bool] = lambda: False
    checks: list[Check] = field(factory=list)
    verdicts: list[Verdict] = field(factory=list)
    trouble: list[str] = field(factory=list)
    breaches: dict[str, Verdict] = field(factory=dict)
    breaking: dict[str, list[Exchange]] = field(factory=dict)
    odd: set[RefundId] = field(factory=set)
    queue: Queue | None = None
    over: bool = False
    lock: threading.RLock = field(factory=threading.RLock)

    def hand_on(self, verdict: Verdict) -> None:
        """Hand a verdict on, to the record and to whoever listens."""
        verdict = self.waive(verdict)
        with self.lock:
            if self.over:
                return
            self.verdicts.append(verdict)
            self.say(verdict)
            if self.listener is not None:
                self.listener.judged(verdict, 0 if self.session is None else self.session.wire.requests)

    def unsaid_breaches(self) -> list[Verdict]:
        """Return the breaches that no check has failed for."""
        return unsaid(self.breaches.values(), self.verdicts)

    def conclude(self) -> None:
        """Say the breaches that nobody has said, and what was observed."""
        for verdict in self.unsaid_breaches():
            self.hand_on(verdict)
        for observation in () if self.session is None else self.session.observations:
            self.say(observation)
        for reach in () if self.session is None else self.session.reached.lines():
            self.say(reach)
        with self.lock:
            self.over = True

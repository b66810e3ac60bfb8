"""What checks found: evidence, verdicts, and the run that they make up."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

from attrs import define, field, frozen

from conformance.http.status import Reply, reply_of
from conformance.outcome import EXIT_CODES, Conclusion, Outcome

PLAIN_READ = re.compile(r"/orders/[^/?&]+/refunds\?limit=[1-9]\d*$|/refunds\?orderId=[^/?&]+&refundId=[^/?&]+$")


@frozen
class Evidence:
    """One exchange as it may be shown: redacted, bounded, text.

    ``decides`` when the verdict is about it; ``aside`` when it was sent while the check ran, and tells nothing of it;
    ``inexact`` when the request's body is not kept as it was sent.
    """

    role: str
    operation: str
    at: str
    method: str
    url: str
    request_headers: dict[str, str]
    request_body: str | None
    status: int | None
    response_headers: dict[str, str]
    response_body: str
    cut_off: bool
    trouble: str | None
    milliseconds: int
    curl: str
    decides: bool = False
    aside: bool = False
    inexact: bool = False

    @property
    def is_broken_read(self) -> bool:
        """Whether it is a list or a get in the page's own shape that was answered with 5xx."""
        return reply_of(self.status) is Reply.BROKEN and re.search(PLAIN_READ, self.url) is not None

    @property
    def is_broken_write(self) -> bool:
        """Whether it is a create or a review that was answered with 5xx."""
        return reply_of(self.status) is Reply.BROKEN and self.operation in {"create", "review"}


ANSWER_OF = re.compile(r"\banswer (?:of|to) (?:the |a )?(create|review|list|get)\b")
"""How an expectation names the operation whose answer it is about."""
EFFECT = re.compile(r"\ba new refund\b|\bis gone\b|\bwent from\b")
"""How an observation tells that something changed that should not have."""


@frozen
class Verdict:
    """What one check said of one requirement; ``waived`` is why its failure is accepted, if it is.

    ``steps`` are those that led to a failure, if it took several: in each a sentence, and a line for curl.
    """

    requirement: str
    check: str
    outcome: Outcome
    level: str
    basis: str
    area: str
    title: str
    lines: tuple[int, ...]
    explanation: str = ""
    expected: str = ""
    observed: str = ""
    lacks: str | None = None
    again: str = ""
    waived: str = ""
    steps: tuple[str, ...] = ()
    seconds: float = 0.0
    requests: int = 0
    evidence: tuple[Evidence, ...] = ()

    @cached_property
    def deciding(self) -> Evidence | None:
        """The exchange that this is about: the one that is marked, or else the last probe, request or look.

        What speaks of the answer of one operation is about such an answer. Where another exchange shows much more of
        what was observed than the last, it is that one; unless it is an effect, which is told with what caused it.
        """
        marked = [exchange for exchange in self.evidence if exchange.decides]
        named = ANSWER_OF.search(self.expected)
        about = [each for each in self.telling if named and each.operation == named[1]] or self.telling
        by_role = [[each for each in about if each.role == role] for role in ("probe", "act", "open", "look")]
        last = next((found[-1] for found in (marked, *by_role, about) if found), None)
        seen = {value.rstrip(".") for value in re.findall(r"[0-9][0-9.]{2,}", self.observed)}
        if last is None or marked or EFFECT.search(self.observed):
            return last
        shows = [(len(seen & _values_in(each)), each.role in {"probe", "act"}, at) for at, each in enumerate(about)]
        most, _, at = max(shows)
        return about[at] if most > 2 * len(seen & _values_in(last)) else last

    @cached_property
    def telling(self) -> tuple[Evidence, ...]:
        """The exchanges that tell of the verdict; of the orders that were made, those that the others are about."""
        told = tuple(exchange for exchange in self.evidence if exchange.decides or not exchange.aside)
        sent = " ".join(f"{each.url} {each.request_body}" for each in told if each.role != "order")
        return tuple(e for e in told if e.role != "order" or not sent or _is_named(e, sent))

    @property
    def must(self) -> bool:
        """Whether this verdict can make a run non-conformant or incomplete."""
        return self.level == "MUST" and self.basis != "open"


def unsaid(breaches: Iterable[Verdict], said: Iterable[Verdict]) -> list[Verdict]:
    """Return the breaches that none of the verdicts is a failure for.

    A failure of the same requirement is; for a read that breaks the server, whichever shows one like it that does; for
    a plain write that does, any, since what is arranged breaks where some check was to look.
    """
    failures = [verdict for verdict in said if verdict.outcome is Outcome.FAILED]
    failed = {verdict.requirement for verdict in failures}
    shown = [each for verdict in failures for each in verdict.telling if each.is_broken_read]
    return [
        breach
        for breach in breaches
        if breach.requirement not in failed
        and not any(_is_like(each, breach.deciding) for each in shown)
        and not (failures and breach.deciding is not None and breach.deciding.is_broken_write)
    ]


def _is_like(read: Evidence, other: Evidence | None) -> bool:
    """Say whether a read that breaks the server is like another that does: of one operation, by one caller."""
    if other is None or not other.is_broken_read:
        return False
    return (read.operation, read.request_headers) == (other.operation, other.request_headers)


def _values_in(exchange: Evidence) -> set[str]:
    """Return the ids and amounts that an exchange is about; amounts with cents, as explanations show them."""
    found = re.findall(r"[0-9][0-9.]*", f"{exchange.url} {exchange.request_body} {exchange.response_body}")
    return {*found, *(f"{whole}.{cents:0<2}" for whole, _, cents in (value.partition(".") for value in found))}


def _is_named(order: Evidence, sent: str) -> bool:
    """Say whether what was sent names the order that an exchange made, or a line of it; without ids, it may."""
    made = re.findall(r'"(?:orderId|lineItemId)"\s*:\s*"?(\w+)', order.response_body)
    return not made or any(each in sent for each in made)


@frozen
class Observation:
    """Which reading of a vague place the target was seen to take."""

    reading: str
    observed: str
    check: str = ""


@frozen
class Made:
    """An order or a refund that a run made, in the state that it was last seen in: a line of the ledger.

    ``what`` is ``order`` or ``refund``; ``shop`` is ``shop`` or ``other_shop``; ``opened`` is the state that a refund
    was made in. An order is ``own`` unless someone prepared it. ``left`` says why a refund stays open.
    """

    what: str
    id: str
    order: str
    shop: str
    state: str
    opened: str = ""
    request_no: str = ""
    amount: str = ""
    own: bool = True
    left: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it is a refund that waits for a review, as far as was seen."""
        return self.what == "refund" and self.state == self.opened and self.state not in {"completed", "canceled"}


class WaiverState(StrEnum):
    """What became of a waiver in a run."""

    USED = "used"
    NOT_TRIED = "not tried"
    EXPIRED = "expired"
    MATCHES_NOTHING = "matches nothing"
    PASSES = "its check passes"


@frozen
class WaiverUse:
    """A waiver, what became of it, and how many failed checks it matches."""

    requirement: str
    reason: str
    owner: str
    ticket: str
    expires: str
    observed: str
    state: WaiverState
    checks: int = 0

    @property
    def told(self) -> str:
        """Return whose it is, and what became of it, in one line."""
        whose = f"waiver {self.requirement} ({self.owner}, {self.ticket}, until {self.expires})"
        return f"{whose}: {self.state}" + (f", failed checks: {self.checks}" if self.checks else "")

    @property
    def outdated(self) -> bool:
        """Whether it must be looked at by a person, and fails the run."""
        return self.state not in {WaiverState.USED, WaiverState.NOT_TRIED}


@frozen
class Reach:
    """What came of the requests that had a parameter legal, or broke one keyword of its schema.

    Those that are ``unsent`` have a value that the client cannot send.
    """

    operation: str
    parameter: str
    keyword: str
    accepted: int = 0
    refused: int = 0
    broken: int = 0
    unsent: int = 0

    @property
    def reached(self) -> bool:
        """Whether a legal value was accepted, or an illegal one was tried at all."""
        return bool(self.accepted if self.keyword == "legal" else self.accepted + self.refused + self.broken)


@frozen
class Discovery:
    """What an exploration found, which is no verdict: the requirement, the case to see it again, and its steps."""

    requirement: str
    case: str
    expected: str
    observed: str
    steps: tuple[str, ...] = ()


@define
class Run:
    """A whole run, as its record tells it; ``unwritten`` is why the record lacks the rest of it, if it does."""

    header: dict[str, Any]
    verdicts: list[Verdict] = field(factory=list)
    observations: list[Observation] = field(factory=list)
    waivers: list[WaiverUse] = field(factory=list)
    reach: list[Reach] = field(factory=list)
    discoveries: list[Discovery] = field(factory=list)
    footer: dict[str, Any] | None = None
    unwritten: str | None = None
    _ledger: dict[tuple[str, str, str], Made] = field(factory=dict)

    @property
    def ledger(self) -> list[Made]:
        """What the run made, each in the state that the record tells last."""
        return list(self._ledger.values())

    def note(self, made: Made) -> None:
        """Take in a line of the ledger."""
        self._ledger[made.shop, made.what, made.id] = made

    @property
    def left(self) -> list[Made]:
        """The refunds that the run made and that are still open."""
        return [made for made in self.ledger if made.is_open]

    @property
    def interrupted(self) -> bool:
        """Whether the run ended before all that was planned was done."""
        return self.footer is None or bool(self.footer.get("interrupted"))

    @property
    def on_ours(self) -> bool:
        """Whether the target was a server of the suite's own, which ended with the run."""
        target = self.header.get("target")
        name = str(target.get("name")) if isinstance(target, Mapping) else ""
        return name == "reference" or name.startswith(("fault:", "variant:"))

    @property
    def tls_verified(self) -> bool:
        """Whether the target had to prove who it is, as far as its scheme lets it."""
        target = self.header.get("target")
        return not isinstance(target, Mapping) or target.get("tls_verified") is not False

    @property
    def proxy(self) -> str | None:
        """The address of the proxy that the target was reached by; none when it was reached directly."""
        target = self.header.get("target")
        address = target.get("proxy") if isinstance(target, Mapping) else None
        return None if address is None else str(address)

    @property
    def counts(self) -> dict[str, int]:
        """How many checks came to each outcome; all four are named."""
        seen = Counter(verdict.outcome.value for verdict in self.verdicts)
        return {outcome.value: seen[outcome.value] for outcome in Outcome}

    @property
    def not_checked(self) -> dict[str, list[str]]:
        """The requirements not checked because the target file says what they need is not available, by what."""
        found: dict[str, list[str]] = {}
        for verdict in self.verdicts:
            if self.is_declared(verdict):
                ids = found.setdefault(str(verdict.lacks), [])
                if verdict.requirement not in ids:
                    ids.append(verdict.requirement)
        return found

    def is_declared(self, verdict: Verdict) -> bool:
        """Say whether a check was blocked by what the target file declares as not available."""
        return verdict.outcome is Outcome.BLOCKED and verdict.lacks in self.header.get("not_available", ())

    def counts_for_it(self, verdict: Verdict) -> bool:
        """Say whether what a check came to counts for the conclusion; an error of the suite always does."""
        return verdict.outcome is Outcome.ERROR or (
            verdict.must and not verdict.waived and not self.is_declared(verdict)
        )

    @property
    def conclusion(self) -> Conclusion:
        """The one word for it all."""
        outcomes = {verdict.outcome for verdict in self.verdicts if self.counts_for_it(verdict)}
        if Outcome.ERROR in outcomes or (self.footer or {}).get("suite_error"):
            return Conclusion.ERROR
        if Outcome.FAILED in outcomes:
            return Conclusion.NON_CONFORMANT
        said_something = Outcome.PASSED in outcomes or any(verdict.waived for verdict in self.verdicts)
        if Outcome.BLOCKED in outcomes or self.interrupted or not said_something:
            return Conclusion.INCOMPLETE
        return Conclusion.CONFORMANT

    @property
    def verdict(self) -> str:
        """The conclusion; what is conformant with waivers only is never just conformant."""
        used = sum(waiver.state is WaiverState.USED for waiver in self.waivers)
        if self.conclusion is not Conclusion.CONFORMANT or not used:
            return self.conclusion.value
        return f"{self.conclusion.value} with {used} waiver{'' if used == 1 else 's'}"

    @property
    def exit(self) -> int:
        """The exit status; an outdated waiver fails a run that would otherwise have nothing wrong."""
        outdated = any(waiver.outdated for waiver in self.waivers)
        if outdated and self.conclusion in {Conclusion.CONFORMANT, Conclusion.INCOMPLETE}:
            return EXIT_CODES[Conclusion.NON_CONFORMANT]
        return EXIT_CODES[self.conclusion]

    def verdicts_of(self, requirement: str) -> list[Verdict]:
        """Return what the checks said of a requirement."""
        return [verdict for verdict in self.verdicts if verdict.requirement == requirement]

    @property
    def sentence(self) -> str:
        """The verdict as a reader sees it: the conclusion, what it leaves out, and the waivers that fail the run."""
        words = [self.verdict]
        if self.header.get("shard"):
            words.append("shard {index} of {of}".format(**self.header["shard"]))
        if self.interrupted:
            words.append("interrupted")
        ids = {requirement for found in self.not_checked.values() for requirement in found}
        if ids:
            plural = "requirement" if len(ids) == 1 else "requirements"
            words.append(f"{len(ids)} {plural} not checked: {', '.join(sorted(self.not_checked))}")
        outdated = [f"{waiver.requirement} ({waiver.state})" for waiver in self.waivers if waiver.outdated]
        if outdated:
            words.append(f"waivers that fail the run: {', '.join(outdated)}")
        return ", ".join(words)

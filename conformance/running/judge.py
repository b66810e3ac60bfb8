"""What a check came to: its verdict with the evidence, and what its exchanges show by the way."""

import json
import traceback
from collections.abc import Iterable

from attrs import evolve

from conformance.catalogue import Requirement
from conformance.http.answer import Answer
from conformance.http.client import TOKEN_HEADER
from conformance.http.evidence import as_evidence
from conformance.http.exchange import Exchange
from conformance.http.status import Reply, reply_of
from conformance.judging import contract
from conformance.judging.observe import observations
from conformance.model import RefundId
from conformance.outcome import Blocked, Failed, Outcome, Unanswered
from conformance.results import Evidence, Verdict
from conformance.running.plan import ANY_EXCHANGE, Check, Plan
from conformance.telling import told_with_steps

MOST_OF_A_VALUE, MOST_OF_A_TEXT, MOST_OF_A_TRACE = 160, 2_000, 20_000
"""Characters that a verdict keeps of what a server said, and of what went wrong in here."""
READABLE = "ROBUST-20"
"""The requirement that what is there can be read."""
FOR_GOOD = 3
"""So many looks at one URL that each break the server, and nothing else in between, are no accident."""
DISCREET, LONG_ENOUGH = "ROBUST-19", 12
"""The requirement that no answer gives a token away, and the characters of one that is nowhere by chance."""
NO_CHANCE = 2
"""So many plain writes of one operation that break the server are no accident, either."""


class Judge:
    """Says a verdict for each check of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def verdict(
        self,
        check: Check,
        wanted: Requirement,
        error: BaseException | None,
        exchanges: list[Exchange],
        seconds: float,
    ) -> Verdict:
        """Return what a check came to that ended with an error or with none, after some exchanges."""
        if error is None and (problem := _own_mistake(exchanges)):
            error = RuntimeError(problem)
        if isinstance(error, Failed) and (trouble := _trouble_of(error, exchanges)):
            error = Blocked(f"this came out failed, but a request of it got no answer, so it proves nothing: {trouble}")
        outcome, told = _outcome(error)
        redact = self._redact
        verdict = Verdict(
            requirement=wanted.id,
            check=check.name,
            outcome=outcome,
            level=wanted.level,
            basis=wanted.basis,
            area=wanted.area,
            title=wanted.text,
            lines=wanted.lines,
            explanation=redact(told["explanation"], MOST_OF_A_TRACE),
            expected=redact(told.get("expected", ""), MOST_OF_A_TEXT),
            observed=redact(told.get("observed", ""), MOST_OF_A_TEXT),
            lacks=told.get("lacks") or None,
            again=self.plan.again(wanted),
            seconds=round(seconds, 4),
            requests=_count(exchanges),
            evidence=self._evidence(exchanges, getattr(error, "about", None)),
        )
        if outcome is Outcome.FAILED:
            verdict = evolve(verdict, steps=self._steps(getattr(error, "story", ())))
            verdict = evolve(verdict, explanation=told_with_steps(verdict))
        return verdict

    def _steps(self, story: Iterable[tuple[str, Exchange]]) -> tuple[str, ...]:
        """Return the steps that led to a failure, each with the request that takes it again."""
        if self.plan.session is None:
            return ()
        redact = self.plan.session.wire.redact
        return tuple(f"{sentence}\n{as_evidence(exchange, redact).curl}" for sentence, exchange in story)

    def _redact(self, text: str, most: int) -> str:
        return text if self.plan.session is None else self.plan.session.wire.redact.start(text, most)

    def _evidence(self, exchanges: Iterable[Exchange], about: object = None) -> tuple[Evidence, ...]:
        if self.plan.session is None:
            return ()
        redact = self.plan.session.wire.redact
        return tuple(as_evidence(exchange, redact, decides=exchange is about) for exchange in exchanges)

    def turned_over(self, verdict: Verdict, error: Exception) -> Verdict:
        """Return the verdict on the suite itself when looking through a check's exchanges went wrong."""
        outcome, told = _outcome(error)
        explanation = self._redact(told["explanation"], MOST_OF_A_TRACE)
        return evolve(verdict, check=ANY_EXCHANGE, outcome=outcome, explanation=explanation, evidence=())

    def look_through(self, exchanges: Iterable[Exchange], check: Check) -> None:
        """Note what exchanges show by the way: breaches of the page, observed readings, what was reached."""
        for exchange in exchanges:
            self._note_breaches(exchange)
            self._note_breaking(exchange)
            self._note_broken_arrangement(exchange)
            self._note_leak(exchange)
        if self.plan.session is not None:
            for exchange in exchanges:
                self.plan.session.reached.note(exchange)
                for reading, observed in observations(exchange):
                    self.plan.session.observe(reading, observed, check.name)

    def _note_breaches(self, exchange: Exchange) -> None:
        answer = Answer(exchange)
        shown = _refunds_in(answer)
        if exchange.role == "open" or exchange.exempt or _request_problem(exchange) is not None:
            self.plan.odd |= shown if exchange.operation == "create" else set()
            return
        if shown & self.plan.odd:
            return  # what comes of a request that breaks the page may break it too, whoever looks
        for breach in contract.breaches_in(answer):
            wanted = self.plan.catalogue.documenting(breach.operation, breach.field)
            if wanted is not None:
                expected = f"{breach.field} in the answer of {breach.operation}, with a documented value"
                again = self.plan.again(wanted)
                self._note_breach(wanted, expected, f"{breach.field} {breach.problem}", [exchange], again)

    def _note_breaking(self, exchange: Exchange) -> None:
        """Note a well-formed read of what is there that breaks the server again and again.

        Each check that looks at it is blocked, and none would name it. Which earlier request is to blame is not known,
        so that no part of the run is sure to show it again.
        """
        url, wanted = exchange.request.url, self.plan.catalogue.requirements.get(READABLE)
        if wanted is None or exchange.operation not in {"list", "get"} or not self._is_full(exchange):
            return
        if exchange.trouble is not None or reply_of(exchange.status) is not Reply.BROKEN:
            self.plan.breaking.pop(url, None)
        elif exchange.reads_back:
            looks = self.plan.breaking[url] = [*self.plan.breaking.get(url, ()), exchange][-FOR_GOOD:]
            if len(looks) == FOR_GOOD:
                observed = f"{Answer(exchange).described}, {FOR_GOOD} times, and nothing else in between"
                self._note_breach(wanted, f"the {exchange.operation}, or a refusal (4xx)", observed, looks)

    def _note_broken_arrangement(self, exchange: Exchange) -> None:
        """Note a plain create or review that breaks the server, though nothing but the state of its order is special.

        Each check that it was arranged for is blocked, and none would name it. What was tried at first, to find out
        which form the target takes, is told aside.
        """
        wanted = self.plan.catalogue.requirements.get(READABLE)
        plain = exchange.role in {"arrange", "control"} and not exchange.batched and not exchange.exempt
        if wanted is None or exchange.operation not in {"create", "review"} or not plain or not self._is_full(exchange):
            return
        if exchange.trouble is None and reply_of(exchange.status) is Reply.BROKEN:
            broken = self.plan.breaking[exchange.operation] = [
                *self.plan.breaking.get(exchange.operation, ()),
                exchange,
            ]
            if len(broken) == NO_CHANCE:
                observed = f"{Answer(exchange).described}, {NO_CHANCE} times in the run"
                self._note_breach(wanted, "an acceptance, or a refusal (4xx)", observed, broken)

    def _note_leak(self, exchange: Exchange) -> None:
        """Note an answer that gives the token away which came with its request; a short one may be there by chance."""
        wanted, token = self.plan.catalogue.requirements.get(DISCREET), exchange.request.header(TOKEN_HEADER)
        if wanted is None or len(token) < LONG_ENOUGH or exchange.operation == "orders":
            return
        shown = [exchange.body, *(value.encode("utf-8", "replace") for value in exchange.headers.values())]
        if any(token.encode("utf-8", "replace") in text for text in shown):
            observed = f"{Answer(exchange).described}, with the token in its body or headers"
            self._note_breach(wanted, "an answer without the token", observed, [exchange])

    def _is_full(self, exchange: Exchange) -> bool:
        """Say whether a request was sent with the full token of one of the shops."""
        shops = [] if self.plan.session is None else self.plan.session.shops
        return exchange.request.header(TOKEN_HEADER) in {shop.api.token for shop in shops}

    def _note_breach(
        self, wanted: Requirement, expected: str, observed: str, exchanges: list[Exchange], again: str = ""
    ) -> None:
        """Remember the first breach of a requirement, with the exchanges that show it."""
        if wanted.id in self.plan.breaches:
            return
        verdict = Verdict(
            requirement=wanted.id, check=ANY_EXCHANGE, outcome=Outcome.FAILED, level=wanted.level,
            basis=wanted.basis, area=wanted.area, title=wanted.text, lines=wanted.lines,
            expected=expected, observed=self._redact(observed, MOST_OF_A_VALUE),
            again=again, evidence=self._evidence(exchanges, exchanges[-1]),
        )  # fmt: skip
        self.plan.breaches[wanted.id] = evolve(verdict, explanation=told_with_steps(verdict))


def _outcome(error: BaseException | None) -> tuple[Outcome, dict[str, str]]:
    if error is None:
        return Outcome.PASSED, {"explanation": ""}
    if isinstance(error, Failed):
        return Outcome.FAILED, {"explanation": "", "expected": error.expected, "observed": error.observed}
    if isinstance(error, Blocked):
        return Outcome.BLOCKED, {"explanation": error.reason, "lacks": error.lacks or ""}
    trace = "".join(traceback.format_exception(error))
    return Outcome.ERROR, {"explanation": trace}


def _count(exchanges: Iterable[Exchange]) -> int:
    """Return how many requests to the API these are, each counted once in a run, wherever it is shown."""
    fresh = [e for e in exchanges if not e.counted and e.operation != "orders"]
    for exchange in fresh:
        exchange.counted = True
    return len(fresh)


def _trouble_of(failed: Failed, exchanges: Iterable[Exchange]) -> str | None:
    """Return the trouble that a failure may come from: a target that could not even be reached breaks nothing.

    Otherwise it is the first that kept an answer from coming; that of a batch is judged row by row.
    """
    if isinstance(failed.about, Exchange) and failed.about.unreachable:
        return failed.about.trouble
    if isinstance(failed, Unanswered):
        return None
    return next((exchange.trouble for exchange in exchanges if exchange.trouble and not exchange.batched), None)


def _own_mistake(exchanges: Iterable[Exchange]) -> str | None:
    """Return what is wrong with a request that was meant to be valid; probes are invalid on purpose."""
    for exchange in exchanges:
        problem = None if exchange.role in {"probe", "open"} else _request_problem(exchange)
        if problem is not None:
            return f"the suite sent a request that breaks the page, and did not mean to: {problem}"
    return None


def _refunds_in(answer: Answer) -> set[RefundId]:
    """Return which refunds an accepted answer shows, as far as it can be read."""
    if answer.exchange.trouble is not None:
        return set()
    shown = (answer.refunds or []) if answer.exchange.operation == "list" else [answer.refund]
    return {refund.refund_id for refund in shown if refund is not None}


def _request_problem(exchange: Exchange) -> str | None:
    """Return what is wrong with the body of a create or a review."""
    body = exchange.request.body
    if exchange.operation not in {"create", "review"} or not body:
        return None
    try:
        return contract.request_problem(exchange.operation, json.loads(body))
    except UnicodeEncodeError:  # it names what the server made up of half characters
        return None
    except (ValueError, RecursionError):
        return "the body is not JSON"

"""Carries a story out on a target, and holds what comes of it against the model (lifecycle.py)."""

from functools import partial

from attrs import define, evolve

from conformance.generation.cases import sentence
from conformance.generation.lifecycle import (
    ANSWERS,
    BURSTS,
    CREATES,
    KEYS,
    LATER,
    OTHERS,
    READS,
    REVIEWS,
    Create,
    Get,
    List,
    Review,
    Ship,
    State,
    Step,
    explanations,
    outcomes,
    pairs_of,
    ways_of,
)
from conformance.generation.look import Broken, Onlooker, Records
from conformance.generation.manners import RECORD
from conformance.http.answer import Answer
from conformance.http.burst import at_once
from conformance.http.exchange import Exchange
from conformance.judging import verify
from conformance.model import Refund, RefundId, RefundStatus, same_time
from conformance.outcome import Blocked

DEFAULT_LIMIT = 50
KEYS_LAST = 55.0
"""Seconds for which a key protects in every reading, less what a request may take."""


@define
class Performance(Onlooker):
    """A story while it is carried out: each reply and each look is one of the legal outcomes of its step."""

    def perform(self) -> None:
        """Carry the story out.

        Raises:
            Broken: something came of it that no reading allows.
        """
        for step in self.story.steps:
            self.position += 1
            if isinstance(step, Ship):
                self.ship(step.order)
            elif self.can_take(step):
                self.take(step)
        self.subjects = set()
        if self.story.at_once:
            self.take_at_once([step for step in self.story.at_once if self.can_take(step)])
            return
        for order in set(range(len(self.orders))) - self.seen_last:
            self.look(order, [self.state], OTHERS)
        self.shows_the_parcels()

    def stays(self) -> None:
        """What the story left is so still; only what is in process may have come to its end (reading A37).

        Raises:
            Broken: it is not.
        """
        self.subjects = set()
        for order in range(len(self.orders)):
            before = self.records.pop(order, {})
            self.look(order, [self.state], LATER)
            self.unchanged(LATER, before, self.records[order])

    def ship(self, order: int) -> None:
        """The order is shipped from here on, if the order provider can do that, and its refunds are what they were."""
        try:
            self.orders[order] = self.shop.ship(self.orders[order])
        except Blocked:
            return
        self.state = self.state.with_shipped(order)
        self.shipped[len(self.taken)] = order
        stirred = self.touched.get(order, set()) | self.subjects
        before = {key: refund for key, refund in self.records.pop(order, {}).items() if key not in stirred}
        self.look(order, [self.state], OTHERS)
        self.unchanged(OTHERS, without_parcels(before), without_parcels(self.records[order]))

    def can_take(self, step: Step) -> bool:
        """Say whether what a step is about is there, who takes it, and its key, if it came before, not out of date."""
        if isinstance(step, List):
            return True
        if isinstance(step, Create):
            return not self.is_forgotten(step.key)
        if isinstance(step, Review) and step.by is not None and step.by not in self.shop.target.tokens:
            return False
        return {step.key, getattr(step, "named", None)} - {None} <= self.ids.keys()

    def is_forgotten(self, key: int) -> bool:
        """Say whether a key made a refund so long ago that it may make another (reading A24)."""
        creation = self.api.told.get(self.ids[key]) if key in self.ids else None
        return creation is not None and self.api.wire.clock.monotonic() - creation.at > KEYS_LAST

    def take(self, step: Step) -> None:
        """Take one step and judge what came of it."""
        if isinstance(step, Get | List):
            self.look_if_touched(step.order if isinstance(step, List) else self.order_number(step.key))
        self.pairs.update(pairs_of(self.state, step))
        self.subjects = set() if isinstance(step, List) or step.key not in self.ids else {self.ids[step.key]}
        self.seen_last.clear()
        answer = self.send_in_its_manner(step)
        law = self.law_of(step)
        self.is_an_answer(answer)
        legal = [after for reply, after in outcomes(self.state, step) if reply == answer.accepted]
        if not legal:
            raise Broken(law, "a refusal (4xx)" if answer.accepted else "an acceptance (2xx)", answer.described)
        self.says_what_was_asked(filter(None, [answer.refund]), answer.exchange)
        if isinstance(step, Create | Review):
            self.says_a_status_on_the_way(step, answer, law)
        if isinstance(step, Get):
            self.shows_the_record(step, answer)
        elif isinstance(step, List):
            self.lists_the_records(step, answer)
        else:
            self.came_to(step, answer, legal, law)

    def law_of(self, step: Step) -> str:
        """Return which requirement a step is about."""
        if isinstance(step, Create):
            return CREATES if self.state.entry(step.key) is None else KEYS
        return REVIEWS if isinstance(step, Review) else READS

    def is_an_answer(self, answer: Answer) -> None:
        """The answer is an acceptance or a refusal."""
        if not (answer.accepted or answer.refused):
            raise Broken(ANSWERS, "an acceptance or a refusal", answer.described, answer.exchange)

    def told_so_far(self) -> list[tuple[str, Exchange]]:
        """Return the story as it went: a sentence for each request, and its exchange."""
        return [
            (
                (f"{sentence(Ship(self.shipped[number]))}, and " if number in self.shipped else "")
                + f"{sentence(step)}: {answer.exchange.status or answer.exchange.trouble}",
                answer.exchange,
            )
            for number, (step, answer) in enumerate(self.taken)
        ]

    # What a write came to.

    def came_to(self, step: Create | Review, answer: Answer, legal: list[State], law: str) -> None:
        """Look, if the write may have changed something, and find which legal state it is."""
        self.names_its_refund(step, answer, law)
        entry = self.state.entry(step.key)
        order = step.order if isinstance(step, Create) else self.order_number(step.key)
        writes = answer.accepted and (isinstance(step, Review) or entry is None)
        if writes:
            self.touched.setdefault(order, set()).update({self.ids[step.key]} if step.key in self.ids else ())
        known = not writes or (step.key in self.ids and len(set(legal)) == 1)
        if known and not self.strict:
            self.state = legal[0]
        else:
            self.look(order, legal, law)
        self.says_what_was_asked(filter(None, [answer.refund]), answer.exchange)

    def says_a_status_on_the_way(self, step: Create | Review, answer: Answer, law: str) -> None:
        """The status in an accepted write's answer is where the refund was, is, or gets to by it.

        A replay may show the record as it was made (reading A22), and a review one on its way (readings A37 and A38).
        """
        status = None if answer.refund is None else answer.refund.status
        if status is None:
            return
        states = [self.state, *(after for accepted, after in outcomes(self.state, step) if accepted)]
        entries = filter(None, (state.entry(step.key) for state in states))
        legal = self.api.pending.union(*(self.shown(phase) for entry in entries for phase in ways_of(entry)))
        if isinstance(step, Review):
            legal |= {RefundStatus.INITIATED, RefundStatus.IN_PROCESS}
        if status not in legal:
            raise Broken(law, f"one of the statuses {verify.shown(sorted(legal))}", verify.shown(status))

    def names_its_refund(self, step: Create | Review, answer: Answer, law: str) -> None:
        """An accepted write answers with the refund that it is about."""
        if not answer.accepted or answer.refund is None:
            return
        told = answer.refund.refund_id
        known = self.ids.get(step.key)
        if answer.exchange.second_hand or told == RECORD["refundId"]:
            raise Broken(law, "a refund of this requestNo, with an id that the target chose", f"refund {told}")
        if known is None and isinstance(step, Create) and told not in self.ids.values():
            self.ids[step.key] = told
        elif told != known:
            raise Broken(law, f"the refund of key {step.key}, {known or 'a new one'}", f"refund {told}")

    # What a read shows.

    def shows_the_record(self, step: Get, answer: Answer) -> None:
        """Get shows the refund with the values that list shows."""
        if answer.refused:
            return
        order = self.order_number(step.key)
        if answer.refund is None:
            raise Broken(READS, "the refund", answer.described)
        refund_id = self.ids[step.key]
        if answer.refund.refund_id != refund_id:
            raise Broken(READS, f"refund {refund_id}", f"refund {answer.refund.refund_id}")
        listed = self.records[order][refund_id]  # the parcel may be shown by one of the two alone (reading A13)
        told = in_the_times_of(listed, answer.refund)
        known, shown = ({refund_id: evolve(refund, shipping={})} for refund in (listed, told))
        self.unchanged(READS, known, shown)

    def lists_the_records(self, step: List, answer: Answer) -> None:
        """List shows as many of the order's refunds as its limit allows, with the values they had."""
        known = self.records.get(step.order, {})
        if answer.refused:
            return
        listed = answer.refunds
        most = min(DEFAULT_LIMIT if step.limit is None else step.limit, len(known))
        if listed is None or len(listed) != most:
            raise Broken(READS, f"{most} refunds", answer.described)
        there = {refund.refund_id: refund for refund in listed}
        if len(there) < len(listed) or not there.keys() <= known.keys():
            raise Broken(READS, "refunds of the order, each once", verify.shown([r.refund_id for r in listed]))
        self.unchanged(READS, known, there)

    # Steps at one moment.

    def take_at_once(self, steps: list[Step]) -> None:
        """Some order of the steps explains every answer and what is there afterwards."""
        for step in steps:
            if isinstance(step, Create):
                self.body(step, self.api)
        answers = at_once(self.api.wire, [partial(self.send, step) for step in steps])
        self.taken += zip(steps, answers, strict=True)
        for step, answer in zip(steps, answers, strict=True):
            self.is_an_answer(answer)
            if isinstance(step, List) and answer.accepted:
                self.lists_its_order(step, answer)
        told = [self.told_id(step, answer) for step, answer in zip(steps, answers, strict=True)]
        states = explanations(self.state, [(s, a.accepted) for s, a in zip(steps, answers, strict=True)])
        for key, refund_id in filter(None, told):
            if self.ids.setdefault(key, refund_id) != refund_id:
                raise Broken(BURSTS, f"one refund of key {key}, {self.ids[key]}", f"refund {refund_id} as well")
        self.subjects = {self.ids[step.key] for step in steps if isinstance(step, Review)}
        if not states:
            seen = "; ".join(answer.described for answer in answers)
            raise Broken(BURSTS, "answers that some order of the requests explains", seen)
        for order in range(len(self.orders)):
            self.look(order, sorted(states, key=repr), BURSTS)

    def lists_its_order(self, step: List, answer: Answer) -> None:
        """A list shows no refund that is known to be of another order."""
        keys = {entry.key for entry in self.state.entries if entry.order != step.order}
        shown = {self.ids[key] for key in keys & self.ids.keys()} & {
            refund.refund_id for refund in answer.refunds or ()
        }
        if shown:
            raise Broken(BURSTS, "no refund of another order in a list", verify.shown(sorted(shown)))

    def told_id(self, step: Step, answer: Answer) -> tuple[int, RefundId] | None:
        """Return the key of a step and the refund that its answer names."""
        if isinstance(step, List) or not answer.accepted or answer.refund is None:
            return None
        return step.key, answer.refund.refund_id


def without_parcels(refunds: Records) -> Records:
    """Return refunds without logistics information, which may be that of the order's parcel (reading A14)."""
    return {key: evolve(refund, shipping={}) for key, refund in refunds.items()}


def in_the_times_of(known: Refund, told: Refund) -> Refund:
    """Return a refund with the times that are known, as far as it tells the same ones to another fraction (A08)."""
    same = {}
    for name in ("create_time", "update_time"):
        one, other = getattr(known, name), getattr(told, name)
        if one is not None and other is not None and same_time(one, other):
            same[name] = one
    return evolve(told, **same)

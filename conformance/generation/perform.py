"""Carries a story out on a target, and holds what comes of it against the model (lifecycle.py)."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from attrs import define, evolve, field

from conformance.generation.acting import Actor
from conformance.generation.books import misstatements
from conformance.generation.lifecycle import (
    ANSWERS,
    BOOKS,
    BURSTS,
    CREATES,
    KEYS,
    OTHERS,
    READS,
    REVIEWS,
    Create,
    Entry,
    Get,
    List,
    Pair,
    Phase,
    Review,
    Ship,
    State,
    Step,
    explanations,
    mood_of,
    moves_on,
    outcomes,
    pairs_of,
    ways_of,
)
from conformance.generation.manners import LIMITS, RECORD
from conformance.generation.stories import sentence
from conformance.http.answer import Answer
from conformance.http.burst import at_once
from conformance.http.exchange import Exchange
from conformance.judging import verify
from conformance.model import Refund, RefundId, RefundStatus, same_time
from conformance.results import Blocked, Failed

DEFAULT_LIMIT = 50
KEYS_LAST = 55.0
"""Seconds for which a key protects in every reading, less what a request may take."""
Records = dict[RefundId, Refund]


class Broken(Failed):
    """What no legal reading explains: which requirement it breaks, and the story of how it came about."""

    def __init__(self, law: str, expected: str, observed: str) -> None:
        super().__init__(expected, observed)
        self.law = law
        self.story: list[tuple[str, Exchange]] = []
        self.position = 0
        self.core: tuple[Step, ...] = ()


@define
class Performance(Actor):
    """A story while it is carried out, and what the model says of it.

    ``strict`` looks after every write; otherwise a look is saved after those that come to one state at most, until it
    matters or the story ends.
    ``hurried`` looks once and waits for no effect to show: whatever it finds is looked for again without hurry.
    ``subjects`` are the refunds that the last step, or the steps at once, were about; ``touched`` those of each order
    that writes since the last look were about; ``seen_last`` are orders that were looked at after the last step;
    ``parcels`` says of each key which operations showed its refund, and whether with its logistics information.
    """

    strict: bool = False
    hurried: bool = False
    began: float = field(init=False)
    records: dict[int, Records] = field(factory=dict)
    pairs: set[Pair] = field(factory=set)
    subjects: set[RefundId] = field(factory=set)
    touched: dict[int, set[RefundId]] = field(factory=dict)
    seen_last: set[int] = field(factory=set)
    parcels: dict[int, dict[str, bool]] = field(factory=dict)
    looks: int = 0

    def __attrs_post_init__(self) -> None:
        """Remember when the story began: no refund of it is older."""
        self.began = self.api.wire.clock.monotonic()

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
        """Say whether what a step is about is there, and its key, if it has come before, not out of date."""
        if isinstance(step, List):
            return True
        if isinstance(step, Create):
            return not self.is_forgotten(step.key)
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
            raise Broken(ANSWERS, "an acceptance or a refusal", answer.described)

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

    def look_if_touched(self, order: int) -> None:
        """What is read next is known: the order was looked at since the last write that may have changed something."""
        if order in self.touched:
            self.look(order, [self.state], OTHERS)

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

    def look(self, order: int, legal: list[State], law: str) -> None:
        """The order's refunds are those of one of the legal states, which is the state from here on."""
        states = list(dict.fromkeys(later for state in legal for later in moves_on(state, order)))
        self.looks += 1
        seen = verify.patiently(
            self.api,
            partial(self.list_of, order),
            lambda seen: self.hurried or self.matching(states, order, seen) is not None,
        )
        found, before = self.matching(states, order, seen), self.records.get(order, {})
        touched = self.touched.pop(order, set())
        self.seen_last.add(order)
        if law == KEYS:
            self.unchanged(law, {key: refund for key, refund in before.items() if key not in touched}, seen)
        others = before.keys() - touched - self.subjects
        self.unchanged(OTHERS, {key: refund for key, refund in before.items() if key in others}, seen)
        if found is None:
            raise Broken(law, self.told(legal[0], order), self.seen(order, seen))
        self.state, self.records[order] = found, seen
        self.says_what_was_asked(seen.values(), self.api.wire.recorded[-1])
        self.pairs.add((mood_of(found, order), "list"))
        for refund_id in touched & before.keys() & seen.keys():
            self.kept_its_values(before[refund_id], seen[refund_id])

    def unchanged(self, law: str, before: Records, seen: Records) -> None:
        """Refunds that are still there are what they were; one that is gone is found out by their number."""
        try:
            verify.unchanged(
                {key: refund for key, refund in before.items() if key in seen},
                {key: refund for key, refund in seen.items() if key in before},
            )
        except Failed as failure:
            raise Broken(law, failure.expected, failure.observed) from None

    def list_of(self, order: int) -> Records:
        """Return the order's refunds once everything that was sent had the time to show; each is there once."""
        limit = LIMITS[self.looks % len(LIMITS)]
        try:
            listed = verify.listed(self.api, self.orders[order], limit=limit)
        except Blocked:
            self.is_not_refused(Answer(self.api.wire.recorded[-1]), order, limit)
            raise
        self.api.wire.recorded[-1].batched = True
        seen = {refund.refund_id: refund for refund in listed}
        if len(seen) < len(listed):
            raise Broken(READS, "each refund once", verify.shown([refund.refund_id for refund in listed]))
        return seen

    def is_not_refused(self, answer: Answer, order: int, limit: int) -> None:
        """A list of an order that has refunds is not refused for its limit."""
        if answer.exchange.operation == "list" and answer.refused and self.state.of(order):
            raise Broken(READS, f"the refunds of the order, at most {limit}", answer.described)

    def matching(self, states: Iterable[State], order: int, seen: Records) -> State | None:
        """Return the first state whose refunds of an order are the ones seen."""
        return next((state for state in states if self.is_seen(state, order, seen)), None)

    def is_seen(self, state: State, order: int, seen: Records) -> bool:
        """Say whether the refunds of an order in a state are the ones seen; notes the id of one that is new."""
        entries = state.of(order)
        strangers = seen.keys() - set(self.ids.values())
        nameless = [entry for entry in entries if entry.key not in self.ids]
        if len(entries) != len(seen) or len(strangers) != len(nameless) or len(nameless) > 1:
            return False
        names = {entry.key: strangers.copy().pop() for entry in nameless}
        records = [(entry, seen.get((self.ids | names)[entry.key])) for entry in entries]
        if not all(record is not None and self.is_record_of(record, entry, order) for entry, record in records):
            return False
        self.ids |= names
        return True

    def is_record_of(self, record: Refund, entry: Entry, order: int) -> bool:
        """Say whether a record shows the phase and the units of an entry; what cannot be read is judged elsewhere."""
        asked = {line.line_item_id: units for line, units in zip(self.orders[order].lines, entry.units, strict=True)}
        units = {line: Decimal(units) for line, units in asked.items() if units}
        return (record.status is None or record.status in self.shown(entry.phase)) and (
            not record.all_units_read or record.quantities == units
        )

    def shown(self, phase: Phase) -> frozenset[RefundStatus]:
        """Return the statuses that a phase shows as."""
        pending = self.api.pending
        return {
            Phase.OPEN: pending,
            Phase.PROCESSING: frozenset({RefundStatus.IN_PROCESS}) - pending,
            Phase.COMPLETED: frozenset({RefundStatus.COMPLETED}),
            Phase.CANCELED: frozenset({RefundStatus.CANCELED}),
        }[phase]

    def told(self, state: State, order: int) -> str:
        """Return what an order looks like in a state, in words."""
        refunds = [f"key {entry.key}: {entry.phase.value}, {_units(entry.units)} units" for entry in state.of(order)]
        return f"order {order + 1} with " + ("; ".join(refunds) or "no refund")

    def seen(self, order: int, records: Records) -> str:
        """Return what an order looks like, in words, its lines in the order that they have there."""
        names = {refund_id: f"key {key}" for key, refund_id in self.ids.items()}
        told = [
            f"{names.get(refund_id, f'refund {refund_id}')}: status {verify.shown(refund.status)}, "
            f"{_units(refund.quantities.get(line.line_item_id, 0) for line in self.orders[order].lines)} units"
            for refund_id, refund in records.items()
        ]
        return "; ".join(told) or "no refund"

    def kept_its_values(self, was: Refund, now: Refund) -> None:
        """A review changed nothing of its refund but status and update time."""
        if (
            was.status in self.api.pending
            and now.status not in self.api.pending
            and stands_still(was, now)
            and not now.restless
        ):
            raise Broken(REVIEWS, f"an updateTime after {was.update_time}", f"{now.update_time}")
        known, shown = ({was.refund_id: evolve(refund, status=None, update_time=None)} for refund in (was, now))
        self.unchanged(REVIEWS, known, shown)

    def says_what_was_asked(self, refunds: Iterable[Refund], exchange: Exchange) -> None:
        """Refunds of known keys say what was asked for, wherever they are shown."""
        keys = {refund_id: key for key, refund_id in self.ids.items()}
        age = timedelta(seconds=self.api.wire.clock.monotonic() - self.began)
        for refund in refunds:
            key = keys.get(refund.refund_id)
            entry = None if key is None else self.state.entry(key)
            if entry is None:
                continue
            asked = evolve(self.asked[entry.key], units=entry.units)
            shown = self.parcels.setdefault(entry.key, {})
            shown[exchange.operation] = shown.get(exchange.operation, False) or any(refund.shipping.values())
            parcels = {value for other in self.asked.values() for value in other.shipping.values()}
            for what, right, told in misstatements(refund, asked, age, exchange, parcels):
                raise Broken(BOOKS, f"{what} of key {key}: {right}", str(told))

    def shows_the_parcels(self) -> None:
        """The parcel that came with a create is in an answer of create, list or get (reading A13)."""
        for key, shown in self.parcels.items():
            sent = {name for name, value in self.asked[key].shipping.items() if value}
            if sent and shown.keys() >= {"create", "list"} and not any(shown.values()) and not self.gets_a_parcel(key):
                raise Broken(BOOKS, f"the parcel of key {key} in some answer", "none in those of create, list and get")

    def gets_a_parcel(self, key: int) -> bool:
        """Say whether get shows logistics information, or shows nothing from which it could be told."""
        answer = self.api.get_refund(self.orders[self.order_number(key)], self.ids[key])
        answer.exchange.role = "probe"
        return answer.refund is None or any(answer.refund.shipping.values())

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


def stands_still(was: Refund, now: Refund) -> bool:
    """Say whether the updateTime is the same, down to microseconds, which no two requests share (reading A08)."""
    time = was.update_time
    return time is not None and time == now.update_time and time.microsecond % 1000 > 0


def _units(units: Iterable[Any]) -> str:
    return " + ".join(map(str, units)) or "no"

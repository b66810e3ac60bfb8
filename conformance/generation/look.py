"""Looks at the orders of a story, and holds what is there against the model (lifecycle.py)."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from attrs import define, evolve, field

from conformance.generation.acting import Actor
from conformance.generation.books import misstatements
from conformance.generation.lifecycle import (
    BOOKS,
    KEYS,
    OTHERS,
    READS,
    REVIEWS,
    Entry,
    Pair,
    Phase,
    State,
    Step,
    mood_of,
    moves_on,
)
from conformance.generation.manners import LIMITS
from conformance.http.answer import Answer
from conformance.http.exchange import Exchange
from conformance.judging import verify
from conformance.model import Refund, RefundId, RefundStatus
from conformance.outcome import Blocked, Failed

Records = dict[RefundId, Refund]


class Broken(Failed):
    """What no legal reading explains: which requirement it breaks, and the story of how it came about."""

    def __init__(self, law: str, expected: str, observed: str, about: Exchange | None = None) -> None:
        super().__init__(expected, observed, about)
        self.law = law
        self.story: list[tuple[str, Exchange]] = []
        self.position = 0
        self.core: tuple[Step, ...] = ()


@define
class Onlooker(Actor):
    """Who looks at a story while it is carried out: what the model says of it, and what was seen.

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

    def look_if_touched(self, order: int) -> None:
        """What is read next is known: the order was looked at since the last write that may have changed something."""
        if order in self.touched:
            self.look(order, [self.state], OTHERS)

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


def stands_still(was: Refund, now: Refund) -> bool:
    """Say whether the updateTime is the same, down to microseconds, which no two requests share (reading A08)."""
    time = was.update_time
    return time is not None and time == now.update_time and time.microsecond % 1000 > 0


def _units(units: Iterable[Any]) -> str:
    return " + ".join(map(str, units)) or "no"

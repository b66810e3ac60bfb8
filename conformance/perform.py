"""Carries a story out on a target, and holds what comes of it against the model (lifecycle.py)."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from attrs import define, evolve, field

from conformance import verify
from conformance.books import Asked, misstatements
from conformance.burst import at_once
from conformance.client import ABSENT, Answer, Part, RefundApi
from conformance.lifecycle import (
    Create,
    Entry,
    Get,
    List,
    Pair,
    Phase,
    Review,
    State,
    Step,
    explanations,
    mood_of,
    moves_on,
    outcomes,
    pairs_of,
)
from conformance.model import Action, Order, Refund, RefundId, RefundStatus, RightsType
from conformance.results import Blocked, Failed
from conformance.stories import Story, sentence, shrunk
from conformance.wire import Exchange

PRICES = ("10.00", "2.50", "0.75")
CREATES, KEYS, REVIEWS, READS, OTHERS, BOOKS, BURSTS, ANSWERS, STEADY = (f"LIFE-{number:02}" for number in range(1, 10))

REASONS = 'Reason {}.{}: "größer" <b>\\n</b> & 破损'
"""What a customer may write; of each refund and line another."""
PLAIN_REASONS = "Reason {} of line {}."
"""What is written where a target takes no such characters (reading A12)."""

LENGTHS = (20, 50, 32)
"""Lengths that a key may have; those of the stories take turns."""

Records = dict[RefundId, Refund]


class Broken(Failed):
    """What no legal reading explains: which requirement it breaks, and the story of how it came about."""

    def __init__(self, law: str, expected: str, observed: str) -> None:
        super().__init__(expected, observed)
        self.law = law
        self.story: list[tuple[str, Exchange]] = []
        self.position = 0


@define
class Performance:
    """A story while it is carried out: the real orders, the refund of each key, and what the model says of them.

    ``strict`` looks after every write; otherwise a look is saved after those that can legally have no effect.
    ``hurried`` looks once and waits for no effect to show: whatever it finds is looked for again without hurry.
    ``subjects`` are the refunds that the last step, or the steps at once, were about.
    """

    api: RefundApi
    story: Story
    orders: list[Order]
    state: State
    strict: bool = False
    hurried: bool = False
    reasons: str = REASONS
    ids: dict[int, RefundId] = field(factory=dict)
    bodies: dict[Create, Any] = field(factory=dict)
    asked: dict[int, Asked] = field(factory=dict)
    began: float = field(init=False)
    keys: dict[int, str] = field(factory=dict)
    records: dict[int, Records] = field(factory=dict)
    pairs: set[Pair] = field(factory=set)
    taken: list[tuple[Step, Answer]] = field(factory=list)
    subjects: set[RefundId] = field(factory=set)
    position: int = 0

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
            if self.can_take(step):
                self.take(step)
        self.subjects = set()
        for order in range(len(self.orders)):
            self.look(order, [self.state], OTHERS)
        if self.story.at_once:
            self.take_at_once([step for step in self.story.at_once if self.can_take(step)])

    def can_take(self, step: Step) -> bool:
        """Say whether what a step is about is there."""
        return isinstance(step, Create | List) or step.key in self.ids

    def take(self, step: Step) -> None:
        """Take one step and judge what came of it."""
        self.pairs.update(pairs_of(self.state, step))
        self.subjects = set() if isinstance(step, List) or step.key not in self.ids else {self.ids[step.key]}
        answer = self.send(step)
        law = self.law_of(step)
        self.taken.append((step, answer))
        self.is_an_answer(answer)
        legal = [after for reply, after in outcomes(self.state, step) if reply == answer.accepted]
        if not legal:
            raise Broken(law, "a refusal (4xx)" if answer.accepted else "an acceptance (2xx)", answer.described)
        self.says_what_was_asked(filter(None, [answer.refund]))
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

    def send(self, step: Step) -> Answer:
        """Send the request of a step."""
        if isinstance(step, Create):
            answer = self.api.create(self.body(step))
        elif isinstance(step, Review):
            action = Action.APPROVE if step.approve else Action.REJECT
            answer = self.api.review_refund(self.order_of(step.key), self.ids[step.key], action)
        elif isinstance(step, Get):
            answer = self.api.get_refund(self.order_of(step.key), self.ids[step.key])
        else:
            answer = self.api.list_refunds(self.orders[step.order], step.limit)
        answer.exchange.role = "probe"
        answer.exchange.batched = True
        return answer

    def body(self, step: Create) -> Any:
        """Return the body of a create, the same one whenever the same step is taken again."""
        if step not in self.bodies:
            order = self.orders[step.order]
            reasons = tuple(self.reasons.format(step.key, number) for number, _ in enumerate(order.lines))
            parts = [
                Part(line, units, reason)
                for line, units, reason in zip(order.lines, step.units, reasons, strict=True)
                if units
            ]
            rights_type = RightsType.RETURN_AND_REFUND if step.returned else RightsType.REFUND
            parcel = parcel_of(step)
            self.asked.setdefault(step.key, Asked(order, step.units, reasons, rights_type, parcel))
            plain = step.returned and step.key % 4 == 1  # type 1 is the default, and the customer may be left out
            self.bodies[step] = self.api.create_body(
                order,
                *(parts if step.key % 2 else parts[::-1]),
                rights_type=ABSENT if plain else rights_type,
                customer_id=ABSENT if plain else None,
                shipping=parcel or ABSENT,
                request_no=self.keys.setdefault(step.key, self.api.keys(LENGTHS[step.key % len(LENGTHS)])),
            )
        return self.bodies[step]

    def order_of(self, key: int) -> Order:
        """Return the order that the refund of a key is of."""
        entry = self.state.entry(key)
        assert entry is not None  # noqa: S101 - only keys with a refund have an id
        return self.orders[entry.order]

    def is_an_answer(self, answer: Answer) -> None:
        """The answer is an acceptance or a refusal."""
        if not (answer.accepted or answer.refused):
            raise Broken(ANSWERS, "an acceptance or a refusal", answer.described)

    # What a write came to.

    def came_to(self, step: Create | Review, answer: Answer, legal: list[State], law: str) -> None:
        """Look, if the write may have changed something, and find which legal state it is."""
        self.names_its_refund(step, answer, law)
        entry = self.state.entry(step.key)
        order = step.order if isinstance(step, Create) else self.order_number(step.key)
        changes = isinstance(step, Review) or (entry is None and answer.accepted)
        if not (changes or self.strict):
            self.state = legal[0]
            return
        before = self.records.get(order, {})
        self.look(order, legal, law)
        self.says_what_was_asked(filter(None, [answer.refund]))
        if isinstance(step, Review):
            self.kept_its_values(before, self.ids[step.key])

    def order_number(self, key: int) -> int:
        """Return the number of the order that the refund of a key is of."""
        entry = self.state.entry(key)
        assert entry is not None  # noqa: S101 - only keys with a refund have an id
        return entry.order

    def names_its_refund(self, step: Create | Review, answer: Answer, law: str) -> None:
        """An accepted write answers with the refund that it is about."""
        if not answer.accepted or answer.refund is None:
            return
        told = answer.refund.refund_id
        known = self.ids.get(step.key)
        if known is None and isinstance(step, Create) and told not in self.ids.values():
            self.ids[step.key] = told
        elif told != known:
            raise Broken(law, f"the refund of key {step.key}, {known or 'a new one'}", f"refund {told}")

    def look(self, order: int, legal: list[State], law: str) -> None:
        """The order's refunds are those of one of the legal states, which is the state from here on."""
        states = list(dict.fromkeys(later for state in legal for later in moves_on(state)))
        seen = verify.patiently(
            self.api,
            partial(self.list_of, order),
            lambda seen: self.hurried or self.matching(states, order, seen) is not None,
        )
        found, before = self.matching(states, order, seen), self.records.get(order, {})
        self.unchanged(OTHERS, {key: refund for key, refund in before.items() if key not in self.subjects}, seen)
        if found is None:
            raise Broken(law, self.told(legal[0], order), self.seen(seen))
        if law == KEYS:
            self.unchanged(law, before, seen)
        self.state, self.records[order] = found, seen
        self.says_what_was_asked(seen.values())
        self.pairs.add((mood_of(found, order), "list"))

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
        """Return the order's refunds once everything that was sent had the time to show."""
        seen = verify.look_again(self.api, self.orders[order])
        self.api.wire.recorded[-1].batched = True
        return seen

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
        readable = record.all_lines_read and None not in {line.quantity for line in record.lines}
        return (record.status is None or record.status in self.shown(entry.phase)) and (
            not readable or record.quantities == units
        )

    def shown(self, phase: Phase) -> frozenset[RefundStatus]:
        """Return the statuses that a phase shows as."""
        pending = self.api.pending
        return {
            Phase.OPEN: pending,
            Phase.UNDERWAY: frozenset() if self.api.approvals_show else pending,
            Phase.PROCESSING: frozenset({RefundStatus.IN_PROCESS}) - pending,
            Phase.COMPLETED: frozenset({RefundStatus.COMPLETED}),
            Phase.CANCELED: frozenset({RefundStatus.CANCELED}),
        }[phase]

    def told(self, state: State, order: int) -> str:
        """Return what an order looks like in a state, in words."""
        refunds = [f"key {entry.key}: {entry.phase.value}, {_units(entry.units)} units" for entry in state.of(order)]
        return f"order {order + 1} with " + ("; ".join(refunds) or "no refund")

    def seen(self, records: Records) -> str:
        """Return what an order looks like, in words."""
        names = {refund_id: f"key {key}" for key, refund_id in self.ids.items()}
        told = [
            f"{names.get(refund_id, f'refund {refund_id}')}: status {verify.shown(refund.status)}, "
            f"{_units(refund.quantities.values())} units"
            for refund_id, refund in records.items()
        ]
        return "; ".join(told) or "no refund"

    def kept_its_values(self, before: Records, refund_id: RefundId) -> None:
        """A review changed nothing of its refund but status and update time."""
        was, now = before.get(refund_id), self.records[self.order_number(self.key_of(refund_id))].get(refund_id)
        if was is None or now is None:
            return
        bare = [evolve(refund, status=None, update_time=None) for refund in (was, now)]
        self.unchanged(REVIEWS, {refund_id: bare[0]}, {refund_id: bare[1]})

    def key_of(self, refund_id: RefundId) -> int:
        """Return the key that made a refund."""
        return next(key for key, known in self.ids.items() if known == refund_id)

    def says_what_was_asked(self, refunds: Iterable[Refund]) -> None:
        """Refunds of known keys say what was asked for, wherever they are shown."""
        keys = {refund_id: key for key, refund_id in self.ids.items()}
        age = timedelta(seconds=self.api.wire.clock.monotonic() - self.began)
        for refund in refunds:
            key = keys.get(refund.refund_id)
            entry = None if key is None else self.state.entry(key)
            if entry is None:
                continue
            for what, right, told in misstatements(refund, evolve(self.asked[entry.key], units=entry.units), age):
                raise Broken(BOOKS, f"{what} of key {key}: {right}", str(told))

    # What a read shows.

    def shows_the_record(self, step: Get, answer: Answer) -> None:
        """Get shows the refund with the values that list shows."""
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
        if answer.refused and not known:
            return
        listed = answer.refunds
        if listed is None or len(listed) != min(step.limit, len(known)):
            raise Broken(READS, f"{min(step.limit, len(known))} refunds", answer.described)
        there = {refund.refund_id: refund for refund in listed}
        if len(there) < len(listed) or not there.keys() <= known.keys():
            raise Broken(READS, "refunds of the order, each once", verify.shown([r.refund_id for r in listed]))
        self.unchanged(READS, known, there)

    # Steps at one moment.

    def take_at_once(self, steps: list[Step]) -> None:
        """Some order of the steps explains every answer and what is there afterwards."""
        for step in steps:
            if isinstance(step, Create):
                self.body(step)
        answers = at_once(self.api.wire, [partial(self.send, step) for step in steps])
        self.taken += zip(steps, answers, strict=True)
        for answer in answers:
            self.is_an_answer(answer)
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

    def told_id(self, step: Step, answer: Answer) -> tuple[int, RefundId] | None:
        """Return the key of a step and the refund that its answer names."""
        if isinstance(step, List) or not answer.accepted or answer.refund is None:
            return None
        return step.key, answer.refund.refund_id


def in_the_times_of(known: Refund, told: Refund) -> Refund:
    """Return a refund with the times that are known, as far as it tells the same ones to another fraction (A08)."""
    same = {}
    for name in ("create_time", "update_time"):
        one, other = getattr(known, name), getattr(told, name)
        if one is not None and other is not None and verify.same_time(one, other):
            same[name] = one
    return evolve(told, **same)


def parcel_of(step: Create) -> dict[str, str]:
    """Return the logistics information of a return; what it means for another refund is open (reading A14)."""
    if not step.returned:
        return {}
    return {"shippingCarrierCode": f"C{step.key}", "shippingCarrier": "By air", "trackingNumber": f"T{step.key}"}


def _units(units: Iterable[Any]) -> str:
    return " + ".join(map(str, units)) or "no"


@define
class Stage:
    """Where stories are performed, one after another, each on fresh orders.

    ``pairs`` are those visited; ``known`` the requirements of which a shortest broken story was already looked for;
    ``tried_plainly`` says whether it was found out if a target refuses creates only for what ``reasons`` are made of.
    """

    api: RefundApi
    new_order: Callable[..., Order]
    pairs: set[Pair] = field(factory=set)
    known: set[str] = field(factory=set)
    reasons: str = REASONS
    tried_plainly: bool = False

    def perform(self, story: Story, *, strict: bool = False, hurried: bool = False) -> Broken | None:
        """Carry a story out; returns what no reading explains, if anything."""
        broken = self._perform(story, strict=strict, hurried=hurried)
        if broken is None or broken.law != CREATES or self.tried_plainly:
            return broken
        self.tried_plainly, self.reasons = True, PLAIN_REASONS
        plainly = self._perform(story, strict=strict, hurried=hurried)
        self.reasons = REASONS
        if plainly is None and self._perform(story, strict=strict, hurried=hurried) is not None:
            self.reasons = PLAIN_REASONS  # it is refused every time, and for its reasons alone
            return None
        return broken

    def _perform(self, story: Story, *, strict: bool, hurried: bool) -> Broken | None:
        made = [
            self.new_order(*zip(order.units, PRICES, strict=False), shipped=order.shipped) for order in story.orders
        ]
        performance = Performance(
            self.api, story, made, State(story.orders), strict=strict, hurried=hurried, reasons=self.reasons
        )
        try:
            performance.perform()
        except Broken as broken:
            broken.story = [
                (f"{sentence(step)}: {answer.exchange.status or answer.exchange.trouble}", answer.exchange)
                for step, answer in performance.taken
            ]
            broken.position = performance.position
            broken.about = broken.story[-1][1] if broken.story else None
            return broken
        finally:
            self.pairs |= performance.pairs
        return None

    def judge(self, story: Story) -> tuple[Broken, Story] | None:
        """Carry a story out; what no reading explains is looked for again, and told by the shortest story found."""
        first = self.perform(story)
        if first is None or story.at_once or first.law in self.known:
            return None if first is None else (first, story)  # a burst may never meet again; what was seen was seen
        again = self.perform(story, strict=True) or self.perform(story)
        if again is None:
            first.expected = f"the same as when the same steps were taken again, which was {first.expected}"
            first.law = STEADY
            return first, story
        self.known.add(again.law)
        short = evolve(story, steps=story.steps[: again.position])
        short = shrunk(short, lambda shorter: self.breaks(shorter, again.law))
        found = self.perform(short, strict=True)
        return (again, story) if found is None else (found, short)

    def breaks(self, story: Story, law: str) -> bool:
        """Say whether a story seems to break a requirement; one that cannot be carried out does not."""
        try:
            broken = self.perform(story, strict=True, hurried=True)
        except Blocked:
            return False
        return broken is not None and broken.law == law

"""Where stories are performed: what no reading explains is looked for again, and told by the shortest story found."""

import contextlib
from collections.abc import Sequence
from itertools import cycle

from attrs import define, evolve, field

from conformance.generation.acting import PLAIN_REASONS, REASONS, Form, parcel_of
from conformance.generation.lifecycle import CREATES, MANNERS, STEADY, Create, Pair, Review, Ship, State, Step
from conformance.generation.look import Broken
from conformance.generation.perform import Performance
from conformance.generation.stories import FEW, LINES, Story, narrowed, shrunk
from conformance.http.answer import Answer
from conformance.http.client import Part
from conformance.model import LineItem, Order
from conformance.outcome import Blocked
from conformance.shop import Shop

PRICES = ("1.15", "9999.95", "0.01", "0.10", "1.15", "9999.95", "99999999.99")
"""Prices of an order's lines, and again from the first on: binary fractions multiply and add them up wrongly."""


def core_of(taken: Sequence[tuple[Step, Answer]]) -> tuple[Step, ...]:
    """Return the steps that changed something, as far as the answers tell, and the last one."""
    *earlier, (last, _) = taken
    return (*(step for step, answer in earlier if isinstance(step, Create | Review) and answer.accepted), last)


@define
class Stage:
    """Where stories are performed, one after another, each on fresh orders.

    ``pairs`` are those visited; ``known`` the requirements of which a shortest broken story was already looked for;
    ``narrow`` says whether it takes creates of a few lines only, once that was found out;
    ``tried_shipping`` says whether it was found out if it learns late of shipment;
    ``tried_plainly`` whether it was found out if it refuses creates for what ``reasons`` and parcels are made of;
    ``mannered`` until a target was found to do one thing in one manner, and another in another; ``declined`` are forms
    that it refuses, as it may; ``last`` is the last performance.
    """

    shop: Shop
    pairs: set[Pair] = field(factory=set)
    known: set[str] = field(factory=set)
    reasons: tuple[str, ...] = REASONS
    narrow: bool | None = None
    tried_shipping: bool = False
    tried_plainly: bool = False
    mannered: bool = True
    declined: set[Form] = field(factory=set)
    last: Performance | None = None

    def perform(self, story: Story, *, strict: bool = False, hurried: bool = False) -> Broken | None:
        """Carry a story out; returns what no reading explains, if anything."""
        broken = self._perform(story, strict=strict, hurried=hurried)
        if broken is None or broken.law != CREATES:
            return broken
        if not self.tried_shipping and any(isinstance(step, Ship) for step in story.steps):
            self.tried_shipping = True
            if self._learns_late_of_shipment():
                return self.perform(story, strict=strict, hurried=hurried)
        if self.narrow is None and any(len(order.units) > FEW for order in story.orders):
            self.narrow = self._takes_few_lines_only()
            if self.narrow:
                broken = self._perform(story, strict=strict, hurried=hurried)
        if broken is not None and broken.law == CREATES and not self.tried_plainly:
            self.tried_plainly = True
            if self._takes_plain_texts_only():
                self.reasons = PLAIN_REASONS
                broken = self._perform(story, strict=strict, hurried=hurried)
        return broken

    def _learns_late_of_shipment(self) -> bool:
        with contextlib.suppress(Blocked):
            return self.shop.learns_late_of_shipment()
        return False

    def _takes_few_lines_only(self) -> bool:
        """Say whether a plain create of many lines is refused, and one of a few of them is not."""
        try:
            order = self.shop.order(*[(1, "10.00")] * LINES)
        except Blocked:  # a pool may have no other of them, and what was found stands without
            return False

        def is_refused(lines: Sequence[LineItem]) -> bool:
            answer = self.shop.api.create_refund(order, *(Part(line, 1) for line in lines))
            answer.exchange.role = "control"
            return answer.refused

        return is_refused(order.lines) and not is_refused(order.lines[:FEW])

    def _takes_plain_texts_only(self) -> bool:
        """Say whether a create is refused, each time, for what its reasons and its parcel are made of."""
        try:
            order = self.shop.order(*[(1, "10.00")] * len(REASONS))
        except Blocked:
            return False

        def is_refused(reasons: Sequence[str], *, plainly: bool) -> bool:
            texts = zip(order.lines, cycle(reasons), strict=False)
            parts = [Part(line, 1, text.format(0, number)) for number, (line, text) in enumerate(texts)]
            parcel = parcel_of(0, another=False, plainly=plainly)
            answer = self.shop.api.create_refund(order, *parts, shipping=parcel)
            answer.exchange.role = "control"
            return answer.refused

        refused = all(is_refused(REASONS, plainly=False) for _ in range(2))
        return refused and not is_refused(PLAIN_REASONS, plainly=True)

    def _perform(self, story: Story, *, strict: bool, hurried: bool) -> Broken | None:
        story = narrowed(story) if self.narrow else story
        performance = Performance(
            self.shop, story, self._orders(story), State(story.orders), mannered=self.mannered,
            declined=self.declined, reasons=self.reasons, strict=strict, hurried=hurried,
        )  # fmt: skip
        try:
            performance.perform()
        except Broken as broken:
            broken.story = performance.told_so_far()
            broken.position = performance.position
            broken.core = core_of(performance.taken) if performance.taken else ()
            broken.about = broken.about or (broken.story[-1][1] if broken.story else None)
            return broken
        finally:
            self.pairs |= performance.pairs
            self.last = performance
        return None

    def _orders(self, story: Story) -> list[Order]:
        """Return fresh orders for a story, all of one customer."""
        made: list[Order] = []
        for order in story.orders:
            lines = zip(order.units, cycle(PRICES), strict=False)
            customer = made[0].customer_id if made else None
            made.append(self.shop.order(*lines, shipped=order.shipped, customer_id=customer))
        return made

    def judge(self, story: Story) -> tuple[Broken, Story] | None:
        """Carry a story out; what no reading explains is looked for again, and told by the shortest story found."""
        known = self.shop.api.unrest.habits
        first = self.perform(story)
        if first is not None and self.shop.api.unrest.habits != known:  # they were found out on the way
            first = self.perform(story)
        if first is None or story.at_once or first.law in self.known:
            return None if first is None else (first, story)  # a burst may never meet again; what was seen was seen
        known = self.shop.api.unrest.habits
        again, same = self.again(story)
        if again is None and self.shop.api.unrest.habits != known:
            return None  # what it does by itself was found out only now, and explains it
        if again is None or not same:
            return self.unsteady(first, again), story
        if self.mannered:
            self.mannered = False
            if self.perform(story) is None:
                again.law = MANNERS
                return again, story
        self.known.add(again.law)
        short = evolve(story, steps=story.steps[: again.position])
        bare = evolve(story, steps=again.core)
        short = bare if self.breaks(bare, again.law) else short
        short = shrunk(short, lambda shorter: self.breaks(shorter, again.law))
        found = self.perform(short, strict=True)
        return (again, story) if found is None else (found, short)

    def again(self, story: Story) -> tuple[Broken | None, bool]:
        """Carry a broken story out again, with a look after each write; say whether it breaks twice in one place."""
        strict = True
        again = self.perform(story, strict=True)
        if again is None:
            strict, again = False, self.perform(story)
        if again is None:
            return None, False
        once_more = self.perform(story, strict=strict)
        return again, once_more is not None and (once_more.law, once_more.position) == (again.law, again.position)

    def unsteady(self, first: Broken, again: Broken | None) -> Broken:
        """Return what is wrong with a target that does now one thing and now another, with both answers."""
        if again is None:
            answer = None if self.last is None else self.last.answered.get(first.position)
            then = first.expected + ("" if answer is None else f": {answer.described}")
        else:
            then = f"{again.observed}, where {again.expected} was expected"
        first.law = STEADY
        first.observed = f"at first {first.observed}; when the same steps were taken again, {then}"
        first.expected = "the same whenever the same steps are taken"
        return first

    def breaks(self, story: Story, law: str) -> bool:
        """Say whether a story seems to break a requirement; one that cannot be carried out does not."""
        try:
            broken = self.perform(story, strict=True, hurried=True)
        except Blocked:
            return False
        return broken is not None and broken.law == law

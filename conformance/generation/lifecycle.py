"""The life of refunds as a pure model: what may come of a step, under any legal reading, in any state.

Nothing here sends a request. A state is what one or more orders look like; a step is one request of one of the four
operations; ``outcomes`` are the legal pairs of a reply and the state after it, several where readings differ.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import product

from attrs import evolve, frozen

EVERY_LAW = CREATES, KEYS, REVIEWS, READS, OTHERS, BOOKS, BURSTS, ANSWERS, STEADY, MANNERS = tuple(
    f"LIFE-{number:02}" for number in range(1, 11)
)
"""The requirements that stories are held against."""
LATER = "LIFE-11"
"""The one that what they left is held against."""


class Phase(Enum):
    """Where a refund stands; an approved one may be in process, or completed (reading A37)."""

    OPEN = "open"
    PROCESSING = "in process"
    COMPLETED = "completed"
    CANCELED = "canceled"


FINAL = (Phase.COMPLETED, Phase.CANCELED)
WAYS = {
    Phase.PROCESSING: [Phase.PROCESSING, Phase.COMPLETED],
}
"""Where time alone may bring a refund from a phase; from the others nowhere."""
APPROVED = (Phase.COMPLETED, Phase.PROCESSING)


@frozen
class Ordered:
    """An order of a story: the units of each line, and whether it was shipped."""

    units: tuple[int, ...]
    shipped: bool = True


@frozen
class Create:
    """Ask for units of each line of an order under a key; ``returned`` unless the customer keeps the goods (type 2).

    ``astray`` is another order of which a line is named as well, which nobody may grant.
    """

    key: int
    order: int
    units: tuple[int, ...]
    returned: bool = True
    astray: int | None = None


@frozen
class Review:
    """Approve or reject the refund of a key.

    ``astray`` is another order than its own, which the body names; ``named`` the key of another refund in its place;
    ``neither`` puts another action in the place of both; ``by`` names a token that has no right to it.
    """

    key: int
    approve: bool
    astray: int | None = None
    named: int | None = None
    neither: bool = False
    by: str | None = None


@frozen
class Get:
    """Read the refund of a key; ``astray`` is another order than its own, under which it is not."""

    key: int
    astray: int | None = None


@frozen
class List:
    """List the refunds of an order, at most ``limit``; ``None`` names none."""

    order: int
    limit: int | None = 250


@frozen
class Ship:
    """Have an order shipped, which is the order provider's to do: no request of the API."""

    order: int


Step = Create | Review | Get | List
Act = Step | Ship


@frozen
class Entry:
    """A refund that is there: the key it was made under, its order, the units it takes back, and its phase."""

    key: int
    order: int
    units: tuple[int, ...]
    phase: Phase = Phase.OPEN


@frozen
class State:
    """What the orders of a story look like; ``burnt`` are the keys of refused creates, which may be of no more use."""

    orders: tuple[Ordered, ...]
    entries: tuple[Entry, ...] = ()
    burnt: frozenset[int] = frozenset()

    def entry(self, key: int) -> Entry | None:
        """Return the refund that a key made, if any."""
        return next((entry for entry in self.entries if entry.key == key), None)

    def of(self, order: int) -> list[Entry]:
        """Return the refunds of an order."""
        return [entry for entry in self.entries if entry.order == order]

    def left(self, order: int, *, canceled_are_free: bool) -> tuple[int, ...]:
        """Return the units of each line that can still be refunded (reading A33: canceled ones are free or not)."""
        taken = [e.units for e in self.of(order) if not (canceled_are_free and e.phase is Phase.CANCELED)]
        return tuple(bought - sum(units[i] for units in taken) for i, bought in enumerate(self.orders[order].units))

    def with_entry(self, entry: Entry) -> "State":
        """Return the state with one more refund."""
        return evolve(self, entries=(*self.entries, entry))

    def with_shipped(self, order: int) -> "State":
        """Return the state with an order shipped."""
        orders = list(self.orders)
        orders[order] = evolve(orders[order], shipped=True)
        return evolve(self, orders=tuple(orders))

    def moved(self, key: int, phase: Phase) -> "State":
        """Return the state with a refund in another phase."""
        return evolve(self, entries=tuple(evolve(e, phase=phase) if e.key == key else e for e in self.entries))


Outcome = tuple[bool, State]
"""Whether the step was accepted, and the state after it."""


def outcomes(state: State, step: Step) -> Iterator[Outcome]:
    """Yield every legal outcome of a step, the plainest first."""
    if isinstance(step, Create):
        yield from _create(state, step)
    elif isinstance(step, Review):
        yield from _review(state, step)
    elif isinstance(step, List):
        yield True, state
        if step.limit is None or not state.of(step.order):  # readings A44, and A49: it may be unknown to list
            yield False, state
    else:
        yield state.entry(step.key) is not None and step.astray is None, state


def goes_astray(step: Step) -> bool:
    """Say whether a step names what does not belong together, or nobody may do it, so that it must come to nothing."""
    if isinstance(step, List):
        return False
    wrong = isinstance(step, Review) and (step.named is not None or step.neither or step.by is not None)
    return wrong or step.astray is not None


def _create(state: State, step: Create) -> Iterator[Outcome]:
    if state.entry(step.key) is not None:  # a replay, or the key again with something else (readings A22, A23)
        yield True, state
        yield False, state
        return
    refused = evolve(state, burnt=state.burnt | {step.key})
    if step.astray is not None or (step.returned and not state.orders[step.order].shipped):
        yield False, refused
        return
    strict, free = (state.left(step.order, canceled_are_free=canceled) for canceled in (False, True))
    if _fits(step.units, strict):
        yield True, state.with_entry(Entry(step.key, step.order, step.units))
        if step.key in state.burnt or any(entry.phase not in FINAL for entry in state.of(step.order)):
            yield False, refused  # readings A24 and A27: one refund at a time
        return
    yield False, refused
    kept = {step.units} if _fits(step.units, free) else set()
    kept |= {tuple(map(min, step.units, left)) for left in (strict, free)}  # cut down to what is left (reading A26)
    for units in sorted(kept, reverse=True):
        if any(units) and min(units) >= 0:
            yield True, state.with_entry(Entry(step.key, step.order, units))


def _fits(units: Sequence[int], left: Sequence[int]) -> bool:
    return all(asked <= there for asked, there in zip(units, left, strict=True))


def _review(state: State, step: Review) -> Iterator[Outcome]:
    entry = state.entry(step.key)
    if entry is None or goes_astray(step):
        yield False, state
    elif entry.phase is Phase.OPEN:
        for phase in APPROVED if step.approve else (Phase.CANCELED,):
            yield True, state.moved(step.key, phase)
    else:  # decided: whatever is answered, it stays as it is (reading A39)
        yield True, state
        yield False, state
        if entry.phase is Phase.PROCESSING and not step.approve:
            yield True, state.moved(step.key, Phase.CANCELED)


def ways_of(entry: Entry) -> list[Phase]:
    """Return where time alone may bring a refund, its own phase first."""
    return WAYS.get(entry.phase, [entry.phase])


def moves_on(state: State, order: int) -> Iterator[State]:
    """Yield the states that time alone may bring an order to, itself first: an approval goes its way (reading A37)."""
    ways = (
        [evolve(entry, phase=phase) for phase in ways_of(entry)] if entry.order == order else [entry]
        for entry in state.entries
    )
    for entries in product(*ways):
        yield evolve(state, entries=entries)


def explanations(state: State, burst: Sequence[tuple[Step, bool]]) -> set[State]:
    """Return the states that some order of the steps, each accepted or not as it was, leads to.

    A step that was refused may have been refused because of the others that came at the same moment, whatever they are.
    """
    reached: dict[frozenset[int], set[State]] = {frozenset(): {state}}
    for size in range(len(burst)):
        for done in [done for done in reached if len(done) == size]:
            for index in set(range(len(burst))) - done:
                step, accepted = burst[index]
                after = reached.setdefault(done | {index}, set())
                for before in reached[done]:
                    after.update(_after(before, step, accepted=accepted))
    return reached[frozenset(range(len(burst)))]


def _after(state: State, step: Step, *, accepted: bool) -> Iterator[State]:
    if not accepted:
        yield state
        return
    yield from (after for reply, after in outcomes(state, step) if reply)


Pair = tuple[str, str]
"""A state and an action in it."""


def pairs_of(state: State, step: Step) -> Iterator[Pair]:
    """Yield which pairs of a state and an action a step visits."""
    if goes_astray(step):
        return
    if isinstance(step, Create) and state.entry(step.key) is None:
        fits = _fits(step.units, state.left(step.order, canceled_are_free=True))
        yield mood_of(state, step.order), "create" if fits else "create too many"
    elif isinstance(step, List):
        yield mood_of(state, step.order), "list"
    elif (entry := state.entry(step.key)) is not None:
        yield _phase(entry), _action(entry, step)


def mood_of(state: State, order: int) -> str:
    """Return the state of an order in a few words."""
    phases = {_phase(entry) for entry in state.of(order)}
    left = state.left(order, canceled_are_free=True)
    if phases and not any(left):
        return "an order with nothing left"
    return "an order with " + (" and ".join(sorted(phases)) or "no") + " refunds"


def _phase(entry: Entry) -> str:
    return "approved" if entry.phase in APPROVED else entry.phase.value


def _action(entry: Entry, step: Create | Review | Get) -> str:
    if isinstance(step, Review):
        return "approve" if step.approve else "reject"
    if isinstance(step, Get):
        return "get"
    return "replay" if step.units == entry.units and step.order == entry.order else "use the key again"


ALL_PAIRS: frozenset[Pair] = frozenset(
    [(phase, action) for phase in ("open", "approved", "canceled")
     for action in ("approve", "reject", "replay", "use the key again", "get")]
    + [(f"an order with {refunds} refunds", action) for refunds in ("no", "open", "approved", "canceled")
       for action in ("create", "create too many", "list")]
    + [("an order with nothing left", action) for action in ("create too many", "list")]
)  # fmt: skip
"""Every state and action that a standard run visits."""

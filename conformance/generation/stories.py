"""Stories: what is done to a few orders, step by step, and perhaps some steps at one moment at the end.

A story is data. It is written down (the tour), drawn by hypothesis, or read from a case file, and it is the same story
for every target: what a step refers to that is not there is left out when the story is carried out.
"""

from collections.abc import Callable, Hashable, Iterator
from functools import cache
from itertools import combinations
from typing import Any

from attrs import evolve, frozen

from conformance.generation.choice import most_different
from conformance.generation.lifecycle import (
    Act,
    Create,
    Get,
    List,
    Ordered,
    Pair,
    Review,
    Ship,
    State,
    Step,
    outcomes,
    pairs_of,
)
from conformance.generation.seeded import by_the_seed_alone

MOST_AT_ONCE = 8
LINES = 22
"""How many lines the first order of the tour has: more than a glance takes in, and several of one price."""
FEW = 8
"""How many lines an order of a story has where a target takes no more."""
DRAWS = 12
"""How many times as many stories are drawn as are told: those that reach furthest."""
MEETINGS = 50
"""How many times as many bursts are drawn as are told: those in which requests meet in most ways."""
FIRST_DRAWN = 6
"""The number of the first key of a drawn story: the tour has the keys before it, which have other forms."""
SHRINKS = 24
"""Attempts at a shorter story, each of which sends it again."""


@frozen
class Story:
    """Orders, steps one after another, and then steps at once."""

    name: str
    orders: tuple[Ordered, ...]
    steps: tuple[Act, ...]
    at_once: tuple[Step, ...] = ()


def narrowed(story: Story) -> Story:
    """Return a story of orders that have a few lines at most: what is asked of the others is left out."""

    def narrow(step: Act) -> Act:
        return evolve(step, units=step.units[:FEW]) if isinstance(step, Create) else step

    return evolve(
        story,
        orders=tuple(evolve(order, units=order.units[:FEW]) for order in story.orders),
        steps=tuple(narrow(step) for step in story.steps),
    )


def _tour() -> Story:
    """Return the story that visits every pair of a state and an action.

    A key of the first order comes again for a return of the second, which was not shipped: keys may be per order
    (reading A24), but in no reading does that make a refund.
    """

    def of(*units: int) -> tuple[int, ...]:
        return units + (0,) * (LINES - len(units))

    most = of(130, 1, 2, *(1,) * (LINES - 3))
    first = (
        Create(20, 0, of(2, 5)), Create(0, 0, most), Create(20, 0, of(2, 5)), Get(0), Create(0, 1, (2, 0)),
        Create(1, 0, of(2, 1, 0, 0, 1, 1, 1), returned=False), Create(2, 0, of(2, 1)), Create(0, 0, most),
        Review(2, approve=True), Review(1, approve=True), Get(1, astray=1), Create(31, 0, of(1), astray=1),
        Get(1), Create(24, 1, (0, 2)), Review(0, approve=True), Create(0, 0, most), Review(0, approve=False),
        Review(0, approve=False), List(1, 50), Create(30, 1, (6, 3)), Create(0, 0, of(0, 1), returned=False),
        Create(22, 0, of(2**64 + 1, 1)), Create(6, 0, of(0, 0, 1)), Create(3, 0, of(0, 1)), Review(6, approve=True),
        Review(3, approve=True), Create(4, 0, of(2, 0, 0, 1)), Review(4, approve=True),
        Create(5, 0, of(3), returned=False), Create(7, 0, of(1)), Create(13, 0, of(1)), Create(12, 0, of(1)),
        Create(14, 0, of(1)), Review(1, approve=True), Review(1, approve=False), List(0, 10), List(0, None),
    )  # fmt: skip
    second = (
        Create(8, 1, (1, 1), returned=False), Create(25, 1, (1, 1)), Create(9, 1, (1, 1), returned=False),
        Review(9, approve=True, astray=0), Review(8, approve=True, named=9), Review(8, approve=False, named=5),
        Review(9, approve=False), Create(23, 0, of(1)), Review(8, approve=False), Review(5, approve=True), Get(8),
        List(1, 1), Review(8, approve=True), Create(27, 1, (7, 4), returned=False), Create(25, 1, (1, 1)),
        Create(8, 1, (2, 1), returned=False), Create(10, 1, (1, 0), returned=False),
        Create(11, 1, (1, 0), returned=False), Ship(1), Create(8, 1, (1, 1), returned=False), Review(10, approve=True),
        Review(11, approve=False), Create(29, 1, (1, 1)),
        Review(7, approve=False), Create(28, 1, (5, 0), returned=False), Review(8, approve=True),
        Review(9, approve=True), Review(8, approve=False), Review(10, approve=False), Create(29, 1, (2, 1)),
    )  # fmt: skip
    bought = tuple(map(sum, zip(most, of(13, 3, 1, 1, 1, 1, 1), strict=True)))
    return Story("the tour", (Ordered(bought), Ordered((6, 3), shipped=False)), first + second)


TOUR = _tour()
COUNT = Story(
    "the count",
    (Ordered((9,)), Ordered((3, 2))),
    (
        Create(6, 0, (2,)), Create(7, 0, (1,), returned=False), Review(7, approve=False, neither=True),
        Review(6, approve=False, astray=1), Review(6, approve=True, astray=1),
        Review(6, approve=False, by="read_refunds"), Create(8, 0, (7,)),
        Review(6, approve=True), Review(6, approve=True), Review(6, approve=True),
        Review(6, approve=True, by="unrelated"), Review(7, approve=False), Review(7, approve=True),
        Review(7, approve=True), List(0), Create(9, 0, (6,)),
        Create(10, 1, (3, 0)), Review(10, approve=True), Create(11, 1, (0, 2)), Review(11, approve=False),
        Create(12, 1, (1, 0)),
    ),
)  # fmt: skip
"""Reviews that are refused, or come again: none of them frees units of its order, or uses any up.

Nor does a rejection free those of another line, which came back as a whole and leaves the order shipped.
"""


@cache
def drawn(  # noqa: C901 - a state machine in a function, so that hypothesis is imported only where it draws
    seed: int, *, stories: int, length: int
) -> tuple[Story, ...]:
    """Return stories drawn by a state machine that walks on the model; the same seed draws the same ones."""
    import hypothesis
    from hypothesis import strategies as some
    from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

    told: list[Story] = []
    orders = (Ordered((2, 3)), Ordered((4,)), Ordered((2, 2), shipped=False))
    known = precondition(lambda machine: bool(machine.asked))

    @hypothesis.seed(seed)
    class Teller(RuleBasedStateMachine):
        """Tells a story: each rule is a step, chosen with an eye on what the model says is there."""

        @initialize()
        def begin(self) -> None:
            self.state, self.asked, self.steps = State(orders), dict[int, Create](), list[Step]()

        def one_of(self, number: int) -> Create:
            return list(self.asked.values())[number % len(self.asked)]

        def do(self, step: Step) -> None:
            self.steps.append(step)
            self.state = next(outcomes(self.state, step))[1]

        @rule(order=some.integers(0, 2), units=some.tuples(some.integers(0, 2), some.integers(0, 3)))
        def create(self, order: int, units: tuple[int, int]) -> None:
            kept = units[: len(orders[order].units)]
            key = FIRST_DRAWN + len(self.asked)
            self.asked[key] = Create(key, order, kept if any(kept) else (1, *kept[1:]), returned=orders[order].shipped)
            self.do(self.asked[key])

        @known
        @rule(key=some.integers(0, 20))
        def replay(self, key: int) -> None:
            self.do(self.one_of(key))

        @known
        @rule(key=some.integers(0, 20), units=some.integers(1, 2))
        def use_again(self, key: int, units: int) -> None:
            before = self.one_of(key)
            self.do(evolve(before, units=(units, *before.units[1:])))

        @known
        @rule(key=some.integers(0, 20), approve=some.booleans())
        def review(self, key: int, approve: bool) -> None:  # noqa: FBT001 - drawn by name
            self.do(Review(self.one_of(key).key, approve))

        @known
        @rule(key=some.integers(0, 20))
        def get(self, key: int) -> None:
            self.do(Get(self.one_of(key).key))

        @known
        @rule(order=some.integers(0, 2), limit=some.none() | some.integers(1, 3))
        def list_(self, order: int, limit: int | None) -> None:
            self.do(List(order, limit))

        def teardown(self) -> None:
            steps = tuple(getattr(self, "steps", ()))
            if len(steps) >= length // 2 and all(story.steps != steps for story in told):
                told.append(Story(f"story {len(told) + 1} of seed {seed}", orders, steps))

    with by_the_seed_alone():
        run_state_machine_as_test(Teller, settings=_settings(hypothesis, DRAWS * stories, stateful_step_count=length))
    return _richest(told, stories, lambda story: (_can_show(story), len(visited(story))))


def visited(story: Story) -> set[Pair]:
    """Return the pairs of a state and an action that a story visits on a target that takes the plainest readings."""
    state, pairs = State(story.orders), set[Pair]()
    for step in story.steps:
        if isinstance(step, Ship):
            state = state.with_shipped(step.order)
            continue
        pairs.update(pairs_of(state, step))
        state = next(outcomes(state, step))[1]
    return pairs


def _can_show(story: Story) -> int:
    """Return how many of two things happen: a review, and a key that comes again. What never does proves nothing."""
    keys = [step.key for step in story.steps if isinstance(step, Create)]
    return any(isinstance(step, Review) for step in story.steps) + (len(set(keys)) < len(keys))


def _richest(told: list[Story], count: int, worth: Callable[[Story], tuple[int, ...]]) -> tuple[Story, ...]:
    """Return so many of the stories, those that are worth most."""
    return tuple(sorted(told, key=worth, reverse=True)[:count])


@cache
def drawn_bursts(seed: int, *, stories: int) -> tuple[Story, ...]:
    """Return short stories that end with steps at one moment; the same seed draws the same ones."""
    import hypothesis
    from hypothesis import strategies as some

    told: list[Story] = []
    orders = (Ordered((9,)), Ordered((3,)))
    before = Create(0, 0, (1,)), Create(3, 1, (1,))
    contenders = [
        *(Create(1, 0, (1,)), Create(1, 0, (1,)), Create(1, 0, (2,)), Create(2, 0, (2,))),
        *(Create(4, 1, (2,)), Create(5, 1, (2,)), Review(0, approve=False), Get(0), Get(3), List(0), List(1)),
    ]
    always = before[0], Review(0, approve=True)

    @hypothesis.seed(seed)
    @_settings(hypothesis, MEETINGS * stories)  # type: ignore[untyped-decorator]
    @hypothesis.given(some.permutations(contenders))
    def collect(steps: list[Step]) -> None:
        told.append(Story(f"burst {len(told) + 1} of seed {seed}", orders, before, (*always, *steps)[:MOST_AT_ONCE]))

    with by_the_seed_alone():
        collect()
    return most_different(told[::-1], stories, meetings)


def meetings(story: Story) -> set[Hashable]:
    """Return in which ways two requests of one kind meet: equal, about the same thing, or about different ones."""
    pairs = combinations(story.at_once, 2)
    return {_meeting(one, other) for one, other in pairs if type(one) is type(other)}


def _meeting(one: Step, other: Step) -> tuple[type[Step], bool, bool, int | None]:
    order = _order(one) if _order(one) == _order(other) else None
    return type(one), one == other, _about(one) == _about(other), order


def _about(step: Step) -> int:
    return step.order if isinstance(step, List) else step.key


def _order(step: Step) -> int | None:
    return step.order if isinstance(step, Create | List) else None


def _settings(hypothesis: Any, examples: int, **more: Any) -> Any:
    return hypothesis.settings(
        max_examples=examples, database=None, deadline=None, phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck), verbosity=hypothesis.Verbosity.quiet, **more,
    )  # fmt: skip


def shrunk(story: Story, fails: Callable[[Story], bool], attempts: int = SHRINKS) -> Story:
    """Return a shorter story that fails in the same way, after so many attempts at most."""
    size = max(len(story.steps) // 2, 1)
    while size and attempts:
        for shorter in _without(story, size):
            attempts -= 1
            if fails(shorter):
                story = shorter
                break
            if not attempts:
                break
        else:
            size //= 2
    return story


def _without(story: Story, size: int) -> Iterator[Story]:
    """Yield the story without an order, without so many neighbouring steps, or without one of those at once."""
    keys = {step.key: step.order for step in story.steps if isinstance(step, Create)}
    orders = [step.order if isinstance(step, Create | List | Ship) else keys.get(step.key) for step in story.steps]
    for order in set(orders) if len(set(orders)) > 1 else ():
        yield evolve(story, steps=tuple(s for s, of in zip(story.steps, orders, strict=True) if of != order))
    for start in range(len(story.steps) - size, -1, -size):
        yield evolve(story, steps=story.steps[:start] + story.steps[start + size :])
    if size == 1 and len(story.at_once) > MOST_AT_ONCE // 4:
        for index in range(len(story.at_once)):
            yield evolve(story, at_once=story.at_once[:index] + story.at_once[index + 1 :])

"""The whole life of refunds, as stories, held against a model of all that may legally happen."""

import pytest
from attrs import define, field

from conformance.generation.lifecycle import (
    ANSWERS,
    BOOKS,
    BURSTS,
    CREATES,
    KEYS,
    LATER,
    MANNERS,
    OTHERS,
    READS,
    REVIEWS,
    STEADY,
)
from conformance.generation.look import Broken
from conformance.generation.perform import Performance
from conformance.generation.stage import Stage
from conformance.generation.stories import COUNT, TOUR, Story, drawn, drawn_bursts
from conformance.model import Refund
from conformance.outcome import Blocked
from conformance.running.plan import CASE
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.shop import Shop

STORIES, STEPS, DRAWN_BURSTS = 1, 6, 1
MANY = 10
"""How many times as many stories are drawn in the full profile."""

LAWS = (CREATES, KEYS, REVIEWS, READS, OTHERS, BOOKS, ANSWERS, STEADY, MANNERS)


A_WHILE = 1.0
"""Seconds in which a queue carries out what requests left to it."""


@define
class Told:
    """What came of some stories: what no reading explains, by the requirement that it breaks.

    ``last`` is the last of them, as it was performed, and ``at`` when that ended, in seconds of the wire's clock.
    """

    stage: Stage
    broken: dict[str, Broken] = field(factory=dict)
    last: Performance | None = None
    at: float = 0.0

    def tell(self, stories: tuple[Story, ...]) -> "Told":
        """Carry stories out."""
        for story in stories:
            found = self.stage.judge(story)
            if found is not None:
                self.broken.setdefault(found[0].law, found[0])
        self.last, self.at = self.stage.last, self.stage.shop.api.wire.clock.monotonic()
        return self

    def judge(self, law: str) -> None:
        """No story broke the requirement, and each came to its end."""
        if law in self.broken:
            for _, exchange in self.broken[law].story:
                self.stage.shop.api.wire.show(exchange)
            raise self.broken[law]
        if self.broken.keys() - {MANNERS}:  # what breaks that one alone was told to its end in plain manners
            raise Blocked(f"a story came to an early end: {', '.join(sorted(self.broken))}")

    def stays(self) -> None:
        """What the last story left is so still."""
        if self.last is None or self.broken:
            raise Blocked(f"a story came to an early end: {', '.join(sorted(self.broken))}")
        api = self.stage.shop.api
        api.wire.clock.sleep(max(0.0, self.at + A_WHILE - api.wire.clock.monotonic()))
        try:
            self.last.stays()
        except Broken as broken:
            broken.story, broken.about = self.last.told_so_far(), api.wire.recorded[-1]
            for exchange in (*(exchange for _, exchange in broken.story), broken.about):
                api.wire.show(exchange)
            raise


@pytest.fixture(scope="session")
def stage(shop: Shop, accepted_create: Refund) -> Stage:
    """Where stories are carried out."""
    return Stage(shop)


@pytest.fixture(scope="session")
def tour(stage: Stage) -> Told:
    """The story that visits every pair of a state and an action."""
    return Told(stage).tell((TOUR,))


@pytest.fixture(scope="module")
def stories(stage: Stage, session: Session) -> Told:
    """A story of refused and repeated reviews, and others that were drawn."""
    return Told(stage).tell((COUNT, *drawn(session.seed, stories=STORIES, length=STEPS)))


@pytest.fixture(scope="module")
def many_stories(stage: Stage, session: Session) -> Told:
    """Many stories, and longer ones."""
    return Told(stage).tell(drawn(session.seed + 1, stories=MANY * STORIES, length=3 * STEPS))


@pytest.fixture(scope="module")
def bursts(stage: Stage, session: Session) -> Told:
    """Stories that end with several steps at one moment."""
    return Told(stage).tell(drawn_bursts(session.seed, stories=DRAWN_BURSTS))


@pytest.fixture(scope="module")
def told_case(stage: Stage, session: Session) -> Told:
    """The story of a case file; one with a burst is told until the requests meet as they once did."""
    assert session.case is not None  # noqa: S101 - its check is selected for a case only
    told = Told(stage)
    for _ in range(MANY if session.case.at_once else 1):
        if told.tell((session.case,)).broken:
            break
    return told


def rows(profile: str = "standard") -> pytest.MarkDecorator:
    """Return a row for each requirement that stories are held against."""
    return pytest.mark.parametrize("law", [pytest.param(law, marks=requirement(law, profile=profile)) for law in LAWS])


@rows("quick")
def test_the_tour_of_all_states_and_actions_goes_as_it_may(tour: Told, law: str) -> None:
    """Every action in every state has an outcome that some reading allows."""
    tour.judge(law)


@requirement(LATER, profile="quick", late=True)
def test_what_the_tour_left_is_so_a_while_later(tour: Told) -> None:
    """No refund is seen to move, appear or vanish by then, but for an approval that comes to its end."""
    tour.stays()


@rows()
def test_drawn_stories_go_as_they_may(stories: Told, law: str) -> None:
    """Whatever happens to a few orders has an outcome that some reading allows."""
    stories.judge(law)


@rows("full")
def test_many_drawn_stories_go_as_they_may(many_stories: Told, law: str) -> None:
    """Whatever happens to a few orders for long has an outcome that some reading allows."""
    many_stories.judge(law)


@pytest.mark.parametrize("law", [pytest.param(law, marks=requirement(law, profile=CASE)) for law in (*LAWS, BURSTS)])
def test_a_case_goes_as_it_may(told_case: Told, law: str) -> None:
    """The story of a case file has an outcome that some reading allows."""
    told_case.judge(law)


@pytest.mark.parametrize("law", [pytest.param(law, marks=requirement(law)) for law in (BURSTS, ANSWERS)])
def test_bursts_are_explained_by_some_order(bursts: Told, law: str) -> None:
    """Steps at one moment come to what they could have come to one after another."""
    bursts.judge(law)

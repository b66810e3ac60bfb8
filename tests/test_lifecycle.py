"""The model of a refund's life, the stories told of it, and how they are shortened and written down."""

from decimal import Decimal
from pathlib import Path

import httpx
import pytest
import yaml

from conformance.clock import VirtualClock
from conformance.faults import load_faults
from conformance.generation.cases import as_data, load_case
from conformance.generation.lifecycle import (
    ALL_PAIRS,
    Create,
    Get,
    List,
    Ordered,
    Phase,
    Review,
    State,
    explanations,
    outcomes,
)
from conformance.generation.manners import BARE, FORMS, SPLIT, Manner
from conformance.generation.stage import Stage
from conformance.generation.stories import COUNT, TOUR, Story, drawn, drawn_bursts, shrunk
from conformance.http.client import Part
from conformance.model import LineItem, LineItemId, Order, OrderId
from conformance.outcome import UsageError
from conformance.reference.server import Reference, make_reference
from conformance.running.session import open_session
from conformance.running.survey import survey
from conformance.variants import load_variants

EMPTY = State((Ordered((3,)), Ordered((3,), shipped=False)))


def after(*steps: Create | Review) -> State:
    """Return the state that steps lead to when each is taken in the plainest way."""
    state = EMPTY
    for step in steps:
        state = next(outcomes(state, step))[1]
    return state


def replies(state: State, step: Create | Review | Get | List) -> set[bool]:
    """Return whether a step may be accepted, and whether it may be refused."""
    return {accepted for accepted, _ in outcomes(state, step)}


def test_what_fits_must_be_accepted_and_what_does_not_must_be_refused_or_cut_down() -> None:
    """No reading gives more units than were ordered, or none of them."""
    assert replies(EMPTY, Create(0, 0, (3,))) == {True}
    assert {sum(entry.units[0] for entry in s.entries) for _, s in outcomes(EMPTY, Create(0, 0, (4,)))} == {0, 3}
    assert replies(EMPTY, Create(0, 1, (1,))) == {False}
    assert replies(EMPTY, Create(0, 1, (1,), returned=False)) == {True}


def test_readings_that_differ_leave_several_outcomes() -> None:
    """One open refund at a time, rejected units, decided refunds, and keys of refused creates."""
    open_one, canceled = after(Create(0, 0, (2,))), after(Create(0, 0, (2,)), Review(0, approve=False))

    assert replies(open_one, Create(1, 0, (1,))) == {True, False}
    assert replies(canceled, Create(1, 0, (3,))) == {True, False}
    assert replies(canceled, Review(0, approve=True)) == {True, False}
    assert {s.entries[0].phase for _, s in outcomes(canceled, Review(0, approve=True))} == {Phase.CANCELED}
    assert replies(after(Create(0, 1, (1,))), Create(0, 1, (1,), returned=False)) == {True, False}


def test_what_does_not_belong_together_comes_to_nothing() -> None:
    """A line or a refund under another order, a review of two refunds, by a reader or of no action, are refused."""
    state = after(Create(0, 0, (1,)), Create(1, 1, (1,), returned=False))
    strays = (
        Create(2, 0, (1,), astray=1), Get(0, astray=1), Review(0, approve=True, astray=1),
        Review(0, approve=False, named=1), Review(0, approve=False, by="read_refunds"),
        Review(0, approve=True, neither=True),
    )  # fmt: skip

    for step in strays:
        assert [accepted for accepted, _ in outcomes(state, step)] == [False], step
        assert {later.entries for _, later in outcomes(state, step)} == {state.entries}


def test_a_manner_is_another_way_to_say_the_same() -> None:
    """Split lines add up, parameters keep their values, and a bare review leaves its refund to the path."""
    line = LineItem(LineItemId("7"), 9, Decimal("1.00"))
    mentions = Manner(form=SPLIT).parts([Part(line, 5), Part(line, 1)])
    assert [part.quantity for part in mentions] == [2, 3, 1]

    asked = [("orderId", "1"), ("refundId", "2")]
    for form in ("", *FORMS):
        for turned in (False, True):
            said = Manner(form=form, turned=turned).query(asked)
            assert set(asked) <= set(said)
            assert {value for name, value in said if name == "refundId"} == {"2"}

    order = Order(OrderId("1"), "3", shipped=True, lines=(line,))
    body = {"orderId": "1", "action": "1", "refundId": "2"}
    assert Manner(form=BARE).review(body, order, "4") == {"orderId": "1", "action": "1"}


def test_a_burst_is_explained_by_some_order_or_by_none() -> None:
    """Both of two creates for the last units cannot be accepted in whole, in whichever order they came."""
    first, second = Create(0, 0, (2,)), Create(1, 0, (2,))

    both = explanations(EMPTY, [(first, True), (second, True)])
    assert all(sum(entry.units[0] for entry in state.entries) <= 3 for state in both)
    one = explanations(EMPTY, [(first, True), (second, False)])
    assert {tuple(entry.key for entry in state.entries) for state in one} == {(0,)}


def test_stories_are_the_same_for_a_seed_and_others_for_another() -> None:
    """Nothing but the seed decides what is drawn."""
    drawn.cache_clear()
    again = drawn(3, stories=2, length=7)
    drawn.cache_clear()

    assert drawn(3, stories=2, length=7) == again != drawn(4, stories=2, length=7)
    assert all(2 <= len(story.at_once) <= 8 for story in drawn_bursts(3, stories=2))


def test_a_story_is_shortened_to_what_matters() -> None:
    """Only the two steps that fail together are left."""
    culprits = {Review(0, approve=False), Get(8)}

    short = shrunk(TOUR, lambda story: culprits <= set(story.steps), attempts=200)

    assert set(short.steps) == culprits


def stage_on(reference: Reference, clock: VirtualClock) -> Stage:
    """Return a stage on a reference in this process."""
    session = open_session(
        reference.target("http://reference"), clock=clock, transport=httpx.WSGITransport(app=reference.app)
    )
    survey(session)
    return Stage(session.shop)


def test_the_tour_visits_every_pair_of_a_state_and_an_action() -> None:
    """And on the reference every outcome is a legal one."""
    clock = VirtualClock()
    stage = stage_on(make_reference(clock=clock), clock)

    assert stage.perform(TOUR) is None
    assert stage.pairs >= ALL_PAIRS


@pytest.mark.parametrize(
    "fault", ["takes-units-with-each-late-approval", "frees-units-for-other-actions", "shows-the-decided-to-any-scope"]
)
def test_the_count_tells_what_moves_units_or_lets_strangers_in(fault: str) -> None:
    """The reference goes through it as it may, and a server whose books a refused review moves does not."""
    for make, breaks in ((load_faults()[fault].make, True), (lambda clock: make_reference(clock=clock), False)):
        clock = VirtualClock()
        assert (stage_on(make(clock), clock).perform(COUNT) is not None) is breaks


@pytest.mark.parametrize(
    ("fault", "law", "steps"),
    [("revives-one-of-several-canceled", "LIFE-03", 6), ("fails-the-first-time", "LIFE-09", 30)],
)
def test_a_broken_story_is_told_short_and_an_unsteady_target_as_such(fault: str, law: str, steps: int) -> None:
    """The story is cut down to its point; what does not come again is no failure of something else."""
    clock = VirtualClock()
    found = stage_on(load_faults()[fault].make(clock), clock).judge(TOUR)

    assert found is not None
    assert (found[0].law, len(found[0].story) <= steps) == (law, True)


def test_a_case_is_read_as_it_was_written(tmp_path: Path) -> None:
    """A story survives its file."""
    path = tmp_path / "case.yaml"
    for story in (TOUR, COUNT, *drawn_bursts(0, stories=1)):
        path.write_text(yaml.safe_dump({"requirement": "LIFE-01", **as_data(story)}), encoding="utf-8")
        assert load_case(path) == ("LIFE-01", story)


@pytest.mark.parametrize(
    "wrong",
    [
        {"orders": []},
        {"steps": [{"create": 0, "order": 7, "units": [1], "type": 1}]},
        {"steps": [{"create": 0, "order": 0, "units": [1, 2], "type": 1}]},
        {"steps": [{"sell": 0}]},
    ],
)
def test_a_case_that_makes_no_sense_is_an_error_that_names_the_place(tmp_path: Path, wrong: dict[str, object]) -> None:
    """A person who edits a case learns what is wrong with it."""
    path = tmp_path / "case.yaml"
    sound = {"requirement": "LIFE-01", **as_data(Story("one", (Ordered((1,)),), ()))}
    path.write_text(yaml.safe_dump(sound | wrong), encoding="utf-8")

    with pytest.raises(UsageError, match=r"case\.yaml"):
        load_case(path)


def test_a_burst_that_no_order_explains_is_told_as_such() -> None:
    """Two creates at one moment, both accepted though the first leaves nothing, are a failure and not an error."""
    clock = VirtualClock()
    stage = stage_on(load_faults()["knows-no-bound"].make(clock), clock)
    at_once = (Create(1, 0, (3,)), Create(2, 0, (3,)))

    found = stage.judge(Story("a burst", (Ordered((4,)),), (Create(0, 0, (1,)),), at_once))

    assert found is not None
    assert found[0].law == "LIFE-07"


def test_reasons_that_a_target_refuses_are_told_more_plainly() -> None:
    """Which characters a reason may have is open (reading A12): a story does without the unusual ones."""
    clock = VirtualClock()
    stage = stage_on(load_variants()["takes-plain-reasons-only"].make(clock), clock)

    assert stage.judge(TOUR) is None
    assert stage.pairs >= ALL_PAIRS


def test_a_target_that_changes_its_answers_is_told_with_both_of_them() -> None:
    """What comes once and not again is a failure of steadiness, and shows what came when."""
    clock = VirtualClock()

    found = stage_on(load_faults()["fails-the-first-time"].make(clock), clock).judge(TOUR)

    assert found is not None
    assert "at first 500" in found[0].observed
    assert "again, an acceptance or a refusal: 200" in found[0].observed

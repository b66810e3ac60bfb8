"""The search that goes on after the verdicts: stories of fresh seeds, until the time is over.

What it finds is no verdict, since another run may not come upon it. It is shrunk and saved as a case, which
``run --case`` makes a verdict of, again and again.
"""

import secrets
from collections.abc import Callable
from pathlib import Path

import yaml

from conformance.files import replace_text
from conformance.generation.cases import as_data
from conformance.generation.look import Broken
from conformance.generation.stage import Stage
from conformance.generation.stories import Story, drawn, drawn_bursts
from conformance.http.evidence import as_evidence
from conformance.outcome import Blocked, UsageError
from conformance.results import Discovery
from conformance.running.session import Session

STORIES, STEPS, BURSTS = 3, 20, 2
CASES = "cases"


def explore(
    session: Session, seconds: float, folder: Path, say: Callable[[Discovery], object], stop: Callable[[], bool]
) -> None:
    """Carry out stories of fresh seeds for so many seconds; each discovery is said once.

    An unreachable target or one that runs out of orders ends the search.
    """
    stage, clock = Stage(session.shop), session.wire.clock
    end, found = clock.monotonic() + seconds, set[str]()
    while True:
        for story in _of_a_fresh_seed():
            if stop() or clock.monotonic() >= end:
                return
            session.wire.take_recorded()
            try:
                broken = stage.judge(story)
            except Blocked as trouble:
                session.noticed.append(session.wire.redact(f"the exploration ended early: {trouble.reason}"))
                return
            if broken is not None and broken[0].law not in found:
                found.add(broken[0].law)
                say(_discovery(session, folder, *broken))


def _of_a_fresh_seed() -> tuple[Story, ...]:
    seed = secrets.randbelow(10**9)
    return drawn(seed, stories=STORIES, length=STEPS) + drawn_bursts(seed, stories=BURSTS)


def _discovery(session: Session, folder: Path, broken: Broken, story: Story) -> Discovery:
    """Return what was found, with its case saved under the run's folder."""
    path = folder / CASES / f"{broken.law}.yaml"
    text = yaml.safe_dump({"requirement": broken.law, **as_data(story)}, sort_keys=False, default_flow_style=None)
    try:
        replace_text(path, f"# Replay with: genstore-conformance run TARGET --case {path}\n{text}")
    except UsageError as trouble:  # the record has its steps
        session.noticed.append(str(trouble))
    redact = session.wire.redact
    return Discovery(
        requirement=broken.law,
        case=str(path),
        expected=redact(broken.expected),
        observed=redact(broken.observed),
        steps=tuple(f"{told}\n{as_evidence(exchange, redact).curl}" for told, exchange in broken.story),
    )

"""A run from its first request to its reports: one target, one record, one verdict."""

import contextlib
import shlex
import signal
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import httpx
from attrs import frozen

from conformance import __version__, waivers
from conformance.catalogue import Catalogue, Requirement
from conformance.clock import Clock
from conformance.files import made_folder
from conformance.generation.stories import Story
from conformance.outcome import Blocked, UsageError
from conformance.record import Record
from conformance.results import Run
from conformance.running import tidy
from conformance.running.doctor import State, first_look
from conformance.running.explore import explore
from conformance.running.plan import Listener, Plan
from conformance.running.plugin import names_of_checks, run_checks
from conformance.running.session import Session, new_run_id, open_session
from conformance.running.survey import survey
from conformance.running.workers import worthwhile
from conformance.settings import AUTO
from conformance.target import Target
from conformance.waivers import Waiver

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that ask for an end: the last is that of a terminal that was closed."""
STOPPED = 2
"""Pytest's own exit status for a run that was interrupted."""
TO_THE_END = frozenset({0, 1, 5})
"""Those of a run that went to its end: all passed, some failed, or there was none, as in a shard of few checks."""


@frozen
class Options:
    """What a user can say about a run, besides its target.

    ``workers`` may be ``AUTO``; ``None`` is for one, or for several that take turns where effects show late, so that
    one goes on while another waits.
    ``case`` is the one story to carry out, from the file at ``case_path``; after the checks, ``explore`` for so many
    seconds.
    ``max_writes`` is a hard limit, 0 for none at all; open refunds are rejected at the end unless they are to ``keep``.
    """

    profile: str = "standard"
    selection: tuple[str, ...] = ()
    seed: int = 0
    requests_per_second: float | None = None
    workers: int | None = 1
    shard: tuple[int, int] | None = None
    max_writes: int | None = None
    keep: bool = False
    waivers: tuple[Waiver, ...] = ()
    spoken_target: str = "reference"
    spoken_orders: str | None = None
    case: Story | None = None
    case_path: str = ""
    explore: float = 0.0


def run(
    target: Target,
    catalogue: Catalogue,
    folder: Path,
    options: Options,
    *,
    listener: Listener | None = None,
    clock: Clock | None = None,
    transport: httpx.BaseTransport | None = None,
) -> Run:
    """Judge a target and return the run; its record is ``run.jsonl`` in the folder.

    An interrupt (SIGINT, SIGTERM, SIGHUP) ends the run after the check that it is in; a second one ends it at once.
    Tidying up, which the first does not end, is no part of the verdict, nor is exploring.

    Raises:
        UsageError: the folder cannot be written to, another run is at it, or the target's files cannot be used.
    """
    run_id = new_run_id()
    session = open_session(
        target, seed=options.seed, run_id=run_id, clock=clock, transport=transport,
        requests_per_second=options.requests_per_second, max_writes=options.max_writes,
    )  # fmt: skip
    session.case = options.case
    header = _header(target, catalogue, options, run_id, session)
    started, today = time.monotonic(), datetime.now(UTC).date()
    with _interrupts() as interrupts:
        record = _open_record(folder, header)
        if record.set_aside is not None:
            session.noticed.append(
                f"an earlier run here was killed, or left refunds open: its record is now {record.set_aside}. "
                f"genstore-conformance tidy {record.set_aside} rejects what is open"
            )
        for shop in session.shops:
            shop.api.ledger.say = record.add
        plan = Plan(
            catalogue=catalogue,
            session=session,
            profile=options.profile,
            selection=options.selection,
            shard=options.shard,
            say=record.add,
            waive=lambda verdict: waivers.apply(options.waivers, verdict, today),
            listener=listener,
            again=lambda wanted: session.wire.redact(again(options, wanted)),
            stop=interrupts.came,
        )
        status = _carry_out(plan, session, options.workers)
        interrupted = interrupts.came() or len(plan.verdicts) < len(plan.checks) or status not in TO_THE_END
        if options.explore and not plan.blocked and not interrupts.came():
            with _ending_alone(plan.trouble):
                explore(session, options.explore, folder, record.add, interrupts.came)
        requests, seconds = session.wire.api_requests, time.monotonic() - started
        _tidy(session, options, interrupts, plan)
        session.close()
        if options.waivers:
            for use in waivers.uses(options.waivers, record.run, today, names_of_checks(catalogue)):
                record.add(use)
        return record.close(
            requests=requests,
            seconds=seconds,
            interrupted=interrupted,
            order_requests=session.wire.requests - session.wire.api_requests,
            tidy_requests=session.wire.api_requests - requests,
            writes=session.wire.writes.sent,
            planned=len(plan.checks),
            workers=plan.workers,
            limited=session.wire.pace.limited,
            noticed=session.noticed,
            blocked_reason=plan.blocked,
            suite_error=session.wire.redact("\n".join(plan.trouble)) or None,
        )


def _carry_out(plan: Plan, session: Session, workers: int | None) -> int:
    """Run the checks, and return pytest's exit status."""
    with _ending_alone(plan.trouble):
        plan.blocked = blocked_from_the_start(session)
        if plan.listener is not None:
            for told in session.noticed:
                plan.listener.noticed(told)
        plan.shares = workers is None
        plan.workers = worthwhile(session.wire.latency) if workers == AUTO else workers or 1
        return run_checks(plan)
    return STOPPED


@contextlib.contextmanager
def _ending_alone(trouble: list[str]) -> Iterator[None]:
    """Whatever goes wrong in the block ends the block and no more: there is a record to be ended, which tells of it."""
    try:
        yield
    except KeyboardInterrupt:
        pass
    except Exception:  # noqa: BLE001 - whatever it is, the record is still to be ended
        trouble.append(traceback.format_exc())


def blocked_from_the_start(session: Session) -> str | None:
    """Find out about the target; return why nothing can be judged, if that is so."""
    try:
        first = first_look(session)
        session.wire.take_recorded()
        words = [f"{found.subject}: {found.seen}. {found.remedy}" for found in first if found.state is not State.OK]
        session.noticed += [session.wire.redact(told) for told in words]
        if first[0].state is State.TROUBLE:
            return session.wire.redact(f"{first[0].seen}. {first[0].remedy}")
        survey(session)
    except Blocked as trouble:
        return session.wire.redact(trouble.reason)
    return None


def _tidy(session: Session, options: Options, interrupts: "Interrupts", plan: Plan) -> None:
    """Reject what is open, unless it is to stay; nobody waits for that who has interrupted the run twice."""
    told = len(plan.trouble)
    if not options.keep and not interrupts.twice():
        with _ending_alone(plan.trouble):
            tidy.tidy_up(session, stop=interrupts.twice, workers=plan.workers)
    interrupts.over = True
    unfinished = tidy.BROKEN if len(plan.trouble) > told else tidy.INTERRUPTED
    tidy.leave_open(session, tidy.KEPT if options.keep else unfinished)


def _header(target: Target, catalogue: Catalogue, options: Options, run_id: str, session: Session) -> dict[str, object]:
    return {
        "suite_version": __version__,
        "catalogue": catalogue.digest,
        "requirements": len(catalogue.requirements),
        "target": {
            "name": session.wire.redact(target.name),
            "base_url": session.wire.redact(target.base_url),
            "tokens": sorted(target.tokens),
            "other_shop": target.other_shop is not None,
            "tls_verified": target.verify_tls,
            "proxy": None if target.proxy is None else target.proxy.address,
        },
        "not_available": list(target.not_available),
        "profile": options.profile,
        "selection": list(options.selection),
        "shard": None if options.shard is None else dict(zip(("index", "of"), options.shard, strict=True)),
        "seed": options.seed,
        "run_id": run_id,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def again(options: Options, wanted: Requirement) -> str:
    """Return the command that judges one requirement of the same target again."""
    words = ["genstore-conformance", "run"]
    words += [] if options.spoken_target == "reference" else [options.spoken_target]
    words += [] if options.spoken_orders is None else ["--orders", options.spoken_orders]
    if options.case is not None:
        return shlex.join([*words, "--case", options.case_path])
    return shlex.join([*words, "--select", wanted.id, "--seed", str(options.seed)])


def _open_record(folder: Path, header: dict[str, object]) -> Record:
    made_folder(folder)
    try:
        return Record(folder / "run.jsonl", header)
    except OSError as error:
        raise UsageError(
            f"{folder}: the reports cannot be written there: {error.strerror}. Choose another --out."
        ) from None


class Interrupts:
    """The signals that came: the first is a wish to end, and every other an end, until the run is ``over`` anyway."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self.over = False

    def came(self) -> bool:
        """Say whether there was one."""
        return bool(self._numbers)

    def twice(self) -> bool:
        """Say whether there was more than one."""
        return len(self._numbers) > 1

    def note(self, number: int, _: FrameType | None) -> None:
        """Take note of a signal.

        Raises:
            KeyboardInterrupt: it is not the first.
        """
        self._numbers.append(number)
        if self.twice() and not self.over:
            raise KeyboardInterrupt


def _is_ignored(number: int) -> bool:
    """Say whether whoever started us wants a signal ignored, as nohup does."""
    return signal.getsignal(number) is signal.SIG_IGN


@contextlib.contextmanager
def _interrupts() -> Iterator[Interrupts]:
    """Take the signals that ask for an end as interrupts of the run while the block runs."""
    interrupts = Interrupts()
    try:
        heard = [number for number in ENDING if number != signal.SIGHUP or not _is_ignored(number)]
        before = {number: signal.signal(number, interrupts.note) for number in heard}
    except ValueError:  # not in the main thread: whoever runs us there handles the signals
        before = {}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

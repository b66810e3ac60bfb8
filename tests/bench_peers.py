"""Which faults the generated tests kill, which the others, and which a plain ``st run``: ``make bench-peers``.

A seeded sample of the faulty servers is judged in process by the generated checks alone and by the others alone, both
in the standard profile, and over HTTP by schemathesis' own command, with the same document, token, order and refund. A
fault counts as killed by checks when any verdict of their run is a failure; that an answer breaks the document is seen
in the traffic of either kind. It counts as killed by schemathesis when that reports something that it does not report
of the sound reference as well.
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from attrs import define
from rich.console import Console
from rich.table import Table

from conformance.catalogue import load_catalogue
from conformance.clock import RealClock, VirtualClock
from conformance.faults import load_faults
from conformance.outcome import Outcome
from conformance.proof import SEARCHING, judge_in_process
from conformance.reference.server import Reference, make_reference, serving
from conformance.running.run import Options
from conformance.running.session import open_session
from conformance.running.survey import survey

DOCUMENT = Path(__file__).parent.parent / "spec" / "openapi.yaml"
EXAMPLE = {"order": "39072856", "line": "128323456", "customer": "238478920", "refund": "255858046"}
"""The ids in the document's examples, which are replaced with real ones so that schemathesis meets what exists."""

EXAMPLES = 20
"""The most examples that ``st run`` draws for each operation and phase."""

FAILURE = re.compile(r"^- (ST[0-9]+ .+)$|^_+ ([A-Z]+ /\S+) _+$", re.MULTILINE)
Judged = tuple[bool, int]
"""Whether a faulty server was told from a sound one, and how many requests that took."""


@define
class Score:
    """What one kind of tests came to."""

    killed: set[str]
    requests: int = 0
    seconds: float = 0.0

    def add(self, fault: str, judge: Callable[[str], Judged]) -> None:
        """Judge a fault and count what came of it."""
        started = time.monotonic()
        killed, requests = judge(fault)
        self.seconds += time.monotonic() - started
        self.requests += requests
        self.killed |= {fault} if killed else set()


def selected(identifiers: frozenset[str]) -> tuple[str, ...]:
    """Return what selects requirements in the standard profile: their areas, where whole areas are among them."""
    areas: dict[str, set[str]] = {}
    for requirement in load_catalogue().requirements.values():
        areas.setdefault(requirement.area, set()).add(requirement.id)
    whole = {area for area, own in areas.items() if own <= identifiers}
    return (*sorted(whole), *sorted(identifiers - {i for area in whole for i in areas[area]}))


def by_checks(identifiers: frozenset[str]) -> Callable[[str], Judged]:
    """Return a judge of a fault by the checks of some requirements, in process."""
    options = Options(selection=selected(identifiers))

    def judge(fault: str) -> Judged:
        clock = VirtualClock()
        reference = load_faults()[fault].make(clock)
        with tempfile.TemporaryDirectory() as folder:
            done = judge_in_process(reference, clock, options, Path(folder))
        reference.store.close()
        failed = any(verdict.outcome is Outcome.FAILED for verdict in done.verdicts)
        return failed, (done.footer or {})["requests"]

    return judge


def by_schemathesis(examples: int) -> Callable[[str], Judged]:
    """Return a judge of a fault by ``st run``, which is first run on the sound reference."""
    sound, _ = reported(make_reference(), examples)

    def judge(fault: str) -> Judged:
        told, requests = reported(load_faults()[fault].make(), examples)
        return bool(told - sound), requests

    return judge


def reported(reference: Reference, examples: int) -> tuple[set[str], int]:
    """Return what ``st run`` reports of a server, operation by operation, and how many requests it sent."""
    sent = 0

    def counting(environ: dict[str, object], start: Callable[..., object]) -> object:
        nonlocal sent
        sent += 1
        return reference.app(environ, start)

    with tempfile.TemporaryDirectory() as folder, serving(counting) as origin:
        document = Path(folder) / "openapi.yaml"
        document.write_text(with_real_ids(reference, origin), encoding="utf-8")
        token = reference.tokens["first-shop"]["full"]
        command = [
            str(Path(sys.executable).with_name("st")), "run", str(document), "--url", f"{origin}/first-shop",
            "-H", f"X-Genstore-Access-Token: {token}", "--seed", "0", "--max-examples", str(examples),
            "--continue-on-failure", "--no-color",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    reference.store.close()
    told, operation = set[str](), ""
    for failure, heading in FAILURE.findall(done.stdout):
        operation = heading or operation
        told |= {f"{operation}: {failure}"} if failure else set()
    return told, sent


def with_real_ids(reference: Reference, origin: str) -> str:
    """Return the document with the ids of an order and of a refund that are there in its examples."""
    session = open_session(reference.target(origin), clock=RealClock())
    survey(session)
    order, refund = session.base_order, session.base_refund
    text = DOCUMENT.read_text(encoding="utf-8")
    if order is not None:
        real = {"order": order.order_id, "line": order.line.line_item_id, "customer": order.customer_id}
        real |= {"refund": refund.refund_id} if refund is not None else {}
        for name, identifier in real.items():
            text = text.replace(EXAMPLE[name], identifier)
    session.close()
    return text


def main() -> None:
    """Judge a sample of the faults in every way and print who killed what."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=40, help="how many of the faulty servers")
    parser.add_argument("--peers", type=int, default=10, help="how many of these by st run as well, which is slow")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="the --max-examples of st run")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    everything = frozenset(load_catalogue().requirements)
    faults = random.Random(chosen.seed).sample(sorted(load_faults()), min(chosen.faults, len(load_faults())))
    scores = {"generated checks": Score(set()), "hand-written checks": Score(set()), "st run": Score(set())}
    generated, by_hand = by_checks(SEARCHING), by_checks(everything - SEARCHING)
    peer = by_schemathesis(chosen.examples) if chosen.peers else None
    for number, fault in enumerate(faults):
        scores["generated checks"].add(fault, generated)
        scores["hand-written checks"].add(fault, by_hand)
        if peer is not None and number < chosen.peers:
            scores["st run"].add(fault, peer)
    tell(scores, {"st run": min(chosen.peers, len(faults))}, faults)


def tell(scores: dict[str, Score], tried: dict[str, int], faults: list[str]) -> None:
    """Print who killed how much at which cost, and what only the generated or only the others killed."""
    console, table = Console(width=120), Table(box=None)
    for column in ("", "killed", "of", "share", "requests", "seconds", "kills per 100 requests"):
        table.add_column(column, justify="right" if column else "left")
    for name, score in scores.items():
        of, killed = tried.get(name, len(faults)), len(score.killed)
        per = f"{100 * killed / score.requests:.2f}" if score.requests else "-"
        share = f"{killed / of:.0%}" if of else "-"
        table.add_row(name, str(killed), str(of), share, str(score.requests), f"{score.seconds:.0f}", per)
    console.print(table)
    generated, by_hand = scores["generated checks"].killed, scores["hand-written checks"].killed
    console.print(f"by generated checks only: {', '.join(sorted(generated - by_hand)) or 'none'}")
    console.print(f"by hand-written checks only: {', '.join(sorted(by_hand - generated)) or 'none'}")
    console.print(f"by neither: {', '.join(sorted(set(faults) - generated - by_hand)) or 'none'}")


if __name__ == "__main__":
    main()

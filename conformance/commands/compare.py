"""``compare``: two runs side by side."""

import sys
from pathlib import Path

import click

_RECORD = click.Path(path_type=Path, dir_okay=False)


@click.command("compare")
@click.argument("before", type=_RECORD)
@click.argument("now", type=_RECORD)
def command(before: Path, now: Path) -> None:
    """Compare two records (run.jsonl): BEFORE, and NOW.

    Shows the verdicts that changed, the observed readings that differ, and requests and latency side by side.
    They may be of one target at two times, or of two targets: staging and production, a vendor's and the reference.

    Exit status: 0 nothing got worse · 1 something did · 2 a mistake
    """
    from conformance import console
    from conformance.catalogue import load_catalogue
    from conformance.compare import compare
    from conformance.record import read_record

    comparison = compare(read_record(before), read_record(now), load_catalogue())
    console.comparison(comparison)
    sys.exit(1 if comparison.got_worse else 0)

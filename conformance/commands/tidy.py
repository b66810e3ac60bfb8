"""``tidy``: reject what a run left open."""

import sys
from pathlib import Path

import click

from conformance.commands.targets import opened
from conformance.outcome import EXIT_CODES, Conclusion


@click.command("tidy")
@click.argument("record", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("target")
def command(record: Path, target: str) -> None:
    """Reject the refunds that the run of a RECORD (run.jsonl) left open on its TARGET.

    A run does this at its end; one that was killed could not. TARGET is what was given to the run: a target file, or
    a base URL with the token in GENSTORE_TOKEN. The record is told what became of the refunds.

    Exit status: 0 nothing is left open · 2 a mistake · 3 a refund is left open, or the target cannot be asked
    """
    from conformance import console
    from conformance.record import append_to_record, read_record
    from conformance.running.tidy import tidy_record

    run = read_record(record)
    is_url = target.startswith(("http://", "https://"))
    with opened(target, orders=target if is_url else None) as subject:  # no order is asked for: any provider will do
        changed = tidy_record(run, subject)
    append_to_record(record, changed)
    console.tidied(run, changed)
    sys.exit(EXIT_CODES[Conclusion.INCOMPLETE] if run.left else 0)

"""``waive``: write the waiver file for what failed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from conformance.outcome import UsageError

DAYS = 90


@click.command("waive")
@click.argument("record", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("waivers.yaml"), show_default=True,
    help="The file to write; if it is there, what is still needed of it stays as it stands.",
)  # fmt: skip
@click.option("--reason", default="", help="Why the new failures are accepted.")
@click.option("--owner", default="", help="Who answers for them.")
@click.option("--ticket", default="", help="Where they are followed up.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help=f"Until when [default: {DAYS} days from now].")
def command(record: Path, out: Path, reason: str, owner: str, ticket: str, expires: datetime | None) -> None:
    """Write a waiver for each requirement that failed in a RECORD (run.jsonl) and has none.

    What is not given by an option is left empty, for a person to fill in. Waivers of what has passed in all its checks
    are taken out; the others keep their place and their comments. Use the file by run --waivers.
    """
    from conformance.catalogue import load_catalogue
    from conformance.record import read_record
    from conformance.running.plugin import names_of_checks
    from conformance.waive import Fill, write_waivers

    today = datetime.now(UTC)
    if expires is not None and expires.date() < today.date():
        raise UsageError(f"--expires {expires.date()} has passed: a waiver of that day would fail every run")
    until = expires or today + timedelta(days=DAYS)
    catalogue, fill = load_catalogue(), Fill(reason, owner, ticket, until.date())
    written = write_waivers(read_record(record), catalogue, names_of_checks(catalogue), out, fill)
    for word, requirements in (("added", written.added), ("kept", written.kept), ("taken out", written.taken_out)):
        if requirements:
            click.echo(f"{word}: {', '.join(requirements)}")
    if written.added and not (reason and owner and ticket):
        click.echo(f"fill in reason, owner and ticket in {out}, then: genstore-conformance run --waivers {out}")

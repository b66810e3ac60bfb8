"""``doctor``: what stands in the way of a run."""

import sys

import click

from conformance.commands.options import orders_option
from conformance.commands.targets import opened
from conformance.outcome import EXIT_CODES, Conclusion


@click.command("doctor")
@click.argument("target", default="reference")
@orders_option
def command(target: str, orders: str | None) -> None:
    """Examine TARGET before any judging: connection, tokens, orders, dialect, limits; with a remedy for each trouble.

    It makes a few orders and refunds of 10.00, of which it approves one and rejects the others. Exit status: 0 when a
    run can be made, 3 when something is in its way.
    """
    from conformance.running import doctor
    from conformance.running.session import open_session

    troubled = False
    with opened(target, orders) as subject:
        session = open_session(subject)
        try:
            for finding in doctor.examine(session):
                troubled |= finding.state is doctor.State.TROUBLE
                seen = " ".join(session.wire.redact(finding.seen).split())
                click.echo(f"{finding.state:<8} {finding.subject:<21} {seen}")
                if finding.remedy:
                    click.echo(f"{'':<8} {'':<21} → {finding.remedy}")
        finally:
            session.close()
    sys.exit(EXIT_CODES[Conclusion.INCOMPLETE] if troubled else 0)

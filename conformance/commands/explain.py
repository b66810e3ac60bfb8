"""``explain``: one requirement."""

import click

from conformance.outcome import UsageError
from conformance.spelling import unknown


@click.command("explain")
@click.argument("requirement")
def command(requirement: str) -> None:
    """Explain one REQUIREMENT: what it asks, why, where the page says so, and how it is checked."""
    from conformance import console
    from conformance.catalogue import load_catalogue
    from conformance.faults import load_faults
    from conformance.running.plugin import find_checks

    catalogue = load_catalogue()
    identifier = requirement.upper()
    if identifier not in catalogue.requirements:
        raise UsageError(unknown(requirement, list(catalogue.requirements), "requirement"))
    faults = [fault for fault in load_faults().values() if fault.requirement == identifier]
    console.explain(catalogue, identifier, find_checks(catalogue, selection=(identifier,)), faults)

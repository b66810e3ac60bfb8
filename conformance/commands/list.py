"""``list``: the requirements and their checks."""

import click

from conformance.commands.options import select_option, selected


@click.command("list")
@select_option
def command(selection: tuple[str, ...]) -> None:
    """List the requirements, with level, basis, page lines and checks."""
    from conformance import console
    from conformance.catalogue import load_catalogue
    from conformance.running.plugin import find_checks

    catalogue = load_catalogue()
    console.list_requirements(catalogue, find_checks(catalogue, selection=selected(selection)))

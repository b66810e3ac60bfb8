"""``serve``: the reference as a sandbox."""

from pathlib import Path

import click


@click.command("serve")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Loopback port; 0 takes a free one."
)
@click.option(
    "--db", type=click.Path(path_type=Path, dir_okay=False), help="Keep the state in this file [default: memory]."
)
def command(port: int, db: Path | None) -> None:
    """Run the reference server as a sandbox to write a client against."""
    from conformance.sandbox import serve_sandbox

    serve_sandbox(port, db)

"""The command line: its group of commands, each a module of ``commands``."""

import importlib
import io
import os
import sys
import traceback
from typing import Any

import click

from conformance import __version__
from conformance.outcome import EXIT_INTERRUPTED, EXIT_SUITE_FAILED, EXIT_USAGE, UsageError

COMMANDS = (
    "run",
    "doctor",
    "plan",
    "report",
    "merge",
    "serve",
    "list",
    "explain",
    "compare",
    "tidy",
    "waive",
    "prove",
)


class Group(click.Group):
    """Imports a command when it is called, and shows a user's mistake as one message, without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click hands it over
        """Return the names of the commands, the most used first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Return a command by its name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"conformance.commands.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; exit with 2 when the user made a mistake, and with 4 when we did."""
        for stream in (sys.stdout, sys.stderr):  # not every terminal knows every character of a target's answer
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        try:
            return super().invoke(ctx)
        except UsageError as mistake:
            click.echo(f"genstore-conformance: {mistake}", err=True)
            ctx.exit(EXIT_USAGE)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except BrokenPipeError:  # who read has seen enough; exit status 1 would say something of the target
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(EXIT_INTERRUPTED)
        except (KeyboardInterrupt, click.Abort):
            click.echo("genstore-conformance: interrupted", err=True)
            ctx.exit(EXIT_INTERRUPTED)
        except Exception:  # noqa: BLE001 - any exit status but 4 would say something of the target
            click.echo(f"genstore-conformance failed; please report this:\n{traceback.format_exc()}", err=True)
            ctx.exit(EXIT_SUITE_FAILED)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def main() -> None:
    """Judge a server that claims to implement the Genstore refund API.

    \b
    genstore-conformance run                    try it on the embedded reference server
    genstore-conformance run staging.yaml       judge the server that a target file describes
    genstore-conformance explain CREATE-03      read what one requirement asks, and why
    genstore-conformance report run.jsonl       draw the reports of a run again

    \b
    Exit status: 0 conformant · 1 non-conformant · 2 a mistake in the command line or a file ·
    3 incomplete: nothing failed, but something could not be checked · 4 the suite itself failed
    """  # noqa: D301 - click takes the character itself

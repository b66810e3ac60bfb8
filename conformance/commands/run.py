"""``run``: judge a target and write the reports."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.commands.options import (
    Shard,
    Workers,
    folder_name,
    formats_option,
    orders_option,
    profile_option,
    select_option,
    selected,
)
from conformance.commands.settings import Configured
from conformance.commands.targets import opened
from conformance.outcome import EXIT_SUITE_FAILED, UsageError
from conformance.record import read_record

if TYPE_CHECKING:
    from conformance.catalogue import Catalogue
    from conformance.generation.stories import Story
    from conformance.results import Run


@click.command("run", cls=Configured)
@click.argument("target", default="reference")
@profile_option
@select_option
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Where generated tests start from.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of the reports [default: reports/NAME]."
)
@orders_option
@click.option("--rps", type=click.FloatRange(min=0.01), help="Send at most this many requests per second.")
@click.option(
    "--workers",
    type=Workers(),
    metavar="N|auto",
    help="Checks to run side by side; auto takes as many as the target's latency is worth, at most 8 [default: 1, or 8 "
    "that take turns where effects show late].",
)
@click.option("--max-writes", type=click.IntRange(min=2), help="Send at most this many writes, tidying up included.")
@click.option("--read-only/--no-read-only", help="Send no write at all, and make no order.")
@click.option(
    "--waivers", type=click.Path(path_type=Path, dir_okay=False), help="A file of failures that are known and accepted."
)
@click.option("--keep/--no-keep", help="Leave the refunds that are open at the end; else they are rejected.")
@click.option(
    "--shard", type=Shard(), metavar="I/N", help="Run one of N shards of the checks; merge puts them together."
)
@click.option(
    "--explore", type=click.FloatRange(min=1), metavar="SECONDS", help="Search on with fresh seeds after the checks."
)
@click.option(
    "--case", type=click.Path(path_type=Path, dir_okay=False), help="Carry out only what a saved case describes."
)
@click.option(
    "--against", type=click.Path(path_type=Path, dir_okay=False), help="Compare with the record of an earlier run."
)
@click.option(
    "--fail-on",
    type=click.Choice(("any", "new")),
    default="any",
    show_default=True,
    help="What the exit status tells: any failure, or only what is worse than in --against.",
)
@formats_option
@click.option("--verbose", "-v", is_flag=True, help="Show the exchanges of what failed.")
def command(
    target: str, profile: str, selection: tuple[str, ...], seed: int, out: Path | None, orders: str | None,
    rps: float | None, workers: int | None, shard: tuple[int, int] | None, max_writes: int | None,
    waivers: Path | None, read_only: bool, keep: bool,  # noqa: FBT001 - flags of the command line
    explore: float | None, case: Path | None, against: Path | None,
    fail_on: str, formats: tuple[str, ...], verbose: bool,  # noqa: FBT001 - as above
) -> None:  # fmt: skip
    """Judge TARGET and write the reports.

    \b
    TARGET is one of
      reference        the embedded reference server (the default)
      FILE.yaml        a target file: base_url, tokens, orders (see README)
      https://…        a base URL; the token comes from GENSTORE_TOKEN, orders from --orders
      fault:NAME       a deliberately faulty server, to see a failure
      variant:NAME     an honest server that reads the page differently

    \b
    Examples
      genstore-conformance run staging.yaml --profile quick
      genstore-conformance run fault:refuses-but-revives --select review
    """  # noqa: D301 - click takes the character itself
    from conformance import console
    from conformance.catalogue import load_catalogue
    from conformance.compare import compare, exit_for_new
    from conformance.report import check_formats
    from conformance.running.run import Options
    from conformance.running.run import run as judge
    from conformance.waivers import load_waivers

    catalogue = load_catalogue()
    chosen, story = _chosen(selection, case)
    check_formats(formats)
    if read_only and max_writes is not None:
        raise UsageError("--read-only is no write at all; give it or --max-writes, not both")
    if fail_on == "new" and against is None:
        raise UsageError("--fail-on new needs the record to compare with: --against LAST.jsonl")
    last = None if against is None else read_record(against)  # now, since the run may take its place
    options = Options(
        profile=profile, selection=chosen, seed=seed, requests_per_second=rps, workers=workers, shard=shard,
        max_writes=0 if read_only else max_writes, keep=keep,
        waivers=() if waivers is None else load_waivers(waivers, catalogue),
        spoken_target=target, spoken_orders=orders, case=story, case_path="" if case is None else str(case),
        explore=explore or 0.0,
    )  # fmt: skip
    with opened(target, orders) as subject:
        folder = out or Path("reports") / folder_name(subject.name)
        with console.Progress() as progress:
            done = judge(subject, catalogue, folder, options, listener=progress)
    _report(done, catalogue, folder, formats, verbose=verbose)
    if last is not None:
        found = compare(last, done, catalogue)
        console.comparison(found)
        if fail_on == "new":
            sys.exit(exit_for_new(found, done))
    sys.exit(done.exit)


def _chosen(selection: tuple[str, ...], case: Path | None) -> tuple[tuple[str, ...], "Story | None"]:
    """Return the requirements that a run is about, and the one story of a case file."""
    from conformance.generation.cases import load_case

    if case is None:
        return selected(selection), None
    if selection:
        raise UsageError("--case is about the requirement of its file; leave out --select")
    requirement, story = load_case(case)
    return (requirement,), story


def _report(run: "Run", catalogue: "Catalogue", folder: Path, formats: tuple[str, ...], *, verbose: bool) -> None:
    """Draw the reports of a run and tell of it; what could not be written ends the command, with the verdict shown."""
    from conformance import console
    from conformance.catalogue import load_proof
    from conformance.report import draw

    paths, unwritten = {"record": folder / "run.jsonl"}, run.unwritten
    try:
        paths |= draw(run, catalogue, folder, formats, proof=load_proof())
    except UsageError as trouble:  # the folder could be written to when the run began
        unwritten = unwritten or str(trouble)
    console.summary(run, catalogue, paths, verbose=verbose)
    if run.footer and run.footer.get("suite_error"):
        click.echo(f"the suite itself failed; please report this:\n{run.footer['suite_error']}", err=True)
    if unwritten is not None:
        click.echo(f"{folder}: not everything could be written: {unwritten}. The verdict stands as shown.", err=True)
        sys.exit(EXIT_SUITE_FAILED)

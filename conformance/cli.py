"""The command line: each command a thin call."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from conformance import __version__
from conformance.results import EXIT_CODES, EXIT_USAGE, UsageError

PROFILES = ("quick", "standard", "full")
DEFAULT_FORMATS = ("html", "junit")


class Group(click.Group):
    """Shows a user's mistake as one message, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; exit with 2 when the user made a mistake."""
        try:
            return super().invoke(ctx)
        except UsageError as mistake:
            click.echo(f"genstore-conformance: {mistake}", err=True)
            ctx.exit(EXIT_USAGE)


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


@main.command()
@click.argument("target", default="reference")
@click.option(
    "--profile", type=click.Choice(PROFILES), default="standard", show_default=True, help="How much to check."
)
@click.option(
    "--select", "selection", multiple=True, metavar="ID|AREA", help="Check only this requirement or area; repeatable."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Where generated tests start from.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of the reports [default: reports/NAME]."
)
@click.option("--orders", metavar="URL", help="The order provider, when TARGET is a base URL.")
@click.option("--rps", type=click.FloatRange(min=0.01), help="Send at most this many requests per second.")
@click.option(
    "--format", "formats", multiple=True, metavar="NAME", help="Reports to draw; repeatable [default: html, junit]."
)
@click.option("--verbose", "-v", is_flag=True, help="Show the exchanges of what failed.")
def run(
    target: str, profile: str, selection: tuple[str, ...], seed: int, out: Path | None, orders: str | None,
    rps: float | None, formats: tuple[str, ...], verbose: bool,  # noqa: FBT001 - a flag of the command line
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
    from conformance.proof import load_proof
    from conformance.report import check_formats, draw
    from conformance.run import Options
    from conformance.run import run as judge

    catalogue = load_catalogue()
    chosen = _selected(selection)
    check_formats(formats)
    options = Options(profile, chosen, seed, rps, spoken_target=target)
    with _opened(target, orders) as opened:
        folder = out or Path("reports") / _folder_name(opened.name)
        with console.Progress() as progress:
            done = judge(opened, catalogue, folder, options, listener=progress)
    paths = draw(done, catalogue, folder, formats or DEFAULT_FORMATS, proof=load_proof())
    console.summary(done, catalogue, {"record": folder / "run.jsonl", **paths}, verbose=verbose)
    if done.footer and done.footer.get("suite_error"):
        click.echo(f"the suite itself failed; please report this:\n{done.footer['suite_error']}", err=True)
    sys.exit(EXIT_CODES[done.conclusion])


@main.command()
@click.argument("record", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the reports [default: beside the record].",
)
@click.option(
    "--format", "formats", multiple=True, metavar="NAME", help="Reports to draw; repeatable [default: html, junit]."
)
def report(record: Path, out: Path | None, formats: tuple[str, ...]) -> None:
    """Draw the reports of a RECORD (run.jsonl) again; no server is needed."""
    from conformance import console
    from conformance.catalogue import load_catalogue
    from conformance.proof import load_proof
    from conformance.report import check_formats, draw
    from conformance.results import read_record

    check_formats(formats)
    catalogue = load_catalogue()
    done = read_record(record)
    folder = out or record.parent
    folder.mkdir(parents=True, exist_ok=True)
    paths = draw(done, catalogue, folder, formats or DEFAULT_FORMATS, proof=load_proof())
    console.summary(done, catalogue, {"record": record, **paths})
    sys.exit(EXIT_CODES[done.conclusion])


@main.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Loopback port; 0 takes a free one."
)
@click.option(
    "--db", type=click.Path(path_type=Path, dir_okay=False), help="Keep the state in this file [default: memory]."
)
def serve(port: int, db: Path | None) -> None:
    """Run the reference server as a sandbox to write a client against."""
    from conformance.sandbox import serve_sandbox

    serve_sandbox(port, db)


@main.command("list")
@click.option(
    "--select", "selection", multiple=True, metavar="ID|AREA", help="Only this requirement or area; repeatable."
)
def list_(selection: tuple[str, ...]) -> None:
    """List the requirements, with level, basis, page lines and checks."""
    from conformance import console
    from conformance.catalogue import load_catalogue
    from conformance.plugin import find_checks

    catalogue = load_catalogue()
    console.list_requirements(catalogue, find_checks(catalogue, selection=_selected(selection)))


@main.command()
@click.argument("requirement")
def explain(requirement: str) -> None:
    """Explain one REQUIREMENT: what it asks, why, where the page says so, and how it is checked."""
    from conformance import console
    from conformance.catalogue import load_catalogue
    from conformance.faults import load_faults
    from conformance.plugin import find_checks

    catalogue = load_catalogue()
    identifier = requirement.upper()
    if identifier not in catalogue.requirements:
        raise UsageError(_unknown(requirement, list(catalogue.requirements), "requirement"))
    faults = [fault for fault in load_faults().values() if fault.requirement == identifier]
    console.explain(catalogue, identifier, find_checks(catalogue, selection=(identifier,)), faults)


def _selected(selection: tuple[str, ...]) -> tuple[str, ...]:
    from conformance.catalogue import AREAS, load_catalogue

    known = [*load_catalogue().requirements, *AREAS]
    chosen = []
    for word in selection:
        match = next((name for name in known if name.lower() == word.lower()), None)
        if match is None:
            raise UsageError(_unknown(word, known, "requirement or area"))
        chosen.append(match)
    return tuple(chosen)


def _unknown(word: str, known: list[str], kind: str) -> str:
    import difflib
    import re

    folded = {name.lower(): name for name in known}
    near = [folded[name] for name in difflib.get_close_matches(word.lower(), folded, n=4, cutoff=0.5)]
    padded = re.sub(r"(?<=[a-z])-?([0-9])$", r"-0\1", word.lower())
    near = list(dict.fromkeys([*(folded[name] for name in folded if name == padded), *near]))
    hint = f"Did you mean {', '.join(near)}?" if near else "See genstore-conformance list."
    return f"there is no {kind} {word!r}. {hint}"


def _folder_name(name: str) -> str:
    import re

    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "target"


@contextlib.contextmanager
def _opened(spoken: str, orders: str | None) -> Iterator[Any]:
    """Find what a word on the command line means, and start it if it is one of ours."""
    from conformance.target import load_target

    if spoken.startswith(("http://", "https://")):
        yield _from_url(spoken, orders)
        return
    if orders is not None:
        raise UsageError("--orders goes with a base URL; a target file names its order provider itself")
    if spoken == "reference" or spoken.partition(":")[0] in {"fault", "variant"}:
        from conformance.reference.server import serving

        reference = _ours(spoken)
        with serving(reference.app) as origin:
            yield reference.target(origin, name=spoken)
        return
    yield load_target(Path(spoken))


def _from_url(base_url: str, orders: str | None) -> Any:
    import os

    from conformance.target import target_of_url

    token = os.environ.get("GENSTORE_TOKEN")
    if not token:
        raise UsageError("set GENSTORE_TOKEN to an access token with all refund scopes, or write a target file")
    if orders is None:
        raise UsageError("say where test orders come from: --orders URL, or write a target file with orders")
    return target_of_url(base_url, token, orders)


def _ours(spoken: str) -> Any:
    from conformance.faults import load_faults
    from conformance.reference.server import make_reference
    from conformance.variants import load_variants

    kind, _, name = spoken.partition(":")
    if kind == "reference":
        return make_reference()
    shelf: dict[str, Any] = dict(load_faults() if kind == "fault" else load_variants())
    if name not in shelf:
        raise UsageError(_unknown(name, list(shelf), kind))
    return shelf[name].make()


@main.command()
@click.option("--area", help="Only the faults of this area, and no variants.")
@click.option("--fault", help="Only this fault.")
@click.option(
    "--profile", type=click.Choice(PROFILES), default="standard", show_default=True, help="How much to check."
)
@click.option("--workers", type=click.IntRange(1), help="Processes [default: all cores].")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("reports/proof"), show_default=True
)
@click.option(
    "--publish",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write which faults each requirement is proven to catch, for the reports.",
)
def prove(
    area: str | None, fault: str | None, profile: str, workers: int | None, out: Path, publish: Path | None
) -> None:
    """Prove that every requirement can fail: judge every faulty and every honest server of the shelf."""
    from conformance import console, proof
    from conformance.catalogue import AREAS
    from conformance.faults import load_faults
    from conformance.report.matrix import draw_matrix

    if area is not None and area not in AREAS:
        raise UsageError(_unknown(area, list(AREAS), "area"))
    if fault is not None and fault not in load_faults():
        raise UsageError(_unknown(fault, list(load_faults()), "fault"))
    with console.proving() as tell:
        matrix = proof.prove(out, area=area, fault=fault, profile=profile, workers=workers, tell=tell)
    if publish is not None:
        proof.publish(matrix, publish)
    console.proof_summary(matrix, {"matrix": out / "matrix.json", "page": draw_matrix(matrix, out)})
    sys.exit(0 if proof.proven(matrix) else 1)

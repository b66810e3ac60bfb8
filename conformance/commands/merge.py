"""``merge``: the records of a fleet's shards as one run."""

import sys
from pathlib import Path

import click

from conformance.commands.options import formats_option


@click.command("merge")
@click.argument("records", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports/merged"),
    show_default=True,
    help="Folder of the record and the reports.",
)
@formats_option
def command(records: tuple[Path, ...], out: Path, formats: tuple[str, ...]) -> None:
    """Merge the RECORDS of every shard (run --shard I/N) into one record, with one verdict and one set of reports."""
    from conformance import console
    from conformance.catalogue import load_catalogue, load_proof
    from conformance.merge import merge_records
    from conformance.report import check_formats, draw

    check_formats(formats)
    catalogue = load_catalogue()
    record = out / "run.jsonl"
    done = merge_records(records, record)
    paths = draw(done, catalogue, out, formats, proof=load_proof())
    console.summary(done, catalogue, {"record": record, **paths})
    sys.exit(done.exit)

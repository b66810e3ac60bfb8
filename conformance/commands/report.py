"""``report``: draw the reports of a record again."""

import sys
from pathlib import Path

import click

from conformance.commands.options import formats_option


@click.command("report")
@click.argument("record", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the reports [default: beside the record].",
)
@formats_option
def command(record: Path, out: Path | None, formats: tuple[str, ...]) -> None:
    """Draw the reports of a RECORD (run.jsonl) again; no server is needed."""
    from conformance import console
    from conformance.catalogue import load_catalogue, load_proof
    from conformance.files import made_folder
    from conformance.record import read_record
    from conformance.report import check_formats, draw

    check_formats(formats)
    catalogue = load_catalogue()
    done = read_record(record)
    folder = made_folder(out or record.parent)
    paths = draw(done, catalogue, folder, formats, proof=load_proof())
    console.summary(done, catalogue, {"record": record, **paths})
    sys.exit(done.exit)

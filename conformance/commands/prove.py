"""``prove``: every fault and every variant of the shelf, judged."""

import sys
from pathlib import Path

import click

from conformance.commands.options import profile_option
from conformance.outcome import UsageError
from conformance.spelling import unknown


@click.command("prove")
@click.option("--area", help="Only the faults of this area, and no variants.")
@click.option("--fault", help="Only this fault.")
@profile_option
@click.option("--workers", type=click.IntRange(1), help="Processes [default: all cores].")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("reports/proof"), show_default=True
)
@click.option(
    "--publish",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write which faults each check is proven to catch, for the reports.",
)
def command(
    area: str | None, fault: str | None, profile: str, workers: int | None, out: Path, publish: Path | None
) -> None:
    """Prove that every requirement can fail: judge every faulty and every honest server of the shelf."""
    from conformance import console, proof
    from conformance.catalogue import AREAS
    from conformance.faults import load_faults
    from conformance.report.matrix import draw_matrix

    if area is not None and area not in AREAS:
        raise UsageError(unknown(area, list(AREAS), "area"))
    if fault is not None and fault not in load_faults():
        raise UsageError(unknown(fault, list(load_faults()), "fault"))
    with console.proving() as tell:
        matrix = proof.prove(out, area=area, fault=fault, profile=profile, workers=workers, tell=tell)
    if publish is not None:
        proof.publish(matrix, publish)
    console.proof_summary(matrix, {"matrix": out / "matrix.json", "page": draw_matrix(matrix, out)})
    sys.exit(0 if proof.proven(matrix) else 1)

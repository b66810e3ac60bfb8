"""Reports: each format is drawn from the record of a run and the catalogue, and from nothing else."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from conformance.catalogue import Catalogue
from conformance.report.html import draw_html
from conformance.report.junit import draw_junit
from conformance.report.material import PAGE, Material
from conformance.results import Run, UsageError


@frozen
class Renderer:
    """One format: the name of its file, and how its text is made."""

    file: str
    render: Callable[[Material], str]


FORMATS: dict[str, Renderer] = {
    "html": Renderer(PAGE, draw_html),
    "junit": Renderer("junit.xml", draw_junit),
}


def draw(
    run: Run,
    catalogue: Catalogue,
    folder: Path,
    formats: Sequence[str] = ("html", "junit"),
    *,
    proof: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Path]:
    """Write the reports of a run into a folder and return their paths by format.

    A report that was there is replaced as a whole, or not at all.

    Raises:
        UsageError: a format is unknown, or the folder cannot be written to.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise UsageError(f"there is no format {unknown[0]!r}. Formats: {', '.join(FORMATS)}")
    material = Material(run, catalogue, folder, proof or {})
    return {name: _write(folder / FORMATS[name].file, FORMATS[name].render(material)) for name in formats}


def _write(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
            file.write(text)
        # A temporary file is its maker's alone; a report is for everyone who may read its folder.
        Path(file.name).chmod(0o666 & ~_umask())
        return Path(file.name).replace(path)
    except OSError as error:
        raise UsageError(f"{path}: the report cannot be written: {error.strerror}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

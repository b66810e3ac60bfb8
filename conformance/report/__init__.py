"""Reports: each format is drawn from the record of a run and the catalogue, and from nothing else."""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from conformance.catalogue import Catalogue
from conformance.files import replace_text
from conformance.outcome import UsageError
from conformance.report.material import PAGE, SCRIPTS, Material
from conformance.report.repro import NAME
from conformance.results import Run


@frozen
class Renderer:
    """One format: the name of its file, and of the module that draws it, which is imported only for that."""

    file: str
    module: str

    def render(self, material: Material) -> str:
        """Return the text of the report."""
        module = importlib.import_module(f"conformance.report.{self.module}")
        text: str = getattr(module, f"draw_{self.module}")(material)
        return text


FORMATS: dict[str, Renderer] = {
    "html": Renderer(PAGE, "html"),
    "junit": Renderer("junit.xml", "junit"),
    "markdown": Renderer("summary.md", "markdown"),
    "ctrf": Renderer("ctrf.json", "ctrf"),
    "har": Renderer("traffic.har", "har"),
    "json": Renderer("conformance.json", "machine"),
}


def check_formats(formats: Sequence[str]) -> None:
    """Each format is known.

    Raises:
        UsageError: one is not.
    """
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"there is no format {name!r}. Formats: {', '.join(FORMATS)}")


def draw(
    run: Run,
    catalogue: Catalogue,
    folder: Path,
    formats: Sequence[str] = ("html", "junit"),
    *,
    proof: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> dict[str, Path]:
    """Write the reports of a run into a folder and return their paths by format.

    A report that was there is replaced as a whole, or not at all. Beside them are the scripts of the failed checks,
    which the page and the JUnit file name.

    Raises:
        UsageError: a format is unknown, or the folder cannot be written to.
    """
    check_formats(formats)
    material = Material(run, catalogue, folder, proof or {})
    paths = {name: replace_text(folder / FORMATS[name].file, FORMATS[name].render(material)) for name in formats}
    return paths | _write_scripts(folder / SCRIPTS, {each.name: each.text for each in material.scripts.values()})


def _write_scripts(folder: Path, texts: Mapping[str, str]) -> dict[str, Path]:
    """Leave the scripts of this run in the folder, none of an earlier one, and whatever else is there."""
    try:
        for old in folder.glob("*.sh"):
            if NAME.fullmatch(old.name) and old.name not in texts:
                old.unlink()
        if not texts and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise UsageError(f"{folder}: an old script cannot be removed: {error.strerror}") from None
    for name, text in texts.items():
        replace_text(folder / name, text)
    return {SCRIPTS: folder} if texts else {}

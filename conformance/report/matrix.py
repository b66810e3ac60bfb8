"""The proof as a page: which fault each requirement is proven to catch, and what is not as it should be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.catalogue import load_catalogue
from conformance.files import replace_text


def draw_matrix(matrix: Mapping[str, Any], folder: Path) -> Path:
    """Write ``matrix.html`` into a folder and return its path; it needs no script and no network."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("conformance", "report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    by_requirement = {
        identifier: [fault for fault in matrix["faults"] if identifier in fault["failed"]]
        for identifier in load_catalogue().requirements
    }
    page = environment.get_template("matrix.html.j2").render(
        matrix=matrix, requirements=load_catalogue().requirements, by_requirement=by_requirement
    )
    return replace_text(folder / "matrix.html", page)

"""The lines of the record: each shows what was asked for it."""

from decimal import Decimal

import pytest

from conformance.judging import verify
from conformance.model import Refund, read_number
from conformance.outcome import Blocked
from conformance.running.plugin import requirement
from conformance.running.session import Session
from conformance.suite.given.reasons import REASONS, Reasons, each_line, each_reason
from conformance.suite.given.specimens import Specimen, entry, readable


@requirement("RECORD-52", profile="quick")
@pytest.mark.parametrize("operation", ["create", "get"])
def test_the_lines_are_those_asked_for(specimen: Specimen, operation: str) -> None:
    """Both lines are there, each once, and no other; unless they are stored wrongly, which CREATE judges by list."""
    told = readable({operation: specimen.shown.get(operation)}, lines_of, "the lines")[operation]
    listed = specimen.shown.get("list")
    if listed is None or told != lines_of(listed):
        verify.same(
            sorted(part.line.line_item_id for part in specimen.parts), told, f"the lines in the answer of {operation}"
        )


def lines_of(refund: Refund) -> list[str] | None:
    """Return the lines that a refund is about, if each of them can be read."""
    told = [line.line_item_id for line in refund.lines if line.line_item_id is not None]
    return sorted(map(str, told)) if refund.all_lines_read and len(told) == len(refund.lines) else None


@requirement("RECORD-53", profile="quick")
@pytest.mark.parametrize("operation", ["create", "get"])
def test_each_line_shows_its_quantity(specimen: Specimen, operation: str) -> None:
    """Three units of the one line, two of the other; unless other units are stored, which CREATE judges by list."""
    refund = readable({operation: specimen.shown.get(operation)}, readable_units, "the units")[operation]
    asked = {part.line.line_item_id: Decimal(part.quantity) for part in specimen.parts}
    if lines_of(refund) != sorted(asked):
        raise Blocked("the lines are already not those that were asked for (RECORD-52)")
    listed = specimen.shown.get("list")
    if listed is None or refund.quantities != listed.quantities:
        verify.same(asked, refund.quantities, f"the units of each line in the answer of {operation}")


def readable_units(refund: Refund) -> Refund | None:
    """Return the refund if the units of each of its lines can be read."""
    return refund if refund.all_units_read else None


@requirement("RECORD-54", profile="quick")
def test_each_line_shows_its_reason(specimen: Specimen) -> None:
    """Each line has a reason of its own."""
    each_reason(specimen)


@requirement("RECORD-59", profile="quick")
def test_each_line_shows_its_reason_type(specimen: Specimen) -> None:
    """The reason type is 0, the only one that the page shows (reading A11)."""
    each_line(specimen, lambda line: read_number(line.reason_type), lambda _: 0, "the reason type")


@requirement("RECORD-62", profile="quick")
def test_each_line_shows_its_product_and_variant(session: Session, specimen: Specimen) -> None:
    """Product and variant are those of the order's line, as far as the order provider named them."""
    lines = [part.line for part in specimen.parts]
    if all(line.product_id for line in lines):
        each_line(specimen, lambda line: line.product_id, lambda part: part.line.product_id, "the product")
    if all(line.variant_id for line in lines):
        each_line(specimen, lambda line: line.variant_id, lambda part: part.line.variant_id, "the variant")
    if not any(line.product_id or line.variant_id for line in lines):
        session.observe("A07", "the order provider names neither products nor variants, so none could be compared")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=requirement(identifier)) for name, (identifier, _) in REASONS.items()]
)
def test_an_unusual_reason_stays_as_it_is(session: Session, reasons: Reasons, name: str) -> None:
    """The reason is shown to the letter, or the create is refused (reading A12)."""
    part, answers = reasons.parts[name], reasons.answers[name]
    verify.decided(answers[0])
    if answers[0].refused:
        session.observe("A12", f"a reason like {part.reason[:40]!r} is refused")
        return
    shown = [line for answer in answers if (refund := entry(answer)) for line in refund.lines]
    told = [line.reason for line in shown if line.line_item_id == part.line.line_item_id and line.reason is not None]
    if not told:
        raise Blocked("no answer shows the reason of the line")
    for reason in told:
        verify.same(part.reason, reason, "the reason")

"""Refunds whose lines have unusual reasons."""

from collections.abc import Callable

import pytest
from attrs import define

from conformance.http.answer import Answer
from conformance.http.client import Part, RefundApi
from conformance.judging import arrange, verify
from conformance.model import Order, RefundLine, RightsType
from conformance.outcome import Blocked
from conformance.suite.given.benches import NewOrder
from conformance.suite.given.specimens import Specimen, control


def each_line(
    specimen: Specimen, read: Callable[[RefundLine], object], asked: Callable[[Part], object], what: str
) -> None:
    """In every answer each line shows what was asked for it; a line or a value that is not there is judged as such."""
    seen = 0
    for operation, refund in specimen.shown.items():
        lines = {line.line_item_id: line for line in refund.lines}
        for part in specimen.parts:
            line = lines.get(part.line.line_item_id)
            if line is not None and read(line) is not None:
                seen += 1
                where = f"{what} of line {part.line.line_item_id} in the answer of {operation}"
                verify.same(asked(part), read(line), where)
    if not seen:
        raise Blocked(f"no answer shows {what} of a line")


def each_reason(specimen: Specimen) -> None:
    """Each line shows the reason that it was given."""
    each_line(specimen, lambda line: line.reason, lambda part: part.reason, "the reason")


LONG = "600 characters"
REASONS = {
    "quotes": ("RECORD-55", "It's \"broken\", and so is `that`"),
    "markup": ("RECORD-55", "<b>Broken</b> & <script>alert(1)</script> &amp; &lt;"),
    "percent": ("RECORD-55", "100% gone, *see* https://example.org/a?b=1#c %41 %s {0} ${x} + {{y}}"),
    "backslash": ("RECORD-55", 'C:\\new\\temp \\u0041 \\" \\\\'),
    "line break": ("RECORD-55", "The first line\r\nthe second\nand\ta tab"),
    "all in quotes": ("RECORD-55", '"It is broken"'),
    "digits": ("RECORD-55", "0042"),
    "a zero": ("RECORD-55", "0"),
    "the word null": ("RECORD-55", "null"),
    "the word true": ("RECORD-55", "true"),
    "a date": ("RECORD-55", "3/4"),
    "a formula": ("RECORD-55", "=1+1"),
    "dollars": ("RECORD-55", "$$5 too much, $1 and $& of it"),
    "Chinese": ("RECORD-56", "包装破损，需要退款"),
    "accents": ("RECORD-56", "Déjà vu – naïve\u00a0Größe, ещё раз, مكسور"),
    "emoji": ("RECORD-56", "It came so 📦👎🏽 to a 👩‍👧, sadly ❤️"),
    "typography": ("RECORD-56", "The “new” one isn’t – it’s used…"),
    "200 characters": ("RECORD-57", ("abcdefghi " * 20)[:199] + "."),
    "blanks": ("RECORD-58", "  two blanks on each side, and  in the middle  "),
    LONG: ("RECORD-57", ("0123456789 " * 55)[:599] + "."),
}  # fmt: skip


@define
class Reasons:
    """Refunds with unusual reasons: what create, get and list answered, and which line has which."""

    parts: dict[str, Part]
    answers: dict[str, list[Answer]]


@pytest.fixture(scope="session")
def reasons(api: RefundApi, new_order: NewOrder, plain_reason: None) -> Reasons:
    """One refund without return with a line for each reason; where it is refused, without the long one, or one each."""
    order = new_order(*[(1, "10.00")] * len(REASONS))
    parts = {name: Part(line, 1, text) for (name, (_, text)), line in zip(REASONS.items(), order.lines, strict=False)}
    together = shown_by(api, order, *parts.values())
    if together[0].accepted:
        return Reasons(parts, dict.fromkeys(parts, together))
    shorter = shown_by(api, order, *(part for name, part in parts.items() if name != LONG))
    if shorter[0].accepted:
        return Reasons(parts, dict.fromkeys(parts, shorter) | {LONG: together})
    orders = {name: new_order() for name in parts}
    alone = {name: Part(orders[name].line, 1, part.reason) for name, part in parts.items()}
    return Reasons(alone, {name: shown_by(api, orders[name], part) for name, part in alone.items()})


def shown_by(api: RefundApi, order: Order, *parts: Part) -> list[Answer]:
    """Return what create answers, and get and list after it was accepted."""
    answers = [api.create_refund(order, *parts, rights_type=RightsType.REFUND)]
    if answers[0].accepted and answers[0].refund is not None:
        arrange.await_visible(api, order, answers[0].refund)
        answers += [api.get_refund(order, answers[0].refund), api.list_refunds(order)]
    for answer in answers:
        answer.exchange.role = "probe"
    return answers


@pytest.fixture(scope="session")
def plain_reason(specimen: Specimen) -> None:
    """The control of every unusual reason: a plain one is shown as it was given."""
    with control("a plain reason is already not shown as it was given (RECORD-54)"):
        each_reason(specimen)

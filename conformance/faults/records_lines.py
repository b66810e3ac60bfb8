"""Servers that show other lines than were asked for, or other values in them."""

import re
from collections.abc import Callable
from html import escape
from typing import Any

from attrs import evolve

from conformance.faults import breaks
from conformance.faults.records import JSON
from conformance.reference.requests import RefundRequest
from conformance.reference.rules import Shop
from conformance.reference.store import StoredRefund, StoredRefundLine


@breaks("RECORD-52")
class CreateAnswersTheFirstLine(Shop):
    """Answers a create of several lines with the first line only."""

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Cut the lines off."""
        lines = super().render_lines(operation, refund)
        return lines[:1] if operation == "create" else lines


@breaks("RECORD-52")
class CreateAnswersLinesTwice(Shop):
    """Answers a create of several lines with each line twice."""

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Double the lines."""
        lines = super().render_lines(operation, refund)
        return lines * 2 if operation == "create" and len(lines) > 1 else lines


@breaks("RECORD-52")
class GetsLinesForEachPartOfTheParcel(Shop):
    """Joins lines and logistics information when a refund is got, so that each line is there once for each of both."""

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Repeat the lines."""
        lines = super().render_lines(operation, refund)
        return lines * (len(refund.shipping) or 1) if operation == "get" else lines


def line_fault(
    requirement: str, name: str, field: str, words: str, wrong: Callable[[JSON, JSON], object], *operations: str
) -> None:
    """Make a server that shows a wrong value in each line; ``wrong`` gets the line and the first line of the refund."""

    class Wrong(Shop):
        def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
            lines = super().render_lines(operation, refund)
            if operation in operations or not operations:
                first = dict(lines[0])
                for line in lines:
                    line[field] = wrong(line, first)
            return lines

    Wrong.__doc__ = words
    breaks(requirement, name=name)(Wrong)


line_fault(
    "RECORD-53", "gets-one-unit-more", "quantity", "Gets one unit more of each line.",
    lambda line, _: str(int(line["quantity"]) + 1), "get",
)  # fmt: skip
line_fault(
    "RECORD-54", "gets-the-first-reason-for-all", "rightsReason", "Gets the reason of the first line for every line.",
    lambda _, first: first["rightsReason"], "get",
)  # fmt: skip
line_fault(
    "RECORD-54", "answers-the-sample-reason", "rightsReason", "Answers the reason of the page's samples, always.",
    lambda *_: "Description of Other Reasons.",
)  # fmt: skip
line_fault(
    "RECORD-59", "gets-another-reason-type", "rightsReasonType", "Gets the reason type 1 for every line.",
    lambda *_: "1", "get",
)  # fmt: skip
line_fault(
    "RECORD-62", "answers-sample-products", "lineItem", "Answers the product and the variant of the page's samples.",
    lambda *_: {"productId": "123", "variantId": "222"},
)  # fmt: skip
line_fault(
    "RECORD-62", "gets-the-first-product-for-all", "lineItem", "Gets the product of the first line for every line.",
    lambda _, first: first["lineItem"], "get",
)  # fmt: skip


@breaks("RECORD-62")
class MixesUpProductAndVariant(Shop):
    """Shows the variant as the product, and the product as the variant."""

    def render_line(self, operation: str, line: StoredRefundLine) -> JSON:
        """Exchange the two."""
        item = {"productId": line.line.variant, "variantId": line.line.product}
        return super().render_line(operation, line) | {"lineItem": item}


@breaks("RECORD-53")
class AttachesUnitsByPlace(Shop):
    """Attaches the units to the lines by their place in the order, when several are asked for."""

    def record(self, operation: str, refund: StoredRefund) -> JSON:
        """Let the first line have the units of the last."""
        record = super().record(operation, refund)
        units = [line["quantity"] for line in record["lineItems"]]
        if operation == "create":
            for line, quantity in zip(record["lineItems"], reversed(units), strict=True):
                line["quantity"] = quantity
        return record


def reason_fault(requirement: str, name: str, words: str, change: Callable[[str], str]) -> None:
    """Make a server that stores a changed reason."""

    class Changing(Shop):
        def read_reason(self, value: Any) -> str:
            return change(super().read_reason(value))

    Changing.__doc__ = words
    breaks(requirement, name=name)(Changing)


reason_fault(
    "RECORD-54", "keeps-no-reasons", "Stores no reason.", lambda _: ""
)  # fmt: skip
reason_fault(
    "RECORD-54", "drops-the-last-period", "Stores a reason without its last period.", lambda text: text.rstrip(".")
)  # fmt: skip
reason_fault(
    "RECORD-55", "escapes-markup", "Stores reasons escaped for HTML.",
    lambda text: text.replace("&", "&amp;").replace("<", "&lt;"),
)  # fmt: skip
reason_fault(
    "RECORD-55", "doubles-quotes", "Stores each quotation mark twice.", lambda text: text.replace("'", "''")
)  # fmt: skip
reason_fault(
    "RECORD-55", "resolves-escapes", "Resolves escape sequences in reasons once more.",
    lambda text: text.replace("\\u0041", "A"),
)  # fmt: skip
reason_fault(
    "RECORD-55", "joins-lines", "Stores a reason of several lines as one.", lambda text: text.replace("\n", " ")
)  # fmt: skip
reason_fault(
    "RECORD-55", "resolves-percent-signs", "Decodes reasons like parts of a URL.",
    lambda text: text.replace("%41", "A"),
)  # fmt: skip
reason_fault(
    "RECORD-55", "drops-asterisks", "Takes the marks of formatted text out of reasons.",
    lambda text: text.replace("*", ""),
)  # fmt: skip
reason_fault(
    "RECORD-55", "drops-addresses", "Takes web addresses out of reasons.",
    lambda text: re.sub(r"https?://\S+", "", text),
)  # fmt: skip
reason_fault(
    "RECORD-56", "makes-all-blanks-alike", "Stores plain blanks for those that do not break.",
    lambda text: text.replace("\u00a0", " "),
)  # fmt: skip
reason_fault(
    "RECORD-57", "keeps-500-characters", "Cuts reasons off after 500 characters.", lambda text: text[:500]
)  # fmt: skip
reason_fault(
    "RECORD-55", "takes-digits-for-numbers", "Stores a reason that is all digits as a number.",
    lambda text: str(int(text)) if text.isdecimal() else text,
)  # fmt: skip
reason_fault(
    "RECORD-55", "takes-zero-for-no-reason", "Stores nothing for a reason that is a zero, as its language has it.",
    lambda text: "" if text == "0" else text,
)  # fmt: skip
reason_fault(
    "RECORD-55", "unwraps-quoted-reasons", "Stores a reason without the quotation marks around it.",
    lambda text: text[1:-1] if text[:1] == text[-1:] == '"' else text,
)  # fmt: skip
reason_fault(
    "RECORD-56", "keeps-only-ascii", "Stores a question mark for every character beyond ASCII.",
    lambda text: text.encode("ascii", "replace").decode(),
)  # fmt: skip
reason_fault(
    "RECORD-56", "keeps-no-emoji", "Stores a question mark for every character of four bytes.",
    lambda text: "".join(c if ord(c) < 0x10000 else "?" for c in text),
)  # fmt: skip
reason_fault(
    "RECORD-56", "reads-utf8-as-latin1", "Decodes reasons in another charset than they were sent in.",
    lambda text: text.encode().decode("latin-1"),
)  # fmt: skip
reason_fault("RECORD-57", "cuts-reasons-off", "Stores the first 100 characters of a reason.", lambda text: text[:100])
reason_fault("RECORD-57", "keeps-199-characters", "Stores the first 199 characters of a reason.", lambda t: t[:199])
reason_fault("RECORD-57", "keeps-255-characters", "Stores the first 255 characters of a reason.", lambda t: t[:255])
reason_fault("RECORD-58", "trims-reasons", "Stores a reason without the blanks around it.", str.strip)


@breaks("RECORD-55")
class EscapesReasonsInLists(Shop):
    """Writes the markup of a reason as entities in a list."""

    def render_line(self, operation: str, line: StoredRefundLine) -> JSON:
        """Escape."""
        rendered = super().render_line(operation, line)
        return rendered | {"rightsReason": escape(line.reason)} if operation == "list" else rendered


class AltersReasons(Shop):
    """Shows another reason than the one that was given, where it looks like something else than words."""

    def altered(self, reason: str) -> str:
        """Return what becomes of a reason."""
        return reason

    def render_line(self, operation: str, line: StoredRefundLine) -> JSON:
        """Show what became of it."""
        return super().render_line(operation, line) | {"rightsReason": self.altered(line.reason)}


@breaks("RECORD-55")
class WritesLineBreaksAlike(AltersReasons):
    """Writes each line break of a reason as a line feed alone."""

    def altered(self, reason: str) -> str:
        """Make them alike."""
        return reason.replace("\r\n", "\n")


@breaks("RECORD-55")
class TakesTheWordNullForNothing(AltersReasons):
    """Shows no reason where it is the word null, or none."""

    def altered(self, reason: str) -> str:
        """Take a word for nothing."""
        return "" if reason.lower() in {"null", "none", "n/a", "undefined"} else reason


@breaks("RECORD-55")
class GuessesWhatReasonsAre(AltersReasons):
    """Takes a reason for a date, or for a truth value, where it looks like one, and writes that."""

    def altered(self, reason: str) -> str:
        """Guess."""
        if reason in {"true", "false"}:
            return reason.capitalize()
        return re.sub(r"^(\d)/(\d)$", r"0\1.0\2.", reason)


@breaks("RECORD-55")
class GuardsReasonsAgainstSpreadsheets(AltersReasons):
    """Puts an apostrophe before a reason that a spreadsheet would calculate."""

    def altered(self, reason: str) -> str:
        """Guard it."""
        return f"'{reason}" if reason[:1] in {"=", "+", "-", "@"} else reason


@breaks("RECORD-55")
class ReplacesIntoReasons(AltersReasons):
    """Writes a reason by a replacement in a template, where two dollars are one."""

    def altered(self, reason: str) -> str:
        """Replace."""
        return reason.replace("$$", "$")


@breaks("RECORD-56")
class DropsJoinersFromReasons(AltersReasons):
    """Drops what nobody sees from a reason, and with it what joins two emoji to one."""

    def altered(self, reason: str) -> str:
        """Drop them."""
        return reason.replace("\u200d", "").replace("\ufe0f", "")


@breaks("RECORD-56")
class StraightensReasons(AltersReasons):
    """Makes typewriter signs of quotes, dashes and dots in a reason."""

    def altered(self, reason: str) -> str:
        """Straighten them."""
        return reason.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2026: "..."})


@breaks("RECORD-58")
class CollapsesBlanksInReasons(AltersReasons):
    """Makes one blank of several between the words of a reason."""

    def altered(self, reason: str) -> str:
        """Collapse them."""
        return re.sub(r"(?<=\S) +(?=\S)", " ", reason)


@breaks("RECORD-54")
class KeepsTheFirstReason(Shop):
    """Stores the first line's reason for every line."""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Overwrite the reasons of the later lines."""
        refund = super().new_refund(request)
        return evolve(refund, lines=tuple(evolve(line, reason=refund.lines[0].reason) for line in refund.lines))


@breaks("RECORD-54")
class CarriesReasonsOver(Shop):
    """Stores the last reason that it was told for lines that have none of their own."""

    last = ""

    def new_refund(self, request: RefundRequest) -> StoredRefund:
        """Fill the gaps with what is left from before."""
        refund = super().new_refund(request)
        lines = tuple(evolve(line, reason=line.reason or self.last) for line in refund.lines)
        self.last = lines[-1].reason
        return evolve(refund, lines=lines)


@breaks("RECORD-62")
class FindsProductsByPrice(Shop):
    """Shows with each line the product of the refund's first line of that price."""

    def render_lines(self, operation: str, refund: StoredRefund) -> list[JSON]:
        """Look the product up by what it costs."""
        lines = super().render_lines(operation, refund)
        by_price: dict[object, JSON] = {}
        for line, stored in zip(lines, refund.lines, strict=True):
            line["lineItem"] = by_price.setdefault(stored.line.price, line["lineItem"])
        return lines

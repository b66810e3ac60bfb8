"""Servers that make something of requests that nobody can make sense of, or break on them."""

import json
import re
from collections.abc import Mapping
from typing import Any

from conformance.faults import breaks
from conformance.reference.app import App
from conformance.reference.requests import APPROVE, Refusal
from conformance.reference.rules import Shop
from conformance.reference.store import StoredLine, StoredOrder, StoredRefund

CREATE, REVIEW = "POST", "PUT"
TOO_LONG = 12
"""Seconds after which nobody waits for the answer any more."""


class Mending(App):
    """An application that makes JSON of a body that is none, for requests of one method."""

    method = CREATE

    def mended(self, content: bytes, request: Any) -> bytes:
        """Return what the body is taken for."""
        raise NotImplementedError

    def read_body(self, request: Any) -> Any:
        """Read what the body is taken for."""
        if request.method == self.method and not request.path.endswith("/_test/orders"):
            request = type(request).from_values(data=self.mended(request.get_data(), request), method=self.method)
        return super().read_body(request)


class Breaking(App):
    """An application that fails on some bodies of one method."""

    method = CREATE
    status = 500

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Say whether a body is one that it fails on."""
        raise NotImplementedError

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Fail on what was not expected."""
        if request.method == self.method and self.breaks_on(request.get_data(), request):
            self.fail(shop)
        return super().operate(shop, operation, values, request)

    def fail(self, shop: Shop) -> None:
        """Fail: by default with 500."""
        raise Refusal(self.status, "internal error")


def is_json(content: bytes) -> bool:
    """Say whether a body is JSON."""
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


@breaks("ROBUST-01")
class MendsBodiesCutOff(Mending):
    """Closes the brackets that a torn body of a create left open."""

    def mended(self, content: bytes, request: Any) -> bytes:
        """Close what is open."""
        return content + b"}" * (content.count(b"{") - content.count(b"}"))


@breaks("ROBUST-01")
class BreaksOnTornCreates(Breaking):
    """Lets the error of its parser end as 500 when a refund is created."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on what is cut off, and on words."""
        return content.count(b"{") > content.count(b"}") or (content[:1].isalpha() and not is_json(content))


@breaks("ROBUST-01")
class AnswersNothingToNothing(Breaking):
    """Answers an empty create with 200."""

    status = 200

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Find nothing to do."""
        return not content


@breaks("ROBUST-01")
class ReadsNaNAsOne(Mending):
    """Takes NaN for a number."""

    def mended(self, content: bytes, request: Any) -> bytes:
        """Take it for 1."""
        return content.replace(b": NaN", b": 1")


@breaks("ROBUST-02")
class ReadsAListOfOneBody(Mending):
    """Takes a list of one body for the body."""

    def mended(self, content: bytes, request: Any) -> bytes:
        """Take the brackets off."""
        return content[1:-1] if content[:2] == b"[{" else content


@breaks("ROBUST-02")
class BreaksOnNull(Breaking):
    """Reads the members of a body that has none."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on null and numbers."""
        return content == b"null" or content.isdigit()


@breaks("ROBUST-03")
class ParsesTwice(Shop):
    """Parses a refund that is a text a second time."""

    def create(self, body: Any) -> StoredRefund:
        """Take the text for what it says."""
        if isinstance(body, dict) and str(body.get("refund")).startswith("{") and isinstance(body["refund"], str):
            body = {"refund": json.loads(body["refund"])}
        return super().create(body)


@breaks("ROBUST-03")
class BreaksOnTruthValues(Breaking):
    """Reads the members of a truth value."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on a refund that is true."""
        return content.replace(b" ", b"") == b'{"refund":true}'


@breaks("ROBUST-04")
class ReviewsTornBodies(Mending):
    """Closes the brackets that a torn body of a review left open."""

    method = REVIEW

    def mended(self, content: bytes, request: Any) -> bytes:
        """Close what is open."""
        return content + b"}" * (content.count(b"{") - content.count(b"}"))


@breaks("ROBUST-04")
class ApprovesOnAnEmptyBody(App):
    """Takes a review without a body for an approval of the refund that its path names."""

    def carry_out(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Approve on nothing."""
        if operation == "review" and not request.get_data():
            refund = shop.store.refund(shop.name, values["refund_id"])
            if refund is not None:
                shop.decide(refund, APPROVE)
        return super().carry_out(shop, operation, values, request)


@breaks("ROBUST-04")
class BreaksOnUnreadableReviews(Breaking):
    """Lets the error of its parser end as 500 when a refund is reviewed."""

    method = REVIEW

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on plain text."""
        return content[:1].isalpha() and not is_json(content)


class BreaksOnDepth(Breaking):
    """An application whose parser calls itself for each level."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on a thousand levels."""
        return b"[" * 1000 in content


@breaks("ROBUST-05")
class OverflowsOnDeepCreates(BreaksOnDepth):
    """Answers a deeply nested create with 500."""


@breaks("ROBUST-05")
class OverflowsOnDeepReviews(BreaksOnDepth):
    """Answers a deeply nested review with 500."""

    method = REVIEW


@breaks("ROBUST-05")
class HangsOnDeepCreates(BreaksOnDepth):
    """Does not answer a deeply nested create within any reasonable time."""

    def fail(self, shop: Shop) -> None:
        """Take long."""
        shop.clock.sleep(TOO_LONG)


@breaks("ROBUST-06")
class InjectsLines(Shop):
    """Puts the id of a line into its query as text, so that a condition in it finds the first."""

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Find the first line for a condition that is always true."""
        return order.lines[0] if value == "' OR '1'='1" else super().find_line(value, order)


class BreaksOnQuotes(Breaking):
    """An application whose queries end at a quote inside of an id."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on an id with a quote in it."""
        return re.search(rb"""Id": "[^"]*'""", content) is not None


@breaks("ROBUST-06")
class BreaksOnQuotesInCreates(BreaksOnQuotes):
    """Answers a create with an injected id with 500."""


@breaks("ROBUST-06")
class BreaksOnQuotesInReviews(BreaksOnQuotes):
    """Answers a review with an injected id with 500."""

    method = REVIEW

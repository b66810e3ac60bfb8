"""Servers that break on what they did not expect, or make too much of it."""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from conformance.faults import breaks
from conformance.reference.app import TOKEN_HEADER, WSGI, App
from conformance.reference.rules import APPROVE, CANCELED, RefundRequest, Refusal, Shop
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


@breaks("ROBUST-07")
class BreaksOnByteOrderMarks(Breaking):
    """Fails on a byte order mark in front of a review."""

    method = REVIEW

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on the mark."""
        return content.startswith(b"\xef\xbb\xbf")


@breaks("ROBUST-07")
class BreaksOnBrokenText(Breaking):
    """Decodes reasons where nothing catches the error."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on a byte that UTF-8 does not have."""
        return b"\xff" in content


@breaks("ROBUST-07")
class BreaksOnHalfCharacters(Breaking):
    """Fails to store a lone surrogate."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on an escape of half a character."""
        return rb'\ud83d"' in content


@breaks("ROBUST-07")
class RefusesMarkedBodiesButCreates(App):
    """Answers a create with a byte order mark with 400, but creates."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Create from what follows the mark, then refuse."""
        if operation == "create" and request.get_data().startswith(b"\xef\xbb\xbf"):
            shop.create(json.loads(request.get_data()[3:]))
        return super().operate(shop, operation, values, request)


class Forgetting(Shop):
    """A shop that answers some creates without storing anything."""

    def forgets(self, request: RefundRequest) -> bool:
        """Say whether a refund is not stored."""
        raise NotImplementedError

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Store the others."""
        if not self.forgets(request):
            super().save(refund, request)


@breaks("ROBUST-08")
class ForgetsRefundsWithEmoji(Forgetting):
    """Accepts a reason that its database cannot store, and stores nothing."""

    def forgets(self, request: RefundRequest) -> bool:
        """Forget what is beyond the basic plane."""
        return any(ord(character) > 0xFFFF for line in request.lines for character in line.reason)


@breaks("ROBUST-08")
class BreaksOnNul(Breaking):
    """Fails to store a NUL."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on NUL in the reason."""
        return rb"before\u0000" in content


@breaks("ROBUST-08")
class BreaksOnNulInKeys(Breaking):
    """Fails to store a NUL in a key."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on NUL in the key."""
        return re.search(rb'"requestNo": "[^"]*\\u0000', content) is not None


@breaks("ROBUST-08")
class BreaksOnEmojiInKeys(Breaking):
    """Lets the error of an index that holds three bytes a character end as 500."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on what is beyond the basic plane in the key."""
        key = re.search(rb'"requestNo": "([^"]*)"', content)
        return key is not None and any(ord(character) > 0xFFFF for character in key[1].decode("utf-8", "replace"))


@breaks("ROBUST-08")
class RecallsByInjection(Shop):
    """Puts a key into its query as text, so that a condition in it finds the first refund of the shop."""

    first: StoredRefund | None = None

    def recall(self, key: str) -> StoredRefund | None:
        """Find the first for a condition that is always true."""
        return self.first if key.startswith("' OR '1'='1") else super().recall(key)

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Remember the first."""
        super().save(refund, request)
        self.first = self.first or refund


@breaks("ROBUST-09")
class BreaksOnLongReasons(Breaking):
    """Lets the database's error about a long text end as 500."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on a long reason."""
        return re.search(rb'"rightsReason": "[^"]{20000}', content) is not None


@breaks("ROBUST-09")
class BreaksOnLongReviews(Breaking):
    """Fails on a review that does not fit its buffer."""

    method = REVIEW

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Fail on more than 64 kB that are no nesting."""
        return len(content) > 64_000


@breaks("ROBUST-09")
class HangsOnLongBodies(Breaking):
    """Reads long bodies of a create so slowly that no answer comes in time."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Take long for a long body."""
        return len(content) > 64_000

    def fail(self, shop: Shop) -> None:
        """Take long."""
        shop.clock.sleep(TOO_LONG)


@breaks("ROBUST-10")
class AddsBothQuantities(Mending):
    """Takes a quantity that is there twice for the sum of both."""

    def mended(self, content: bytes, request: Any) -> bytes:
        """Write the sum in the place of both."""
        return content.replace(b'"quantity": "1", "quantity": "2"', b'"quantity": "3"')


@breaks("ROBUST-10")
class RefusesTwoActionsButDecides(App):
    """Refuses a review with two actions after it carried one of them out."""

    def carry_out(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Decide, then refuse."""
        answer = super().carry_out(shop, operation, values, request)
        if request.get_data().count(b'"action"') > 1:
            raise Refusal(400, "action is there twice")
        return answer


@breaks("ROBUST-11")
class BreaksOnForms(Breaking):
    """Parses what is not called JSON as a form, and uses the body that is then empty."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Look at the header."""
        return not str(request.headers.get("Content-Type", "")).startswith("application/json")


@breaks("ROBUST-11")
class BreaksOnUnknownCharsets(Breaking):
    """Fails on a charset that it does not know."""

    def breaks_on(self, content: bytes, request: Any) -> bool:
        """Look at the header."""
        return "charset=nonsense" in str(request.headers.get("Content-Type", ""))


@breaks("ROBUST-11")
class BreaksOnReviewsOfText(BreaksOnForms):
    """Parses a review that is not called JSON as a form, and uses the body that is then empty."""

    method = REVIEW


@breaks("ROBUST-12")
class LooksReasonTypesUp(Shop):
    """Fails on a rightsReasonType that is not in its table."""

    def read_reason_type(self, value: Any) -> str:
        """Look it up where only 0 to 9 are."""
        if value not in (None, *range(10), *map(str, range(10))):
            raise KeyError(value)
        return super().read_reason_type(value)


@breaks("ROBUST-12")
class RefusesObjectsForReasonTypesWith500(Shop):
    """Fails on a rightsReasonType that is no plain value."""

    def read_reason_type(self, value: Any) -> str:
        """Use it as a key."""
        return super().read_reason_type(value if {value: value} else None)


@breaks("ROBUST-12")
class CutsReasonsThatAreNoText(Shop):
    """Fails on a rightsReason that is no text."""

    def read_reason(self, value: Any) -> str:
        """Take away the blanks around it, to see whether there is one."""
        return super().read_reason(value if value is None or value.strip() else "")


@breaks("ROBUST-12")
class LooksIntoShippingTexts(Shop):
    """Fails on logistics information that is a text."""

    def read_shipping(self, value: Any) -> dict[str, str]:
        """Take it for an object."""
        if isinstance(value, str):
            raise TypeError(value)
        return super().read_shipping(value)


@breaks("ROBUST-13")
class OverflowsOnGreatNumbers(Shop):
    """Converts numbers to ones of fixed size, and does not catch the overflow."""

    def number(self, value: Any, name: str) -> int:
        """Convert the whole number of a quantity."""
        if name == "quantity" and isinstance(value, int):
            value.to_bytes(16, signed=True)
        return super().number(value, name)


@breaks("ROBUST-13")
class WritesExponentsOut(Shop):
    """Writes a number with a great exponent out, and does not answer in time."""

    def number(self, value: Any, name: str) -> int:
        """Take long for many digits."""
        if isinstance(value, Decimal) and value.adjusted() > 100:
            self.clock.sleep(TOO_LONG)
        return super().number(value, name)


@breaks("ROBUST-14")
class ListsForInjections(Shop):
    """Lists all that an injected condition finds."""

    everything: tuple[StoredRefund, ...] = ()

    def save(self, refund: StoredRefund, request: RefundRequest) -> None:
        """Remember what there is."""
        super().save(refund, request)
        self.everything = (*self.everything, refund)

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Find all for a condition that is always true."""
        if order_id == "' OR '1'='1":
            return list(self.everything[:250])
        return super().list_refunds(order_id, query)


@breaks("ROBUST-14")
class BreaksOnLettersInPaths(Shop):
    """Converts the id of a path to a number, and does not catch the error."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Convert."""
        if order_id.isalpha():
            int(order_id)
        return super().list_refunds(order_id, query)


@breaks("ROBUST-14")
class GetsNegativeIds(Shop):
    """Leaves the sign of a refund's id away."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Take the digits."""
        return super().get_refund({**query, "refundId": query.get("refundId", "").lstrip("-")})


@breaks("ROBUST-14")
class GetsTheFirstForLetters(Shop):
    """Takes small letters for the refund that comes first."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Find the first."""
        if re.fullmatch("[a-z]{1,20}", str(query.get("refundId"))):
            return self.store.refunds_of(self.name, str(query.get("orderId")))[0]
        return super().get_refund(query)


@breaks("ROBUST-14")
class BreaksOnEndlessIds(Shop):
    """Fails on ids that fit no column."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Convert to a number of fixed size."""
        if len(str(query.get("refundId"))) > 300:
            raise OverflowError
        return super().get_refund(query)


class ReadsNumbers(App):
    """An application that reads the number at the beginning of each id of a list or a get, and fails on some."""

    def breaks_on(self, text: str, number: int | None) -> bool:
        """Say whether it fails on an id, of which that number was read."""
        raise NotImplementedError

    def respond(self, request: Any) -> Any:
        """Read the id of the path, or those of the query."""
        for text in self.ids_of(request):
            found = re.match(r"\+?([0-9]+|\d+)", text)
            if self.breaks_on(text, int(found[1]) if found else None):
                return self.refuse(500, "internal error")
        return super().respond(request)

    def ids_of(self, request: Any) -> list[str]:
        """Return the ids that a list or a get names."""
        listed = re.fullmatch(r"/[^/]+/api/202412/orders/(.+)/refunds", request.path, re.DOTALL)
        if request.method != "GET" or listed:
            return [listed[1]] if request.method == "GET" and listed else []
        return [request.args[name] for name in ("orderId", "refundId") if request.args.get(name)]


@breaks("ROBUST-14")
class BreaksOnWhatIsNoNumber(ReadsNumbers):
    """Fails on an id that begins with no number, and on one that is too great for any."""

    def breaks_on(self, text: str, number: int | None) -> bool:
        """Fail on what JavaScript calls NaN and Infinity."""
        return number is None or number > 10**308


@breaks("ROBUST-15")
class BreaksOnOtherSpellings(ReadsNumbers):
    """Fails on an id that is spelled otherwise than the number which it begins with."""

    def breaks_on(self, text: str, number: int | None) -> bool:
        """Insist that both are the same."""
        return number is not None and number < 10**308 and str(number) != text


@breaks("ROBUST-15")
class FindsTheNextForFractions(Shop):
    """Rounds the id of a path up."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Take a fraction for the next order."""
        if re.fullmatch(r"[0-9]+\.0", order_id):
            return [refund for key in range(1, 60) for refund in self.near(order_id[:-2], key)][:50]
        return super().list_refunds(order_id, query)

    def near(self, order_id: str, steps: int) -> Iterable[StoredRefund]:
        """Return the refunds of an order that was made so many before."""
        return self.store.refunds_of(self.name, str(int(order_id) - 7 * steps))


@breaks("ROBUST-15")
class BreaksOnOtherDigits(Shop):
    """Takes digits of every script for digits, but cannot read them."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Trust the digits."""
        if str(query.get("refundId")).isdigit() and not str(query.get("refundId")).isascii():
            raise KeyError(query.get("refundId"))
        return super().get_refund(query)


@breaks("ROBUST-16")
class BreaksOnRepeatedParameters(App):
    """Fails on a parameter that is there twice."""

    def read_query(self, request: Any) -> dict[str, str]:
        """Expect one value."""
        if any(len(values) > 1 for _, values in request.args.lists()):
            raise TypeError("a list is no text")
        return super().read_query(request)


@breaks("ROBUST-16", also=("ROBUST-18",))
class BreaksOnUnknownParameters(App):
    """Fails on a parameter that it does not know."""

    def read_query(self, request: Any) -> dict[str, str]:
        """Look each up."""
        known = {"orderId": str, "refundId": str, "limit": str, "_method": str, "pageToken": str}
        return {name: known[name](value) for name, value in super().read_query(request).items()}


class Deleting(App):
    """An application that cancels a refund when it is deleted."""

    def deletes(self, request: Any) -> bool:
        """Say whether a request is taken for a deletion."""
        raise NotImplementedError

    def respond(self, request: Any) -> Any:
        """Cancel, and find nothing to show."""
        found = re.search(r"^/([^/]+)/.*/refunds/([0-9]+)$", request.path)
        if found and self.deletes(request):
            shop = self.shops[found[1]]
            shop.store.set_status(found[2], CANCELED, shop.now())
        return super().respond(request)


@breaks("ROBUST-17")
class DeletesRefunds(Deleting):
    """Cancels a refund when it is deleted."""

    def deletes(self, request: Any) -> bool:
        """Look at the method."""
        return bool(request.method == "DELETE")


@breaks("ROBUST-17")
class BreaksOnOtherMethods(App):
    """Answers a method that an address does not have with 500, unless it is a GET."""

    def respond(self, request: Any) -> Any:
        """Fail where nothing handles the method."""
        answer = super().respond(request)
        fails = answer.status_code == 405 and request.method != "GET"
        return self.refuse(500, "internal error") if fails else answer


@breaks("ROBUST-17")
class BreaksOnOtherAddresses(App):
    """Shows the parameters in the page for an address that it does not know, and fails where there are none."""

    def respond(self, request: Any) -> Any:
        """Fail on an empty query."""
        answer = super().respond(request)
        fails = answer.status_code in {404, 405} and request.method == "GET" and not request.args
        return self.refuse(500, "internal error") if fails else answer


@breaks("ROBUST-17")
def patches_like_put(app: WSGI) -> WSGI:
    """Reviews with PATCH as with PUT."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "PATCH":
            environ = environ | {"REQUEST_METHOD": "PUT"}
        return app(environ, start_response)

    return serve


@breaks("ROBUST-17")
def puts_like_post(app: WSGI) -> WSGI:
    """Creates with PUT to the refunds as with POST."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "PUT" and environ["PATH_INFO"].endswith("/refunds"):
            environ = environ | {"REQUEST_METHOD": "POST"}
        return app(environ, start_response)

    return serve


@breaks("ROBUST-17")
def breaks_on_unknown_methods(app: WSGI) -> WSGI:
    """Answers a method that it does not know with 500."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}:
            start_response("500 Internal Server Error", [])
            return [b""]
        return app(environ, start_response)

    return serve


@breaks("ROBUST-18")
def overrides_methods(app: WSGI) -> WSGI:
    """Takes the method from a header."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", environ["REQUEST_METHOD"])
        return app(environ | {"REQUEST_METHOD": method}, start_response)

    return serve


@breaks("ROBUST-18")
class DeletesByParameter(Deleting):
    """Takes the method from a parameter, and cancels a refund when that is DELETE."""

    def deletes(self, request: Any) -> bool:
        """Look at the parameter."""
        return bool(request.args.get("_method") == "DELETE")


@breaks("ROBUST-18")
class ReviewsByParameter(Shop):
    """Carries out the action that the parameters of a get name."""

    def get_refund(self, query: Mapping[str, str]) -> StoredRefund:
        """Bind whatever is there."""
        refund = super().get_refund(query)
        return self.decide(refund, self.read_action(query["action"])) if "action" in query else refund


@breaks("ROBUST-19")
class ShowsTheTokenInItsErrors(App):
    """Shows the token in the error page of an address that it does not know."""

    def respond(self, request: Any) -> Any:
        """Show the request."""
        answer = super().respond(request)
        if answer.status_code == 404:
            answer.set_data(json.dumps({"error": "not found", "headers": dict(request.headers)}))
        return answer


@breaks("ROBUST-19")
class SendsTheTokenBack(App):
    """Sends the token back in a header when it refuses a body."""

    def respond(self, request: Any) -> Any:
        """Copy the header."""
        answer = super().respond(request)
        if answer.status_code == 400:
            answer.headers["X-Token"] = request.headers.get(TOKEN_HEADER, "")
        return answer


@breaks("ROBUST-19")
class TellsWhichTokenLacksTheScope(Shop):
    """Names the token that lacks a scope."""

    def admit(self, value: str | None, operation: str) -> None:
        """Name it."""
        try:
            super().admit(value, operation)
        except Refusal as refusal:
            raise Refusal(refusal.status, f"{refusal.message}: {value}") from None


@breaks("ROBUST-20")
class CannotShowNul(Shop):
    """Stores a reason with NUL, and fails to list it."""

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Fail on what it stored."""
        found = super().list_refunds(order_id, query)
        if any("\x00" in line.reason for refund in found for line in refund.lines):
            raise ValueError("embedded NUL")
        return found


@breaks("ROBUST-20")
class DiesOfAnUnknownMethod(App):
    """Loses its worker to a method that it does not know, and creates nothing any more."""

    alive = True

    def respond(self, request: Any) -> Any:
        """Lose the worker."""
        answer = super().respond(request)
        self.alive = self.alive and answer.status_code != 405
        return answer

    def carry_out(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Need the worker."""
        if operation == "create" and not self.alive:
            raise MemoryError
        return super().carry_out(shop, operation, values, request)


@breaks("ROBUST-20")
class LeavesTheBodiesOfStrangersUnread(App):
    """Refuses an unknown token before it reads the body, and takes that for the connection's next request."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.unread: set[object] = set()

    def respond(self, request: Any) -> Any:
        """Read on where it stopped."""
        connection = request.environ.get("REMOTE_PORT")
        if connection in self.unread and "/_test/" not in request.path:
            self.unread.discard(connection)
            return self.refuse(400, "the request is malformed")
        answer = super().respond(request)
        if answer.status_code == 401 and request.content_length:
            self.unread.add(connection)
        return answer


@breaks("ROBUST-20")
class PoisonsTheList(Shop):
    """Notes a create before it looks its lines up, and never lists the order again when there was no such line."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.poisoned: set[str] = set()

    def find_line(self, value: Any, order: StoredOrder) -> StoredLine:
        """Leave half of a refund behind."""
        try:
            return super().find_line(value, order)
        except Refusal:
            self.poisoned.add(order.id)
            raise

    def list_refunds(self, order_id: str, query: Mapping[str, str]) -> list[StoredRefund]:
        """Fail on that half."""
        if order_id in self.poisoned:
            raise Refusal(500, "internal error")
        return super().list_refunds(order_id, query)

"""Servers that do something when they are asked by another method than the page has."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from conformance.faults import breaks
from conformance.reference.app import WSGI, App
from conformance.reference.requests import Refusal
from conformance.reference.rules import CANCELED, Shop
from conformance.reference.store import StoredRefund


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


@breaks("ROBUST-17")
class KnowsAddressesWithASlash(App):
    """Takes an address with a slash behind for the one without it, after nobody asked for the token."""

    def respond(self, request: Any) -> Any:
        """Carry out what comes with a slash."""
        parts = request.path.split("/")
        if request.method == "PUT" and parts[-1] == "" and len(parts) > 2:
            try:
                return self.carry_out(self.find_shop(parts[1]), "review", {"refund_id": parts[-2]}, request)
            except Refusal as refusal:
                return self.refuse(refusal.status, refusal.message)
        return super().respond(request)


@breaks("ROBUST-17")
class ReviewsByGet(App):
    """Reads a review from the parameters of a get at its address."""

    def respond(self, request: Any) -> Any:
        """Carry out what the address of a review names."""
        parts = request.path.split("/")
        if request.method == "GET" and parts[-2] == "refunds" and "action" in request.args:
            try:
                return self.operate(self.find_shop(parts[1]), "review", {"refund_id": parts[-1]}, request)
            except Refusal as refusal:
                return self.refuse(refusal.status, refusal.message)
        return super().respond(request)

    def read_body(self, request: Any) -> Any:
        """Take the parameters."""
        return request.args.to_dict() if request.method == "GET" else super().read_body(request)

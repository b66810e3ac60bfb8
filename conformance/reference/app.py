"""The reference over HTTP: routes and JSON, no rules. The one module that knows the web framework."""

import json
import logging
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from conformance.model import load_json
from conformance.reference.provider import provide
from conformance.reference.requests import Refusal
from conformance.reference.rules import Shop

MAX_BODY = 1024 * 1024
TOKEN_HEADER = "X-Genstore-Access-Token"  # noqa: S105 - a header's name
_ROUTES = Map(
    [
        Rule("/<shop>/api/202412/refunds", endpoint="create", methods=["POST"]),
        Rule("/<shop>/api/202412/refunds", endpoint="get", methods=["GET"]),
        Rule("/<shop>/api/202412/refunds/<refund_id>", endpoint="review", methods=["PUT"]),
        Rule("/<shop>/api/202412/orders/<order_id>/refunds", endpoint="list", methods=["GET"]),
        Rule("/<shop>/_test/orders", endpoint="orders", methods=["POST"]),
    ],
    strict_slashes=False,
)

LOG = logging.getLogger(__name__)
LOG.addHandler(logging.NullHandler())

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class App:
    """A WSGI application that serves some shops, each under its name."""

    def __init__(self, shops: Mapping[str, Shop]) -> None:
        self.shops = shops

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ | {"PATH_INFO": _as_latin(environ.get("PATH_INFO", ""))})
        request.max_content_length = MAX_BODY
        return self.respond(request)(environ, start_response)

    def respond(self, request: Request) -> Response:
        """Return the answer to a request; a refusal tells why in an ``error`` field."""
        try:
            endpoint, values = _ROUTES.bind_to_environ(request.environ).match()
            shop = self.find_shop(values["shop"])
            if endpoint == "orders":
                return _json(200, provide(shop, self.read_body(request)))
            return self.operate(shop, endpoint, values, request)
        except Refusal as refusal:
            return self.refuse(refusal.status, refusal.message)
        except RequestEntityTooLarge:
            return self.refuse(413, "the body is too large")
        except HTTPException as error:
            return self.refuse(error.code or 400, error.name)
        except Exception:
            LOG.exception("the request could not be carried out")
            return self.refuse(500, "the server failed")

    def find_shop(self, name: str) -> Shop:
        """Return the shop that the path names."""
        if name not in self.shops:
            raise Refusal(404, "there is no such shop")
        return self.shops[name]

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Carry out one of the four operations for the holder of the request's token."""
        shop.admit(request.headers.get(TOKEN_HEADER), operation)
        return self.carry_out(shop, operation, values, request)

    def carry_out(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Return the answer to what a request asks for."""
        query = self.read_query(request)
        answer: Any
        if operation == "create":
            answer = shop.one(operation, shop.create(self.read_body(request)))
        elif operation == "review":
            answer = shop.one(operation, shop.review(values["refund_id"], self.read_body(request)))
        elif operation == "list":
            answer = shop.many(shop.list_refunds(values["order_id"], query))
        else:
            answer = shop.one(operation, shop.get_refund(query))
        return _json(shop.success_status(operation), answer)

    def read_query(self, request: Request) -> dict[str, str]:
        """Return the query parameters; one that is there twice is ambiguous and refused."""
        for name, values in request.args.lists():
            if len(values) > 1:
                raise Refusal(400, f"{name} is there twice")
        return request.args.to_dict()

    def read_body(self, request: Request) -> Any:
        """Return the JSON value of the body; text with half a character in it, as a lone surrogate is, is none."""
        try:
            body = load_json(request.get_data().decode("utf-8"))
            json.dumps(body, ensure_ascii=False, default=str).encode("utf-8")
        except (ValueError, RecursionError):
            raise Refusal(400, "the body is not JSON") from None
        return body

    def refuse(self, status: int, message: str) -> Response:
        """Return a refusal."""
        return _json(status, {"error": message})


def _as_latin(path: str) -> str:
    """Return a path as PEP 3333 asks for, each byte a character; some transports hand it over decoded."""
    return path if all(ord(character) < 256 for character in path) else path.encode().decode("latin-1")  # noqa: PLR2004


def _json(status: int, body: Any) -> Response:
    text = json.dumps(body, default=_marked)
    return Response(_MARKED.sub(r"\1", text), status=status, mimetype="application/json")


# The encoder writes no exact decimals: they pass it as marked texts, and lose mark and quotes afterwards.
_MARK = secrets.token_hex(8)
_MARKED = re.compile(f'"{_MARK}([0-9.]+)"')


def _marked(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value:f}"
    raise TypeError(f"{value!r} has no JSON form")

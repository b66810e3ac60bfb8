"""The reference over HTTP: routes and JSON, no rules. The one module that knows the web framework."""

import json
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
from conformance.reference.rules import Refusal, Shop

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

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class App:
    """A WSGI application that serves some shops, each under its name."""

    def __init__(self, shops: Mapping[str, Shop]) -> None:
        self.shops = shops

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        request.max_content_length = MAX_BODY
        return self.respond(request)(environ, start_response)

    def respond(self, request: Request) -> Response:
        """Return the answer to a request; a refusal tells why in an ``error`` field."""
        try:
            endpoint, values = _ROUTES.bind_to_environ(request.environ).match()
            shop = self.shops.get(values["shop"])
            if shop is None:
                raise Refusal(404, "there is no such shop")
            if endpoint == "orders":
                return _json(200, provide(shop, _body(request)))
            return self.operate(shop, endpoint, values, request)
        except Refusal as refusal:
            return self.refuse(refusal.status, refusal.message)
        except RequestEntityTooLarge:
            return self.refuse(413, "the body is too large")
        except HTTPException as error:
            return self.refuse(error.code or 400, error.name)

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Request) -> Response:
        """Carry out one of the four operations for the holder of the request's token."""
        token = shop.authenticate(request.headers.get(TOKEN_HEADER))
        shop.authorise(token, operation)
        query = _query(request)
        answer: Any
        if operation == "create":
            answer = shop.one(operation, shop.create(_body(request)))
        elif operation == "review":
            answer = shop.one(operation, shop.review(values["refund_id"], _body(request)))
        elif operation == "list":
            answer = shop.many(shop.list_refunds(values["order_id"], query))
        else:
            answer = shop.one(operation, shop.get_refund(query))
        return _json(shop.success_status(operation), answer)

    def refuse(self, status: int, message: str) -> Response:
        """Return a refusal."""
        return _json(status, {"error": message})


def _query(request: Request) -> dict[str, str]:
    """Return the query parameters; one that is there twice is ambiguous and refused."""
    for name, values in request.args.lists():
        if len(values) > 1:
            raise Refusal(400, f"{name} is there twice")
    return request.args.to_dict()


def _body(request: Request) -> Any:
    try:
        return load_json(request.get_data().decode("utf-8"))
    except ValueError:
        raise Refusal(400, "the body is not JSON") from None


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

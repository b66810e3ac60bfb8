"""The reference as a running server: two shops, a token for each set of scopes, real HTTP behind waitress."""

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from conformance.clock import Clock
from conformance.reference.app import MAX_BODY, WSGI, App
from conformance.reference.rules import Shop, Token
from conformance.reference.store import Store
from conformance.target import Orders, Target

FIRST_SHOP, SECOND_SHOP = "first-shop", "second-shop"
TOKEN_SCOPES: Mapping[str, frozenset[str]] = {
    "full": frozenset({"write_refunds", "write_refund", "read_refunds"}),
    "write_refunds": frozenset({"write_refunds"}),
    "write_refund": frozenset({"write_refund"}),
    "read_refunds": frozenset({"read_refunds"}),
    "unrelated": frozenset({"write_products"}),
}
THREADS = 16
CONNECTIONS, SLOWEST = 1000, 30
"""Clients at one time, and the seconds after which one that sends nothing has to go: slow ones keep nobody out."""

MakeShop = Callable[..., Shop]


@frozen
class Reference:
    """An application with its two shops and the tokens of each, by name."""

    app: WSGI
    shops: Mapping[str, Shop]
    tokens: Mapping[str, Mapping[str, str]]
    store: Store

    def target(self, origin: str, name: str = "reference") -> Target:
        """Return the application as a target, reachable at an origin like ``http://127.0.0.1:8000``."""

        def shop(shop_name: str) -> Target:
            base_url = f"{origin}/{shop_name}"
            return Target(
                name=name,
                base_url=base_url,
                tokens=self.tokens[shop_name],
                orders=Orders(url=f"{base_url}/_test/orders"),
            )

        first, second = shop(FIRST_SHOP), shop(SECOND_SHOP)
        return Target(name=name, base_url=first.base_url, tokens=first.tokens, orders=first.orders, other_shop=second)


def make_reference(
    make_shop: MakeShop = Shop,
    *,
    db: Path | None = None,
    clock: Clock | None = None,
    wrap: Callable[[WSGI], WSGI] = lambda app: app,
    token: Callable[[str, str], str] = lambda shop, name: f"{shop}-{name}-{secrets.token_hex(8)}",
    make_app: Callable[[Mapping[str, Shop]], WSGI] = App,
) -> Reference:
    """Return the reference; ``make_shop`` and ``wrap`` put other rules or another wire in its place."""
    store = Store(db)
    values = {shop: {name: token(shop, name) for name in TOKEN_SCOPES} for shop in (FIRST_SHOP, SECOND_SHOP)}
    known = {
        value: Token(value, shop, TOKEN_SCOPES[name]) for shop, named in values.items() for name, value in named.items()
    }
    shops = {shop: make_shop(shop, store, known, clock) for shop in values}
    return Reference(wrap(make_app(shops)), shops, values, store)


def free_socket(port: int = 0) -> socket.socket:
    """Return a socket that listens on a loopback port; 0 takes any free one.

    Raises:
        OSError: the port is taken.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(128)
    return listening


SPELLED_NAMES = "Spelled-Names"
"""A header that the application finds added to each request: how the names of the others were spelled."""


def _spelling_parser() -> type:
    """Return a parser of requests that tells the spelling of header names, of which WSGI says nothing (PEP 3333)."""
    from waitress.parser import HTTPRequestParser

    class SpellingParser(HTTPRequestParser):
        def parse_header(self, header_plus: bytes) -> None:
            super().parse_header(header_plus)
            names = [line.partition(b":")[0].decode("latin-1") for line in header_plus.split(b"\r\n")[1:]]
            self.headers = {**self.headers, SPELLED_NAMES.upper().replace("-", "_"): " ".join(names)}

    return SpellingParser


@contextlib.contextmanager
def serving(app: Any, listening: socket.socket | None = None) -> Iterator[str]:
    """Serve an application while the block runs; yields its origin."""
    import waitress.channel
    import waitress.server
    from waitress import wasyncore

    listening = listening or free_socket()
    connections: dict[int, Any] = {}
    server: Any = waitress.server.create_server(
        app, map=connections, sockets=[listening], threads=THREADS, clear_untrusted_proxy_headers=True, ident=None,
        connection_limit=CONNECTIONS, channel_timeout=SLOWEST, asyncore_use_poll=True,
        max_request_body_size=2 * MAX_BODY, max_request_header_size=65_536,
    )  # fmt: skip
    server.channel_class = type("Channel", (waitress.channel.HTTPChannel,), {"parser_class": _spelling_parser()})
    thread = threading.Thread(target=server.run, name="reference", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.task_dispatcher.shutdown()
        # Closed by the thread that waits on the sockets; closed by another, they would be gone under its hands.
        with contextlib.suppress(OSError):  # a worker that ends may have had all of it closed just before
            server.trigger.pull_trigger(lambda: wasyncore.close_all(connections))
        thread.join(timeout=5)

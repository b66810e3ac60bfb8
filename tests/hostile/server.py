"""A server on a raw socket that does to each request whatever a behaviour says, and soundly makes orders."""

import contextlib
import io
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from attrs import define, evolve, field, frozen

from conformance.reference.server import Reference, make_reference

TOKEN = 'S3cret/to+ken=&"with%41ll~sorts?of<signs>'
"""What no file, terminal line or curl may show: it is written differently in every encoding."""
ORDERS = "/_test/orders"


@frozen
class Reply:
    """An answer, before it is written."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def head(self, *, version: str = "1.1", length: int | None = None) -> bytes:
        """Return status line and headers; the length is that of the body unless another is given."""
        told = len(self.body) if length is None else length
        lines = [f"HTTP/{version} {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, f"Content-Length: {told}", "", ""]).encode("latin-1")

    @property
    def raw(self) -> bytes:
        """The answer as it should be written."""
        return self.head() + self.body

    def saying(self, body: bytes) -> "Reply":
        """Return the same answer with another body."""
        return evolve(self, body=body)

    def telling(self, *headers: tuple[str, str]) -> "Reply":
        """Return the same answer with more headers."""
        return evolve(self, headers=(*self.headers, *headers))


@define
class Asked:
    """A request as it came, on its connection; ``number`` counts the requests to the API."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: socket.socket
    server: "Hostile"
    number: int = 0

    @property
    def token(self) -> str:
        """The token that came with it."""
        return self.headers.get("x-genstore-access-token", "")

    def sound(self) -> Reply:
        """Return what the reference answers."""
        return self.server.soundly(self)

    def send(self, piece: bytes) -> None:
        """Write some bytes."""
        self.connection.sendall(piece)

    def reset(self) -> None:
        """End the connection with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def wait(self) -> None:
        """Do nothing until the client goes away or the test is over."""
        self.connection.settimeout(20)
        with contextlib.suppress(OSError):
            while self.connection.recv(65536):
                pass


Act = Callable[[Asked], object]
"""What to do with a request. A connection that nothing was said about afterwards stays open for the next."""


class Hangup(Exception):  # noqa: N818 - it is no error
    """Raised by an act to close the connection."""


@define
class Hostile:
    """A listening server; ``seen`` are the requests to the API so far."""

    act: Act
    context: ssl.SSLContext | None = None
    everything: bool = False
    reference: Reference = field(factory=lambda: make_reference(token=lambda shop, name: f"{TOKEN}{shop}-{name}"))
    seen: list[Asked] = field(factory=list)
    _listening: socket.socket = field(factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=128))
    _lock: threading.Lock = field(factory=threading.Lock)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._listening.getsockname()[1])

    def start(self) -> None:
        """Take connections, each in a thread of its own."""
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Take no more of them."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, Hangup, ValueError), connection:
            connection.settimeout(20)
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, connection.makefile("rb") as incoming:
                while (asked := self._read(connection, incoming)) is not None:
                    self._answer(asked)

    def _answer(self, asked: Asked) -> None:
        if ORDERS in asked.path and not self.everything:
            asked.send(asked.sound().raw)
            return
        with self._lock:
            self.seen.append(asked)
            asked.number = len(self.seen)
        self.act(asked)

    def _read(self, connection: socket.socket, incoming: Any) -> Asked | None:
        words = incoming.readline(65536).decode("latin-1").split(" ")
        if len(words) != 3:
            return None
        headers: dict[str, str] = {}
        while (line := incoming.readline(65536).decode("latin-1").rstrip("\r\n")) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = incoming.read(int(headers.get("content-length", 0)))
        return Asked(words[0], words[1], headers, body, connection, self)

    def soundly(self, asked: Asked) -> Reply:
        """Return what the reference answers to a request."""
        told: list[Any] = []
        path, _, query = asked.path.partition("?")
        from urllib.parse import unquote_to_bytes

        environ = {
            "REQUEST_METHOD": asked.method, "PATH_INFO": unquote_to_bytes(path).decode("latin-1"), "SCRIPT_NAME": "",
            "QUERY_STRING": query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": str(self.port),
            "SERVER_PROTOCOL": "HTTP/1.1", "CONTENT_LENGTH": str(len(asked.body)),
            "CONTENT_TYPE": asked.headers.get("content-type", ""), "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(asked.body),
            "wsgi.errors": io.StringIO(), "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in asked.headers.items()},
        }  # fmt: skip
        body = b"".join(self.reference.app(environ, lambda status, headers, *_: told.extend([status, headers])))
        headers = tuple((name, value) for name, value in told[1] if name.lower() != "content-length")
        return Reply(int(told[0].split(" ")[0]), headers, b"" if asked.method == "HEAD" else body)


@contextlib.contextmanager
def hostile(act: Act, *, context: ssl.SSLContext | None = None, everything: bool = False) -> Iterator[Hostile]:
    """Serve a behaviour while the block runs."""
    server = Hostile(act, context=context, everything=everything)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.reference.store.close()

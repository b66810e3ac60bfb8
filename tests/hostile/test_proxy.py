"""A proxy is used when the target file asks for one, told nothing that is not its business, and named when it fails."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from attrs import define, field

from tests.hostile.conftest import Against
from tests.hostile.server import TOKEN, hostile
from tests.hostile.shelf.behaviour import SOUND, Expected
from tests.hostile.test_shelf import assert_hidden, said_the_truth, told_no_secret
from tests.proxy import served_reference

LOOPBACK = "127.0.0.1"
PASSWORD = "pa55-w0rd/of a proxy"
ONE_CHECK = ("--select", "IDEM-01")


@define
class Forwarder:
    """A proxy that lets everybody through to one port, or asks everybody for a password; ``heard`` are its requests."""

    upstream: int
    status: int = 200
    heard: list[bytes] = field(factory=list)

    def talk(self, connection: socket.socket) -> None:
        """Answer one connection."""
        with contextlib.suppress(OSError), connection, socket.create_connection((LOOPBACK, self.upstream)) as there:
            head = b""
            while b"\r\n\r\n" not in head and (more := connection.recv(65536)):
                head += more
            self.heard.append(head)
            if self.status != http.client.OK:
                connection.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % self.status)
                return
            if head.startswith(b"CONNECT "):
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                there.sendall(head)
            back = threading.Thread(target=pipe, args=(there, connection), daemon=True)
            back.start()
            pipe(connection, there)
            back.join()


def pipe(source: socket.socket, sink: socket.socket) -> None:
    """Pass bytes on until there are no more."""
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def forwarding(upstream: int, status: int = 200) -> Iterator[tuple[Forwarder, str]]:
    """Run a proxy while the block runs; yields it with the line of a target file that asks for it."""
    proxy = Forwarder(upstream, status)
    talks: list[threading.Thread] = []

    def accept(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                talks.append(threading.Thread(target=proxy.talk, args=(listening.accept()[0],), daemon=True))
                talks[-1].start()

    with socket.create_server((LOOPBACK, 0)) as listening:
        taking = threading.Thread(target=accept, args=(listening,), daemon=True)
        taking.start()
        port = listening.getsockname()[1]
        yield proxy, f'proxy: "http://me:${{PROXY_PASSWORD}}@{LOOPBACK}:{port}"\n'
        listening.shutdown(socket.SHUT_RDWR)
        taking.join()
    for talk in talks:
        talk.join()


ENVIRONMENT = {"PROXY_PASSWORD": "pa55-w0rd%2Fof%20a%20proxy"}


def test_a_proxy_that_is_asked_for_is_used(against: Against) -> None:
    """A shop that only the proxy can find is judged; the proxy's password goes to the proxy and into no file."""
    with served_reference() as target, forwarding(int(target["base_url"].rsplit(":", 1)[1].split("/")[0])) as made:
        proxy, line = made
        token = {"GENSTORE_TOKEN": target["tokens"]["full"]}
        judged = against("http://shop.example.com", *ONE_CHECK, extra=line, environment=ENVIRONMENT | token)

    assert judged.done.status == 0, judged.done.said
    assert any(b"Proxy-Authorization: Basic bWU6cGE1NS13MHJkL29mIGEgcHJveHk=" in head for head in proxy.heard)
    assert judged.run.proxy is not None
    assert judged.run.proxy in (judged.out / "report.html").read_text()
    for file in [*judged.out.rglob("*.*"), judged.out.parent / "terminal.txt"]:
        assert_hidden(PASSWORD, file.read_text(errors="replace"), file)


def test_a_proxy_is_told_no_token(against: Against, tmp_path: Path) -> None:
    """To a shop behind TLS it makes a tunnel, and learns no more than the shop's name; the shop not the password."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example.com").configure_cert(context)
    with hostile(SOUND, context=context, everything=True) as server, forwarding(server.port) as (proxy, line):
        judged = against(
            "https://shop.example.com", *ONE_CHECK, extra=line + "tls: {ca_file: ca.pem}\n", environment=ENVIRONMENT
        )

    assert judged.done.status == 0, judged.done.said
    assert all(head.startswith(b"CONNECT shop.example.com:443 HTTP/1.1\r\n") for head in proxy.heard)
    assert TOKEN.encode() not in b"".join(proxy.heard)
    assert proxy.heard
    assert all("proxy-authorization" not in asked.headers for asked in server.seen)
    told_no_secret(judged)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_lets_nobody_through_is_named(against: Against, scheme: str) -> None:
    """That it wants another password is no answer of the shop, and nothing is judged by it."""
    with hostile(SOUND) as server, forwarding(server.port, 407) as (proxy, line):
        judged = against(f"{scheme}://shop.example.com", extra=line, environment=ENVIRONMENT)

    said_the_truth(judged, Expected.UNJUDGED, "407")
    assert "proxy" in judged.done.said
    assert server.seen == []
    assert proxy.heard


def test_this_machine_is_reached_without_the_proxy(against: Against) -> None:
    """No proxy of a company could reach an order provider, or a shop, on somebody's laptop."""
    with hostile(SOUND) as server, forwarding(server.port) as (proxy, line):
        judged = against(f"http://{LOOPBACK}:{server.port}", *ONE_CHECK, extra=line, environment=ENVIRONMENT)

    assert judged.done.status == 0, judged.done.said
    assert proxy.heard == []


def test_a_proxy_that_is_not_there_is_named(against: Against) -> None:
    """Whoever reads it need not guess which of the two machines is down."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
    judged = against("https://shop.example.com", extra=f"proxy: http://{LOOPBACK}:{port}\n")

    said_the_truth(judged, Expected.UNJUDGED, f"by way of the proxy http://{LOOPBACK}:{port}")

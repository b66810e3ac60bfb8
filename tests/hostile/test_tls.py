"""Certificates and TLS: whom the suite talks to is proven, or it says in words why it is not."""

import contextlib
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from tests.hostile.conftest import Against
from tests.hostile.server import hostile
from tests.hostile.shelf.behaviour import SOUND, Expected
from tests.hostile.test_shelf import ended_within_bounds, is_readable, said_the_truth, told_no_secret

LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that the target file names."""
    return trustme.CA()


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return what a server needs to show a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def untrusted(_: trustme.CA) -> ssl.SSLContext:
    """A certificate of an authority that nobody knows."""
    return context_of(trustme.CA().issue_cert(LOOPBACK))


def expired(authority: trustme.CA) -> ssl.SSLContext:
    """One that was good until years ago."""
    return context_of(authority.issue_cert(LOOPBACK, not_after=datetime(2020, 1, 1, tzinfo=UTC)))


def of_another_name(authority: trustme.CA) -> ssl.SSLContext:
    """One for another host."""
    return context_of(authority.issue_cert("shop.example.com"))


def of_an_old_version(authority: trustme.CA) -> ssl.SSLContext:
    """A good one, on a server that speaks TLS 1.1."""
    context = context_of(authority.issue_cert(LOOPBACK))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    return context


@contextlib.contextmanager
def mute(words: bytes = b"") -> Iterator[int]:
    """Take connections while the block runs, say some words to each at most, and never listen; yields the port."""
    kept: list[socket.socket] = []

    def accept(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                kept.append(listening.accept()[0])
                kept[-1].sendall(words)

    with socket.create_server((LOOPBACK, 0)) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)
    for connection in kept:
        connection.close()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (untrusted, "its certificate is not trusted: unable to get local issuer certificate"),
        (expired, "its certificate is not trusted: certificate has expired"),
        (of_another_name, "certificate is not valid for '127.0.0.1'"),
        (of_an_old_version, "no TLS could be agreed on"),
    ],
)
def test_a_server_that_proves_nothing_is_told_nothing(
    against: Against, authority: trustme.CA, tmp_path: Path, make: Callable[[trustme.CA], ssl.SSLContext], says: str
) -> None:
    """The reason is said in words, and no request, let alone a token, ever got to it."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with hostile(SOUND, context=make(authority), everything=True) as server:
        judged = against(f"https://{LOOPBACK}:{server.port}", extra="tls: {ca_file: ca.pem}\n")

    ended_within_bounds(judged)
    is_readable(judged)
    said_the_truth(judged, Expected.UNJUDGED, says)
    assert server.seen == []


def test_plain_http_behind_https_is_said(against: Against) -> None:
    """The commonest slip in a base URL is named."""
    with mute(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        said_the_truth(against(f"https://{LOOPBACK}:{port}"), Expected.UNJUDGED, "Is the scheme of the URL right?")


def test_https_behind_plain_http_is_no_answer(against: Against, authority: trustme.CA) -> None:
    """The other way round, nothing comes back that could be judged."""
    with hostile(SOUND, context=of_another_name(authority), everything=True) as server:
        said_the_truth(against(f"http://{LOOPBACK}:{server.port}"), Expected.UNJUDGED, "broke")


def test_a_handshake_that_never_ends_does(against: Against) -> None:
    """A port that takes connections and says nothing is given up in time."""
    with mute() as port:
        judged = against(f"https://{LOOPBACK}:{port}", extra="", seconds=3)

    ended_within_bounds(judged)
    said_the_truth(judged, Expected.UNJUDGED, "no complete answer")


def test_no_verification_is_loud(against: Against) -> None:
    """With ``verify: false`` a certificate that nobody trusts will do; terminal, record and report say so."""
    with hostile(SOUND, context=untrusted(trustme.CA())) as server:
        judged = against(f"https://{LOOPBACK}:{server.port}", "--select", "IDEM-01", extra="tls: {verify: false}\n")

    assert judged.done.status == 0, judged.done.said
    assert "TLS is NOT verified" in judged.done.said
    assert judged.run.header["target"]["tls_verified"] is False
    assert "not verified" in (judged.out / "report.html").read_text()
    told_no_secret(judged)


def test_a_proxy_of_the_environment_is_not_used(against: Against) -> None:
    """Nobody asked for it, and it would see the token."""
    with hostile(SOUND) as server, mute() as proxy:
        address = f"http://{LOOPBACK}:{proxy}"
        judged = against(
            f"http://{LOOPBACK}:{server.port}", "--select", "IDEM-01",
            environment={"HTTP_PROXY": address, "http_proxy": address, "ALL_PROXY": address},
        )  # fmt: skip

    assert judged.done.status == 0, judged.done.said


def test_a_redirect_takes_the_token_nowhere(against: Against) -> None:
    """The host that a redirect names hears nothing."""
    from tests.hostile.shelf.behaviour import plain

    with hostile(SOUND) as elsewhere:
        location = f"http://{LOOPBACK}:{elsewhere.port}/first-shop/api/202412/refunds"
        with hostile(plain(b"", 307, ("Location", location))) as server:
            said_the_truth(against(f"http://{LOOPBACK}:{server.port}"), Expected.UNJUDGED, "redirect")

    assert elsewhere.seen == []
    assert server.seen

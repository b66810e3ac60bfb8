"""Connections on which a whole answer takes no longer than one bound, however slowly its bytes drip."""

import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore
import httpx
from attrs import frozen

MAX_RECEIVED = 16 * 1024 * 1024
"""Bytes that are received for one answer, whatever they are: interim answers, headers, chunks or a body."""
AT_ONCE = 16 * 1024
THIS_MACHINE = frozenset({b"localhost", b"127.0.0.1", b"::1"})


class Stale(httpcore.ReadError):
    """A connection that was kept for another request was closed before a byte of its answer came."""


class BoundedStream(httpcore.NetworkStream):
    """A connection of which each exchange, from the first byte sent to the last received, ends within ``seconds``.

    The timeouts of the HTTP library are for one read or write each, so a byte now and then would keep it busy for ever.
    """

    def __init__(self, inner: httpcore.NetworkStream, seconds: float) -> None:
        self._inner = inner
        self._seconds = seconds
        self._answering = True
        self._exchanges = 0

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send some bytes; the first after an answer begin another exchange."""
        del timeout
        if self._answering:
            self._answering, self._received = False, 0
            self._exchanges += 1
            self._until = time.monotonic() + self._seconds
        for start in range(0, len(buffer), AT_ONCE):
            self._inner.write(buffer[start : start + AT_ONCE], self._left(httpcore.WriteTimeout))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Receive some bytes of an answer."""
        del timeout
        self._answering = True
        received = self._read(max_bytes)
        if not received and not self._received and self._exchanges > 1:
            raise Stale("the connection had been closed")
        self._received += len(received)
        if self._received > MAX_RECEIVED:
            raise httpcore.RemoteProtocolError(f"the answer has more than {MAX_RECEIVED} bytes")
        return received

    def _read(self, max_bytes: int) -> bytes:
        try:
            return self._inner.read(max_bytes, self._left(httpcore.ReadTimeout))
        except httpcore.ReadError:
            if self._received or self._exchanges == 1:
                raise
            return b""  # a connection that is kept ends by a reset, too, if the other side has forgotten it

    def _left(self, expired: type[httpcore.TimeoutException]) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise expired("the answer did not end in time")
        return left

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the same connection, encrypted."""
        return BoundedStream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._seconds)

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection knows of itself."""
        return self._inner.get_extra_info(info)


class BoundedBackend(httpcore.NetworkBackend):
    """Makes bounded connections."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Return a connection to a host."""
        stream = self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return BoundedStream(stream, self._seconds)


@frozen
class Proxy:
    """A proxy that the target file asks for: its address, without the user and password that it may want."""

    address: str
    user: str = ""
    password: str = ""

    @classmethod
    def of(cls, url: str) -> "Proxy":
        """Return the proxy that a URL names; user and password are percent-encoded in it (RFC 3986, 3.2.1)."""
        parts = urlsplit(url)
        address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        return cls(address, unquote(parts.username or ""), unquote(parts.password or ""))


class ProxiedPool(httpcore.HTTPProxy):
    """Connections by way of a proxy, except those to this machine, which no proxy could reach."""

    def create_connection(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        """Return a connection to an origin."""
        if origin.host in THIS_MACHINE:
            return httpcore.ConnectionPool.create_connection(self, origin)
        return super().create_connection(origin)


class BoundedTransport(httpx.HTTPTransport):
    """HTTP over bounded connections, by no other proxy than the one given, whatever the environment says."""

    def __init__(self, *, verify: Any, seconds: float, proxy: Proxy | None = None) -> None:
        context = httpx.create_ssl_context(verify=verify, trust_env=False)
        super().__init__(verify=context, trust_env=False)
        pool: dict[str, Any] = {
            "ssl_context": context,
            "max_connections": 64,
            "max_keepalive_connections": 16,
            "keepalive_expiry": 4,
            "network_backend": BoundedBackend(seconds),
        }
        self._pool = httpcore.ConnectionPool(**pool) if proxy is None else _proxied(proxy, pool)


def _proxied(proxy: Proxy, pool: dict[str, Any]) -> ProxiedPool:
    return ProxiedPool(
        proxy.address,
        proxy_auth=(proxy.user.encode(), proxy.password.encode()) if proxy.user else None,
        proxy_ssl_context=pool["ssl_context"] if proxy.address.startswith("https:") else None,
        **pool,
    )

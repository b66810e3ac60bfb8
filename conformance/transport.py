"""Connections on which a whole answer takes no longer than one bound, however slowly its bytes drip."""

import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

MAX_RECEIVED = 16 * 1024 * 1024
"""Bytes that are received for one answer, whatever they are: interim answers, headers, chunks or a body."""
AT_ONCE = 16 * 1024


class BoundedStream(httpcore.NetworkStream):
    """A connection of which each exchange, from the first byte sent to the last received, ends within ``seconds``.

    The timeouts of the HTTP library are for one read or write each, so a byte now and then would keep it busy for ever.
    """

    def __init__(self, inner: httpcore.NetworkStream, seconds: float) -> None:
        self._inner = inner
        self._seconds = seconds
        self._answering = True

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send some bytes; the first after an answer begin another exchange."""
        del timeout
        if self._answering:
            self._answering, self._received = False, 0
            self._until = time.monotonic() + self._seconds
        for start in range(0, len(buffer), AT_ONCE):
            self._inner.write(buffer[start : start + AT_ONCE], self._left(httpcore.WriteTimeout))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Receive some bytes of an answer."""
        del timeout
        self._answering = True
        received = self._inner.read(max_bytes, self._left(httpcore.ReadTimeout))
        self._received += len(received)
        if self._received > MAX_RECEIVED:
            raise httpcore.RemoteProtocolError(f"the answer has more than {MAX_RECEIVED} bytes")
        return received

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


class BoundedTransport(httpx.HTTPTransport):
    """HTTP over bounded connections, without a proxy, whatever the environment says of one."""

    def __init__(self, *, verify: Any, seconds: float) -> None:
        context = httpx.create_ssl_context(verify=verify, trust_env=False)
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=64,
            max_keepalive_connections=16,
            keepalive_expiry=4,
            network_backend=BoundedBackend(seconds),
        )

"""A request and what came back, as far as that is the target's own, whole answer."""

import zlib
from collections.abc import Mapping

from attrs import define, field, frozen

from conformance.http.status import Reply, reply_of

LIGHT = 64 * 1024
"""Bytes of a body that nobody minds to keep."""
MAX_VALUES = 30_000
"""Values in the JSON of an answer; as objects they take a hundred times the bytes."""
DECODERS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
GATEWAYS = {502, 504, 511}
"""Only a gateway answers so; it has no answer of the server behind it (RFC 9110, 15.6.3, 15.6.5)."""
PROXY, CHALLENGE = 407, "proxy-authenticate"
"""What a proxy answers that wants a password (RFC 9110, 15.5.8); without the challenge it is a refusal like others."""


@frozen
class Request:
    """What was sent."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None

    def header(self, name: str) -> str:
        """Return the value of a header, whatever the case of its name (RFC 9110, 5.1); empty if none."""
        return _value_of(name, self.headers)


@define
class Exchange:
    """One request and what came back: an answer, or the trouble that kept it from coming.

    ``counted`` once it is part of a check's number of requests; ``batched`` when it is one of many sent together for
    several checks, so that it is evidence only where it is shown; ``exempt`` when the form of
    an acceptance is not judged as well, since it had to be refused, or nothing says what comes of it; ``second_hand``
    when a create was answered with the refund of another request number; ``reads_back`` when it is a list or a get in
    the page's own shape, of what the target itself has named. ``opening`` is how the body begins, and
    ``location`` where it leads, both fit to be shown. ``unreachable`` when not even a connection came about;
    ``unsent`` when the client could not send it; ``stale`` when the connection that it was sent on had already been
    closed. ``watched`` are the seconds that it then took to find out whether the target changes by itself what the
    answer shows.
    """

    request: Request
    operation: str
    at: str
    role: str = "act"
    status: int | None = None
    headers: dict[str, str] = field(factory=dict)
    body: bytes = b""
    opening: str = ""
    location: str = ""
    cut_off: bool = False
    trouble: str | None = None
    unreachable: bool = False
    unsent: bool = False
    stale: bool = False
    seconds: float = 0.0
    watched: float = 0.0
    counted: bool = False
    batched: bool = False
    exempt: bool = False
    second_hand: bool = False
    reads_back: bool = False

    def header(self, name: str) -> str:
        """Return the value of a header of the answer, whatever the case of its name (RFC 9110, 5.1); empty if none."""
        return _value_of(name, self.headers)


def _value_of(name: str, headers: Mapping[str, str]) -> str:
    return next((value for known, value in headers.items() if known.lower() == name.lower()), "")


def decoded(exchange: Exchange, most: int) -> bytes:
    """Return the body without an encoding that nobody asked for, at most so many bytes; notes if there are more."""
    window = DECODERS.get(_encoding(exchange))
    if window is None or not exchange.body:
        return exchange.body
    decoder = zlib.decompressobj(window)
    body = decoder.decompress(exchange.body, most)
    exchange.cut_off = not decoder.eof
    return body


def _encoding(exchange: Exchange) -> str:
    return exchange.header("content-encoding").strip().lower()


def is_refusal(exchange: Exchange) -> bool:
    """Say whether the status of an answer says it all: the rest of a refusal is of no use (reading A55)."""
    return reply_of(exchange.status) is Reply.REFUSED


def what_is_missing(exchange: Exchange) -> str | None:
    """Return why an answer that came cannot be taken for the target's own, whole answer."""
    if exchange.status in GATEWAYS or (exchange.status == PROXY and exchange.header(CHALLENGE)):
        return f"a gateway or a proxy answered {exchange.status}, and not the target"
    if exchange.cut_off and not is_refusal(exchange):
        return f"the answer has more than the {len(exchange.body)} bytes that were read, or its encoding breaks off"
    if len(exchange.body) > LIGHT and sum(map(exchange.body.count, b"{[,")) > MAX_VALUES:
        return f"the answer has more than {MAX_VALUES} values"
    encoding = _encoding(exchange)
    if exchange.body and encoding not in {"", "identity", *DECODERS}:
        return f"the answer has the encoding {encoding[:40]!r}, which was not asked for"
    return None

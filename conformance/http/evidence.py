"""Exchanges made fit to be shown: redacted, bounded, text, and with a curl line that sends the request again."""

from collections.abc import Iterator

from conformance.http.curl import curl
from conformance.http.exchange import Exchange
from conformance.http.redact import Redactor
from conformance.results import Evidence

SHOWN = 4000
"""Characters of an answer's body that are kept in the record."""

SENT = 20_000
"""Characters of a request's body that are kept; longer than those of answers, since it is to be sent again."""


def as_evidence(exchange: Exchange, redact: Redactor, *, decides: bool = False) -> Evidence:
    """Return the exchange as it may leave the suite; ``decides`` when a verdict is about it."""
    request = exchange.request
    headers = {name: redact(value) for name, value in request.headers.items()}
    url = redact(request.url)
    sent = None if request.body is None else request.body.decode("utf-8", "replace")
    body = None if sent is None else redact(sent)[:SENT]
    inexact = sent is not None and (len(sent) > SENT or sent.encode("utf-8", "surrogatepass") != request.body)
    return Evidence(
        role=exchange.role,
        operation=exchange.operation,
        at=exchange.at,
        method=request.method,
        url=url,
        request_headers=headers,
        request_body=body,
        status=exchange.status,
        response_headers=dict(_shown_headers(exchange, redact)),
        response_body=redact.start(exchange.body, SHOWN),
        cut_off=exchange.cut_off or len(exchange.body) > SHOWN,
        trouble=None if exchange.trouble is None else redact(exchange.trouble),
        milliseconds=round(exchange.seconds * 1000),
        curl=curl(request.method, url, headers, body)
        + ("  # not quite what was sent: its body was longer, or no text" if inexact else ""),
        decides=decides,
        aside=exchange.batched,
        inexact=inexact,
    )


def _shown_headers(exchange: Exchange, redact: Redactor) -> Iterator[tuple[str, str]]:
    """Yield the headers of an answer until they have as many characters as a body may have."""
    left = SHOWN
    for name, value in exchange.headers.items():
        shown = redact.start(name, 200), redact.start(value, 1000)
        left -= sum(map(len, shown))
        if left < 0:
            return
        yield shown

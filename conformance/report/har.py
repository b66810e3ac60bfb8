"""``traffic.har``: the exchanges of a run, for the network panel of a browser."""

import io
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

import harfile

from conformance.report.material import Material
from conformance.results import Evidence, Verdict
from conformance.text import harmless, one_line

VERSION = "HTTP/1.1"


def draw_har(material: Material) -> str:
    """Return an entry for each exchange, oldest first; its comment names requirement, check, role and trouble.

    One without an answer has status 0, as browsers write it.
    """
    written = io.StringIO()
    version = harmless(str(material.run.header.get("suite_version", "")))
    creator = harfile.Creator(name="genstore-conformance", version=version)
    with harfile.HarFile.open(written, creator=creator, comment=one_line(material.run.sentence)) as file:
        for verdict, exchange in material.exchanges:
            file.add_entry(
                startedDateTime=harmless(exchange.at),
                time=exchange.milliseconds,
                request=_request(exchange),
                response=_response(exchange),
                timings=harfile.Timings(send=0, wait=exchange.milliseconds, receive=0),
                comment=_comment(verdict, exchange),
            )
    return written.getvalue() + "\n"


def _request(exchange: Evidence) -> harfile.Request:
    body = exchange.request_body
    return harfile.Request(
        method=one_line(exchange.method),
        url=one_line(exchange.url),
        httpVersion=VERSION,
        headers=_records(exchange.request_headers.items()),
        queryString=_records(_query(exchange.url)),
        postData=None if body is None else harfile.PostData(_type(exchange.request_headers), text=harmless(body)),
    )


def _response(exchange: Evidence) -> harfile.Response:
    text = harmless(exchange.response_body)
    return harfile.Response(
        status=exchange.status or 0,
        statusText=_phrase(exchange.status),
        httpVersion=VERSION,
        headers=_records(exchange.response_headers.items()),
        content=harfile.Content(size=len(text.encode()), mimeType=_type(exchange.response_headers), text=text),
    )


def _records(pairs: Iterable[tuple[str, str]]) -> list[harfile.Record]:
    return [harfile.Record(name=harmless(name), value=harmless(value)) for name, value in pairs]


def _query(url: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        return []


def _type(headers: dict[str, str]) -> str:
    found = [harmless(value) for name, value in headers.items() if name.lower() == "content-type"]
    return found[0] if found else "application/octet-stream"


def _phrase(status: int | None) -> str:
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:
        return ""


def _comment(verdict: Verdict, exchange: Evidence) -> str:
    parts = [verdict.requirement, verdict.check, exchange.role, exchange.trouble or ""]
    return one_line(" · ".join(part for part in parts if part))

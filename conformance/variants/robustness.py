"""Honest readings of HTTP: headers, content types, rate limits."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from conformance.reference.app import WSGI, App
from conformance.reference.requests import Refusal
from conformance.reference.rules import Shop
from conformance.reference.store import StoredRefund
from conformance.variants import reads

Start = Callable[..., Any]


@reads("A60", aspect="request content type")
class NeedsTheContentType(App):
    """Refuses a body that is not declared as JSON with 415."""

    def read_body(self, request: Any) -> Any:
        """Look at the header first."""
        if request.mimetype != "application/json":
            raise Refusal(415, "the content type must be application/json")
        return super().read_body(request)


@reads("A60", aspect="answer content type")
class DeclaresAnEncoding(App):
    """Names the encoding with the content type of its answers."""

    def respond(self, request: Any) -> Any:
        """Add the parameter."""
        response = super().respond(request)
        if response.mimetype == "application/json":
            response.headers["Content-Type"] = "application/json;charset=UTF-8"
        return response


@reads("A60", aspect="answer content type")
class DeclaresPlainText(App):
    """Answers JSON under the content type of plain text, which the page does not rule out."""

    def respond(self, request: Any) -> Any:
        """Put the other type in its place."""
        response = super().respond(request)
        response.mimetype = "text/plain"
        return response


@reads("A46", aspect="extra headers")
class AddsHeaders(App):
    """Adds headers to its answers, among them a link to a next page that nobody needs."""

    def respond(self, request: Any) -> Any:
        """Add some."""
        response = super().respond(request)
        response.headers["Link"] = '<https://example.com/next?pageToken=abc>; rel="next"'
        response.headers["X-Request-Id"] = "5f0c2a"
        response.headers["Cache-Control"] = "no-store"
        return response


@reads("A60", aspect="header names")
def writes_headers_in_lower_case(app: WSGI) -> WSGI:
    """Writes the names of its headers in lower case."""

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        def start_lower(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start(status, [(name.lower(), value) for name, value in headers], *more)

        return app(environ, start_lower)

    return answer


@reads("A60", aspect="length")
def streams_its_answers(app: WSGI) -> WSGI:
    """Does not say how long its answers are, and sends them in pieces."""

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        def start_without(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start(status, [entry for entry in headers if entry[0].lower() != "content-length"], *more)

        text = b"".join(app(environ, start_without))
        return [text[at : at + 64] for at in range(0, len(text), 64)]

    return answer


class LimitsTheRate(App):
    """Answers 429 now and then; the variants below differ in when, and in what they say."""

    def __init__(self, shops: Mapping[str, Shop]) -> None:
        super().__init__(shops)
        self.count = 0

    def is_too_much(self) -> bool:
        """Say whether a request is one too many."""
        return self.count % 7 == 0

    def limited(self) -> Any:
        """Return the answer to a request that is one too many."""
        return self.refuse(429, "slow down")

    def respond(self, request: Any) -> Any:
        """Count the requests to the API."""
        if "/_test/" in request.path:
            return super().respond(request)
        self.count += 1
        return self.limited() if self.is_too_much() else super().respond(request)


@reads("A65", aspect="rate limit")
class LimitsEverySeventh(LimitsTheRate):
    """Answers every seventh request with 429 and says no more."""


@reads("A65", aspect="rate limit")
class LimitsEverySeventhForATime(LimitsTheRate):
    """Answers every seventh request with 429 and says how long to wait."""

    def limited(self) -> Any:
        """Name the seconds."""
        response = super().limited()
        response.headers["Retry-After"] = "1"
        return response


@reads("A65", aspect="rate limit")
class LimitsLikeThePlatform(LimitsTheRate):
    """Lets requests through as its bucket of forty allows, filled by two a second, and tells its level with each."""

    size, speed = 40, 2.0

    def __init__(self, shops: Mapping[str, Shop]) -> None:
        super().__init__(shops)
        self.clock = next(iter(shops.values())).clock
        self.used, self.at = 0.0, self.clock.monotonic()

    def is_too_much(self) -> bool:
        """Drain the bucket, and pour one in if there is room."""
        now = self.clock.monotonic()
        self.used = max(0.0, self.used - (now - self.at) * self.speed)
        self.at = now
        full = self.used + 1 > self.size
        self.used += 0 if full else 1
        return full

    def respond(self, request: Any) -> Any:
        """Tell the level."""
        response = super().respond(request)
        response.headers["X-Genstore-Shop-Api-Rate-Limit"] = f"{int(self.used)}/{self.size}"
        return response


@reads("A54", "A65", aspect="creates at once")
class IsBusyWhileItCreates(Shop):
    """Refuses a create with 409 while another one of the shop is carried out."""

    seconds = 0.005
    """What a create takes in real time, so that those of a burst meet."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.busy = threading.Lock()

    def create(self, body: Any) -> StoredRefund:
        """Carry one out, and let no other wait."""
        if not self.busy.acquire(blocking=False):
            raise Refusal(409, "another refund is being created")
        try:
            time.sleep(self.seconds)
            return super().create(body)
        finally:
            self.busy.release()

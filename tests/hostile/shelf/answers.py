"""Servers that answer in good HTTP, and not as an API does."""

from tests.hostile.server import Asked, Reply
from tests.hostile.shelf.behaviour import Behaviour, broken, fine, plain, sound, turning, unjudged

PAGE = b"<!DOCTYPE html><html><body><form action='/login'>Please log in</form></body></html>"
HTML = ("Content-Type", "text/html")


def to(location: str, status: int = 302) -> Behaviour:
    """Return a server that sends everybody elsewhere."""
    return unjudged(plain(b"", status, ("Location", location)), "redirect")


def around(asked: Asked) -> None:
    """Redirect to the address that was asked for."""
    asked.send(Reply(307, (("Location", asked.path),), b"").raw)


def limited(status: int, *headers: tuple[str, str]) -> Behaviour:
    """Return a server that is too busy for ever."""
    return unjudged(plain(b"{}", status, *headers), f"answered {status}")


ANSWERS: dict[str, Behaviour] = {
    "redirects for ever": unjudged(around, "redirect"),
    "redirects to another host": to("http://127.0.0.2:9/api"),
    "redirects to another scheme": to("ftp://127.0.0.1/", 301),
    "redirects to a file": to("file:///etc/passwd", 308),
    "redirects to no address": to("http://[bad:::/", 303),
    "redirects without an address": unjudged(plain(b"", 302), "redirect"),
    "asks for a password": unjudged(
        plain(b"", 401, ("WWW-Authenticate", 'Basic realm="x"'), ("WWW-Authenticate", "Negotiate")), "tokens/full"
    ),
    "asks for a proxy password": unjudged(plain(b"", 407, ("Proxy-Authenticate", "Basic")), "proxy"),
    "is a login page": unjudged(plain(PAGE, 200, HTML), "web page"),
    "is a login page by redirect": unjudged(plain(PAGE, 302, HTML, ("Location", "/login")), "redirect"),
    "accepts everything with 204 and a body": broken(sound(lambda reply: Reply(204, (), reply.body).raw)),
    "accepts everything with status 299": broken(plain(b"{}", 200)),
    "fails at everything": broken(plain(b'{"error": "oops"}', 500)),
    "fails at everything with a web page": broken(plain(PAGE, 500, HTML)),
    "has a status of 999": broken(sound(lambda reply: reply.raw.replace(b" 200 OK", b" 999 OK", 1))),
    "has no gateway answer": unjudged(plain(PAGE, 502, HTML), "gateway"),
    "has no gateway answer in time": unjudged(plain(PAGE, 504, HTML), "gateway"),
    "limits for ever": limited(429),
    "limits for 31 years": limited(429, ("Retry-After", "999999999")),
    "limits until a day that never was": limited(429, ("Retry-After", "Fri, 31 Feb 2099 25:61:00 GMT")),
    "limits for nonsense": limited(429, ("Retry-After", "-1e9 fortnights"), ("Date", "yesterday")),
    "limits until the year 9999": limited(
        503, ("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"), ("Date", "Thu, 01 Jan 1970 00:00:00 GMT")
    ),
    "is unavailable at first, and then well": fine(
        turning(plain(b"", 503, ("Retry-After", "0")), sound(lambda reply: reply), 3)
    ),
    "tells a date of long ago": fine(sound(lambda reply: reply.telling(("Date", "Mon, 01 Jan 2001 00:00:00 GMT")))),
    "sets cookies, HSTS and odd limits": fine(
        sound(
            lambda reply: reply.telling(
                ("Set-Cookie", "session=1; Path=/"), ("Strict-Transport-Security", "max-age=99999999"),
                ("X-Genstore-Shop-Api-Rate-Limit", "NaN/-1"),
                ("Retry-After", "999999999"), ("Alt-Svc", 'h3=":9"'), ("Refresh", "0; url=http://127.0.0.2:9/"),
            )
        )
    ),
}  # fmt: skip

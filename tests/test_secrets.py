"""What is secret in a target file is shown nowhere, and has a name that curl lines and scripts can use."""

import base64
import random
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.clock import VirtualClock
from conformance.http.answer import Answer
from conformance.http.evidence import as_evidence
from conformance.http.exchange import Exchange, Request
from conformance.http.limits import Limits
from conformance.http.pace import Pace
from conformance.http.redact import Redactor
from conformance.http.wire import Wire
from conformance.reference.server import make_reference, serving
from conformance.target import Target, load_target

PLAIN = "base_url: https://shop.example.com\ntokens: {full: full-token-1}\n"
KEY = "key-from-outside"
OUTSIDE = {"KEY": KEY, "PLACE": "https://shop.example.com", "TENANT": "tenant-seven"}


def written(tmp_path: Path, more: str) -> Target:
    """Return the target of a file with more in it."""
    path = tmp_path / "target.yaml"
    path.write_text(PLAIN + more, encoding="utf-8")
    return load_target(path, OUTSIDE)


@pytest.mark.parametrize(
    ("more", "hidden"),
    [
        ("headers: {Authorization: Bearer bearer-1}", {"HEADER_AUTHORIZATION": "bearer-1"}),
        ("headers: {X-Api-Key: plain-key}", {"HEADER_X_API_KEY": "plain-key"}),
        ("headers: {X-Gateway-Pass: plain-pass}", {"HEADER_X_GATEWAY_PASS": "plain-pass"}),
        ("headers: {Cookie: 'sid=one-1; other=two-2'}", {"HEADER_COOKIE": "one-1", "HEADER_COOKIE ": "two-2"}),
        ("headers: {X-Env: staging}", {}),
        ("headers: {X-Env: '${TENANT}'}", {"HEADER_X_ENV": "tenant-seven"}),
        ("headers: {X-Env: 'for ${TENANT}'}", {"HEADER_X_ENV": "tenant-seven"}),
    ],
)
def test_what_is_secret_in_a_header_is_hidden(tmp_path: Path, more: str, hidden: dict[str, str]) -> None:
    """A header that speaks of a secret, or comes from outside, is hidden, and its scheme is not."""
    target = written(tmp_path, f"orders: {{pool: orders.yaml}}\n{more}\n")

    assert target.secrets[1:] == [(name.strip(), value) for name, value in hidden.items()]


def test_a_password_is_hidden_without_its_user_as_well(tmp_path: Path) -> None:
    """What Basic authorization sends is hidden as it is sent, and as it is read."""
    sent = base64.b64encode(b"user:the-password").decode()
    target = written(tmp_path, f"orders: {{pool: orders.yaml}}\nheaders: {{Authorization: Basic {sent}}}\n")

    assert {value for _, value in target.secrets[1:]} == {sent, "user:the-password", "the-password"}


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("https://user:orders-pw@shop.example.com/new", [("ORDERS_PASSWORD", "orders-pw")]),
        ("https://sk_live_x@shop.example.com/new", [("ORDERS_USER", "sk_live_x")]),
        ("https://${KEY}:orders-pw@shop.example.com/new", [("ORDERS_USER", KEY), ("ORDERS_PASSWORD", "orders-pw")]),
        ("https://shop.example.com/new?api_key=plain-key&shipped=true", [("ORDERS_API_KEY", "plain-key")]),
        ("https://shop.example.com/new?for=${KEY}", [("ORDERS_FOR", KEY)]),
        ("https://shop.example.com/${KEY}/new", [("ORDERS_PATH", KEY)]),
        ("${PLACE}/new", []),
    ],
)
def test_what_is_secret_in_the_address_of_the_order_provider_is_hidden(
    tmp_path: Path, url: str, hidden: list[tuple[str, str]]
) -> None:
    """A password, a key, or what comes from outside; the address itself is none."""
    assert written(tmp_path, f"orders: {{url: '{url}'}}\n").secrets[1:] == hidden


def test_what_a_program_is_told_of_a_secret_is_hidden(tmp_path: Path) -> None:
    """A program that makes orders may print what it was given; what is no secret by its name is shown."""
    target = written(tmp_path, "orders: {command: [./orders, '--key=${KEY}', '${TENANT}']}\n")

    assert target.secrets[1:] == [("ORDERS_KEY", KEY)]


def test_an_order_provider_is_told_the_user_of_its_address() -> None:
    """As curl does, the suite sends what stands before the host as Basic authorization."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    wire = Wire(
        clock=VirtualClock(), limits=Limits(), pace=Pace(), redact=Redactor(), jitter=random.Random(1),
        transport=httpx.MockTransport(answer),
    )  # fmt: skip
    wire.send("POST", "http://user:p%40ss@x/new", operation="orders")

    assert seen[0].headers["Authorization"] == f"Basic {base64.b64encode(b'user:p@ss').decode()}"


def test_the_shell_puts_a_secret_into_a_curl_line_wherever_it_stands() -> None:
    """In a header and in the address, the name of the secret is a variable, not a text."""
    redact = Redactor([("HEADER_AUTHORIZATION", "bearer-1"), ("ORDERS_KEY", "key-1")])
    request = Request("POST", "http://a/new?key=key-1", {"Authorization": "Bearer bearer-1", "X-Plain": "1"}, b"{}")

    curl = as_evidence(Exchange(request, "orders", "2026-01-01T00:00:00Z"), redact).curl

    assert '"http://a/new?key=$ORDERS_KEY"' in curl
    assert '"Authorization: Bearer $HEADER_AUTHORIZATION"' in curl
    assert "'X-Plain: 1'" in curl


def test_no_file_of_a_run_shows_a_secret(tmp_path: Path) -> None:
    """A password in the address of the orders, and one in a header, are in no record, report or script."""
    reference = make_reference()
    with serving(reference.app) as origin:
        target = reference.target(origin, name="secretive")
        assert target.orders.url is not None
        (tmp_path / "target.yaml").write_text(
            f"base_url: {target.base_url}\ntokens: {{full: not-the-token-at-all}}\n"
            f"orders: {{url: '{target.orders.url}?key=orders-secret-1'}}\n"
            "headers: {X-Gateway-Pass: header-secret-2}\n",
            encoding="utf-8",
        )
        formats = [f"--format={name}" for name in ("html", "junit", "markdown", "har", "json")]
        arguments = ["run", str(tmp_path / "target.yaml"), "--out", str(tmp_path / "out"), "--profile=quick", *formats]
        done = CliRunner().invoke(main, arguments)

    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert "$ORDERS_KEY" in "".join(texts)
    for secret in ("orders-secret-1", "header-secret-2", "not-the-token-at-all"):
        assert not [text for text in (*texts, done.output) if secret in text]


def test_the_address_of_a_redirect_shows_no_secret_even_cut_in_two() -> None:
    """What an explanation tells of where an answer leads has neither the token nor the first half of it."""
    secret = "a-token-of-this-target"
    for before in range(130, 175):
        transport = httpx.MockTransport(
            lambda _, before=before: httpx.Response(302, headers={"Location": "/" * before + secret})
        )
        wire = Wire(
            clock=VirtualClock(), limits=Limits(), pace=Pace(), redact=Redactor([("GENSTORE_TOKEN", secret)]),
            transport=transport, jitter=random.Random(1),
        )  # fmt: skip
        told = Answer(wire.send("GET", "http://x/api/", operation="get")).described

        assert told.startswith("302 to /")
        assert "a-token" not in told

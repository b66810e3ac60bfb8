"""Whatever our own readers are given, they say what they make of it, or what is wrong with it."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.catalogue import load_catalogue, spec_folder
from conformance.generation.cases import as_data, load_case
from conformance.generation.stories import TOUR
from conformance.http.answer import Answer
from conformance.http.exchange import Exchange, Request
from conformance.judging.contract import breaches_of, load_document
from conformance.judging.observe import observations
from conformance.model import load_json, read_id, read_money, read_number, read_refund, read_time
from conformance.orders import PoolOrders
from conformance.outcome import Outcome, UsageError
from conformance.record import read_record
from conformance.report import FORMATS, draw
from conformance.target import load_target
from conformance.waivers import load_waivers
from tests.report.runs import exchange, make_run, verdict

CATALOGUE = load_catalogue()
TEXTS = st.text(max_size=40) | st.sampled_from(
    ["1", "-0", "1e999999999", "9" * 2000, "\x00", "\ud800", "2020-02-30T24:61:00Z"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | TEXTS
NAMES = st.sampled_from(
    ["refund", "refunds", "refundId", "orderId", "lineItems", "lineItem", "amount", "status", "shipping", "createTime"]
) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=25
)
OPERATIONS = st.sampled_from(["create", "review", "list", "get"])
seriously = settings(
    max_examples=120, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def only_named_errors(read: Callable[[Path], object], content: bytes) -> None:
    """Reading a file of that content works, or ends in a message for the user that names the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        said = ["file"]
        try:
            read(path)
        except UsageError as mistake:
            said.append(str(mistake))
        assert "file" in said[-1]
        assert len(said[-1]) < 2000


def as_text(value: Any) -> str:
    """Return a value as JSON, in which YAML has the same meaning."""
    return json.dumps(value, default=str)


# What people write.

TARGET = {
    "name": "mine", "base_url": "http://x", "tokens": {"full": "abcdef"}, "orders": {"url": "http://x/o"},
    "other_shop": {"base_url": "http://y", "tokens": {"full": "ghijkl"}, "orders": {"pool": "p.yaml"}},
    "tls": {"verify": False}, "headers": {"X-A": "b"}, "not_available": [], "limits": {"answer": 3},
}  # fmt: skip
POOL = {
    "orders": [{
        "orderId": "1", "customerId": 2, "shipped": True,
        "lines": [{"lineItemId": "1", "quantity": 3, "unitPrice": "10.00"}],
    }]
}  # fmt: skip


@st.composite
def edited(draw: st.DrawFn, whole: dict[str, Any]) -> dict[str, Any]:
    """Return some data with another value, or none, somewhere in it."""
    data: Any = json.loads(json.dumps(whole))
    at = data
    while True:
        key = draw(st.sampled_from(list(at) if isinstance(at, dict) else range(len(at))))
        if not isinstance(at[key], dict | list) or not at[key] or draw(st.booleans()):
            break
        at = at[key]
    if draw(st.booleans()):
        at[key] = draw(VALUES)
    elif isinstance(at, dict):
        at[draw(TEXTS)] = at.pop(key)
    return data  # type: ignore[no-any-return]


def read_target(path: Path) -> object:
    """Load a target file with nothing in the environment."""
    return load_target(path, {})


@seriously
@given(edited(TARGET) | VALUES)
def test_a_target_file_of_any_data_is_taken_or_explained(data: Any) -> None:
    """A value of another kind, a key too many or too few: all of it is a mistake that is named."""
    only_named_errors(read_target, as_text(data).encode())


@seriously
@given(edited(POOL) | VALUES)
def test_a_pool_of_any_data_is_taken_or_explained(data: Any) -> None:
    """The same of the orders that somebody prepared."""
    only_named_errors(PoolOrders, as_text(data).encode())


WAIVERS = {
    "waivers": [{
        "requirement": "REVIEW-01", "reason": "r", "owner": "o", "ticket": "T-1",
        "expires": "2099-01-01", "observed": "x",
    }]
}  # fmt: skip


def read_waivers(path: Path) -> object:
    """Load a waiver file for the catalogue."""
    return load_waivers(path, CATALOGUE)


@seriously
@given(edited(WAIVERS) | VALUES)
def test_a_waiver_file_of_any_data_is_taken_or_explained(data: Any) -> None:
    """The same of what somebody excused."""
    only_named_errors(read_waivers, as_text(data).encode())


@seriously
@given(st.binary(max_size=200) | st.text("{}[]:,-?&*!|>'\"%@`#ab \n\t\\", max_size=80).map(str.encode))
@pytest.mark.parametrize("read", [read_target, PoolOrders])
def test_a_file_of_any_bytes_is_taken_or_explained(read: Callable[[Path], object], content: bytes) -> None:
    """Bytes that are no text, and text that is no YAML."""
    only_named_errors(read, content)


@pytest.mark.parametrize(
    "content",
    [
        "a0: &a0 [1, 1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)),
        "[" * 100_000,
        "- " * 100_000 + "x",
        "{a: " * 5_000 + "}" * 5_000,
        "? [a]\n: b\n",
        "? {a: b}\n: c\n",
        "base_url: " + "9" * 10_000,
        "x: " + "y" * 5_000_000,
        "!!python/object/apply:os.system [exit]",
        "<<: {base_url: x}",
        "\ufeffbase_url: x",
    ],
    ids=["laughs", "deep", "dashes", "braces", "list key", "map key", "digits", "long", "object", "merge", "mark"],
)  # fmt: skip
@pytest.mark.parametrize("read", [read_target, PoolOrders])
def test_a_yaml_bomb_is_explained(read: Callable[[Path], object], content: str, tmp_path: Path) -> None:
    """Nothing expands, recurses, or is run."""
    (tmp_path / "file").write_text(content)
    with pytest.raises(UsageError, match="file"):
        read(tmp_path / "file")


CASE = {"requirement": "LIFE-03", **as_data(TOUR)}
PIECES = [
    "!!binary ", "!!float ", "!!timestamp ", "!!int ", "!mine ", "&a ", "*a", "<<: ", "? ", "- ", ": ", "1: ", "---\n",
    "...\n", "%YAML 1.1\n", "|\n", ">\n", "[", "]", "{", "}", '"', "'", "#", ",", "\t", "\x00", "\ufeff", "0x1f",
    "1:60", "2026-02-30", "1e999", "NaN", "null", "true", "${HOME}", "${", "9" * 50,
]  # fmt: skip


@st.composite
def spliced(draw: st.DrawFn, text: str) -> bytes:
    """Return a text with pieces that mean something to a reader put into it, here and there, over what was there."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + draw(st.integers(0, 9)) :]
    return text.encode()


@pytest.mark.parametrize(
    ("read", "whole"), [(read_target, TARGET), (PoolOrders, POOL), (read_waivers, WAIVERS), (load_case, CASE)]
)
@seriously
@given(data=st.data())
def test_a_file_with_pieces_put_in_is_taken_or_explained(
    read: Callable[[Path], object], whole: dict[str, Any], data: st.DataObject
) -> None:
    """Whatever stands where it does not belong, the message says what is wrong."""
    only_named_errors(read, data.draw(spliced(yaml.safe_dump(whole))))


@pytest.mark.parametrize(
    "tagged",
    ["!!binary YWJj", "!!timestamp 2026-01-01", "!!float 1.5", "!!set {a}", "!!omap [a: 1]", "!!bool maybe", '!!int ""',
     "!!map [a]", "!!map ab", "!mine x"],
)  # fmt: skip
@pytest.mark.parametrize("read", [read_target, PoolOrders, read_waivers, load_case])
def test_a_tag_that_makes_what_json_does_not_have_is_explained(
    read: Callable[[Path], object], tagged: str, tmp_path: Path
) -> None:
    """Bytes, dates, floats and sets are none of our values, wherever a tag asks for them."""
    for content in (tagged, f"limits: {{answer: {tagged}}}", f"{tagged}: x"):
        (tmp_path / "file").write_text(content)
        with pytest.raises(UsageError, match="file"):
            read(tmp_path / "file")


@pytest.mark.parametrize("url", ["http://[[x", "http://x:abc", "http://x:99999", "http://", "ftp://x", "nonsense"])
@pytest.mark.parametrize("place", ["base_url", "orders/url"])
def test_an_address_in_a_target_file_that_is_none_is_explained(place: str, url: str, tmp_path: Path) -> None:
    """The message names its place, and not what stood there, which may hold a password."""
    name, _, inner = place.partition("/")
    (tmp_path / "file").write_text(as_text({**TARGET, name: {inner: url} if inner else url}))
    with pytest.raises(UsageError, match=f"file: {place}: is not a URL"):
        read_target(tmp_path / "file")


@pytest.mark.parametrize("price", ["ten", "9" * 2000])
def test_a_price_in_a_pool_that_is_none_is_explained(price: str, tmp_path: Path) -> None:
    """The message names the order that it stands in."""
    pool = json.loads(json.dumps(POOL))
    pool["orders"][0]["lines"][0]["unitPrice"] = price
    (tmp_path / "file").write_text(as_text(pool))
    with pytest.raises(UsageError, match=r"file: at orders/0: '.{3,40} is no unitPrice"):
        PoolOrders(tmp_path / "file")


# The record.

RUN = make_run(
    [
        verdict("REVIEW-01"),
        verdict("REVIEW-04", Outcome.FAILED, evidence=(exchange(), exchange("look", None, trouble="silence"))),
        verdict("CREATE-03", Outcome.BLOCKED, explanation="nobody knows"),
    ]
)


def record_lines() -> list[dict[str, Any]]:
    """Return the lines of a small record."""
    from attrs import asdict

    header = {"kind": "header", "format": 1, **RUN.header}
    verdicts = [{"kind": "verdict", **asdict(verdict)} for verdict in RUN.verdicts[:3]]
    made = {"kind": "ledger", "what": "refund", "id": "1", "order": "2", "shop": "shop", "state": "initiated"}
    seen = {"kind": "observation", "reading": "A01", "observed": "x", "check": "y"}
    waiver = dict.fromkeys(("requirement", "reason", "owner", "ticket", "expires", "observed"), "x")
    waived = {"kind": "waiver", **waiver, "state": "used", "checks": 1}
    reached = {"kind": "reach", "operation": "get", "parameter": "x", "keyword": "y", "accepted": 1}
    footer = {"kind": "footer", **(RUN.footer or {})}
    lines: list[dict[str, Any]] = json.loads(
        json.dumps([header, *verdicts, made, waived, reached, seen, footer], default=str)
    )
    return lines


LINES = record_lines()


def read_and_draw(path: Path) -> None:
    """Read a record and draw every report of it."""
    draw(read_record(path), CATALOGUE, path.parent / "out", list(FORMATS))


@settings(seriously, max_examples=40)
@given(st.sampled_from(range(len(LINES))).flatmap(lambda at: st.tuples(st.just(at), edited(LINES[at]))))
def test_a_record_with_any_other_value_is_drawn_or_explained(changed: tuple[int, dict[str, Any]]) -> None:
    """What a record says is believed only as far as it has the shape of one."""
    lines = [*LINES]
    lines[changed[0]] = changed[1]
    only_named_errors(read_and_draw, "\n".join(map(as_text, lines)).encode())


@seriously
@given(st.integers(0, 20_000), st.binary(max_size=6))
def test_a_record_that_was_cut_or_damaged_is_read_or_explained(at: int, damage: bytes) -> None:
    """Bytes missing at the end are a killed run; others in the middle are named with their line."""
    whole = "\n".join(map(as_text, LINES)).encode()
    at %= len(whole)
    only_named_errors(read_record, whole[:at])
    only_named_errors(read_record, whole[:at] + damage + whole[at + len(damage) :])


# What servers answer.


@seriously
@given(OPERATIONS, VALUES, st.sampled_from([200, 201, 302, 400, 500, 999]))
def test_any_json_is_read_without_an_error(operation: str, value: Any, status: int) -> None:
    """Model, contract and observations take whatever JSON there is."""
    method = {"create": "POST", "review": "PUT"}.get(operation, "GET")
    sent = Request(method, "http://x/api/202412/refunds?orderId=1&refundId=2&limit=x", {}, b'{"refund": {}}')
    exchange = Exchange(sent, operation, "now", status=status, body=as_text(value).encode())
    answer = Answer(exchange)

    assert answer.refund is None or answer.refund.refund_id
    assert answer.refunds is None or all(answer.refunds)
    list(breaches_of(operation, answer.json))
    for _, sentence in observations(exchange):
        assert len(sentence) < 300


@seriously
@given(st.binary(max_size=60) | st.text('[]{}:,"\\eE+-.0123456789NaInfity ', max_size=60).map(str.encode))
def test_any_bytes_are_json_or_a_value_error(content: bytes) -> None:
    """Numbers come back exact, and small enough to be reckoned with."""
    with contextlib.suppress(ValueError):
        value = load_json(content.decode("utf-8-sig"))
        for number in (value, read_number(value)):
            if isinstance(number, Decimal):
                assert abs(number.adjusted()) <= 1000


@seriously
@given(SCALARS)
def test_any_scalar_is_read_or_none(value: Any) -> None:
    """An id, an amount and a time are read from anything, or not at all."""
    assert isinstance(read_id(value), str | None)
    assert isinstance(read_money(value), Decimal | None)
    read_time(value)
    read_refund({"refundId": "1", "status": value, "lineItems": value, "shipping": value, "createTime": value})


@pytest.mark.parametrize("content", ["1: x", "requirements: [{true: x}]", "area: !!binary YWJj", "&a [*a]"])
def test_a_catalogue_that_no_json_could_be_is_explained(content: str, tmp_path: Path) -> None:
    """What has keys that are no text, or is inside itself, is no file of requirements."""
    shutil.copytree(spec_folder(), tmp_path / "spec", ignore=shutil.ignore_patterns("lint"))
    (tmp_path / "spec" / "requirements" / "review.yaml").write_text(content)
    with pytest.raises(UsageError, match=r"review\.yaml"):
        load_catalogue(tmp_path / "spec")


@seriously
@given(
    data=VALUES | st.fixed_dictionaries({"area": TEXTS, "prefix": TEXTS, "requirements": st.lists(VALUES, max_size=3)})
)
def test_a_catalogue_of_any_data_is_taken_or_explained(data: Any) -> None:
    """A file of requirements with any data in it is loaded, or the message says what is wrong with it."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec"
        shutil.copytree(spec_folder(), spec, ignore=shutil.ignore_patterns("lint", "node_modules"))
        (spec / "requirements" / "review.yaml").write_text(
            yaml.safe_dump(json.loads(json.dumps(data, default=str))), encoding="utf-8", errors="replace"
        )
        with contextlib.suppress(UsageError):
            load_catalogue(spec)
        load_catalogue.cache_clear()


@settings(seriously, max_examples=20)
@given(at=st.integers(0, 20_000), damage=st.binary(max_size=20))
def test_a_damaged_openapi_document_is_taken_or_explained(at: int, damage: bytes) -> None:
    """An OpenAPI document with some bytes replaced is loaded, or the message says that it is none."""
    whole = (spec_folder() / "openapi.yaml").read_bytes()
    only_named_errors(load_document, whole[:at] + damage + whole[at + len(damage) :])


def test_yaml_is_what_the_tests_take_it_for() -> None:
    """JSON text is YAML, so that edited data reaches the readers as it was edited."""
    assert yaml.safe_load(as_text(TARGET)) == TARGET

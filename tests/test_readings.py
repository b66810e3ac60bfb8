"""The register of readings: complete, true to what a run observes, and observed without harm."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.catalogue import load_catalogue
from conformance.clock import VirtualClock
from conformance.http.exchange import Exchange, Request
from conformance.judging.observe import observations
from conformance.reference.server import make_reference
from conformance.results import Observation
from conformance.running.run import Options, run

BASE = "http://127.0.0.1:8000/api/202412"
PLACES = {
    "create": ("POST", "/refunds"),
    "review": ("PUT", "/refunds/7"),
    "list": ("GET", "/orders/5/refunds?limit=250"),
    "get": ("GET", "/refunds?orderId=5&refundId=7"),
}
JSON_TYPE = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> list[Observation]:
    """What a standard run observes on the reference."""
    clock = VirtualClock()
    reference = make_reference(clock=clock)
    folder = tmp_path_factory.mktemp("run")
    target, transport = reference.target("http://reference"), httpx.WSGITransport(app=reference.app)
    return run(target, load_catalogue(), folder, Options(), clock=clock, transport=transport).observations


def test_every_place_of_the_register_is_there() -> None:
    """There are 66 readings, in order and without a gap, each with an order of lines that can be followed."""
    readings = load_catalogue().readings

    assert list(readings) == [f"A{number:02}" for number in range(1, 67)]
    assert all(list(reading.lines) == sorted(set(reading.lines)) for reading in readings.values())
    assert all(reading.place and reading.accepted and all(reading.readings) for reading in readings.values())


def test_requirements_rest_on_readings_that_are_there() -> None:
    """Every reading that a requirement names is in the register."""
    catalogue = load_catalogue()

    assert {name for each in catalogue.requirements.values() for name in each.readings} <= catalogue.readings.keys()


def test_no_placeholder_is_left() -> None:
    """Each place is told once, in words of its own."""
    readings = load_catalogue().readings.values()

    assert len({reading.place for reading in readings}) == len(readings)


def test_a_run_observes_what_the_register_says(observed: list[Observation]) -> None:
    """The readings with an ``observed`` sentence are those that a standard run on the reference observes."""
    declared = {reading.id for reading in load_catalogue().readings.values() if reading.observed is not None}
    seen = {observation.reading for observation in observed}

    assert seen - declared == set(), "observed, but spec/readings.yaml has no `observed` for them"
    assert declared - seen == set(), "spec/readings.yaml says that a run observes them, but it did not"
    assert len(seen) >= 30


def test_what_is_observed_is_told_once(observed: list[Observation]) -> None:
    """Each sentence is recorded once, names the check that it was first seen in where it can, and is short."""
    told = [(observation.reading, observation.observed) for observation in observed]

    assert len(told) == len(set(told))
    assert len(told) <= 150
    assert all(0 < len(sentence) <= 120 for _, sentence in told)


def line(**changes: Any) -> dict[str, Any]:
    """Return a line as the page shows it."""
    shown = {
        "totalTax": "0.00", "lineItem": {"productId": "123", "variantId": "222"}, "quantity": "2", "lineItemId": "12",
        "subtotal": "20.00", "rightsReason": "Torn.", "rightsReasonType": "0",
    }  # fmt: skip
    return shown | changes


def record(**changes: Any) -> dict[str, Any]:
    """Return a record as the page shows it; a value of ``...`` leaves its field out."""
    shown = {
        "lineItems": [line()], "amount": "20.00", "rightsType": "1", "createTime": "2008-01-10T11:00:00-05:00",
        "customerId": "238478920", "updateTime": "2008-01-10T11:00:00-05:00", "refundId": "255858046", "status": "1",
        "shipping": {"shippingCarrierCode": "", "shippingCarrier": "", "trackingNumber": ""}, "orderId": "39072856",
    } | changes  # fmt: skip
    return {name: value for name, value in shown.items() if value is not ...}


def asked(**changes: Any) -> dict[str, Any]:
    """Return the body of a create; a value of ``...`` leaves its field out."""
    lines = [{"quantity": "2", "lineItemId": "12", "rightsReason": "Torn.", "rightsReasonType": "0"}]
    sent = {"lineItems": lines, "rightsType": "1", "orderId": "39072856", "customerId": "1", "requestNo": "k" * 20}
    return {"refund": {name: value for name, value in (sent | changes).items() if value is not ...}}


def exchange(
    operation: str, answer: Any = None, *, status: int = 200, sent: Any = None, role: str = "arrange",
    query: str | None = None, headers: dict[str, str] | None = None,
) -> Exchange:  # fmt: skip
    """Return an exchange; an answer that is not bytes goes out as JSON."""
    method, path = PLACES[operation]
    path = path if query is None else path.partition("?")[0] + query
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    request = Request(method, BASE + path, {}, None if sent is None else json.dumps(sent).encode())
    return Exchange(request, operation, "", role, status, JSON_TYPE if headers is None else headers, body)


def created(*, sent: Any = None, **changes: Any) -> Exchange:
    """Return an accepted create."""
    return exchange("create", {"refund": record(**changes)}, sent=sent or asked())


def got(**changes: Any) -> Exchange:
    """Return an accepted get."""
    return exchange("get", {"refund": record(**changes)})


def listed(*records: Any, **more: Any) -> Exchange:
    """Return an accepted list."""
    return exchange("list", {"refunds": list(records)}, **more)


def reviewed(action: Any, **changes: Any) -> Exchange:
    """Return an accepted review."""
    sent = {"orderId": "5", "refundId": "7", "action": action}
    return exchange("review", {"refund": record(**changes)}, sent=sent)


EARLIER, LATER = "2008-01-10T11:00:00Z", "2008-01-10T12:00:00Z"
SEEN = [
    (got(), "A01", "every number is text in get"),
    (got(status=1, rightsType=2), "A01", "every number is text in get but rightsType, status"),
    (got(lineItems=[line(), line(quantity=2)]), "A01", "every number is text in get but quantity"),
    (got(), "A02", "amount is text in get"),
    (got(amount=20), "A02", "amount is a JSON number in get"),
    (got(amount='"20.00"'), "A02", "amount is text in quotes in get"),
    (got(amount=20), "A03", "amount has 0 decimals"),
    (got(amount="20.00001"), "A03", "amount has more than 3 decimals"),
    (got(), "A04", "subtotal is the price of all units of a line"),
    (got(lineItems=[line(subtotal="10")]), "A04", "subtotal is the price of one unit"),
    (got(), "A06", "a refundId is at most 2^53"),
    (got(refundId=2**53 + 1), "A06", "a refundId is above 2^53"),
    (got(refundId="RF-1"), "A06", "a refundId is no whole number"),
    (got(lineItems=[line(lineItem={"productId": 1})]), "A07", "productId is a JSON number"),
    (got(lineItems=[line(lineItem={"productId": 1})]), "A07", "variantId is left out"),
    (got(), "A08", "times have the extended form, whole seconds and an offset"),
    (got(createTime="2008-01-10T11:00:00.123Z"), "A08", "times have the extended form, fractions of a second and Z"),
    (got(createTime="20080110T110000"), "A08", "times have the basic form, whole seconds and no offset"),
    (got(createTime="yesterday"), "A08", "times have no form of ISO 8601"),
    (created(), "A09", "a new refund has an updateTime equal to its createTime"),
    (created(createTime=LATER, updateTime=EARLIER), "A09", "a new refund has an updateTime before its createTime"),
    (reviewed("1", createTime=EARLIER, updateTime=LATER), "A09",
     "an answer to a review has an updateTime later than its createTime"),
    (got(), "A10", "a line shows every field of the examples"),
    (got(lineItems=[dict.fromkeys(("quantity", "lineItem", "lineItemId", "rightsReason", "rightsReasonType"))]), "A10",
     "a line shows every field of the examples but totalTax, subtotal"),
    (got(lineItems=[line(sku="x")]), "A10", "a line shows the further field sku"),
    (created(sent=asked(lineItems=[{"rightsReasonType": 3}])), "A11", "a rightsReasonType other than 0 is accepted"),
    (created(sent=asked(lineItems=[{"quantity": 1}])), "A12", "a line without a reason is accepted"),
    (created(), "A13", "shipping is empty texts when none was sent"),
    (created(shipping=...), "A13", "shipping is left out when none was sent"),
    (created(shipping=None), "A13", "shipping is null when none was sent"),
    (created(shipping={}), "A13", "shipping is an empty object when none was sent"),
    (created(shipping={"trackingNumber": "1"}), "A13", "shipping is filled when none was sent"),
    (created(sent=asked(customerId=...)), "A15", "a create without customerId is accepted"),
    (got(), "A16", "get shows the orderId"),
    (listed(record(orderId=...)), "A16", "list shows no orderId"),
    (created(sent=asked(requestNo="é" * 20)), "A21", "a key with characters beyond ASCII is accepted"),
    (created(sent=asked(amount="1.00")), "A25", "a create with an amount is accepted"),
    (created(sent=asked(lineItems=[{"lineItemId": 1}, {"lineItemId": "1"}])), "A28",
     "a line that is named twice is accepted"),
    (created(sent=asked(lineItems=[])), "A29", "a create without lines is accepted"),
    (created(sent=asked(color="red")), "A30", "an unknown field in create is accepted"),
    (created(sent=asked(rightsType=None)), "A34", "rightsType null is accepted"),
    (created(sent=asked(rightsType="")), "A34", "rightsType empty is accepted"),
    (created(status="2"), "A35", "a new refund has status 2"),
    (exchange("create", {}, status=201, sent=asked()), "A36", "a create is answered with 201"),
    (reviewed(1, status=2), "A37", "the answer to an approval shows status 2"),
    (reviewed("2", status="4"), "A38", "the answer to a rejection shows status 4"),
    (got(status="5"), "A41", "status 5 occurs"),
    (exchange("get", {"refund": {}}, query="?orderId=5"), "A42", "get without refundId is answered with a refund"),
    (exchange("get", {"refunds": []}, query=""), "A42", "get without orderId and refundId is answered with a list"),
    (exchange("get", {}, status=400, query="?refundId=5"), "A42", "get without orderId is refused"),
    (listed(), "A46", "list shows nothing of pages"),
    (listed(headers={"link": "<x>; rel=next"}), "A46", "list has a Link header"),
    (exchange("list", {"refunds": [], "nextPage": "x"}), "A46", "list shows the further field nextPage"),
    (listed(record(createTime=EARLIER), record(createTime=LATER)), "A48", "list shows the oldest first"),
    (listed(record(createTime=LATER), record(createTime=EARLIER)), "A48", "list shows the newest first"),
    (listed(record(createTime=EARLIER), record(createTime=LATER), record(createTime=EARLIER)), "A48",
     "list is in no order of time"),
    (listed(), "A49", "where there is nothing, list answers []"),
    (exchange("list", {}, status=404), "A49", "where there is nothing, list answers 404"),
    (exchange("get", {}, status=422), "A50", "where there is nothing, get answers 422"),
    (exchange("review", {}, status=404), "A50", "where there is nothing, review answers 404"),
    (exchange("create", {}, status=409), "A54", "create refuses with 409"),
    (exchange("create", {"error": "no"}, status=400), "A55", "a refusal is JSON with an error field"),
    (exchange("create", ["no"], status=400), "A55", "a refusal is JSON of another form"),
    (exchange("create", b"no", status=400), "A55", "a refusal is plain text"),
    (exchange("create", b"<!DOCTYPE html><p>no", status=400), "A55", "a refusal is a web page"),
    (exchange("create", b"", status=400), "A55", "a refusal is empty"),
    (got(), "A60", "an acceptance has the content type application/json"),
    (exchange("get", b"", status=404, headers={}), "A60", "a refusal has the content type left out"),
    (exchange("get", b"", status=404, headers={"content-TYPE": "\x00"}), "A60",
     "a refusal has the content type of no known form"),
    (listed(record()), "A61", "refunds is an array"),
    (listed({"refund": record()}), "A61", "refunds is an array of wrapped refunds"),
    (exchange("list", {"refunds": record()}), "A61", "refunds is one object"),
    (created(), "A62", "create shows every field of the resource"),
    (got(amount=..., shipping=...), "A62", "get shows every field of the resource but amount"),
    (got(currency="EUR"), "A62", "get shows the further field currency"),
    (got(), "A65", "answers tell no rate limit"),
    (exchange("get", headers={"X-Genstore-Shop-Api-Rate-Limit": "1/40"}), "A65", "answers tell the rate limit"),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "reading", "sentence"), SEEN, ids=[f"{name} {text}" for _, name, text in SEEN])
def test_a_reading_is_told_in_its_sentence(seen: Exchange, reading: str, sentence: str) -> None:
    """An exchange that shows a reading yields the sentence for it."""
    assert (reading, sentence) in list(observations(seen))


NOT_SEEN = [
    (created(sent=asked(shipping={"trackingNumber": "1"})), "A13"),
    (exchange("create", {"refund": record()}, sent=asked(), role="probe"), "A35"),
    (exchange("create", {"refund": record()}, sent=asked(), role="probe"), "A36"),
    (reviewed("2", status="3"), "A38"),
    (reviewed("1", status="4"), "A37"),
    (got(lineItems=[line(quantity="1")]), "A04"),
    (got(lineItems=[line(), line(), line(), line()], amount="60.00"), "A04"),
    (got(lineItems=[line(subtotal="1E+999999999")], amount="1"), "A04"),
    (got(**{"1000069823694": "an id is no name"}), "A62 further"),
    (exchange("get", {}, status=403), "A50"),
    (exchange("get", {}, status=404, query="?orderId=abc&refundId=x"), "A50"),
    (exchange("list", {}, status=403), "A49"),
    (listed(query="?limit=0"), "A49"),
    (listed(record(createTime=EARLIER), record(createTime=EARLIER)), "A48"),
    (exchange("get", {}, status=500), "A"),
    (exchange("get", {}, status=302), "A"),
]


@pytest.mark.parametrize(("seen", "reading"), NOT_SEEN)
def test_nothing_is_concluded_from_what_proves_nothing(seen: Exchange, reading: str) -> None:
    """What an exchange cannot show is not told."""
    wanted, _, word = reading.partition(" ")

    assert [told for told in observations(seen) if told[0].startswith(wanted) and word in told[1]] == []


def test_other_records_of_one_form_yield_the_same_sentences() -> None:
    """No sentence depends on an id, a text or a time of the record."""
    other = record(refundId="4711", createTime="2031-12-31T23:59:59+09:00", updateTime="2031-12-31T23:59:59+09:00")

    assert list(observations(got())) == list(observations(exchange("get", {"refund": other})))


@pytest.mark.parametrize(
    "broken",
    [
        Exchange(Request("GET", BASE, {}, None), "get", "", trouble="no answer"),
        Exchange(Request("POST", BASE, {}, b"{}"), "orders", "", status=200, body=b"{}"),
        Exchange(Request("DELETE", BASE, {}, None), "get", "", status=405, body=b"{}"),
    ],
    ids=["trouble", "an order", "another method"],
)
def test_what_is_no_answer_of_the_api_shows_nothing(broken: Exchange) -> None:
    """Trouble, the order provider and methods that the page does not have say nothing of readings."""
    assert list(observations(broken)) == []


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"refunds":' + b"[" * 100_000,
        b'{"refund": {"refundId": ' + b"9" * 5000 + b"}}",
        b'{"refund": {"amount": 1e999999999, "status": 1e999999999, "refundId": 1e999999999}}',
        b'{"refund": {"amount": NaN}}',
        b'{"refund": {"createTime": "0001-01-01T00:00:00+23:59", "updateTime": "9999-12-31T23:59:59-23:59"}}',
        b'{"refund": {"createTime": "2008-01-10T11:00:00+99:99", "updateTime": "2008-99-99T99:99:99"}}',
        b"\xff\xfe\x00",
        json.dumps({"refund": {f"field{letter * 40}": 1 for letter in "abcdefgh"}}).encode(),
        json.dumps({"refund": {chr(0x4E00 + number): 1 for number in range(5000)}}).encode(),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("operation", PLACES)
def test_a_hostile_body_does_no_harm(operation: str, body: bytes) -> None:
    """Whatever the answer, it is looked at without an error and told in few words."""
    harmless(exchange(operation, body, sent={"refund": {}, "action": "1"}))


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    | st.sampled_from(["1", "4", '"1.00"', "10.00", "2008-01-10T11:00:00Z", "20080110T110000+01", "", 0, 250]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=5,
)  # fmt: skip


def almost(shown: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return objects with some of the fields of a real one, some of them with junk inside."""
    values = {name: st.just(value) | JUNK for name, value in shown.items()}
    return st.fixed_dictionaries({}, optional=values | {"extra": JUNK})


RECORDS = st.one_of(JUNK, almost(record()), st.builds(lambda lines: record(lineItems=lines), st.lists(almost(line()))))
ANSWERS = st.one_of(
    JUNK, st.builds(lambda one: {"refund": one}, RECORDS),
    st.builds(lambda many, more: {"refunds": many, **more}, st.lists(RECORDS, max_size=4) | RECORDS, almost({"a": 1})),
)  # fmt: skip
BODIES = st.binary(max_size=60) | st.builds(lambda answer: json.dumps(answer).encode(), ANSWERS)
SENT = st.one_of(
    st.none(), BODIES, st.builds(lambda body: json.dumps({"refund": body}).encode(), almost(asked()["refund"])),
    st.builds(lambda body: json.dumps(body).encode(), almost({"orderId": "5", "refundId": "7", "action": "1"})),
)  # fmt: skip
EXCHANGES = st.builds(
    Exchange,
    st.builds(
        Request, st.sampled_from(["GET", "POST", "PUT", "HEAD", ""]),
        st.builds(lambda path, query: BASE + path + query, st.sampled_from(["", "/refunds?"]), st.text(max_size=30)),
        st.just({}), SENT,
    ),
    operation=st.sampled_from([*PLACES, "orders", ""]),
    at=st.just(""),
    role=st.sampled_from(["act", "probe", "arrange", "open"]),
    status=st.none() | st.sampled_from([200, 201, 204, 302, 400, 401, 404, 409, 422, 500]) | st.integers(),
    headers=st.dictionaries(st.text(max_size=20) | st.sampled_from(["Content-Type", "Link"]), st.text(max_size=30)),
    body=BODIES,
    trouble=st.none(),
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=150, database=None)
@given(EXCHANGES)
def test_any_exchange_is_observed_without_an_error(any_exchange: Exchange) -> None:
    """Arbitrary traffic raises nothing, and what is told of it stays short."""
    any_exchange.request = Request(
        PLACES.get(any_exchange.operation, ("GET", ""))[0],
        any_exchange.request.url, any_exchange.request.headers, any_exchange.request.body,
    )  # fmt: skip
    harmless(any_exchange)


def harmless(seen: Exchange) -> None:
    """What is told of an exchange names known readings, in few short sentences of plain characters."""
    told = list(told_once(seen))
    readings = load_catalogue().readings

    assert len(told) <= 60
    for reading, sentence in told:
        assert reading in readings
        assert len(sentence) <= 200
        assert sentence.isascii()
        assert sentence.isprintable()


def told_once(seen: Exchange) -> Iterator[tuple[str, str]]:
    """Return what is told of an exchange, each sentence once."""
    yield from dict.fromkeys(observations(seen))

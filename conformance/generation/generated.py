"""Requests generated from the OpenAPI document; the one module that knows schemathesis.

A generated request is data about nothing that exists. ``bind`` puts the ids of a real order and refund, a fresh request
number and a small quantity in the place of every value that was legal, and leaves the illegal one as it was made: so a
negative case is one edit away from a request that is carried out.
"""

import copy
import pickle
import subprocess
import sys
import threading
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from functools import cache
from typing import Any

from attrs import frozen

from conformance.environment import without
from conformance.generation.choice import most_different
from conformance.generation.seeded import by_the_seed_alone
from conformance.http.dialect import Dialect
from conformance.http.keys import KeyMaker
from conformance.judging import contract
from conformance.model import CARRIER_CODE, Order, RefundId

PATHS = {
    "create": ("/api/202412/refunds", "POST"),
    "review": ("/api/202412/refunds/{refundId}", "PUT"),
    "list": ("/api/202412/orders/{orderId}/refunds", "GET"),
    "get": ("/api/202412/refunds", "GET"),
}
REQUEST_SCHEMAS = ("CreateRequest", "RequestedRefund", "RequestedLine", "RequestedShipping", "ReviewRequest")
LONGEST_TEXT = 60
DRAWN = 24
COUNTS = {False: 4, True: 4}
"""How many requests of an operation are sent, by whether something is wrong with them: those that differ most."""


@frozen
class Generated:
    """A request as it was generated: a body as JSON or as bytes, a query, and what is wrong with it, if anything."""

    operation: str
    body: Any
    content: bytes | None
    query: dict[str, Any]
    wrong: str | None


Requests = dict[tuple[str, bool], tuple[Generated, ...]]
"""Generated requests by operation, and by whether something is wrong with them."""

_made: dict[int, Requests] = {}
_children: dict[int, "subprocess.Popen[bytes]"] = {}
_users: Counter[int] = Counter()
_lock = threading.RLock()


def generate_ahead(seed: int) -> None:
    """Begin to generate all requests of a seed in a process of its own, while others judge; all workers share it."""
    with _lock:
        _users[seed] += 1
        if seed in _made or seed in _children:
            return
        found = f"import sys; sys.path[:] = {sys.path!r}"  # here, and not in the folder that it happens to run in
        program = f"{found}; from conformance.generation import generated; generated.write_all({seed})"
        # A session of its own, so that an interrupt of the run is not one of the child as well.
        _children[seed] = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-c", program], stdout=subprocess.PIPE, start_new_session=True
        )


def write_all(seed: int) -> None:
    """Write all requests of a seed to standard output, for the process that began this one."""
    sys.stdout.buffer.write(pickle.dumps(generate_all(seed)))


def give_up(seed: int) -> None:
    """End what was begun and not asked for, when the last worker gives it up."""
    with _lock:
        _users[seed] -= 1
        child = None if _users[seed] else _children.pop(seed, None)
    if child is not None:
        child.kill()
        child.communicate()


def requests_for(operation: str, *, negative: bool, seed: int) -> tuple[Generated, ...]:
    """Return distinct generated requests for an operation; the same seed gives the same ones."""
    with _lock:
        if seed not in _made:
            child = _children.pop(seed, None)
            written = b"" if child is None else child.communicate()[0]
            finished = child is not None and child.returncode == 0
            _made[seed] = pickle.loads(written) if finished else generate_all(seed)  # noqa: S301 - written by ourselves
        return _made[seed][operation, negative]


def generate_all(seed: int) -> Requests:
    """Return the generated requests of every operation, well formed and not."""
    kinds = [(operation, negative) for operation in PATHS for negative in (False, True)]
    return {kind: _generated(*kind, seed=seed) for kind in kinds}


def _generated(operation: str, negative: bool, *, seed: int) -> tuple[Generated, ...]:  # noqa: FBT001 - half of a key
    import hypothesis
    from hypothesis import strategies
    from schemathesis import GenerationMode

    mode = GenerationMode.NEGATIVE if negative else GenerationMode.POSITIVE
    path, method = PATHS[operation]
    cases = _schema()[path][method].as_strategy(generation_mode=mode)
    found: dict[str, Generated] = {}

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=DRAWN,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategies.data())
    def collect(data: Any) -> None:
        made = _plain(operation, data.draw(cases), negative=negative)
        found.setdefault(repr((made.body, made.content, made.query)), made)

    with warnings.catch_warnings(), by_the_seed_alone():
        warnings.simplefilter("ignore")
        collect()
    return most_different(found.values(), COUNTS[negative], _kinds)


def _kinds(request: Generated) -> set[Hashable]:
    """Return which kind of value a request has in which place."""
    values = {"body": request.body, "content": request.content, **request.query}
    return {kind for name, value in values.items() for kind in _kinds_of(name, value)}


def _kinds_of(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        yield place, f"an object of {len(value)} that begins with {next(iter(value), None)}"
        for name, inner in value.items():
            yield from _kinds_of(f"{place}.{name}", inner)
    elif isinstance(value, list):
        yield place, f"a list of {len(value)}"
        for inner in value:
            yield from _kinds_of(f"{place}.", inner)
    elif isinstance(value, str | bytes):
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        yield place, f"a text of {len(text).bit_length()} bits of length"
        yield from ((place, f"with {unicodedata.category(char)} of {ord(char).bit_length()} bits") for char in text)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield place, f"{'less' if value < 0 else 'more'} than nothing, in {len(str(value))} characters"
        yield place, f"ending with {str(value)[-1]}"
    else:
        yield place, str(value)


@cache
def _schema() -> Any:
    """Load the document for generating: requests with no other members than the documented ones, and no security."""
    import schemathesis
    from schemathesis.config import SchemathesisConfig

    document = copy.deepcopy(contract.load_document())
    document.pop("security", None)
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    for name in REQUEST_SCHEMAS:
        schema = document["components"]["schemas"][name]
        schema["additionalProperties"] = False
        schema.pop("examples", None)
    generation = {"allow-x00": False, "with-security-parameters": False, "allow-extra-parameters": False}
    with warnings.catch_warnings(), without("SCHEMATHESIS_HOOKS"):  # which change what other people generate
        warnings.simplefilter("ignore")
        return schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict({"generation": generation}))


def _plain(operation: str, case: Any, *, negative: bool) -> Generated:
    body = case.body if isinstance(case.body, dict | list | str | int | bytes | None) else None
    description = getattr(getattr(case.meta, "phase", None), "data", None)
    return Generated(
        operation=operation,
        body=None if isinstance(body, bytes) else body,
        content=body if isinstance(body, bytes) else None,
        query=dict(case.query or {}),
        wrong=str(getattr(description, "description", "illegal"))[:200] if negative else None,
    )


@frozen
class Binding:
    """What a generated request is bound to: an order, perhaps a refund of it, and how the target takes numbers."""

    order: Order
    refund_id: RefundId | None
    dialect: Dialect
    keys: KeyMaker

    def create_body(self, generated: Any) -> Any:
        """Return a generated create on the order, with every legal id, quantity and key made real."""
        if not isinstance(generated, dict) or not isinstance(generated.get("refund"), dict):
            return generated
        refund = {name: self._member(name, value) for name, value in generated["refund"].items()}
        return {**generated, "refund": refund}

    def _member(self, name: str, value: Any) -> Any:
        if name == "lineItems" and isinstance(value, list):
            return [self._line(index, line) for index, line in enumerate(value[: len(self.order.lines)])]
        if name == "shipping" and isinstance(value, dict):
            shown = {key: _printable(text) for key, text in value.items()}
            code = shown.get("shippingCarrierCode")
            return shown | ({"shippingCarrierCode": CARRIER_CODE} if code and isinstance(code, str) else {})
        real: dict[str, tuple[str, Callable[[], Any]]] = {
            "requestNo": ("RequestNo", lambda: self.keys(len(value))),
            "orderId": ("Id", lambda: self.dialect.wire("orderId", self.order.order_id)),
            "customerId": ("Id", lambda: self.dialect.wire("customerId", self.order.customer_id)),
            "rightsType": ("RightsType", lambda: self.dialect.wire("rightsType", int(value))),
        }
        schema, make = real.get(name, ("", lambda: value))
        return make() if schema and _legal(schema, value) else value

    def _line(self, index: int, line: Any) -> Any:
        if not isinstance(line, dict):
            return line
        bound = dict(line)
        if _legal("Id", line.get("lineItemId")):
            bound["lineItemId"] = self.dialect.wire("lineItemId", self.order.lines[index].line_item_id)
        if _legal("RequestedQuantity", line.get("quantity")):
            bound["quantity"] = self.dialect.wire("quantity", 1)
        if _legal("ReasonType", line.get("rightsReasonType")) or "rightsReasonType" not in line:
            bound["rightsReasonType"] = self.dialect.wire("rightsReasonType", 0)
        bound["rightsReason"] = _printable(line.get("rightsReason", "no reason"))
        return bound

    def review_body(self, generated: Any) -> Any:
        """Return a generated review of the refund, with every legal id and action made real."""
        if not isinstance(generated, dict) or self.refund_id is None:
            return generated
        bound = dict(generated)
        if _legal("Id", generated.get("orderId")):
            bound["orderId"] = self.dialect.wire("orderId", self.order.order_id)
        if _legal("Id", generated.get("refundId")):
            bound["refundId"] = self.dialect.wire("refundId", self.refund_id)
        if _legal("ReviewAction", generated.get("action")):
            bound["action"] = self.dialect.wire("action", int(generated["action"]))
        return bound

    def query(self, generated: dict[str, Any]) -> list[tuple[str, str]]:
        """Return a generated query for the order and the refund, with every legal id made real."""
        real = {"orderId": self.order.order_id, "refundId": self.refund_id}
        return [
            (name, str(real[name]) if name in real and _legal("Id", value) else str(value)[:200])
            for name, value in generated.items()
        ]


@cache
def _validators() -> dict[str, Any]:
    names = ("Id", "RequestNo", "RightsType", "RequestedQuantity", "ReasonType", "ReviewAction")
    return {name: contract.validator({"$ref": f"#/components/schemas/{name}"}) for name in names}


def _legal(schema: str, value: Any) -> bool:
    return bool(_validators()[schema].is_valid(value))


def _printable(text: Any) -> Any:
    """Return a text without the characters that a server may have reasons of its own to refuse."""
    if not isinstance(text, str):
        return text
    return "".join(c for c in text if c.isprintable())[:LONGEST_TEXT].strip() or "text"

"""Exchanges as the page shows them: in their order, bounded, with what decided the verdict marked."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from attrs import evolve, frozen

from conformance.report.bodies import Allowance, Body, body, contrast, named
from conformance.results import Evidence, Verdict
from conformance.text import one_line, shortened

MOST_EXCHANGES = 24
"""Exchanges of one verdict that are shown; a check that polls may have made hundreds."""

MOST_PATH = 400
EXCHANGE_BYTES = 1000
"""What the markup around an exchange takes."""

ROLES: Mapping[str, str] = {
    "order": "set-up",
    "arrange": "set-up",
    "act": "request",
    "look": "look",
    "probe": "probe",
    "control": "control",
    "open": "observed",
}
LOOKS = frozenset({"look", "open"})
_FIRST = ("probe", "control", "act", "look", "arrange", "order", "open")


@frozen
class Shown:
    """One exchange as the page shows it; ``opened`` when it decides, or shows the effect of the one that does.

    ``control`` is what stands beside the deciding exchange: the same request with the one thing put right;
    ``beside`` is said of that one in its own place.
    """

    number: int
    exchange: Evidence
    role: str
    path: str
    decides: bool
    request: Body
    response: Body
    curl: str
    opened: bool = False
    beside: bool = False
    control: "Shown | None" = None

    @property
    def whole(self) -> bool:
        """Whether both bodies are shown to their ends."""
        return self.request.whole and self.response.whole


def shown(verdict: Verdict, allowance: Allowance) -> tuple[list[Shown], int]:
    """Return the exchanges of a verdict in their order, and how many are left out.

    Room is given to the probe and its control first, so that they are whole when a report has to be short.
    """
    probe = verdict.deciding
    wanted = named(verdict)
    ranked = sorted(enumerate(verdict.telling, start=1), key=lambda entry: _rank(entry[1], probe))
    chosen = [
        _shown(number, each, each is probe, wanted, allowance)
        for number, each in ranked[:MOST_EXCHANGES]
        if allowance.spend(EXCHANGE_BYTES) or each is probe
    ]
    in_order = sorted(chosen, key=lambda each: each.number)
    return _with_control(_with_effect(in_order)), len(ranked) - len(chosen)


def path_of(url: str) -> str:
    """Return an address without scheme and host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _with_effect(exchanges: list[Shown]) -> list[Shown]:
    """Open the last look after the deciding exchange in which something is marked: that is the effect."""
    decided = next((each.number for each in exchanges if each.decides), 0)
    looks = [each for each in exchanges if each.number > decided and each.exchange.role in LOOKS]
    effect = next((each for each in reversed(looks) if any(line.marked for line in each.response.lines)), None)
    return [evolve(each, opened=True) if each is effect or each.decides else each for each in exchanges]


def _with_control(exchanges: list[Shown]) -> list[Shown]:
    """Put the control beside the deciding exchange, with what is different in the two requests marked."""
    probe = next((each for each in exchanges if each.decides), None)
    controls = [each for each in exchanges if each.exchange.role == "control"]
    alike = [each for each in controls if probe and each.exchange.operation == probe.exchange.operation]
    if probe is None or not alike:
        return exchanges
    control = alike[-1]
    headers = {**probe.exchange.request_headers, **control.exchange.request_headers}
    ours, theirs = contrast(_request_lines(probe, headers), _request_lines(control, headers))
    told = evolve(probe, request=Body(ours, probe.request.whole), control=evolve(control, request=Body(theirs)))
    bare = evolve(control, request=Body(), response=Body(), beside=True)
    return [told if each is probe else bare if each is control else each for each in exchanges]


def _request_lines(each: Shown, headers: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the address of a request and what it says in these headers, and the lines of its body."""
    sent = each.exchange.request_headers
    told = [f"{name}: {sent[name]}" if name in sent else f"{name} is not sent" for name in headers]
    head = [f"{each.exchange.method} {each.path}", *(shortened(one_line(line), MOST_PATH) for line in told)]
    return head, [line.text for line in each.request.lines]


def _rank(exchange: Evidence, probe: Evidence | None) -> tuple[bool, int]:
    role = _FIRST.index(exchange.role) if exchange.role in _FIRST else len(_FIRST)
    return exchange is not probe, role


def _shown(number: int, exchange: Evidence, decides: bool, wanted: frozenset[str], allowance: Allowance) -> Shown:  # noqa: FBT001 - one of its facts
    judged = exchange.role in {"probe", "act", *LOOKS}
    return Shown(
        number=number,
        exchange=exchange,
        role="look" if (exchange.role, exchange.method) == ("open", "GET") else ROLES.get(exchange.role, exchange.role),
        path=allowance.cut(path_of(exchange.url)[:MOST_PATH]),
        decides=decides,
        request=body(exchange.request_body or "", frozenset(), allowance),
        response=body(exchange.response_body, wanted if judged else frozenset(), allowance),
        curl=allowance.cut(exchange.curl),
    )

"""``repro/REVIEW-16.sh``: the requests of a check as a shell script that needs sh, curl, and nothing of this suite."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import frozen

from conformance.http.curl import header_words
from conformance.http.redact import VARIABLE
from conformance.results import Evidence, Verdict
from conformance.text import harmless, one_line

LONGEST, MOST_SENT = 60_000, 40_000
MOST_REQUESTS = 60
MOST_COMMENT = 300
_ID = re.compile(
    r'(?:"(?P<member>orderId|customerId|lineItemId|refundId)"\s*:\s*"?|/(?P<folder>orders|refunds)/'
    r"|\b(?P<parameter>orderId|refundId)=)(?P<value>[A-Za-z0-9._-]+)"
)
_ANYWHERE = {"run", "base"}
"""What is replaced wherever it stands; ids only where they are what their name says."""

NAME = re.compile(r"[A-Z]+-[0-9]+(-[0-9]+)?\.sh")
"""What a script is called; a record of another's making may say anything, and a folder may hold scripts of others."""

_KINDS = {"orders": "orderId", "refunds": "refundId"}
NO_ORDER = "# None of these requests made the order. Put the ids of a fresh one in their places.\n\n"
CUT = "# These are the first {most} of {of} requests that it took; the record of the run has them all.\n\n"
_HEAD = """\
#!/bin/sh
# {title}
# expected: {expected}
# observed: {observed}
# Needs curl, and {tokens} in the environment; BASE leads it to another server. Ids come from the new answers,
# and request numbers are made new, so it can be run any number of times.
set -u
BASE=${{BASE:-}}
[ -n "$BASE" ] || BASE={base}
RUN=$(od -An -N12 -tu1 /dev/urandom | tr -dc 0-9 | cut -c1-12)
ask() {{
  answer=$(curl -sS -i "$@") || exit 1
  printf '%s\\n\\n' "$answer"
}}
pick() {{
  printf '%s' "$answer" | grep -o "\\"$1\\" *: *\\"\\{{0,1\\}}[^\\",}}]*" | sed -n "$2p" | sed 's/.*[": ]//'
}}

"""
_AT_ONCE = """\
ANSWERS=$(mktemp -d) || exit 1
trap 'rm -rf "$ANSWERS"' EXIT
read_answer() {
  answer=$(cat "$ANSWERS/$1")
  printf '%s\\n\\n' "$answer"
}

"""

Names = dict[tuple[str, str], str]
"""The variables of a script, by the kind and the value of the id that each stands for."""


@frozen
class Script:
    """A script and the name of its file."""

    name: str
    text: str


def scripts(failed: Sequence[Verdict], run_id: str, base_url: str) -> Iterator[tuple[Verdict, Script]]:
    """Yield the failed checks of one requirement, each with its script, if it has one."""
    for number, verdict in enumerate(failed, start=1):
        text = harmless(script(verdict, run_id, base_url))
        name = f"{verdict.requirement}{'' if number == 1 else f'-{number}'}.sh"
        if text and NAME.fullmatch(name):
            yield verdict, Script(name, text)


def script(verdict: Verdict, run_id: str, base_url: str = "") -> str:
    """Return a script that does again what a check did; empty when the record does not hold enough for one.

    Ids that answers gave are taken from the new answers, and request numbers are made fresh, so that it can be run
    any number of times.
    """
    exchanges = verdict.telling[:MOST_REQUESTS]
    if not exchanges or any(exchange.cut_off and exchange.role == "order" for exchange in exchanges):
        return ""
    if sum(len(exchange.request_body or "") for exchange in exchanges) > MOST_SENT:
        return ""  # before any work on what would be thrown away
    tokens = sorted(set(VARIABLE.findall(" ".join(each.curl for each in exchanges)))) or ["no token"]
    head = _HEAD.format(
        title=_comment(f"{verdict.requirement} {verdict.title}"),
        expected=_comment(verdict.expected),
        observed=_comment(verdict.observed),
        tokens=", ".join(tokens),
        base=shlex.quote(harmless(base_url)),
    )
    fixed = {("run", run_id): "RUN", ("base", base_url): "BASE"}
    names = {key: variable for key, variable in fixed.items() if key[1]}
    if not any(exchange.role == "order" for exchange in exchanges):
        head += NO_ORDER
    if len(exchanges) < len(verdict.telling):
        head += CUT.format(most=MOST_REQUESTS, of=len(verdict.telling))
    if len(_moments(exchanges)) < len(exchanges):
        head += _AT_ONCE
    text = head + "\n".join([*_steps(verdict, exchanges, names), *_in_the_end(verdict)]) + "\n"
    return text if len(text) <= LONGEST else ""


def _steps(verdict: Verdict, exchanges: Sequence[Evidence], names: Names) -> Iterator[str]:
    numbered = list(enumerate(exchanges, start=1))
    for moment in _moments(exchanges):
        steps, numbered = numbered[: len(moment)], numbered[len(moment) :]
        asked = [f"ask {' '.join(_arguments(exchange, names))}" for exchange in moment]
        at_once = len(moment) > 1
        for (number, exchange), line in zip(steps, asked, strict=True):
            yield from _told(number, exchange, verdict.deciding)
            yield f'{line} > "$ANSWERS/{number}" &' if at_once else line
        if at_once:
            yield "wait  # for the answers to all of these, which were sent at one moment"
        for number, exchange in steps:
            if at_once:
                yield f"read_answer {number}"
            yield from _picks(exchange, names)
        yield ""


def _told(number: int, exchange: Evidence, probe: Evidence | None) -> Iterator[str]:
    role = "the deciding request" if exchange is probe else exchange.role
    seen = "no answer" if exchange.status is None else str(exchange.status)
    yield f"echo {shlex.quote(f'# {number}. {role}: {exchange.method}; in the run it got {seen}')}"
    if exchange.inexact:
        yield "echo '# (its body was longer than the record keeps, or no text: this is not quite what was sent)'"


def _moments(exchanges: Sequence[Evidence]) -> list[list[Evidence]]:
    """Return the exchanges with those together that were under way at one moment."""
    found: list[list[Evidence]] = []
    for exchange in exchanges:
        if found and _is_at_once(found[-1][-1], exchange):
            found[-1].append(exchange)
        else:
            found.append([exchange])
    return found


def _is_at_once(earlier: Evidence, later: Evidence) -> bool:
    """Whether a request was sent when the one before it was not half answered; times are rounded."""
    try:
        apart = datetime.fromisoformat(later.at) - datetime.fromisoformat(earlier.at)
        return timedelta() <= apart < timedelta(milliseconds=earlier.milliseconds) / 2
    except (TypeError, ValueError):  # one has a time zone and the other none, or one is no time
        return False


def _in_the_end(verdict: Verdict) -> Iterator[str]:
    yield f"echo {shlex.quote(f'expected  {_comment(verdict.expected)}')}"
    yield f"echo {shlex.quote(f'observed  {_comment(verdict.observed)} (in the run)')}"


def _arguments(exchange: Evidence, names: Names) -> Iterator[str]:
    yield from ("-X", shlex.quote(exchange.method), _word(exchange.url, names))
    for header in header_words(exchange.request_headers, exchange.request_body):
        yield from ("-H", _word(header, names))
    if exchange.request_body is not None:
        yield from ("--data-binary", _word(exchange.request_body, names))


def _picks(exchange: Evidence, names: Names) -> Iterator[str]:
    """Yield assignments for the ids that an answer gives for the first time, and remember them."""
    met: dict[str, int] = {}
    for match in _ID.finditer(exchange.response_body):
        kind = match["member"]
        if kind is None:
            continue
        met[kind] = met.get(kind, 0) + 1
        if (kind, match["value"]) not in names:
            variable = re.sub(r"(?=[A-Z])", "_", kind).upper()
            variable += f"_{1 + sum(known == kind for known, _ in names)}"
            names[kind, match["value"]] = variable
            yield f"{variable}=$(pick {kind} {met[kind]})"


def _word(text: str, names: Names) -> str:
    """Return one word of shell that stands for the text, with known ids and tokens as variables."""
    text = harmless(text)
    words, done = [], 0
    for start, end, variable in sorted(_variables(text, names)):
        if start >= done:
            words += [_quoted(text[done:start]), f'"{variable}"']
            done = end
    return "".join([*words, _quoted(text[done:])]) or "''"


def _variables(text: str, names: Mapping[tuple[str, str], str]) -> Iterator[tuple[int, int, str]]:
    """Yield what a variable stands for in the text: where it begins, where it ends, and the variable."""
    for match in VARIABLE.finditer(text):
        yield *match.span(), match[0]
    for match in _ID.finditer(text):
        kind = match["member"] or match["parameter"] or _KINDS[match["folder"]]
        if (kind, match["value"]) in names:
            yield *match.span("value"), f"${{{names[kind, match['value']]}}}"
    for (kind, value), name in names.items():
        if kind in _ANYWHERE:
            yield from ((*match.span(), f"${{{name}}}") for match in re.finditer(re.escape(value), text))


def _quoted(text: str) -> str:
    return shlex.quote(text) if text else ""


def _comment(text: str) -> str:
    return one_line(text)[:MOST_COMMENT]

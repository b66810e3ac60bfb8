"""A verdict in words, the same ones in the record, on the terminal and in every report."""

from collections.abc import Sequence

from conformance.outcome import Outcome
from conformance.results import Verdict
from conformance.text import harmless, one_line, shortened

MOST_LINE = 50_000
"""Characters of one line of a failure; a curl line with the longest body that the record keeps has fewer."""


def place(lines: Sequence[int]) -> str:
    """Return where something stands on the API's page."""
    return f"page line{'' if len(lines) == 1 else 's'} {spans(lines)}" if lines else "no line of the page"


def spans(lines: Sequence[int]) -> str:
    """Return line numbers with neighbours drawn together: ``235, 252–253``."""
    runs: list[list[int]] = []
    for line in sorted(set(lines)):
        if runs and line == runs[-1][-1] + 1:
            runs[-1].append(line)
        else:
            runs.append([line])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def told(verdict: Verdict) -> str:
    """Return a failure in its four lines and how to see it again; what a server sent never starts a line of its own.

    Of the other outcomes it tells the reason, or the traceback of an error of the suite, each line behind a bar.
    """
    head = f"{verdict.requirement} ({verdict.level}, {verdict.basis}) {one_line(verdict.title)}"
    if verdict.outcome is not Outcome.FAILED:
        reason = shortened(verdict.explanation.rstrip(), MOST_LINE)
        return "\n".join([head, *(f"  | {harmless(line)}" for line in reason.split("\n"))])
    probe = verdict.deciding
    where = place(verdict.lines) + (f" · {one_line(f'{probe.method} {probe.url}')}" if probe else "")
    lines = [
        head,
        f"  {where}",
        f"  expected  {one_line(verdict.expected)}",
        f"  observed  {one_line(verdict.observed)}",
    ]
    if probe is not None:
        lines.append(f"  reproduce {one_line(probe.curl)}")
    if verdict.again:
        lines.append(f"  again     {one_line(verdict.again)}")
    if verdict.waived:
        lines.append(f"  waived    {one_line(verdict.waived)}")
    return "\n".join(shortened(line, MOST_LINE) for line in lines)


def told_with_steps(verdict: Verdict) -> str:
    """Return a failure in its lines, and behind them the steps that led to it, if it took several."""
    return "\n".join([told(verdict), *steps(verdict)])


def steps(verdict: Verdict) -> list[str]:
    """Return the steps that led to a failure, line by line: what was done, and the request that does it again."""
    numbered = enumerate((step.split("\n") for step in verdict.steps), start=1)
    return [
        f"  step {number:<4} {one_line(line)}" if place == 0 else f"            {one_line(line)}"
        for number, lines in numbered
        for place, line in enumerate(lines)
    ]

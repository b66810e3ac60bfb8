"""What a word on the command line means as a target."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.outcome import UsageError
from conformance.spelling import unknown


@contextlib.contextmanager
def opened(spoken: str, orders: str | None) -> Iterator[Any]:
    """Find what a word on the command line means, and start it if it is one of ours."""
    from conformance.target import load_target

    if spoken.startswith(("http://", "https://")):
        yield _from_url(spoken, orders)
        return
    if orders is not None:
        raise UsageError("--orders goes with a base URL; a target file names its order provider itself")
    if spoken == "reference" or spoken.partition(":")[0] in {"fault", "variant"}:
        from conformance.reference.server import serving

        reference = _ours(spoken)
        with serving(reference.app) as origin:
            yield reference.target(origin, name=spoken)
        return
    yield load_target(Path(spoken))


def _from_url(base_url: str, orders: str | None) -> Any:
    import os

    from conformance.target import target_of_url

    token = os.environ.get("GENSTORE_TOKEN")
    if not token:
        raise UsageError("set GENSTORE_TOKEN to an access token with all refund scopes, or write a target file")
    if orders is None:
        raise UsageError("say where test orders come from: --orders URL, or write a target file with orders")
    return target_of_url(base_url, token, orders)


def _ours(spoken: str) -> Any:
    kind, _, name = spoken.partition(":")
    if kind == "reference":
        from conformance.reference.server import make_reference

        return make_reference()
    from conformance.faults import load_faults
    from conformance.variants import load_variants

    shelf: dict[str, Any] = dict(load_faults() if kind == "fault" else load_variants())
    if name not in shelf:
        raise UsageError(unknown(name, list(shelf), kind))
    return shelf[name].make()

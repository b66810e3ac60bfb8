"""The reference as a sandbox: it says where it is and how to use it, and runs until it is stopped."""

import json
import secrets
import shlex
import signal
import threading
from pathlib import Path

import click

from conformance.outcome import UsageError
from conformance.reference.server import (
    FIRST_SHOP,
    SECOND_SHOP,
    TOKEN_SCOPES,
    Reference,
    free_socket,
    make_reference,
    serving,
)


def serve_sandbox(port: int, db: Path | None) -> None:
    """Serve the reference until it is interrupted (SIGINT or SIGTERM).

    Raises:
        UsageError: the port is taken, or the database file cannot be used.
    """
    reference = _opened(db)
    try:
        listening = free_socket(port)
    except OSError as error:
        raise UsageError(f"port {port} cannot be used: {error.strerror}. Choose another --port, or 0.") from None
    for number in (signal.SIGINT, signal.SIGTERM):  # in the background, and in a container, they may be ignored
        signal.signal(number, signal.default_int_handler)
    with serving(reference.app, listening) as origin:
        click.echo(_greeting(reference, origin, db))
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            click.echo("stopped")
    reference.store.close()


def _opened(db: Path | None) -> Reference:
    import sqlite3

    salt = _salt(db)
    try:
        return make_reference(db=db, token=lambda shop, name: f"{shop}-{name.replace('_', '-')}-{salt}")
    except sqlite3.Error as error:
        raise UsageError(f"{db}: cannot be used as a database: {error}") from None


def _salt(db: Path | None) -> str:
    """Return what makes the tokens of this sandbox its own; with a database they stay the same."""
    if db is None:
        return secrets.token_hex(6)
    path = db.with_name(db.name + ".tokens")
    try:
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(6))
        return path.read_text().strip()
    except OSError as error:
        raise UsageError(f"{db}: the folder cannot be written to: {error.strerror}") from None


def _greeting(reference: Reference, origin: str, db: Path | None) -> str:
    target = reference.target(origin)
    order = json.dumps({"action": "create_order", "shipped": True, "lines": [{"quantity": 5, "unitPrice": "10.00"}]})
    width = max(map(len, TOKEN_SCOPES))
    tokens = [
        f"  {name.ljust(width)}  {target.tokens[name]}   {', '.join(sorted(scopes))}"
        for name, scopes in TOKEN_SCOPES.items()
    ]
    return "\n".join(
        [
            f"base URL  {target.base_url}",
            f"state     {'in memory, gone when this stops' if db is None else db}",
            "tokens    (header X-Genstore-Access-Token)",
            *tokens,
            "",
            "make an order:",
            f"  curl -sS {target.orders.url} -d {shlex.quote(order)}",
            'ship it: the same with {"action": "ship_order", "orderId": "…"}',
            "",
            "as a target file for genstore-conformance run:",
            _target_file(reference, origin),
            "Press Ctrl-C to stop.",
        ]
    )


def _target_file(reference: Reference, origin: str) -> str:
    lines = ["  name: sandbox", f"  base_url: {origin}/{FIRST_SHOP}"]
    lines.append("  tokens:")
    lines += [f"    {name}: {value}" for name, value in reference.tokens[FIRST_SHOP].items()]
    lines.append(f"  orders: {{url: {origin}/{FIRST_SHOP}/_test/orders}}")
    lines.append("  other_shop:")
    lines.append(f"    base_url: {origin}/{SECOND_SHOP}")
    lines.append(f"    tokens: {{full: {reference.tokens[SECOND_SHOP]['full']}}}")
    lines.append(f"    orders: {{url: {origin}/{SECOND_SHOP}/_test/orders}}")
    return "\n".join(lines)

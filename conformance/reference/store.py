"""What the reference remembers, in SQLite: orders, refunds and request numbers, in transactions."""

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import frozen

_TABLES = """
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY, shop TEXT NOT NULL, customer TEXT NOT NULL, shipped INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS order_lines (
    id TEXT NOT NULL, order_id TEXT NOT NULL REFERENCES orders, position INTEGER NOT NULL,
    product TEXT NOT NULL, variant TEXT NOT NULL, quantity INTEGER NOT NULL, price TEXT NOT NULL,
    PRIMARY KEY (id, order_id));
CREATE INDEX IF NOT EXISTS order_lines_of ON order_lines (order_id);
CREATE TABLE IF NOT EXISTS refunds (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, shop TEXT NOT NULL,
    order_id TEXT NOT NULL REFERENCES orders, customer TEXT NOT NULL, rights_type INTEGER NOT NULL,
    status INTEGER NOT NULL, amount TEXT NOT NULL, shipping TEXT NOT NULL,
    created TEXT NOT NULL, updated TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS refunds_of ON refunds (order_id);
CREATE TABLE IF NOT EXISTS refund_lines (
    refund_id TEXT NOT NULL REFERENCES refunds (id), position INTEGER NOT NULL, line_id TEXT NOT NULL,
    quantity INTEGER NOT NULL, reason TEXT NOT NULL, reason_type TEXT NOT NULL, subtotal TEXT NOT NULL,
    PRIMARY KEY (refund_id, position));
CREATE TABLE IF NOT EXISTS keys (
    shop TEXT NOT NULL, key TEXT NOT NULL, refund_id TEXT NOT NULL, PRIMARY KEY (shop, key));
"""
FIRST_ID = 9_007_199_254_740_993_000
"""Ids start beyond 2^53, so that a client which reads them as floating point is found out at once."""
KINDS = ("customer", "order", "line", "product", "variant", "refund")
"""Each kind of thing has a range of ids of its own, so that none is taken for another unnoticed."""


@frozen
class StoredLine:
    """One line of an order."""

    id: str
    product: str
    variant: str
    quantity: int
    price: Decimal


def _line(row: Sequence[Any]) -> StoredLine:
    return StoredLine(id=row[0], product=row[1], variant=row[2], quantity=row[3], price=Decimal(row[4]))


@frozen
class StoredOrder:
    """An order of a shop."""

    id: str
    shop: str
    customer: str
    shipped: bool
    lines: tuple[StoredLine, ...]


@frozen
class StoredRefundLine:
    """What a refund takes back of one line."""

    line: StoredLine
    quantity: int
    reason: str
    reason_type: str
    subtotal: Decimal


@frozen
class StoredRefund:
    """A refund of an order; times are ISO 8601 texts in UTC."""

    id: str
    shop: str
    order_id: str
    customer: str
    rights_type: int
    status: int
    amount: Decimal
    shipping: dict[str, str]
    created: str
    updated: str
    lines: tuple[StoredRefundLine, ...]


class Store:
    """The database. Writes happen inside ``exclusive``, one at a time; what it commits survives a crash."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._database = sqlite3.connect(
            ":memory:" if path is None else str(path), check_same_thread=False, isolation_level=None
        )
        if path is not None:
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Run a block as one transaction, alone; an exception undoes it."""
        with self._lock:
            if self._depth:
                yield
                return
            self._depth += 1
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            else:
                self._database.execute("COMMIT")
            finally:
                self._depth -= 1

    def next_id(self, kind: str) -> str:
        """Return an id that was never given out for this kind of thing."""
        with self.exclusive():
            self._database.execute(
                "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + 7",
                (kind, FIRST_ID + 1_000_000 * KINDS.index(kind)),
            )
            row = self._database.execute("SELECT value FROM counters WHERE name = ?", (kind,)).fetchone()
        return str(row[0])

    # Orders.

    def add_order(self, order: StoredOrder) -> None:
        """Remember an order."""
        with self.exclusive():
            self._database.execute(
                "INSERT INTO orders VALUES (?, ?, ?, ?)", (order.id, order.shop, order.customer, order.shipped)
            )
            self._database.executemany(
                "INSERT INTO order_lines VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (line.id, order.id, position, line.product, line.variant, line.quantity, str(line.price))
                    for position, line in enumerate(order.lines)
                ],
            )

    def ship(self, order_id: str) -> None:
        """Mark an order as shipped."""
        with self.exclusive():
            self._database.execute("UPDATE orders SET shipped = 1 WHERE id = ?", (order_id,))

    def order(self, shop: str, order_id: str) -> StoredOrder | None:
        """Return an order of the shop."""
        with self._lock:
            row = self._database.execute(
                "SELECT id, shop, customer, shipped FROM orders WHERE id = ? AND shop = ?", (order_id, shop)
            ).fetchone()
            if row is None:
                return None
            lines = self._database.execute(
                "SELECT id, product, variant, quantity, price FROM order_lines WHERE order_id = ? ORDER BY position",
                (order_id,),
            ).fetchall()
        stored = tuple(_line(line) for line in lines)
        return StoredOrder(row[0], row[1], row[2], bool(row[3]), stored)

    # Refunds.

    def add_refund(self, refund: StoredRefund) -> None:
        """Remember a refund."""
        with self.exclusive():
            self._database.execute(
                "INSERT INTO refunds (id, shop, order_id, customer, rights_type, status, amount, shipping, created,"
                " updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    refund.id, refund.shop, refund.order_id, refund.customer, refund.rights_type, refund.status,
                    str(refund.amount), json.dumps(refund.shipping), refund.created, refund.updated,
                ),
            )  # fmt: skip
            self._database.executemany(
                "INSERT INTO refund_lines VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        refund.id,
                        position,
                        line.line.id,
                        line.quantity,
                        line.reason,
                        line.reason_type,
                        str(line.subtotal),
                    )
                    for position, line in enumerate(refund.lines)
                ],
            )

    def set_status(self, refund_id: str, status: int, updated: str) -> None:
        """Give a refund another status, and the time of that."""
        with self.exclusive():
            self._database.execute(
                "UPDATE refunds SET status = ?, updated = ? WHERE id = ?", (status, updated, refund_id)
            )

    def refund(self, shop: str, refund_id: str) -> StoredRefund | None:
        """Return a refund of the shop."""
        found = self._refunds("id = ? AND shop = ?", (refund_id, shop))
        return found[0] if found else None

    def refunds_of(self, shop: str, order_id: str) -> list[StoredRefund]:
        """Return the refunds of an order, oldest first."""
        return self._refunds("order_id = ? AND shop = ?", (order_id, shop))

    def _refunds(self, condition: str, values: tuple[str, ...]) -> list[StoredRefund]:
        with self._lock:
            rows = self._database.execute(
                "SELECT id, shop, order_id, customer, rights_type, status, amount, shipping, created, updated"  # noqa: S608
                f" FROM refunds WHERE {condition} ORDER BY number",  # one of the two conditions above
                values,
            ).fetchall()
            return [self._refund(row) for row in rows]

    def _refund(self, row: tuple[str, str, str, str, int, int, str, str, str, str]) -> StoredRefund:
        lines = self._database.execute(
            "SELECT l.id, l.product, l.variant, l.quantity, l.price, r.quantity, r.reason, r.reason_type, r.subtotal"
            " FROM refund_lines r JOIN order_lines l ON l.id = r.line_id AND l.order_id = ? WHERE r.refund_id = ?"
            " ORDER BY r.position",
            (row[2], row[0]),
        ).fetchall()
        return StoredRefund(
            *row[:6],
            amount=Decimal(row[6]),
            shipping=json.loads(row[7]),
            created=row[8],
            updated=row[9],
            lines=tuple(StoredRefundLine(_line(line), line[5], line[6], line[7], Decimal(line[8])) for line in lines),
        )

    # Request numbers.

    def recall(self, shop: str, key: str) -> str | None:
        """Return the id of the refund that was created under a request number."""
        with self._lock:
            row = self._database.execute(
                "SELECT refund_id FROM keys WHERE shop = ? AND key = ?", (shop, key)
            ).fetchone()
        return None if row is None else str(row[0])

    def remember(self, shop: str, key: str, refund_id: str) -> None:
        """Tie a request number to a refund, for good."""
        with self.exclusive():
            self._database.execute("INSERT INTO keys VALUES (?, ?, ?)", (shop, key, refund_id))

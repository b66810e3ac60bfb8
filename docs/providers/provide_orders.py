"""An order provider: one JSON request on standard input, one JSON answer on standard output.

Python 3.9 or later, no packages. ``make_order`` and ``ship_order`` are yours to write: they know how orders are made in
your shop.
"""

import json
import os
import sys
import urllib.error
import urllib.request

SHOP = os.environ["SHOP_ORDERS"]
"""Where your own, internal way to make orders is."""


def ask(body: dict[str, object]) -> dict[str, object]:
    """Return what the shop answers."""
    request = urllib.request.Request(SHOP, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - the shop's own address
        order: dict[str, object] = json.load(answer)
    return order


def make_order(wanted: dict[str, object]) -> dict[str, object]:
    """Return a new order of the lines wanted, shipped or not, of the customer named, if one is."""
    return ask(wanted)


def ship_order(wanted: dict[str, object]) -> dict[str, object]:
    """Return the order, now shipped."""
    return ask(wanted)


if __name__ == "__main__":
    wanted = json.load(sys.stdin)
    try:
        print(json.dumps({"create_order": make_order, "ship_order": ship_order}[wanted["action"]](wanted)))  # noqa: T201
    except (KeyError, urllib.error.URLError) as error:
        sys.exit(f"no order: {error}")

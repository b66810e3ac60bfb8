"""In which of its legal forms a step of a story is sent, and in whose name: none of it changes what comes of it."""

from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen

from conformance.client import NUMBERS, TEXT, TOKEN_HEADER, Dialect, KeyMaker, RefundApi
from conformance.lifecycle import Create, Review, Step
from conformance.session import Shop

WRITERS = ("full", "write_refunds", "write_refund")
READERS = ("full", "read_refunds")
"""Whose tokens take turns, as far as the target file gives them."""
SPELLINGS: tuple[Callable[[str], str], ...] = (str, str.lower, str.upper)
LIMITS = (250, 50, 99, 49)
"""Limits that the looks at an order take turns with: each is more than a story makes of refunds."""


@frozen
class Manner:
    """How a request is made that could be made otherwise.

    ``holder`` is the name of a token that has the right to it; ``header`` what carries it; with ``turned`` members in
    another order, and with ``foreign`` numbers in another wire form than the target was first found to take.
    """

    holder: str = "full"
    header: str = TOKEN_HEADER
    turned: bool = False
    foreign: bool = False

    def api_of(self, shop: Shop) -> RefundApi:
        """Return the API of a shop as it is called in this manner."""
        api = evolve(shop.api, token=shop.target.tokens.get(self.holder, shop.api.token), token_header=self.header)
        if self.foreign:
            return evolve(
                api, create_dialect=foreign_to(api.create_dialect), review_dialect=foreign_to(api.review_dialect)
            )
        return api

    def arranged(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a body with its members in the order of this manner."""
        if not self.turned:
            return body
        return {
            name: self.arranged(value) if isinstance(value, dict) else value for name, value in reversed(body.items())
        }


PLAIN = Manner()


def manner_of(position: int, step: Step) -> Manner:
    """Return the manner of a step by its place in its story, so that a step that is taken again has another one."""
    writes = isinstance(step, Create | Review)
    names = WRITERS if writes else READERS
    return Manner(
        holder=names[position % len(names)],
        header=SPELLINGS[position % len(SPELLINGS)](TOKEN_HEADER),
        turned=position % 2 == 0,
        foreign=writes and position % 4 in {0, 3},
    )


def foreign_to(dialect: Dialect) -> Dialect:
    """Return another wire form of numbers than a dialect's."""
    return NUMBERS if dialect is TEXT else TEXT


# Keys.


def last_changed(key: str) -> str:
    """Return a key that differs from another in the last of its characters."""
    return key[:-1] + ("1" if key[-1] == "0" else "0")


TWINS: tuple[tuple[Callable[[KeyMaker], str], Callable[[str], str]], ...] = (
    (lambda keys: keys(50), last_changed),
    (lambda keys: keys.uuid(), str.upper),
    (lambda keys: keys.digits(50), lambda key: key[:20] + "2" + key[21:]),  # one floating-point number
    (lambda keys: keys(18) + "Aa", lambda key: key[:-2] + "BB"),  # texts of one hash code
    (lambda keys: keys.digits(49), lambda key: "0" + key),
    (lambda keys: keys(40) + "Key", str.swapcase),
)
"""Keys of all forms and of both lengths, and for each another that only a careless comparison takes for it."""


def made_key(number: int, known: dict[int, str], keys: KeyMaker) -> str:
    """Return a fresh key for a create of a story: of the first of two neighbours, or the twin of that one."""
    make, twin = TWINS[number // 2 % len(TWINS)]
    if not number % 2 or number - 1 not in known:
        return make(keys)
    neighbour = known[number - 1]
    changed = twin(neighbour)
    return last_changed(neighbour) if changed == neighbour else changed  # a UUID may have no letters

"""What a target replied, before anyone believes it."""

from functools import cached_property
from typing import Any

from attrs import field, frozen

from conformance.http.exchange import Exchange
from conformance.http.status import Reply, reply_of
from conformance.http.unrest import Unrest
from conformance.model import Refund, load_json, read_refund
from conformance.outcome import Blocked


@frozen(eq=False)
class Answer:
    """What a target replied, read but not believed.

    ``unrest`` knows what the target changes by itself.
    """

    exchange: Exchange
    unrest: Unrest = field(factory=Unrest)

    @property
    def status(self) -> int:
        """The HTTP status.

        Raises:
            Blocked: nothing came back; transport trouble is no verdict on the target's conformance.
        """
        if self.exchange.trouble is not None or self.exchange.status is None:
            raise Blocked(self.exchange.trouble or "no answer came")
        return self.exchange.status

    @cached_property
    def json(self) -> Any:
        """The body as JSON with exact numbers; ``None`` when it is none."""
        try:
            return load_json(self.exchange.body.decode("utf-8-sig"))
        except ValueError:
            return None

    @property
    def accepted(self) -> bool:
        """Whether the target says that it did what was asked: 2xx."""
        return reply_of(self.status) is Reply.ACCEPTED

    @property
    def refused(self) -> bool:
        """Whether the target says that it did not: 4xx (429 never gets here)."""
        return reply_of(self.status) is Reply.REFUSED

    @property
    def broken(self) -> bool:
        """Whether the target failed at it, and may have done it or not: 5xx."""
        return reply_of(self.status) is Reply.BROKEN

    @cached_property
    def refund(self) -> Refund | None:
        """The one refund of an accepted answer, if it can be read."""
        return self._read(self.json.get("refund")) if self.accepted and isinstance(self.json, dict) else None

    @cached_property
    def refunds(self) -> list[Refund] | None:
        """The refunds of an accepted list, if each of them can be read.

        Null, or an empty object, has none, and a refund that is no list is one; that it is none is judged as a field of
        its own.
        """
        if not self.accepted or not isinstance(self.json, dict):
            return None
        entries = self.json.get("refunds") if self.json else []
        if entries is None and "refunds" in self.json:
            return []
        if isinstance(entries, dict):
            entries = [entries]
        if not isinstance(entries, list):
            return None
        read = [self._read(entry) for entry in entries]
        return [refund for refund in read if refund is not None] if all(read) else None

    def _read(self, value: Any) -> Refund | None:
        refund = read_refund(value)
        return None if refund is None else self.unrest.allowed_for(refund)

    @property
    def described(self) -> str:
        """The answer in a few words, for an explanation."""
        if self.exchange.trouble is not None:
            return self.exchange.trouble
        text = self.exchange.opening.strip()
        moved = reply_of(self.exchange.status) is Reply.MOVED and self.exchange.location
        where = f" to {self.exchange.location}" if moved else ""
        return f"{self.exchange.status}{where} with {text or 'an empty body'}"

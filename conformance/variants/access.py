"""Honest readings of who may do what, and of how a refusal looks."""

import weakref
from collections.abc import Mapping
from typing import Any

from conformance.clock import Clock
from conformance.reference.app import TOKEN_HEADER, App
from conformance.reference.rules import READ, WRITE, Shop, Token
from conformance.reference.store import Store
from conformance.variants import reads


@reads("A53", aspect="writers read")
class LetsWritersRead(Shop):
    """Lets a token that may write also list and get."""

    def sufficient(self, operation: str) -> frozenset[str]:
        """Add the scopes that write to those that read."""
        found = super().sufficient(operation)
        return found | WRITE if found >= READ else found


class Refuses(App):
    """Refuses with other codes; the variants below differ in which."""

    def code(self, status: int) -> int:
        """Return the code for a refusal that had another."""
        return status

    def refuse(self, status: int, message: str) -> Any:
        """Refuse with the other code; 429 is no refusal."""
        refusal = 400 <= status < 500 and status != 429
        return super().refuse(self.code(status) if refusal else status, message)


@reads("A54", aspect="refusal codes")
class RefusesAllWith400(Refuses):
    """Refuses everything with 400, strangers and what does not exist alike."""

    def code(self, status: int) -> int:
        """Know one code."""
        return 400


@reads("A50", "A54", aspect="refusal codes")
class HidesWhatIsForbidden(Refuses):
    """Answers strangers with 404, as if there were nothing."""

    def code(self, status: int) -> int:
        """Hide the operations."""
        return 404 if status in {401, 403} else status


@reads("A54", aspect="refusal codes")
class RefusesStrangersWith407(Refuses):
    """Refuses unknown tokens with 407, as a proxy would, and asks for no password."""

    def code(self, status: int) -> int:
        """Take the word for its sound."""
        return 407 if status == 401 else status


@reads("A50", "A54", aspect="refusal codes")
class ForbidsWhatIsNotThere(Refuses):
    """Answers with 403 where there is no such order or refund."""

    def code(self, status: int) -> int:
        """Tell nothing of what exists."""
        return 403 if status == 404 else status


@reads("A54", aspect="refusal codes")
class RefusesInvalidWith422(Refuses):
    """Refuses what is not valid, and what is in conflict with the present state, with 422."""

    def code(self, status: int) -> int:
        """Use the code for content that cannot be processed."""
        return 422 if status in {400, 409} else status


@reads("A54", aspect="refusal codes")
class RefusesConflictsWith406(Refuses):
    """Refuses what is in conflict with the present state with 406, and unknown tokens with 403."""

    def code(self, status: int) -> int:
        """Use codes of the platform's own list."""
        return {409: 406, 401: 403}.get(status, status)


@reads("A55", aspect="refusal bodies")
class RefusesWithoutBody(App):
    """Refuses with a code and nothing else."""

    def refuse(self, status: int, message: str) -> Any:
        """Leave the body empty."""
        response = super().refuse(status, message)
        response.set_data(b"")
        return response


@reads("A55", aspect="refusal bodies")
class RefusesInPlainText(App):
    """Refuses with a line of text."""

    def refuse(self, status: int, message: str) -> Any:
        """Write the message as it is."""
        response = super().refuse(status, message)
        response.set_data(message)
        response.mimetype = "text/plain"
        return response


@reads("A55", aspect="refusal bodies")
class RefusesWithHtml(App):
    """Refuses with a web page, as a gateway does."""

    def refuse(self, status: int, message: str) -> Any:
        """Write a small page."""
        response = super().refuse(status, message)
        response.set_data(f"<!DOCTYPE html><html><head><title>{status}</title></head><body>Refused.</body></html>")
        response.mimetype = "text/html"
        return response


@reads("A55", aspect="refusal bodies")
class RefusesWithManyErrors(App):
    """Refuses with a list of errors in JSON."""

    def refuse(self, status: int, message: str) -> Any:
        """Write a list."""
        response = super().refuse(status, message)
        response.set_data('{"errors": [{"code": "refused", "refund": null}]}')
        return response


@reads("A06", aspect="refund ids")
class KeepsBooksForEachShop(Shop):
    """Keeps the books of each shop apart, and numbers in each from the beginning: shops have orders of the same ids."""

    def __init__(self, name: str, store: Store, tokens: Mapping[str, Token], clock: Clock | None = None) -> None:
        own = Store()
        weakref.finalize(self, own.close)
        super().__init__(name, own, tokens, clock)


@reads("A56", aspect="address")
class KnowsShopsByTheirTokens(App):
    """Knows a shop by the token of a request, whatever shop its address names."""

    def operate(self, shop: Shop, operation: str, values: Mapping[str, str], request: Any) -> Any:
        """Go to the shop that the token is of."""
        token = shop.tokens.get(request.headers.get(TOKEN_HEADER, ""))
        return super().operate(shop if token is None else self.shops[token.shop], operation, values, request)

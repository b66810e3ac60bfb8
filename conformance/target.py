"""The target file: what a person writes down to point the suite at an implementation."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from attrs import evolve, field, frozen

from conformance import hidden
from conformance.files import load_yaml
from conformance.http.limits import Limits
from conformance.http.transport import Proxy
from conformance.outcome import UsageError
from conformance.target_schema import RUN_PATHS, SCHEMA, SCOPED_TOKENS, insist_on_target

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
BARE_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A name of a header: a token of RFC 9110, 5.6.2."""
OWN_HEADERS = {
    "x-genstore-access-token", "content-type", "content-length", "transfer-encoding", "connection", "expect", "upgrade",
}  # fmt: skip
"""Headers that the suite sends, or must not send: they are what it judges by, or belong to the connection."""


@frozen
class Orders:
    """Where test orders come from: exactly one of a URL, a program, and a pool file."""

    url: str | None = None
    command: tuple[str, ...] | None = None
    pool: Path | None = None


@frozen
class Target:
    """An implementation under test: where it is, who may do what, and what it is known to lack.

    ``from_outside`` are values that came, in part or as a whole, from the environment; ``variables`` are those of the
    environment that they came from.
    """

    name: str
    base_url: str
    tokens: Mapping[str, str]
    orders: Orders
    folder: Path = Path()
    other_shop: "Target | None" = None
    ca_file: Path | None = None
    verify_tls: bool = True
    proxy: Proxy | None = None
    headers: Mapping[str, str] = {}
    not_available: tuple[str, ...] = ()
    limits: Limits = field(factory=Limits)
    from_outside: frozenset[str] = frozenset()
    variables: Mapping[str, str] = {}

    @property
    def secrets(self) -> list[tuple[str, str]]:
        """Every value that must never be shown, with the name to show in its place."""
        found = [*hidden.of_tokens(self.tokens), *hidden.of_headers(self.headers, self.from_outside)]
        found += hidden.of_url(self.orders.url or "", "ORDERS", self.from_outside)
        found += hidden.of_program(self.orders.command or (), "ORDERS", self.variables)
        if self.other_shop is not None:
            other = self.other_shop
            found += hidden.of_tokens(other.tokens, "OTHER_SHOP_")
            found += hidden.of_url(other.orders.url or "", "OTHER_SHOP_ORDERS", self.from_outside)
            found += hidden.of_program(other.orders.command or (), "OTHER_SHOP_ORDERS", self.variables)
        if self.proxy is not None and self.proxy.password:
            found.append(("PROXY_PASSWORD", self.proxy.password))
        return found


def load_target(path: Path, environment: Mapping[str, str] | None = None) -> Target:
    """Return the target that a file describes; ``${NAME}`` in its values is taken from the environment.

    Raises:
        UsageError: the file is missing or malformed, has an unknown key, or names an unset variable.
    """
    environment = os.environ if environment is None else environment
    if not path.exists():
        raise UsageError(
            f"{path}: there is no such target file. A target is a file, a URL, reference, fault:NAME or variant:NAME."
        )
    file = _Values(path, environment)
    data = file.expanded(load_yaml(path))
    insist_on_target(data, path)
    target = _shop(data, data.get("name", path.stem), path)
    _check_headers(data.get("headers", {}), path)
    not_available = tuple(data.get("not_available", ()))
    tls = data.get("tls", {})
    limits = evolve(Limits(), **{name: float(value) for name, value in data.get("limits", {}).items()})
    other = data.get("other_shop")
    target = evolve(
        target,
        other_shop=None
        if other is None
        else evolve(_shop(other, "the other shop", path), headers=data.get("headers", {})),
        ca_file=None if "ca_file" not in tls else path.parent / tls["ca_file"],
        verify_tls=tls.get("verify", True),
        proxy=_proxy(data["proxy"], path) if "proxy" in data else None,
        headers=data.get("headers", {}),
        not_available=not_available,
        limits=limits,
        from_outside=frozenset(file.from_outside),
        variables=file.variables,
    )
    _check_not_available(target, path)
    _check_apart(target, path)
    if target.ca_file is not None and not target.ca_file.is_file():
        raise UsageError(f"{path}: tls/ca_file: there is no file {target.ca_file}")
    return target


def run_settings(spoken: str) -> dict[str, Any]:
    """Return the options of a run that a target file gives; none when the target is no file.

    The rest of the file is nobody's business before it is needed: to ask for help takes no token.

    Raises:
        UsageError: the file, or what stands under ``run``, is malformed.
    """
    path = Path(spoken)
    if not path.is_file():
        return {}
    data = load_yaml(path)
    if not isinstance(data, dict) or "run" not in data:
        return {}
    given: dict[str, Any] = _Values(path, os.environ).expanded(data["run"], "/run")
    insist_on_target({"run": given}, path, {**SCHEMA, "required": []})
    return given | {name: str(path.parent / given[name]) for name in RUN_PATHS if name in given}


def target_of_url(base_url: str, token: str, orders_url: str) -> Target:
    """Return a target that is only a base URL, one token and an order provider.

    Raises:
        UsageError: one of them cannot be used.
    """
    data = {"base_url": base_url, "tokens": {"full": token}, "orders": {"url": orders_url}}
    path = Path("the command line")
    return _shop(data, _parts(base_url, "base_url", path).hostname or "target", path)


def _check_not_available(target: Target, path: Path) -> None:
    if "other_shop" in target.not_available and target.other_shop is not None:
        raise UsageError(f"{path}: not_available names other_shop, but the file describes one: take one of them out")
    if "scoped_tokens" in target.not_available and (given := [name for name in SCOPED_TOKENS if name in target.tokens]):
        raise UsageError(
            f"{path}: not_available names scoped_tokens, but the file gives {', '.join(given)}: take one of them out"
        )


def _check_apart(target: Target, path: Path) -> None:
    """Tokens of one shop are for different scopes, and two shops are two: else a sound server would seem to mix them.

    Raises:
        UsageError: they are not.
    """
    for place, shop in (("", target), ("other_shop/", target.other_shop)):
        names: dict[str, str] = {}
        for name, token in () if shop is None else shop.tokens.items():
            if token in names:
                raise UsageError(
                    f"{path}: {place}tokens/{name}: is the same as {place}tokens/{names[token]}. Each has scopes "
                    "of its own; leave out what there is not, and name scoped_tokens under not_available."
                )
            names[token] = name
    other = target.other_shop
    if other is not None and (other.base_url, other.tokens["full"]) == (target.base_url, target.tokens["full"]):
        raise UsageError(f"{path}: other_shop: has the base_url and the full token of this shop: it is no other one")


def _check_headers(headers: Mapping[str, str], path: Path) -> None:
    """The headers of a file can be sent, and are none of those that the suite sends itself.

    Raises:
        UsageError: they are not.
    """
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise UsageError(f"{path}: headers: {name[:100]!r} is no name of a header")
        if name.lower() in OWN_HEADERS:
            raise UsageError(f"{path}: headers/{name}: is sent by the suite itself where it is needed: leave it out")
        if not value.isprintable() or value != value.strip():
            raise UsageError(f"{path}: headers/{name}: has a character, or a blank at an end, that cannot be sent")


def _shop(data: dict[str, Any], name: str, path: Path) -> Target:
    base_url = data["base_url"].rstrip("/")
    parts = _parts(base_url, "base_url", path)
    if parts.query or parts.fragment or base_url.endswith(("?", "#")):
        raise UsageError(f"{path}: base_url: has a query or a fragment; the suite adds a path and parameters to it")
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{path}: base_url: has a user or password in it; give it under headers, as Authorization")
    if "/api/202412" in parts.path:
        raise UsageError(f"{path}: base_url: leave out /api/202412 and what follows; the suite adds it")
    orders = data.get("orders", {})
    if len(orders) != 1:
        raise UsageError(f"{path}: orders: give exactly one of url, command and pool")
    if "url" in orders:
        _parts(orders["url"], "orders/url", path)
    for token, value in data["tokens"].items():
        if not value.isascii() or not value.isprintable() or value != value.strip():
            raise UsageError(
                f"{path}: tokens/{token}: has a character, or a blank at an end, that cannot be sent in a header"
            )
    command = orders.get("command")
    return Target(
        name=name,
        base_url=base_url,
        tokens=data["tokens"],
        orders=Orders(
            url=orders.get("url"),
            command=None if command is None else tuple(command),
            pool=path.parent / orders["pool"] if "pool" in orders else None,
        ),
        folder=path.parent,
    )


def _proxy(url: str, path: Path) -> Proxy:
    _parts(url, "proxy", path, "http://proxy.example.com:3128")
    return Proxy.of(url)


def _parts(url: str, place: str, path: Path, like: str = "https://shop.example.com") -> SplitResult:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        sound = sound and url.isprintable() and " " not in url
    except ValueError:  # brackets of no address, a port that is none
        sound = False
    if not sound:
        raise UsageError(f"{path}: {place}: is not a URL like {like}")
    return parts


class _Values:
    """The values of a file, with those of the environment in them; ``from_outside`` are these, and what they are in."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._environment = environment
        self.from_outside: set[str] = set()
        self.variables: dict[str, str] = {}

    def expanded(self, value: Any, place: str = "") -> Any:
        """Return a value with what stands in the environment in the place of every ``${NAME}``."""
        if isinstance(value, dict):
            return {name: self.expanded(inner, f"{place}/{name}") for name, inner in value.items()}
        if isinstance(value, list):
            return [self.expanded(inner, f"{place}/{index}") for index, inner in enumerate(value)]
        if isinstance(value, int) and not isinstance(value, bool) and "tokens" in place:
            return str(value)  # a token of digits needs no quotes
        if not isinstance(value, str):
            return value

        def lookup(match: re.Match[str]) -> str:
            found = self._environment.get(match[1])
            if not found:
                raise UsageError(
                    f"{self._path}: at {place.lstrip('/')}: the environment variable {match[1]} is not set. "
                    f"Set it (export {match[1]}=…) or leave the key out."
                )
            self.from_outside.add(found)
            self.variables[match[1]] = found
            return found

        if "${" in VARIABLE.sub("", value) or (place.startswith("/tokens/") and BARE_VARIABLE.fullmatch(value)):
            raise UsageError(
                f"{self._path}: at {place.lstrip('/')}: looks like a variable of the environment that is not written "
                "as one. Write ${NAME}."
            )
        whole = VARIABLE.sub(lookup, value)
        if whole != value:
            self.from_outside.add(whole)
        return whole

"""The target file: what a person writes down to point the suite at an implementation."""

import base64
import contextlib
import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

import jsonschema_rs
from attrs import evolve, field, fields_dict, frozen

from conformance.files import load_yaml
from conformance.http.limits import Limits
from conformance.http.transport import Proxy
from conformance.outcome import UsageError
from conformance.settings import RUN_SETTINGS

CAPABILITIES = ("other_shop", "ship_order", "scoped_tokens", "unshipped_orders")
SCOPED_TOKENS = ("write_refunds", "write_refund", "read_refunds", "unrelated")

_SECONDS = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": "^[0-9]*[.]?[0-9]+$", "not": {"pattern": "^[0.]+$"}},
    ]
}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description}


def _mapping(description: str, required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "additionalProperties": False, "required": list(required), "properties": properties,
        "description": description,
    }  # fmt: skip


def _seconds(limit: str, description: str) -> dict[str, Any]:
    return {**_SECONDS, "default": fields_dict(Limits)[limit].default, "description": description}


_SHOP: dict[str, Any] = {
    "name": _text("free text, shown in the reports; by default the file's name"),
    "base_url": _text("everything before `/api/202412`"),
    "tokens": _mapping(
        "values of the header `X-Genstore-Access-Token`",
        ("full",),
        full=_text("with `write_refunds`, `write_refund` and `read_refunds`; the only one required"),
        write_refunds=_text("with exactly this scope"),
        write_refund=_text("with exactly this scope"),
        read_refunds=_text("with exactly this scope"),
        unrelated=_text("valid, with no refund scope at all"),
    ),
    "orders": _mapping(
        "where test orders come from: exactly one of the three",
        url=_text("an order provider over HTTP"),
        command={
            "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1},
            "description": "an order provider as a program and its arguments, run in the folder of this file",
        },
        pool=_text("a file of orders prepared by hand"),
    ),
}  # fmt: skip
_RUN_PATHS = ("out", "waivers")
_LISTED = {"type": "array", "items": {"type": "string", "minLength": 1}}
_VALUE = {"anyOf": [{"type": ["string", "integer", "boolean"]}, _LISTED]}
SCHEMA: dict[str, Any] = _mapping(
    "the target file",
    ("base_url", "tokens", "orders"),
    **_SHOP,
    other_shop=_mapping("a second shop on the same implementation", ("base_url", "tokens"), **_SHOP),
    tls=_mapping(
        "how the target's certificate is checked",
        ca_file=_text("the certificate authority that signed it"),
        verify={"type": "boolean", "default": True, "description": "false takes any certificate; all reports say so"},
    ),
    proxy=_text("an HTTP proxy for every request but those to this machine; none by default, whatever the environment"),
    headers={
        "type": "object", "additionalProperties": {"type": "string", "minLength": 1},
        "description": "sent with every request",
    },
    not_available={
        "type": "array", "items": {"enum": list(CAPABILITIES)},
        "description": "what this target is known to lack",
    },
    run=_mapping(
        "options of `run` as they are to be when nothing else is said",
        (),
        **{name: _VALUE | {"description": f"`run --{name.replace('_', '-')}`"} for name in RUN_SETTINGS},
    ),
    limits=_mapping(
        "how long anything may take, in seconds",
        connect=_seconds("connect", "until a connection stands"),
        answer=_seconds("answer", "until an answer is complete"),
        settle=_seconds("settle", "until an effect shows"),
        poll=_seconds("poll", "from one look for an effect to the next"),
        provider=_seconds("provider", "until an order provider that is a program has answered"),
        rate_limited=_seconds("rate_limited", "of nothing but 429 and 503, until the run gives up on the target"),
        progress=_seconds("progress", "that an operation may cost without an answer; then it is asked no more"),
    ),
)  # fmt: skip


@frozen
class Orders:
    """Where test orders come from: exactly one of a URL, a program, and a pool file."""

    url: str | None = None
    command: tuple[str, ...] | None = None
    pool: Path | None = None


@frozen
class Target:
    """An implementation under test: where it is, who may do what, and what it is known to lack.

    ``from_outside`` are values that came, in part or as a whole, from the environment.
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

    @property
    def secrets(self) -> list[tuple[str, str]]:
        """Every value that must never be shown, with the name to show in its place."""
        found = [(_shell_name(name), value) for name, value in self.tokens.items()]
        if self.other_shop is not None:
            found += [(f"OTHER_SHOP_{_shell_name(name)}", value) for name, value in self.other_shop.tokens.items()]
        for name, value in self.headers.items():
            if _speaks_of_a_secret(name) or value in self.from_outside:
                found += [(_variable("HEADER", name), secret) for secret in _secrets_in_header(value)]
        found += _secrets_in_url(self.orders.url or "", "ORDERS", self.from_outside)
        if self.other_shop is not None:
            found += _secrets_in_url(self.other_shop.orders.url or "", "OTHER_SHOP_ORDERS", self.from_outside)
        if self.proxy is not None and self.proxy.password:
            found.append(("PROXY_PASSWORD", self.proxy.password))
        return found


def _shell_name(token: str) -> str:
    return {"full": "GENSTORE_TOKEN"}.get(token, f"TOKEN_{token.upper()}")


def _variable(kind: str, name: str) -> str:
    return f"{kind}_{re.sub('[^A-Z0-9]', '_', name.upper())}"


def _speaks_of_a_secret(name: str) -> bool:
    words = r"auth|token|secret|key|cookie|pass|pwd|credential|session|signature"
    return re.search(words, name, re.IGNORECASE) is not None


def _secrets_in_header(value: str) -> Iterator[str]:
    """Yield what is secret in a header's value: what follows its scheme (RFC 9110, 11.4), or the values of cookies."""
    scheme, _, credentials = value.partition(" ")
    if not credentials:
        yield value.partition("=")[2] or value
    elif "=" in scheme:
        yield from (pair.partition("=")[2] for pair in value.split("; "))
    else:
        yield credentials
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            user_and_password = base64.b64decode(credentials).decode()
            yield user_and_password
            yield user_and_password.partition(":")[2]


def _secrets_in_url(url: str, kind: str, from_outside: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield what is secret in the URL of an order provider: a password, and parameters that are called so."""
    parts = urlsplit(url)
    if parts.password:
        yield f"{kind}_PASSWORD", parts.password
    for segment in from_outside.intersection(parts.path.split("/")):
        yield f"{kind}_PATH", segment
    for name, value in parse_qsl(parts.query):
        if _speaks_of_a_secret(name) or value in from_outside:
            yield _variable(kind, name), value


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
    _validate(data, path)
    target = _shop(data, data.get("name", path.stem), path)
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
    )
    _check_not_available(target, path)
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
    _validate({"run": given}, path, {**SCHEMA, "required": []})
    return given | {name: str(path.parent / given[name]) for name in _RUN_PATHS if name in given}


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


def _shop(data: dict[str, Any], name: str, path: Path) -> Target:
    base_url = data["base_url"].rstrip("/")
    parts = _parts(base_url, "base_url", path)
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
        if not value.isascii() or not value.isprintable():
            raise UsageError(f"{path}: tokens/{token}: has a character that cannot be sent in a header")
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
            return found

        whole = re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", lookup, value)
        if whole != value:
            self.from_outside.add(whole)
        return whole


def _validate(data: Any, path: Path, schema: dict[str, Any] = SCHEMA) -> None:
    if not isinstance(data, dict):
        raise UsageError(f"{path}: is not a target file: it must be a mapping with base_url, tokens and orders")
    for place, keys, known in _mappings(data):
        for key in keys:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                hint = f" Did you mean {near[0]}?" if near else f" Known keys: {', '.join(known)}."
                raise UsageError(f"{path}: {place}unknown key {key!r}.{hint}")
    for error in jsonschema_rs.validator_for(schema).iter_errors(data):
        place = "/".join(map(str, error.instance_path))
        # A wrong value may be a token: the message says what is expected, never what stood there.
        shown = error.message if "required" in str(error.schema_path) else "is not what is expected there"
        raise UsageError(f"{path}: {place or 'the file'}: {shown}. See docs/target-file.md or the README.")


def _mappings(data: dict[str, Any]) -> list[tuple[str, list[Any], list[str]]]:
    found = [("", list(data), list(SCHEMA["properties"]))]
    found += [
        (f"{name}: ", list(data[name]), list(SCHEMA["properties"][name]["properties"]))
        for name in ("tokens", "orders", "other_shop", "tls", "run", "limits")
        if isinstance(data.get(name), dict)
    ]
    other = data.get("other_shop")
    if isinstance(other, dict):
        for name in ("tokens", "orders"):
            if isinstance(other.get(name), dict):
                known = list(_SHOP[name]["properties"])
                found.append((f"other_shop/{name}: ", list(other[name]), known))
    return found

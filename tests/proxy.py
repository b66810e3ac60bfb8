"""A proxy before a server, as a process of its own: it adds latency, a rate limit, unavailability, drops and resets.

``python -m tests.proxy PORT SETTINGS`` prints the port that it listens on, and tells what it saw at ``/_proxy``.
"""

import asyncio
import contextlib
import json
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml
from attrs import asdict, frozen

LIMITED = b"/api/"
"""What stands in the paths that a platform's rate limit counts; the order provider is outside of it."""
LONGEST_HEAD = 1 << 20


@frozen
class Trouble:
    """What is in the way: seconds of latency, a bucket with its refill per second, and every how many requests break.

    ``header`` is how the limit is told: ``platform``, ``standard`` (RateLimit and RateLimit-Policy) or ``none``.
    """

    latency: float = 0.0
    bucket: int = 0
    per_second: float = 0.0
    header: str = "platform"
    retry_after: int | None = None
    unavailable_every: int = 0
    drop_every: int = 0
    reset_every: int = 0


class Proxy:
    """Passes requests on to a port of this machine, one at a time on each connection."""

    def __init__(self, upstream: int, trouble: Trouble) -> None:
        self._upstream = upstream
        self._trouble = trouble
        self._free = float(trouble.bucket)
        self._at = time.monotonic()
        self.seen: Counter[str] = Counter()

    async def serve(self) -> None:
        """Listen until the process ends; the port is printed first."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=LONGEST_HEAD, backlog=128)
        print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the caller reads it
        await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there: asyncio.StreamWriter | None = None
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            back, there = await asyncio.open_connection("127.0.0.1", self._upstream, limit=LONGEST_HEAD)
            while head := await _head(reader):
                if not await self._request(head, reader, writer, back, there):
                    break
        for end in (writer, there):
            if end is not None:
                end.close()

    async def _request(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        back: asyncio.StreamReader, there: asyncio.StreamWriter,
    ) -> bool:  # fmt: skip
        """Pass one request on and its answer back; says whether another can follow on the connection."""
        body = await _body(head, reader)
        if head.split(b" ", 2)[1] == b"/_proxy":
            writer.write(_answer(200, json.dumps(self.seen).encode()))
            return True
        self.seen["requests"] += 1
        counted = LIMITED in head.split(b" ", 2)[1]
        if counted and (refusal := self._refusal()):
            writer.write(refusal)
            return True
        if self._hits(self._trouble.drop_every, "dropped"):
            return False
        there.write(head + body)
        answer = await _head(back)
        rest = b"" if head.startswith(b"HEAD ") else await _body(answer, back)
        await asyncio.sleep(self._trouble.latency)
        if self._hits(self._trouble.reset_every, "reset"):
            _reset(writer)
            return False
        told = self._told() if counted else b""
        writer.write(answer.replace(b"\r\n", b"\r\n" + told, 1) + rest)
        await writer.drain()
        return bool(answer) and b"connection: close" not in answer.lower()

    def _hits(self, every: int, what: str) -> bool:
        hit = every > 0 and self.seen["requests"] % every == 0
        self.seen[what] += hit
        return hit

    def _refusal(self) -> bytes | None:
        if self._hits(self._trouble.unavailable_every, "unavailable"):
            return _answer(503, b"")
        if not self._trouble.bucket:
            return None
        now = time.monotonic()
        self._free = min(self._trouble.bucket, self._free + (now - self._at) * self._trouble.per_second)
        self._at = now
        if self._free < 1:
            self.seen["limited"] += 1
            wait = self._trouble.retry_after
            return _answer(429, b"", self._told() + (b"" if wait is None else b"Retry-After: %d\r\n" % wait))
        self._free -= 1
        return None

    def _told(self) -> bytes:
        size, free = self._trouble.bucket, int(self._free)
        if not size or self._trouble.header == "none":
            return b""
        if self._trouble.header == "platform":
            return b"X-Genstore-Shop-Api-Rate-Limit: %d/%d\r\n" % (size - free, size)
        seconds = size / self._trouble.per_second
        return b'RateLimit-Policy: "shop";q=%d;w=%d\r\nRateLimit: "shop";r=%d;t=1\r\n' % (size, seconds, free)


async def _head(reader: asyncio.StreamReader) -> bytes:
    """Return the bytes up to the empty line after the headers; none when the other side has closed."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


async def _body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    """Return the body that the headers announce, in the framing that it came in."""
    headers = dict(line.split(b":", 1) for line in head.lower().split(b"\r\n")[1:] if b":" in line)
    if b"chunked" in headers.get(b"transfer-encoding", b""):
        chunks = b""
        while True:
            size = await reader.readuntil(b"\r\n")
            chunk = await reader.readexactly(int(size.split(b";")[0], 16) + 2)
            chunks += size + chunk
            if size.strip() == b"0":
                return chunks
    return await reader.readexactly(int(headers.get(b"content-length", b"0")))


def _answer(status: int, body: bytes, more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d Answer\r\n%sContent-Length: %d\r\n\r\n%s" % (status, more, len(body), body)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Make the end of the connection an RST in place of a FIN."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@frozen
class Behind:
    """A server behind the proxy: its origin as the suite sees it."""

    origin: str

    @property
    def seen(self) -> dict[str, int]:
        """How many requests the proxy saw, and how many it limited, dropped, reset or called unavailable."""
        told: dict[str, int] = httpx.get(f"{self.origin}/_proxy", trust_env=False).json()
        return told


@contextlib.contextmanager
def proxied(upstream: str, trouble: Trouble) -> Iterator[Behind]:
    """Put a proxy before an origin like ``http://127.0.0.1:8000`` while the block runs."""
    port = upstream.rpartition(":")[2]
    command = [sys.executable, "-m", "tests.proxy", port, json.dumps(asdict(trouble))]
    with _process(command) as process:
        assert process.stdout is not None
        yield Behind(f"http://127.0.0.1:{int(process.stdout.readline())}")


@contextlib.contextmanager
def served_reference() -> Iterator[dict[str, Any]]:
    """Serve the reference as a process of its own while the block runs; yields its target file as data."""
    command = [sys.executable, "-m", "conformance", "serve", "--port", "0"]
    with _process(command) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        for line in lines:
            if line.startswith("as a target file"):
                break
        data: dict[str, Any] = yaml.safe_load("".join(_until(lines, "Press Ctrl-C")))
        yield data


def moved(target: dict[str, Any], origin: str) -> dict[str, Any]:
    """Return a target file whose API is reached at another origin; the orders come from where they came from."""
    here = target["base_url"].rpartition("/")[0]
    there = {**target, "base_url": target["base_url"].replace(here, origin)}
    if "other_shop" in there:
        there["other_shop"] = moved(there["other_shop"], origin)
    return there


def origin_of(target: dict[str, Any]) -> str:
    """Return the origin of the reference that a target file describes."""
    return str(target["base_url"]).rpartition("/")[0]


def _until(lines: Iterator[str], mark: str) -> Iterator[str]:
    for line in lines:
        if line.startswith(mark):
            return
        yield line


@contextlib.contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    root = Path(__file__).parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            yield process
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(Proxy(int(sys.argv[1]), Trouble(**json.loads(sys.argv[2]))).serve())

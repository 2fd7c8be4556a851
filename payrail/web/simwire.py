"""HTTP/1.1 as bytes, from the asker's side: what a request is, and when its answer is whole.

The little that a client of ours needs. Never: follows, retries or decompresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

_END = b"\r\n"
#: The library dates its answers by the machine's clock, which is nobody's in a simulated house.
_NOT_OURS = "date"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers are in small letters."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> object:
        """The body, decoded. Raises msgspec.DecodeError."""
        return msgspec.json.decode(self.body)


class NoAnswer(OSError):
    """Why there is none: `refused` (it never arrived) | `disconnected` | `timeout` (it may have
    happened), the words of `payrail.web.outgoing`."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word

    @property
    def may_have_happened(self) -> bool:
        return self.word != "refused"


def request_bytes(
    host: str, method: str, path: str, headers: Mapping[str, str], body: bytes
) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines.extend(f"{name}: {value}" for name, value in headers.items())
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class AnswerReader:
    """Collects an answer's bytes until it is whole."""

    def __init__(self) -> None:
        self._bytes = b""
        self._is_head = False

    def begin(self, *, is_head: bool) -> None:
        """The next answer is to a new request; one to HEAD has no body."""
        self._bytes, self._is_head = b"", is_head

    def feed(self, data: bytes) -> Answer | None:
        """The answer, once its last byte is there."""
        self._bytes += data
        head, found, rest = self._bytes.partition(_END + _END)
        if not found:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        status, headers = int(first.split(" ", 2)[1]), dict(map(_header, lines))
        headers.pop(_NOT_OURS, None)
        if self._is_head or status in (204, 304):
            return Answer(status, headers)
        body = _body(headers, rest)
        return None if body is None else Answer(status, headers, body)


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _body(headers: Mapping[str, str], rest: bytes) -> bytes | None:
    """The body, None while it is not whole."""
    if headers.get("transfer-encoding") == "chunked":
        return _chunks(rest)
    size = int(headers.get("content-length", 0))
    return rest[:size] if len(rest) >= size else None


def _chunks(rest: bytes) -> bytes | None:
    parts: list[bytes] = []
    while True:
        head, found, rest = rest.partition(_END)
        if not found:
            return None
        size = int(head.partition(b";")[0], 16)
        if size == 0:
            return b"".join(parts)
        if len(rest) < size + 2:
            return None
        parts.append(rest[:size])
        rest = rest[size + 2 :]

"""Bad requests at the real doors, byte by byte, and answers that are checked for being refusals.

Never: says which refusal it must be; whoever asks does.
"""

import json
import socket
from typing import Any

from actors.cli.chaos.house import House
from tests.scenarios.living import raw_request
from tests.scenarios.shop import Shop

#: Of a body that is streamed: no door may take so much.
STREAM_BYTES_MAX = 100 * 1024 * 1024


class Doors:
    """One bad request after the other, at any door, with a key that may do everything there."""

    def __init__(self, house: House, shop: Shop) -> None:
        internal = (house.home / "data/secrets/internal").read_text().strip()
        self._ports = house.ports
        self._keys = {"API": shop.keys["admin"], "VAULT": shop.keys["admin"], "PROVIDER": internal}

    def ask(
        self,
        door: str,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        content_type: str | None = "application/json",
        headers: str = "",
        idempotency_key: str | None = "k_bad",
    ) -> tuple[int, Any]:
        """Status and problem of the answer, after it was checked for being one."""
        head = self._head(door, method, path) + headers
        if idempotency_key is not None:
            head += f"Idempotency-Key: {idempotency_key}\r\n"
        if content_type is not None:
            head += f"Content-Type: {content_type}\r\n"
        if "Content-Length" not in headers and "chunked" not in headers:
            head += f"Content-Length: {len(body)}\r\n"
        return self.raw(door, head.encode() + b"Connection: close\r\n\r\n" + body)

    def raw(self, door: str, data: bytes) -> tuple[int, Any]:
        """The same for bytes that need be no request at all."""
        status, headers, body = raw_request(self._ports[door], data)
        problem = json.loads(body)
        assert 400 <= status < 500, body
        assert headers["content-type"].startswith("application/problem+json"), headers
        told = (problem["status"], problem["correlation_id"])
        assert told == (status, headers["x-correlation-id"]), (headers, body)
        assert {"type", "title", "detail", "code", "retryable", "errors"} <= set(problem), body
        assert not headers.get("server"), headers
        return status, problem

    def stream(self, door: str, path: str) -> tuple[int, int]:
        """Post chunk after chunk. Result: status, and how many bytes the door took before it hung
        up."""
        head = self._head(door, "POST", path)
        head += "Idempotency-Key: k\r\nContent-Type: application/json\r\n"
        head += "Transfer-Encoding: chunked\r\n\r\n"
        chunk = b"10000\r\n" + b"9" * 0x10000 + b"\r\n"
        sent = 0
        with socket.create_connection(("127.0.0.1", self._ports[door]), timeout=20) as connection:
            connection.sendall(head.encode())
            try:
                while sent < STREAM_BYTES_MAX:
                    connection.sendall(chunk)
                    sent += len(chunk)
                    if status := _answered(connection):
                        return status, sent
            except (BrokenPipeError, ConnectionResetError):
                pass
            connection.setblocking(True)
            return int(connection.recv(65_536).split(b" ")[1]), sent

    def _head(self, door: str, method: str, path: str) -> str:
        key = self._keys[door]
        return f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"


def _answered(connection: socket.socket) -> int:
    """The status, if the answer has come; 0 before that."""
    try:
        return int(connection.recv(65_536, socket.MSG_DONTWAIT).split(b" ")[1])
    except BlockingIOError:
        return 0

"""One HTTP question to a running house, for verbs that need an answer.

Raises NotRunning when nobody listens, Stop when the house refuses.
"""

import http.client
import json
import os
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from actors.cli.exits import FAILED, NO_SUCH, NOT_RUNNING, TRY_LATER, USAGE, Stop
from payrail.errors import NotRunning

WAIT_S = 15.0
_LOOK_AGAIN_S = 0.05
ANSWER_BYTES_MAX = 16 * 1024 * 1024

_CODES = {400: USAGE, 404: NO_SUCH, 422: USAGE, 429: TRY_LATER, 503: TRY_LATER, 504: TRY_LATER}


def ask(
    method: str,
    url: str,
    body: Any = None,
    *,
    key: str = "",
    once: str = "",
    merchant: str = "",
    user: str = "",
    role: str = "",
    wait_s: float = WAIT_S,
) -> tuple[int, Any]:
    """Status and parsed body, whatever the status is; `once` is an Idempotency-Key; `merchant`,
    `user` and `role` are whom the service key speaks for. Raises NotRunning, Stop 64."""
    where = urlsplit(url)
    named = {
        "Authorization": key and f"Bearer {key}",
        "Idempotency-Key": once,
        "X-Merchant-Id": merchant,
        "X-User": user,
        "X-Role": role,
    }
    headers = {"Accept": "application/json", **{name: text for name, text in named.items() if text}}
    _must_be_sendable(headers)
    target = (where.path or "/") + (f"?{where.query}" if where.query else "")
    data = None
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=wait_s)
    try:
        connection.request(method, target, data, headers)
        answer = connection.getresponse()
        return answer.status, _parsed(answer.read(ANSWER_BYTES_MAX))
    except (OSError, http.client.HTTPException) as error:
        raise NotRunning(f"nobody answers at {where.scheme}://{where.netloc}") from error
    finally:
        connection.close()


def fresh_key() -> str:
    """An Idempotency-Key that no other order has."""
    return f"cli-{os.getpid()}-{time.time_ns()}"


def must(status: int, body: Any) -> Any:
    """The body of an answer that is a yes. Raises Stop with what the house says otherwise."""
    if status < 300:
        return body
    told = body if isinstance(body, dict) else {}
    code = NOT_RUNNING if status == 502 else _CODES.get(status, FAILED)
    if told.get("retryable"):
        code = TRY_LATER
    what = f"{status} {told.get('code', '')}: {told.get('detail', 'no reason given')}"
    raise Stop(code, what, "\n  ".join(remedies(told)))


def remedies(told: dict[str, Any]) -> Iterator[str]:
    """What a problem says beyond its detail, a line each."""
    for one in told.get("errors", ()):
        yield f"{one.get('field', '')}: {one.get('message', '')}"
    for one in told.get("diff", ()):
        yield f"{one['field']}: was {one['first']!r}, is now {one['now']!r}"
    if legal := told.get("legal"):
        yield f"What may be done instead: {', '.join(legal)}."
    if told.get("code") == "four-eyes":
        yield "Ask as another user: --as USER --role approver."


def wait_until_ready(api_url: str) -> None:
    """Wait while somebody answers and an actor is on its way. Raises NotRunning."""
    ends = time.monotonic() + WAIT_S
    while True:
        status, body = ask("GET", f"{api_url}/ready", wait_s=2.0)
        if status == 200:
            return
        if time.monotonic() > ends:
            detail = body.get("detail", "") if isinstance(body, dict) else ""
            raise NotRunning(f"the house is not ready: {detail}")
        time.sleep(_LOOK_AGAIN_S)


def is_ready(api_url: str) -> bool:
    """Whether every actor serves, as the front door sees it."""
    try:
        return ask("GET", f"{api_url}/ready", wait_s=2.0)[0] == 200
    except NotRunning:
        return False


def _must_be_sendable(headers: dict[str, str]) -> None:
    for name, text in headers.items():
        if not (text.isascii() and text.isprintable()):
            raise Stop(USAGE, f"{name} takes printable ASCII alone", "Leave out what is not.")


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None

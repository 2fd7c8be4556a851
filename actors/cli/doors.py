"""One HTTP question to a running house, for verbs that need an answer.

Raises NotRunning when nobody listens, Stop when the house refuses.
"""

import http.client
import json
import time
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
    wait_s: float = WAIT_S,
) -> tuple[int, Any]:
    """Status and parsed body, whatever the status is; `once` is an Idempotency-Key, `merchant` whom
    the service key speaks for. Raises NotRunning."""
    where = urlsplit(url)
    headers = {"Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    if once:
        headers["Idempotency-Key"] = once
    if merchant:
        headers["X-Merchant-Id"] = merchant
    data = None
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=wait_s)
    try:
        connection.request(method, where.path or "/", data, headers)
        answer = connection.getresponse()
        return answer.status, _parsed(answer.read(ANSWER_BYTES_MAX))
    except (OSError, http.client.HTTPException) as error:
        raise NotRunning(f"nobody answers at {where.scheme}://{where.netloc}") from error
    finally:
        connection.close()


def must(status: int, body: Any) -> Any:
    """The body of an answer that is a yes. Raises Stop with what the house says otherwise."""
    if status < 300:
        return body
    told = body if isinstance(body, dict) else {}
    remedies = [f"{e.get('field', '')}: {e.get('message', '')}" for e in told.get("errors", [])]
    code = NOT_RUNNING if status == 502 else _CODES.get(status, FAILED)
    what = f"{status} {told.get('code', '')}: {told.get('detail', 'no reason given')}"
    raise Stop(code, what, "\n  ".join(remedies))


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


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None

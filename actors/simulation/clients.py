"""Clients of a simulated house: they send what shops want over the net, and write down each try.

Never: decides what is wanted (`flows`), or when somebody goes on (`world`).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from actors.simulation.doors import Keys
from actors.simulation.evidence import Asked as Try
from actors.simulation.forging import Forger
from actors.simulation.schedule import Wish
from actors.simulation.shops import (
    CARDHOLDER,
    ECHO,
    FORGER,
    HOUSE,
    INSIDER,
    Answer,
    Deed,
    Ended,
    Pause,
    Request,
    Steps,
    Strange,
    Together,
    Wanted,
)
from actors.simulation.trace import Trace
from payrail.domain.access import AUDITOR, demo_records
from payrail.domain.people import KeyAdded
from payrail.runtime.simtime import NOON_MS, SimTime
from payrail.web.simnet import Asked, NoAnswer, SimNet
from payrail.web.simwire import Answer as Came

#: Who speaks for no merchant.
_OF_NO_MERCHANT = frozenset({HOUSE, INSIDER, CARDHOLDER, FORGER, ECHO})
#: Of what was sent in the place of a body so much is kept for the invariants.
_RAW_BYTES_KEPT = 2_000
#: A client gives up waiting for an answer after so long, and asks again.
TRY_MS_MAX = 15_000
_NEVER = 1 << 62


@dataclass
class Client:
    """One wish on its way."""

    wish: Wish
    steps: Steps[None]
    until_ms: int  # when it goes on by itself
    waits_for: int = 0  # so many answers
    answers: list[Answer | None] = field(default_factory=list)  # in the order of asking
    is_one: bool = True  # it asked one thing, and is told one answer
    begun: bool = False
    tries: Counter[tuple[str, str, str | None]] = field(default_factory=Counter)
    last: Request | None = None

    def is_ready(self, now_ms: int) -> bool:
        """Whether it would go on now."""
        return not self.waits_for and self.until_ms <= now_ms

    @property
    def next_ms(self) -> int:
        """When it goes on by itself."""
        return _NEVER if self.waits_for else self.until_ms

    def told(self) -> Answer | list[Answer | None] | None:
        """What it is told now of what it asked."""
        answers, self.answers = self.answers, []
        return answers if not self.is_one else answers[0] if answers else None


class Clients:
    """All clients of one run."""

    def __init__(
        self,
        net: SimNet,
        time: SimTime,
        keys: Keys,
        trace: Trace,
        deed: Callable[[Deed], None],
        forger: Forger,
    ) -> None:
        self.forger = forger
        self._net, self._time, self._keys, self._trace = net, time, keys, trace
        self._deed = deed
        self._users = {
            (one.merchant_id, one.role): one.user_id
            for one in demo_records("")
            if isinstance(one, KeyAdded)
        }
        self.open: list[Client] = []  # those that are not over, in the order of coming
        self.tries: list[Try] = []
        self.requests = 0  # of shops, each counted when it was first tried
        self.ends: Counter[str] = Counter()
        self.failures: list[str] = []
        self.endpoints: dict[str, str] = {}  # by the path of their URL

    def add(self, wish: Wish, steps: Steps[None], at_ms: int) -> None:
        self.open.append(Client(wish, steps, at_ms))

    def ready(self, now_ms: int) -> list[Client]:
        """Those who would go on now."""
        return [one for one in self.open if one.is_ready(now_ms)]

    @property
    def are_over(self) -> bool:
        return not self.open

    def next_ms(self) -> int:
        """When one of them goes on by itself."""
        return min((one.next_ms for one in self.open), default=_NEVER)

    def go_on(self, client: Client) -> None:
        """Do what one of them does next."""
        told = client.told()
        try:
            wanted = client.steps.send(told) if client.begun else next(client.steps)
            client.begun = True
        except StopIteration:
            self._over(client, "done")
        except Ended as end:
            self._over(client, f"ended, {end}")
        except Strange as strange:
            self.failures.append(f"wish {client.wish.number} ({client.wish.flow}): {strange}")
            self._over(client, f"strange: {strange}")
        else:
            self._wants(client, wanted)

    def _wants(self, client: Client, wanted: Wanted) -> None:
        if isinstance(wanted, Request):
            self._send_all(client, (wanted,), is_one=True)
        elif isinstance(wanted, Together):
            self._send_all(client, wanted.requests, is_one=False)
        elif isinstance(wanted, Pause):
            client.until_ms = self._now_ms() + wanted.ms
        else:
            self._trace.add(f"deed {client.wish.number} {wanted.what} {wanted.name}")
            self._deed(wanted)

    def _send_all(self, client: Client, requests: tuple[Request, ...], *, is_one: bool) -> None:
        client.waits_for, client.is_one = len(requests), is_one
        client.answers = [None] * len(requests)
        for place, request in enumerate(requests):
            self._send(client, request, place)

    def _send(self, client: Client, request: Request, place: int) -> None:
        name = (request.method, request.path, request.key)
        client.tries[name] += 1
        self.requests += client.tries[name] == 1 and client.wish.number > 0
        client.last = request
        self._trace.add(f"ask {client.wish.number} {request.method} {request.path} {request.key}")
        headers, body = self._written(request)
        sent_ms, tried = self._wall_ms(), client.tries[name]

        def heard(came: Came | NoAnswer) -> None:
            answer = None if isinstance(came, NoAnswer) else came
            self.tries.append(self._try(request, body, sent_ms, tried, answer))
            if answer is not None and request.path == "/webhook-endpoints":
                self._learn(answer)
            client.answers[place] = None if answer is None else Answer(answer.status, answer.body)
            client.waits_for -= 1
            status = came.word if isinstance(came, NoAnswer) else str(came.status)
            data = b"" if answer is None else answer.body
            self._trace.add_bytes(f"answer {client.wish.number} {status}", data)

        asked = Asked(request.door, request.method, request.path, headers, body)
        self._net.ask(asked, heard, TRY_MS_MAX)

    def _written(self, request: Request) -> tuple[dict[str, str], bytes]:
        """(headers, body) as they are sent."""
        if request.forged is not None:
            return self.forger.made(request.forged)
        headers, body = self._headers(request), b""
        if request.raw is not None or request.body is not None:
            body = msgspec.json.encode(request.body) if request.raw is None else request.raw
            headers["Content-Type"] = "application/json"
        return headers | dict(request.headers), body

    def _learn(self, answer: Came) -> None:
        """Which endpoint is at which path, for the sink behind them."""
        if answer.status == 201:
            made = msgspec.json.decode(answer.body)
            self.endpoints["/" + made["url"].rpartition("/")[2]] = made["id"]

    def _headers(self, request: Request) -> dict[str, str]:
        if request.role == HOUSE:
            headers = {"Authorization": f"Bearer {self._keys.service}"}
        elif request.role == INSIDER:
            headers = {"Authorization": f"Bearer {self._keys.internal}"}
        elif request.role in (CARDHOLDER, FORGER):
            headers = {"Accept": "application/json"}
        elif request.role.startswith("sk_"):
            headers = {"Authorization": f"Bearer {request.role}"}
        else:
            headers = self._keys.bearer(request.merchant, request.role)
        if request.key is not None:
            headers["Idempotency-Key"] = request.key
        return headers

    def _try(
        self, request: Request, body: bytes, sent_ms: int, tried: int, answer: Came | None
    ) -> Try:
        is_nobodys = request.role in _OF_NO_MERCHANT
        role = AUDITOR if request.role.startswith("sk_") else request.role
        user = "" if is_nobodys else request.user or self._users[request.merchant, role]
        return Try(
            method=request.method,
            path=request.path,
            at_ms=sent_ms,
            merchant=None if is_nobodys else request.merchant,
            user=user,
            role=role,
            key=request.key,
            body=body if request.raw is None else body[:_RAW_BYTES_KEPT],
            tried=tried,
            status=None if answer is None else answer.status,
            headers={} if answer is None else answer.headers,
            answer=b"" if answer is None else answer.body,
            answered_ms=None if answer is None else self._wall_ms(),
        )

    def _over(self, client: Client, how: str) -> None:
        self.open = [one for one in self.open if one is not client]
        self.ends[f"{client.wish.flow}: {how.partition(':')[0]}"] += 1
        self._trace.add(f"end {client.wish.number} {how}")

    def _now_ms(self) -> int:
        return self._time.monotonic_ms()

    def _wall_ms(self) -> int:
        """The client's own clock, which nobody sets wrong."""
        return NOON_MS + self._time.monotonic_ms()

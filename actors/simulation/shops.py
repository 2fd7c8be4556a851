"""Shops: step machines that never give up. Each order is sent with its key until it is final.

A flow (`actors.simulation.flows`) is a generator over what a shop can do; what it yields is done by
the world, and told back when it is there:

    Request ──▶ Answer, or None when nobody knows what came of it
    Together ─▶ the answers to several requests that were sent at once, in their order
    Pause   ──▶ nothing, when its time is over
    Deed    ──▶ nothing: what people do in a home beside HTTP

Never: sends one key with two bodies unless the flow means to, or another key for the same wish.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeVar

import msgspec

from actors.simulation.forging import Forgery
from actors.simulation.schedule import MERCHANTS, Wish
from payrail.domain.durations import duration_ms

#: A client waits so long before it asks again: first, and at most.
PAUSE_MS_MIN, PAUSE_MS_MAX = 50, 5_000
#: A request that failed inside so often is poison to somebody for ever.
FAILURES_MAX = 100
#: How long somebody waits before looking again whether something has come to its end: first, and at
#: most; and how often anybody looks.
LOOK_MS, LOOK_MS_MAX, LOOKS_MAX = 250, 60_000, 400
#: Not final: the same key will tell later. Whether a 500 may be is judged by the invariants.
PASSING = frozenset({202, 409, 429, 500, 503, 504})
#: What an order may end with, whatever went wrong beside it.
ENDS = frozenset({200, 201, 402, 409})

#: Kept for the key, and answered again byte for byte.
STORED = frozenset({200, 201, 402})

#: Who asks for the house itself: with its key, and with the secret of its inner doors.
HOUSE, INSIDER = "house", "insider"
#: Who shows no key: a cardholder who was given the way to its page, somebody whom nobody may
#: believe, and whoever posts what a provider posted before.
CARDHOLDER, FORGER, ECHO = "cardholder", "forger", "echo"

#: An idempotency key lives longer than this, in business time.
KEYS_HOURS_MIN = 23

#: Published test numbers: always approved.
GOOD_CARDS = ("4242424242424242", "5555555555554444", "378282246310005", "6011111111111117")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it is sent each time. `door`: api, vault or inner. `raw` is sent in the place
    of the body, `headers` beside the usual ones or in their place. `forged`: a notice, which is
    made when it is sent. `user`: whose key it is, where the role does not say it."""

    method: str
    path: str
    body: Mapping[str, Any] | None
    key: str | None
    merchant: str
    role: str  # or a key itself
    door: str = "api"
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    forged: Forgery | None = None
    user: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    data: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object. Raises Strange for an answer that is none."""
        try:
            found = msgspec.json.decode(self.data)
        except msgspec.MsgspecError as error:
            raise Strange(f"{self.status} with a body that is no JSON") from error
        if not isinstance(found, dict):
            raise Strange(f"{self.status} with a body that is no object")
        return found

    @property
    def is_final(self) -> bool:
        """Whether sending the same key again could tell nothing new."""
        return self.status not in PASSING or (
            self.status == 409 and self.body.get("retryable") is False
        )


@dataclass(frozen=True, slots=True)
class Together:
    """Requests of several clients at once."""

    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Pause:
    ms: int


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that people do in a home: `rules` (save a file), `hand` (write to an actor)."""

    what: str
    name: str
    text: str = ""


class Strange(Exception):
    """An answer that no fault explains."""


class Ended(Exception):
    """The wish came to its end early, and that is no fault: a decline, a refusal in doubt."""


R = TypeVar("R")
#: What a flow is, and each part of one.
Wanted = Request | Together | Pause | Deed
Steps = Generator[Wanted, Any, R]


@dataclass
class BusinessTime:
    """By how much people have moved it in this run, at least; and whether mail was damaged, so that
    somebody may not have heard what was sent to him before people have that sent again."""

    moved_hours: int = 0
    is_mail_damaged: Callable[[], bool] = lambda: False


class Shop:
    """What one wish's people can do. Every method is a part of a flow: `yield from` it."""

    def __init__(self, wish: Wish, chance: Random, time: "BusinessTime") -> None:
        self.wish, self.chance, self._time = wish, chance, time
        self._advances = 0

    def keys_may_end(self) -> bool:
        """Whether so much time has passed that a key may mean nothing any more."""
        return self._time.moved_hours >= KEYS_HOURS_MIN

    def order(
        self,
        operation: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        role: str = "admin",
        door: str = "api",
        also: tuple[int, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Steps[dict[str, Any]]:
        """Ask until it is final. Result: the body of a 200 or 201, or of a status in `also`.
        Raises Ended for another end that may be, Strange for one that may not."""
        request = self.wants(operation, path, body, role=role, door=door)
        request = replace(request, headers=headers or {})
        answer = yield from self.until_final(request)
        while self._is_open(answer):
            yield Pause(PAUSE_MS_MAX)
            answer = yield from self.until_final(request)
        is_kept = answer.status in STORED and "?" not in path  # a dry run keeps nothing
        if self.wish.clicks_twice and door == "api" and is_kept:
            again = yield from self.until_final(request)
            is_other = (again.status, again.data) != (answer.status, answer.data)
            if is_other and not self.keys_may_end():
                raise Strange(f"{operation}: one key, two answers")
        if answer.status in (200, 201, *also):
            return answer.body
        if answer.status in ENDS:
            raise Ended(f"{operation} {answer.status}")
        raise Strange(f"{operation}: {answer.status} {answer.body.get('code')}")

    def _is_open(self, answer: Answer) -> bool:
        """Whether the same order may have another answer later: a card that the vault has stored
        may still be on its way to whoever was not told of it."""
        if answer.status == 422 and self._time.is_mail_damaged():
            return answer.body.get("code") == "unknown-token"
        return not answer.is_final

    def until_final(self, request: Request) -> Steps[Answer]:
        """Send it again and again. Raises Strange for what fails inside and goes on to."""
        pause_ms, failures = PAUSE_MS_MIN, 0
        while failures < FAILURES_MAX:
            answer: Answer | None = yield request
            if answer is not None and answer.is_final:
                return answer
            failures += answer is not None and answer.status == 500
            yield Pause(pause_ms)
            pause_ms = min(PAUSE_MS_MAX, pause_ms * 2)
        raise Strange(f"{request.method} {request.path}: 500, again and again")

    def at_once(self, *requests: Request) -> Steps[list[Answer]]:
        """Several clients send at once, each again and again until its answer is final."""
        answers: list[Answer | None] = [None] * len(requests)
        pause_ms = PAUSE_MS_MIN
        while left := [at for at, one in enumerate(answers) if one is None or self._is_open(one)]:
            heard = yield Together(tuple(requests[at] for at in left))
            for at, answer in zip(left, heard, strict=True):
                answers[at] = answer
            yield Pause(pause_ms)
            pause_ms = min(PAUSE_MS_MAX, pause_ms * 2)
        return [answer for answer in answers if answer is not None]

    def wants(
        self,
        operation: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        role: str = "admin",
        door: str = "api",
    ) -> Request:
        """An order as it would be sent, with its key."""
        key = self.wish.key(operation)
        return Request("POST", path, body or {}, key, self.wish.merchant, role, door)

    def refused(self, request: Request, status: int, code: str) -> Steps[Answer]:
        """What this house refuses, and how. Raises Strange for anything else."""
        answer = yield from self.until_final(request)
        told = answer.body.get("code")
        if (answer.status, told) != (status, code):
            what = f"{request.method} {request.path} of {request.merchant} as {request.role}"
            raise Strange(f"{what}: {answer.status} {told}, not {status} {code}")
        return answer

    @property
    def stranger(self) -> "Shop":
        """People of another merchant, who mean the same keys."""
        (other,) = (one for one in MERCHANTS if one != self.wish.merchant)
        return Shop(replace(self.wish, merchant=other), self.chance, self._time)

    def look(self, path: str, role: str = "viewer", door: str = "api") -> Steps[Answer]:
        """What is there now; asked until somebody answers."""
        request = Request("GET", path, None, None, self.wish.merchant, role, door)
        return (yield from self.until_final(request))

    def said(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        role: str = HOUSE,
        door: str = "api",
        key: str = "",
    ) -> Steps[dict[str, Any]]:
        """People of the house say something, until it is taken. Raises Strange for a refusal."""
        name = self.wish.key(key) if key else None
        answer = yield from self.until_final(
            Request(method, path, body, name, self.wish.merchant, role, door)
        )
        if answer.status >= 400:
            raise Strange(f"{method} {path}: {answer.status} {answer.body.get('code')}")
        return answer.body if answer.data else {}

    def advanced(self, by: str) -> Steps[str]:
        """Business time is moved forward, for everybody. Result: what it is now."""
        self._time.moved_hours += max(1, duration_ms(by) // 3_600_000)
        self._advances += 1
        order = {"advance": by}
        told = yield from self.said("POST", "/clock", order, key=f"clock-{self._advances}")
        return str(told["business_time"])

    def ends(self, path: str, states: frozenset[str]) -> Steps[str]:
        """Look until the object is in one of these states. Result: which. Raises Strange when it
        never is."""
        last, pause_ms = "", LOOK_MS
        for _ in range(LOOKS_MAX):
            answer = yield from self.look(path)
            last = str(answer.body.get("state"))
            if last in states:
                return last
            yield Pause(pause_ms)
            pause_ms = min(LOOK_MS_MAX, pause_ms * 2)
        raise Strange(f"{path} stays {last}")

    def card(self, number: str = "", **more: Any) -> Steps[str]:
        """The token of a card; of a good one unless told otherwise."""
        number = number or self.chance.choice(GOOD_CARDS)
        cvc = "1234" if number.startswith("37") else "123"
        card = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": cvc, "name": "A B"}
        body = {**card, **more}
        stored = yield from self.order(
            "tokenize", "/tokenize", body, role="publishable", door="vault"
        )
        return str(stored["token"])

    def created(self, token: str, **more: Any) -> Steps[dict[str, Any]]:
        """A payment that was made."""
        wish = self.wish
        body = {
            "amount": wish.amount_minor,
            "currency": wish.currency,
            "payment_method": token,
            "capture_method": "manual",
            **more,
        }
        return (yield from self.order("create", "/payment-intents", body))

    def about(self, payment_id: str, verb: str, part: str = "", **body: Any) -> Steps[Any]:
        """authorize, capture, cancel."""
        path = f"/payment-intents/{payment_id}/{verb}"
        return (yield from self.order(f"{verb}{part}", path, body))

    def held(self, number: str = "") -> Steps[str]:
        """A payment that holds its money; result: its id."""
        token = yield from self.card(number)
        made = yield from self.created(token)
        payment_id = str(made["id"])
        yield from self.about(payment_id, "authorize")
        return payment_id

    def captured(self, number: str = "") -> Steps[str]:
        """A payment that was captured whole; result: its id."""
        payment_id = yield from self.held(number)
        yield from self.about(payment_id, "capture")
        return payment_id

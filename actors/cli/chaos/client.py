"""Clients that never give up: each request is sent with its key until its answer is final.

Writes the history that the auditor reads: what was sent, what was answered, what was dropped.
Never: sends a key with two bodies, or another key for the same wish.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp

from actors.cli.chaos.claims import CLAIMS, ROLES, Claims, Refused, Unended
from actors.cli.chaos.plans import Plan, draw
from actors.cli.chaos.wishes import (
    Answer,
    Strange,
    Wish,
    is_final,
    is_passing,
    read_answer,
    told_of,
)
from actors.cli.chaos.witness import History

#: How long one request may take to become final, all its tries together: where a busy machine needs
#: half a minute to start an actor, that is dead for longer than it lives.
FINAL_S_MAX = 600.0
#: One try: longer than the house's own budget for an answer.
TRY_S_MAX = 15.0
_PAUSE_S_MIN, _PAUSE_S_MAX = 0.05, 0.5
#: The end of a payment whose call was given up in doubt, and its code.
REFUSED = "refused in doubt"
#: Nothing happened, or a cardholder was to be asked after nobody waited for it any more.
_NO_EFFECT = ("processing_error", "authentication_required")


class NeverFinal(Exception):
    """A request had no final answer within FINAL_S_MAX."""


@dataclass(slots=True)
class Tally:
    """What all clients saw together. `failures` are what no kill explains."""

    in_flight: int = 0
    tries: int = 0
    dropped: int = 0
    statuses: Counter[str] = field(default_factory=Counter)  # "authorize 200"
    states: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    known: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # by merchant

    @property
    def finished(self) -> int:
        return self.states.total() + len(self.failures)


class Clients:
    """All clients of one run: they share a session, a history and a tally."""

    def __init__(
        self,
        api: str,
        vault: str,
        keys: Mapping[str, Mapping[str, str]],
        history: History,
        session: aiohttp.ClientSession,
    ) -> None:
        self._api, self._vault, self._keys = api, vault, keys
        self._history, self._session = history, session
        self.tally = Tally()

    async def run(
        self, plans: Iterator[Plan], clients: int, pace: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Drive plans to their end, `clients` at a time, until there are no more. `pace` is waited
        for before each."""
        await asyncio.gather(*(self._work(plans, pace) for _ in range(clients)))

    async def _work(
        self, plans: Iterator[Plan], pace: Callable[[], Awaitable[None]] | None
    ) -> None:
        for plan in plans:
            if pace is not None:
                await pace()
            try:
                self.tally.states[await self._drive(plan)] += 1
            except Refused:
                self.tally.states[REFUSED] += 1
            except (NeverFinal, Strange, Unended) as failure:
                self.tally.failures.append(f"payment {plan.number} ({plan.end}): {failure}")

    async def card(self, number: str) -> str:
        """A token of m_001, for whoever pays beside the plans. Raises NeverFinal."""
        plan = replace(next(draw(0)), number=0, merchant="m_001", card=number)
        return str((await self._tokenized(plan)).body["token"])

    async def _tokenized(self, plan: Plan) -> Answer:
        card: dict[str, Any] = {"number": plan.card, "exp_month": 12, "exp_year": 2040}
        card |= {"cvc": plan.cvc, "name": "A B"}
        return await self._wish(plan, "tokenize", f"{self._vault}/tokenize", card)

    async def _drive(self, plan: Plan) -> str:
        """One payment from its card to its end. Result: the state that the last answer told."""
        stored = await self._tokenized(plan)
        created = await self._wish(
            plan,
            "create",
            f"{self._api}/payment-intents",
            {
                "amount": plan.amount_minor,
                "currency": plan.currency,
                "payment_method": stored.body["token"],
                "capture_method": "manual",
            },
        )
        payment_id = str(created.body["id"])
        self.tally.known[plan.merchant].append(payment_id)
        authorized = await self._verb(plan, payment_id, "authorize", {})
        if plan.end == "decline":
            return "declined" if authorized.status == 402 else self._odd(authorized)
        if authorized.status != 200:
            return self._odd(authorized)
        if authorized.body["state"] == "requires_action":
            await self._claims(plan, payment_id).confirm()
        ended = await self._end(plan, payment_id)
        if ended.status == 200 and plan.end in CLAIMS:
            return await self._claims(plan, payment_id).drive()
        return str(ended.body["state"]) if ended.status == 200 else self._odd(ended)

    async def _end(self, plan: Plan, payment_id: str) -> Answer:
        if plan.end == "cancel":
            return await self._verb(plan, payment_id, "cancel", {})
        if plan.end in ("capture", "challenge", *CLAIMS):
            return await self._verb(plan, payment_id, "capture", {})
        first = plan.amount_minor // 2
        part = {"amount": first, "final_capture": False}
        claimed = await self._verb(plan, payment_id, "capture", part, part="-1")
        if claimed.status != 200:
            return claimed
        rest = {"amount": plan.amount_minor - first}
        return await self._verb(plan, payment_id, "capture", rest, part="-2")

    def _claims(self, plan: Plan, payment_id: str) -> Claims:
        async def ask(operation: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
            answer = await self._wish(plan, operation, self._api + path, body, payment_id)
            return answer.status, answer.body

        async def look(path: str) -> dict[str, Any] | None:
            headers = {"Authorization": f"Bearer {self._keys[plan.merchant]['admin']}"}
            try:
                async with self._session.get(self._api + path, headers=headers) as response:
                    return await response.json() if response.status == 200 else None
            except (aiohttp.ClientError, OSError, TimeoutError):
                return None

        return Claims(plan, payment_id, ask, look, self._press)

    async def _press(self, path: str, outcome: str) -> None:
        """A button of the challenge page; nobody needs a key for it."""
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            url = self._api + path
            async with self._session.post(url, json={"outcome": outcome}) as response:
                await response.read()

    @staticmethod
    def _odd(answer: Answer) -> str:
        if answer.status == 402 and answer.body.get("decline_code") in _NO_EFFECT:
            raise Refused
        raise Strange(f"{answer.status} {answer.body.get('code')} {answer.body.get('detail')}")

    async def _verb(
        self, plan: Plan, payment_id: str, verb: str, body: dict[str, Any], part: str = ""
    ) -> Answer:
        url = f"{self._api}/payment-intents/{payment_id}/{verb}"
        return await self._wish(plan, verb, url, body, payment_id, part)

    async def _wish(
        self,
        plan: Plan,
        operation: str,
        url: str,
        body: dict[str, Any],
        payment_id: str | None = None,
        part: str = "",
    ) -> Answer:
        amount_minor = body.get("amount", plan.amount_minor)
        key = plan.key(operation + part)
        wish = Wish(plan, operation, key, url, body, amount_minor, payment_id)
        answer = await self._until_final(wish)
        if plan.clicks_twice and operation != "tokenize":
            await self._until_final(wish)
        return answer

    async def _until_final(self, wish: Wish) -> Answer:
        """Send it again and again. Raises NeverFinal or Strange."""
        until = time.monotonic() + FINAL_S_MAX
        last = "nothing but dropped connections"
        pause_s = _PAUSE_S_MIN
        while time.monotonic() < until:
            answer = await self._try(wish)
            if answer is not None:
                if is_final(answer):
                    return answer
                last = f"{answer.status} {answer.body.get('code') or answer.body.get('state')}"
                if not is_passing(answer):
                    raise Strange(f"{wish.operation} {wish.payment_id}: {last}")
                pause_s = max(pause_s, answer.retry_after_s)
            await asyncio.sleep(min(_PAUSE_S_MAX, pause_s))
            pause_s = min(_PAUSE_S_MAX, pause_s * 1.5)
        raise NeverFinal(f"{wish.operation} {wish.payment_id}: {last}")

    async def _try(self, wish: Wish) -> Answer | None:
        """Send it once. Result: None for a connection that was refused or dropped."""
        role = ROLES.get(wish.operation, "admin")
        headers = {
            "Authorization": f"Bearer {self._keys[wish.plan.merchant][role]}",
            "Idempotency-Key": wish.key,
        }
        self._history.add("invoke", **wish.seen())
        self.tally.tries += 1
        self.tally.in_flight += 1
        try:
            async with self._session.post(wish.url, json=wish.body, headers=headers) as response:
                answer = read_answer(response.status, await response.read(), response.headers)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self.tally.dropped += 1
            self._history.add("dropped", **wish.seen(why=type(error).__name__))
            return None
        finally:
            self.tally.in_flight -= 1
        self.tally.statuses[f"{wish.operation} {answer.status}"] += 1
        self._history.add("answer", **wish.seen(**told_of(wish, answer)))
        return answer

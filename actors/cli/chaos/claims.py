"""What other people do about a payment under kills: its cardholder confirms it, two users refund
it, or it is disputed. Each order is sent until it is final.

Their own end comes later than an answer, as an event; here it is polled for. A refund that nobody
carried out in its time has failed, and may be ordered anew: that is no fault.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from actors.cli.chaos.plans import Plan

#: Longer than a refund in doubt waits for its third ask, on a machine as slow as that of clients.
END_S_MAX = 600.0
_LOOK_S = 0.25
#: Who sends which order; all others are the admin's.
ROLES = {"tokenize": "publishable", "refund": "operator", "approve": "approver"}
REFUND_ENDS = frozenset({"succeeded", "failed"})
DISPUTE_ENDS = frozenset({"won", "lost"})
#: Plans with this end go on after their capture.
CLAIMS = ("refund", "dispute")
#: How a dispute goes, by the number of its plan.
_ROADS = ("won", "lost", "accept")

#: (operation, path, body) of a plan's payment -> status and body of the final answer.
Ask = Callable[[str, str, dict[str, Any]], Awaitable[tuple[int, dict[str, Any]]]]
#: A challenge and an outcome: pressed once, whatever comes of it.
Press = Callable[[str, str], Awaitable[None]]
#: A path -> the object as it is now; None while nobody answers.
Look = Callable[[str], Awaitable[dict[str, Any] | None]]


class Refused(Exception):
    """Nothing happened at the provider and nobody waited any more, so no other one was tried: the
    asked provider fenced the call, or refused it after its time. Final, and not what was wished."""


class Unended(Exception):
    """What was ordered has not come to its end."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of one plan's payment."""

    plan: Plan
    payment_id: str
    ask: Ask
    look: Look
    press: Press

    async def confirm(self) -> None:
        """The cardholder presses the button until somebody took it, and again when another provider
        asks anew. Raises Unended when the payment is not authorized then, Refused."""
        path = f"/payment-intents/{self.payment_id}"
        until, last = time.monotonic() + END_S_MAX, "nobody answered"
        while time.monotonic() < until:
            found = await self.look(path)
            last = str(found["state"]) if found else last
            if found and found["next_action"]:
                await self.press(str(found["next_action"]["url"]), "approve")
            elif last == "authorized":
                return
            elif last == "declined":
                raise Refused
            await asyncio.sleep(_LOOK_S)
        raise Unended(f"{path}: {last}")

    async def drive(self) -> str:
        """The claim that the plan wants. Result: how it ended. Raises Unended."""
        return await (self.refund() if self.plan.end == "refund" else self.dispute())

    async def dispute(self) -> str:
        """The provider opens it; it is answered and ruled, or the merchant gives in. Result: the
        state that the dispute ended in. Raises Unended likewise."""
        road = _ROADS[self.plan.number % len(_ROADS)]
        order = {"payment_intent": self.payment_id, "reason": "product_not_received"}
        status, made = await self.ask("dispute", "/disputes", order)
        _must_be(status, 201, made)
        path = f"/disputes/{made['id']}"
        if road == "accept":
            status, ended = await self.ask("accept", f"{path}/accept", {})
        else:
            status, ended = await self.ask("submit", f"{path}/submit", {})
            _must_be(status, 200, ended)
            status, ended = await self.ask("resolve", f"{path}/resolve", {"outcome": road})
        _must_be(status, 200, ended)
        return f"dispute {await self._end_of(path, DISPUTE_ENDS)}"

    async def refund(self) -> str:
        """Half or all of it goes back. Result: the state that the refund ended in. Raises Unended
        for an answer or an end that no kill explains."""
        amount = self.plan.amount_minor // (1 + self.plan.number % 2)
        order = {"payment_intent": self.payment_id, "amount": amount, "reason": "came back"}
        status, made = await self.ask("refund", "/refunds", order)
        _must_be(status, 201, made)
        path = f"/refunds/{made['id']}"
        status, approved = await self.ask("approve", f"{path}/approve", {})
        _must_be(status, 200, approved)
        return f"refund {await self._end_of(path, REFUND_ENDS)}"

    async def _end_of(self, path: str, ends: frozenset[str]) -> str:
        until, last = time.monotonic() + END_S_MAX, "nobody answered"
        while time.monotonic() < until:
            found = await self.look(path)
            last = str(found["state"]) if found else last
            if last in ends:
                return last
            await asyncio.sleep(_LOOK_S)
        raise Unended(f"{path}: {last}")


def _must_be(status: int, wanted: int, body: dict[str, Any]) -> None:
    if status != wanted:
        raise Unended(f"{status} {body.get('code')} {body.get('detail')}")

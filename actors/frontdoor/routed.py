"""`GET /payment-intents/{id}/routing`: why each attempt went where it went, out of the ledger.

Never: asks the gateway, or decides again what was decided.
"""

from typing import Any, Literal

from aiohttp import web
from msgspec import to_builtins
from pydantic import BaseModel

from actors.frontdoor.heads import no_such
from actors.frontdoor.lists import Reads, answered
from actors.frontdoor.reads import PaymentsView
from payrail.domain.breaker import HEALTH, BreakerState
from payrail.domain.ledger import AttemptStarted, read_entry
from payrail.domain.payment_view import Attempt, PaymentView
from payrail.domain.routing import Candidate as Considered
from payrail.domain.routing import told
from payrail.web.openapi import Route


class Candidate(BaseModel):
    provider: str
    cost: int
    health: str
    breaker: str
    passed_over: str | None
    answered: int
    authorized: int


class Draw(BaseModel):
    draw: Literal["canary", "exploration"]
    percent: int
    drawn: int
    provider: str | None


class RoutedAttempt(BaseModel):
    number: int
    provider: str
    outcome: str
    code: str | None
    at: str
    rule: str | None
    reason: str | None
    candidates: list[Candidate]
    extra_cost: int | None
    drawn: str | None
    draws: list[Draw]
    last_resort: bool


class RoutingShown(BaseModel):
    """What is answered; for the document alone."""

    object: Literal["routing"]
    payment_intent: str
    provider: str | None
    currency: str
    attempts: list[RoutedAttempt]


class Routed:
    """The handler over the followed ledger."""

    def __init__(self, reads: Reads, payments: PaymentsView) -> None:
        self._reads, self._payments = reads, payments

    def routes(self) -> list[Route]:
        path = "/payment-intents/{id}/routing"
        return [Route("GET", path, self.show, "Why each attempt went where it went", RoutingShown)]

    async def show(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        self._payments.catch_up()
        row = self._payments.row(request.match_info["id"], caller.merchant_id)
        if row is None:
            raise no_such("payment")
        view = self._payments.view(row)
        entries = (read_entry(line)[1] for line in self._payments.lines(row))
        starts = {e.data.number: e.data for e in entries if isinstance(e.data, AttemptStarted)}
        return answered(
            {
                "object": "routing",
                "payment_intent": view.id,
                "provider": view.provider,
                "currency": view.currency,
                "attempts": [_shown(view, one, starts[one.number]) for one in view.attempts],
            }
        )


def _shown(view: PaymentView, attempt: Attempt, started: AttemptStarted) -> dict[str, Any]:
    """One attempt; of a line that was written before reasons were kept, only where it went."""
    routing = started.routing
    return {
        "number": attempt.number,
        "provider": attempt.provider,
        "outcome": attempt.outcome,
        "code": attempt.code,
        "at": attempt.at,
        "rule": routing.rule if routing else None,
        "reason": told(routing, attempt.provider, view.currency) if routing else None,
        "candidates": [_candidate(one) for one in (routing.candidates if routing else ())],
        "extra_cost": routing.extra_cost if routing else None,
        "drawn": routing.drawn if routing else None,
        "draws": to_builtins(routing.draws) if routing else [],
        "last_resort": routing.last_resort if routing else False,
    }


def _candidate(candidate: Considered) -> dict[str, Any]:
    return {
        "provider": candidate.provider,
        "cost": candidate.cost,
        "health": HEALTH[BreakerState(candidate.breaker)],
        "breaker": candidate.breaker,
        "passed_over": candidate.passed_over,
        "answered": candidate.answered,
        "authorized": candidate.authorized,
    }

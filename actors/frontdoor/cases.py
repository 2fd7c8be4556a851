"""`GET /cases`: what no rule may decide, for people, newest first, out of the payments' book.

A cursor is a place among the caller's cases: new ones go behind every place, so that pages stay as
they are. Another merchant's case is answered exactly as one that never was.
Never: asks the gateway, or closes a case.
"""

import re
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

from actors.frontdoor.case_rows import CaseRow
from actors.frontdoor.heads import no_such
from actors.frontdoor.lists import LIMIT_DEFAULT, LIMIT_MAX, Reads, answered, listed
from actors.frontdoor.queries import bad_query, limit_of, place_of
from actors.frontdoor.reads import PaymentsView
from payrail.domain.cases import CaseState, CaseView, render
from payrail.web.openapi import Route

#: Their names, as the contract has them.
FILTERS = ("state", "payment_intent")
#: Rows looked at for one page: a filter that finds little pages on, as in the list of payments.
SCAN_MAX = 20_000
_PAYMENT = re.compile(r"pi_[a-z0-9]{16}")
_STATES = " or ".join(state.value for state in CaseState)


class CaseShown(BaseModel):
    """What is answered; for the document alone."""

    id: str
    object: Literal["case"]
    state: CaseState
    reason: str
    about: str | None
    payment_intent: str
    payment_id: str
    merchant_id: str | None
    exposure: int
    currency: str
    opened_at: str
    closed_at: str | None
    closed_by: str | None
    resolution: str | None
    evidence: list[str]
    created_at: str
    updated_at: str


class CasesShown(BaseModel):
    object: Literal["list"]
    has_more: bool
    next_cursor: str | None
    data: list[CaseShown]


class Cases:
    """Handlers over the followed ledger."""

    def __init__(self, reads: Reads, payments: PaymentsView) -> None:
        self._reads, self._payments = reads, payments

    def routes(self) -> list[Route]:
        query = (*FILTERS, "limit", "cursor")
        summary = "List cases that people must look into, newest first"
        return [
            Route("GET", "/cases", self.all, summary, CasesShown, query=query),
            Route("GET", "/cases/{id}", self.one, "Show a case", CaseShown),
        ]

    async def all(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        state, payment_id = _filters(request)
        limit = limit_of(request, LIMIT_DEFAULT, LIMIT_MAX)
        self._payments.catch_up()
        cases = self._payments.cases
        rows = cases.oldest_first(caller.merchant_id)
        before = min(place_of(request, "cursor", len(rows)), len(rows))
        found, place = _found(rows, before, limit, state, payment_id)
        return listed([shown(cases.view(row)) for row in found], str(place) if place else None)

    async def one(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        self._payments.catch_up()
        cases = self._payments.cases
        row = cases.row(request.match_info["id"], caller.merchant_id)
        if row is None:
            raise no_such("case")
        return answered(shown(cases.view(row)))


def shown(view: CaseView) -> dict[str, Any]:
    """The case as the rules render it, in the API's words, and where people look further."""
    return {
        **render(view),
        "payment_intent": view.payment_id,
        "opened_at": view.created_at,
        "closed_at": view.updated_at if view.state is CaseState.CLOSED else None,
        "evidence": [f"payrail why {view.payment_id}", f"GET /ledger/{view.payment_id}"],
    }


def _found(
    rows: list[CaseRow], before: int, limit: int, state: CaseState | None, payment_id: str | None
) -> tuple[list[CaseRow], int]:
    """The newest wanted rows before a place, and the place to go on from; at 0 there are no
    more."""
    stop = max(0, before - SCAN_MAX)
    found: list[tuple[CaseRow, int]] = []
    for place in range(before - 1, stop - 1, -1):
        row = rows[place]
        if state not in (None, row.state) or payment_id not in (None, row.payment_id):
            continue
        if len(found) == limit:
            return [row for row, _ in found], found[-1][1]
        found.append((row, place))
    return [row for row, _ in found], stop


def _filters(request: web.Request) -> tuple[CaseState | None, str | None]:
    """What is asked for; None: anything. Raises RequestError 422."""
    for name in FILTERS:
        if len(request.query.getall(name, ())) > 1:
            raise bad_query(name, "must be given once")
    state, payment_id = (request.query.get(name) for name in FILTERS)
    if payment_id is not None and not _PAYMENT.fullmatch(payment_id):
        raise bad_query("payment_intent", "must be a payment's id, such as pi_0123456789abcdef")
    try:
        return None if state is None else CaseState(state), payment_id
    except ValueError:
        raise bad_query("state", f"must be {_STATES}") from None

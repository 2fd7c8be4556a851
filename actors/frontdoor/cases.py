"""Cases: what no rule may decide, for people, newest first, out of the payments' book.

A cursor is a place among the caller's cases: new ones go behind every place, so that pages stay as
they are. Another merchant's case is answered exactly as one that never was.
Who has looked closes one, and the gateway books it. Never: asks the gateway to show one.
"""

import re
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from actors.frontdoor.asking import Asking
from actors.frontdoor.heads import command_head, idempotency_key, no_such
from actors.frontdoor.lists import Reads
from actors.frontdoor.models import COMMAND_BYTES_MAX
from actors.frontdoor.object_rows import ObjectRow
from actors.frontdoor.queries import one_of, payment_of
from actors.frontdoor.reads import PaymentsView
from payrail.domain.access import PAYERS
from payrail.domain.cases import CaseState, render
from payrail.domain.words.cases import CloseCase
from payrail.domain.words.kinds import GATEWAY
from payrail.web.access import AccessView
from payrail.web.bodies import Body, read_checked
from payrail.web.openapi import Route

#: Their names, as the contract has them.
FILTERS = ("state", "payment_intent")
_CASE = re.compile(r"case_[a-z0-9]{16}")


class CaseEnd(Body):
    """How it ended, in the words of who has looked."""

    resolution: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


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
    provider: str | None
    references: list[str]
    operation: str | None
    asks: int
    since: str | None
    evidence: list[str]
    created_at: str
    updated_at: str


class CasesShown(BaseModel):
    object: Literal["list"]
    has_more: bool
    next_cursor: str | None
    data: list[CaseShown]


class Cases:
    """Handlers over the followed ledger, and the one order there is."""

    def __init__(
        self, asking: Asking, access: AccessView, reads: Reads, payments: PaymentsView
    ) -> None:
        self._asking, self._access = asking, access
        self._reads, self._payments = reads, payments

    def routes(self) -> list[Route]:
        query = (*FILTERS, "limit", "cursor")
        summary = "List cases that people must look into, newest first"
        return [
            Route("GET", "/cases", self.all, summary, CasesShown, query=query),
            Route("GET", "/cases/{id}", self.one, "Show a case", CaseShown),
            Route(
                "POST",
                "/cases/{id}/close",
                self.close,
                "Close a case, and say how it ended",
                CaseShown,
                takes=CaseEnd,
                keyed=True,
                roles=PAYERS,
            ),
        ]

    async def all(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        state, payment_id = one_of(request, "state", CaseState), payment_of(request)

        def is_wanted(row: ObjectRow) -> bool:
            return state in (None, row.state) and payment_id in (None, row.about)

        index = self._payments.cases
        return self._reads.page(
            request, caller, index, is_wanted, lambda row: render(index.view(row))
        )

    async def one(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        index = self._payments.cases
        return self._reads.one(request, caller, index, "case", lambda row: render(index.view(row)))

    async def close(self, request: web.Request) -> web.Response:
        caller = self._access.in_role(request, PAYERS)
        about = request.match_info["id"]
        if not _CASE.fullmatch(about):
            raise no_such("case")
        key = idempotency_key(request)
        given = await read_checked(request, CaseEnd, COMMAND_BYTES_MAX)
        order = CloseCase(id=about, **given, **command_head(request, caller, key, given))
        return await self._asking.ask(request, GATEWAY, "case.close", order, about)

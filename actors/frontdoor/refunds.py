"""Refunds over HTTP: made by one user, approved or rejected by another, read from their book.

The order of the checks is: key (401), role (403), merchant (422), id (404), Idempotency-Key (400),
body (415, 413, 400, 422). That maker and checker are two users is for the gateway to say.
"""

import re
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field, RootModel

from actors.frontdoor.asking import Asking
from actors.frontdoor.claim_reads import ClaimRow
from actors.frontdoor.fault_header import MAY, fault_of
from actors.frontdoor.heads import command_head, idempotency_key, no_such
from actors.frontdoor.lists import Reads
from actors.frontdoor.models import COMMAND_BYTES_MAX, Amount, NoFields
from actors.frontdoor.queries import one_of, payment_of, time_of
from actors.frontdoor.reads import PaymentsView
from actors.frontdoor.trying import QUERY, DryRunShown, tried
from payrail.domain.access import CHECKERS, PAYERS
from payrail.domain.refunds import RefundState, render
from payrail.domain.words.kinds import GATEWAY
from payrail.domain.words.refunds import ApproveRefund, CreateRefund, RejectRefund
from payrail.web.access import AccessView, Caller
from payrail.web.bodies import Body, read_checked
from payrail.web.openapi import Route

_REFUND = re.compile(r"re_[a-z0-9]{16}")
_PATH = "/refunds"
_ABOUT = f"{_PATH}/{{id}}"

Reason = Annotated[str, Field(min_length=1, max_length=500)]


class NewRefund(Body):
    payment_intent: Annotated[str, Field(pattern=r"^pi_[a-z0-9]{16}$")]
    amount: Amount
    reason: Reason


class Rejection(Body):
    reason: Reason


class RefundShown(BaseModel):
    """What is answered; for the document alone."""

    id: str
    object: Literal["refund"]
    state: Literal[
        "pending_approval", "approved", "processing", "succeeded", "failed", "rejected", "expired"
    ]
    amount: int
    currency: str
    payment_intent: str
    merchant_id: str | None
    provider: str
    reason: str
    approval: Literal["automatic", "approver", "admin"]
    requested_by: str
    approved_by: str | None
    rejected_by: str | None
    rejection_reason: str | None
    failure_reason: str | None
    expires_at: str
    reference: str | None
    provider_reference: str | None
    idempotency_key: str | None
    created_at: str
    updated_at: str


class RefundOrDryRun(RootModel[RefundShown | DryRunShown]):
    """The refund, or with `dry_run=true` what the order would do."""


class RefundsShown(BaseModel):
    object: Literal["list"]
    has_more: bool
    next_cursor: str | None
    data: list[RefundShown]


class Refunds:
    """Handlers of everything about refunds."""

    def __init__(
        self, asking: Asking, access: AccessView, reads: Reads, payments: PaymentsView
    ) -> None:
        self._asking, self._access, self._reads = asking, access, reads
        self._payments = payments

    def routes(self) -> list[Route]:
        shown, query = RefundShown, ("payment_intent", "state", "limit", "cursor")
        make, no = NewRefund, Rejection
        return [
            _order(
                _PATH,
                self.create,
                "Ask for a refund, which another user approves",
                make,
                PAYERS,
                201,
            ),
            Route("GET", _PATH, self.list, "List refunds, newest first", RefundsShown, query=query),
            Route(
                "GET", _ABOUT, self.show, "Show a refund, now or at a time", shown, query=("at",)
            ),
            _order(
                f"{_ABOUT}/approve",
                self.approve,
                "Approve another user's refund",
                NoFields,
                CHECKERS,
            ),
            _order(f"{_ABOUT}/reject", self.reject, "Reject another user's refund", no, CHECKERS),
        ]

    async def create(self, request: web.Request) -> web.Response:
        caller = self._access.for_merchant(request, PAYERS)
        key, fault = idempotency_key(request), fault_of(request, caller, "refund")
        given = await read_checked(request, NewRefund, COMMAND_BYTES_MAX)
        order = CreateRefund(**given, fault=fault, **command_head(request, caller, key, given))
        kind, body = tried(request, "refund.create", order)
        return await self._asking.ask(request, GATEWAY, kind, body)

    async def approve(self, request: web.Request) -> web.Response:
        caller, about = self._checker(request)
        key, fault = idempotency_key(request), fault_of(request, caller, "refund")
        given = await read_checked(request, NoFields, COMMAND_BYTES_MAX, empty_ok=True)
        head = command_head(request, caller, key, given)
        order = ApproveRefund(id=about, fault=fault, **head)
        kind, body = tried(request, "refund.approve", order)
        return await self._asking.ask(request, GATEWAY, kind, body, about)

    async def reject(self, request: web.Request) -> web.Response:
        caller, about = self._checker(request)
        key = idempotency_key(request)
        given = await read_checked(request, Rejection, COMMAND_BYTES_MAX)
        order = RejectRefund(id=about, **given, **command_head(request, caller, key, given))
        return await self._asking.ask(request, GATEWAY, "refund.reject", order, about)

    async def show(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        at = time_of(request, "at")
        index = self._payments.refunds
        return self._reads.one(
            request, caller, index, "refund", lambda row: render(index.view(row, at))
        )

    async def list(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        wanted_state, payment_id = one_of(request, "state", RefundState), payment_of(request)

        def is_wanted(row: ClaimRow) -> bool:
            return wanted_state in (None, row.state) and payment_id in (None, row.payment_id)

        index = self._payments.refunds
        return self._reads.page(
            request, caller, index, is_wanted, lambda row: render(index.view(row))
        )

    def _checker(self, request: web.Request) -> tuple[Caller, str]:
        caller, given = self._access.for_merchant(request, CHECKERS), request.match_info["id"]
        if not _REFUND.fullmatch(given):
            raise no_such("refund")
        return caller, given


def _order(
    path: str,
    handler: Any,
    summary: str,
    takes: type[Body],
    roles: frozenset[str],
    status: int = 200,
) -> Route:
    is_never_dry = takes is Rejection
    return Route(
        "POST",
        path,
        handler,
        summary,
        RefundShown if is_never_dry else RefundOrDryRun,
        status=status,
        takes=takes,
        body_needed=takes is not NoFields,
        query=() if is_never_dry else (QUERY,),
        may_head={} if is_never_dry else MAY,
        keyed=True,
        may_also=(200,) if status == 201 else (),
        roles=roles,
    )

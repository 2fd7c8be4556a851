"""Payouts over HTTP: made every day by themselves, or now by who may pay; read from the book.

`POST /payouts/{id}/resolve` is a drill: it says what the merchant's bank would. A merchant sees its
own payouts. Never: decides what is payable.
"""

import re
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field, model_validator

from actors.frontdoor.asking import Asking
from actors.frontdoor.heads import command_head, idempotency_key, no_such
from actors.frontdoor.lists import Reads
from actors.frontdoor.models import COMMAND_BYTES_MAX
from actors.frontdoor.object_rows import ObjectRow
from actors.frontdoor.queries import bad_query, one_of
from actors.frontdoor.reads import PaymentsView
from payrail.domain.access import PAYERS
from payrail.domain.money import known_currency
from payrail.domain.payouts import PayoutState, render
from payrail.domain.words.kinds import GATEWAY
from payrail.domain.words.payouts import CreatePayout, ResolvePayout
from payrail.web.access import AccessView
from payrail.web.bodies import Body, read_checked
from payrail.web.openapi import Route

_PAYOUT = re.compile(r"po_[a-z0-9]{16}")
_PATH = "/payouts"

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["USD"])]


class NewPayout(Body):
    currency: Currency


class Resolution(Body):
    """`code` says why it failed; `returned` without one."""

    outcome: Literal["paid", "failed"]
    code: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")] | None = None

    @model_validator(mode="after")
    def _code_of_a_failure(self) -> "Resolution":
        if self.code is not None and self.outcome == "paid":
            raise ValueError("code is for an outcome that is failed; leave it out")
        return self


class PayoutShown(BaseModel):
    """What is answered; for the document alone."""

    id: str
    object: Literal["payout"]
    state: Literal["in_transit", "paid", "failed"]
    amount: int
    currency: str
    merchant_id: str | None
    date: str | None
    value_date: str
    created_by: str | None
    bank_reference: str | None
    paid_at: str | None
    failure_reason: str | None
    created_at: str
    updated_at: str


class PayoutsShown(BaseModel):
    object: Literal["list"]
    has_more: bool
    next_cursor: str | None
    data: list[PayoutShown]


class Payouts:
    """Handlers of payouts to merchants."""

    def __init__(
        self, asking: Asking, access: AccessView, reads: Reads, payments: PaymentsView
    ) -> None:
        self._asking, self._access, self._reads = asking, access, reads
        self._payments = payments

    def routes(self) -> list[Route]:
        one, query = f"{_PATH}/{{id}}", ("state", "currency", "limit", "cursor")
        return [
            _order(_PATH, self.create, "Pay out now what is available", NewPayout, 201),
            Route("GET", _PATH, self.list, "List payouts, newest first", PayoutsShown, query=query),
            Route("GET", one, self.show, "Show a payout", PayoutShown),
            _order(f"{one}/resolve", self.resolve, "Drill: say what the bank says", Resolution),
        ]

    async def create(self, request: web.Request) -> web.Response:
        caller, key = self._access.for_merchant(request, PAYERS), idempotency_key(request)
        given = await read_checked(request, NewPayout, COMMAND_BYTES_MAX)
        order = CreatePayout(**given, **command_head(request, caller, key, given))
        return await self._asking.ask(request, GATEWAY, "payout.create", order)

    async def resolve(self, request: web.Request) -> web.Response:
        caller, about = self._access.for_merchant(request, PAYERS), request.match_info["id"]
        if not _PAYOUT.fullmatch(about):
            raise no_such("payout")
        key = idempotency_key(request)
        given = await read_checked(request, Resolution, COMMAND_BYTES_MAX)
        order = ResolvePayout(id=about, **given, **command_head(request, caller, key, given))
        return await self._asking.ask(request, GATEWAY, "payout.resolve", order, about)

    async def show(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        index = self._payments.payouts
        return self._reads.one(
            request, caller, index, "payout", lambda row: render(index.view(row))
        )

    async def list(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        state, currency = one_of(request, "state", PayoutState), _currency(request)

        def is_wanted(row: ObjectRow) -> bool:
            return state in (None, row.state) and currency in (None, row.about)

        index = self._payments.payouts
        return self._reads.page(
            request, caller, index, is_wanted, lambda row: render(index.view(row))
        )


def _order(path: str, handler: Any, summary: str, takes: type[Body], status: int = 200) -> Route:
    return Route(
        "POST",
        path,
        handler,
        summary,
        PayoutShown,
        status=status,
        takes=takes,
        keyed=True,
        roles=PAYERS,
    )


def _currency(request: web.Request) -> str | None:
    currency = request.query.get("currency")
    try:
        return None if currency is None else known_currency(currency)
    except ValueError:
        raise bad_query("currency", "must be an upper-case ISO 4217 code such as USD") from None

"""Disputes over HTTP: opened, answered, given up and ruled by way of the provider.

The order of the checks is: key (401), role (403), merchant (422), id (404), Idempotency-Key (400),
body (415, 413, 400, 422). 202 means that the provider has not answered yet: the order stands, and
the same key tells its end. Never: rules.
"""

import re
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from actors.frontdoor.asking import Asking
from actors.frontdoor.claim_reads import ClaimRow
from actors.frontdoor.dispute_shown import DisputeShown, DisputesShown
from actors.frontdoor.heads import command_head, idempotency_key, no_such
from actors.frontdoor.lists import Reads
from actors.frontdoor.models import COMMAND_BYTES_MAX, Amount, NoFields
from actors.frontdoor.queries import one_of, payment_of
from actors.frontdoor.reads import PaymentsView
from payrail.domain.access import PAYERS
from payrail.domain.dispute_evidence import must_be_evidence
from payrail.domain.dispute_reasons import EVIDENCE
from payrail.domain.dispute_view import DisputeState, render
from payrail.domain.words.disputes import (
    AcceptDispute,
    AddEvidence,
    CreateDispute,
    RuleDispute,
    SubmitDispute,
)
from payrail.domain.words.kinds import GATEWAY
from payrail.web.access import AccessView, Caller
from payrail.web.bodies import Body, read_checked
from payrail.web.openapi import Route

_DISPUTE = re.compile(r"dp_[a-z0-9]{16}")
_PATH = "/disputes"
_ABOUT = f"{_PATH}/{{id}}"
#: A body stands twice in its message, which has 16 KiB.
EVIDENCE_BYTES_MAX = 7 * 1024
ITEMS_MAX, TEXT_MAX = 20, 2_000

#: Those of `payrail.domain.dispute_reasons`; a test compares them.
Reason = Literal[
    "fraudulent",
    "unrecognized",
    "product_not_received",
    "product_unacceptable",
    "duplicate",
    "credit_not_processed",
    "subscription_canceled",
    "general",
]


#: `opening` is no state of a dispute that is read.
_STATE = {"state": {"type": "string", "enum": [state.value for state in DisputeState]}}


class NewDispute(Body):
    payment_intent: Annotated[str, Field(pattern=r"^pi_[a-z0-9]{16}$")]
    reason: Reason
    amount: Annotated[Amount | None, Field(description="A part, or all that can be.")] = None
    stage: Literal["inquiry", "chargeback", "pre_arbitration"] = "chargeback"


class NewEvidence(Body):
    evidence: Annotated[
        dict[
            str,
            Annotated[str, Field(max_length=TEXT_MAX, json_schema_extra={"pattern": r"\S"})],
        ],
        Field(
            max_length=ITEMS_MAX,
            description="Texts by item of the checklist.",
            json_schema_extra={"minProperties": 1, "propertyNames": {"enum": [*EVIDENCE]}},
        ),
    ]


class Ruling(Body):
    outcome: Literal["won", "lost"]


class Disputes:
    """Handlers of everything about disputes."""

    def __init__(
        self, asking: Asking, access: AccessView, reads: Reads, payments: PaymentsView
    ) -> None:
        self._asking, self._access, self._reads = asking, access, reads
        self._payments = payments

    def routes(self) -> list[Route]:
        query, nothing = ("payment_intent", "state", "limit", "cursor"), NoFields
        newest, submit = "List disputes, newest first", "Send the one answer of this stage"
        add = "Add evidence: items of the checklist"
        return [
            _order(_PATH, self.create, "Have the provider open a dispute", NewDispute, 201),
            Route("GET", _PATH, self.list, newest, DisputesShown, query=query, schemas=_STATE),
            Route("GET", _ABOUT, self.show, "Show a dispute and its checklist", DisputeShown),
            _order(f"{_ABOUT}/evidence", self.evidence, add, NewEvidence),
            _order(f"{_ABOUT}/submit", self.submit, submit, nothing),
            _order(f"{_ABOUT}/accept", self.accept, "Give in", nothing),
            _order(f"{_ABOUT}/resolve", self.resolve, "Have the provider rule", Ruling),
        ]

    async def create(self, request: web.Request) -> web.Response:
        caller = self._access.for_merchant(request, PAYERS)
        key = idempotency_key(request)
        given = await read_checked(request, NewDispute, COMMAND_BYTES_MAX)
        order = CreateDispute(**given, **command_head(request, caller, key, given))
        return await self._asking.ask(request, GATEWAY, "dispute.create", order)

    async def evidence(self, request: web.Request) -> web.Response:
        caller, about, key = self._about(request)
        given = await read_checked(request, NewEvidence, EVIDENCE_BYTES_MAX)
        must_be_evidence(given["evidence"], {})  # too long for a message is too long at all
        order = AddEvidence(id=about, **given, **command_head(request, caller, key, given))
        return await self._asking.ask(request, GATEWAY, "dispute.evidence", order, about)

    async def submit(self, request: web.Request) -> web.Response:
        caller, about, key = self._about(request)
        given = await read_checked(request, NoFields, COMMAND_BYTES_MAX, empty_ok=True)
        order = SubmitDispute(id=about, **command_head(request, caller, key, given))
        return await self._asking.ask(request, GATEWAY, "dispute.submit", order, about)

    async def accept(self, request: web.Request) -> web.Response:
        caller, about, key = self._about(request)
        given = await read_checked(request, NoFields, COMMAND_BYTES_MAX, empty_ok=True)
        order = AcceptDispute(id=about, **command_head(request, caller, key, given))
        return await self._asking.ask(request, GATEWAY, "dispute.accept", order, about)

    async def resolve(self, request: web.Request) -> web.Response:
        caller, about, key = self._about(request)
        given = await read_checked(request, Ruling, COMMAND_BYTES_MAX)
        order = RuleDispute(id=about, **given, **command_head(request, caller, key, given))
        return await self._asking.ask(request, GATEWAY, "dispute.resolve", order, about)

    async def show(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        index = self._payments.disputes
        return self._reads.one(
            request, caller, index, "dispute", lambda row: render(index.view(row))
        )

    async def list(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        wanted_state, payment_id = one_of(request, "state", DisputeState), payment_of(request)

        def is_wanted(row: ClaimRow) -> bool:
            return wanted_state in (None, row.state) and payment_id in (None, row.payment_id)

        index = self._payments.disputes
        return self._reads.page(
            request, caller, index, is_wanted, lambda row: render(index.view(row))
        )

    def _about(self, request: web.Request) -> tuple[Caller, str, str]:
        caller, given = self._access.for_merchant(request, PAYERS), request.match_info["id"]
        if not _DISPUTE.fullmatch(given):
            raise no_such("dispute")
        return caller, given, idempotency_key(request)


def _order(path: str, handler: Any, summary: str, takes: type[Body], status: int = 200) -> Route:
    """An order about a dispute. Evidence asks no provider: it is never 202."""
    asks_nobody = takes is NewEvidence
    return Route(
        "POST",
        path,
        handler,
        summary,
        DisputeShown,
        status=status,
        takes=takes,
        body_needed=takes is not NoFields,
        keyed=True,
        may_also=() if asks_nobody else (202,),
        roles=PAYERS,
    )

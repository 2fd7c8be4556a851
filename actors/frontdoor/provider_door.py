"""8028, the rest of it: calls to a provider, looks at one, its disputes and its batches.

Everything but the files of a batch is asked of the provider by mailbox, so that killing one does
not cut off the other. Never: opens a seal, or lets in a card that is not sealed.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct, structs
from pydantic import BaseModel

from actors.frontdoor import provider_answers as said
from actors.frontdoor import provider_models as models
from actors.frontdoor.asking import Asking
from actors.frontdoor.fault_header import MAY, told
from actors.frontdoor.heads import must_hold_no_card
from actors.frontdoor.health import House
from actors.frontdoor.lists import answered
from actors.frontdoor.mannered import mannered
from actors.frontdoor.models import COMMAND_BYTES_MAX
from actors.frontdoor.provider_files import CSV, lines_of, passed_on, wants_csv
from actors.frontdoor.queries import bad_query
from payrail.domain.fault_wishes import DROPPED
from payrail.domain.providers import public_name
from payrail.domain.settlement.cutoffs import is_date
from payrail.domain.words.providers import (
    ListBatches,
    ListFaults,
    OpenDispute,
    ProviderCall,
    ResolveDispute,
    ShowProvider,
    StatusOf,
)
from payrail.errors import RequestError
from payrail.runtime.ports import Fs
from payrail.web.bodies import Body, checked, read_object
from payrail.web.metrics import Handler
from payrail.web.openapi import Route

_ABOUT = "/providers/{id}"
#: What a provider says when it did not do what it was called for.
_ANSWERED = (
    "card-declined",
    "amount-exceeds",
    "illegal-transition",
    "reference-fenced",
    "reference-reused",
    "operation-in-doubt",
    "seal-broken",
    "not-accepted",
    "provider-broken",
    "expired",
)


class ProviderDoor:
    """Handlers for whoever knows the internal secret."""

    def __init__(
        self, asking: Asking, house: House, fs: Fs, user_of: Callable[[web.Request], str]
    ) -> None:
        self._asking, self._house, self._fs, self._user_of = asking, house, fs, user_of

    def routes(self) -> list[Route]:
        rows = [
            _call("authorize", "Charge a sealed card", self.calling, said.ChargeAnswer),
            _call("capture", "Claim held money", self.calling, said.CaptureAnswer),
            _call("refund", "Pay captured money back", self.calling, said.RefundAnswer),
            _call("reverse", "Give held money back", self.calling, said.RefundAnswer),
            _look("state", "How a provider is", self.state, models.ProviderState),
            _look(
                "status", "What became of a reference", self.status, said.ProviderStatus,
                "reference",
            ),
            _look("faults", "The drills in force", self.faults, models.Faults),
            structs.replace(
                _look(
                    "settlement", "The batches of a date", self.settlement, models.Settlement,
                    "date",
                ),
                media=CSV,
            ),
            *self._disputes(),
        ]  # fmt: skip
        return [structs.replace(row, handler=mannered(row.handler)) for row in rows]

    def _disputes(self) -> list[Route]:
        return [
            Route(
                "POST",
                f"{_ABOUT}/disputes",
                self.dispute,
                "Open a dispute about a captured charge",
                models.ShownDispute,
                status=201,
                takes=models.OpenDisputeCall,
            ),
            Route(
                "POST",
                f"{_ABOUT}/disputes/{{ref}}/resolve",
                self.resolve,
                "Rule on a dispute",
                models.ShownDispute,
                takes=models.ResolveDisputeCall,
            ),
        ]

    def calling(self, operation: str, model: type[Body]) -> Handler:
        """The handler of one kind of call for money."""

        async def call(request: web.Request) -> web.Response:
            provider, wish = self._provider(request), told(request, operation)
            given = await _body(request, model)
            if operation != "authorize" and "capture" in given:
                given["capture_of"] = given.pop("capture")
            fault = wish.rule if wish and wish.provider in (None, public_name(provider)) else None
            about = ProviderCall(operation=operation, fault=fault, **given)
            reference = given["reference"]
            answer = await self._ask(request, provider, "provider.call", about, reference)
            if DROPPED in answer.headers:
                _drop(request)
            return answer

        return call

    async def state(self, request: web.Request) -> web.Response:
        """What the provider counts, beside how it is and what the gateway's breaker makes of it."""
        provider = self._provider(request)
        reply = await self._ask(request, provider, "provider.show", ShowProvider())
        if reply.status != 200 or not isinstance(reply.body, bytes):
            return reply
        seen = self._house.shown(provider)
        view = {name: seen[name] for name in ("actor", "state", "health", "breaker", "canary")}
        return answered({**msgspec.json.decode(reply.body), "provider": seen["id"], **view})

    async def faults(self, request: web.Request) -> web.Response:
        return await self._ask(request, self._provider(request), "fault.list", ListFaults())

    async def status(self, request: web.Request) -> web.Response:
        provider = self._provider(request)
        reference = request.query.get("reference", "")
        if not 1 <= len(reference) <= 80 or not reference.isascii() or not reference.isprintable():
            raise bad_query("reference", "must be our name for a call, such as pi_….1")
        must_hold_no_card({"reference": reference})
        answer = await self._ask(request, provider, "provider.status", StatusOf(reference))
        if DROPPED in answer.headers:
            _drop(request)
        return answer

    async def dispute(self, request: web.Request) -> web.Response:
        provider = self._provider(request)
        given = await _body(request, models.OpenDisputeCall)
        order = OpenDispute(**{"reason": "general", **given})
        return await self._ask(request, provider, "provider.dispute", order, order.reference)

    async def resolve(self, request: web.Request) -> web.Response:
        provider = self._provider(request)
        given = await _body(request, models.ResolveDisputeCall)
        reference = request.match_info["ref"]
        if len(reference) > 64:
            raise RequestError(404, "not-found", "There is no such dispute.")
        must_hold_no_card({"reference": reference})
        order = ResolveDispute(reference, given["outcome"])
        return await self._ask(request, provider, "provider.dispute_resolve", order, reference)

    async def settlement(self, request: web.Request) -> web.StreamResponse:
        """The batches of a date as the provider knows them, with the lines of their files; to who
        wants CSV, the files themselves."""
        provider, date = self._provider(request), request.query.get("date", "")
        if not is_date(date):
            raise bad_query("date", "must be a date such as 2026-02-09")
        reply = await self._ask(request, provider, "provider.batches", ListBatches(date))
        if reply.status != 200 or not isinstance(reply.body, bytes):
            return reply
        found, name = msgspec.json.decode(reply.body), public_name(provider)
        if wants_csv(request):
            paths = [batch["path"] for batch in found["batches"]]
            return await passed_on(request, self._fs, name, date, paths)
        for batch in found["batches"]:
            batch["data"] = await asyncio.to_thread(lines_of, self._fs, name, batch["path"])
        return answered(found)

    def _provider(self, request: web.Request) -> str:
        self._user_of(request)
        return self._house.provider_named(request)

    async def _ask(
        self, request: web.Request, provider: str, kind: str, body: Struct, key: str | None = None
    ) -> web.Response:
        return await self._asking.ask(request, provider, kind, body, key)


def _drop(request: web.Request) -> None:
    """A connection that is reset: whoever asked hears nothing more."""
    if request.transport is not None:
        request.transport.abort()


async def _body(request: web.Request, model: type[Body]) -> dict[str, Any]:
    """The body as it was sent, after its check. A seal is not searched for cards: it hides one."""
    given = await read_object(request, COMMAND_BYTES_MAX)
    checked(model, given)
    must_hold_no_card({name: value for name, value in given.items() if name != "sealed"})
    return {name: value for name, value in given.items() if value is not None}


def _call(
    operation: str,
    summary: str,
    calling: Callable[[str, type[Body]], Handler],
    answers: type[BaseModel],
) -> Route:
    takes = models.AuthorizeCall if operation == "authorize" else models.ChargeCall
    handler, path = calling(operation, takes), f"{_ABOUT}/{operation}"
    return Route(
        "POST", path, handler, summary, answers, takes=takes, codes=_ANSWERED, may_head=MAY
    )


def _look(
    name: str,
    summary: str,
    handler: Handler,
    answers: type[BaseModel],
    *query: str,
) -> Route:
    return Route("GET", f"{_ABOUT}/{name}", handler, summary, answers, query=query, needs=query)

"""Reads over HTTP: payments, their ledger, balances and events, all out of the books.

Another merchant's id is answered exactly as one that never was. Never: asks the gateway.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from aiohttp import web

from actors.frontdoor.events import EventsView
from actors.frontdoor.heads import no_such
from actors.frontdoor.payment_filters import PaymentFilter, payment_filter
from actors.frontdoor.queries import bad_query, limit_of, place_of, time_of
from actors.frontdoor.reads import PaymentsView, Row
from payrail.domain.access import READERS
from payrail.domain.event_types import family_or_type
from payrail.domain.payment_view import render
from payrail.domain.postings import turned
from payrail.storage.lines import encode
from payrail.web.access import AccessView, Caller

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Index(Protocol[R_co]):
    """What a list walks and an id is looked up in; a merchant of None asks over all."""

    def row(self, ident: str, merchant_id: str | None) -> R_co | None: ...
    def oldest_first(self, merchant_id: str | None) -> Sequence[R_co]: ...


LIMIT_DEFAULT, LIMIT_MAX = 20, 100
EVENTS_LIMIT_DEFAULT, EVENTS_LIMIT_MAX = 100, 1_000
#: Rows looked at for one page: a filter that finds little answers a short page, or an empty
#: one, with `has_more` and the cursor to go on from.
SCAN_MAX = 20_000
#: Payments looked at before others get their turn: a few ms where each one's line must be read.
SCAN_SLICE = 100
_EVENT = re.compile(r"evt_[A-Za-z0-9_]{1,40}", re.ASCII)


class Reads:
    """Handlers of everything that only looks."""

    def __init__(self, access: AccessView, payments: PaymentsView, events: EventsView) -> None:
        self._access, self._payments, self._events = access, payments, events

    async def payments(self, request: web.Request) -> web.Response:
        caller = self.reader(request)
        wanted = payment_filter(request)
        limit = limit_of(request, LIMIT_DEFAULT, LIMIT_MAX)
        self._payments.catch_up()
        rows = self._payments.oldest_first(caller.merchant_id)
        place = min(place_of(request, "cursor", len(rows)), len(rows))
        data, place = await found_from(self._payments, rows, wanted, place, limit)
        return listed(data, str(place) if place else None)

    def one(
        self,
        request: web.Request,
        caller: Caller,
        index: Index[R],
        what: str,
        shown: Callable[[R], dict[str, Any]],
    ) -> web.Response:
        """The object with the id in the path, as the books tell it now."""
        self._payments.catch_up()
        row = index.row(request.match_info["id"], caller.merchant_id)
        if row is None:
            raise no_such(what)
        return answered(shown(row))

    def page(
        self,
        request: web.Request,
        caller: Caller,
        index: Index[R],
        is_wanted: Callable[[R], bool],
        shown: Callable[[R], dict[str, Any]],
    ) -> web.Response:
        """The newest wanted objects, a page of them."""
        self._payments.catch_up()
        found, cursor = page_of(request, index.oldest_first(caller.merchant_id), is_wanted)
        return listed([shown(row) for row in found], cursor)

    async def payment(self, request: web.Request) -> web.Response:
        """The payment as it is, or as its entries told it at a time."""
        caller = self.reader(request)
        at = time_of(request, "at")
        row = self._row(request, caller)
        if at is not None and at < row.created_at:
            raise no_such("payment")
        return answered(render(self._payments.view(row, at)))

    async def ledger(self, request: web.Request) -> web.Response:
        """All entries of the family that a payment, a refund or a dispute belongs to, as they stand
        in the books, and the state of what was asked for."""
        caller = self.reader(request)
        row, state = self._family(request, caller)
        entries = [msgspec.Raw(line) for line in self._payments.lines(row)]
        return answered(
            {
                "object": "ledger",
                "id": request.match_info["id"],
                "payment_intent": row.id,
                "state": state,
                "entries": entries,
            }
        )

    async def balances(self, request: web.Request) -> web.Response:
        """What the books say by account, now or at a time; liabilities and income with their sign
        turned."""
        caller = self.reader(request)
        at = time_of(request, "at")
        self._payments.catch_up()
        rows = [
            {"account": account, "currency": currency, "amount": turned(account, amount)}
            for (account, currency), amount in sorted(self._payments.balances(at).items())
            if caller.merchant_id in (None, _owner(account))
        ]
        return listed(rows, None)

    async def events(self, request: web.Request) -> web.Response:
        caller = self.reader(request)
        limit = limit_of(request, EVENTS_LIMIT_DEFAULT, EVENTS_LIMIT_MAX)
        self._events.catch_up()
        name = "cursor" if "cursor" in request.query else "after"
        after = self._after(request, name, caller.merchant_id)
        page = self._events.page(after, caller.merchant_id, limit, _type_of(request))
        return listed(page.data, str(page.through) if page.has_more else None)

    def reader(self, request: web.Request) -> Caller:
        """The caller, who may read. Raises RequestError 401 or 403."""
        caller = self._access.in_role(request, READERS)
        return caller

    def may_see(self, ident: str | None, caller: Caller) -> bool:
        """Whether an id is of a payment, a refund or a dispute of the caller; the house sees all of
        them."""
        if caller.merchant_id is None:
            return True
        self._payments.catch_up()
        rows = (self._payments, self._payments.refunds, self._payments.disputes)
        return ident is not None and any(view.row(ident, caller.merchant_id) for view in rows)

    def _row(self, request: web.Request, caller: Caller) -> Row:
        self._payments.catch_up()
        row = self._payments.row(request.match_info["id"], caller.merchant_id)
        if row is None:
            raise no_such("payment")
        return row

    def _family(self, request: web.Request, caller: Caller) -> tuple[Row, str]:
        """The payment that the id, its own or a refund's or dispute's, belongs to, and the state of
        the id's."""
        self._payments.catch_up()
        asked = request.match_info["id"], caller.merchant_id
        claim = self._payments.refunds.row(*asked) or self._payments.disputes.row(*asked)
        if claim is None:
            row = self._row(request, caller)
            return row, self._payments.view(row).state.value
        about = self._payments.row(claim.payment_id, caller.merchant_id)
        if about is None:
            raise no_such("payment")
        return about, claim.state.value

    def _after(self, request: web.Request, name: str, merchant_id: str | None) -> int:
        given = request.query.get(name, "0")
        if _EVENT.fullmatch(given):
            seq = self._events.seq_of(given, merchant_id)
            if seq is None:
                raise no_such("event")
            return seq
        return place_of(request, name, 0)


def _type_of(request: web.Request) -> str | None:
    """What the type of wanted events begins with. Raises RequestError 422."""
    given = request.query.get("type")
    try:
        return None if given is None else family_or_type(given)
    except ValueError as error:
        raise bad_query("type", str(error)) from None


def page_of(
    request: web.Request, rows: Sequence[R], is_wanted: Callable[[R], bool]
) -> tuple[list[R], str | None]:
    """The newest wanted rows before the cursor, and the cursor to go on from; None: there are no
    more. `rows` stand oldest first, so that pages stay as they are when one is added."""
    limit = limit_of(request, LIMIT_DEFAULT, LIMIT_MAX)
    before = last = min(place_of(request, "cursor", len(rows)), len(rows))
    stop = max(0, before - SCAN_MAX)
    found: list[R] = []
    for place in range(before - 1, stop - 1, -1):
        if not is_wanted(rows[place]):
            continue
        if len(found) == limit:
            return found, str(last)
        found.append(rows[place])
        last = place
    return found, str(stop) if stop else None


async def found_from(
    payments: PaymentsView, rows: list[Row], wanted: PaymentFilter, place: int, limit: int
) -> tuple[list[dict[str, Any]], int]:
    """The newest wanted payments before `place`, as they are shown, and the place to go on from;
    at 0 there are no more. New payments go behind every place, so that pages stay as they are."""
    found: list[dict[str, Any]] = []
    stop = max(0, place - SCAN_MAX)
    while place > stop and len(found) < limit:
        place -= 1
        if wanted.wants(rows[place], payments.words):
            # At once: after others had their turn it might be in another state.
            found.append(render(payments.view(rows[place])))
        if place % SCAN_SLICE == 0:
            await asyncio.sleep(0)
    return found, place


def answered(body: Any, status: int = 200) -> web.Response:
    """A body of ours as JSON."""
    return web.Response(body=encode(body), status=status, content_type="application/json")


def listed(data: list[Any], next_cursor: str | None) -> web.Response:
    """One page of a list."""
    return answered(
        {
            "object": "list",
            "data": data,
            "has_more": next_cursor is not None,
            "next_cursor": next_cursor,
        }
    )


def _owner(account: str) -> str:
    parts = account.split(":")
    return parts[1] if len(parts) > 2 else ""

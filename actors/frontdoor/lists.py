"""Reads over HTTP: payments, their ledger, balances and events, all out of the books.

Another merchant's id is answered exactly as one that never was. Never: asks the gateway.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from actors.frontdoor.events import EventsView
from actors.frontdoor.heads import no_such
from actors.frontdoor.reads import PaymentsView, Row
from payrail.domain.access import READERS
from payrail.domain.payment_view import PaymentState, render
from payrail.domain.postings import turned
from payrail.domain.providers import public_name
from payrail.domain.timestamps import as_written
from payrail.errors import RequestError
from payrail.storage.lines import encode
from payrail.web.access import AccessView, Caller, must_be
from payrail.web.heads import bearer

LIMIT_DEFAULT, LIMIT_MAX = 20, 100
EVENTS_LIMIT_DEFAULT, EVENTS_LIMIT_MAX = 100, 1_000
#: Rows looked at for one page; a filter that finds little pages on.
_SCAN_MAX = 20_000
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
_EVENT = re.compile(r"evt_[A-Za-z0-9_]{1,40}", re.ASCII)


class Reads:
    """Handlers of everything that only looks."""

    def __init__(self, access: AccessView, payments: PaymentsView, events: EventsView) -> None:
        self._access, self._payments, self._events = access, payments, events

    async def payments(self, request: web.Request) -> web.Response:
        caller = self.reader(request)
        wanted = _filter(request)
        limit = _limit(request, LIMIT_DEFAULT, LIMIT_MAX)
        self._payments.catch_up()
        rows = self._payments.newest_first(caller.merchant_id)
        place = min(_place(request, "cursor", len(rows)), len(rows))
        found: list[Row] = []
        scanned = 0
        while place and len(found) < limit and scanned < _SCAN_MAX:
            place, scanned = place - 1, scanned + 1
            if wanted(rows[place]):
                found.append(rows[place])
        data = [render(self._payments.view(row)) for row in found]
        return listed(data, str(place) if place else None)

    async def payment(self, request: web.Request) -> web.Response:
        caller = self.reader(request)
        row = self._row(request, caller)
        return answered(render(self._payments.view(row)))

    async def ledger(self, request: web.Request) -> web.Response:
        """All entries of the payment's family, as they stand in the book, and its state."""
        caller = self.reader(request)
        row = self._row(request, caller)
        view = self._payments.view(row)
        entries = [msgspec.Raw(line) for line in self._payments.lines(row)]
        return answered(
            {
                "object": "ledger",
                "id": row.id,
                "payment_intent": row.id,
                "state": view.state.value,
                "entries": entries,
            }
        )

    async def balances(self, request: web.Request) -> web.Response:
        """What the books say by account, now or at a time; liabilities and income with their sign
        turned."""
        caller = self.reader(request)
        at = _time(request, "at")
        self._payments.catch_up()
        sums = self._payments.sums
        rows = [
            {"account": account, "currency": currency, "amount": turned(account, amount)}
            for (account, currency), amount in sorted(
                (sums.now() if at is None else sums.at(at)).items()
            )
            if caller.merchant_id in (None, _owner(account))
        ]
        return listed(rows, None)

    async def events(self, request: web.Request) -> web.Response:
        caller = self.reader(request)
        limit = _limit(request, EVENTS_LIMIT_DEFAULT, EVENTS_LIMIT_MAX)
        self._events.catch_up()
        name = "cursor" if "cursor" in request.query else "after"
        after = self._after(request, name, caller.merchant_id)
        page = self._events.page(after, caller.merchant_id, limit)
        return listed(page.data, str(page.through) if page.has_more else None)

    def reader(self, request: web.Request) -> Caller:
        """The caller, who may read. Raises RequestError 401 or 403."""
        caller = self._access.authenticate(bearer(request))
        caller = self._access.speaking_for(caller, request.headers)
        must_be(caller, READERS)
        return caller

    def _row(self, request: web.Request, caller: Caller) -> Row:
        self._payments.catch_up()
        row = self._payments.row(request.match_info["id"], caller.merchant_id)
        if row is None:
            raise no_such("payment")
        return row

    def _after(self, request: web.Request, name: str, merchant_id: str | None) -> int:
        given = request.query.get(name, "0")
        if _EVENT.fullmatch(given):
            seq = self._events.seq_of(given, merchant_id)
            if seq is None:
                raise no_such("event")
            return seq
        return _place(request, name, 0)


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


def _filter(request: web.Request) -> Callable[[Row], bool]:
    query = request.query
    state, provider = query.get("state"), query.get("provider")
    currency = query.get("currency")
    if state is not None and state not in [one.value for one in PaymentState]:
        raise bad_query("state", f"must be one of {', '.join(one.value for one in PaymentState)}")
    if provider is not None:
        provider = _public_name(provider)

    def wanted(row: Row) -> bool:
        return (
            (state is None or row.state.value == state)
            and (provider is None or row.provider == provider)
            and (currency is None or row.currency == currency)
        )

    return wanted


def _public_name(given: str) -> str:
    try:
        return public_name(given)
    except KeyError:
        raise bad_query("provider", "must be one such as providerA") from None


def _limit(request: web.Request, default: int, most: int) -> int:
    limit = _place(request, "limit", default)
    if not 1 <= limit <= most:
        raise bad_query("limit", f"must be from 1 to {most}")
    return limit


def _place(request: web.Request, name: str, default: int) -> int:
    given = request.query.get(name)
    if given is None:
        return default
    if not _NUMBER.fullmatch(given):
        raise bad_query(name, "must be a whole number as it was given by us")
    return int(given)


def _time(request: web.Request, name: str) -> str | None:
    """The time as lines have it, None when none was given."""
    given = request.query.get(name)
    try:
        return None if given is None else as_written(given)
    except ValueError as error:
        raise bad_query(name, str(error)) from None


def bad_query(name: str, message: str) -> RequestError:
    """422 that names the parameter; never repeats its value."""
    return RequestError(
        422,
        "validation-error",
        f"The query's {name} {message}.",
        errors=[{"field": name, "message": message}],
    )


def _owner(account: str) -> str:
    parts = account.split(":")
    return parts[1] if len(parts) > 2 else ""

"""`GET /deliveries`: each attempt to deliver a webhook, newest first, out of the dispatcher's book.

Owns nothing; reads data/outbox/deliveries.jsonl. Of each line three numbers are remembered, so that
a page reads only the lines that it shows. Never: asks the dispatcher.
"""

import asyncio
import re
from array import array
from typing import Literal

import msgspec
from aiohttp import web
from msgspec import Struct
from pydantic import BaseModel

from actors.frontdoor.lists import LIMIT_DEFAULT, LIMIT_MAX, Reads, listed
from actors.frontdoor.queries import bad_query
from payrail.domain.access import Directory
from payrail.domain.books import DELIVERIES_BOOK
from payrail.runtime.ports import Fs
from payrail.storage.books import Follower, read_line
from payrail.storage.lines import without_links
from payrail.web.access import AccessView
from payrail.web.openapi import Route
from payrail.web.whole import Whole

#: Lines folded before others get their turn.
SLICE_LINES = 1_000
#: Rows looked at for one page; a filter that finds little pages on.
SCAN_MAX = 100_000


class DeliveryShown(BaseModel):
    """What is answered; for the document alone."""

    seq: int
    event_id: str
    endpoint_id: str
    attempt: int
    status: int | None
    error: str | None
    latency_ms: int
    at: str
    next_at: str | None
    correlation_id: str


class DeliveriesShown(BaseModel):
    object: Literal["list"]
    has_more: bool
    next_cursor: str | None
    data: list[DeliveryShown]


class _Line(Struct):
    event_id: str
    endpoint_id: str


_decode = msgspec.json.Decoder(_Line).decode


class DeliveriesView:
    """An index of where each attempt begins, and whom it is about."""

    def __init__(self, fs: Fs) -> None:
        self._follower = Follower(fs, DELIVERIES_BOOK)
        self._endpoints: dict[str, int] = {}
        self._offsets, self._of_endpoint = array("q"), array("i")
        self._of_event = array("q")  # hashes of the ids: good for one process

    def catch_up_some(self) -> bool:
        """One slice; True when there may be more. Raises Corrupt."""
        for count, (offset, line) in enumerate(self._follower.read(), 1):
            told = _decode(line)
            number = self._endpoints.setdefault(told.endpoint_id, len(self._endpoints))
            self._offsets.append(offset)
            self._of_endpoint.append(number)
            self._of_event.append(hash(told.event_id))
            if count == SLICE_LINES:
                return True
        return False

    def __len__(self) -> int:
        return len(self._offsets)

    def numbers(self, endpoint_ids: set[str]) -> set[int]:
        """The numbers of those endpoints that anything was sent to."""
        return {self._endpoints[name] for name in endpoint_ids if name in self._endpoints}

    def is_about(self, place: int, endpoints: set[int], event_hash: int | None) -> bool:
        is_wanted = event_hash is None or self._of_event[place] == event_hash
        return is_wanted and self._of_endpoint[place] in endpoints

    def line(self, place: int) -> bytes:
        return read_line(self._follower.known(), self._offsets[place])


class Deliveries:
    """The handler over the followed book."""

    def __init__(self, fs: Fs, access: AccessView, reads: Reads, book: Whole) -> None:
        """`book`: what is known of the dispatcher, who writes it."""
        self._access, self._reads, self._view = access, reads, DeliveriesView(fs)
        self._book = book

    def routes(self) -> list[Route]:
        query = ("endpoint_id", "event_id", "limit", "cursor")
        summary = "Attempts to deliver webhooks, newest first"
        return [Route("GET", "/deliveries", self.all, summary, DeliveriesShown, query=query)]

    async def all(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        limit = _number(request, "limit", LIMIT_DEFAULT)
        if not 1 <= limit <= LIMIT_MAX:
            raise bad_query("limit", f"must be from 1 to {LIMIT_MAX}")
        self._book.must_be()
        while self._view.catch_up_some():
            await asyncio.sleep(0)
        mine = _endpoints_of(self._access.directory, caller.merchant_id)
        endpoint_id, event_id = _id(request, "endpoint_id", "we"), _id(request, "event_id", "evt")
        if endpoint_id is not None:
            mine &= {endpoint_id}
        place = min(_number(request, "cursor", len(self._view)), len(self._view))
        return self._page(self._view.numbers(mine), event_id, place, limit)

    def _page(
        self, endpoints: set[int], event_id: str | None, place: int, limit: int
    ) -> web.Response:
        wanted = None if event_id is None else hash(event_id)
        found: list[msgspec.Raw] = []
        stop = max(0, place - SCAN_MAX)
        while place > stop and len(found) < limit:
            place -= 1
            if self._view.is_about(place, endpoints, wanted):
                found.append(msgspec.Raw(without_links(self._view.line(place))))
        return listed(found, str(place) if place else None)


def _id(request: web.Request, name: str, prefix: str) -> str | None:
    given = request.query.get(name)
    if given is not None and not re.fullmatch(f"{prefix}_[a-z0-9]{{16}}", given, re.ASCII):
        raise bad_query(name, f"must be an id such as {prefix}_{'0' * 16}")
    return given


def _endpoints_of(directory: Directory, merchant_id: str | None) -> set[str]:
    """A merchant's endpoints, deleted ones too; None: everybody's."""
    return {
        one.id for one in directory.endpoints.values() if merchant_id in (None, one.merchant_id)
    }


def _number(request: web.Request, name: str, default: int) -> int:
    given = request.query.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) <= 15):
        raise bad_query(name, "must be a whole number as it was given by us")
    return int(given)

"""`GET /audit/vault`: who touched a card and why, newest first, out of the vault's access log.

Owns nothing; reads data/vault/access_log.jsonl, the one file of the vault that is open to it. Of
each line three numbers are remembered, so that a page reads only the lines that it shows.
A merchant sees the lines about its own tokens; whoever else asked for one of them is not named.
Never: asks the vault.
"""

import asyncio
import re
from array import array
from typing import Any, Literal

import msgspec
from aiohttp import web
from msgspec import Struct
from pydantic import BaseModel

from actors.frontdoor.lists import LIMIT_DEFAULT, LIMIT_MAX, Reads, listed
from actors.frontdoor.queries import bad_query, limit_of, place_of
from payrail.domain.access import CARD_READERS, Directory
from payrail.domain.books import CARD_ACCESS_BOOK
from payrail.domain.card_access import read_access
from payrail.runtime.ports import Fs
from payrail.storage.books import Follower, read_line
from payrail.storage.lines import without_links
from payrail.web.access import AccessView, must_be
from payrail.web.openapi import Route
from payrail.web.whole import Whole

#: Lines folded before others get their turn.
SLICE_LINES = 1_000
#: Rows looked at for one page; a filter that finds little pages on.
SCAN_MAX = 100_000
#: Who asked, where it was somebody of another merchant.
OTHERS = "another merchant"
_TOKEN = re.compile(r"tok_[A-Za-z0-9_-]{1,64}", re.ASCII)
_NOBODY = -1  # the number of no merchant


class CardAccessShown(BaseModel):
    """What is answered; for the document alone."""

    seq: int
    at: str
    who: str
    token: str
    purpose: str
    payment_id: str | None
    correlation_id: str
    outcome: str
    origin: str
    merchant_id: str | None = None
    provider: str | None = None
    reference: str | None = None


class CardAccessesShown(BaseModel):
    object: Literal["list"]
    has_more: bool
    next_cursor: str | None
    data: list[CardAccessShown]


class _Line(Struct):
    token: str
    merchant_id: str | None = None


_decode = msgspec.json.Decoder(_Line).decode


class CardAccessView:
    """An index of where each line begins, and about whose token it is."""

    def __init__(self, fs: Fs) -> None:
        self._follower = Follower(fs, CARD_ACCESS_BOOK)
        self._merchants: dict[str, int] = {}
        self._offsets, self._of_merchant = array("q"), array("i")
        self._of_token = array("q")  # hashes of the tokens: good for one process

    def catch_up_some(self) -> bool:
        """One slice; True when there may be more. Raises Corrupt."""
        for count, (offset, line) in enumerate(self._follower.read(), 1):
            told = _decode(line)
            self._offsets.append(offset)
            self._of_token.append(hash(told.token))
            owner = told.merchant_id
            number = self._merchants.setdefault(owner, len(self._merchants)) if owner else _NOBODY
            self._of_merchant.append(number)
            if count == SLICE_LINES:
                return True
        return False

    def __len__(self) -> int:
        return len(self._offsets)

    def is_about(self, place: int, merchant_id: str | None, token_hash: int | None) -> bool:
        """None asks over all merchants, and over all tokens."""
        if token_hash is not None and self._of_token[place] != token_hash:
            return False
        if merchant_id is None:
            return True
        return self._of_merchant[place] == self._merchants.get(merchant_id, len(self._merchants))

    def line(self, place: int) -> bytes:
        return read_line(self._follower.known(), self._offsets[place])


class CardAccesses:
    """The handler over the followed log."""

    def __init__(self, fs: Fs, access: AccessView, reads: Reads, book: Whole) -> None:
        """`book`: what is known of the vault, who writes it."""
        self._access, self._reads, self._view = access, reads, CardAccessView(fs)
        self._book = book

    def routes(self) -> list[Route]:
        return [
            Route(
                "GET",
                "/audit/vault",
                self.all,
                "Who touched a card and why, newest first",
                CardAccessesShown,
                query=("token", "limit", "cursor"),
                roles=CARD_READERS,
            )
        ]

    async def all(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        must_be(caller, CARD_READERS)
        limit, token = limit_of(request, LIMIT_DEFAULT, LIMIT_MAX), _token(request)
        self._book.must_be()
        while self._view.catch_up_some():
            await asyncio.sleep(0)
        place = min(place_of(request, "cursor", len(self._view)), len(self._view))
        return self._page(caller.merchant_id, token, place, limit)

    def _page(
        self, merchant_id: str | None, token: str | None, place: int, limit: int
    ) -> web.Response:
        wanted = None if token is None else hash(token)
        found: list[Any] = []
        stop = max(0, place - SCAN_MAX)
        while place > stop and len(found) < limit:
            place -= 1
            if self._view.is_about(place, merchant_id, wanted):
                line = self._view.line(place)
                found.append(shown(line, merchant_id, self._access.directory))
        return listed(found, str(place) if place else None)


def shown(line: bytes, merchant_id: str | None, directory: Directory) -> Any:
    """The line as it stands; for a merchant without what says who of another one has asked."""
    if merchant_id is not None:
        access = read_access(line)
        asker = directory.users.get(access.who)
        if asker is not None and asker.merchant_id not in (None, merchant_id):
            return msgspec.structs.replace(
                access, who=OTHERS, correlation_id="", payment_id=None, reference=None
            )
    return msgspec.Raw(without_links(line))


def _token(request: web.Request) -> str | None:
    given = request.query.get("token")
    if given is not None and not _TOKEN.fullmatch(given):
        raise bad_query("token", "must be a token, such as tok_0123456789abcdef0123456789abcdef")
    return given

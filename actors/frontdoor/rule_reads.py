"""`GET /rules`: people's rule files as the gateway took them: what is in force, and what is not.

Reads: data/actors/gateway/rules.json, which the gateway shows in the step that takes or refuses a
file. Never: reads a rule file, or judges one.
"""

from typing import Literal

import msgspec
from aiohttp import web
from pydantic import BaseModel

from actors.frontdoor.lists import Reads, listed
from payrail.domain.words.rules import VIEW
from payrail.runtime.ports import Fs
from payrail.web.openapi import Route


class RuleComplaint(BaseModel):
    line: int
    field: str
    message: str


class RuleFileShown(BaseModel):
    """What is answered; for the document alone."""

    object: Literal["rules"]
    id: str
    file: str
    sha256: str
    in_force_since: str
    state: Literal["in_force", "refused"]
    refused_sha256: str | None
    refused_at: str | None
    errors: list[RuleComplaint]


class RulesShown(BaseModel):
    object: Literal["list"]
    has_more: bool
    next_cursor: str | None
    data: list[RuleFileShown]


class RuleReads:
    """The handler over the gateway's view."""

    def __init__(self, fs: Fs, reads: Reads) -> None:
        self._fs, self._reads = fs, reads

    def routes(self) -> list[Route]:
        return [Route("GET", "/rules", self.all, "Rule files, in force or refused", RulesShown)]

    async def all(self, request: web.Request) -> web.Response:
        self._reads.reader(request)
        try:
            rows = msgspec.json.decode(self._fs.read(VIEW))["rules"]
        except FileNotFoundError:
            rows = []  # The gateway has never started here.
        return listed([{"object": "rules", **row} for row in rows], None)

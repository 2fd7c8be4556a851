"""Settlement files, reports and breaks over HTTP.

Reads come off the files in data/settlement and data/reconciliation; orders go to the reconciler,
which answers when they are done. While it is still at it when the request's time is over: 202, and
the same Idempotency-Key waits for the same run.
A merchant sees its own lines, payments and breaks. Never: decides, or shows another's.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from aiohttp import web
from pydantic import AfterValidator, BaseModel, Field

from actors.frontdoor.asking import Asking
from actors.frontdoor.filed import understood
from actors.frontdoor.heads import idempotency_key, no_such
from actors.frontdoor.lists import Reads, answered, listed
from actors.frontdoor.models import COMMAND_BYTES_MAX, NoFields
from actors.frontdoor.own_part import own_lines, own_report, summed
from payrail.domain.access import ADMIN, APPROVER, PAYERS
from payrail.domain.settlement.cutoffs import is_date
from payrail.domain.settlement.places import (
    APPROVALS,
    REPORTS,
    SETTLEMENTS,
    report_path,
    settlement_path,
)
from payrail.domain.words.kinds import RECONCILER
from payrail.domain.words.settlement import (
    ApproveBreak,
    ProposeBreak,
    RunReconciliation,
    RunSettlement,
)
from payrail.errors import RequestError
from payrail.runtime.ports import Fs
from payrail.web.access import AccessView, Caller
from payrail.web.bodies import Body, checked, read_object
from payrail.web.metrics import Handler
from payrail.web.openapi import Route

T = TypeVar("T")

_REPORTS = "/reconciliations"
APPROVERS = frozenset({ADMIN, APPROVER})
_FILE = re.compile(r"settlement_([0-9]{4}-[0-9]{2}-[0-9]{2})\.csv", re.ASCII)
_REPORT = re.compile(r"reconciliation_report_([0-9]{4}-[0-9]{2}-[0-9]{2})\.json", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)
#: Reports that one list shows, newest first.
LISTED_MAX = 100


def _day(text: str) -> str:
    if not is_date(text):
        raise ValueError("must be a day, written YYYY-MM-DD")
    return text


Day = Annotated[
    str,
    AfterValidator(_day),
    Field(examples=["2026-02-09"], json_schema_extra={"format": "date"}),
]


class RunOrder(Body):
    """Without a date: what is open now."""

    date: Day | None = None


class Listed(BaseModel):
    object: str
    data: list[dict[str, Any]]
    has_more: bool
    next_cursor: str | None


class Shown(BaseModel):
    """What the file says; see the README for its fields."""


class Settlements:
    """Handlers of settlement and reconciliation."""

    def __init__(self, fs: Fs, asking: Asking, access: AccessView, reads: Reads) -> None:
        self._fs, self._asking, self._access, self._reads = fs, asking, access, reads

    def routes(self) -> list[Route]:
        """In the order of the document: files, reports, breaks."""
        return [*self._of_files(), *self._of_reports(), *self._of_breaks()]

    def _of_files(self) -> list[Route]:
        path = "/settlements"
        return [
            Route("GET", path, self.files, "List settlement files, newest first", Listed),
            _run(path, self.settle, "Close an extra batch and write the settlement files"),
            Route(
                "GET",
                f"{path}/{{date}}.csv",
                self.csv,
                "A settlement file as it is",
                media="text/csv",
            ),
            Route("GET", f"{path}/{{date}}", self.file, "Sum up a settlement file", Shown),
        ]

    def _of_reports(self) -> list[Route]:
        return [
            Route("GET", _REPORTS, self.reports, "List reports, newest first", Listed),
            _run(_REPORTS, self.reconcile, "Reconcile what has changed, and settle what matches"),
            Route("GET", f"{_REPORTS}/{{date}}", self.report, "Show a report", Shown),
        ]

    def _of_breaks(self) -> list[Route]:
        return [
            _order("propose", self.propose, "Propose the suggested posting of a break", PAYERS),
            _order("approve", self.approve, "Approve another user's posting", APPROVERS),
        ]

    async def settle(self, request: web.Request) -> web.Response:
        caller, date = self._access.in_role(request, PAYERS), await _date(request)
        order = RunSettlement(date, caller.user_id, _key(request))
        return await self._run(request, "settle.run", order, "settlement_run")

    async def reconcile(self, request: web.Request) -> web.Response:
        caller, date = self._access.in_role(request, PAYERS), await _date(request)
        order = RunReconciliation(date, caller.user_id, _key(request))
        return await self._run(request, "reconcile.run", order, "reconciliation_run")

    async def propose(self, request: web.Request) -> web.Response:
        caller = self._access.in_role(request, PAYERS)
        date, number = await self._break(request)
        order = ProposeBreak(date, number, caller.user_id, caller.merchant_id)
        return await self._asking.ask(request, RECONCILER, "break.propose", order)

    async def approve(self, request: web.Request) -> web.Response:
        caller = self._access.in_role(request, APPROVERS)
        date, number = await self._break(request)
        order = ApproveBreak(date, number, caller.user_id, caller.merchant_id)
        return await self._asking.ask(request, RECONCILER, "break.approve", order)

    async def files(self, request: web.Request) -> web.Response:
        self._reads.reader(request)
        dates = self._dates(SETTLEMENTS, _FILE)
        rows = [
            {"object": "settlement", "date": date, "path": settlement_path(date)} for date in dates
        ]
        return listed(rows, None)

    async def csv(self, request: web.Request) -> web.Response:
        """The file; of a merchant, its own lines under the same head."""
        caller = self._reads.reader(request)
        date, own = _date_of(request), caller.merchant_id
        data = await self._read(settlement_path(date), "settlement")
        if own is not None:
            data = await _settled(date, lambda: own_lines(data, own))
        return web.Response(body=data, content_type="text/csv", charset="utf-8")

    async def file(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        date = _date_of(request)
        data = await self._read(settlement_path(date), "settlement")
        sums = await _settled(date, lambda: summed(data, caller.merchant_id))
        return answered(
            {"object": "settlement", "date": date, "path": settlement_path(date), **sums}
        )

    async def reports(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        dates = self._dates(REPORTS, _REPORT)[:LISTED_MAX]
        rows = [await self._shown(date, caller) for date in dates]
        short = ("object", "date", "counts", "totals")
        return listed([{name: row[name] for name in short} for row in rows], None)

    async def report(self, request: web.Request) -> web.Response:
        caller = self._reads.reader(request)
        date = _date_of(request)
        if not self._fs.exists(report_path(date)):
            raise no_such("report")
        return answered(await self._shown(date, caller))

    async def _shown(self, date: str, caller: Caller) -> dict[str, Any]:
        """The report, each break with what became of its posting."""
        postings = await understood(
            APPROVALS, "`payrail restart reconciler` writes it anew", self._postings
        )
        return await understood(
            report_path(date),
            f"`payrail reconcile --date {date}` writes it anew",
            lambda: self._report_with(postings, date, caller),
        )

    def _postings(self) -> dict[str, Any]:
        """What became of each break that somebody proposed to post, by its id."""
        if not self._fs.exists(APPROVALS):
            return {}
        known = msgspec.json.decode(self._fs.read(APPROVALS))
        return {one["break_id"]: one for one in known["postings"]}

    def _report_with(self, postings: dict[str, Any], date: str, caller: Caller) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self._fs.read(report_path(date)))
        for one in found["breaks"]:
            one["resolution"] = postings.get(one["id"])
        shown = {"object": "reconciliation", **found}
        return shown if caller.merchant_id is None else own_report(shown, caller.merchant_id)

    async def _run(self, request: web.Request, kind: str, order: Any, name: str) -> web.Response:
        """The reconciler's answer; 202 while it is still at it."""
        try:
            return await self._asking.ask(request, RECONCILER, kind, order)
        except RequestError as refusal:
            if refusal.status != 504:
                raise
        answer = answered({"object": name, "status": "running"}, 202)
        answer.headers["Retry-After"] = "1"
        return answer

    async def _break(self, request: web.Request) -> tuple[str, int]:
        given = await read_object(request, COMMAND_BYTES_MAX, empty_ok=True)
        checked(NoFields, given)
        number = request.match_info["n"]
        if not _NUMBER.fullmatch(number):
            raise no_such("break")
        return _date_of(request), int(number)

    def _dates(self, folder: str, pattern: re.Pattern[str]) -> list[str]:
        found = (pattern.fullmatch(name) for name in self._fs.listdir(folder))
        return sorted((match[1] for match in found if match), reverse=True)

    async def _read(self, path: str, what: str) -> bytes:
        if not self._fs.exists(path):
            raise no_such(what)
        return await asyncio.to_thread(self._fs.read, path)


async def _settled(date: str, reading: Callable[[], T]) -> T:
    """What `reading` makes of a settlement file. Raises RequestError 503 for a spoilt one."""
    remedy = f"`payrail settle --date {date}` writes it anew"
    return await understood(settlement_path(date), remedy, reading)


def _run(path: str, handler: Handler, summary: str) -> Route:
    """A run of the reconciler, which may outlast the request."""
    return Route(
        "POST",
        path,
        handler,
        summary,
        Shown,
        takes=RunOrder,
        body_needed=False,
        may_also=(202,),
        roles=PAYERS,
    )


def _order(verb: str, handler: Handler, summary: str, roles: frozenset[str]) -> Route:
    """What a person says about one break."""
    path = f"{_REPORTS}/{{date}}/breaks/{{n}}/{verb}"
    return Route(
        "POST", path, handler, summary, Shown, takes=NoFields, body_needed=False, roles=roles
    )


def _key(request: web.Request) -> str | None:
    """The Idempotency-Key, which nobody has to send here."""
    return idempotency_key(request) if "Idempotency-Key" in request.headers else None


async def _date(request: web.Request) -> str | None:
    given = await read_object(request, COMMAND_BYTES_MAX, empty_ok=True)
    return checked(RunOrder, given).date


def _date_of(request: web.Request) -> str:
    """The date out of the path. Raises RequestError 404 for what is none."""
    date = request.match_info["date"]
    if not is_date(date):
        raise no_such("date")
    return date

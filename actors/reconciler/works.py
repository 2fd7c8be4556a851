"""The reconciler's work on files: settlement files and reports of a date.

Owns: data/settlement/settlement_DATE.csv and data/reconciliation/reconciliation_report*.json. Each
is replaced whole. Never: decides what is run, or books.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from msgspec import Struct

from actors.reconciler import payout_files
from actors.reconciler.inputs import (
    Ledger,
    bank_rows,
    batch_of,
    files_read,
    ledger_end,
    prefix_of,
    statement_lines,
)
from actors.reconciler.kept import keep, look_at_break, pages_of, read_page
from payrail.domain.books import DISPUTES_BOOK, LEDGER_BOOK, REFUNDS_BOOK
from payrail.domain.settlement import merged, report
from payrail.domain.settlement.lines import StatementDamaged
from payrail.domain.settlement.matching import Batch, Found, Matcher, Window, in_order
from payrail.domain.settlement.our_claims import disputes, refunds
from payrail.domain.settlement.ours import Booked, captures, words_about
from payrail.domain.settlement.places import NEWEST, report_path, settlement_path
from payrail.domain.words.settlement import (
    BankRow,
    BatchClosed,
    Prefix,
    Reported,
    RunFailed,
    SettlementWritten,
)
from payrail.errors import LineDamaged
from payrail.runtime.errands import Outcome, Work
from payrail.runtime.ports import Fs


class WriteSettlement(Struct):
    """An order: the settlement file of a date."""

    date: str
    batches: list[BatchClosed]  # of that date


class Reconcile(Struct):
    """An order: the report of a date, from the ledger as it was when the date closed."""

    date: str
    batches: list[BatchClosed]  # of that date and all before
    prefixes: dict[str, int]  # by date: the end (`seq`) of the ledger's prefix
    ledger_bytes: int
    ledger_sha256: str
    refunds: Prefix
    refund_prefixes: dict[str, int]
    closed_ms: int
    before_ms: int
    is_newest: bool
    disputes: Prefix = Prefix()
    dispute_prefixes: dict[str, int] = {}


def all_works(fs: Fs) -> Mapping[str, Callable[[Any], Outcome]]:
    """The works by name, as plain functions."""
    return {
        "settle": partial(write_settlement, fs),
        "match": partial(reconcile, fs),
        "page": partial(read_page, fs),
        "break": partial(look_at_break, fs),
        payout_files.WORK: partial(payout_files.write, fs),
    }


@asynccontextmanager
async def reconciler_works(fs: Fs) -> AsyncIterator[Mapping[str, Work]]:
    """The same beside the loop, each in a thread."""

    def beside(work: Callable[[Any], Outcome]) -> Work:
        async def done(body: Any) -> Outcome:
            return await asyncio.to_thread(work, body)

        return done

    yield {name: beside(work) for name, work in all_works(fs).items()}


def write_settlement(fs: Fs, body: WriteSettlement) -> Outcome:
    """The settlement file of one date, and how long the ledger is now."""
    try:
        batches = [batch_of(told) for told in body.batches]
        lines = [(batch.id, line) for batch in batches for line in statement_lines(fs, batch)]
    except StatementDamaged as damage:
        return _failed(body.date, damage)
    data, count = merged.rendered(lines)
    path = settlement_path(body.date)
    fs.replace(path, data)
    paid_back, disputed = prefix_of(fs, REFUNDS_BOOK), prefix_of(fs, DISPUTES_BOOK)
    size, seq, sha256 = ledger_end(fs)
    told = SettlementWritten(
        date=body.date,
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        lines=count,
        through_seq=seq,
        ledger_bytes=size,
        ledger_sha256=sha256,
        refunds=paid_back,
        disputes=disputed,
    )
    return "settlement.written", told


def reconcile(fs: Fs, body: Reconcile) -> Outcome:
    """The report of one date, and the pages of what the gateway may book."""
    ledger = Ledger(fs, body.ledger_bytes)
    try:
        ours = captures(ledger.lines(), ledger.beyond())
        if ledger.sha256 != body.ledger_sha256:
            return _changed(LEDGER_BOOK, body.date)
        for path, prefix, read in _claims(body):
            claims = Ledger(fs, prefix.size_bytes, path)
            ours |= read(claims.lines())
            if claims.sha256 != prefix.sha256:
                return _changed(path, body.date)
        window = Window(
            body.date,
            body.closed_ms,
            body.before_ms,
            body.prefixes,
            body.refund_prefixes,
            body.dispute_prefixes,
        )
        matcher = Matcher(window, ours)
        today = _match(fs, matcher, body)
        paid = bank_rows(fs, today)
    except StatementDamaged as damage:
        return _failed(body.date, damage)
    except LineDamaged as damage:
        return "run.failed", RunFailed(body.date, "ledger-damaged", str(damage))
    matcher.missing()
    strange = {line.reference for _, line in matcher.found.strange}
    words = words_about(_both(fs, body), strange) if strange else {}
    matcher.resolve(words)
    files = files_read(
        fs,
        body.date,
        body.batches,
        through_seq=body.prefixes.get(body.date, 0),
        ledger_sha256=ledger.sha256,
        claims=[(path, prefix) for path, prefix, _ in _claims(body)],
    )
    return _told(fs, body, matcher.found, paid, files)


def _claims(
    body: Reconcile,
) -> list[tuple[str, Prefix, Callable[[Iterator[bytes]], Booked]]]:
    """The other files of the ledger: how much of each counts, and how it is read."""
    return [
        (REFUNDS_BOOK, body.refunds, refunds),
        (DISPUTES_BOOK, body.disputes, disputes),
    ]


def _both(fs: Fs, body: Reconcile) -> Iterator[bytes]:
    """The prefixes of both files: the last word on a refund stands in the second."""
    yield from Ledger(fs, body.ledger_bytes).lines()
    yield from Ledger(fs, body.refunds.size_bytes, REFUNDS_BOOK).lines()


def _changed(path: str, date: str) -> Outcome:
    detail = f"{path} is not what it was when {date} closed; run `payrail verify`"
    return "run.failed", RunFailed(date, "ledger-changed", detail)


def _match(fs: Fs, matcher: Matcher, body: Reconcile) -> list[Batch]:
    """Give the matcher every batch in its order; result: those of this date."""
    today = []
    for batch in in_order(map(batch_of, body.batches)):
        if batch.date == body.date:
            matcher.today(batch, statement_lines(fs, batch))
            today.append(batch)
        else:
            matcher.earlier(batch, statement_lines(fs, batch))
    return today


def _told(
    fs: Fs, body: Reconcile, found: Found, paid: list[BankRow], inputs: list[dict[str, Any]]
) -> Outcome:
    made = report.made(body.date, inputs, found, paid)
    data = report.rendered(made)
    pages = pages_of(body.date, report.to_settle(found), report.payouts(found, paid))
    keep(fs, body.date, pages, made.breaks, found)
    fs.replace(report_path(body.date), data)
    if body.is_newest:
        fs.replace(NEWEST, data)
    told = Reported(
        date=body.date,
        sha256=hashlib.sha256(data).hexdigest(),
        counts=made.counts,
        unexplained=made.unexplained,
        breaks=len(made.breaks),
        pages=len(pages),
        pages_sha256=hashlib.sha256(b"".join(pages)).hexdigest() if pages else "",
    )
    return "reconciliation.reported", told


def _failed(date: str, damage: StatementDamaged) -> Outcome:
    return "run.failed", RunFailed(date, "statement-damaged", str(damage))

"""The reconciler's work on files: settlement files, reports, pages of what is settled.

Owns: data/settlement/settlement_DATE.csv, data/reconciliation/reconciliation_report*.json and
data/actors/reconciler/found/. Each is replaced whole. Never: decides what is run, or books.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from payrail.domain.settlement import bank, merged, report, statements
from payrail.domain.settlement.breaks import Break
from payrail.domain.settlement.lines import StatementDamaged
from payrail.domain.settlement.matching import Batch, Found, Matcher, Window, in_order
from payrail.domain.settlement.ours import BOOK, captures, decode_seq, split, words_about
from payrail.domain.words.settlement import (
    ROWS_MAX,
    BankRow,
    BatchClosed,
    BreakSeen,
    PageRead,
    Reported,
    RunFailed,
    SettledRow,
    SettlementWritten,
)
from payrail.errors import LineDamaged
from payrail.runtime.errands import Outcome, Work
from payrail.runtime.ports import Fs

SETTLEMENTS, REPORTS = "data/settlement", "data/reconciliation"
NEWEST = f"{REPORTS}/reconciliation_report.json"
FOUND = "data/actors/reconciler/found"
READ_BYTES = 4 * 1024 * 1024
_OFFSET_BYTES = 8


class WriteSettlement(Struct):
    date: str
    batches: list[BatchClosed]  # of that date


class Reconcile(Struct):
    date: str
    batches: list[BatchClosed]  # of that date and all before
    prefixes: dict[str, int]  # by date: the end (`seq`) of the ledger's prefix
    ledger_bytes: int
    ledger_sha256: str
    closed_ms: int
    before_ms: int
    is_newest: bool


class ReadPage(Struct):
    date: str
    page: int  # from 1


class LookAtBreak(Struct):
    question: str
    date: str
    number: int


class Kept(Struct):
    """What a report found, as approvals need it later."""

    breaks: list["KeptBreak"]
    held: dict[str, list[SettledRow]]  # good captures of payments that have breaks


class KeptBreak(Struct):
    row: SettledRow
    merchant_id: str | None


_encode = msgspec.json.Encoder().encode
_decode_page = msgspec.json.Decoder(PageRead).decode
_decode_kept = msgspec.json.Decoder(Kept).decode


def settlement_path(date: str) -> str:
    return f"{SETTLEMENTS}/settlement_{date}.csv"


def report_path(date: str) -> str:
    return f"{REPORTS}/reconciliation_report_{date}.json"


def all_works(fs: Fs) -> Mapping[str, Callable[[Any], Outcome]]:
    """The works by name, as plain functions."""
    return {
        "settle": partial(write_settlement, fs),
        "match": partial(reconcile, fs),
        "page": partial(read_page, fs),
        "break": partial(look_at_break, fs),
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
        batches = [_batch(told) for told in body.batches]
        lines = [(batch.id, line) for batch in batches for line in _statement(fs, batch)]
    except StatementDamaged as damage:
        return _failed(body.date, damage)
    data, count = merged.rendered(lines)
    path = settlement_path(body.date)
    fs.replace(path, data)
    size, seq, sha256 = _ledger_end(fs)
    told = SettlementWritten(
        date=body.date,
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        lines=count,
        through_seq=seq,
        ledger_bytes=size,
        ledger_sha256=sha256,
    )
    return "settlement.written", told


def reconcile(fs: Fs, body: Reconcile) -> Outcome:
    """The report of one date, and the pages of what the gateway may book."""
    ledger = _Ledger(fs, body.ledger_bytes)
    try:
        ours = captures(ledger.lines())
        if ledger.sha256 != body.ledger_sha256:
            detail = f"{BOOK} is not what it was when {body.date} closed; run `payrail verify`"
            return "run.failed", RunFailed(body.date, "ledger-changed", detail)
        window = Window(body.date, body.closed_ms, body.before_ms, body.prefixes)
        matcher = Matcher(window, ours)
        today = _match(fs, matcher, body)
        paid = _bank_rows(fs, today)
    except StatementDamaged as damage:
        return _failed(body.date, damage)
    except LineDamaged as damage:
        return "run.failed", RunFailed(body.date, "ledger-damaged", str(damage))
    matcher.missing()
    strange = {line.reference for _, line in matcher.found.strange}
    words = words_about(_Ledger(fs, body.ledger_bytes).lines(), strange) if strange else {}
    matcher.resolve(words)
    return _told(fs, body, matcher.found, paid, _inputs(fs, body, ledger.sha256))


def read_page(fs: Fs, body: ReadPage) -> Outcome:
    """One page of what is settled."""
    index = fs.read(_found(body.date, "index"))
    begin, end = (
        int.from_bytes(index[place * _OFFSET_BYTES : (place + 1) * _OFFSET_BYTES])
        for place in (body.page - 1, body.page)
    )
    file = fs.open(_found(body.date, "jsonl"))
    try:
        return "page.read", _decode_page(file.pread(begin, end - begin))
    finally:
        file.close()


def look_at_break(fs: Fs, body: LookAtBreak) -> Outcome:
    """A break as its report has it, and what else holds its payment back."""
    path = _found(body.date, "json")
    kept = _decode_kept(fs.read(path)) if fs.exists(path) else Kept([], {})
    if not 1 <= body.number <= len(kept.breaks):
        return "break.seen", BreakSeen(body.question)
    one = kept.breaks[body.number - 1]
    about = one.row.payment_id
    others = [
        other.row.break_id or ""
        for other in kept.breaks
        if other.row.payment_id == about and other.row.break_id != one.row.break_id
    ]
    held = kept.held.get(about or "", [])
    return "break.seen", BreakSeen(body.question, one.row, one.merchant_id, held, others)


class _Ledger:
    """A prefix of the ledger's file: its lines, and the hash of their bytes once all were read."""

    def __init__(self, fs: Fs, size: int) -> None:
        self._fs, self._size, self._hash = fs, size, hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def lines(self) -> Iterator[bytes]:
        return split(self._chunks())

    def _chunks(self) -> Iterator[bytes]:
        if not self._size:
            return
        file = self._fs.open(BOOK)
        try:
            at = 0
            while at < self._size:
                data = file.pread(at, min(READ_BYTES, self._size - at))
                if not data:
                    return  # shorter than it was: the hash tells
                self._hash.update(data)
                at += len(data)
                yield data
        finally:
            file.close()


def _ledger_end(fs: Fs) -> tuple[int, int, str]:
    """(bytes, last seq, hash) of the ledger's whole lines now."""
    if not fs.exists(BOOK):
        return 0, 0, hashlib.sha256().hexdigest()
    digest, seen, last, rest = hashlib.sha256(), 0, b"", b""
    file = fs.open(BOOK)
    try:
        while data := file.pread(seen + len(rest), READ_BYTES):
            whole, _, rest = (rest + data).rpartition(b"\n")
            if whole:
                digest.update(whole + b"\n")
                seen += len(whole) + 1
                last = whole.rpartition(b"\n")[2]
    finally:
        file.close()
    return seen, decode_seq(last).seq if last else 0, digest.hexdigest()


def _match(fs: Fs, matcher: Matcher, body: Reconcile) -> list[Batch]:
    """Give the matcher every batch in its order; result: those of this date."""
    today = []
    for batch in in_order(map(_batch, body.batches)):
        if batch.date == body.date:
            matcher.today(batch, _statement(fs, batch))
            today.append(batch)
        else:
            matcher.earlier(batch, _statement(fs, batch))
    return today


def _batch(told: BatchClosed) -> Batch:
    return Batch(
        told.provider,
        told.batch_id,
        told.date,
        told.opened_ms,
        told.closed_ms,
        told.path,
        told.bank_path,
    )


def _statement(fs: Fs, batch: Batch) -> Iterator[Any]:
    return statements.read(batch.provider, batch.path, _rows(fs, batch.path))


def _rows(fs: Fs, path: str) -> Iterator[bytes]:
    """The lines of a provider's file. Raises StatementDamaged when it is not there."""
    if not fs.exists(path):
        raise StatementDamaged(path, 0, "the file is missing; put it back from the provider")
    data = fs.read(path)
    return (line.removesuffix(b"\r") for line in data.removesuffix(b"\n").split(b"\n") if data)


def _bank_rows(fs: Fs, today: Sequence[Batch]) -> list[BankRow]:
    """What the bank says about this date. Raises StatementDamaged."""
    paths = sorted({batch.bank_path for batch in today})
    return [row for path in paths for _, row in bank.read(path, _rows(fs, path))]


def _inputs(fs: Fs, body: Reconcile, ledger_sha256: str) -> list[dict[str, Any]]:
    """What the report was made of."""
    ledger = {
        "path": BOOK,
        "through_seq": body.prefixes.get(body.date, 0),
        "sha256": ledger_sha256,
    }
    paths = [told.path for told in body.batches]
    paths += [told.bank_path for told in body.batches if told.date == body.date]
    files = [
        {"path": path, "sha256": hashlib.sha256(fs.read(path)).hexdigest()}
        for path in sorted(set(paths))
    ]
    return [ledger, *files]


def _told(
    fs: Fs, body: Reconcile, found: Found, paid: list[BankRow], inputs: list[dict[str, Any]]
) -> Outcome:
    made = report.made(body.date, inputs, found, paid)
    data = report.rendered(made)
    pages = _pages(body.date, report.to_settle(found), report.payouts(found, paid))
    _keep(fs, body.date, pages, made.breaks, found)
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


def _pages(date: str, rows: list[SettledRow], payouts: list[BankRow]) -> list[bytes]:
    """What the gateway may book, so much at once as fits into one of its steps."""
    parts: list[tuple[list[SettledRow], list[BankRow], str]] = [
        (rows[at : at + ROWS_MAX], [], "") for at in range(0, len(rows), ROWS_MAX)
    ]
    providers = sorted({_provider_of(row) for row in payouts})
    for provider in providers:
        own = [row for row in payouts if _provider_of(row) == provider]
        parts += [([], own[at : at + ROWS_MAX], provider) for at in range(0, len(own), ROWS_MAX)]
    return [
        _encode(PageRead(date, number, some, paid, provider))
        for number, (some, paid, provider) in enumerate(parts, 1)
    ]


def _provider_of(row: BankRow) -> str:
    """A batch's id begins with the name of its provider."""
    return row.reference.partition("-")[0]


def _keep(fs: Fs, date: str, pages: list[bytes], found: list[Break], all_found: Found) -> None:
    offsets, at = [0], 0
    for page in pages:
        at += len(page)
        offsets.append(at)
    broken = {one.payment_id for one in found}
    held: dict[str, list[SettledRow]] = {}
    for ours, line in all_found.matched:
        if ours.payment_id in broken:
            row = SettledRow(ours.payment_id, ours.capture_id, ours.provider, line.batch_id)
            held.setdefault(ours.payment_id, []).append(row)
    kept = Kept([KeptBreak(_row(one), one.merchant_id) for one in found], held)
    fs.replace(_found(date, "jsonl"), b"".join(pages))
    fs.replace(_found(date, "index"), b"".join(o.to_bytes(_OFFSET_BYTES) for o in offsets))
    fs.replace(_found(date, "json"), _encode(kept))


def _row(one: Break) -> SettledRow:
    """What approving this break books."""
    return SettledRow(
        one.payment_id,
        one.capture_id,
        one.provider,
        one.batch_id,
        break_id=one.id,
        break_class=one.class_,
        postings=one.suggested_posting,
    )


def _found(date: str, ending: str) -> str:
    return f"{FOUND}/{date}.{ending}"


def _failed(date: str, damage: StatementDamaged) -> Outcome:
    return "run.failed", RunFailed(date, "statement-damaged", str(damage))

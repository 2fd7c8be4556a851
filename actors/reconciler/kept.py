"""What a report found, kept for later: pages of what the gateway may book, and breaks by number.

Owns: data/actors/reconciler/found/, three files for a date, replaced whole by each report of it:
.jsonl has the pages, .index where each begins and ends, .json the breaks. Never: books.
"""

import msgspec
from msgspec import Struct

from payrail.domain.settlement.breaks import Break
from payrail.domain.settlement.lines import StatementLine
from payrail.domain.settlement.matching import Found
from payrail.domain.settlement.ours import Ours
from payrail.domain.settlement.report import name_claim, settled_row
from payrail.domain.words.settlement import ROWS_MAX, BankRow, BreakSeen, PageRead, SettledRow
from payrail.runtime.errands import Outcome
from payrail.runtime.ports import Fs

FOUND = "data/actors/reconciler/found"
_OFFSET_BYTES = 8


class ReadPage(Struct):
    """An order: one page, for the gateway to book."""

    date: str
    page: int  # from 1


class LookAtBreak(Struct):
    """An order: a break of a date's report, by its number there, for a person's question."""

    question: str
    date: str
    number: int  # from 1


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


def pages_of(date: str, rows: list[SettledRow], payouts: list[BankRow]) -> list[bytes]:
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


def keep(fs: Fs, date: str, pages: list[bytes], found: list[Break], all_found: Found) -> None:
    """Write the three files of a date; a reader comes only after the report was told of."""
    offsets, at = [0], 0
    for page in pages:
        at += len(page)
        offsets.append(at)
    broken = {one.payment_id for one in found}
    held: dict[str, list[SettledRow]] = {}
    for ours, line in all_found.matched:
        if ours.payment_id in broken:
            row = settled_row(ours, line.batch_id, line)
            held.setdefault(ours.payment_id, []).append(row)
    sides = {one.id: (ours, line) for one, ours, line in all_found.breaks}
    kept = Kept([KeptBreak(_row(one, *sides[one.id]), one.merchant_id) for one in found], held)
    fs.replace(_found(date, "jsonl"), b"".join(pages))
    fs.replace(_found(date, "index"), b"".join(o.to_bytes(_OFFSET_BYTES) for o in offsets))
    fs.replace(_found(date, "json"), _encode(kept))


def _row(one: Break, ours: Ours | None, line: StatementLine | None) -> SettledRow:
    """What approving this break books, and what that stands for: a line of a statement, and what
    we booked, of which each is booked once."""
    row = SettledRow(
        one.payment_id,
        one.capture_id,
        one.provider,
        one.batch_id,
        break_id=one.id,
        break_class=one.class_,
        postings=one.suggested_posting,
        line=line.place if line else None,
    )
    if ours is not None and not ours.is_capture:
        name_claim(row, ours)
    return row


def _found(date: str, ending: str) -> str:
    return f"{FOUND}/{date}.{ending}"


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

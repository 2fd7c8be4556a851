"""Write the statement of a batch and its bank file, from the truth as it lies in its file.

Owns: data/providers/statements/providerX/<batch>.csv and bank_YYYY-MM-DD.csv.
Never: asks what the provider remembers. What somebody changed in the truth by hand is stated as it
stands there; a line that cannot be read is left out, and the reconciler will miss it.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

import msgspec
from msgspec import Struct

from actors.provider.batches import WORK, Closing, WriteStatement
from actors.provider.mismatches import Drawn, spoil
from actors.provider.truth import MONEY, truth_book
from payrail.domain.fees import provider_fee
from payrail.domain.settlement import bank, statements
from payrail.domain.settlement.lines import (
    CAPTURE,
    DISPUTE_FEE,
    ChargeOf,
    StatementLine,
    plain,
)
from payrail.domain.timestamps import iso, parse_iso
from payrail.domain.words.settlement import Carried, StatementWritten
from payrail.runtime.errands import Outcome, Work
from payrail.runtime.ports import File, Fs

FOLDER = "data/providers/statements"
READ_BYTES = 1024 * 1024
#: More than any payment has; a larger number was written by hand.
_AMOUNT_MAX = 10**12


class _Line(Struct):
    """A line of the truth, as much of it as a statement needs."""

    seq: int
    at: str
    reference: str
    operation: str
    operation_id: str
    amount: int
    currency: str
    provider_reference: str | None = None
    merchant_id: str | None = None
    fee: int = 0
    charge: ChargeOf | None = None


_decode = msgspec.json.Decoder(_Line).decode


@asynccontextmanager
async def statement_works(fs: Fs) -> AsyncIterator[Mapping[str, Work]]:
    """The work `statement`, beside the loop."""

    async def statement(body: WriteStatement) -> Outcome:
        return await asyncio.to_thread(write_statement, fs, body)

    yield {WORK: statement}


def write_statement(fs: Fs, body: WriteStatement) -> tuple[str, StatementWritten]:
    """Write both files; the same body writes the same bytes, as long as the truth is the same."""
    closing, provider = body.closing, body.provider
    reading = _Reading(fs, body)
    spoiled = spoil(reading.drawn, body.plan, body.seed)
    path = f"{FOLDER}/{provider}/{closing.id}.csv"
    bank_path = f"{FOLDER}/{provider}/bank_{closing.date}.csv"
    paid = bank.rows_of(spoiled.lines, closing.id, closing.date)
    data = statements.rendered(provider, spoiled.lines, paid, iso(closing.closed_ms))
    fs.replace(path, data)
    fs.replace(bank_path, bank.rendered(provider, [*body.bank, *paid]))
    return "statement.written", StatementWritten(
        batch_id=closing.id,
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        bank_path=bank_path,
        bank=paid,
        lines=len(spoiled.lines),
        taken=reading.money - len(spoiled.carried),
        next_seq=reading.next_seq,
        next_offset=reading.next_offset,
        injected=spoiled.injected,
        carried=spoiled.carried,
    )


class _Reading:
    """The lines of one batch, read off the truth: those put off before, then its own."""

    def __init__(self, fs: Fs, body: WriteStatement) -> None:
        self._body = body
        self.drawn: list[Drawn] = []
        self.money = 0
        self.next_seq, self.next_offset = body.from_seq, body.from_offset
        path = truth_book(body.provider).path
        if not fs.exists(path):
            return
        file = fs.open(path)
        try:
            for carried in body.carried:
                self._take_carried(file, carried)
            for offset, end, raw in _lines_from(file, body.from_seq, body.from_offset):
                if not self._take(offset, end, raw):
                    break
        finally:
            file.close()

    def _take_carried(self, file: File, carried: Carried) -> None:
        self.money += 1
        for offset, _end, raw in _lines_from(file, carried.seq, carried.offset):
            line = _readable(raw)
            if line is not None and line.seq == carried.seq:
                self._draw(offset, line)
            return

    def _take(self, offset: int, end: int, raw: bytes) -> bool:
        """One line of the batch; False for the first one behind it."""
        closing = self._body.closing
        line = _readable(raw)
        if self.next_seq > closing.last_seq or (line and line.seq > closing.last_seq):
            return False
        if line is not None and not closing.is_extra and _at_ms(line, closing) >= closing.closed_ms:
            return False
        self.next_seq = max(self.next_seq, line.seq if line else 0) + 1
        self.next_offset = end
        if line is None:
            self.money += any(b'"operation":"%b"' % name.encode() in raw for name in MONEY)
        elif line.operation in MONEY:
            self.money += 1
            self._draw(offset, line)
        return True

    def _draw(self, offset: int, line: _Line) -> None:
        try:
            stated = _stated(self._body.provider, self._body.closing, line)
        except (ValueError, KeyError):
            return  # Somebody wrote what no statement can say.
        self.drawn.append(Drawn(stated, line.seq, offset))


def _stated(provider: str, closing: Closing, line: _Line) -> StatementLine:
    """The line of a statement about one effect. Raises ValueError or KeyError."""
    if not 0 < line.amount < _AMOUNT_MAX or abs(line.fee) >= _AMOUNT_MAX:
        raise ValueError("no amount of a payment")
    type_, sign = MONEY[line.operation]
    fee, at = _fee(provider, line, type_), iso(parse_iso(line.at))
    return StatementLine(
        file="",
        line=0,
        provider=provider,
        batch_id=closing.id,
        provider_reference=plain(line.provider_reference or line.reference),
        reference=plain(line.reference),
        operation_id=plain(line.operation_id),
        merchant_id=plain(line.merchant_id or ""),
        type=type_,
        currency=line.currency,
        gross=sign * line.amount,
        fee=fee,
        net=sign * line.amount - fee,
        occurred_at=at,
        value_date=closing.date,
        charge=_shown(line.charge),
        available_on=at[:10] if _is_at_once(line) else iso(closing.closed_ms)[:10],
    )


def _is_at_once(line: _Line) -> bool:
    """Whether its money is available on its own day; other money is when its batch ends."""
    is_charge = MONEY[line.operation][0] == CAPTURE
    return is_charge and line.charge is not None and line.charge.is_available_at_once


def _shown(charge: ChargeOf | None) -> ChargeOf | None:
    """Raises ValueError for what somebody spoiled in it."""
    if charge is None:
        return None
    words = [plain(text) for text in (charge.id, charge.brand, charge.funding, charge.country)]
    ident, brand, funding, country = words
    at, is_at_once = iso(parse_iso(charge.at)), charge.is_available_at_once
    return ChargeOf(ident, at, brand, funding, country, is_at_once)


def _fee(provider: str, line: _Line, type_: str) -> int:
    """What is kept beside the gross: of a capture by tariff, of a dispute as it was asked."""
    if type_ == CAPTURE:
        return provider_fee(provider, line.amount, line.currency)
    return line.amount if type_ == DISPUTE_FEE else line.fee


def _at_ms(line: _Line, closing: Closing) -> int:
    try:
        return parse_iso(line.at)
    except ValueError:
        return closing.opened_ms  # a time that somebody spoiled: it is in this batch by its place


def _readable(raw: bytes) -> _Line | None:
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _lines_from(file: File, seq: int, offset: int) -> Iterator[tuple[int, int, bytes]]:
    """(offset, end, line) from the line of that number on. It is looked for at `offset` first;
    where it does not begin there, lines were changed or taken out by hand: then from the top. A
    line that cannot be read counts as the one behind the line above it."""
    if offset == file.size():
        return
    first = next(_lines(file, offset), None)
    line = _readable(first[2]) if first else None
    if line is not None and line.seq == seq:
        yield from _lines(file, offset)
        return
    number = 0
    for found in _lines(file, 0):
        line = _readable(found[2])
        number = max(number, line.seq - 1 if line else 0) + 1
        if number >= seq:
            yield found


def _lines(file: File, offset: int) -> Iterator[tuple[int, int, bytes]]:
    rest = b""
    while data := file.pread(offset + len(rest), READ_BYTES):
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            end = offset + len(line) + 1
            yield offset, end, line.strip(b"\0")
            offset = end

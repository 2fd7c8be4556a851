"""What we booked of money that went back: refunds and disputes in their files of the ledger.

A dispute moves money several times: the chargeback, the fee for its answer, what is given back
when it is won, and a second chargeback. Each is a line of a statement of its own. An inquiry moves
none. Never: judges what a provider says.
"""

from collections.abc import Callable, Iterable

import msgspec
from msgspec import Struct

from payrail.domain.books import DISPUTES_BOOK, REFUNDS_BOOK
from payrail.domain.settlement.lines import (
    CHARGEBACK,
    CHARGEBACK_REVERSED,
    DISPUTE_FEE,
    REFUND,
    REFUND_FAILED,
    SECOND_CHARGEBACK,
)
from payrail.domain.settlement.ours import Booked, Ours
from payrail.domain.timestamps import parse_iso
from payrail.errors import LineDamaged

_INQUIRY = "inquiry"


class _Data(Struct):
    """What any of the entries tells; each has its part of it."""

    payment_id: str
    provider: str = ""
    reference: str | None = None
    provider_reference: str = ""
    succeeded_at: str | None = None
    occurred_at: str | None = None
    was_succeeded: bool = False
    stage: str = ""
    fee: int = 0
    fee_returned: int = 0
    second: bool = False


class _Entry(Struct):
    seq: int
    type: str
    ref: str
    merchant_id: str | None
    timestamp: str
    amount: int
    currency: str
    data: _Data

    @property
    def at_ms(self) -> int:
        """Business time where the entry has it."""
        return parse_iso(self.data.succeeded_at or self.data.occurred_at or self.timestamp)


_decode = msgspec.json.Decoder(_Entry).decode
_Book = Callable[[int, bytes, dict[str, "_Entry"]], Ours | None]


def refunds(lines: Iterable[bytes]) -> Booked:
    """Every refund of these lines that succeeded, and every one that was sent back after that.
    Raises LineDamaged that names the line's number."""
    return _read(REFUNDS_BOOK, lines, _of_refund, (b'"refund.succeeded"', b'"refund.failed"'))


def disputes(lines: Iterable[bytes]) -> Booked:
    """Everything that a dispute of these lines has moved. Raises LineDamaged likewise."""
    return _read(DISPUTES_BOOK, lines, _of_dispute, (b'"type":"dispute.',))


def _read(path: str, lines: Iterable[bytes], book: _Book, types: tuple[bytes, ...]) -> Booked:
    found: Booked = {}
    begun: dict[str, _Entry] = {}  # what names each at its provider, by its id
    for number, line in enumerate(lines, 1):
        if not any(name in line for name in types):
            continue
        try:
            ours = book(number, line, begun)
        except (msgspec.MsgspecError, ValueError, KeyError) as error:
            raise LineDamaged(f"{path}:{number}: {error}; run `payrail verify`") from error
        if ours is not None:
            found[ours.key] = ours
    return found


def _of_refund(number: int, line: bytes, begun: dict[str, _Entry]) -> Ours | None:
    entry = _decode(line)
    if entry.type == "refund.succeeded":
        begun[entry.ref] = entry
        return _ours(number, entry, entry, REFUND, -entry.amount)
    if not entry.data.was_succeeded:
        return None
    return _ours(number, entry, begun[entry.ref], REFUND_FAILED, entry.amount)


def _of_dispute(number: int, line: bytes, begun: dict[str, _Entry]) -> Ours | None:
    entry = _decode(line)
    data, amount = entry.data, entry.amount
    if entry.type == "dispute.opened":
        begun[entry.ref] = entry
    first = begun[entry.ref]
    if first.data.stage == _INQUIRY:
        return None
    match entry.type:
        case "dispute.opened":
            return _ours(number, entry, first, CHARGEBACK, -amount, data.fee)
        case "dispute.submitted" if data.fee:
            return _ours(number, entry, first, DISPUTE_FEE, 0, data.fee)
        case "dispute.won":
            return _ours(number, entry, first, CHARGEBACK_REVERSED, amount, -data.fee_returned)
        case "dispute.lost" if data.second:
            return _ours(number, entry, first, SECOND_CHARGEBACK, -amount)
    return None


def _ours(number: int, entry: _Entry, first: _Entry, type_: str, gross: int, fee: int = 0) -> Ours:
    """`first` is the entry that names it at its provider."""
    return Ours(
        payment_id=entry.data.payment_id,
        capture_id=entry.ref,
        merchant_id=entry.merchant_id or "",
        provider=first.data.provider,
        provider_reference=first.data.provider_reference,
        reference=first.data.reference or "",
        currency=entry.currency,
        gross=gross,
        captured_ms=entry.at_ms,
        seq=entry.seq,
        line=number,
        fee=fee,
        type=type_,
    )

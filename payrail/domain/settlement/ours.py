"""What we booked: the captures in a prefix of the ledger, streamed, in a few words. What was paid
back or charged back is in `our_claims`.

Never: folds payments. A capture and its fee stand in neighbouring lines of the book; what became
of the payment afterwards says nothing about what a provider owes for it.
"""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from payrail.domain.books import LEDGER_BOOK
from payrail.domain.fees import merchant_fee, provider_fee
from payrail.domain.settlement.lines import CAPTURE
from payrail.domain.timestamps import parse_iso
from payrail.errors import LineDamaged

_CAPTURED, _FEE = b'"type":"payment.captured"', b'"type":"fee.charged"'
_SETTLED = b'"type":"payment.settled"'


class Ours(Struct, gc=False):
    """One movement of money as we booked it: a capture, or of another type (see `lines`), whose
    gross is below zero where the provider takes. `line` counts from 1 in its file of the ledger."""

    payment_id: str
    capture_id: str  # of a refund or a dispute: its own id
    merchant_id: str
    provider: str
    provider_reference: str
    reference: str
    currency: str
    gross: int
    captured_ms: int  # business time
    seq: int
    line: int
    fee: int = 0  # what we expect the provider to keep
    merchant_fee: int = 0
    type: str = CAPTURE
    adjusted_by: str | None = None  # the break about it that was posted in this prefix

    @property
    def net(self) -> int:
        return self.gross - self.fee

    @property
    def due(self) -> int:
        """What the merchant gets when it is settled; all but captures was taken from the merchant
        or given back when it was booked."""
        return self.gross - self.merchant_fee if self.is_capture else 0

    @property
    def is_capture(self) -> bool:
        return self.type == CAPTURE

    @property
    def key(self) -> tuple[str, str, str]:
        """What a line of a statement is matched on."""
        return self.provider, self.provider_reference, self.type


class _Captured(Struct):
    capture_id: str
    provider: str
    reference: str
    provider_reference: str
    captured_at: str | None = None


class _CapturedEntry(Struct):
    seq: int
    ref: str
    merchant_id: str | None
    timestamp: str
    amount: int
    currency: str
    data: _Captured


class _Fee(Struct):
    capture_id: str
    merchant_fee: int
    provider_fee: int


class _FeeEntry(Struct):
    data: _Fee


class _Settled(Struct):
    capture_id: str | None = None
    adjusted: bool = False
    break_id: str | None = None


class _SettledEntry(Struct):
    data: _Settled


class _Seq(Struct):
    seq: int
    type: str
    ref: str


class _About(Struct):
    reference: str | None = None


class _AboutEntry(Struct):
    type: str
    data: _About


_decode_captured = msgspec.json.Decoder(_CapturedEntry).decode
_decode_fee = msgspec.json.Decoder(_FeeEntry).decode
_decode_settled = msgspec.json.Decoder(_SettledEntry).decode
_decode_about = msgspec.json.Decoder(_AboutEntry).decode
decode_seq = msgspec.json.Decoder(_Seq).decode

Booked = dict[tuple[str, str, str], Ours]  # by (provider, provider_reference, type)


def captures(lines: Iterable[bytes], beyond: Iterable[bytes] = ()) -> Booked:
    """Every capture of these ledger lines. Raises LineDamaged that names the line's number.
    `beyond`: the lines behind them, where the fee of a last capture may stand."""
    found: Booked = {}
    by_id: dict[str, Ours] = {}
    unpriced: dict[str, Ours] = {}
    for number, line in enumerate(lines, 1):
        try:
            if _CAPTURED in line:
                ours = _ours(number, line)
                found[ours.key] = by_id[ours.capture_id] = ours
                unpriced[ours.capture_id] = ours
            elif _FEE in line:
                _add_fee(unpriced, line)
            elif _SETTLED in line:
                _add_settled(by_id, line)
        except (msgspec.MsgspecError, ValueError, KeyError) as error:
            raise LineDamaged(f"{LEDGER_BOOK}:{number}: {error}; run `payrail verify`") from error
    _price(unpriced, beyond)
    for ours in unpriced.values():  # Its fee is in no line yet: it is what is usual.
        ours.fee = provider_fee(ours.provider, ours.gross, ours.currency)
        ours.merchant_fee = merchant_fee(ours.gross, ours.currency)
    return found


def _ours(number: int, line: bytes) -> Ours:
    entry = _decode_captured(line)
    data = entry.data
    return Ours(
        payment_id=entry.ref,
        capture_id=data.capture_id,
        merchant_id=entry.merchant_id or "",
        provider=data.provider,
        provider_reference=data.provider_reference,
        reference=data.reference,
        currency=entry.currency,
        gross=entry.amount,
        captured_ms=parse_iso(data.captured_at or entry.timestamp),
        seq=entry.seq,
        line=number,
    )


def _add_fee(unpriced: dict[str, Ours], line: bytes) -> None:
    fee = _decode_fee(line).data
    ours = unpriced.pop(fee.capture_id, None)
    if ours is not None:
        ours.fee, ours.merchant_fee = fee.provider_fee, fee.merchant_fee


def _price(unpriced: dict[str, Ours], beyond: Iterable[bytes]) -> None:
    """The end of a prefix may fall between capture and fee."""
    if not unpriced:
        return
    for line in beyond:
        if _FEE in line:
            _add_fee(unpriced, line)


def _add_settled(by_id: dict[str, Ours], line: bytes) -> None:
    settled = _decode_settled(line).data
    ours = by_id.get(settled.capture_id or "")
    if ours is not None and settled.adjusted:
        ours.adjusted_by = settled.break_id


def words_about(lines: Iterable[bytes], references: set[str]) -> dict[str, tuple[int, list[str]]]:
    """(line of the last, types) of the entries about these calls of ours: for the few lines of a
    statement that match no capture."""
    found: dict[str, tuple[int, list[str]]] = {}
    wanted = {reference: reference.encode() for reference in references if reference}
    payments = {reference.rpartition(".")[0].encode() for reference in wanted}
    for number, line in enumerate(lines, 1):
        if not any(payment in line for payment in payments):
            continue
        try:
            about = _decode_about(line)
        except msgspec.MsgspecError:
            continue  # an entry about no call
        if about.data.reference in wanted:
            types = found.get(about.data.reference or "", (0, []))[1]
            found[about.data.reference or ""] = (number, [*types, about.type])
    return found


def split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines, without their ends, of a file that is read in chunks."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        yield rest

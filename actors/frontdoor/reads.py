"""What the books say, for reads: an index over the payments' book, caught up before each answer.

Owns nothing; reads data/ledger/payments.jsonl, once those of refunds and disputes were read: an
entry about one is never seen without those of its payment that came before it. It keeps one short
row for each payment and the offsets of its entries, and reads those again to show a payment, so
that memory stays small.
Never: asks the gateway. A read works while the gateway is down, but not before it has served once
since the machine booted; see `payrail.web.whole`.
"""

import sys
from array import array
from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct

from actors.frontdoor.claim_reads import DISPUTES, REFUNDS, ClaimsView
from actors.frontdoor.dated import DatedSums, Sums, together
from actors.frontdoor.object_rows import Kind, ObjectRows
from payrail.domain import cases, payouts
from payrail.domain.books import LEDGER_BOOK
from payrail.domain.ledger import Posting, read_entry
from payrail.domain.payment_claims import payment_of
from payrail.domain.payment_view import PaymentState, PaymentView
from payrail.domain.payments import PAYMENT_TRANSITIONS, fold
from payrail.errors import Corrupt, LineDamaged
from payrail.runtime.ports import Fs
from payrail.storage.books import Follower, read_line
from payrail.web.whole import taken_as_whole

#: Entries that tell whether a payment is settled.
_COUNTED = frozenset(
    {"payment.authorized", "payment.captured", "payment.released", "payment.settled"}
)
#: Entries folded before others get their turn.
SLICE_LINES = 500


class Row(Struct):
    """A payment as lists filter it."""

    id: str
    merchant_id: str | None
    amount: int
    currency: str
    state: PaymentState
    created_at: str
    last4: str
    offsets: "array[int]"  # of its entries in the book
    provider: str | None = None
    held: int = 0  # may still be captured
    unsettled: int = 0  # captures in no statement yet


class Words(Struct, frozen=True):
    """What people wrote about a payment: too long for its row, so it is read when asked for."""

    name: str | None = None
    email: str | None = None
    metadata: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        return (self.name or "", self.email or "", *self.metadata)


class _Card(Struct):
    last4: str


class _Created(Struct):
    payment_method: _Card


class _Customer(Struct):
    name: str | None = None
    email: str | None = None


class _Written(Struct):
    customer: _Customer | None = None
    metadata: dict[str, str] = {}


class _CreatedLine(Struct):
    data: _Written


class _Provider(Struct):
    provider: str | None = None
    payment_id: str | None = None
    capture_id: str | None = None
    final_capture: bool = True
    challenge_id: str = ""


class _Entry(Struct):
    """As much of an entry as the index needs; unknown types are no damage here."""

    type: str
    ref: str
    merchant_id: str | None
    timestamp: str
    amount: int
    currency: str
    data: msgspec.Raw
    postings: list[Posting]


class _Seq(Struct):
    seq: int


_decode_seq = msgspec.json.Decoder(_Seq).decode
_decode = msgspec.json.Decoder(_Entry).decode
_decode_created = msgspec.json.Decoder(_Created).decode
_decode_written = msgspec.json.Decoder(_CreatedLine).decode
_decode_provider = msgspec.json.Decoder(_Provider).decode


_CASES = Kind(cases.CaseState.OPEN, cases.CASE_TRANSITIONS, cases.fold)
_PAYOUTS = Kind(payouts.PayoutState.IN_TRANSIT, payouts.PAYOUT_TRANSITIONS, payouts.fold)


class PaymentsView:
    """The fold of the payments' book."""

    def __init__(self, fs: Fs, must_be_whole: Callable[[], None] = taken_as_whole) -> None:
        """`must_be_whole` raises RequestError while the books may lack lines."""
        self._must_be_whole = must_be_whole
        self._follower = Follower(fs, LEDGER_BOOK)
        self._rows: dict[str, Row] = {}
        self._challenged: dict[str, str] = {}  # challenge -> payment
        self._of_merchant: dict[str | None, list[Row]] = {}
        self._all: list[Row] = []
        self._sums = DatedSums(self._follower)
        self.cases, self.payouts = ObjectRows(_CASES, self._line), ObjectRows(_PAYOUTS, self._line)
        self.refunds, self.disputes = ClaimsView(fs, REFUNDS), ClaimsView(fs, DISPUTES)

    def catch_up(self) -> None:
        """Fold what was booked since, to answer by it. Raises Corrupt, and RequestError 503."""
        self._must_be_whole()
        while self.catch_up_some():
            pass

    def catch_up_some(self) -> bool:
        """Fold one slice; True when there may be more."""
        if self.refunds.catch_up_some() or self.disputes.catch_up_some():
            return True
        for count, (offset, line) in enumerate(self._follower.read(), 1):
            self._fold(offset, line)
            if count == SLICE_LINES:
                return True
        return False

    def row(self, payment_id: str, merchant_id: str | None) -> Row | None:
        """The payment's row if it is this merchant's; None asks for the house, over all."""
        row = self._rows.get(payment_id)
        if row is None or merchant_id not in (None, row.merchant_id):
            return None
        return row

    def challenged(self, challenge_id: str) -> Row | None:
        """The row of the payment that has, or had, this challenge."""
        return self._rows.get(self._challenged.get(challenge_id, ""))

    def oldest_first(self, merchant_id: str | None) -> list[Row]:
        """Rows in the order they were made: the caller walks them from the end."""
        return self._all if merchant_id is None else self._of_merchant.get(merchant_id, [])

    def lines(self, row: Row) -> Iterator[bytes]:
        """The lines of the payment, its refunds and its disputes, oldest first."""
        about = [*self.refunds.lines_of(row.id), *self.disputes.lines_of(row.id)]
        if not about:
            yield from self._own_lines(row)
            return
        yield from sorted([*self._own_lines(row), *about], key=_seq_of)

    def _own_lines(self, row: Row) -> Iterator[bytes]:
        for offset in row.offsets:
            yield self._line(offset)

    def words(self, row: Row) -> Words:
        """What its first entry says in people's words. Raises LineDamaged."""
        try:
            said = _decode_written(self._line(row.offsets[0])).data
        except msgspec.MsgspecError as error:
            raise LineDamaged(f"{row.id} is not described as we know it: {error}") from error
        customer = said.customer or _Customer()
        return Words(customer.name, customer.email, tuple(said.metadata.values()))

    def balances(self, at: str | None) -> Sums:
        """What the books say by account, now or at a time."""
        books = (self._sums, self.refunds.sums, self.disputes.sums)
        return together(*(book.now() if at is None else book.at(at) for book in books))

    def view(self, row: Row, at: str | None = None) -> PaymentView:
        """The payment as its entries tell it, or told it at a time when it was there already."""
        view: PaymentView | None = None
        for line in self.lines(row):
            _seq, entry = read_entry(line)
            if at is not None and entry.timestamp > at:
                continue
            if not entry.type.startswith("case.") and payment_of(entry) == row.id:
                view = fold(view, entry)
        if view is None:
            raise Corrupt(LEDGER_BOOK, 0, f"{row.id} has no entries")
        return view

    def _line(self, offset: int) -> bytes:
        return read_line(self._follower.known(), offset)

    def _fold(self, offset: int, line: bytes) -> None:
        try:
            entry = _decode(line)
            row = self._row_of(entry)
            if entry.type.startswith("case."):
                self._add_case(entry, offset)
            elif entry.type.startswith("payout."):
                self._add_payout(entry, offset)
        except msgspec.MsgspecError as error:
            raise Corrupt(LEDGER_BOOK, self._follower.lines, f"not an entry: {error}") from error
        self._sums.add(offset, offset + len(line) + 1, entry.timestamp, entry.postings)
        if row is None:
            return
        row.offsets.append(offset)
        if entry.ref == row.id:
            self._move(row, entry)

    def _row_of(self, entry: _Entry) -> Row | None:
        """The row that an entry belongs to, made for a new payment; None for other objects."""
        if entry.type == "payment.created":
            row = Row(
                entry.ref,
                entry.merchant_id,
                entry.amount,
                entry.currency,
                PaymentState.CREATED,
                entry.timestamp,
                sys.intern(_decode_created(entry.data).payment_method.last4),
                array("q"),
            )
            self._rows[row.id] = row
            self._of_merchant.setdefault(row.merchant_id, []).append(row)
            self._all.append(row)
            return row
        found = self._rows.get(entry.ref)
        if found is None and entry.type.startswith("case."):
            return self._rows.get(_decode_provider(entry.data).payment_id or "")
        return found

    def _add_case(self, entry: _Entry, offset: int) -> None:
        about = _decode_provider(entry.data).payment_id or ""
        self.cases.add(entry.type, entry.ref, entry.merchant_id, about, offset)

    def _add_payout(self, entry: _Entry, offset: int) -> None:
        self.payouts.add(entry.type, entry.ref, entry.merchant_id, entry.currency, offset)

    def _move(self, row: Row, entry: _Entry) -> None:
        row.state = PAYMENT_TRANSITIONS.get((row.state, entry.type), row.state)
        if entry.type in ("payment.attempt_started", "payment.authorized"):
            row.provider = _decode_provider(entry.data).provider
        if entry.type == "payment.requires_action":
            self._challenged[_decode_provider(entry.data).challenge_id] = row.id
        if entry.type in _COUNTED:
            self._count(row, entry)

    def _count(self, row: Row, entry: _Entry) -> None:
        """As `payments.fold` settles: with the last capture, and nothing left to capture."""
        data = _decode_provider(entry.data)
        match entry.type:
            case "payment.authorized":
                row.held = entry.amount
            case "payment.captured":
                row.held = 0 if data.final_capture else row.held - entry.amount
                row.unsettled += 1
            case "payment.released":
                row.held = 0
            case "payment.settled" if data.capture_id is not None:
                row.unsettled -= 1
        if row.state is PaymentState.SETTLED and (row.held or row.unsettled):
            row.state = PaymentState.CAPTURED
        elif entry.type == "payment.released" and row.state is PaymentState.CAPTURED:
            row.state = PaymentState.CAPTURED if row.unsettled else PaymentState.SETTLED


def _seq_of(line: bytes) -> int:
    return _decode_seq(line).seq

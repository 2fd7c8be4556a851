"""What the books say of refunds, for reads: an index over their book, beside that of payments.

Owns nothing; reads data/ledger/refunds.jsonl. It keeps a short row for each refund and the offsets
of its entries. Never: asks the gateway.
"""

from array import array
from collections.abc import Iterator

from msgspec import Struct

from actors.frontdoor.dated import DatedSums
from actors.frontdoor.heads import no_such
from payrail.domain.books import REFUNDS_BOOK
from payrail.domain.ledger import LedgerEntry, read_entry
from payrail.domain.refunds import REFUND_TRANSITIONS, RefundState, RefundView, fold
from payrail.errors import Corrupt, LineDamaged
from payrail.runtime.ports import File, Fs
from payrail.storage.books import Follower, read_line

#: Entries folded before others get their turn.
SLICE_LINES = 500


class RefundRow(Struct):
    """A refund as lists filter it."""

    id: str
    merchant_id: str | None
    payment_id: str
    state: RefundState
    offsets: "array[int]"  # of its entries in the book


class RefundsView:
    """The fold of the refunds' book."""

    def __init__(self, fs: Fs) -> None:
        self._fs = fs
        self._follower = Follower(fs, REFUNDS_BOOK)
        self._file: File | None = None
        self._rows: dict[str, RefundRow] = {}
        self._of_merchant: dict[str | None, list[RefundRow]] = {}
        self._of_payment: dict[str, list[RefundRow]] = {}
        self._all: list[RefundRow] = []
        self.sums = DatedSums(fs, REFUNDS_BOOK)

    def catch_up_some(self) -> bool:
        """Fold one slice; True when there may be more. Raises Corrupt."""
        for count, (offset, line) in enumerate(self._follower.read(), 1):
            self._fold(offset, line)
            if count == SLICE_LINES:
                return True
        return False

    def row(self, refund_id: str, merchant_id: str | None) -> RefundRow | None:
        """The refund's row if it is this merchant's; None asks for the house, over all."""
        row = self._rows.get(refund_id)
        if row is None or merchant_id not in (None, row.merchant_id):
            return None
        return row

    def newest_first(self, merchant_id: str | None) -> list[RefundRow]:
        """Rows in the order they were made: the caller walks them from the end."""
        return self._all if merchant_id is None else self._of_merchant.get(merchant_id, [])

    def lines_of(self, payment_id: str) -> list[bytes]:
        """The lines about a payment's refunds, each refund's oldest first."""
        rows = self._of_payment.get(payment_id, [])
        return [line for row in rows for line in self._lines(row)]

    def view(self, row: RefundRow, at: str | None = None) -> RefundView:
        """The refund as its entries tell it, or told it at a time. Raises RequestError 404 when
        there was none yet."""
        view: RefundView | None = None
        for line in self._lines(row):
            entry = read_entry(line)[1]
            if at is not None and entry.timestamp > at:
                continue
            view = fold(view, entry)
        if view is None and at is not None:
            raise no_such("refund")
        if view is None:
            raise Corrupt(REFUNDS_BOOK, 0, f"{row.id} has no entries")
        return view

    def _lines(self, row: RefundRow) -> Iterator[bytes]:
        if self._file is None:
            self._file = self._fs.open(REFUNDS_BOOK)
        for offset in row.offsets:
            yield read_line(self._file, offset)

    def _fold(self, offset: int, line: bytes) -> None:
        try:
            _seq, entry = read_entry(line)
        except LineDamaged as error:
            raise Corrupt(REFUNDS_BOOK, self._follower.lines, f"not an entry: {error}") from error
        self.sums.add(offset, offset + len(line) + 1, entry.timestamp, entry.postings)
        row = self._rows.get(entry.ref) or self._made(entry)
        row.offsets.append(offset)
        row.state = REFUND_TRANSITIONS.get((row.state, entry.type), row.state)

    def _made(self, entry: LedgerEntry) -> RefundRow:
        payment_id: str = entry.data.payment_id
        state = RefundState.PENDING_APPROVAL
        row = RefundRow(entry.ref, entry.merchant_id, payment_id, state, array("q"))
        self._rows[row.id] = row
        self._of_merchant.setdefault(row.merchant_id, []).append(row)
        self._of_payment.setdefault(payment_id, []).append(row)
        self._all.append(row)
        return row

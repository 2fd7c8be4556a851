"""What the books say of disputes, for reads: an index over their book, beside that of payments.

Owns nothing; reads data/ledger/disputes.jsonl. It keeps a short row for each dispute and the
offsets of its entries. Never: asks the gateway.
"""

from array import array
from collections.abc import Iterator

from msgspec import Struct

from actors.frontdoor.dated import DatedSums
from payrail.domain.books import DISPUTES_BOOK
from payrail.domain.dispute_view import DisputeState, DisputeView, Stage
from payrail.domain.disputes import BEGINS_AS, DISPUTE_TRANSITIONS, fold
from payrail.domain.ledger import LedgerEntry, read_entry
from payrail.errors import Corrupt, LineDamaged
from payrail.runtime.ports import File, Fs
from payrail.storage.books import Follower, read_line

#: Entries folded before others get their turn.
SLICE_LINES = 500


class DisputeRow(Struct):
    """A dispute as lists filter it."""

    id: str
    merchant_id: str | None
    payment_id: str
    state: DisputeState
    offsets: "array[int]"  # of its entries in the book


class DisputesView:
    """The fold of the disputes' book."""

    def __init__(self, fs: Fs) -> None:
        self._fs = fs
        self._follower = Follower(fs, DISPUTES_BOOK)
        self._file: File | None = None
        self._rows: dict[str, DisputeRow] = {}
        self._of_merchant: dict[str | None, list[DisputeRow]] = {}
        self._of_payment: dict[str, list[DisputeRow]] = {}
        self._all: list[DisputeRow] = []
        self.sums = DatedSums(fs, DISPUTES_BOOK)

    def catch_up_some(self) -> bool:
        """Fold one slice; True when there may be more. Raises Corrupt."""
        for count, (offset, line) in enumerate(self._follower.read(), 1):
            self._fold(offset, line)
            if count == SLICE_LINES:
                return True
        return False

    def row(self, dispute_id: str, merchant_id: str | None) -> DisputeRow | None:
        """The dispute's row if it is this merchant's; None asks for the house, over all."""
        row = self._rows.get(dispute_id)
        if row is None or merchant_id not in (None, row.merchant_id):
            return None
        return row

    def newest_first(self, merchant_id: str | None) -> list[DisputeRow]:
        """Rows in the order they were made: the caller walks them from the end."""
        return self._all if merchant_id is None else self._of_merchant.get(merchant_id, [])

    def lines_of(self, payment_id: str) -> list[bytes]:
        """The lines about a payment's disputes, each dispute's oldest first."""
        rows = self._of_payment.get(payment_id, [])
        return [line for row in rows for line in self._lines(row)]

    def view(self, row: DisputeRow) -> DisputeView:
        """The dispute as its entries tell it."""
        view: DisputeView | None = None
        for line in self._lines(row):
            view = fold(view, read_entry(line)[1])
        if view is None:
            raise Corrupt(DISPUTES_BOOK, 0, f"{row.id} has no entries")
        return view

    def _lines(self, row: DisputeRow) -> Iterator[bytes]:
        if self._file is None:
            self._file = self._fs.open(DISPUTES_BOOK)
        for offset in row.offsets:
            yield read_line(self._file, offset)

    def _fold(self, offset: int, line: bytes) -> None:
        try:
            _seq, entry = read_entry(line)
        except LineDamaged as error:
            raise Corrupt(DISPUTES_BOOK, self._follower.lines, f"not an entry: {error}") from error
        self.sums.add(offset, offset + len(line) + 1, entry.timestamp, entry.postings)
        row = self._rows.get(entry.ref)
        if row is None:
            row = self._made(entry)
        else:
            row.state = DISPUTE_TRANSITIONS.get((row.state, entry.type), row.state)
        row.offsets.append(offset)

    def _made(self, entry: LedgerEntry) -> DisputeRow:
        """A dispute begins by its stage."""
        payment_id: str = entry.data.payment_id
        stage = Stage(getattr(entry.data, "stage", Stage.CHARGEBACK))
        row = DisputeRow(entry.ref, entry.merchant_id, payment_id, BEGINS_AS[stage], array("q"))
        self._rows[row.id] = row
        self._of_merchant.setdefault(row.merchant_id, []).append(row)
        self._of_payment.setdefault(payment_id, []).append(row)
        self._all.append(row)
        return row

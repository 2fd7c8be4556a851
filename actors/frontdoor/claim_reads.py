"""What the books say of refunds and disputes, for reads: an index over the book of either, beside
that of payments.

Owns nothing; reads data/ledger/refunds.jsonl and disputes.jsonl. It keeps a short row for each
refund or dispute and the offsets of its entries. Never: asks the gateway.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from msgspec import Struct

from actors.frontdoor.dated import DatedSums
from actors.frontdoor.heads import no_such
from payrail.domain import disputes, refunds
from payrail.domain.books import DISPUTES_BOOK, REFUNDS_BOOK
from payrail.domain.dispute_view import DisputeView, Stage
from payrail.domain.ledger import LedgerEntry, read_entry
from payrail.domain.refunds import RefundState, RefundView
from payrail.errors import Corrupt, LineDamaged
from payrail.runtime.ports import Fs
from payrail.storage.books import Follower, read_line

V = TypeVar("V", RefundView, DisputeView)

#: Entries folded before others get their turn.
SLICE_LINES = 500


class ClaimRow(Struct):
    """A refund or a dispute as lists filter it."""

    id: str
    merchant_id: str | None
    payment_id: str
    state: StrEnum
    offsets: "array[int]"  # of its entries in the book


@dataclass(frozen=True, slots=True)
class Claim(Generic[V]):
    """What parts refunds from disputes here: book, name, fold, moves, and how one begins."""

    book: str
    name: str
    fold: Callable[[V | None, LedgerEntry], V]
    moves: Mapping[tuple[Any, str], StrEnum]
    begins: Callable[[LedgerEntry], StrEnum]


def _begins_by_its_stage(entry: LedgerEntry) -> StrEnum:
    return disputes.BEGINS_AS[Stage(getattr(entry.data, "stage", Stage.CHARGEBACK))]


REFUNDS: Claim[RefundView] = Claim(
    REFUNDS_BOOK,
    "refund",
    refunds.fold,
    refunds.REFUND_TRANSITIONS,
    lambda _entry: RefundState.PENDING_APPROVAL,
)
DISPUTES: Claim[DisputeView] = Claim(
    DISPUTES_BOOK,
    "dispute",
    disputes.fold,
    disputes.DISPUTE_TRANSITIONS,
    _begins_by_its_stage,
)


class ClaimsView(Generic[V]):
    """The fold of one book."""

    def __init__(self, fs: Fs, claim: Claim[V]) -> None:
        self._claim: Claim[V] = claim
        self._follower = Follower(fs, claim.book)
        self._rows: dict[str, ClaimRow] = {}
        self._of_merchant: dict[str | None, list[ClaimRow]] = {}
        self._of_payment: dict[str, list[ClaimRow]] = {}
        self._all: list[ClaimRow] = []
        self.sums = DatedSums(self._follower)

    def catch_up_some(self) -> bool:
        """Fold one slice; True when there may be more. Raises Corrupt."""
        for count, (offset, line) in enumerate(self._follower.read(), 1):
            self._fold(offset, line)
            if count == SLICE_LINES:
                return True
        return False

    def row(self, ident: str, merchant_id: str | None) -> ClaimRow | None:
        """The row if it is this merchant's; None asks for the house, over all."""
        row = self._rows.get(ident)
        if row is None or merchant_id not in (None, row.merchant_id):
            return None
        return row

    def oldest_first(self, merchant_id: str | None) -> list[ClaimRow]:
        """A merchant's rows in the order they were made; None asks for the house, over all."""
        return self._all if merchant_id is None else self._of_merchant.get(merchant_id, [])

    def lines_of(self, payment_id: str) -> list[bytes]:
        """The lines about a payment's refunds or disputes, the oldest one's first."""
        rows = self._of_payment.get(payment_id, [])
        return [line for row in rows for line in self._lines(row)]

    def view(self, row: ClaimRow, at: str | None = None) -> V:
        """The refund or dispute as its entries tell it, or told it at a time. Raises RequestError
        404 when there was none yet."""
        view: V | None = None
        for line in self._lines(row):
            entry = read_entry(line)[1]
            if at is not None and entry.timestamp > at:
                continue
            view = self._claim.fold(view, entry)
        if view is None and at is not None:
            raise no_such(self._claim.name)
        if view is None:
            raise Corrupt(self._claim.book, 0, f"{row.id} has no entries")
        return view

    def _lines(self, row: ClaimRow) -> Iterator[bytes]:
        for offset in row.offsets:
            yield read_line(self._follower.known(), offset)

    def _fold(self, offset: int, line: bytes) -> None:
        try:
            _seq, entry = read_entry(line)
        except LineDamaged as error:
            lines = self._follower.lines
            raise Corrupt(self._claim.book, lines, f"not an entry: {error}") from error
        self.sums.add(offset, offset + len(line) + 1, entry.timestamp, entry.postings)
        row = self._rows.get(entry.ref)
        if row is None:
            row = self._made(entry)
        else:
            row.state = self._claim.moves.get((row.state, entry.type), row.state)
        row.offsets.append(offset)

    def _made(self, entry: LedgerEntry) -> ClaimRow:
        payment_id: str = entry.data.payment_id
        begins = self._claim.begins(entry)
        row = ClaimRow(entry.ref, entry.merchant_id, payment_id, begins, array("q"))
        self._rows[row.id] = row
        self._of_merchant.setdefault(row.merchant_id, []).append(row)
        self._of_payment.setdefault(payment_id, []).append(row)
        self._all.append(row)
        return row

"""Payouts in the payments' book: a short row for each, and the payout itself out of its entries.

`PaymentsView` follows the book and tells this index each entry about a payout. Never: follows a
book of its own.
"""

from array import array
from collections.abc import Callable

from msgspec import Struct

from payrail.domain.books import LEDGER_BOOK
from payrail.domain.ledger import read_entry
from payrail.domain.payouts import PAYOUT_TRANSITIONS, PayoutState, PayoutView, fold
from payrail.errors import Corrupt


class PayoutRow(Struct):
    """A payout as lists filter it."""

    id: str
    merchant_id: str | None
    currency: str
    state: PayoutState
    offsets: "array[int]"  # of its entries in the book


class PayoutRows:
    """Every payout, in the order in which they were made."""

    def __init__(self, line_at: Callable[[int], bytes]) -> None:
        """`line_at` reads the book's line at an offset."""
        self._line_at = line_at
        self._rows: dict[str, PayoutRow] = {}
        self._of_merchant: dict[str | None, list[PayoutRow]] = {}
        self._all: list[PayoutRow] = []

    def add(
        self, entry_type: str, payout_id: str, merchant_id: str | None, currency: str, offset: int
    ) -> None:
        """Take in an entry; one that cannot follow is told when the payout is shown."""
        row = self._rows.get(payout_id)
        if row is None:
            row = PayoutRow(payout_id, merchant_id, currency, PayoutState.IN_TRANSIT, array("q"))
            self._rows[payout_id] = row
            self._of_merchant.setdefault(merchant_id, []).append(row)
            self._all.append(row)
        else:
            row.state = PAYOUT_TRANSITIONS.get((row.state, entry_type), row.state)
        row.offsets.append(offset)

    def row(self, payout_id: str, merchant_id: str | None) -> PayoutRow | None:
        """The payout's row if it is this merchant's; None asks for the house, over all."""
        row = self._rows.get(payout_id)
        if row is None or merchant_id not in (None, row.merchant_id):
            return None
        return row

    def oldest_first(self, merchant_id: str | None) -> list[PayoutRow]:
        """A merchant's rows; None asks for the house, over all."""
        return self._all if merchant_id is None else self._of_merchant.get(merchant_id, [])

    def view(self, row: PayoutRow) -> PayoutView:
        """The payout as its entries tell it. Raises Damage."""
        view: PayoutView | None = None
        for offset in row.offsets:
            seq, entry = read_entry(self._line_at(offset))
            try:
                view = fold(view, entry)
            except ValueError as error:
                raise Corrupt(LEDGER_BOOK, seq, str(error)) from error
        if view is None:
            raise Corrupt(LEDGER_BOOK, 0, f"{row.id} has no entries")
        return view

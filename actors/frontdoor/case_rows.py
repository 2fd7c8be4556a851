"""Cases in the payments' book: a short row for each, and the case itself out of its entries.

`PaymentsView` follows the book and tells this index each entry about a case. Never: follows a book
of its own, or remembers what stands in the lines.
"""

from array import array
from collections.abc import Callable

from msgspec import Struct

from payrail.domain.books import LEDGER_BOOK
from payrail.domain.cases import CASE_TRANSITIONS, CaseState, CaseView, fold
from payrail.domain.ledger import read_entry
from payrail.errors import Corrupt


class CaseRow(Struct):
    """A case as lists filter it."""

    id: str
    merchant_id: str | None  # None: the house's alone
    payment_id: str
    state: CaseState
    offsets: "array[int]"  # of its entries in the book


class CaseRows:
    """Every case, in the order in which they were opened."""

    def __init__(self, line_at: Callable[[int], bytes]) -> None:
        """`line_at` reads the book's line at an offset."""
        self._line_at = line_at
        self._rows: dict[str, CaseRow] = {}
        self._of_merchant: dict[str | None, list[CaseRow]] = {}
        self._all: list[CaseRow] = []

    def add(
        self, entry_type: str, case_id: str, merchant_id: str | None, payment_id: str, offset: int
    ) -> None:
        """Take in an entry; one that cannot follow is told when the case is shown."""
        row = self._rows.get(case_id)
        if row is None:
            row = CaseRow(case_id, merchant_id, payment_id, CaseState.OPEN, array("q"))
            self._rows[case_id] = row
            self._of_merchant.setdefault(merchant_id, []).append(row)
            self._all.append(row)
        else:
            row.state = CASE_TRANSITIONS.get((row.state, entry_type), row.state)
        row.offsets.append(offset)

    def row(self, case_id: str, merchant_id: str | None) -> CaseRow | None:
        """The case's row if it is this merchant's; None asks for the house, over all."""
        row = self._rows.get(case_id)
        if row is None or merchant_id not in (None, row.merchant_id):
            return None
        return row

    def oldest_first(self, merchant_id: str | None) -> list[CaseRow]:
        """A merchant's rows; None asks for the house, over all."""
        return self._all if merchant_id is None else self._of_merchant.get(merchant_id, [])

    def view(self, row: CaseRow) -> CaseView:
        """The case as its entries tell it. Raises Damage."""
        view: CaseView | None = None
        for offset in row.offsets:
            seq, entry = read_entry(self._line_at(offset))
            try:
                view = fold(view, entry)
            except ValueError as error:
                raise Corrupt(LEDGER_BOOK, seq, str(error)) from error
        if view is None:
            raise Corrupt(LEDGER_BOOK, 0, f"{row.id} has no entries")
        return view

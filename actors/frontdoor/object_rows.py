"""Objects whose entries stand in the payments' book under ids of their own: cases and payouts.

A short row for each, as lists filter it, and the object itself out of its entries. `PaymentsView`
follows the book and tells an index each entry of its kind. Never: follows a book of its own, or
remembers what stands in the lines.
"""

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from msgspec import Struct

from payrail.domain.books import LEDGER_BOOK
from payrail.domain.ledger import LedgerEntry, read_entry
from payrail.errors import Corrupt

V = TypeVar("V")


class ObjectRow(Struct):
    """An object as lists filter it. `about`: its payment or its currency."""

    id: str
    merchant_id: str | None  # None: the house's alone
    about: str
    state: str
    offsets: "array[int]"  # of its entries in the book


@dataclass(frozen=True, slots=True)
class Kind(Generic[V]):
    """What is particular to one kind: where it begins, its moves, its fold."""

    first: StrEnum
    moves: Mapping[tuple[Any, str], StrEnum]
    fold: Callable[[V | None, LedgerEntry], V]


class ObjectRows(Generic[V]):
    """Every object of a kind, in the order in which they were made."""

    def __init__(self, kind: Kind[V], line_at: Callable[[int], bytes]) -> None:
        """`line_at` reads the book's line at an offset."""
        self._kind, self._line_at = kind, line_at
        self._rows: dict[str, ObjectRow] = {}
        self._of_merchant: dict[str | None, list[ObjectRow]] = {}
        self._all: list[ObjectRow] = []

    def add(
        self, entry_type: str, ident: str, merchant_id: str | None, about: str, offset: int
    ) -> None:
        """Take in an entry; one that cannot follow is told when the object is shown."""
        row = self._rows.get(ident)
        if row is None:
            row = ObjectRow(ident, merchant_id, about, self._kind.first, array("q"))
            self._rows[ident] = row
            self._of_merchant.setdefault(merchant_id, []).append(row)
            self._all.append(row)
        else:
            row.state = self._kind.moves.get((row.state, entry_type), row.state)
        row.offsets.append(offset)

    def row(self, ident: str, merchant_id: str | None) -> ObjectRow | None:
        """The object's row if it is this merchant's; None asks for the house, over all."""
        row = self._rows.get(ident)
        if row is None or merchant_id not in (None, row.merchant_id):
            return None
        return row

    def oldest_first(self, merchant_id: str | None) -> list[ObjectRow]:
        """A merchant's rows; None asks for the house, over all."""
        return self._all if merchant_id is None else self._of_merchant.get(merchant_id, [])

    def view(self, row: ObjectRow) -> V:
        """The object as its entries tell it. Raises Damage."""
        view: V | None = None
        for offset in row.offsets:
            seq, entry = read_entry(self._line_at(offset))
            try:
                view = self._kind.fold(view, entry)
            except ValueError as error:
                raise Corrupt(LEDGER_BOOK, seq, str(error)) from error
        if view is None:
            raise Corrupt(LEDGER_BOOK, 0, f"{row.id} has no entries")
        return view

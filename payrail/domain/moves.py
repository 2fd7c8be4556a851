"""How a thing moves by its table: `(state or None, type of entry) -> state`.

A pair that is missing is refused before it is booked (`may`), and is damage in the book (`moved`).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from payrail.domain.ledger import LedgerEntry

S = TypeVar("S", bound=StrEnum)


class Told(Protocol, Generic[S]):
    """What every view keeps of the entries that were folded into it."""

    state: S
    updated_at: str
    object_seq: int


def moved(table: Mapping[tuple[S | None, str], S], state: S | None, entry: LedgerEntry) -> S:
    """The state after `entry`. Raises ValueError when it cannot follow."""
    found = table.get((state, entry.type))
    if found is None:
        raise ValueError(f"{entry.ref}: {entry.type} cannot follow {state or 'nothing'}")
    return found


def must_be_about(
    entry: LedgerEntry, ident: str, merchant_id: str | None, amount: int, currency: str
) -> None:
    """Raises ValueError for an entry about another thing, or about another amount."""
    told = (entry.ref, entry.merchant_id, entry.amount, entry.currency)
    if told != (ident, merchant_id, amount, currency):
        raise ValueError(f"{entry.ref}: {entry.type} does not fit {ident}")


def advance(view: Told[S], state: S, entry: LedgerEntry) -> None:
    """Let a view stand where `entry`, whose effects it has, left it."""
    view.state = state
    view.updated_at = entry.timestamp
    view.object_seq += 1

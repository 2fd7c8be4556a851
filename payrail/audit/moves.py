"""Whether each entry may follow what the ledger said before, and moves the money that its facts
make.

Payments, refunds, disputes, payouts and cases are folded by the same pure rules that booked them.
A payout's fold, like any other, refuses what cannot follow. Never: reads a file.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from payrail.domain import cases, disputes, payouts, refunds
from payrail.domain.ledger import LedgerEntry, Posting
from payrail.domain.payment_claims import payment_of
from payrail.domain.payments import PaymentView, fold

Money = Callable[[Any, LedgerEntry], list[Posting]]
Fold = Callable[[Any, LedgerEntry], Any]

#: By the beginning of an entry's type: its fold, and what it has to post. A case has no money.
_OBJECTS: dict[str, tuple[Fold, Money | None]] = {
    "refund.": (refunds.fold, refunds.money),
    "dispute.": (disputes.fold, disputes.money),
    "payout.": (payouts.fold, payouts.money),
    "case.": (cases.fold, None),
}
#: Of these, the ones that change what is claimed of a payment.
_CLAIMS = ("refund.", "dispute.")
_OF_A_PAYMENT = ("payment.", "fee.")


@dataclass(slots=True)
class Moves:
    """Everything that the entries so far have made, by id."""

    payments: dict[str, PaymentView] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)

    def take(self, entry: LedgerEntry) -> None:
        """The next entry. Raises ValueError for one that cannot follow, or moves other money."""
        kind = next((name for name in _OBJECTS if entry.type.startswith(name)), None)
        if kind is not None:
            self._take_object(kind, entry)
        if kind in _CLAIMS or entry.type.startswith(_OF_A_PAYMENT):
            about = payment_of(entry)
            self.payments[about] = fold(self.payments.get(about), entry)

    def _take_object(self, kind: str, entry: LedgerEntry) -> None:
        fold_one, money = _OBJECTS[kind]
        before = self.objects.get(entry.ref)
        wanted = money(before, entry) if money is not None else []
        self.objects[entry.ref] = fold_one(before, entry)
        if _sums(wanted) != _sums(entry.postings):
            raise ValueError(f"{entry.ref}: {entry.type} posts other money than its facts make")


def _sums(postings: list[Posting]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for posting in postings:
        key = posting.account, posting.currency
        sums[key] = sums.get(key, 0) + posting.amount
    return {key: amount for key, amount in sums.items() if amount}

"""What the gateway remembers for payouts: what each merchant has available, and those on their way.

Balances are the fold of all postings to `liability:M:available`, entry by entry as they are booked.
A payout is remembered until no bank sends it back any more. Never: decides, or books.
"""

from msgspec import Struct, field

from payrail.domain import payouts
from payrail.domain.ledger import LedgerEntry
from payrail.domain.payout_terms import is_over
from payrail.domain.payouts import PayoutView, payable_minor

_ROOT, _KIND = "liability:", ":available"


class PayoutDaySet(Struct, tag="payout_day_set", tag_field="type"):
    """The daily run is due then, in business time; what is long over is forgotten."""

    due_ms: int
    at_ms: int


class Paying(Struct):
    """Mutable: folding changes it in place."""

    available: dict[str, int] = field(default_factory=dict)  # by merchant and currency; owed: < 0
    payouts: dict[str, PayoutView] = field(default_factory=dict)
    due_ms: int = 0  # the next daily run; 0: none was ever planned

    def payable_after(self, after: str) -> list[str]:
        """Merchant and currency of what can be paid out, in order, behind `after`."""
        found = (key for key, amount in self.available.items() if payable_minor(amount))
        return sorted(key for key in found if key > after)


def key_of(merchant_id: str, currency: str) -> str:
    """What a balance is known by."""
    return f"{merchant_id} {currency}"


def fold_entry(paying: Paying, entry: LedgerEntry) -> None:
    """Follow what is available, and the payout itself."""
    for posting in entry.postings:
        if posting.account.startswith(_ROOT) and posting.account.endswith(_KIND):
            merchant_id = posting.account[len(_ROOT) : -len(_KIND)]
            key = key_of(merchant_id, posting.currency)
            paying.available[key] = paying.available.get(key, 0) + posting.amount
    if entry.type.startswith("payout."):
        paying.payouts[entry.ref] = payouts.fold(paying.payouts.get(entry.ref), entry)


def fold_day(paying: Paying, day: PayoutDaySet) -> None:
    """Plan the next run, and forget what is over."""
    paying.due_ms = day.due_ms
    known = paying.payouts
    over = [
        ident
        for ident, view in known.items()
        if view.state is not payouts.PayoutState.IN_TRANSIT and is_over(view.value_date, day.at_ms)
    ]
    for ident in over:
        del known[ident]

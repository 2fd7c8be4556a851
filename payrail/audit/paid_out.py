"""Check that nothing is paid out twice: no payout takes more than its merchant had available at
that place of the ledger. Whether it may follow, and its money, is for `payrail.audit.moves`.
"""

from collections import Counter
from dataclasses import dataclass, field

from payrail.domain.ledger import LedgerEntry
from payrail.domain.postings import available

_AVAILABLE = ":available"


@dataclass(slots=True)
class PaidOut:
    """Every merchant's available balance, entry by entry; below zero while we owe."""

    balances: Counter[tuple[str, str]] = field(default_factory=Counter)

    def take(self, entry: LedgerEntry) -> str:
        """What is wrong with this entry, which is the next of the ledger; empty when nothing."""
        for posting in entry.postings:
            if posting.account.endswith(_AVAILABLE):
                self.balances[posting.account, posting.currency] += posting.amount
        if entry.type != "payout.created":
            return ""
        left = self.balances[available(entry.merchant_id or ""), entry.currency]
        if left <= 0:
            return ""
        return f"{entry.ref}: {left} {entry.currency} more are paid out than were available"

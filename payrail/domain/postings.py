"""Postings: which accounts a fact moves money between, and what the books say when added up.

Roots are asset, liability, equity, income and expense. Debits are positive, credits negative.
An authorization, a reversal and a late approval move no money: nothing is posted for them.
"""

from collections.abc import Iterable

from payrail.domain.ledger import LedgerEntry, Posting, must_balance

GATEWAY_FEE = "income:gateway_fee"
BANK = "asset:bank"


def receivable(provider: str) -> str:
    """What a provider has captured for us and still owes."""
    return f"asset:{provider}:receivable"


def pending(merchant_id: str) -> str:
    """What we owe a merchant and the provider has not yet settled."""
    return f"liability:{merchant_id}:pending"


def provider_expense(provider: str) -> str:
    """What a provider keeps for its work."""
    return f"expense:{provider}:fee"


def in_transit(provider: str) -> str:
    """What a provider says that it paid out, and our bank has not yet told."""
    return f"asset:{provider}:payout_in_transit"


def available(merchant_id: str) -> str:
    """What we owe a merchant and the provider has settled."""
    return f"liability:{merchant_id}:available"


def suspense(provider: str) -> str:
    """What a provider's statement says otherwise than we do, and two people have posted."""
    return f"asset:suspense:recon:{provider}"


def _move(amount_minor: int, currency: str, *, debit: str, credit: str) -> list[Posting]:
    """Both sides of one movement; nothing when there is nothing to move."""
    if amount_minor == 0:
        return []
    return [
        Posting(debit, amount_minor, currency),
        Posting(credit, -amount_minor, currency),
    ]


def capture_postings(
    provider: str, merchant_id: str, amount_minor: int, currency: str
) -> list[Posting]:
    """Captured: the provider owes us, we owe the merchant."""
    return _move(amount_minor, currency, debit=receivable(provider), credit=pending(merchant_id))


def fee_postings(
    provider: str,
    merchant_id: str,
    merchant_fee_minor: int,
    provider_fee_minor: int,
    currency: str,
) -> list[Posting]:
    """The merchant's fee out of what is pending, the provider's cost out of what it owes."""
    made = _move(merchant_fee_minor, currency, debit=pending(merchant_id), credit=GATEWAY_FEE)
    made += _move(
        provider_fee_minor,
        currency,
        debit=provider_expense(provider),
        credit=receivable(provider),
    )
    must_balance(made)
    return made


def settled_postings(
    provider: str, merchant_id: str, net_minor: int, due_minor: int, currency: str
) -> list[Posting]:
    """Found in a statement as expected: the provider pays `net_minor`, the merchant may have
    `due_minor`, which is the capture without the merchant's fee."""
    made = _move(net_minor, currency, debit=in_transit(provider), credit=receivable(provider))
    return made + _move(
        due_minor, currency, debit=pending(merchant_id), credit=available(merchant_id)
    )


def payout_postings(provider: str, amount_minor: int, currency: str) -> list[Posting]:
    """The payout stands on the bank's statement."""
    return _move(amount_minor, currency, debit=BANK, credit=in_transit(provider))


def balances(entries: Iterable[LedgerEntry]) -> dict[str, dict[str, int]]:
    """account -> currency -> amount in minor units, debit positive, accounts sorted."""
    sums: dict[str, dict[str, int]] = {}
    for entry in entries:
        for posting in entry.postings:
            account = sums.setdefault(posting.account, {})
            account[posting.currency] = account.get(posting.currency, 0) + posting.amount
    return dict(sorted(sums.items()))


def trial_balance(entries: Iterable[LedgerEntry]) -> dict[str, int]:
    """currency -> sum over all accounts. Every value is zero, or the books are damaged."""
    sums: dict[str, int] = {}
    for account in balances(entries).values():
        for currency, amount_minor in account.items():
            sums[currency] = sums.get(currency, 0) + amount_minor
    return dict(sorted(sums.items()))


def turned(account: str, amount_minor: int) -> int:
    """A balance as people mean it: what is owed or earned grows by credits, which the ledger has
    below zero. Turned twice, it is the ledger's again."""
    return -amount_minor if account.startswith(("liability:", "income:")) else amount_minor

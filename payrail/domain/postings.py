"""Postings: which accounts a fact moves money between, and what the books say when added up.

Roots are asset, liability, equity, income and expense. Debits are positive, credits negative.
An authorization, a reversal and a late approval move no money: nothing is posted for them.
"""

from collections.abc import Iterable

from payrail.domain.ledger import LedgerEntry, Posting, must_balance

GATEWAY_FEE = "income:gateway_fee"
BANK = "asset:bank"
#: What was taken from merchants for refunds that no provider has confirmed.
REFUNDS_IN_TRANSIT = "liability:refunds:in_transit"


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


def disputed(provider: str) -> str:
    """What cardholders have taken back through a provider, and nobody has ruled on."""
    return f"asset:{provider}:disputed"


def dispute_hold(merchant_id: str) -> str:
    """The merchant's side of what is disputed."""
    return f"liability:{merchant_id}:dispute_hold"


def paying_out(merchant_id: str) -> str:
    """What is on its way to a merchant's bank."""
    return f"liability:{merchant_id}:payout_in_transit"


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
    provider: str,
    merchant_id: str,
    net_minor: int,
    due_minor: int,
    currency: str,
    *,
    is_posted: bool = False,
) -> list[Posting]:
    """Found in a statement as expected: the provider pays `net_minor`, the merchant may have
    `due_minor`, which is the capture without the merchant's fee. `is_posted`: two people have put
    the line into transit while we knew nothing of it; then suspense gets back what it gave."""
    into = suspense(provider) if is_posted else in_transit(provider)
    made = _move(net_minor, currency, debit=into, credit=receivable(provider))
    return made + _move(
        due_minor, currency, debit=pending(merchant_id), credit=available(merchant_id)
    )


def payout_postings(provider: str, amount_minor: int, currency: str) -> list[Posting]:
    """The payout stands on the bank's statement."""
    return _move(amount_minor, currency, debit=BANK, credit=in_transit(provider))


def refund_approved_postings(merchant_id: str, amount_minor: int, currency: str) -> list[Posting]:
    """Approved: taken from the merchant, for the cardholder. It may leave less than nothing
    available until the capture is settled."""
    return _move(amount_minor, currency, debit=available(merchant_id), credit=REFUNDS_IN_TRANSIT)


def refund_succeeded_postings(provider: str, amount_minor: int, currency: str) -> list[Posting]:
    """Confirmed: the provider paid it, and owes us that much less."""
    return _move(amount_minor, currency, debit=REFUNDS_IN_TRANSIT, credit=receivable(provider))


def refund_failed_postings(
    provider: str, merchant_id: str, amount_minor: int, currency: str, *, was_succeeded: bool
) -> list[Posting]:
    """Back to the merchant: out of transit, or, after a success, from the provider."""
    source = receivable(provider) if was_succeeded else REFUNDS_IN_TRANSIT
    return _move(amount_minor, currency, debit=source, credit=available(merchant_id))


def chargeback_postings(
    provider: str, merchant_id: str, amount_minor: int, currency: str, *, fee_minor: int = 0
) -> list[Posting]:
    """Withdrawn: the provider took the money from what it owes us, we hold it back from the
    merchant; the fee for it is the merchant's."""
    made = _move(amount_minor, currency, debit=disputed(provider), credit=receivable(provider))
    made += _move(
        amount_minor, currency, debit=available(merchant_id), credit=dispute_hold(merchant_id)
    )
    return made + dispute_fee_postings(provider, merchant_id, fee_minor, currency)


def dispute_fee_postings(
    provider: str, merchant_id: str, fee_minor: int, currency: str
) -> list[Posting]:
    """What the provider asks for a dispute, or for an answer to one, passed on to the merchant."""
    return _move(fee_minor, currency, debit=available(merchant_id), credit=receivable(provider))


def dispute_won_postings(
    provider: str, merchant_id: str, amount_minor: int, currency: str, *, fee_minor: int = 0
) -> list[Posting]:
    """Won: everything back, and the fee of the answer with it."""
    made = _move(amount_minor, currency, debit=receivable(provider), credit=disputed(provider))
    made += _move(
        amount_minor, currency, debit=dispute_hold(merchant_id), credit=available(merchant_id)
    )
    return made + _move(
        fee_minor, currency, debit=receivable(provider), credit=available(merchant_id)
    )


def dispute_lost_postings(
    provider: str, merchant_id: str, amount_minor: int, currency: str
) -> list[Posting]:
    """Lost: what was held back is gone."""
    return _move(amount_minor, currency, debit=dispute_hold(merchant_id), credit=disputed(provider))


def second_chargeback_postings(
    provider: str, merchant_id: str, amount_minor: int, currency: str
) -> list[Posting]:
    """Charged back once more after it was won: withdrawn and lost at once."""
    return [
        *chargeback_postings(provider, merchant_id, amount_minor, currency),
        *dispute_lost_postings(provider, merchant_id, amount_minor, currency),
    ]


def payout_created_postings(merchant_id: str, amount_minor: int, currency: str) -> list[Posting]:
    """On its way to a merchant's bank."""
    return _move(
        amount_minor, currency, debit=available(merchant_id), credit=paying_out(merchant_id)
    )


def payout_paid_postings(merchant_id: str, amount_minor: int, currency: str) -> list[Posting]:
    """It left our bank."""
    return _move(amount_minor, currency, debit=paying_out(merchant_id), credit=BANK)


def payout_failed_postings(
    merchant_id: str, amount_minor: int, currency: str, *, was_paid: bool
) -> list[Posting]:
    """The merchant's again: out of transit, or back in our bank."""
    source = BANK if was_paid else paying_out(merchant_id)
    return _move(amount_minor, currency, debit=source, credit=available(merchant_id))


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

"""What a call ends as when nobody interferes: the issuer's word on a card, the state of a hold.

Documented test cards end as their table says. Every other card is a generated one: most are
approved, by a share of (seed, reference), so that the same world comes out of the same seed.
"""

from collections.abc import Callable

from actors.provider.chance import share_of
from actors.provider.seals import PresentedCard
from actors.provider.state import Operation, Order, ProviderState
from payrail.domain.testcards import TestCard
from payrail.domain.timestamps import iso

APPROVED = "approved"
#: Of 100 charges of generated cards, as many are approved as card shops see on a good day; the
#: second provider is a little stricter.
APPROVED_SHARES = {"providerA": 0.95, "providerB": 0.90}
#: What the rest is declined with, evenly.
DECLINE_CODES = ("insufficient_funds", "generic_decline", "do_not_honor", "lost_card")

Table = Callable[[str], TestCard | None]


def word_on_card(
    card: PresentedCard,
    documented: TestCard | None,
    reference: str,
    seed: int,
    business_ms: int,
    *,
    provider: str,
) -> str:
    """`approved`, or the decline code."""
    if documented is not None and documented.outcome != APPROVED:
        return documented.decline_code or "card_declined"
    if is_expired(card, business_ms):
        return "expired_card"
    return APPROVED if documented is not None else _generated(reference, seed, provider)


def is_expired(card: PresentedCard, business_ms: int) -> bool:
    """A card is good through the last day of its month, in UTC."""
    year, month = iso(business_ms)[:7].split("-")
    return (card.exp_year, card.exp_month) < (int(year), int(month))


def _generated(reference: str, seed: int, provider: str) -> str:
    share, approved = share_of(seed, "issuer", reference), APPROVED_SHARES[provider]
    if share < approved:
        return APPROVED
    rest = (share - approved) / (1 - approved)
    return DECLINE_CODES[min(int(rest * len(DECLINE_CODES)), len(DECLINE_CODES) - 1)]


def word_on_hold(state: ProviderState, order: Order) -> tuple[str, int]:
    """(`approved` or why not, amount that would move) for a capture, a refund or a reversal."""
    hold = state.operations.get(order.authorization or "")
    if hold is None or not _is_hold_of(hold, order):
        return "no_such_authorization", order.amount
    if order.operation == "refund":
        return _word_on_refund(hold, order.amount), order.amount
    if hold.left <= 0:
        return ("already_reversed" if hold.reversed else "already_captured"), order.amount
    if order.operation == "reverse":
        # All that is left at most: after a wrong amount, the asker does not know how much that is.
        return APPROVED, min(order.amount, hold.left)
    if order.amount > hold.left:
        return "amount_exceeds_hold", order.amount
    return APPROVED, order.amount


def _word_on_refund(hold: Operation, amount: int) -> str:
    if hold.captured <= 0:
        return "nothing_captured"
    if hold.refundable <= 0:
        return "already_refunded"
    return APPROVED if amount <= hold.refundable else "amount_exceeds_captured"


def _is_hold_of(hold: Operation, order: Order) -> bool:
    return (hold.operation, hold.result, hold.payment_id, hold.merchant_id, hold.currency) == (
        "authorize",
        APPROVED,
        order.payment_id,
        order.merchant_id,
        order.currency,
    )

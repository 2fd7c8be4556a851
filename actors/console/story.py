"""What a payment's page tells beside its facts: what may be asked now, its refunds and disputes,
where its cardholder confirms, and its states as a picture.

All of it comes from the tables and folds that the house itself obeys, fed with the entries that the
API shows, so that the page cannot say anything else. Never: guesses. Entries that this version does
not know end the story, not the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup

from actors.console.shapes import Payment
from payrail.domain import disputes, payments, refunds
from payrail.domain.dispute_view import DisputeView
from payrail.domain.ledger import LedgerEntry, read_entry
from payrail.domain.payment_view import PaymentState, PaymentView
from payrail.domain.refund_view import RefundView
from payrail.domain.state_svg import svg
from payrail.errors import LineDamaged

#: The only pages of the API that a browser is sent to.
_CHALLENGES = "/challenges/"
_STATES = frozenset(state.value for state in PaymentState)
_MOVES = frozenset(entry_type for _, entry_type in payments.PAYMENT_TRANSITIONS)


@dataclass(frozen=True, slots=True)
class Story:
    """`legal`: what may be asked of the payment now."""

    legal: tuple[str, ...]
    refunds: tuple[RefundView, ...]
    disputes: tuple[DisputeView, ...]


def story_of(lines: Sequence[bytes]) -> Story | None:
    """The story that a payment's ledger lines tell. None when they cannot be understood."""
    payment: PaymentView | None = None
    paid_back: dict[str, RefundView] = {}
    disputed: dict[str, DisputeView] = {}
    try:
        for line in lines:
            _, entry = read_entry(line)
            if entry.type in _MOVES:
                payment = payments.fold(payment, entry)
            _fold_claim(paid_back, disputed, entry)
    except (LineDamaged, ValueError):
        return None
    if payment is None:
        return None
    legal = payments.legal_verbs(payment)
    return Story(legal, tuple(paid_back.values()), tuple(disputed.values()))


def _fold_claim(
    paid_back: dict[str, RefundView], disputed: dict[str, DisputeView], entry: LedgerEntry
) -> None:
    family, name = entry.type.partition(".")[0], entry.ref
    if family == "refund":
        paid_back[name] = refunds.fold(paid_back.get(name), entry)
    elif family == "dispute":
        disputed[name] = disputes.fold(disputed.get(name), entry)


def challenge_link(api_url: str, payment: Payment) -> str | None:
    """Where the cardholder of this payment confirms; None while nobody is asked for."""
    action = payment.next_action
    if payment.state != PaymentState.REQUIRES_ACTION or action is None:
        return None
    return f"{api_url}{action.url}" if action.url.startswith(_CHALLENGES) else None


@cache
def _picture(state: str) -> Markup:
    return Markup(svg("payment", now=state))  # from our own tables alone


def picture(state: str) -> Markup:
    """The payment's states, this one marked; nothing for a state that is none of ours."""
    return _picture(state) if state in _STATES else Markup("")

"""File a card under its token, and show a token as the API shows it.

The card was encrypted at the vault's HTTP door, before anything was written; here it is data.
"""

from typing import Any

from actors.vault.access import Wanted, access_line
from actors.vault.refusals import problem_of
from actors.vault.state import CardStored, EncryptedCard, TokenRecord, VaultState
from actors.vault.usage import expiry
from payrail.domain.messages import CardKnown, StoreCard
from payrail.domain.timestamps import iso
from payrail.runtime.actor import Message, Moment, Send, Step, answer


def store(state: VaultState, order: StoreCard, message: Message, moment: Moment) -> Step:
    """File a card that the HTTP door has encrypted, and tell the gateway what it may know."""
    record = _record(order, moment)
    wanted = Wanted(who=order.who, origin=order.origin, token=order.token, purpose="tokenize")
    line = access_line(message, moment, wanted, order.merchant_id)  # The door made the token.
    if order.token in state.tokens:  # 128 random bits do not meet again: a door gone wrong.
        status, problem = problem_of("token_taken", "metadata", message.correlation_id)
        return Step(posts=[line("refused:token_taken")], replies=answer(message, status, problem))
    if not state.rotation.takes(order.key_id):  # It was on its way for as long as a key lives on.
        status, problem = problem_of("key_retired", "metadata", message.correlation_id)
        return Step(posts=[line("refused:key_retired")], replies=answer(message, status, problem))
    card = EncryptedCard(order.key_id, order.ciphertext, order.slot)
    return Step(
        events=[CardStored(order.token, record, card)],
        posts=[line("allowed")],
        out=[Send("gateway", "card.known", _known(order), key=order.token)],
        replies=answer(message, 201, token_view(order.token, record)),
    )


def _record(order: StoreCard, moment: Moment) -> TokenRecord:
    return TokenRecord(
        merchant_id=order.merchant_id,
        brand=order.brand,
        bin=order.bin,
        last4=order.last4,
        fingerprint=order.fingerprint,
        exp_month=order.exp_month,
        exp_year=order.exp_year,
        created_at=iso(moment.wire_ms),
        usage=order.usage,
        expires_at=expiry(order.expires_in_s, moment),
    )


def _known(order: StoreCard) -> CardKnown:
    """What the gateway may know."""
    return CardKnown(
        token=order.token,
        merchant_id=order.merchant_id,
        brand=order.brand,
        bin=order.bin,
        last4=order.last4,
        fingerprint=order.fingerprint,
        exp_month=order.exp_month,
        exp_year=order.exp_year,
    )


def token_view(token: str, record: TokenRecord) -> dict[str, Any]:
    """A token as the API shows it."""
    return {
        "token": token,
        "brand": record.brand,
        "bin": record.bin,
        "last4": record.last4,
        "fingerprint": record.fingerprint,
        "exp_month": record.exp_month,
        "exp_year": record.exp_year,
        "usage": record.usage,
        "expires_at": record.expires_at,
    }

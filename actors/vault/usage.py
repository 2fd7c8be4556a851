"""How long a token is good, and for how many payments.

A single-use token serves the first payment that its card goes out for: each attempt of that one,
and no other. Its end in time is looked at when the card is asked for, in business time; no timer.
Never: asks whether the card itself has expired. That is its issuer's word.
"""

from actors.vault.refusals import CardWithheld
from actors.vault.state import SINGLE_USE, TokenRecord, TokenUsed
from payrail.domain.timestamps import iso, parse_iso
from payrail.runtime.actor import Moment


def expiry(expires_in_s: int | None, moment: Moment) -> str | None:
    """When a token that is made now ends; None: never by itself."""
    return None if expires_in_s is None else iso(moment.business_ms + expires_in_s * 1000)


def must_serve(record: TokenRecord, payment_id: str, moment: Moment) -> None:
    """Raises CardWithheld when the card may not go out for this payment any more."""
    if record.expires_at is not None and parse_iso(record.expires_at) <= moment.business_ms:
        raise CardWithheld("expired_token")
    if record.used_by not in (None, payment_id):
        raise CardWithheld("token_used")


def used(token: str, record: TokenRecord, payment_id: str) -> list[TokenUsed]:
    """What there is to remember of a card that goes out for this payment."""
    if record.usage != SINGLE_USE or record.used_by is not None:
        return []
    return [TokenUsed(token, payment_id)]

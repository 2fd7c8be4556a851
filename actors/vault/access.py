"""What one access leaves in the log, and how much of what was sent may stand in it.

A token and a purpose come from outside and may be anything, a card number too: a line holds only
what reads as ours.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from actors.vault.state import AccessLine
from payrail.domain.timestamps import iso
from payrail.runtime.actor import Message, Moment, Post

#: All reasons there are for touching a card. Another word is logged as `unknown` and refused.
PURPOSES = ("tokenize", "charge.authorize", "support.last4", "key.rotation", "delete")

_TOKEN = re.compile(r"tok_[A-Za-z0-9_-]{1,64}")
_OUR_TOKEN = re.compile(r"tok_[0-9a-f]{32}")
_CARD_LIKE = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who wants what of which token, and for whom the card is to be sealed if that is it."""

    who: str
    origin: str
    token: str
    purpose: str
    payment_id: str | None = None
    provider: str | None = None
    reference: str | None = None


def access_line(
    message: Message, moment: Moment, wanted: Wanted, owner: str | None
) -> Callable[[str], Post]:
    """The line that this access will leave, once its outcome is known. `owner` is the merchant
    whose token it is, None for a token that we do not know."""

    def line(outcome: str) -> Post:
        record = AccessLine(
            at=iso(moment.wire_ms),
            who=wanted.who,
            token=wanted.token if owner else shown_token(wanted.token),
            purpose=wanted.purpose if wanted.purpose in PURPOSES else "unknown",
            payment_id=wanted.payment_id,
            correlation_id=message.correlation_id,
            outcome=outcome,
            origin=wanted.origin,
            merchant_id=owner,
            provider=wanted.provider,
            reference=wanted.reference,
        )
        return Post("access", record)

    return line


def shown_token(token: str) -> str:
    """A token that we do not know, if it can be one; else a word for it."""
    if _OUR_TOKEN.fullmatch(token):
        return token  # random hex: twelve digits in a row come up in 3 % of them
    looks_like_one = _TOKEN.fullmatch(token) and not _CARD_LIKE.search(token)
    return token if looks_like_one else "tok_unreadable"

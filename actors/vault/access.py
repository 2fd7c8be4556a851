"""What one access leaves in the log, and how much of what was sent may stand in it.

A token and a purpose come from outside and may be anything, a card number too: a line holds only
what reads as ours.
"""

import re
from collections.abc import Callable

from actors.vault.state import AccessLine
from payrail.domain.timestamps import iso
from payrail.runtime.actor import Message, Moment, Post

#: All reasons there are for touching a card. Another word is logged as `unknown` and refused.
PURPOSES = ("tokenize", "charge.authorize", "support.last4", "key.rotation", "delete")

_TOKEN = re.compile(r"tok_[A-Za-z0-9_-]{1,64}")
_OUR_TOKEN = re.compile(r"tok_[0-9a-f]{32}")
_CARD_LIKE = re.compile(r"[0-9]{12}")


def access_line(
    message: Message,
    moment: Moment,
    *,
    who: str,
    origin: str,
    token: str,
    purpose: str,
    payment_id: str | None,
    is_known: bool,
) -> Callable[[str], Post]:
    """The line that this access will leave, once its outcome is known."""

    def line(outcome: str) -> Post:
        record = AccessLine(
            at=iso(moment.wire_ms),
            who=who,
            token=token if is_known else shown_token(token),
            purpose=purpose if purpose in PURPOSES else "unknown",
            payment_id=payment_id,
            correlation_id=message.correlation_id,
            outcome=outcome,
            origin=origin,
        )
        return Post("access", record)

    return line


def shown_token(token: str) -> str:
    """A token that we do not know, if it can be one; else a word for it."""
    if _OUR_TOKEN.fullmatch(token):
        return token  # random hex: twelve digits in a row come up in 3 % of them
    looks_like_one = _TOKEN.fullmatch(token) and not _CARD_LIKE.search(token)
    return token if looks_like_one else "tok_unreadable"

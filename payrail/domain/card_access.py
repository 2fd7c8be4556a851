"""A line of the vault's access log, as those read it who did not write it.

Never: opens a file. The log's path is in `books`.
"""

import msgspec
from msgspec import Struct

from payrail.errors import LineDamaged

ALLOWED = "allowed"
#: Stands in a line about every card there is: a key came or went.
ALL_TOKENS = "*"


class CardAccess(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody wanted something of a token, and got it or did not."""

    seq: int
    at: str  # wire time
    who: str  # a user, an actor, or `internal`: whoever knows the internal secret
    token: str
    purpose: str  # `unknown` for a word that is no purpose
    payment_id: str | None
    correlation_id: str
    outcome: str  # allowed | refused:<why>
    origin: str  # mailbox | http | …
    merchant_id: str | None = None  # whose token it is; None in lines about tokens nobody has
    provider: str | None = None  # for whom the card was asked to be sealed
    reference: str | None = None  # of that provider's operation
    key_id: str | None = None  # the key that came or went

    @property
    def is_allowed(self) -> bool:
        return self.outcome == ALLOWED

    @property
    def refused_for(self) -> str:
        """Why not; empty for a yes."""
        return self.outcome.partition(":")[2]


_decode = msgspec.json.Decoder(CardAccess).decode


def read_access(line: bytes) -> CardAccess:
    """The line. Raises LineDamaged for one that is none, without what stands in it."""
    try:
        return _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LineDamaged("not a line of the access log") from error

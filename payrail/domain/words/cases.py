"""What people ask for about cases."""

from payrail.domain.words.kinds import asked
from payrail.domain.words.payments import Command


class CloseCase(Command, kw_only=True):
    """Somebody has looked into it; `resolution` says how it ended."""

    id: str
    resolution: str


KINDS = (asked("case.close", "frontdoor", CloseCase),)

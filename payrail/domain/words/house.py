"""What every actor understands: a sign of life, and what becomes of a dead letter."""

from msgspec import Struct

from payrail.domain.words.kinds import kind


class Ping(Struct, forbid_unknown_fields=True):
    note: str = ""


class ReplayDeadLetter(Struct, forbid_unknown_fields=True):
    id: str  # of the dead letter


class DropDeadLetter(Struct, forbid_unknown_fields=True):
    id: str


KINDS = (
    kind("ping", "frontdoor", Ping, by_hand=True, reply=True),
    kind("dlq.replay", "frontdoor", ReplayDeadLetter, by_hand=True, reply=True),
    kind("dlq.drop", "frontdoor", DropDeadLetter, by_hand=True, reply=True),
)

"""What a kind of message is: one row of the table, and the senders that are no actors."""

from dataclasses import dataclass
from typing import Any

from msgspec import Struct

TIMER = "timer"  # the sender of what an actor asked to be told later
HAND = "hand"  # the sender of what people append to hand.jsonl
ERRAND = "errand"  # the sender of what came of an actor's own work beside its loop
BOOK = "book:"  # how the sender of a followed book's lines begins
#: Actors that several rooms write to, by name.
GATEWAY, RECONCILER, DISPATCHER, VAULT = "gateway", "reconciler", "dispatcher", "vault"
PROVIDERS = ("provider-a", "provider-b")
ANY_PROVIDER = " ".join(PROVIDERS)

#: Senders whose lines are ordered by (epoch, n) and journaled whole by their receiver.
EDGES = frozenset({"frontdoor", "vault.http"})

#: A message must fit into one line of a journal twice over; longer bytes are a file of their own.
MESSAGE_BYTES_MAX = 16 * 1024

#: How long a command waits at most before it is no longer worth starting.
COMMAND_MS = 10_000
#: A card that has not reached its provider by then is refused there.
CHARGE_MS = 30_000


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table."""

    name: str
    senders: frozenset[str]
    body: type[Struct]
    reply: bool = False
    deadline_ms: int | None = None  # from sending; None: always worth doing
    by_hand: bool = False


def kind(name: str, senders: str, body: type[Struct], **more: Any) -> Kind:
    """A row; `senders` are parted by spaces."""
    return Kind(name, frozenset(senders.split()), body, **more)


def asked(
    name: str,
    senders: str,
    body: type[Struct],
    *,
    within_ms: int = COMMAND_MS,
    by_hand: bool = False,
) -> Kind:
    """A row of a kind whose sender waits for the reply, `within_ms` at most."""
    return kind(name, senders, body, reply=True, deadline_ms=within_ms, by_hand=by_hand)

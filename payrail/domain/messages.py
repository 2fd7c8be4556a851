"""The words between actors: the envelope of a line, and the table of kinds.

`KINDS` says for each kind who may send it, the shape of its body, whether a reply is expected,
how long it is worth doing, and whether people may send it by hand. A line that does not fit
becomes a dead letter; nothing is guessed. The rows stand in the rooms of `payrail.domain.words`.
"""

import msgspec
from msgspec import Struct

from payrail.domain.words import (
    access,
    cards,
    cases,
    disputes,
    dry_run,
    endpoints,
    house,
    payments,
    payouts,
    providers,
    refunds,
    rules,
    settlement,
    vault_keys,
)
from payrail.domain.words.cards import (
    CardKnown,
    CardRefused,
    Charge,
    ChargeCard,
    LookUpCard,
    StoreCard,
)
from payrail.domain.words.house import (
    DropDeadLetter,
    Ping,
    ReplayDeadLetter,
)
from payrail.domain.words.kinds import (
    ANY_PROVIDER,
    BOOK,
    CHARGE_MS,
    COMMAND_MS,
    EDGES,
    ERRAND,
    HAND,
    MESSAGE_BYTES_MAX,
    PROVIDERS,
    TIMER,
    Kind,
)
from payrail.domain.words.payments import (
    AskAgain,
    AttemptTimeout,
    AuthorizePayment,
    BreakerPause,
    CancelPayment,
    CapturePayment,
    Command,
    CreatePayment,
)
from payrail.domain.words.providers import (
    Ask,
    ClaimHold,
    ClearFaults,
    InjectFault,
    Outcome,
    ReverseHold,
    TakeUp,
)

__all__ = [
    "ANY_PROVIDER",
    "BOOK",
    "CHARGE_MS",
    "COMMAND_MS",
    "EDGES",
    "ERRAND",
    "HAND",
    "KINDS",
    "MESSAGE_BYTES_MAX",
    "PROVIDERS",
    "TIMER",
    "VERSION",
    "Ask",
    "AskAgain",
    "AttemptTimeout",
    "AuthorizePayment",
    "BreakerPause",
    "CancelPayment",
    "CapturePayment",
    "CardKnown",
    "CardRefused",
    "Charge",
    "ChargeCard",
    "ClaimHold",
    "ClearFaults",
    "Command",
    "CreatePayment",
    "DropDeadLetter",
    "Envelope",
    "InjectFault",
    "Kind",
    "LookUpCard",
    "Outcome",
    "Ping",
    "ReplayDeadLetter",
    "ReplyLine",
    "ReverseHold",
    "StoreCard",
    "TakeUp",
]

VERSION = 1


class Envelope(Struct, kw_only=True):
    """One line of a mailbox. `n` counts per channel from 1 without gaps; edges order by (epoch, n).

    `step` and `chain` are the sender's head when the line was journaled: its step number, and the
    hash of the step before. `hash` follows last and is not a field here.
    """

    id: str  # gateway>vault:511
    from_: str = msgspec.field(name="from")
    to: str
    n: int
    epoch: int
    step: int
    chain: str
    kind: str
    v: int
    key: str | None  # what it is about, e.g. the payment
    correlation_id: str
    causation_id: str | None  # the id of the message that led to it
    reply_to: str | None  # the asker's own name for its question
    sent_at: str
    deadline: str | None
    body: msgspec.Raw


class ReplyLine(Struct, kw_only=True):
    """A reply as it lies in the asker's mailbox: not numbered, never sent again."""

    id: str  # gateway>frontdoor:re:<request>
    from_: str = msgspec.field(name="from")
    to: str
    kind: str  # "reply"
    re: str
    correlation_id: str
    sent_at: str
    status: int
    headers: dict[str, str]
    body: msgspec.Raw


_ROOMS = (
    payments,
    refunds,
    dry_run,
    disputes,
    cases,
    cards,
    providers,
    endpoints,
    access,
    settlement,
    rules,
    house,
    payouts,
    vault_keys,
)
KINDS: dict[str, Kind] = {row.name: row for room in _ROOMS for row in room.KINDS}

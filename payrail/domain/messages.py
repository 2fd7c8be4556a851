"""The words between actors: the envelope of a line, and the table of kinds.

`KINDS` says for each kind who may send it, the shape of its body, whether a reply is expected,
how long it is worth doing, and whether people may send it by hand. A line that does not fit
becomes a dead letter; nothing is guessed.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct

TIMER = "timer"  # the sender of what an actor asked to be told later
HAND = "hand"  # the sender of what people append to hand.jsonl
PROVIDERS = ("provider-a", "provider-b")
VERSION = 1

#: A message must fit into one line of a journal twice over; longer bytes are a file of their own.
MESSAGE_BYTES_MAX = 16 * 1024


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


class Command(Struct, kw_only=True, forbid_unknown_fields=True):
    """What every public command says about its asker. The defaults are those of a hand line:
    operator over all merchants, no idempotency key."""

    merchant_id: str | None = None
    user_id: str = HAND
    role: str = "operator"
    idempotency_key: str | None = None
    request_hash: str = ""  # method, path with ids, canonical body
    fields: dict[str, Any] = {}  # the request's body as given, for the diff of a reused key


class CreatePayment(Command, kw_only=True):
    amount: int
    currency: str
    payment_method: str  # token
    capture_method: str = "manual"
    confirm: bool = False
    customer: dict[str, Any] | None = None
    metadata: dict[str, Any] = {}


class AuthorizePayment(Command, kw_only=True):
    id: str


class CapturePayment(Command, kw_only=True):
    id: str
    amount: int | None = None
    final_capture: bool = True


class CancelPayment(Command, kw_only=True):
    id: str


class CardKnown(Struct, forbid_unknown_fields=True):
    """The vault has stored a card; all that the gateway may know of it."""

    token: str
    merchant_id: str
    brand: str
    bin: str
    last4: str
    fingerprint: str
    exp_month: int
    exp_year: int


class ChargeCard(Struct, forbid_unknown_fields=True):
    """Gateway to vault: hand this card, sealed, to that provider."""

    token: str
    merchant_id: str
    payment_id: str
    reference: str
    provider: str  # providerA
    amount: int
    currency: str
    purpose: str = "charge.authorize"
    capture: bool = False


class CardRefused(Struct, forbid_unknown_fields=True):
    """The vault did not hand out the card; the provider never heard of it."""

    payment_id: str
    reference: str
    code: str  # unknown_token | expired_token | purpose_refused


class Charge(Struct, forbid_unknown_fields=True):
    """Vault to provider: `sealed` opens only with that provider's key and for this reference."""

    payment_id: str
    reference: str
    merchant_id: str
    token: str
    amount: int
    currency: str
    sealed: str
    capture: bool = False


class ClaimHold(Struct, forbid_unknown_fields=True):
    """Gateway to provider: capture. `authorization` is the reference of the approved charge."""

    payment_id: str
    reference: str
    merchant_id: str
    authorization: str
    amount: int
    currency: str
    operation_id: str  # cap_…


class ReverseHold(Struct, forbid_unknown_fields=True):
    payment_id: str
    reference: str
    merchant_id: str
    authorization: str
    amount: int
    currency: str
    operation_id: str


class Ask(Struct, forbid_unknown_fields=True):
    """Gateway to provider: what became of this reference? Asking about one never seen fences it."""

    payment_id: str
    reference: str
    operation: str  # authorize | capture | reverse
    number: int  # which ask of this reference, from 1


class Outcome(Struct, forbid_unknown_fields=True):
    """Provider to gateway, both for an operation and for an ask.

    `result`: approved | declined | refused (safe: not processed) | ambiguous | pending | fenced.
    """

    payment_id: str
    reference: str
    operation: str
    result: str
    code: str  # "approved", a decline code, or why it was refused
    provider: str
    provider_reference: str | None
    amount: int
    currency: str
    asked: bool = False


class StoreCard(Struct, forbid_unknown_fields=True):
    """The vault's own HTTP door to the vault: already encrypted, a card number is not in it."""

    token: str
    merchant_id: str
    who: str
    origin: str
    brand: str
    bin: str
    last4: str
    fingerprint: str
    exp_month: int
    exp_year: int
    key_id: str
    ciphertext: str


class LookUpCard(Struct, forbid_unknown_fields=True):
    """/detokenize, /charge-token, GET /tokens: a look-up with its purpose, allowed or refused."""

    token: str
    merchant_id: str | None
    who: str
    origin: str
    purpose: str
    want: str  # last4 | metadata | sealed | nothing (a refusal that still leaves its line)
    provider: str | None = None
    payment_id: str | None = None
    operation_id: str | None = None
    refused: str | None = None  # the door already refused: why


class InjectFault(Struct, forbid_unknown_fields=True):
    """A drill: a fault rule that the provider has yet to judge; `rule` as its JSON."""

    rule: dict[str, Any]
    user_id: str = HAND


class ClearFaults(Struct, forbid_unknown_fields=True):
    user_id: str = HAND


class Ping(Struct, forbid_unknown_fields=True):
    note: str = ""


class ReplayDeadLetter(Struct, forbid_unknown_fields=True):
    id: str  # of the dead letter


class DropDeadLetter(Struct, forbid_unknown_fields=True):
    id: str


class AttemptTimeout(Struct):
    """The gateway's timer: a provider call has had its time (PAYRAIL_PROVIDER_TIMEOUT)."""

    payment_id: str
    reference: str


class AskAgain(Struct):
    """The gateway's timer: ask about a reference once more."""

    payment_id: str
    reference: str
    number: int


class BreakerPause(Struct):
    """The gateway's timer: a provider was left alone for long enough."""

    provider: str  # providerA
    move: int  # which move of its breaker set it


class TakeUp(Struct):
    """A provider's timer: a slow charge is taken up now."""

    reference: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table."""

    name: str
    senders: frozenset[str]
    body: type[Struct]
    reply: bool = False
    deadline_ms: int | None = None  # from sending; None: always worth doing
    by_hand: bool = False


#: How long a command waits at most before it is no longer worth starting.
COMMAND_MS = 10_000
#: A card that has not reached its provider by then is refused there.
CHARGE_MS = 30_000


def _kind(name: str, senders: str, body: type[Struct], **more: Any) -> Kind:
    return Kind(name, frozenset(senders.split()), body, **more)


_DOOR = {"reply": True, "deadline_ms": COMMAND_MS}
_ANY_PROVIDER = " ".join(PROVIDERS)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind("payment.create", "frontdoor", CreatePayment, **_DOOR),
        _kind("payment.authorize", "frontdoor", AuthorizePayment, **_DOOR),
        _kind("payment.capture", "frontdoor", CapturePayment, **_DOOR),
        _kind("payment.cancel", "frontdoor", CancelPayment, by_hand=True, **_DOOR),
        _kind("card.known", "vault", CardKnown),
        _kind("card.charge", "gateway", ChargeCard, deadline_ms=CHARGE_MS),
        _kind("card.refused", "vault", CardRefused),
        _kind("card.store", "vault.http", StoreCard, **_DOOR),
        _kind("card.lookup", "vault.http", LookUpCard, **_DOOR),
        _kind("charge", "vault", Charge, deadline_ms=CHARGE_MS),
        _kind("capture", "gateway", ClaimHold),
        _kind("reverse", "gateway", ReverseHold),
        _kind("ask", "gateway", Ask),
        _kind("outcome", _ANY_PROVIDER, Outcome),
        _kind("fault.inject", "frontdoor", InjectFault, by_hand=True, **_DOOR),
        _kind("fault.clear", "frontdoor", ClearFaults, by_hand=True, **_DOOR),
        _kind("ping", "frontdoor", Ping, by_hand=True, reply=True),
        _kind("dlq.replay", "frontdoor", ReplayDeadLetter, by_hand=True, reply=True),
        _kind("dlq.drop", "frontdoor", DropDeadLetter, by_hand=True, reply=True),
        _kind("attempt.timeout", TIMER, AttemptTimeout),
        _kind("ask.again", TIMER, AskAgain),
        _kind("breaker.pause", TIMER, BreakerPause),
        _kind("charge.take_up", TIMER, TakeUp),
    )
}

#: Senders whose lines are ordered by (epoch, n) and journaled whole by their receiver.
EDGES = frozenset({"frontdoor", "vault.http"})

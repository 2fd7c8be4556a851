"""What the gateway's own journal says besides entries and events: its facts, and what they hold.

A fact is folded by `state.apply`. Never: decides, or reaches a client.
"""

import msgspec
from msgspec import Struct

from actors.gateway.dispute_state import DisputeEvent
from actors.gateway.payout_state import PayoutDaySet
from payrail.domain.trials import Canary
from payrail.domain.words.providers import ProviderNotice
from payrail.domain.words.rules import RulesInForce, RulesRefused
from payrail.errors import LineDamaged
from payrail.runtime.actor import Asker


class Card(Struct, frozen=True):
    """What the gateway may know of a stored card."""

    merchant_id: str
    brand: str
    bin: str
    last4: str


class KeyRecord(Struct):
    """One idempotency key of one merchant. Offsets are those of journal lines."""

    request_hash: str
    asked_at: int
    asker: Asker
    created_ms: int
    payment_id: str | None
    expires_ms: int  # business time; counted again from the final answer
    status: int = 0  # 0 while in flight, 202 while provisional
    answer_at: int = -1  # where the final answer stands; -1 before

    @property
    def final(self) -> bool:
        return self.answer_at >= 0


class Pending(Struct):
    """An operation that a client asked for and whose end is not known yet."""

    key: str | None
    asker: Asker | None  # None when nobody waits (by hand)
    created: bool = False  # the answer to a create: 201 where others get 200
    told: bool = False  # the asker had its 202; the final answer is kept for the same key
    waits_until_ms: int | None = None  # then the asker gives up by itself


class Closed(Struct):
    """What stays of a payment that nothing can happen to any more."""

    merchant_id: str | None
    state: str
    calls: int  # the highest k of our references
    approved: list[str]  # references of charges whose approval is known and dealt with
    currency: str
    object_seq: int  # entries folded
    is_expired: bool = False  # its hold was given back because nobody captured it in time


class ClosedRefund(Struct):
    """What stays of a refund that is over: who asks for it again, and a success that comes back."""

    payment_id: str
    merchant_id: str | None
    state: str
    amount: int
    currency: str
    provider: str
    reference: str | None
    object_seq: int  # entries folded
    is_settled: bool = False  # stands in a statement, and its money is accounted for


class LateReversal(Struct):
    """A late approval that is being given back."""

    payment_id: str
    reference: str  # of the charge that was approved too late
    reversal_reference: str
    provider: str
    amount: int
    currency: str
    merchant_id: str | None
    tries: int = 1  # a reversal that was fenced is tried again under the next reference


class CardRegistered(Struct, tag="card_registered", tag_field="type"):
    """The vault has stored a card: from now on payments may name its token."""

    token: str
    card: Card


class CardRemoved(Struct, tag="card_removed", tag_field="type"):
    """The vault has deleted a card: payments that have it go on, new ones may not name it."""

    token: str


class CardsAsked(Struct, tag="cards_asked", tag_field="type"):
    """An incarnation began, and has not heard from the vault yet."""

    id: str


class CardsTold(Struct, tag="cards_told", tag_field="type"):
    """It has, and with that all that was sent before."""


class KeyTaken(Struct, tag="key_taken", tag_field="type"):
    """A merchant uses a key for the first time, or again after it expired."""

    key: str
    record: KeyRecord


class KeyAnswered(Struct, tag="key_answered", tag_field="type"):
    """The answer under a key; 202 is provisional, and any other is given again as it stands."""

    key: str
    status: int
    answer_at: int
    expires_ms: int


class Parked(Struct, tag="parked", tag_field="type"):
    """Somebody waits for the end of an operation of this payment."""

    payment_id: str
    pending: Pending


class Unparked(Struct, tag="unparked", tag_field="type"):
    """Nobody waits any more: the operation has ended."""

    payment_id: str


class LateReversalStarted(Struct, tag="late_reversal_started", tag_field="type"):
    """A charge was approved after its payment was closed: its money goes back."""

    late: LateReversal


class LateReversalEnded(Struct, tag="late_reversal_ended", tag_field="type"):
    """It went back, or was given to people as a case."""

    reversal_reference: str


class FenceBroken(Struct, tag="fence_broken", tag_field="type"):
    """A call happened that its provider had refused for good; people were told."""

    reference: str


class CallJudged(Struct, tag="call_judged", tag_field="type"):
    """A call to a provider ended, well or with a technical failure; a decline is neither."""

    provider: str
    at_ms: int  # business time
    failed: bool


class ChargeOffered(Struct, tag="charge_offered", tag_field="type"):
    """A charge came by a provider whose breaker is half open."""

    provider: str


class NoticeParked(Struct, tag="notice_parked", tag_field="type"):
    """A provider's notice about a reference that is not known, or not yet."""

    key: str
    notice: ProviderNotice


class NoticeUnparked(Struct, tag="notice_unparked", tag_field="type"):
    """`why`: applied | expired | crowded_out."""

    key: str
    why: str


class ChargeAnswered(Struct, tag="charge_answered", tag_field="type"):
    """An issuer has answered a charge at this provider: authorized, or declined."""

    provider: str
    authorized: bool


class CanarySet(Struct, tag="canary_set", tag_field="type"):
    """People ask for a canary, for another one, or for none any more."""

    canary: Canary | None


class RulesWereTaken(Struct, tag="rules_taken", tag_field="type"):
    """From now on is decided by this text."""

    file: str
    rules: RulesInForce


class RulesWereRefused(Struct, tag="rules_refused", tag_field="type"):
    """The file as it stands cannot be used; what was in force before stays."""

    file: str
    refused: RulesRefused


Event = (
    PayoutDaySet
    | CardRegistered
    | CardRemoved
    | CardsAsked
    | CardsTold
    | KeyTaken
    | KeyAnswered
    | Parked
    | Unparked
    | LateReversalStarted
    | LateReversalEnded
    | FenceBroken
    | CallJudged
    | ChargeOffered
    | NoticeParked
    | NoticeUnparked
    | ChargeAnswered
    | CanarySet
    | RulesWereTaken
    | RulesWereRefused
    | DisputeEvent
)
_decode_event = msgspec.json.Decoder(Event).decode


def read_event(line: bytes) -> Event:
    """An event of the gateway's own. Raises LineDamaged."""
    try:
        event: Event = _decode_event(line)
        return event
    except msgspec.MsgspecError as error:
        raise LineDamaged(f"not an event of the gateway: {error}") from error

"""What the gateway remembers of disputes: open ones whole, closed ones by a few words, and what it
has asked a provider and not heard yet.

Everything here is a fold: of the entries in their book, and of the gateway's own events. A won
dispute can still be lost by a second chargeback, so that closed ones stay, by a few words each.
Never: decides.
"""

from typing import Any

from msgspec import Struct, field

from payrail.domain.dispute_view import DisputeState, Stage, render
from payrail.domain.disputes import DisputeView, fold
from payrail.domain.ledger import LedgerEntry
from payrail.domain.timestamps import iso
from payrail.domain.words.disputes import DisputeFact
from payrail.runtime.actor import Asker

#: Of an answer about a dispute that the provider has not confirmed: it is in no book yet.
OPENING = "opening"
#: The shape of a dispute whose words are not known, or not any more.
_SHAPE: dict[str, Any] = {
    **dict.fromkeys(("id", "object", "stage", "state", "reason", "network_code")),
    **dict.fromkeys(("amount", "currency", "payment_intent", "merchant_id", "provider")),
    **dict.fromkeys(("provider_reference", "due_by", "closed_reason")),
    "object": "dispute",
    "evidence": {},
    "checklist": [],
    "submissions": [],
    "fees": [],
    **dict.fromkeys(("created_at", "updated_at")),
}


class ClosedDispute(Struct):
    """What stays of a dispute that is over."""

    payment_id: str
    merchant_id: str | None
    state: str
    stage: str
    amount: int
    currency: str
    provider: str
    provider_reference: str
    object_seq: int  # entries folded
    is_doubted: bool = False  # the provider contradicted itself, and people were told


class DisputeAsk(Struct):
    """An order about a dispute that its provider has not answered. One dispute has one at most."""

    payment_id: str
    action: str  # open | submit | accept | resolve
    merchant_id: str | None
    user_id: str
    provider: str
    reason: str
    stage: str
    amount: int
    currency: str
    since_ms: int  # wire time
    key: str | None = None
    asker: Asker | None = None  # None: nobody waits (by hand)
    told: bool = False  # the asker had its 202


class DisputeAsked(Struct, tag="dispute_asked", tag_field="type"):
    """An order has left for the provider; again when its asker was told to wait."""

    dispute_id: str
    ask: DisputeAsk


class DisputeAnswered(Struct, tag="dispute_answered", tag_field="type"):
    """The provider has answered the order."""

    dispute_id: str


class DisputeDoubted(Struct, tag="dispute_doubted", tag_field="type"):
    """A fact contradicts what is booked of a closed dispute: people were told, once."""

    dispute_id: str


class FraudReported(Struct, tag="fraud_reported", tag_field="type"):
    """A warning of suspected fraud has its case; `name`: its provider and its name there."""

    name: str


class FactParked(Struct, tag="fact_parked", tag_field="type"):
    """A notice about a charge that is not known, or not captured yet."""

    key: str
    fact: DisputeFact


class FactUnparked(Struct, tag="fact_unparked", tag_field="type"):
    """`why`: applied | expired | crowded_out."""

    key: str
    why: str


DisputeEvent = (
    DisputeAsked | DisputeAnswered | DisputeDoubted | FraudReported | FactParked | FactUnparked
)


class Disputes(Struct):
    """A part of the gateway's state. Mutable: `fold_entry` and `fold_event` change it in place."""

    open: dict[str, DisputeView] = field(default_factory=dict)
    closed: dict[str, ClosedDispute] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)  # by provider and its name for it
    asks: dict[str, DisputeAsk] = field(default_factory=dict)  # by dispute
    parked: dict[str, DisputeFact] = field(default_factory=dict)
    reported: dict[str, bool] = field(default_factory=dict)  # warnings that have their case

    def known(self, ident: str) -> DisputeView | ClosedDispute | None:
        return self.open.get(ident) or self.closed.get(ident)

    def asked_minor(self, payment_id: str) -> int:
        """What is being disputed of a payment, and no provider has confirmed."""
        mine = (ask for ask in self.asks.values() if ask.payment_id == payment_id)
        return sum(ask.amount for ask in mine if ask.action == "open")


def fold_entry(disputes: Disputes, entry: LedgerEntry) -> None:
    """Fold an entry of the disputes' book."""
    closed = disputes.closed.get(entry.ref)
    if closed is not None:  # won, and charged back once more
        closed.state, closed.stage = DisputeState.LOST.value, Stage.PRE_ARBITRATION.value
        closed.object_seq += 1
        return
    view = fold(disputes.open.get(entry.ref), entry)
    disputes.open[view.id] = view
    disputes.of[name_at(view.provider, view.provider_reference)] = view.id
    if not view.is_open:
        del disputes.open[view.id]
        disputes.closed[view.id] = closed_of(view)


def fold_event(disputes: Disputes, event: DisputeEvent) -> None:
    """Fold an event of the gateway's own."""
    match event:
        case DisputeAsked(dispute_id, ask):
            disputes.asks[dispute_id] = ask
        case DisputeAnswered(dispute_id):
            disputes.asks.pop(dispute_id, None)
        case DisputeDoubted(dispute_id):
            disputes.closed[dispute_id].is_doubted = True
        case FraudReported(name):
            disputes.reported[name] = True
        case FactParked(key, fact):
            disputes.parked[key] = fact
        case FactUnparked(key):
            disputes.parked.pop(key, None)


def name_at(provider: str, provider_reference: str) -> str:
    """What a provider's dispute is known by."""
    return f"{provider} {provider_reference}"


def standing(disputes: Disputes, ident: str) -> dict[str, Any] | None:
    """How a dispute stands, for whoever waits: an order to open one is shown as such."""
    view = disputes.open.get(ident)
    if view is not None:
        return render(view)
    closed = disputes.closed.get(ident)
    if closed is not None:
        return closed_shown(ident, closed)
    ask = disputes.asks.get(ident)
    return None if ask is None else _opening(ident, ask)


def closed_shown(ident: str, closed: ClosedDispute) -> dict[str, Any]:
    """A dispute that has left memory, in the shape of one: the reads have all of it."""
    return {
        **_SHAPE,
        "id": ident,
        "stage": closed.stage,
        "state": closed.state,
        "amount": closed.amount,
        "currency": closed.currency,
        "payment_intent": closed.payment_id,
        "merchant_id": closed.merchant_id,
        "provider": closed.provider,
        "provider_reference": closed.provider_reference,
    }


def _opening(ident: str, ask: DisputeAsk) -> dict[str, Any]:
    since = iso(ask.since_ms)
    return {
        **_SHAPE,
        "id": ident,
        "stage": ask.stage,
        "state": OPENING,
        "reason": ask.reason,
        "amount": ask.amount,
        "currency": ask.currency,
        "payment_intent": ask.payment_id,
        "merchant_id": ask.merchant_id,
        "provider": ask.provider,
        "created_at": since,
        "updated_at": since,
    }


def closed_of(view: DisputeView) -> ClosedDispute:
    """What stays of a dispute that is over."""
    return ClosedDispute(
        view.payment_id,
        view.merchant_id,
        view.state.value,
        view.stage.value,
        view.amount,
        view.currency,
        view.provider,
        view.provider_reference,
        view.object_seq,
    )

"""What the gateway remembers: open payments whole, closed ones by a few words, keys by offsets.

Everything here is the fold of its journal. Closed payments live on in the ledger; what stays of
them here answers a late word from a provider. A stored answer is an offset into the journal.
Never: decides. A fold runs again on every recovery, so it may not fail.
"""

from typing import Any

from msgspec import Struct, field, structs

from actors.gateway.booking import OutboxEvent
from actors.gateway.facts import (
    CallJudged,
    Card,
    CardRegistered,
    ChargeOffered,
    Closed,
    ClosedRefund,
    KeyAnswered,
    KeyRecord,
    KeyTaken,
    LateReversal,
    LateReversalEnded,
    LateReversalStarted,
    NoticeParked,
    NoticeUnparked,
    Parked,
    Pending,
    Unparked,
)
from payrail.domain import refunds
from payrail.domain.access import KeyAdded, KeyRevoked, MerchantAdded, UserAdded
from payrail.domain.breaker import Breaker, move, note, offer
from payrail.domain.endpoints import Endpoint, EndpointDeleted, EndpointRecord, endpoint_after
from payrail.domain.ledger import (
    BreakAdjusted,
    BreakerOpened,
    LedgerEntry,
    PaymentSettled,
    PayoutReceived,
)
from payrail.domain.payment_claims import CLAIMS
from payrail.domain.payments import TERMINAL, PaymentView, fold
from payrail.domain.refunds import IN_FLIGHT, REFUND_TRANSITIONS, RefundState, RefundView
from payrail.domain.timestamps import parse_iso
from payrail.domain.words.providers import ProviderNotice

#: How long a key is remembered at least, in business time: a shop may retry a day later.
KEY_MS = 24 * 3_600_000
#: How many expired keys one new key makes room for.
PRUNED_MAX = 8


class GatewayState(Struct):
    """The whole of it. Mutable: `apply` changes it in place."""

    payments: dict[str, PaymentView] = field(default_factory=dict)
    closed: dict[str, Closed] = field(default_factory=dict)
    refunds: dict[str, RefundView] = field(default_factory=dict)  # those in flight
    closed_refunds: dict[str, ClosedRefund] = field(default_factory=dict)
    refund_of: dict[str, str] = field(default_factory=dict)  # of succeeded ones, by reference
    cards: dict[str, Card] = field(default_factory=dict)
    keys: dict[str, KeyRecord] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)
    late: dict[str, LateReversal] = field(default_factory=dict)  # by reversal reference
    breakers: dict[str, Breaker] = field(default_factory=dict)  # by providerA
    parked: dict[str, ProviderNotice] = field(default_factory=dict)  # by provider and reference
    payouts: dict[str, bool] = field(default_factory=dict)  # received, by batch and currency
    adjusted: dict[str, bool] = field(default_factory=dict)  # breaks that were posted, by id
    access: int = 0  # records in the book of merchants, users and keys
    outbox: int = 0  # events booked so far, which is the last one's `seq`
    endpoints: dict[str, Endpoint] = field(default_factory=dict)  # webhooks go there

    def breaker(self, provider: str) -> Breaker:
        """A provider's breaker; one that was never heard of is closed."""
        return self.breakers.get(provider) or Breaker()


def apply(state: GatewayState, event: Any) -> None:
    """Fold one event or book record."""
    match event:
        case LedgerEntry():
            _fold_entry(state, event)
        case KeyTaken(key, record):
            _take_key(state, key, record)
        case KeyAnswered():
            _answer_key(state, event)
        case Parked() | Unparked() | NoticeParked() | NoticeUnparked():
            _fold_parked(state, event)
        case CardRegistered(token, card):
            state.cards[token] = card
        case LateReversalStarted(late):
            _start_late(state, late)
        case LateReversalEnded(reversal_reference):
            state.late.pop(reversal_reference, None)
        case CallJudged() | ChargeOffered():
            _fold_call(state.breakers.setdefault(event.provider, Breaker()), event)
        case MerchantAdded() | UserAdded() | KeyAdded() | KeyRevoked():
            state.access += 1
        case _:
            _fold_more(state, event)


def _fold_parked(
    state: GatewayState, event: Parked | Unparked | NoticeParked | NoticeUnparked
) -> None:
    match event:
        case Parked(payment_id, pending):
            state.pending[payment_id] = pending
        case Unparked(payment_id):
            state.pending.pop(payment_id, None)
        case NoticeParked(key, notice):
            state.parked[key] = notice
        case NoticeUnparked(key):
            state.parked.pop(key, None)


def _fold_call(breaker: Breaker, event: CallJudged | ChargeOffered) -> None:
    if isinstance(event, CallJudged):
        note(breaker, event.at_ms, failed=event.failed)
    else:
        offer(breaker)


def _start_late(state: GatewayState, late: LateReversal) -> None:
    """Its reference is taken: the next call about the payment gets another."""
    state.late[late.reversal_reference] = late
    if late.payment_id in state.closed:
        _note_late(state.closed[late.payment_id], late)
    elif late.payment_id in state.payments:
        view = state.payments[late.payment_id]
        view.calls = max(view.calls, call_number(late.reversal_reference))


def _fold_more(state: GatewayState, record: Any) -> None:
    if isinstance(record, OutboxEvent):
        state.outbox += 1  # the same fact as the entry's, once more
    elif isinstance(record, EndpointDeleted):  # the book remembers it
        state.endpoints.pop(record.endpoint_id, None)
    elif isinstance(record, EndpointRecord):
        known = state.endpoints.get(record.endpoint_id)
        state.endpoints[record.endpoint_id] = endpoint_after(known, record)


def fold_breaker(breaker: Breaker, entry: LedgerEntry) -> None:
    """Fold an entry of a provider."""
    at_ms = probe_ms = 0
    if isinstance(entry.data, BreakerOpened):
        at_ms, probe_ms = parse_iso(entry.data.opened_at), parse_iso(entry.data.next_probe_at)
    move(breaker, entry.type, at_ms=at_ms, probe_ms=probe_ms)


def payout_key(batch_id: str, currency: str) -> str:
    """What a received payout is known by."""
    return f"{batch_id} {currency}"


def _fold_settled(state: GatewayState, entry: LedgerEntry) -> bool:
    """Remember what is booked once; True for an entry that is about no payment."""
    match entry.data:
        case PayoutReceived(batch_id=batch_id):
            state.payouts[payout_key(batch_id, entry.currency)] = True
            return True
        case BreakAdjusted(break_id=break_id):
            state.adjusted[break_id] = True
            return True
        case PaymentSettled(refund_id=str(refund_id)):
            if refund_id in state.closed_refunds:
                state.closed_refunds[refund_id].is_settled = True
        case PaymentSettled(break_id=str(break_id)):
            state.adjusted[break_id] = True
    return False


def _fold_entry(state: GatewayState, entry: LedgerEntry) -> None:
    if _fold_settled(state, entry):
        return
    if entry.type.startswith("provider."):
        fold_breaker(state.breakers.setdefault(entry.ref, Breaker()), entry)
        return
    if entry.type in CLAIMS:
        _fold_refund(state, entry)
        return
    if not entry.type.startswith(("payment.", "fee.")):
        return
    closed = state.closed.get(entry.ref)
    if closed is not None:
        closed.object_seq += 1
        return
    view = fold(state.payments.get(entry.ref), entry)
    state.payments[view.id] = view
    if view.state in TERMINAL and view.open is None:
        del state.payments[view.id]
        state.closed[view.id] = _closed(state, view)


def _fold_refund(state: GatewayState, entry: LedgerEntry) -> None:
    """A refund's entry moves the refund, and what its payment has reserved and given back."""
    payment_id = entry.data.payment_id
    state.payments[payment_id] = fold(state.payments.get(payment_id), entry)
    closed = state.closed_refunds.get(entry.ref)
    if closed is not None:  # the cardholder's bank sent it back
        closed.state = REFUND_TRANSITIONS[RefundState(closed.state), entry.type].value
        closed.object_seq += 1
        state.refund_of.pop(closed.reference or "", None)
        return
    view = refunds.fold(state.refunds.get(entry.ref), entry)
    state.refunds[view.id] = view
    if view.state is RefundState.SUCCEEDED and view.reference is not None:
        state.refund_of[view.reference] = view.id
    if view.state not in IN_FLIGHT:
        del state.refunds[view.id]
        state.closed_refunds[view.id] = ClosedRefund(
            view.payment_id,
            view.merchant_id,
            view.state.value,
            view.amount,
            view.currency,
            view.provider,
            view.reference,
            view.object_seq,
        )


def _closed(state: GatewayState, view: PaymentView) -> Closed:
    closed = Closed(
        view.merchant_id,
        view.state.value,
        view.calls,
        [view.authorization] if view.authorization else [],
        view.currency,
        view.object_seq,
    )
    for late in state.late.values():
        if late.payment_id == view.id:
            _note_late(closed, late)
    return closed


def call_number(reference: str) -> int:
    """The k of our reference `<payment>.<k>`."""
    return int(reference.rpartition(".")[2])


def _note_late(closed: Closed, late: LateReversal) -> None:
    closed.calls = max(closed.calls, call_number(late.reversal_reference))
    if late.reference not in closed.approved:
        closed.approved.append(late.reference)


def _take_key(state: GatewayState, key: str, record: KeyRecord) -> None:
    _prune_keys(state, record.created_ms)
    state.keys.pop(key, None)
    state.keys[key] = structs.replace(record)  # ours alone: it changes when it is answered


def _answer_key(state: GatewayState, answered: KeyAnswered) -> None:
    record = state.keys.pop(answered.key, None)
    if record is None:
        return
    record.status, record.answer_at = answered.status, answered.answer_at
    record.expires_ms = answered.expires_ms
    state.keys[answered.key] = record  # to the end: keys stand in the order of their expiry


def _prune_keys(state: GatewayState, now_ms: int) -> None:
    """Forget a few expired keys. One in doubt never expires: it goes behind the others."""
    for _ in range(PRUNED_MAX):
        oldest = next(iter(state.keys), None)
        if oldest is None or state.keys[oldest].expires_ms > now_ms:
            return
        record = state.keys.pop(oldest)
        if not record.final:
            state.keys[oldest] = record

"""How each fact changes what the gateway remembers: the fold of its journal and of its books.

Never: decides. A fold runs again on every recovery, so it may not fail.
"""

from typing import Any

from msgspec import structs

from actors.gateway import card_news, dispute_state, payout_state, provider_folds, rules_taken
from actors.gateway.booking import OutboxEvent
from actors.gateway.dispute_state import DisputeEvent
from actors.gateway.facts import (
    CallJudged,
    CanarySet,
    CardRegistered,
    CardRemoved,
    CardsAsked,
    CardsTold,
    ChargeAnswered,
    ChargeOffered,
    Closed,
    ClosedRefund,
    FenceBroken,
    KeyAnswered,
    KeyRecord,
    KeyTaken,
    LateReversal,
    LateReversalEnded,
    LateReversalStarted,
    NoticeParked,
    NoticeUnparked,
    Parked,
    RulesWereRefused,
    RulesWereTaken,
    Unparked,
)
from actors.gateway.state import KEY_MS, GatewayState, call_number, payout_key
from payrail.domain import cases, refunds
from payrail.domain.cases import CaseState
from payrail.domain.endpoints import EndpointDeleted, EndpointRecord, endpoint_after
from payrail.domain.ledger import (
    BreakAdjusted,
    LedgerEntry,
    PaymentSettled,
    PayoutReceived,
)
from payrail.domain.payment_claims import CLAIMS
from payrail.domain.payments import DONE, PaymentView, fold
from payrail.domain.people import PeopleRecord
from payrail.domain.refunds import IN_FLIGHT, REFUND_TRANSITIONS, RefundState

#: How many expired keys one new key makes room for.
PRUNED_MAX = 8


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
        case CardRegistered() | CardRemoved() | CardsAsked() | CardsTold():
            card_news.fold(state, event)
        case LateReversalStarted(late):
            _start_late(state, late)
        case LateReversalEnded(reversal_reference):
            state.late.pop(reversal_reference, None)
        case FenceBroken(reference):
            state.broken_fences[reference] = True
        case CallJudged() | ChargeOffered() | ChargeAnswered() | CanarySet():
            provider_folds.fold_fact(state, event)
        case payout_state.PayoutDaySet():
            payout_state.fold_day(state.paying, event)
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
    elif isinstance(record, PeopleRecord):
        state.access += 1
        state.people.fold_people(record)
    elif isinstance(record, RulesWereTaken | RulesWereRefused):
        rules_taken.fold(state, record)
    elif isinstance(record, DisputeEvent):
        dispute_state.fold_event(state.disputes, record)
    elif isinstance(record, EndpointDeleted):  # the book remembers it
        state.endpoints.pop(record.endpoint_id, None)
    elif isinstance(record, EndpointRecord):
        known = state.endpoints.get(record.endpoint_id)
        state.endpoints[record.endpoint_id] = endpoint_after(known, record)


def _fold_settled(state: GatewayState, entry: LedgerEntry) -> bool:
    """Remember what is booked once; True for an entry that is about no payment."""
    match entry.data:
        case PayoutReceived(batch_id=batch_id):
            state.payouts[payout_key(batch_id, entry.currency)] = True
            return True
        case BreakAdjusted(break_id=break_id, line=line):
            state.adjusted[break_id] = True
            _note_line(state, line, is_posted=True)
            return True
        case PaymentSettled() as settled:
            _note_settled(state, settled)
    return False


def _note_settled(state: GatewayState, settled: PaymentSettled) -> None:
    """What it stands for is in the books: a line of a statement, a movement of ours, a break."""
    _note_line(state, settled.line, is_posted=settled.adjusted)
    if settled.break_id is not None:
        state.adjusted[settled.break_id] = True
    if settled.refund_id in state.closed_refunds:
        state.closed_refunds[settled.refund_id].is_settled = True
    if settled.claim_id is not None:
        state.settled_claims[f"{settled.claim_id} {settled.effect}"] = True


def _note_line(state: GatewayState, line: str | None, *, is_posted: bool) -> None:
    if line is not None:
        state.booked_lines.setdefault(line, is_posted)


def _fold_entry(state: GatewayState, entry: LedgerEntry) -> None:
    payout_state.fold_entry(state.paying, entry)
    if _fold_settled(state, entry):
        return
    if entry.type.startswith("provider."):
        provider_folds.fold_entry(state, entry)
        return
    if entry.type in CLAIMS:
        _fold_claim(state, entry)
        return
    if entry.type.startswith("case."):
        _fold_case(state, entry)
        return
    if not entry.type.startswith(("payment.", "fee.")):
        return
    closed = state.closed.get(entry.ref)
    if closed is not None:
        closed.object_seq += 1
        return
    view = fold(state.payments.get(entry.ref), entry)
    state.payments[view.id] = view
    if view.state in DONE and view.open is None:
        del state.payments[view.id]
        state.closed[view.id] = _closed(state, view)


def _fold_claim(state: GatewayState, entry: LedgerEntry) -> None:
    """An entry of a refund or a dispute moves that, and what is claimed of its payment."""
    payment_id = entry.data.payment_id
    state.payments[payment_id] = fold(state.payments.get(payment_id), entry)
    if entry.type.startswith("dispute."):
        dispute_state.fold_entry(state.disputes, entry)
    else:
        _fold_refund(state, entry)


def _fold_refund(state: GatewayState, entry: LedgerEntry) -> None:
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


def _fold_case(state: GatewayState, entry: LedgerEntry) -> None:
    view = cases.fold(state.cases.get(entry.ref), entry)
    if view.state is CaseState.OPEN:
        state.cases[view.id] = view
        return
    del state.cases[view.id]
    state.closed_cases[view.id] = view.merchant_id


def _closed(state: GatewayState, view: PaymentView) -> Closed:
    closed = Closed(
        view.merchant_id,
        view.state.value,
        view.calls,
        [view.authorization] if view.authorization else [],
        view.currency,
        view.object_seq,
        view.reversal_reason == "expired",
    )
    for late in state.late.values():
        if late.payment_id == view.id:
            _note_late(closed, late)
    return closed


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
    """Forget a few expired keys, as long after their end as a dead letter may be replayed that they
    would have answered. One in doubt never expires: it goes behind the others."""
    for _ in range(PRUNED_MAX):
        oldest = next(iter(state.keys), None)
        if oldest is None or state.keys[oldest].expires_ms + KEY_MS > now_ms:
            return
        record = state.keys.pop(oldest)
        if not record.final:
            state.keys[oldest] = record

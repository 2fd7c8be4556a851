"""What a dispute may do: every move of its state, the fold of its entries, and its money.

The stage says what it is (an inquiry moves no money), the state how far it is. The provider rules,
never we: what it says is put into our entries by `ruled`.
Never: reads a clock, or judges evidence.
"""

from collections.abc import Callable

from payrail.domain import postings
from payrail.domain.claim_entries import (
    DisputeClosed,
    DisputeLost,
    DisputeOpened,
    DisputeSubmitted,
    DisputeWon,
    EvidenceAdded,
)
from payrail.domain.dispute_view import (
    DisputeFee,
    DisputeState,
    DisputeView,
    Stage,
    Submission,
    checklist,
    render,
)
from payrail.domain.ledger import LedgerEntry, Posting
from payrail.domain.moves import advance, moved, must_be_about
from payrail.domain.timestamps import parse_iso

__all__ = [
    "BEGINS_AS",
    "DISPUTE_TRANSITIONS",
    "DisputeState",
    "DisputeView",
    "Stage",
    "checklist",
    "closed_reason",
    "fold",
    "is_answerable",
    "is_overdue",
    "legal_verbs",
    "may",
    "money",
    "render",
    "ruled",
]

_S = DisputeState

DISPUTE_TRANSITIONS: dict[tuple[DisputeState | None, str], DisputeState] = {
    # Or an inquiry, by its stage: see BEGINS_AS.
    (None, "dispute.opened"): _S.OPENED,
    (_S.INQUIRY, "dispute.evidence_added"): _S.INQUIRY,
    (_S.INQUIRY, "dispute.submitted"): _S.INQUIRY,
    # The inquiry becomes a chargeback.
    (_S.INQUIRY, "dispute.opened"): _S.OPENED,
    (_S.INQUIRY, "dispute.closed"): _S.CLOSED,
    (_S.OPENED, "dispute.evidence_added"): _S.OPENED,
    (_S.OPENED, "dispute.submitted"): _S.UNDER_REVIEW,
    # Accepted, or nobody answered in time.
    (_S.OPENED, "dispute.lost"): _S.LOST,
    (_S.UNDER_REVIEW, "dispute.won"): _S.WON,
    (_S.UNDER_REVIEW, "dispute.lost"): _S.LOST,
    # Only by a second chargeback, against which there is no defence.
    (_S.WON, "dispute.lost"): _S.LOST,
}

#: The state in which a dispute begins, by its stage.
BEGINS_AS = {
    Stage.INQUIRY: _S.INQUIRY,
    Stage.CHARGEBACK: _S.OPENED,
    Stage.PRE_ARBITRATION: _S.OPENED,
}


def may(view: DisputeView | None, entry_type: str) -> bool:
    """Whether an entry of this type is a legal move now. One submission a stage."""
    if view is not None and entry_type == "dispute.submitted" and view.is_answered:
        return False
    return ((view.state if view else None), entry_type) in DISPUTE_TRANSITIONS


def legal_verbs(view: DisputeView) -> tuple[str, ...]:
    """What may be asked now, for the `legal` of a 409. `resolve` asks the provider for a ruling."""
    if view.state is _S.UNDER_REVIEW:
        return ("resolve",)
    if not view.is_open:
        return ()
    submit = () if view.is_answered else ("submit",)
    return ("evidence", *submit, "accept", "resolve")


def is_overdue(view: DisputeView, business_ms: int) -> bool:
    """Whether a chargeback was not answered in time, and is lost by that."""
    return view.state is _S.OPENED and business_ms >= parse_iso(view.due_by)


def is_answerable(view: DisputeView, business_ms: int) -> bool:
    """Whether it is early enough for an answer."""
    return business_ms < parse_iso(view.due_by)


def ruled(view: DisputeView, outcome: str) -> tuple[str, ...] | None:
    """The entries that a provider's `won` or `lost` makes: none when it is known already, None
    when it contradicts what was booked, which is a case for people."""
    if view.state is _S.INQUIRY:
        return ("dispute.closed",)
    if view.state is _S.CLOSED or view.state == outcome:
        return ()
    if outcome == "lost":
        return ("dispute.lost", "payment.charged_back")
    # Won before we answered: the provider did, or the cardholder gave up.
    steps = {_S.OPENED: ("dispute.submitted", "dispute.won"), _S.UNDER_REVIEW: ("dispute.won",)}
    return steps.get(view.state)


def closed_reason(view: DisputeView, outcome: str, *, accepted: bool = False) -> str:
    """Why it ends now: accepted | expired | defended | withdrawn."""
    if accepted:
        return "accepted"
    if view.submissions:
        return "defended"
    return "withdrawn" if outcome == "won" else "expired"


def money(view: DisputeView | None, entry: LedgerEntry) -> list[Posting]:
    """What `entry`, booked after `view`, moves: nothing while it is an inquiry."""
    if entry.type == "dispute.opened":
        return _money_of_opening(entry)
    if view is None or view.stage is Stage.INQUIRY:
        return []
    about = (view.provider, entry.merchant_id or "")
    if entry.type == "dispute.submitted":
        return postings.dispute_fee_postings(*about, entry.data.fee, entry.currency)
    if entry.type == "dispute.won":
        return postings.dispute_won_postings(
            *about, entry.amount, entry.currency, fee_minor=entry.data.fee_returned
        )
    if entry.type == "dispute.lost":
        is_second = view.state is _S.WON
        lost = postings.second_chargeback_postings if is_second else postings.dispute_lost_postings
        return lost(*about, entry.amount, entry.currency)
    return []


def _money_of_opening(entry: LedgerEntry) -> list[Posting]:
    data: DisputeOpened = entry.data
    if data.stage == Stage.INQUIRY:
        return []
    return postings.chargeback_postings(
        data.provider, entry.merchant_id or "", entry.amount, entry.currency, fee_minor=data.fee
    )


def fold(view: DisputeView | None, entry: LedgerEntry) -> DisputeView:
    """The dispute after `entry`, changed in place. Raises ValueError, with the view untouched, for
    an entry that cannot follow: the book is damaged."""
    state = moved(DISPUTE_TRANSITIONS, view.state if view else None, entry)
    if view is None:
        return _opened(entry)
    # An inquiry has moved nothing: what is charged back may be another amount.
    amount = entry.amount if entry.type == "dispute.opened" else view.amount
    must_be_about(entry, view.id, view.merchant_id, amount, view.currency)
    if entry.data.payment_id != view.payment_id:
        raise ValueError(f"{entry.ref}: {entry.type} is about another payment")
    _EFFECTS[entry.type](view, entry)
    advance(view, state, entry)
    return view


def _opened(entry: LedgerEntry) -> DisputeView:
    data: DisputeOpened = entry.data
    stage = Stage(data.stage)
    return DisputeView(
        id=entry.ref,
        merchant_id=entry.merchant_id,
        payment_id=data.payment_id,
        amount=entry.amount,
        currency=entry.currency,
        provider=data.provider,
        reference=data.reference,
        provider_reference=data.provider_reference,
        stage=stage,
        state=BEGINS_AS[stage],
        reason=data.reason,
        network_code=data.network_code,
        due_by=data.due_by,
        prefilled=data.prefilled,
        fees=_received(data.fee),
        created_at=entry.timestamp,
        updated_at=entry.timestamp,
    )


def _received(fee_minor: int) -> list[DisputeFee]:
    return [DisputeFee("received", fee_minor)] if fee_minor else []


def _escalated(view: DisputeView, entry: LedgerEntry) -> None:
    data: DisputeOpened = entry.data
    stage = Stage(data.stage)
    if stage is Stage.INQUIRY:
        raise ValueError(f"{view.id}: it is an inquiry already")
    view.stage, view.amount, view.reason = stage, entry.amount, data.reason
    view.provider_reference, view.due_by = data.provider_reference, data.due_by
    view.network_code = data.network_code
    view.prefilled = data.prefilled
    view.fees.extend(_received(data.fee))


def _evidence_added(view: DisputeView, entry: LedgerEntry) -> None:
    data: EvidenceAdded = entry.data
    view.evidence.update(data.evidence)


def _submitted(view: DisputeView, entry: LedgerEntry) -> None:
    data: DisputeSubmitted = entry.data
    if view.is_answered or data.stage != view.stage:
        raise ValueError(f"{view.id}: this stage has had its answer")
    view.submissions.append(Submission(data.stage, entry.timestamp, data.submitted_by))
    if data.fee:
        view.fees.append(DisputeFee("countered", data.fee))


def _won(view: DisputeView, entry: LedgerEntry) -> None:
    data: DisputeWon = entry.data
    if data.fee_returned != view.countered_fee:
        raise ValueError(f"{view.id}: {data.fee_returned} is not the fee of the answer")
    for fee in view.fees:
        fee.returned = fee.returned or fee.kind == "countered"
    view.closed_reason = data.closed_reason


def _lost(view: DisputeView, entry: LedgerEntry) -> None:
    data: DisputeLost = entry.data
    if data.second is not (view.state is _S.WON):
        raise ValueError(f"{view.id}: it is {view.state}, and lost as if it were not")
    if data.second:
        view.stage = Stage.PRE_ARBITRATION
    view.closed_reason = data.closed_reason


def _closed(view: DisputeView, entry: LedgerEntry) -> None:
    data: DisputeClosed = entry.data
    view.closed_reason = data.closed_reason


_EFFECTS: dict[str, Callable[[DisputeView, LedgerEntry], None]] = {
    "dispute.opened": _escalated,
    "dispute.evidence_added": _evidence_added,
    "dispute.submitted": _submitted,
    "dispute.won": _won,
    "dispute.lost": _lost,
    "dispute.closed": _closed,
}

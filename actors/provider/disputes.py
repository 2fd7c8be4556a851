"""Disputes as a provider keeps them, how each may move, and what of it is true.

    inquiry ──▶ closed                opened ──▶ under_review ──▶ won ──▶ lost (once more)
       └──────▶ opened (chargeback)      └─────────────┴───────▶ lost

A chargeback takes the money when it is opened, with a fee; answering it costs another, which is
given back with the money when it is won. An inquiry moves nothing. Each effect has its line of
truth. Never: decides who is right; that is in `dispute_rulings`.
"""

from msgspec import Struct, structs, to_builtins

from actors.provider.truth import Truth
from payrail.domain.dispute_terms import dispute_fee
from payrail.domain.settlement.lines import ChargeOf
from payrail.domain.timestamps import iso
from payrail.domain.words.disputes import DisputeFact
from payrail.runtime.actor import Moment, Post

OPENED, UNDER_REVIEW, WON, LOST, CLOSED = "opened", "under_review", "won", "lost", "closed"
INQUIRY, CHARGEBACK, PRE_ARBITRATION = "inquiry", "chargeback", "pre_arbitration"
#: States in which something may still come.
OPEN = frozenset({OPENED, UNDER_REVIEW})


class Dispute(Struct, frozen=True, omit_defaults=True):
    """One dispute; `reference` is the name that whoever opened it gave it."""

    id: str  # dp_…
    reference: str
    authorization: str  # reference of the charge
    merchant_id: str
    amount: int
    currency: str
    reason: str
    stage: str
    state: str = OPENED
    payment_id: str = ""
    brand: str = ""  # of the card: it says until when this can be answered
    charge: ChargeOf | None = None
    dispute_id: str | None = None  # the gateway's name, once we have heard it
    closed_reason: str | None = None  # accepted | expired | defended | withdrawn
    ruling: str = ""  # what the issuer will say to the answer: won | lost
    fee_countered: int = 0  # asked for the answer, given back when it is won
    answers: dict[str, DisputeFact] = {}  # what the gateway was told, by action and stage

    @property
    def is_answered(self) -> bool:
        """Whether this stage has had its one answer."""
        return bool(self.ruling)


class DisputeOpened(Struct, frozen=True, tag_field="type", tag="dispute.opened"):
    dispute: Dispute


class DisputeMoved(Struct, frozen=True, tag_field="type", tag="dispute.moved"):
    """The dispute as it is from now on."""

    dispute: Dispute


DisputeEvent = DisputeOpened | DisputeMoved


def fold_dispute(disputes: dict[str, Dispute], names: dict[str, str], event: DisputeEvent) -> None:
    """Fold one event. `names` leads from each name of a dispute to its reference."""
    dispute = event.dispute
    disputes[dispute.reference] = dispute
    names[dispute.id] = dispute.reference
    if dispute.dispute_id is not None:
        names[dispute.dispute_id] = dispute.reference


def submitted(dispute: Dispute, ruling: str) -> Dispute:
    """It has had its answer; an inquiry costs nothing."""
    if dispute.stage == INQUIRY:
        return structs.replace(dispute, ruling=ruling)
    fee = dispute_fee(dispute.currency)
    return structs.replace(dispute, state=UNDER_REVIEW, ruling=ruling, fee_countered=fee)


def ended(dispute: Dispute, outcome: str, *, reason: str | None = None) -> Dispute:
    """Ruled on, accepted, or let go by; an inquiry ends as closed whatever was said."""
    state = CLOSED if dispute.stage == INQUIRY else outcome
    return structs.replace(dispute, state=state, closed_reason=reason or _why(dispute, outcome))


def _why(dispute: Dispute, outcome: str) -> str:
    if dispute.is_answered:
        return "defended"
    return "withdrawn" if outcome == WON else "expired"


def escalated(dispute: Dispute, amount: int, reason: str) -> Dispute:
    """The inquiry becomes a chargeback, which has to be answered anew."""
    return structs.replace(
        dispute, stage=CHARGEBACK, state=OPENED, amount=amount, reason=reason, ruling=""
    )


def charged_back_again(dispute: Dispute) -> Dispute:
    """It had been won: the issuer takes the money once more, and that is final."""
    return structs.replace(dispute, stage=PRE_ARBITRATION, state=LOST, closed_reason="defended")


def fact_of(dispute: Dispute, fact: str, provider: str, moment: Moment) -> DisputeFact:
    """What the gateway is told of a dispute as it is now."""
    return DisputeFact(
        provider=provider,
        payment_id=dispute.payment_id,
        authorization=dispute.authorization,
        provider_reference=dispute.id,
        fact=fact,
        stage=dispute.stage,
        reason=dispute.reason,
        amount=dispute.amount,
        currency=dispute.currency,
        dispute_id=dispute.dispute_id,
        closed_reason=dispute.closed_reason,
        occurred_at=iso(moment.business_ms),
    )


def truth_of_opening(dispute: Dispute, moment: Moment) -> Post:
    """A chargeback takes money, and a fee; an inquiry is only asked."""
    if dispute.stage == INQUIRY:
        return _truth(dispute, INQUIRY, OPENED, moment)
    return _truth(dispute, CHARGEBACK, OPENED, moment, fee=dispute_fee(dispute.currency))


def truth_of_answer(dispute: Dispute, moment: Moment) -> list[Post]:
    """What the answer costs; that of an inquiry nothing."""
    if dispute.stage == INQUIRY:
        return []
    return [_truth(dispute, "dispute_fee", UNDER_REVIEW, moment, amount=dispute.fee_countered)]


def truth_of_end(dispute: Dispute, moment: Moment) -> Post:
    """Only what is won gives money back."""
    if dispute.state != WON:
        return _truth(dispute, "dispute_closed", dispute.state, moment)
    return _truth(dispute, "chargeback_reversed", WON, moment, fee=-dispute.fee_countered)


def truth_of_second(dispute: Dispute, moment: Moment) -> Post:
    """Taken once more, and no fee for it."""
    return _truth(dispute, "second_chargeback", LOST, moment)


def _truth(
    dispute: Dispute,
    operation: str,
    outcome: str,
    moment: Moment,
    *,
    amount: int | None = None,
    fee: int = 0,
) -> Post:
    return Post(
        "truth",
        Truth(
            at=iso(moment.business_ms),
            reference=dispute.authorization,
            operation=operation,
            operation_id=dispute.reference,
            amount=dispute.amount if amount is None else amount,
            currency=dispute.currency,
            outcome=outcome,
            provider_reference=dispute.id,
            merchant_id=dispute.merchant_id,
            fee=fee,
            charge=dispute.charge,
        ),
    )


_SHOWN = (
    "id",
    "reference",
    "authorization",
    "merchant_id",
    "amount",
    "currency",
    "reason",
    "stage",
    "state",
    "closed_reason",
)


def shown(dispute: Dispute) -> dict[str, object]:
    """A dispute as the door answers it."""
    fields = {name: to_builtins(getattr(dispute, name)) for name in _SHOWN}
    return {"object": "dispute", **fields}

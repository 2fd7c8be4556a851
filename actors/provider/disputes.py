"""Disputes as the provider sees them: a cardholder wants money back, and it rules in the end.

A chargeback takes the money when it is opened and gives it back when it is won; an inquiry moves
nothing. Each leaves its line in the truth. Nobody is sent a notice of them yet.
"""

from msgspec import Struct, structs, to_builtins

from actors.provider.truth import Truth
from payrail.domain.timestamps import iso
from payrail.domain.words.providers import OpenDispute, ResolveDispute
from payrail.errors import RequestError
from payrail.runtime.actor import Moment, Post

OPENED, WON, LOST = "opened", "won", "lost"
INQUIRY, CHARGEBACK = "inquiry", "chargeback"


class Dispute(Struct, frozen=True):
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


class DisputeOpened(Struct, frozen=True, tag_field="type", tag="dispute.opened"):
    dispute: Dispute


class DisputeResolved(Struct, frozen=True, tag_field="type", tag="dispute.resolved"):
    reference: str
    outcome: str  # won | lost, for the merchant


DisputeEvent = DisputeOpened | DisputeResolved


def fold_dispute(disputes: dict[str, Dispute], event: DisputeEvent) -> None:
    """Fold one event."""
    if isinstance(event, DisputeOpened):
        disputes[event.dispute.reference] = event.dispute
    else:
        known = disputes[event.reference]
        disputes[event.reference] = structs.replace(known, state=event.outcome)


def opened(
    given: OpenDispute, *, left: int, merchant_id: str, currency: str, new_id: str
) -> Dispute:
    """The dispute that `given` opens; `left` is what was captured and is not in dispute. Raises
    RequestError for more than that."""
    amount = left if given.amount is None else given.amount
    if not 1 <= amount <= left:
        detail = "Disputed is at most what was captured and is not in dispute."
        raise RequestError(422, "amount-exceeds", detail, extra={"disputable": max(0, left)})
    return Dispute(
        id=new_id,
        reference=given.reference,
        authorization=given.authorization,
        merchant_id=merchant_id,
        amount=amount,
        currency=currency,
        reason=given.reason,
        stage=given.stage,
    )


def must_be_same(known: Dispute, given: OpenDispute) -> None:
    """Raises RequestError 422 when one reference is used for two disputes."""
    amount = known.amount if given.amount is None else given.amount
    pairs = (
        ("authorization", known.authorization, given.authorization),
        ("amount", known.amount, amount),
        ("reason", known.reason, given.reason),
        ("stage", known.stage, given.stage),
    )
    differs([(field, first, now) for field, first, now in pairs if first != now])


def differs(found: list[tuple[str, object, object]]) -> None:
    """Raises RequestError 422 with these fields, if there are any."""
    if found:
        diff = [{"field": field, "first": first, "now": now} for field, first, now in found]
        detail = "This reference is taken by another request; use a new one."
        raise RequestError(422, "reference-reused", detail, extra={"diff": diff})


def resolved(known: Dispute, given: ResolveDispute) -> bool:
    """Whether the ruling is news. Raises RequestError 409 for another one than was given."""
    if known.state == OPENED:
        return True
    if known.state != given.outcome:
        raise RequestError(
            409, "illegal-transition", f"This dispute is {known.state}.", extra={"legal": []}
        )
    return False


def truth(dispute: Dispute, outcome: str, moment: Moment) -> Post:
    """What really happened: only a chargeback takes money, only one that is won gives it back."""
    takes = dispute.stage != INQUIRY
    if outcome == OPENED:
        operation = CHARGEBACK if takes else INQUIRY
    else:
        operation = "chargeback_reversed" if takes and outcome == WON else "dispute_closed"
    return Post(
        "truth",
        Truth(
            at=iso(moment.business_ms),
            reference=dispute.authorization,
            operation=operation,
            operation_id=dispute.reference,
            amount=dispute.amount,
            currency=dispute.currency,
            outcome=outcome,
            provider_reference=dispute.id,
            merchant_id=dispute.merchant_id,
        ),
    )


def shown(dispute: Dispute) -> dict[str, object]:
    """A dispute as the door answers it."""
    return {"object": "dispute", **to_builtins(dispute)}

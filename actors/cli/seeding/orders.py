"""What a planned order asks of the house, as things stand there: pure rules.

`order_of` says what to ask, DONE that an earlier run has done it, or NO that the state of its
payment does not allow it (any more): what an issuer says of an invented card is nobody's plan.
Never: gives an order for the second time. Keys are forgotten after a day, so things are looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from payrail.domain.synthetic import Follow, SeededPayment

Row = dict[str, Any]
_PAID = ("captured", "settled")
_OPEN = ("inquiry", "opened")
#: In which states of its dispute an order makes sense.
_OF_DISPUTE = {
    "evidence": _OPEN,
    "submit": _OPEN,
    "accept": _OPEN,
    "resolve": (*_OPEN, "under_review"),
    "second_chargeback": ("won",),
}
_EVIDENCE = "uncategorized_text"
_WHOLE = 100
_REJECTED = "the shop will not pay this back"


@dataclass(frozen=True, slots=True)
class Order:
    """One POST. `provider`: at that provider's own door, not at the house's."""

    path: str
    body: Row
    key: str
    provider: str = ""


@dataclass(slots=True)
class Case:
    """One payment, and what is about it, oldest first, as the house shows it."""

    planned: SeededPayment
    merchant: str
    payment: Row
    refunds: list[Row] = field(default_factory=list)
    disputes: list[Row] = field(default_factory=list)


DONE: Literal["done"] = "done"
NO: Literal["no"] = "no"
What = Order | Literal["done", "no"]


def order_of(case: Case, follow: Follow) -> What:
    """What to ask now. Raises KeyError for a verb that no plan has."""
    return _ORDERS[follow.verb](case, follow)


def _capture(case: Case, follow: Follow) -> What:
    planned, payment = case.planned, case.payment
    if len(payment["captures"]) > _claimed_before(planned, follow):
        return DONE
    left = payment["amount_capturable"]
    if payment["state"] not in ("authorized", *_PAID) or not left:
        return NO
    body: Row = {}
    if follow.percent != _WHOLE or not follow.final:
        amount = min(planned.share_minor(follow.percent), left)
        body = {"amount": amount, "final_capture": follow.final}
    return _of_payment(case, follow, body)


def _cancel(case: Case, follow: Follow) -> What:
    state = case.payment["state"]
    if state == "reversed":
        return DONE
    return _of_payment(case, follow, {}) if state in ("created", "authorized") else NO


def _of_payment(case: Case, follow: Follow, body: Row) -> Order:
    key = f"{case.planned.key}-{follow.verb}-{follow.day}-{follow.percent}"
    return Order(f"/payment-intents/{case.payment['id']}/{follow.verb}", body, key)


def _claimed_before(planned: SeededPayment, follow: Follow) -> int:
    """How many captures there are when this one's turn comes."""
    scene = planned.scene
    at_once = sum(one.verb == "capture" for one in scene.acts) + (scene.one_call == "automatic")
    return at_once + [one for one in planned.later if one.verb == "capture"].index(follow)


def _refund(case: Case, follow: Follow) -> What:
    payment, left = case.payment, _refundable(case)
    if _refund_of(case, follow):
        return DONE
    if payment["state"] not in _PAID or left <= 0 or payment["amount_disputed"]:
        return NO
    amount = min(left, max(1, payment["amount_captured"] * follow.percent // _WHOLE))
    reason = follow.detail or "sent back"
    body = {"payment_intent": payment["id"], "amount": amount, "reason": reason}
    return Order("/refunds", body, _key(case, follow))


def _refundable(case: Case) -> int:
    payment = case.payment
    waiting = ("pending_approval", "approved", "processing")
    asked = sum(one["amount"] for one in case.refunds if one["state"] in waiting)
    gone = payment["amount_refunded"] + payment["amount_disputed"] + payment["amount_charged_back"]
    return int(payment["amount_captured"] - gone - asked)


def _judge(case: Case, follow: Follow) -> What:
    refund = _refund_of(case, follow)
    if refund is None:
        return NO
    if refund["state"] != "pending_approval":
        return DONE
    body = {"reason": follow.detail or _REJECTED} if follow.verb == "reject" else {}
    return Order(f"/refunds/{refund['id']}/{follow.verb}", body, _key(case, follow))


def _refund_of(case: Case, follow: Follow) -> Row | None:
    key = f"{case.planned.key}-refund-{follow.nth}"
    return next((one for one in case.refunds if one["idempotency_key"] == key), None)


def _dispute(case: Case, follow: Follow) -> What:
    payment = case.payment
    if len(case.disputes) >= follow.nth:
        return DONE
    if payment["state"] not in _PAID or payment["amount_disputed"]:
        return NO
    amount = max(1, payment["amount_captured"] * follow.percent // _WHOLE)
    body = {
        "payment_intent": payment["id"],
        "reason": follow.detail or "general",
        "amount": amount,
        "stage": follow.stage or "chargeback",
    }
    return Order("/disputes", body, _key(case, follow))


def _evidence(case: Case, follow: Follow) -> What:
    said = {_EVIDENCE: follow.detail}
    return _answered(
        case, follow, {"evidence": said}, lambda one: said.items() <= one["evidence"].items()
    )


def _submit(case: Case, follow: Follow) -> What:
    return _answered(
        case, follow, {}, lambda one: one["stage"] in {made["stage"] for made in one["submissions"]}
    )


def _accept(case: Case, follow: Follow) -> What:
    return _answered(case, follow, {})


def _resolve(case: Case, follow: Follow) -> What:
    return _answered(case, follow, {"outcome": follow.detail})


def _answered(
    case: Case, follow: Follow, body: Row, is_done: Callable[[Row], bool] = lambda _: False
) -> What:
    if len(case.disputes) < follow.nth:
        return NO
    dispute = case.disputes[follow.nth - 1]
    if dispute["state"] not in _OF_DISPUTE[follow.verb] or is_done(dispute):
        return DONE
    return Order(f"/disputes/{dispute['id']}/{follow.verb}", body, _key(case, follow))


def _second_chargeback(case: Case, follow: Follow) -> What:
    found = _answered(case, follow, {})
    if not isinstance(found, Order):
        return found
    dispute, provider = case.disputes[follow.nth - 1], str(case.payment["provider"])
    body = {
        "reference": dispute["id"],
        "authorization": _authorization(case.payment),
        "amount": dispute["amount"],
        "reason": dispute["reason"],
        "stage": "pre_arbitration",
    }
    return Order(f"/providers/{provider}/disputes", body, "", provider)


def _authorization(payment: Row) -> str:
    """The reference of the charge that was approved: charges are the first calls of a payment."""
    approved = [one["number"] for one in payment["attempts"] if one["outcome"] == "approved"]
    return f"{payment['id']}.{approved[-1] if approved else len(payment['attempts'])}"


def _key(case: Case, follow: Follow) -> str:
    return f"{case.planned.key}-{follow.verb}-{follow.nth}"


_ORDERS: dict[str, Callable[[Case, Follow], What]] = {
    "capture": _capture,
    "cancel": _cancel,
    "refund": _refund,
    "approve": _judge,
    "reject": _judge,
    "dispute": _dispute,
    "evidence": _evidence,
    "submit": _submit,
    "accept": _accept,
    "resolve": _resolve,
    "second_chargeback": _second_chargeback,
}

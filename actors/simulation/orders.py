"""Orders as the front door sends them: with a key, and a hash over method, path and body."""

import hashlib
from typing import Any

import msgspec

from payrail.domain.messages import (
    AuthorizePayment,
    CancelPayment,
    CapturePayment,
    ClearFaults,
    CreatePayment,
    InjectFault,
)
from payrail.domain.words.cases import CloseCase
from payrail.domain.words.disputes import (
    AcceptDispute,
    AddEvidence,
    CreateDispute,
    RuleDispute,
    SubmitDispute,
)
from payrail.domain.words.payments import AnswerChallenge
from payrail.domain.words.payouts import CreatePayout, ResolvePayout
from payrail.domain.words.refunds import ApproveRefund, CreateRefund, RejectRefund

#: kind and body of a question
Order = tuple[str, msgspec.Struct]


def create(token: str, key: str = "k_create", *, merchant: str = "m_001", **fields: Any) -> Order:
    """A payment of 10.99 USD unless told otherwise."""
    given = {"amount": 1099, "currency": "USD", "payment_method": token, **fields}
    return "payment.create", CreatePayment(**given, **_head("", given, key, merchant))


def authorize(payment_id: str, key: str = "k_authorize", *, merchant: str = "m_001") -> Order:
    head = _head(f"{payment_id}/authorize", {}, key, merchant)
    return "payment.authorize", AuthorizePayment(id=payment_id, **head)


def capture(
    payment_id: str, key: str = "k_capture", *, merchant: str = "m_001", **fields: Any
) -> Order:
    head = _head(f"{payment_id}/capture", fields, key, merchant)
    return "payment.capture", CapturePayment(id=payment_id, **fields, **head)


def cancel(payment_id: str, key: str = "k_cancel", *, merchant: str = "m_001") -> Order:
    head = _head(f"{payment_id}/cancel", {}, key, merchant)
    return "payment.cancel", CancelPayment(id=payment_id, **head)


def refund(
    payment_id: str,
    amount: int,
    key: str = "k_refund",
    *,
    merchant: str = "m_001",
    user: str = "usr_m001operator",
) -> Order:
    """A refund that somebody of the shop asks for."""
    given: dict[str, Any] = {"payment_intent": payment_id, "amount": amount, "reason": "sent back"}
    head = {**_head("refunds", given, key, merchant), "user_id": user, "role": "operator"}
    return "refund.create", CreateRefund(**given, **head)


def approve(
    refund_id: str,
    key: str = "k_approve",
    *,
    merchant: str = "m_001",
    user: str = "usr_m001approver",
    role: str = "approver",
) -> Order:
    """The second person's yes."""
    head = _head(f"{refund_id}/approve", {}, key, merchant)
    return "refund.approve", ApproveRefund(id=refund_id, **{**head, "user_id": user, "role": role})


def reject(refund_id: str, key: str = "k_reject", *, user: str = "usr_m001approver") -> Order:
    """The second person's no."""
    head = {**_head(f"{refund_id}/reject", {}, key, "m_001"), "user_id": user, "role": "approver"}
    return "refund.reject", RejectRefund(id=refund_id, reason="not ours", **head)


def case_closed(
    case_id: str, resolution: str, key: str = "k_close", *, merchant: str = "m_001"
) -> Order:
    """The end of a case, by somebody who has looked."""
    head = _head(f"{case_id}/close", {"resolution": resolution}, key, merchant)
    return "case.close", CloseCase(id=case_id, resolution=resolution, **head)


def payout(currency: str = "USD", key: str = "k_payout", *, merchant: str = "m_001") -> Order:
    """Pay out now."""
    head = _head("payouts", {"currency": currency}, key, merchant)
    return "payout.create", CreatePayout(currency=currency, **head)


def bank_says(
    payout_id: str, outcome: str, key: str = "k_bank", *, merchant: str = "m_001", **more: Any
) -> Order:
    """A drill at the merchant's bank: paid | failed."""
    given: dict[str, Any] = {"outcome": outcome, **more}
    head = _head(f"{payout_id}/resolve", given, key, merchant)
    return "payout.resolve", ResolvePayout(id=payout_id, **given, **head)


def dispute(
    payment_id: str, key: str = "k_dispute", *, merchant: str = "m_001", **fields: Any
) -> Order:
    """The cardholder disputes a payment, as somebody of the shop has the provider say."""
    given = {"payment_intent": payment_id, "reason": "fraudulent", **fields}
    return "dispute.create", CreateDispute(**given, **_head("disputes", given, key, merchant))


def evidence(dispute_id: str, key: str = "k_evidence", **items: str) -> Order:
    """What speaks for the merchant, by item."""
    given: dict[str, Any] = {"evidence": items}
    head = _head(f"{dispute_id}/evidence", given, key, "m_001")
    return "dispute.evidence", AddEvidence(id=dispute_id, **given, **head)


def submit(dispute_id: str, key: str = "k_submit", *, merchant: str = "m_001") -> Order:
    """The one answer of a stage."""
    head = _head(f"{dispute_id}/submit", {}, key, merchant)
    return "dispute.submit", SubmitDispute(id=dispute_id, **head)


def accept(dispute_id: str, key: str = "k_accept") -> Order:
    """The merchant gives in."""
    head = _head(f"{dispute_id}/accept", {}, key, "m_001")
    return "dispute.accept", AcceptDispute(id=dispute_id, **head)


def resolve(dispute_id: str, outcome: str, key: str = "k_resolve") -> Order:
    """The issuer rules: won | lost."""
    head = _head(f"{dispute_id}/resolve", {"outcome": outcome}, key, "m_001")
    return "dispute.resolve", RuleDispute(id=dispute_id, outcome=outcome, **head)


def answer_challenge(
    payment_id: str, challenge_id: str, outcome: str = "approve", key: str = "k_answer"
) -> Order:
    """A cardholder's answer, as the page sends it."""
    head = {**_head(challenge_id, {"outcome": outcome}, key, "m_001"), "user_id": "cardholder"}
    order = AnswerChallenge(id=payment_id, challenge_id=challenge_id, outcome=outcome, **head)
    return "challenge.answer", order


def drill(do: str, operation: str = "authorize", **more: Any) -> Order:
    """A fault rule for the provider, once unless told otherwise."""
    rule = {"operation": operation, "do": do, "count": 1, **more}
    return "fault.inject", InjectFault(rule=rule)


def clear() -> Order:
    """The end of all drills of a provider."""
    return "fault.clear", ClearFaults()


def _head(path: str, fields: dict[str, Any], key: str | None, merchant: str) -> dict[str, Any]:
    spelled = msgspec.json.encode(fields, order="deterministic")
    return {
        "merchant_id": merchant,
        "user_id": "usr_m001admin",
        "role": "admin",
        "idempotency_key": key,
        "request_hash": hashlib.sha256(f"{path}\n".encode() + spelled).hexdigest(),
        "fields": fields,
        "route": f"POST /{path}",
    }

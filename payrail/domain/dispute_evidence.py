"""Evidence: what may be given, what our own books give, and the two texts that decide a test.

A card number in a text is refused: evidence is public to everybody who reads the ledger.
"""

from collections.abc import Mapping

from payrail.domain.cards import find_pans
from payrail.domain.dispute_reasons import EVIDENCE
from payrail.domain.money import format_minor
from payrail.domain.payment_view import PaymentView
from payrail.errors import RequestError

#: All texts of one dispute, in UTF-8: they stand in its entry, its event and its answer.
EVIDENCE_BYTES_MAX = 4_096

#: Below are control characters, each of which JSON spells with six.
_FIRST_PRINTED = 0x20

#: In the test world a text of the evidence says how the issuer rules.
TEST_OUTCOMES = {"winning_evidence": "won", "losing_evidence": "lost"}


def outcome_by_text(evidence: Mapping[str, str]) -> str | None:
    """won | lost for evidence with a text that says so, None for all other."""
    for text in evidence.values():
        outcome = TEST_OUTCOMES.get(text.strip())
        if outcome is not None:
            return outcome
    return None


def must_be_evidence(given: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Whether this may be added to what is known. Refuses: validation-error 422, which names the
    item and never its text."""
    errors = [_complaint(item, why) for item, text in given.items() if (why := _wrong(item, text))]
    size = sum(len(text.encode()) for text in {**known, **given}.values())
    if not given:
        errors = [_complaint("", f"must have at least one of {', '.join(EVIDENCE)}")]
    elif size > EVIDENCE_BYTES_MAX:
        errors.append(_complaint("", f"must be at most {EVIDENCE_BYTES_MAX} bytes in all"))
    if errors:
        detail = "this evidence cannot be used"
        raise RequestError(422, "validation-error", detail, errors=errors)


def _complaint(item: str, why: str) -> dict[str, str]:
    # A name that is not ours is not repeated: anything may have been typed there.
    named = f"evidence.{item}" if item in EVIDENCE else "evidence"
    return {"field": named, "message": why}


def _wrong(item: str, text: str) -> str | None:
    if item not in EVIDENCE:
        return f"must be one of {', '.join(EVIDENCE)}"
    if not text.strip():
        return "must not be empty: leave the item out"
    if any(ord(sign) < _FIRST_PRINTED and sign not in "\n\r\t" for sign in text):
        return "must be plain text, without control characters"
    if find_pans(text):
        return "must not hold a card number: its last four digits are enough"
    return None


def prefilled(payment: PaymentView) -> dict[str, str]:
    """The evidence that our own books give for a payment."""
    found = {
        "payment_record": _payment_record(payment),
        "card_check": f"{payment.payment_method.brand} card ending in"
        f" {payment.payment_method.last4}, approved by its issuer",
        "customer_identity": _customer(payment.customer or {}),
        "refund_record": _refunds(payment),
    }
    return {item: text for item, text in found.items() if text}


def _payment_record(payment: PaymentView) -> str:
    approved = next((a for a in payment.attempts if a.reference == payment.authorization), None)
    held = format_minor(payment.amount_authorized, payment.currency)
    taken = format_minor(payment.amount_captured, payment.currency)
    when = f" at {approved.at}" if approved else ""
    return (
        f"{payment.id}: {held} approved{when} by {payment.provider}"
        f" as {payment.provider_reference}, {taken} captured"
    )


def _customer(customer: Mapping[str, object]) -> str:
    told = (customer.get(field) for field in ("name", "email", "ip", "country"))
    return ", ".join(str(one) for one in told if one)


def _refunds(payment: PaymentView) -> str:
    if not payment.amount_refunded:
        return ""
    return f"{format_minor(payment.amount_refunded, payment.currency)} paid back"

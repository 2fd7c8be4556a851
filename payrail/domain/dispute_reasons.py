"""Why cardholders dispute, and what helps against it: reasons, codes of networks, evidence.

The words are ours. Items marked as ours are filled from our own books when a dispute is opened; the
others only the merchant has.
"""

from dataclasses import dataclass

GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One kind of evidence. `is_ours`: our books have it."""

    asked: str
    is_ours: bool = False


EVIDENCE: dict[str, Evidence] = {
    "payment_record": Evidence("When it was approved, by whom, and what was captured", True),
    "card_check": Evidence("What is known of the card, and how its holder was checked", True),
    "customer_identity": Evidence("Name, email and network address of the customer", True),
    "refund_record": Evidence("What was paid back already", True),
    "order_details": Evidence("What was ordered: items, prices, date"),
    "delivery_proof": Evidence("Carrier, tracking number, and who took it in"),
    "usage_log": Evidence("When and from where the service was used"),
    "customer_messages": Evidence("What the customer and you wrote to each other"),
    "product_description": Evidence("How the goods or the service were described"),
    "refund_policy": Evidence("Your terms for refunds, and where the customer saw them"),
    "cancellation_policy": Evidence("Your terms for cancelling, and where the customer saw them"),
    "cancellation_record": Evidence("When the customer cancelled, or that nobody did"),
    "distinct_orders": Evidence("What makes the two payments two orders"),
    "uncategorized_text": Evidence("Anything else that the issuer should read"),
}

_ALWAYS = ("payment_record", "card_check", "customer_identity")


@dataclass(frozen=True, slots=True)
class Reason:
    """What the cardholder says, and the evidence that answers it, the weightiest first."""

    says: str
    answers: tuple[str, ...]

    @property
    def checklist(self) -> tuple[str, ...]:
        return (*self.answers, *(item for item in _ALWAYS if item not in self.answers))


REASONS: dict[str, Reason] = {
    "fraudulent": Reason(
        "I did not make this payment", (*_ALWAYS, "delivery_proof", "usage_log", "order_details")
    ),
    "unrecognized": Reason(
        "I do not know this payment", (*_ALWAYS, "order_details", "customer_messages")
    ),
    "product_not_received": Reason(
        "I never got it", ("delivery_proof", "usage_log", "order_details", "customer_messages")
    ),
    "product_unacceptable": Reason(
        "It is not what was promised",
        ("product_description", "refund_policy", "customer_messages", "delivery_proof"),
    ),
    "duplicate": Reason(
        "I was charged twice", ("distinct_orders", "order_details", "refund_record")
    ),
    "credit_not_processed": Reason(
        "I was promised a refund", ("refund_record", "refund_policy", "customer_messages")
    ),
    "subscription_canceled": Reason(
        "I had cancelled",
        ("cancellation_record", "cancellation_policy", "usage_log", "customer_messages"),
    ),
    GENERAL: Reason("Something else", ("order_details", "customer_messages", "uncategorized_text")),
}

# Visa's codes by their beginning; the longest that fits wins.
_CODES = {
    "10.": "fraudulent",
    "33": "fraudulent",
    "12.6": "duplicate",
    "13.1": "product_not_received",
    "13.9": "product_not_received",
    "13.2": "subscription_canceled",
    "13.3": "product_unacceptable",
    "13.4": "product_unacceptable",
    "13.5": "product_unacceptable",
    "13.6": "credit_not_processed",
    "13.7": "credit_not_processed",
}


def known_reason(said: str) -> str:
    """A reason of ours for a provider's word or a network's code; general for all else."""
    if said in REASONS:
        return said
    fitting = [code for code in _CODES if said.startswith(code)]
    return _CODES[max(fitting, key=len)] if fitting else GENERAL

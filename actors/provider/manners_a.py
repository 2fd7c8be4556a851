"""How providerA speaks: objects with a status, and 402 with an `error` for a card that is declined.

Amounts are those of its interface (`payrail.domain.provider_amounts`), currencies in lower case,
times in unix seconds. Our reference stands beside its own names and in `metadata`.
Never: decides anything, or says of a card more than its last four digits.
"""

from typing import Any

from actors.provider.ended import Ended
from actors.provider.state import Operation
from payrail.domain.challenges import REQUIRES_ACTION
from payrail.domain.declines import DeclineClass, decline_of
from payrail.domain.provider_amounts import as_written
from payrail.domain.provider_declines import words_of
from payrail.domain.provider_errors import card_error
from payrail.domain.timestamps import parse_iso
from payrail.domain.words.settlement import BankRow

#: result of a call -> `status` of its object
_STATUSES = {
    "approved": "succeeded",
    "declined": "failed",
    "pending": "pending",
    REQUIRES_ACTION: REQUIRES_ACTION,
}
_APPROVED, _DECLINED = "approved", "declined"


def spoken(told: Ended) -> dict[str, Any]:
    """The object that answers a call: a charge for a charge and its capture, else a refund."""
    if told.call.operation in ("refund", "reverse"):
        return _refund(told)
    return _charge(told)


def declined(told: Ended) -> dict[str, Any]:
    """The `error` of a card that was declined; `charge` names what came to nothing."""
    message = decline_of(told.call.code).payer_message
    return card_error(told.call.code, message, told.charge_name)


def paid_out(provider: str, row: BankRow) -> dict[str, Any]:
    """A payout to us; below zero it was collected."""
    return {
        "id": f"po_{row.reference}-{row.currency}".lower(),
        "object": "payout",
        "amount": as_written(provider, row.amount, row.currency),
        "currency": row.currency.lower(),
        "arrival_date": parse_iso(f"{row.value_date}T00:00:00.000Z") // 1000,
        "automatic": True,
        "status": "paid",
        "metadata": {"batch": row.reference},
    }


def _charge(told: Ended) -> dict[str, Any]:
    """The charge as it was when this call about it had ended."""
    call, charge = told.call, told.charge or told.call
    after, code = call.after, call.currency
    is_good = call.result == _APPROVED
    return {
        "id": None if call.action is not None else told.charge_name,
        "object": "charge",
        "amount": as_written(told.provider, charge.amount, code),
        "amount_captured": as_written(told.provider, after.captured, code),
        "amount_refunded": as_written(told.provider, after.refunded, code),
        "balance_transaction": _transaction(told) if is_good and after.captured else None,
        "captured": after.captured > 0,
        "created": charge.at_ms // 1000,
        "currency": code.lower(),
        "failure_code": words_of(call.code).a_code if call.result == _DECLINED else None,
        "livemode": False,
        "metadata": _metadata(told),
        "next_action": _next_action(call),
        "outcome": _outcome(call),
        "paid": is_good,
        "payment_method_details": _card(charge),
        "reference": told.reference,
        "refunded": 0 < charge.amount == after.refunded,
        "status": _STATUSES[call.result],
    }


def _refund(told: Ended) -> dict[str, Any]:
    """Money on its way back to the card: paid back, or a hold let go."""
    call = told.call
    is_paid = call.operation == "refund" and call.result == _APPROVED
    return {
        "id": told.name,
        "object": "refund",
        "amount": as_written(told.provider, call.amount, call.currency),
        "balance_transaction": _transaction(told) if is_paid else None,
        "charge": told.charge_name,
        "created": call.at_ms // 1000,
        "currency": call.currency.lower(),
        "failure_reason": call.code if call.result == _DECLINED else None,
        "metadata": _metadata(told),
        "reason": "requested_by_customer",
        "reference": told.reference,
        "status": _STATUSES[call.result],
    }


def _transaction(told: Ended) -> str:
    """The name under which the money stands in the statement."""
    return f"txn_{told.name.partition('_')[2]}"


def _metadata(told: Ended) -> dict[str, str]:
    call = told.call
    return {
        "reference": told.reference,
        "payment_id": call.payment_id,
        "merchant_id": call.merchant_id,
        "operation_id": call.operation_id,
    }


def _next_action(call: Operation) -> dict[str, str] | None:
    if call.action is None:
        return None
    return {"id": call.action.id, "type": "challenge", "expires_at": call.action.expires_at}


def _outcome(call: Operation) -> dict[str, Any] | None:
    """What the network and the risk rules said; None before anybody was asked."""
    if call.result == _APPROVED:
        return _said("approved_by_network", None, "normal", "Payment complete.", "authorized")
    if call.result != _DECLINED:
        return None
    decline = decline_of(call.code)
    if decline.class_ is DeclineClass.HARD and call.code in ("fraudulent", "merchant_blacklist"):
        return _said(
            "not_sent_to_network", "highest_risk_level", "highest", "Blocked by risk rules.",
            "blocked",
        )  # fmt: skip
    if not words_of(call.code).network:
        return _said("not_sent_to_network", call.code, "normal", "The call was invalid.", "invalid")
    return _said(
        "declined_by_network", call.code, "normal", "The bank declined the payment.",
        "issuer_declined",
    )  # fmt: skip


def _said(network: str, reason: str | None, risk: str, message: str, kind: str) -> dict[str, Any]:
    return {
        "network_status": network,
        "reason": reason,
        "risk_level": risk,
        "seller_message": message,
        "type": kind,
    }


def _card(charge: Operation) -> dict[str, Any] | None:
    if charge.card is None:
        return None
    shown = charge.card
    return {
        "type": "card",
        "card": {
            "brand": charge.brand,
            "country": shown.country or None,
            "exp_month": shown.exp_month,
            "exp_year": shown.exp_year,
            "funding": shown.funding or "unknown",
            "last4": shown.last4,
        },
    }

"""How providerB speaks: 200 with a `resultCode`, also for a card that is refused.

What is done to a payment later is a modification: it is `received`, and a notice tells its end.
Amounts are those of its interface (`payrail.domain.provider_amounts`); its names have sixteen
characters. Never: decides anything, or says of a card more than its last four digits.
"""

import hashlib
from typing import Any

from actors.provider.ended import Ended
from actors.provider.state import Operation
from payrail.domain.challenges import REQUIRES_ACTION
from payrail.domain.provider_amounts import as_written
from payrail.domain.provider_declines import B_REASONS, words_of
from payrail.domain.provider_errors import psp_reference
from payrail.domain.settlement.statements_b import METHODS
from payrail.domain.words.settlement import BankRow

#: A refusal with this number is nobody's word: the acquirer failed.
_ACQUIRER_ERROR = 4
_APPROVED, _DECLINED = "approved", "declined"


def spoken(told: Ended) -> dict[str, Any]:
    """The answer to a call."""
    return _payment(told) if told.is_charge else _modification(told)


def paid_out(provider: str, row: BankRow) -> dict[str, Any]:
    """A payout to us; below zero it was collected."""
    value = as_written(provider, row.amount, row.currency)
    return {
        "type": "MerchantPayout",
        "batchNumber": row.reference,
        "pspReference": psp_reference(f"{row.reference}-{row.currency}"),
        "amount": {"value": value, "currency": row.currency},
        "valueDate": row.value_date,
    }


def _payment(told: Ended) -> dict[str, Any]:
    call = told.call
    return {
        "pspReference": "" if call.action is not None else told.name,
        "merchantReference": told.reference,
        "resultCode": _result_code(call),
        "amount": _amount(told),
        **_refusal(call),
        **_action(call),
        "additionalData": _additional(told),
    }


def _modification(told: Ended) -> dict[str, Any]:
    """A capture, refund or cancellation: `status` as its interface says it, with `resultCode` for
    those that go by that alone."""
    call = told.call
    is_refused = call.result == _DECLINED
    return {
        "merchantAccount": call.merchant_id,
        "paymentPspReference": told.charge_name,
        "pspReference": told.name,
        "reference": told.reference,
        "merchantReference": told.reference,
        "status": "refused" if is_refused else "received",
        "resultCode": "Refused" if is_refused else "Received",
        "amount": _amount(told),
        **_refusal(call),
    }


def _result_code(call: Operation) -> str:
    if call.result == REQUIRES_ACTION:
        return "ChallengeShopper"
    if call.result == _DECLINED:
        return "Error" if words_of(call.code).b_number == _ACQUIRER_ERROR else "Refused"
    return "Authorised" if call.result == _APPROVED else "Received"


def _refusal(call: Operation) -> dict[str, str]:
    """Why not, in B's words and in ours."""
    if call.result != _DECLINED:
        return {}
    number = words_of(call.code).b_number if call.number is None else call.number
    return {
        "refusalReason": B_REASONS.get(number, "Unknown"),
        "refusalReasonCode": str(number),
        "decline_code": call.code,
    }


def _action(call: Operation) -> dict[str, Any]:
    if call.action is None:
        return {}
    action = {"id": call.action.id, "type": "challenge", "expires_at": call.action.expires_at}
    return {"action": action}


def _amount(told: Ended) -> dict[str, Any]:
    value = as_written(told.provider, told.amount, told.call.currency)
    return {"value": value, "currency": told.call.currency}


def _additional(told: Ended) -> dict[str, str]:
    """What stands beside: the card as far as it may be shown, and the raw word of its bank."""
    call, found = told.call, {"metadata.payment_id": told.call.payment_id}
    if call.card is not None:
        shown = call.card
        found |= {
            "cardSummary": shown.last4,
            "expiryDate": f"{shown.exp_month}/{shown.exp_year}",
            "fundingSource": (shown.funding or "unknown").upper(),
            "issuerCountry": shown.country,
            "paymentMethod": METHODS.get(call.brand, call.brand),
        }
    if call.result == _APPROVED:
        digest = hashlib.sha256(told.name.encode()).digest()
        found["authCode"] = f"{int.from_bytes(digest[:4]) % 1_000_000:06d}"
    if call.result == _DECLINED and (network := words_of(call.code).network):
        found["refusalReasonRaw"] = f"{network} : {words_of(call.code).b_reason}"
    return found

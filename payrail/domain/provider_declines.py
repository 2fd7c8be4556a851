"""One refusal in three vocabularies: our decline code, and the words of our two providers.

providerA says `code` and `decline_code`, with what the network said; providerB says a reason and
its number. A's words lead back to the one code that they stand for; B has fewer numbers than there
are codes, so that its number leads back to the first that has it.
Sources: the published lists of decline codes and of refusal reasons; the network's two-digit
answers are those of ISO 8583 as card networks use them.
Never: decides what a refusal means for the next try; that is in `declines`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from payrail.domain.declines import UNSPECIFIED

#: What a holder's bank answered when it answered nothing: the call never reached it.
NOT_SENT = ""

#: Refusal reasons of providerB by their number. 0 and 1 are no refusals, 13 is no end.
B_REASONS: Mapping[int, str] = {
    2: "Refused",
    3: "Referral",
    4: "Acquirer Error",
    5: "Blocked Card",
    6: "Expired Card",
    7: "Invalid Amount",
    8: "Invalid Card Number",
    9: "Issuer Unavailable",
    10: "Not supported",
    11: "3D Not Authenticated",
    12: "Not enough balance",
    14: "Acquirer Fraud",
    15: "Cancelled",
    16: "Shopper Cancelled",
    17: "Invalid Pin",
    18: "Pin tries exceeded",
    20: "FRAUD",
    22: "FRAUD-CANCELLED",
    23: "Transaction Not Permitted",
    24: "CVC Declined",
    25: "Restricted Card",
    26: "Revocation Of Auth",
    27: "Declined Non Generic",
    28: "Withdrawal amount exceeded",
    29: "Withdrawal count exceeded",
    31: "Issuer Suspected Fraud",
    32: "AVS Declined",
    38: "Authentication required",
    43: "Online PIN required",
}


@dataclass(frozen=True, slots=True)
class Words:
    """How both providers say one code. `network` is the two-digit answer of the card network."""

    a_code: str
    a_decline: str
    network: str
    b_number: int

    @property
    def b_reason(self) -> str:
        return B_REASONS[self.b_number]


def _card(decline: str, network: str, b_number: int) -> Words:
    """Declined by the issuer: one `code` for all, the reason in `decline_code`."""
    return Words("card_declined", decline, network, b_number)


def _direct(code: str, network: str, b_number: int) -> Words:
    """So usual that providerA has a `code` of its own for it, which is its `decline_code` too."""
    return Words(code, code, network, b_number)


WORDS: Mapping[str, Words] = {
    # Hard: stop.
    "lost_card": _card("lost_card", "41", 5),
    "stolen_card": _card("stolen_card", "43", 5),
    "pickup_card": _card("pickup_card", "04", 5),
    "fraudulent": _card("fraudulent", "59", 20),
    "merchant_blacklist": _card("merchant_blacklist", NOT_SENT, 22),
    "restricted_card": _card("restricted_card", "62", 25),
    "security_violation": _card("security_violation", "63", 31),
    "stop_payment_order": _card("stop_payment_order", "R0", 26),
    "revocation_of_authorization": _card("revocation_of_authorization", "R1", 26),
    "revocation_of_all_authorizations": _card("revocation_of_all_authorizations", "R3", 26),
    "do_not_try_again": _card("do_not_try_again", "05", 27),
    "invalid_account": _card("invalid_account", "14", 8),
    "new_account_information_available": _card("new_account_information_available", "05", 27),
    # What the payer can mend.
    "incorrect_number": _direct("incorrect_number", NOT_SENT, 8),
    "invalid_number": _direct("invalid_number", "14", 8),
    "incorrect_cvc": _direct("incorrect_cvc", "82", 24),
    "invalid_cvc": _direct("invalid_cvc", NOT_SENT, 24),
    "expired_card": _direct("expired_card", "54", 6),
    "invalid_expiry_month": _direct("invalid_expiry_month", NOT_SENT, 6),
    "invalid_expiry_year": _direct("invalid_expiry_year", NOT_SENT, 6),
    "incorrect_zip": _direct("incorrect_zip", "05", 32),
    "incorrect_address": _direct("incorrect_address", "05", 32),
    "incorrect_pin": _card("incorrect_pin", "55", 17),
    "invalid_pin": _card("invalid_pin", "55", 17),
    "pin_try_exceeded": _card("pin_try_exceeded", "75", 18),
    "invalid_amount": _card("invalid_amount", "13", 7),
    "currency_not_supported": _card("currency_not_supported", "57", 10),
    "card_not_supported": _card("card_not_supported", "57", 10),
    "duplicate_transaction": _card("duplicate_transaction", "94", 2),
    "testmode_decline": _card("testmode_decline", NOT_SENT, 10),
    # Who pays has to be known first.
    "authentication_required": _direct("authentication_required", "1A", 38),
    "authentication_failed": _card("authentication_failed", NOT_SENT, 11),
    "offline_pin_required": _card("offline_pin_required", "1A", 43),
    "online_or_offline_pin_required": _card("online_or_offline_pin_required", "70", 43),
    "approve_with_id": _card("approve_with_id", "08", 3),
    # Later it may do.
    "insufficient_funds": _card("insufficient_funds", "51", 12),
    "card_velocity_exceeded": _card("card_velocity_exceeded", "61", 28),
    "withdrawal_count_limit_exceeded": _card("withdrawal_count_limit_exceeded", "65", 29),
    "try_again_later": _card("try_again_later", "91", 9),
    "reenter_transaction": _card("reenter_transaction", "19", 4),
    "issuer_not_available": _card("issuer_not_available", "91", 9),
    # No, and not why.
    "generic_decline": _card("generic_decline", "05", 2),
    "card_declined": Words("card_declined", "card_declined", "05", 2),
    "do_not_honor": _card("do_not_honor", "05", 2),
    "call_issuer": _card("call_issuer", "01", 3),
    "no_action_taken": _card("no_action_taken", "21", 2),
    "not_permitted": _card("not_permitted", "57", 23),
    "service_not_allowed": _card("service_not_allowed", "57", 23),
    "transaction_not_allowed": _card("transaction_not_allowed", "57", 23),
    "settlement_declined": _card("settlement_declined", "05", 2),
    # Nobody decided.
    "processing_error": _direct("processing_error", "96", 4),
    "amount_mismatch": _card("amount_mismatch", NOT_SENT, 7),
}

_FROM_A = {(said.a_code, said.a_decline): code for code, said in WORDS.items()}
_FROM_B = {said.b_number: code for code, said in reversed([*WORDS.items()])}


def words_of(code: str) -> Words:
    """How both providers say a code; one that has no words of its own is a plain no."""
    return WORDS.get(code) or WORDS[UNSPECIFIED]


def code_of_a(code: str, decline_code: str | None) -> str:
    """Our code for what providerA says; a plain no for what nobody knows."""
    return _FROM_A.get((code, decline_code or code), UNSPECIFIED)


def code_of_b(number: str) -> str:
    """Our code for a `refusalReasonCode`; a plain no for what nobody knows."""
    return _FROM_B.get(int(number), UNSPECIFIED) if number.isdigit() else UNSPECIFIED

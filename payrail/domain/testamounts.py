"""Amounts that decide a charge of a generated card at providerB, in major units of its currency.

    2000.00 to 2999.99  declined; the whole part is the processor's code
    3000.00 to 3000.99  failed at the processor
    4001.00 to 4001.99  authorized; its capture is declined
    5001.00             rejected by the provider's own gateway

Only currencies with decimals have such amounts: 2,500 yen are a price. Documented test cards keep
their documented result, whatever they pay. The codes are Braintree's published ones.
"""

from payrail.domain.money import exponent

SETTLEMENT_DECLINED = "settlement_declined"
#: What every processor's code without a row means.
OTHERWISE = "do_not_honor"
_PROCESSOR = {
    2000: "do_not_honor",
    2001: "insufficient_funds",
    2002: "withdrawal_count_limit_exceeded",
    2003: "card_velocity_exceeded",
    2004: "expired_card",
    2005: "invalid_number",
    2006: "invalid_expiry_year",
    2007: "invalid_account",
    2008: "invalid_number",
    2009: "invalid_number",
    2010: "incorrect_cvc",
    2011: "call_issuer",
    2012: "lost_card",
    2013: "stolen_card",
    2014: "fraudulent",
    2015: "transaction_not_allowed",
    2016: "duplicate_transaction",
    2017: "stop_payment_order",
    2018: "revocation_of_all_authorizations",
    2019: "not_permitted",
    2020: "security_violation",
    2021: "security_violation",
    2022: "new_account_information_available",
    2023: "service_not_allowed",
    2024: "card_not_supported",
    2038: "generic_decline",
    2044: "call_issuer",
    2046: "generic_decline",
    2047: "pickup_card",
    2048: "invalid_amount",
    2053: "stolen_card",
    2057: "restricted_card",
    2059: "incorrect_address",
    2060: "incorrect_cvc",
    2099: "authentication_required",
}


def processor_code(amount: int, currency: str) -> int | None:
    """The number that an amount in minor units asks for: 2000 to 2999, 3000, 4001 or 5001."""
    decimals = exponent(currency)
    whole, rest = divmod(amount, 10**decimals)
    if decimals == 0 or (whole == 5001 and rest):
        return None
    return whole if 2000 <= whole <= 3000 or whole in (4001, 5001) else None


def decline_of(code: int) -> str | None:
    """What a charge of that number is declined with; None: it is approved, its capture is not."""
    if code == 4001:
        return None
    if code == 3000:
        return "processing_error"
    return "not_permitted" if code == 5001 else _PROCESSOR.get(code, OTHERWISE)

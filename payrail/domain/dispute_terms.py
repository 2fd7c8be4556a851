"""What schemes and tariffs say of a dispute: days to answer, days to rule, fees.

Times are business time. A fee is asked when a chargeback comes in and never given back; another
one when it is answered, given back when it is won. An inquiry costs nothing.
"""

from payrail.domain.money import exponent
from payrail.domain.timestamps import iso

DAY_MS = 86_400_000

#: Days to answer, by brand of the card. Source: the schemes' rules as Adyen lists them.
DUE_DAYS = {
    "visa": 18,
    "mastercard": 40,
    "amex": 14,
    "diners": 25,
    "discover": 25,
    "unionpay": 30,
    "jcb": 40,
}
#: For a brand that nobody knows: the shortest of all.
DUE_DAYS_MIN = min(DUE_DAYS.values())

#: An issuer that was answered rules within so many days.
REVIEW_DAYS_MAX = 75

#: In minor units of the payment's currency.
DISPUTE_FEES = {"USD": 1500, "EUR": 1500, "GBP": 1200, "JPY": 2000, "KWD": 4500}
#: For a currency that is missing there, by its exponent.
_DISPUTE_FEE_BY_EXPONENT = {0: 1500, 2: 1500, 3: 4500}


def due_ms(brand: str, opened_ms: int) -> int:
    """Until when a dispute that was opened then can be answered."""
    return opened_ms + DUE_DAYS.get(brand, DUE_DAYS_MIN) * DAY_MS


def due_at(brand: str, opened_ms: int) -> str:
    """The same in ISO."""
    return iso(due_ms(brand, opened_ms))


def ruled_by_ms(submitted_ms: int) -> int:
    """Until when the issuer rules on what was submitted then."""
    return submitted_ms + REVIEW_DAYS_MAX * DAY_MS


def dispute_fee(currency: str) -> int:
    """What is asked for a chargeback, and once more for an answer to it."""
    known = DISPUTE_FEES.get(currency)
    return _DISPUTE_FEE_BY_EXPONENT[exponent(currency)] if known is None else known

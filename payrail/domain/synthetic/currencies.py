"""Whole amounts: how much a ticket is in each currency, and how tickets scatter about their middle.

No float: a power of two is read from a table of sixteenths, in parts of 65,536.
"""

from payrail.domain.synthetic.draws import Draws

#: Minor units for 100 US cents, in rough.
_PER_DOLLAR = {"USD": 100, "EUR": 90, "GBP": 80, "JPY": 150, "KWD": 310, "CAD": 135, "AUD": 150}
#: The least that is ever asked for, so that the fixed part of a fee fits in.
AMOUNT_MINOR_MIN = 100

#: 2 ** (n / 16) in parts of 65,536, rounded down.
SIXTEENTHS = (
    *(65536, 68437, 71467, 74631, 77935, 81386, 84989, 88752),
    *(92681, 96785, 101070, 105545, 110217, 115097, 120193, 125514),
)
#: Twelve bytes added up make a bell: this is their middle, and they spread by 256.
_BYTES, _MIDDLE = 12, 1_530


def minor(cents: int, currency: str) -> int:
    """That many US cents in minor units of a currency."""
    return max(AMOUNT_MINOR_MIN, cents * _PER_DOLLAR[currency] // 100)


def bell(draws: Draws) -> int:
    """About 0, two of three times between -256 and 256, never beyond 1,530."""
    high, low = draws.below(1 << 48), draws.below(1 << 48)
    return sum((high << 48 | low).to_bytes(_BYTES)) - _MIDDLE


def scattered(draws: Draws, middle: int, spread: int) -> int:
    """`middle` times a power of two that scatters by `spread` sixteenths (log-normal in rough)."""
    whole, part = divmod(bell(draws) * spread // 256, 16)
    found = middle * SIXTEENTHS[part] >> 16
    return found << whole if whole >= 0 else found >> -whole

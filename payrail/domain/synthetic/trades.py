"""How a branch sells, by merchant category code (ISO 18245): how much, when, and what goes wrong.

All shares are whole numbers: per mille, or weights against each other. Amounts are in US cents;
`currencies` has what they are elsewhere.
"""

from dataclasses import dataclass
from itertools import accumulate

#: Night, morning, noon, afternoon, evening: four hours each but the night, which has eight.
_HOURS = (8, 4, 4, 4, 4)


@dataclass(frozen=True, slots=True)
class Trade:
    """Half of all tickets are below `ticket_cents`; two of three lie within a factor of
    2 ** (spread / 16). `hours`: weights of night (0 to 8), morning, noon, afternoon and evening in
    the merchant's zone; none is open. `week`: weights of Monday to Sunday."""

    mcc: str
    ticket_cents: int
    spread: int
    hours: tuple[int, int, int, int, int]
    week: tuple[int, int, int, int, int, int, int]
    refund_permille: int
    dispute_permille: int
    late_permille: int  # claimed days after it was held
    in_one_call_permille: int = 500
    subscribes: bool = False
    low_cents: int = 100
    high_cents: int = 500_000

    @property
    def hour_sums(self) -> tuple[int, ...]:
        """Running sums of the weights of the 24 hours."""
        weights = [
            weight for weight, hours in zip(self.hours, _HOURS, strict=True) for _ in range(hours)
        ]
        return tuple(accumulate(weights))


_WORKDAYS, _EVEN, _WEEKEND = (11, 11, 11, 11, 11, 6, 3), (10,) * 7, (7, 7, 8, 9, 13, 15, 11)
_SHOP, _ONLINE, _MEALS = (0, 6, 10, 12, 5), (2, 7, 9, 9, 12), (0, 2, 14, 4, 16)

TRADES = {
    trade.mcc: trade
    for trade in (
        # Local passengers, ferries too.
        Trade("4111", 900, 9, (1, 15, 8, 12, 5), _WORKDAYS, 15, 1, 0, 900),
        # Cable, satellite and other paid television.
        Trade("4899", 1_299, 6, (2, 5, 6, 8, 14), _EVEN, 12, 5, 0, 950, subscribes=True),
        # Grocery.
        Trade("5411", 3_800, 14, (0, 8, 10, 14, 6), (9, 8, 9, 10, 13, 14, 7), 10, 1, 20, 700),
        # Family clothing.
        Trade("5651", 6_200, 13, _ONLINE, _WEEKEND, 120, 5, 60, 300),
        # Electronics.
        Trade("5732", 18_900, 19, _ONLINE, _EVEN, 60, 9, 150, 200, high_cents=900_000),
        # Restaurants: a hold, then what it came to.
        Trade("5812", 4_600, 10, _MEALS, _WEEKEND, 8, 2, 30, 300),
        # Fast food.
        Trade("5814", 1_150, 9, (1, 6, 14, 7, 12), _WEEKEND, 6, 1, 0, 950),
        # Bicycles.
        Trade("5940", 24_000, 20, _SHOP, _WEEKEND, 45, 4, 120, 250, high_cents=800_000),
        # Books.
        Trade("5942", 2_400, 10, _ONLINE, _EVEN, 35, 3, 60, 400, subscribes=True),
        # Hotels: held at booking, claimed at the end of the stay.
        Trade("7011", 21_000, 12, (1, 6, 8, 9, 11), (9, 9, 9, 10, 13, 12, 8), 50, 6, 450, 100),
        # Betting.
        Trade("7995", 3_000, 20, (6, 2, 4, 8, 18), _WEEKEND, 4, 14, 0, 950),
        # Clubs and gyms.
        Trade("7997", 4_500, 5, (2, 10, 6, 8, 10), _WORKDAYS, 14, 6, 0, 950, subscribes=True),
    )
}

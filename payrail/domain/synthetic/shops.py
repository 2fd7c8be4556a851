"""The merchants of a world: the two of the demo house, and ten more of other branches and zones."""

from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from payrail.domain.synthetic.draws import Draws
from payrail.domain.synthetic.people import MERCHANTS, Merchant
from payrail.domain.synthetic.trades import TRADES, Trade

_MINUTE_MS, _HOUR_MINUTES, _DAY_MINUTES = 60_000, 60, 1_440


@dataclass(frozen=True, slots=True)
class Shop:
    """A merchant and how it sells. `zone_minutes`: its clock is that far before UTC, in winter and
    in summer; `weight`: its share of the payments."""

    merchant: Merchant
    currency: str
    zone_minutes: int
    weight: int

    @property
    def trade(self) -> Trade:
        return TRADES[self.merchant.mcc]


SHOPS = (
    Shop(MERCHANTS[0], "USD", -300, 14),
    Shop(MERCHANTS[1], "EUR", 60, 9),
    Shop(Merchant("m_003", "Larder Lane", "5411", "GB"), "GBP", 0, 18),
    Shop(Merchant("m_004", "Copper Ladle", "5812", "FR"), "EUR", 60, 9),
    Shop(Merchant("m_005", "Nine Pines Inn", "7011", "JP"), "JPY", 540, 6),
    Shop(Merchant("m_006", "Tidewater Ferries", "4111", "SE"), "EUR", 60, 11),
    Shop(Merchant("m_007", "Bitwright Electronics", "5732", "US"), "USD", -480, 7),
    Shop(Merchant("m_008", "Quick Saucer", "5814", "CA"), "CAD", -300, 12),
    Shop(Merchant("m_009", "Lanternstream", "4899", "US"), "USD", -360, 5),
    Shop(Merchant("m_010", "Lucky Heron", "7995", "GB"), "GBP", 0, 4),
    Shop(Merchant("m_011", "Souk of Threads", "5651", "KW"), "KWD", 180, 3),
    Shop(Merchant("m_012", "Gumtree Gym", "7997", "AU"), "AUD", 600, 2),
)
_BY_ID = {shop.merchant.id: shop for shop in SHOPS}


def shop_of(merchant_id: str) -> Shop:
    """Raises KeyError for a merchant of no world."""
    return _BY_ID[merchant_id]


@cache
def _shares(merchants: int) -> tuple[int, ...]:
    return tuple(accumulate(shop.weight for shop in SHOPS[:merchants]))


@cache
def _hour_sums(mcc: str) -> tuple[int, ...]:
    return TRADES[mcc].hour_sums


def any_shop(draws: Draws, merchants: int) -> int:
    """The index of one of the first `merchants` shops, by their shares."""
    return draws.weighed(_shares(merchants))


@cache
def subscribed(merchants: int) -> tuple[int, ...]:
    """The indexes of those that sell subscriptions; of few shops, the first does."""
    return tuple(index for index in range(merchants) if SHOPS[index].trade.subscribes)


def moment_ms(draws: Draws, shop: Shop) -> int:
    """When on a day somebody pays there: milliseconds of the day in UTC."""
    local = draws.weighed(_hour_sums(shop.merchant.mcc)) * _HOUR_MINUTES
    return from_local_ms(draws, shop, local + draws.below(_HOUR_MINUTES))


def from_local_ms(draws: Draws, shop: Shop, minute: int) -> int:
    """A moment within that minute of the day at the shop, in UTC."""
    minute = (minute - shop.zone_minutes) % _DAY_MINUTES
    return minute * _MINUTE_MS + draws.below(_MINUTE_MS)

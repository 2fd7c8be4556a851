"""Cards by number: card `slot` of a seed can be made without any other, and no two are the same.

An account number is the slot, stepped through all numbers of that length: two slots never meet.
Never: comes out of an issuer that has a documented test card.
"""

from functools import cache

from payrail.domain.cards import BinRow, luhn_digit
from payrail.domain.synthetic.draws import Draws
from payrail.domain.synthetic.wallet import (
    SyntheticCard,
    card_id,
    invented_issuers,
    pan_digits,
)

#: Nobody has more cards.
CARDS_EACH_MAX = 3
#: Diners has seven digits for the account, and every customer takes three of these.
CUSTOMERS_MAX = 1_000_000
#: Has no factor with ten in common, so that stepping by it meets every account number once.
_STRIDE = 618_033_989
_MONTHS_MAX, _MONTHS_SOON = 60, 3
_SOON_PERCENT, _AT_HOME_PERCENT = 6, 75


def issued_card(seed: int, slot: int, country: str, year: int) -> SyntheticCard:
    """Card `slot` of a customer from `country`, good in January of `year`: one in sixteen expires
    within three months of that."""
    draws = Draws.about(seed, "card", slot)
    row = _issuer(draws, country)
    soon = draws.below(100) < _SOON_PERCENT
    months = draws.below(_MONTHS_SOON if soon else _MONTHS_MAX)
    return _form(draws, seed, slot, row, year * 12 + months)


def lapsed_card(seed: int, slot: int, country: str, year: int) -> SyntheticCard:
    """The same card as it was printed before: it went out of date in the years before `year`."""
    draws = Draws.about(seed, "card", slot)
    return _form(draws, seed, slot, _issuer(draws, country), year * 12 - 1 - draws.below(36))


def cards_held(seed: int, customer: int) -> int:
    """How many cards customer `customer` (from 0) has: one to three."""
    return 1 + (0, 0, 0, 0, 0, 0, 1, 1, 1, 2)[Draws.about(seed, "purse", customer).below(10)]


def _form(draws: Draws, seed: int, slot: int, row: BinRow, months: int) -> SyntheticCard:
    digits = pan_digits(row.brand) - len(row.bin6) - 1
    account = (slot * _STRIDE + _offset(seed, row.bin6)) % 10**digits
    body = f"{row.bin6}{account:0{digits}d}"
    year, month = divmod(months, 12)
    return SyntheticCard(
        number=body + luhn_digit(body),
        exp_month=1 + month,
        exp_year=year,
        cvc=draws.digits(4 if row.brand == "amex" else 3),
        brand=row.brand,
        country=row.country,
        funding=row.funding,
        id=card_id(f"seed:{seed}:issued", slot),
    )


def _issuer(draws: Draws, country: str) -> BinRow:
    """Mostly one of the customer's own country, if there is any."""
    at_home = _issuers_of(country)
    if at_home and draws.below(100) < _AT_HOME_PERCENT:
        return draws.one_of(at_home)
    return draws.one_of(invented_issuers())


@cache
def _issuers_of(country: str) -> tuple[BinRow, ...]:
    return tuple(row for row in invented_issuers() if row.country == country)


@cache
def _offset(seed: int, bin6: str) -> int:
    return Draws.about(seed, "account", int(bin6)).below(10**12)

"""Money: whole minor units with a currency. No float comes near it.

Never: converts between currencies, or rounds twice.
"""

from functools import cache

from iso4217 import Currency

#: The largest amount of one payment, in minor units: eight digits, as card networks carry.
AMOUNT_MINOR_MAX = 99_999_999

#: Exponents that books, tariffs and statements know. Gold has none, and funds codes have 4.
EXPONENTS = frozenset({0, 2, 3})

BASIS_POINTS = 10_000


@cache
def _known(code: str) -> int | None:
    try:
        return Currency(code).exponent
    except ValueError:
        return None


@cache
def currency_codes() -> list[str]:
    """Every code that `known_currency` takes, in order."""
    return sorted(one.code for one in Currency if one.exponent in EXPONENTS)


def known_currency(code: str) -> str:
    """The code itself. Raises ValueError as `exponent` does."""
    exponent(code)
    return code


def exponent(currency: str) -> int:
    """Decimal places of an ISO 4217 code: 0, 2 or 3. Raises ValueError that names the remedy,
    and never what was given: anything may have been typed here."""
    is_code = len(currency) == 3 and currency.isascii() and currency.isalpha()
    found = _known(currency) if is_code and currency.isupper() else None
    if found not in EXPONENTS:
        raise ValueError(
            "a currency is an upper-case ISO 4217 code with 0, 2 or 3 decimal places: "
            "use one such as JPY, USD or KWD"
        )
    return found


def check_amount(amount: object) -> None:
    """Raises ValueError unless `amount` is a whole number of minor units from 1 to the maximum."""
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise ValueError("an amount is a whole number of minor units: 10.99 USD is 1099")
    if not 1 <= amount <= AMOUNT_MINOR_MAX:
        raise ValueError(f"an amount is from 1 to {AMOUNT_MINOR_MAX} minor units")


def format_minor(amount_minor: int, currency: str) -> str:
    """For people: `10.99 USD`, `-0.05 EUR`, `500 JPY`."""
    places = exponent(currency)
    sign = "-" if amount_minor < 0 else ""
    if places == 0:
        return f"{sign}{abs(amount_minor)} {currency}"
    whole, part = divmod(abs(amount_minor), 10**places)
    return f"{sign}{whole}.{part:0{places}d} {currency}"


def half_even(amount_minor: int, basis_points: int) -> int:
    """That share of an amount, rounded to the nearest minor unit; a tie goes to the even one."""
    share, rest = divmod(amount_minor * basis_points, BASIS_POINTS)
    if 2 * rest > BASIS_POINTS or (2 * rest == BASIS_POINTS and share % 2 == 1):
        return share + 1
    return share

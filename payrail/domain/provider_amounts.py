"""Amounts as each provider writes them in its interface: whole units smaller than the currency's.

Both follow ISO 4217 with exceptions that they document. A writes the króna and the shilling of
Uganda in hundredths that must be zero, and the last digit of a currency of three places has to be
zero; B writes two currencies with more places than ISO has, and two with fewer.
Never: rounds an amount that is asked for. What a provider cannot say is refused before it is tried.
"""

from collections.abc import Mapping

from payrail.domain.money import exponent

_A, _B = "providerA", "providerB"
#: Decimal places where a provider's differ from those of ISO 4217.
PLACES: Mapping[str, Mapping[str, int]] = {
    _A: {"ISK": 2, "UGX": 2},
    _B: {"CLP": 2, "ISK": 2, "CVE": 0, "IDR": 0},
}


def as_written(provider: str, amount_minor: int, currency: str) -> int:
    """The number that stands in a provider's answer. What it has no digits for is left off."""
    iso = exponent(currency)
    places = PLACES.get(provider, {}).get(currency, iso)
    if places >= iso:
        return int(amount_minor * 10 ** (places - iso))
    return int(amount_minor // 10 ** (iso - places))


def as_meant(provider: str, written: int, currency: str) -> int:
    """Minor units of a number in a provider's answer. Raises ValueError for one that says parts of
    a minor unit."""
    iso = exponent(currency)
    places = PLACES.get(provider, {}).get(currency, iso)
    if places <= iso:
        return int(written * 10 ** (iso - places))
    whole, rest = divmod(written, 10 ** (places - iso))
    if rest:
        raise ValueError(f"an amount in {currency} ends in {'0' * (places - iso)} here")
    return int(whole)


def check_written(provider: str, amount_minor: int, currency: str) -> None:
    """Raises ValueError with the remedy for an amount that this provider cannot say."""
    if provider == _A and exponent(currency) == 3 and amount_minor % 10:
        raise ValueError(f"{provider} takes {currency} in whole hundredths: end the amount in 0")
    if as_meant(provider, as_written(provider, amount_minor, currency), currency) != amount_minor:
        raise ValueError(f"{provider} takes {currency} without decimal places: end it in 00")

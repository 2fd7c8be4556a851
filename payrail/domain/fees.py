"""What a capture costs us at its provider, and what we ask of the merchant for it.

A tariff is a share in basis points and a fixed part. It is rounded once for each capture, to the
even minor unit on a tie. A fee may exceed a very small capture, as it does in life.

Two things are apart: what a provider charges (`PROVIDER_TARIFFS`, which its statements follow) and
what we expect (`FeeTable`, out of fees.toml). Where they differ, reconciliation says `fee`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from payrail.domain.cards import bin_table, brand_of
from payrail.domain.dispute_terms import DISPUTE_FEES, dispute_fee
from payrail.domain.money import exponent, half_even


@dataclass(frozen=True, slots=True)
class Tariff:
    """`shares` are named parts in basis points; `fixed_minor` is by the currency's exponent."""

    name: str
    shares: tuple[tuple[str, int], ...]
    fixed_minor: dict[int, int]

    @property
    def basis_points(self) -> int:
        return sum(points for _name, points in self.shares)

    def fee(self, amount_minor: int, currency: str) -> int:
        """In minor units of the capture's own currency."""
        return half_even(amount_minor, self.basis_points) + self.fixed_minor[exponent(currency)]


#: One price for everything: 2.9 % + 0.30 (30 yen, 0.090 dinar).
PROVIDER_A = Tariff("blended", (("blended", 290),), {0: 30, 2: 30, 3: 90})
#: Interchange++: what the issuer takes, what the scheme takes, and the provider's own markup.
PROVIDER_B = Tariff(
    "interchange++",
    (("interchange", 100), ("scheme", 12), ("markup", 15)),
    {0: 12, 2: 12, 3: 36},
)
#: What the merchant pays us: 3.4 % + 0.30.
MERCHANT = Tariff("merchant", (("merchant", 340),), {0: 30, 2: 30, 3: 90})

#: What providers really charge, and state.
PROVIDER_TARIFFS = {"providerA": PROVIDER_A, "providerB": PROVIDER_B}


def provider_fee(provider: str, amount_minor: int, currency: str) -> int:
    """What this provider keeps of a capture. Raises KeyError for a provider without a tariff."""
    return PROVIDER_TARIFFS[provider].fee(amount_minor, currency)


def merchant_fee(amount_minor: int, currency: str) -> int:
    """What the merchant pays for a capture."""
    return MERCHANT.fee(amount_minor, currency)


@dataclass(frozen=True, slots=True)
class Interchange:
    """What issuers of such cards take; an empty field fits every card."""

    basis_points: int
    brand: frozenset[str] = frozenset()
    funding: frozenset[str] = frozenset()  # credit | debit | prepaid
    country: frozenset[str] = frozenset()  # of the issuer

    def fits(self, bin6: str) -> bool:
        known = bin_table().get(bin6)
        return (
            (not self.brand or brand_of(bin6) in self.brand)
            and (not self.funding or (known is not None and known.funding in self.funding))
            and (not self.country or (known is not None and known.country in self.country))
        )


@dataclass(frozen=True, slots=True)
class Price:
    """A tariff as people expect it: fixed parts may differ by currency, interchange by card."""

    tariff: Tariff
    fixed_by_currency: Mapping[str, int] = field(default_factory=dict)
    interchange: tuple[Interchange, ...] = ()  # the first that fits replaces the tariff's own

    def fee(self, amount_minor: int, currency: str, bin6: str = "") -> int:
        """In minor units of the capture's own currency, rounded once."""
        points = self.tariff.basis_points
        own = next((row for row in self.interchange if row.fits(bin6)), None)
        if own is not None:
            points += own.basis_points - dict(self.tariff.shares).get("interchange", 0)
        fixed = self.fixed_by_currency.get(currency)
        if fixed is None:
            fixed = self.tariff.fixed_minor[exponent(currency)]
        return half_even(amount_minor, points) + fixed


@dataclass(frozen=True, slots=True)
class FeeTable:
    """What `fees.toml` says: the costs that we expect, the prices that we ask. What is booked
    keeps the fee itself, so that nobody who folds a book needs a table."""

    providers: Mapping[str, Price] = field(
        default_factory=lambda: {name: Price(found) for name, found in PROVIDER_TARIFFS.items()}
    )
    merchant: Price = Price(MERCHANT)
    merchants: Mapping[str, Price] = field(default_factory=dict)  # who has a price of their own
    disputes: Mapping[str, int] = field(default_factory=lambda: dict(DISPUTE_FEES))

    def provider_fee(self, provider: str, amount_minor: int, currency: str, bin6: str = "") -> int:
        """What we expect this provider to keep. Raises KeyError for one without a price."""
        return self.providers[provider].fee(amount_minor, currency, bin6)

    def merchant_fee(self, merchant_id: str | None, amount_minor: int, currency: str) -> int:
        """What this merchant pays for a capture."""
        price = self.merchants.get(merchant_id or "", self.merchant)
        return price.fee(amount_minor, currency)

    def dispute_fee(self, currency: str) -> int:
        """What is asked for a chargeback, and once more for an answer to it."""
        known = self.disputes.get(currency)
        return dispute_fee(currency) if known is None else known


#: What the gateway expects and asks while nobody says otherwise.
STANDARD = FeeTable()

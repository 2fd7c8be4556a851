"""What a capture costs us at its provider, and what we ask of the merchant for it.

A tariff is a share in basis points and a fixed part. It is rounded once for each capture, to the
even minor unit on a tie. A fee may exceed a very small capture, as it does in life.
"""

from dataclasses import dataclass

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

PROVIDER_TARIFFS = {"providerA": PROVIDER_A, "providerB": PROVIDER_B}


def provider_fee(provider: str, amount_minor: int, currency: str) -> int:
    """What this provider keeps of a capture. Raises KeyError for a provider without a tariff."""
    return PROVIDER_TARIFFS[provider].fee(amount_minor, currency)


def merchant_fee(amount_minor: int, currency: str) -> int:
    """What the merchant pays for a capture."""
    return MERCHANT.fee(amount_minor, currency)

"""`data/rules/fees.toml`: what captures are expected to cost, and what merchants pay for them.

Made once with the defaults, then people's. It changes what is booked from then on; a fee that is
booked stays. Never: says what a provider really charges; its statement does.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from actors.gateway.settings import REMEDY
from payrail.domain.fees import FeeTable, Interchange, Price, Tariff
from payrail.domain.money import AMOUNT_MINOR_MAX, BASIS_POINTS, known_currency
from payrail.rulefile import checked

PATH = "data/rules/fees.toml"
_LISTED_MAX = 250

DEFAULT = b"""\
# What captures are expected to cost at each provider, and what merchants pay us for them. The
# gateway made this file and never writes it again: it is yours. A change is taken within two
# seconds, for what is captured from then on. A fee is the share of the capture, to the even minor
# unit, and the fixed part. What a provider really keeps stands in its statement: where that
# differs from this file, the reconciliation report has a break of class `fee`.

# One price for everything. Shares are in basis points: 290 is 2.9 %.
[providerA]
basis_points = 290
# In minor units, for currencies with so many decimal places; or by currency: EUR = 25.
fixed = { decimals_0 = 30, decimals_2 = 30, decimals_3 = 90 }

# Interchange++: what the issuer takes, what the scheme takes, and the provider's own markup.
[providerB]
interchange_basis_points = 100
scheme_basis_points = 12
markup_basis_points = 15
fixed = { decimals_0 = 12, decimals_2 = 12, decimals_3 = 36 }

# The first of these that fits a card takes the place of the interchange above.
# [[providerB.interchange]]
# brand = ["visa", "mastercard"]   # amex, diners, discover, jcb, unionpay
# funding = ["debit"]              # credit, debit, prepaid
# country = ["DE", "FR"]           # of the issuer
# basis_points = 20

# What merchants pay: 3.4 % and 30 cents.
[merchant]
basis_points = 340
fixed = { decimals_0 = 30, decimals_2 = 30, decimals_3 = 90 }

# One with a price of its own.
# [merchants.m_002]
# basis_points = 290
# fixed = { decimals_0 = 30, decimals_2 = 30, decimals_3 = 90 }

# What a chargeback costs, in minor units; other currencies have a standard of their own.
[disputes]
USD = 1500
EUR = 1500
GBP = 1200
JPY = 2000
KWD = 4500
"""


def read_fee_rules(data: bytes) -> FeeTable:
    """The table in the text of a file. Raises BadRules."""
    return checked(_File, PATH, data, remedy=REMEDY).table()


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


_Points = Annotated[int, Field(ge=0, le=BASIS_POINTS)]
_Minor = Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]
_Merchant = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_Brand = Annotated[str, Field(pattern=r"^[a-z]{3,20}$")]
_Funding = Annotated[str, Field(pattern=r"^(credit|debit|prepaid)$")]
_Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
_Max = Field(max_length=_LISTED_MAX)
#: How the fixed parts by decimal places are spelled.
_PLACES = {"decimals_0": 0, "decimals_2": 2, "decimals_3": 3}


def _place_or_currency(name: str) -> str:
    return name if name in _PLACES else known_currency(name)


_Fixed = Annotated[dict[Annotated[str, AfterValidator(_place_or_currency)], _Minor], _Max]


class _Fees(_Part):
    """A price: either one share, or the three of interchange++."""

    basis_points: _Points | None = None
    interchange_basis_points: _Points | None = None
    scheme_basis_points: _Points | None = None
    markup_basis_points: _Points | None = None
    fixed: _Fixed
    interchange: Annotated[list["_Interchange"], _Max] = []

    @model_validator(mode="after")
    def _one_or_three(self) -> "_Fees":
        given = [points is not None for points in self._parts().values()]
        if not (all(given) if self.basis_points is None else not any(given)):
            raise ValueError(
                "needs either basis_points, or interchange_, scheme_ and markup_basis_points"
            )
        if self.interchange and self.basis_points is not None:
            raise ValueError("a blended price has no interchange by card")
        if not set(_PLACES) <= set(self.fixed):
            raise ValueError(f"fixed needs {', '.join(_PLACES)}")
        return self

    def _parts(self) -> dict[str, int | None]:
        return {
            "interchange": self.interchange_basis_points,
            "scheme": self.scheme_basis_points,
            "markup": self.markup_basis_points,
        }

    def price(self, name: str) -> Price:
        one = {"blended": self.basis_points} if self.basis_points is not None else self._parts()
        shares = tuple((part, points or 0) for part, points in one.items())
        places = {_PLACES[key]: minor for key, minor in self.fixed.items() if key in _PLACES}
        own = {key: minor for key, minor in self.fixed.items() if key not in _PLACES}
        rows = tuple(row.interchange() for row in self.interchange)
        return Price(Tariff(name, shares, places), own, rows)


class _Interchange(_Part):
    brand: Annotated[list[_Brand], _Max] = []
    funding: Annotated[list[_Funding], _Max] = []
    country: Annotated[list[_Country], _Max] = []
    basis_points: _Points

    def interchange(self) -> Interchange:
        return Interchange(
            self.basis_points,
            frozenset(self.brand),
            frozenset(self.funding),
            frozenset(self.country),
        )


class _File(_Part):
    providerA: _Fees
    providerB: _Fees
    merchant: _Fees
    merchants: Annotated[dict[_Merchant, _Fees], _Max] = {}
    disputes: dict[Annotated[str, AfterValidator(known_currency)], _Minor] = {}

    def table(self) -> FeeTable:
        standard = FeeTable()
        return FeeTable(
            {
                "providerA": self.providerA.price("providerA"),
                "providerB": self.providerB.price("providerB"),
            },
            self.merchant.price("merchant"),
            {name: fees.price(name) for name, fees in self.merchants.items()},
            {**standard.disputes, **self.disputes},
        )

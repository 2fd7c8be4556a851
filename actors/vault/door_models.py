"""What people may send to the vault's door, and what a card must be like.

Never: an error that repeats a number, or a model that prints one.
"""

from typing import Annotated

from pydantic import BaseModel, Field

from payrail.domain.cards import (
    brand_of,
    cvc_length_ok,
    expiry_ok,
    pan_ok,
)
from payrail.errors import RequestError
from payrail.web.bodies import Body

Short = Annotated[str, Field(max_length=64)]


class TokenizeCard(Body):
    number: Annotated[str, Field(max_length=40, repr=False)]
    exp_month: int
    exp_year: Annotated[int, Field(description="Four digits.")]
    cvc: Annotated[str, Field(max_length=8, repr=False)]
    name: Annotated[str, Field(max_length=200, repr=False)] = ""


class Detokenize(Body):
    token: Short
    purpose: Short = ""


class ChargeToken(Body):
    token: Short
    provider: Short
    payment_id: Short
    operation_id: Short
    purpose: Short = ""


class TokenShown(BaseModel):
    token: str
    brand: str
    bin: str
    last4: str
    fingerprint: str
    exp_month: int
    exp_year: int


class CardShown(BaseModel):
    last4: str
    brand: str


class Sealed(BaseModel):
    sealed: str


class Health(BaseModel):
    status: str
    actor: str


def checked_number(body: TokenizeCard, year: int, month: int) -> str:
    """The card's digits; `year` and `month` are now. Raises RequestError 422 that names every field
    that is wrong. Spaces and dashes are how people write numbers, and are dropped."""
    number = body.number.replace(" ", "").replace("-", "")
    wrong = [
        _wrong(field, code, message)
        for bad, field, code, message in (
            (not pan_ok(number), "number", "incorrect_number", "is not a card number"),
            (not 1 <= body.exp_month <= 12, "exp_month", "invalid_expiry_month", "is 1 to 12"),
            (
                1 <= body.exp_month <= 12
                and not expiry_ok(body.exp_month, body.exp_year, year, month),
                "exp_year",
                "expired_card" if 2000 <= body.exp_year <= year else "invalid_expiry_year",
                "is of four digits, and the card is good through a month that is not over",
            ),
            (
                not cvc_length_ok(brand_of(number), body.cvc),
                "cvc",
                "invalid_cvc",
                "is three digits, or four on the front of an amex card",
            ),
        )
        if bad
    ]
    if wrong:
        raise RequestError(422, "validation-error", "This card cannot be stored.", errors=wrong)
    return number


def _wrong(field: str, code: str, message: str) -> dict[str, str]:
    return {"field": field, "code": code, "message": message}

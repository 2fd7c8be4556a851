"""What people may send to the vault's door, and what a card must be like.

Never: an error that repeats a number, or a model that prints one.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from payrail.domain.cards import (
    brand_of,
    cvc_length_ok,
    expiry_ok,
    pan_ok,
)
from payrail.errors import RequestError
from payrail.web.bodies import Body

# What stands in `json_schema_extra` is for the document: a wrong card is told field by field in
# words of its own, and a wrong purpose is asked of the vault, which writes it down.
_YEARS: dict[str, JsonValue] = {"minimum": 2000, "maximum": 2099, "examples": [2030]}
Usage = Literal["reusable", "single_use"]
#: 366 days; whoever wants longer wants a token without an end.
EXPIRES_IN_S_MAX = 366 * 86_400
Short = Annotated[str, Field(max_length=64)]
Token = Annotated[str, Field(max_length=64, examples=["tok_" + "0" * 32])]
Word = Annotated[
    str,
    Field(
        max_length=64,
        json_schema_extra={"pattern": r"^(?!.*[0-9]{12})[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"},
    ),
]


def _all_needed(schema: dict[str, Any]) -> None:
    """Who leaves the purpose out is refused by the vault, not by the model."""
    schema["required"] = [*schema["properties"]]
    schema["properties"]["purpose"].pop("default")


class TokenizeCard(Body):
    number: Annotated[
        str,
        Field(
            max_length=40,
            repr=False,
            examples=["4242424242424242"],
            json_schema_extra={"pattern": r"^[0-9](?:[ -]?[0-9]){11,18}$"},
        ),
    ]
    exp_month: Annotated[int, Field(json_schema_extra={"minimum": 1, "maximum": 12})]
    exp_year: Annotated[int, Field(description="Four digits.", json_schema_extra=_YEARS)]
    cvc: Annotated[
        str, Field(max_length=8, repr=False, json_schema_extra={"pattern": "^[0-9]{3,4}$"})
    ]
    name: Annotated[str, Field(max_length=200, repr=False)] = ""
    usage: Annotated[
        Usage, Field(description="A `single_use` token serves one payment and all its attempts.")
    ] = "reusable"
    expires_in_s: Annotated[
        int | None,
        Field(
            ge=1, le=EXPIRES_IN_S_MAX, description="Of business time; null: as long as the card."
        ),
    ] = None


class Detokenize(Body):
    model_config = ConfigDict(json_schema_extra=_all_needed)

    token: Token
    purpose: Annotated[Short, Field(json_schema_extra={"enum": ["support.last4"]})] = ""


class ChargeToken(Body):
    model_config = ConfigDict(json_schema_extra=_all_needed)

    token: Token
    provider: Annotated[Word, Field(examples=["providerA"])]
    payment_id: Word
    operation_id: Word
    purpose: Annotated[Short, Field(json_schema_extra={"enum": ["charge.authorize"]})] = ""


class TokenShown(BaseModel):
    token: str
    brand: str
    bin: str
    last4: str
    fingerprint: str
    exp_month: int
    exp_year: int
    usage: Usage
    expires_at: str | None


class TokenDeleted(BaseModel):
    token: str
    deleted: bool
    shredded: Annotated[
        bool,
        Field(
            description="Every copy of the card is noise now. False for a card of a home from"
            " before cards had keys of their own: rotate the vault's keys to end its copies."
        ),
    ]


class CardShown(BaseModel):
    last4: str
    brand: str


class Sealed(BaseModel):
    sealed: str


class KeysRotated(BaseModel):
    key_id: Annotated[str, Field(description="New cards are under it from now on.")]
    previous: Annotated[list[str], Field(description="Keys that are not retired yet.")]
    cards_to_do: Annotated[int, Field(description="Cards that are moved under it now.")]


class KeyShown(BaseModel):
    id: str
    cards: Annotated[int, Field(description="Cards that rest under it.")]


class KeyLost(BaseModel):
    key_id: str
    cards: int
    tokens: Annotated[list[str], Field(description="The first hundred of them.")]


class RotationShown(KeysRotated):
    keys: Annotated[list[KeyShown], Field(description="Newest first, without retired ones.")]
    lost: Annotated[list[KeyLost], Field(description="Cards that do not open, by their key.")]


class Health(BaseModel):
    status: str
    actor: str
    anomalies: dict[str, int]  # runs of odd uses of cards since the start, by kind


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

"""What operators may send to the vault's door, and what they are told.

Never: a model that prints a passphrase, or an error that repeats one.
"""

import unicodedata
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from actors.vault.operators import (
    NAME,
    OPERATORS,
    PASSPHRASE_CHARACTERS_MAX,
    PASSPHRASE_CHARACTERS_MIN,
)
from payrail.errors import RequestError
from payrail.web.bodies import Body


def _composed(given: Any) -> Any:
    """As it is stretched: what only its spelling in bytes tells apart is one passphrase, and a
    letter is one character however a keyboard makes it."""
    return unicodedata.normalize("NFC", given) if isinstance(given, str) else given


Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$", examples=["ada"])]
Passphrase = Annotated[
    str,
    BeforeValidator(_composed),
    Field(
        min_length=PASSPHRASE_CHARACTERS_MIN,
        max_length=PASSPHRASE_CHARACTERS_MAX,
        repr=False,
        examples=["a passphrase of some length"],
    ),
]


class OperatorGiven(Body):
    name: Name
    passphrase: Passphrase


class Protect(Body):
    """`current`: the two who hold the keys now, if any do."""

    operators: Annotated[list[OperatorGiven], Field(max_length=OPERATORS, default_factory=list)]
    current: Annotated[list[OperatorGiven], Field(max_length=OPERATORS, default_factory=list)]
    off: bool = False


class Unlock(Body):
    operator: Name
    passphrase: Annotated[
        str,
        BeforeValidator(_composed),
        Field(max_length=PASSPHRASE_CHARACTERS_MAX, repr=False),
    ]


class SealShown(BaseModel):
    sealed: bool
    missing: list[str]
    operators: list[str]


class ProtectionShown(BaseModel):
    protected: bool
    operators: list[str]


def checked_pairs(field: str, given: list[OperatorGiven]) -> list[tuple[str, str]]:
    """Names and passphrases of exactly two people. Raises RequestError 422."""
    pairs = [(one.name, one.passphrase) for one in given]
    if len(pairs) != OPERATORS:
        raise wrong(field, f"must be {OPERATORS} operators, each with a name and a passphrase")
    if len({name for name, _ in pairs}) < OPERATORS:
        raise wrong(field, "must be two people: their names are equal")
    if len({passphrase for _, passphrase in pairs}) < OPERATORS:
        raise wrong(field, "must not have the same passphrase: one who knows both is one")
    return pairs


def wrong(field: str, message: str) -> RequestError:
    return RequestError(
        422,
        "validation-error",
        "The keys cannot be held like this.",
        errors=[{"field": field, "message": message}],
    )

"""The shapes of merchants, users and keys at the door. Never: takes a key's text."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from payrail.domain.people import GRACE_S_MAX, RATE_PER_S_DEFAULT, RATE_PER_S_MAX
from payrail.web.bodies import Body

Name = Annotated[str, Field(min_length=1, max_length=100, examples=["Kite & Keel Books"])]
Role = Literal["admin", "operator", "approver", "viewer", "auditor", "publishable"]


class NewMerchant(Body):
    name: Name
    mcc: Annotated[
        str, Field(pattern=r"^[0-9]{4}$", examples=["5942"], description="ISO 18245, four digits.")
    ]


class NewUser(Body):
    name: Name


class NewKey(Body):
    user: Annotated[str, Field(min_length=1, max_length=64, description="A user's id.")]
    role: Role
    rate_limit_per_s: Annotated[
        int | None,
        Field(ge=1, le=RATE_PER_S_MAX, description=f"None: {RATE_PER_S_DEFAULT}."),
    ] = None


class Rotation(Body):
    grace_s: Annotated[
        int,
        Field(
            ge=0,
            le=GRACE_S_MAX,
            description="How long the version before still works, in business time; 0: no more.",
        ),
    ] = 0


class MerchantShown(BaseModel):
    """What is answered; for the document alone."""

    id: str
    object: Literal["merchant"]
    name: str
    mcc: str
    created_at: str


class UserShown(BaseModel):
    id: str
    object: Literal["user"]
    merchant_id: str | None
    name: str
    state: Literal["active", "deactivated"]
    created_at: str
    deactivated_at: str | None


class KeyShown(BaseModel):
    id: str
    object: Literal["key"]
    merchant_id: str | None
    user: str
    role: Role
    publishable: bool
    state: Literal["active", "revoked"]
    version: int
    previous_until: str | None
    rate_limit_per_s: int
    created_at: str
    rotated_at: str | None
    revoked_at: str | None


class KeyWithText(KeyShown):
    """`key` stands in the answers to making and to rotating, and nowhere else."""

    key: str


class _Page(BaseModel):
    object: Literal["list"]
    has_more: bool
    next_cursor: str | None


class MerchantsShown(_Page):
    data: list[MerchantShown]


class UsersShown(_Page):
    data: list[UserShown]


class KeysShown(_Page):
    data: list[KeyShown]

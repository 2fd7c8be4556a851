"""Merchants, users and keys: what admins ask for. No word of these carries a key's text."""

from payrail.domain.words.kinds import asked
from payrail.domain.words.payments import Command


class AddMerchant(Command, kw_only=True):
    """The house alone may ask."""

    name: str
    mcc: str


class AddUser(Command, kw_only=True):
    """A user of the asking merchant."""

    name: str


class DeactivateUser(Command, kw_only=True):
    """All their keys are revoked with them."""

    id: str


class AddKey(Command, kw_only=True):
    """`role` is the asker's; the key's is `key_role`."""

    user: str
    key_role: str
    rate_limit_per_s: int | None = None


class RotateKey(Command, kw_only=True):
    """A new version; the one before works for `grace_s` more, in business time."""

    id: str
    grace_s: int = 0


class RevokeKey(Command, kw_only=True):
    id: str


KINDS = (
    asked("merchant.add", "frontdoor", AddMerchant),
    asked("user.add", "frontdoor", AddUser),
    asked("user.deactivate", "frontdoor", DeactivateUser),
    asked("key.add", "frontdoor", AddKey),
    asked("key.rotate", "frontdoor", RotateKey),
    asked("key.revoke", "frontdoor", RevokeKey),
)

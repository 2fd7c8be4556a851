"""Merchants, their users and the users' keys: the facts in the book of access, and what they make.

    user  ─▶ active ─▶ deactivated          with whom all their keys are revoked
    key   ─▶ version 1 ─▶ version 2 … ─▶ revoked

A new version of a key ends the one before it: at once, or after the grace that was asked for.
Never: holds a key's text. It is derived from id and version wherever it is needed.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field, structs

from payrail.domain.timestamps import parse_iso

ADMIN = "admin"
#: Requests a second that a key may make unless its record says otherwise.
RATE_PER_S_DEFAULT = 2_000
RATE_PER_S_MAX = 100_000
#: Longest grace for the version before a rotation: a week, in business time.
GRACE_S_MAX = 7 * 86_400
#: The written ends of these lists; `revoked` keys do not count.
MERCHANTS_MAX, USERS_MAX, KEYS_MAX = 1_000, 200, 200
ACTIVE, DEACTIVATED, REVOKED = "active", "deactivated", "revoked"


class MerchantAdded(Struct, frozen=True, tag_field="type", tag="merchant.added"):
    merchant_id: str
    name: str
    mcc: str  # merchant category code, ISO 18245
    at: str


class UserAdded(Struct, frozen=True, tag_field="type", tag="user.added"):
    user_id: str
    merchant_id: str | None  # None: a user of the house
    name: str
    at: str


class UserDeactivated(Struct, frozen=True, tag_field="type", tag="user.deactivated"):
    """All their keys are revoked by this."""

    user_id: str
    by: str
    at: str


class KeyAdded(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="key.added"):
    """A key. `by` is empty for those of the demo."""

    key_id: str
    merchant_id: str | None
    user_id: str
    role: str
    publishable: bool
    version: int  # from 1
    at: str
    rate_limit_per_s: int | None = None
    by: str = ""


class KeyRotated(Struct, frozen=True, tag_field="type", tag="key.rotated"):
    """A new version; the one before is valid until `old_until` (business time), None: no more."""

    key_id: str
    version: int
    old_until: str | None
    by: str
    at: str


class KeyRevoked(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="key.revoked"):
    key_id: str
    at: str
    by: str = ""


PeopleRecord = MerchantAdded | UserAdded | UserDeactivated | KeyAdded | KeyRotated | KeyRevoked


class User(Struct, frozen=True):
    """One user as the facts have made them."""

    user_id: str
    merchant_id: str | None
    name: str
    created_at: str
    deactivated_at: str | None = None


class Key(Struct, frozen=True):
    """One key as the facts have made it."""

    key_id: str
    merchant_id: str | None
    user_id: str
    role: str
    publishable: bool
    version: int
    created_at: str
    rate_limit_per_s: int | None = None
    old_until: str | None = None  # until then the version before works too; business time
    rotated_at: str | None = None
    revoked_at: str | None = None

    def versions(self, business_ms: int) -> tuple[int, ...]:
        """The versions that are valid now, newest first."""
        if self.revoked_at is not None:
            return ()
        if self.old_until is not None and business_ms < parse_iso(self.old_until):
            return (self.version, self.version - 1)
        return (self.version,)


class People(Struct):
    """The fold: who is there, and who was. Mutable: `fold_people` changes it in place."""

    merchants: dict[str, MerchantAdded] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)

    def fold_people(self, record: PeopleRecord) -> None:
        match record:
            case MerchantAdded():
                self.merchants[record.merchant_id] = record
            case UserAdded(user_id, merchant_id, name, at):
                self.users[user_id] = User(user_id, merchant_id, name, at)
            case UserDeactivated(user_id=user_id, at=at):
                self.users[user_id] = structs.replace(self.users[user_id], deactivated_at=at)
                for key in [key for key in self.keys.values() if key.user_id == user_id]:
                    self.keys[key.key_id] = revoked(key, at)
            case _:
                self.keys[record.key_id] = key_after(self.keys.get(record.key_id), record)

    def after(self, records: Sequence[PeopleRecord]) -> "People":
        """A copy with these facts folded in."""
        changed = People(dict(self.merchants), dict(self.users), dict(self.keys))
        for record in records:
            changed.fold_people(record)
        return changed

    def live_key(self, key_id: str) -> Key | None:
        """The key under this id, None when there is none or it was revoked."""
        key = self.keys.get(key_id)
        return None if key is None or key.revoked_at is not None else key

    def live_keys_of(self, merchant_id: str | None) -> list[Key]:
        """The keys of a merchant that were not revoked."""
        return [
            key
            for key in self.keys.values()
            if key.merchant_id == merchant_id and key.revoked_at is None
        ]


def key_after(known: Key | None, record: KeyAdded | KeyRotated | KeyRevoked) -> Key:
    """The key after one more fact. Raises ValueError for a fact about nothing."""
    if isinstance(record, KeyAdded):
        return _added(known, record)
    if known is None:
        raise ValueError(f"{record.key_id} was never added")
    if isinstance(record, KeyRevoked):
        return revoked(known, record.at)
    return structs.replace(
        known, version=record.version, old_until=record.old_until, rotated_at=record.at
    )


def revoked(key: Key, at: str) -> Key:
    """The key without any valid version; one that was revoked before stays as it is."""
    if key.revoked_at is not None:
        return key
    return structs.replace(key, revoked_at=at, old_until=None)


def _added(known: Key | None, record: KeyAdded) -> Key:
    return Key(
        record.key_id,
        record.merchant_id,
        record.user_id,
        record.role,
        record.publishable,
        record.version,
        known.created_at if known else record.at,
        record.rate_limit_per_s,
    )


def render_merchant(merchant: MerchantAdded) -> dict[str, Any]:
    """As the API shows it."""
    return {
        "id": merchant.merchant_id,
        "object": "merchant",
        "name": merchant.name,
        "mcc": merchant.mcc,
        "created_at": merchant.at,
    }


def render_user(user: User) -> dict[str, Any]:
    """As the API shows them."""
    return {
        "id": user.user_id,
        "object": "user",
        "merchant_id": user.merchant_id,
        "name": user.name,
        "state": ACTIVE if user.deactivated_at is None else DEACTIVATED,
        "created_at": user.created_at,
        "deactivated_at": user.deactivated_at,
    }


def render_key(key: Key) -> dict[str, Any]:
    """As the API shows it: without its text."""
    return {
        "id": key.key_id,
        "object": "key",
        "merchant_id": key.merchant_id,
        "user": key.user_id,
        "role": key.role,
        "publishable": key.publishable,
        "state": ACTIVE if key.revoked_at is None else REVOKED,
        "version": key.version,
        "previous_until": key.old_until,
        "rate_limit_per_s": key.rate_limit_per_s or RATE_PER_S_DEFAULT,
        "created_at": key.created_at,
        "rotated_at": key.rotated_at,
        "revoked_at": key.revoked_at,
    }

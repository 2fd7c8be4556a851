"""Merchants, users and keys: who may come in; each fact is a line of the book of access.

Another merchant's user or key is as unknown as one that never was. A merchant always keeps one
live key of an admin: only the house may take the last one.
Never: knows a key's text, which the front door derives for the one answer that shows it.
"""

from collections.abc import Sequence
from typing import Any

from actors.gateway import idempotency as keys
from actors.gateway.booking import ACCESS
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.access import ADMIN, PUBLISHABLE, Key, demo_records
from payrail.domain.people import (
    GRACE_S_MAX,
    KEYS_MAX,
    MERCHANTS_MAX,
    USERS_MAX,
    KeyAdded,
    KeyRevoked,
    KeyRotated,
    MerchantAdded,
    People,
    PeopleRecord,
    User,
    UserAdded,
    UserDeactivated,
    render_key,
    render_merchant,
    render_user,
)
from payrail.domain.timestamps import iso
from payrail.domain.words.access import (
    AddKey,
    AddMerchant,
    AddUser,
    DeactivateUser,
    RevokeKey,
    RotateKey,
)
from payrail.errors import RequestError
from payrail.runtime.actor import Message, Moment, Post, Show, Step

FOLDER = "data/access"


def first(state: GatewayState, demo: bool, moment: Moment) -> list[PeopleRecord]:
    """What a new house with `--demo` begins with."""
    records = demo_records(iso(moment.business_ms)) if demo and not state.access else []
    return [record for record in records if isinstance(record, PeopleRecord)]


def add_merchant(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A new merchant, without users."""
    order: AddMerchant = message.body
    if order.merchant_id is not None:
        raise RequestError(403, "forbidden", "Only the house itself adds merchants.")
    _must_have_room(len(state.people.merchants), MERCHANTS_MAX, "name", "merchants in a house")
    record = MerchantAdded(moment.new_id("m"), order.name, order.mcc, iso(moment.wire_ms))
    return _booked(state, [record], message, moment, render_merchant(record), 201)


def add_user(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A new user of the merchant, without keys."""
    order: AddUser = message.body
    if order.merchant_id not in state.people.merchants:
        raise _no_such("merchant")
    active = [
        user
        for user in state.people.users.values()
        if user.merchant_id == order.merchant_id and user.deactivated_at is None
    ]
    _must_have_room(len(active), USERS_MAX, "name", "active users; deactivate one first")
    record = UserAdded(moment.new_id("usr"), order.merchant_id, order.name, iso(moment.wire_ms))
    user = User(record.user_id, record.merchant_id, record.name, record.at)
    return _booked(state, [record], message, moment, render_user(user), 201)


def deactivate_user(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """They are gone with all their keys; gone already, nothing is booked."""
    order: DeactivateUser = message.body
    user = state.people.users.get(order.id)
    if user is None or order.merchant_id not in (None, user.merchant_id):
        raise _no_such("user")
    if user.deactivated_at is not None:
        return _booked(state, [], message, moment, render_user(user))
    at = iso(moment.wire_ms)
    theirs = [k for k in state.people.live_keys_of(user.merchant_id) if k.user_id == order.id]
    _must_leave_an_admin(state, order.merchant_id, theirs)
    record = UserDeactivated(order.id, order.user_id, at)
    shown = state.people.after([record]).users[order.id]
    return _booked(state, [record], message, moment, render_user(shown))


def add_key(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A new key of one of the merchant's users."""
    order: AddKey = message.body
    user = state.people.users.get(order.user)
    if user is None or order.merchant_id not in (None, user.merchant_id):
        raise _invalid("user", "is no user here; add one by POST /users")
    if user.deactivated_at is not None:
        raise _invalid("user", "is deactivated; add another by POST /users")
    held = len(state.people.live_keys_of(user.merchant_id))
    _must_have_room(held, KEYS_MAX, "user", "keys; revoke one first")
    record = KeyAdded(
        moment.new_id("key"),
        user.merchant_id,
        user.user_id,
        order.key_role,
        order.key_role == PUBLISHABLE,
        1,
        iso(moment.wire_ms),
        order.rate_limit_per_s,
        order.user_id,
    )
    return _key_booked(state, record, message, moment, 201)


def rotate_key(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A new version: the one before ends at once, or after its grace."""
    order: RotateKey = message.body
    key = _found_key(state, order)
    if key.revoked_at is not None:
        raise RequestError(
            409,
            "illegal-transition",
            "This key is revoked; make a new one by POST /keys.",
            extra={"legal": []},
        )
    grace_ms = min(order.grace_s, GRACE_S_MAX) * 1_000
    old_until = iso(moment.business_ms + grace_ms) if grace_ms > 0 else None
    at = iso(moment.wire_ms)
    record = KeyRotated(key.key_id, key.version + 1, old_until, order.user_id, at)
    return _key_booked(state, record, message, moment)


def revoke_key(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """It is no key any more, nor is the version before it; revoked already, nothing is booked."""
    order: RevokeKey = message.body
    key = _found_key(state, order)
    if key.revoked_at is not None:
        return _booked(state, [], message, moment, render_key(key))
    _must_leave_an_admin(state, order.merchant_id, [key])
    record = KeyRevoked(key.key_id, iso(moment.wire_ms), order.user_id)
    return _key_booked(state, record, message, moment)


def views(people: People) -> list[Show]:
    """The files beside the book; revoked keys are left to the book."""
    live = [render_key(key) for key in people.keys.values() if key.revoked_at is None]
    merchants = [render_merchant(merchant) for merchant in people.merchants.values()]
    users = [render_user(user) for user in people.users.values()]
    return [
        Show(f"{FOLDER}/merchants.json", {"merchants": merchants}),
        Show(f"{FOLDER}/users.json", {"users": users}),
        Show(f"{FOLDER}/keys.json", {"keys": live}),
    ]


def _found_key(state: GatewayState, order: RotateKey | RevokeKey) -> Key:
    key = state.people.keys.get(order.id)
    if key is None or order.merchant_id not in (None, key.merchant_id):
        raise _no_such("key")
    return key


def _must_leave_an_admin(state: GatewayState, asked_by: str | None, going: Sequence[Key]) -> None:
    """Raises RequestError 409 when a merchant would lock itself out. The house may do so."""
    admins = {key.key_id for key in going if key.role == ADMIN}
    if asked_by is None or not admins:
        return
    all_of_them = {k.key_id for k in state.people.live_keys_of(asked_by) if k.role == ADMIN}
    if all_of_them <= admins:
        raise RequestError(
            409,
            "last-admin-key",
            "This is the merchant's last key of an admin; make another by POST /keys first.",
            extra={"legal": ["rotate"]},
        )


def _must_have_room(count: int, most: int, field: str, what: str) -> None:
    if count >= most:
        raise _invalid(field, f"is one more than {most} {what}")


def _invalid(field: str, message: str) -> RequestError:
    return RequestError(
        422,
        "validation-error",
        f"The {field} {message}.",
        errors=[{"field": field, "message": message}],
    )


def _no_such(what: str) -> RequestError:
    return RequestError(404, "not-found", f"There is no such {what}.")


def _key_booked(
    state: GatewayState,
    record: KeyAdded | KeyRotated | KeyRevoked,
    message: Message,
    moment: Moment,
    status: int = 200,
) -> Step:
    shown = state.people.after([record]).keys[record.key_id]
    return _booked(state, [record], message, moment, render_key(shown), status)


def _booked(
    state: GatewayState,
    records: Sequence[PeopleRecord],
    message: Message,
    moment: Moment,
    shown: dict[str, Any],
    status: int = 200,
) -> Step:
    step = Step(
        posts=[Post(ACCESS, record) for record in records],
        shows=views(state.people.after(records)) if records else [],
    )
    return keys.done(step, message, moment, None, status, shown)

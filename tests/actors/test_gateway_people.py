"""Merchants, users and keys at the gateway: facts without secrets, each merchant's own."""

from typing import Any

import msgspec
import pytest

from actors.gateway import people, snapshots
from actors.gateway.core import Gateway
from actors.gateway.settings import Rules
from payrail.domain.access import demo_records
from payrail.domain.people import KEYS_MAX, USERS_MAX
from payrail.domain.words.access import (
    AddKey,
    AddMerchant,
    AddUser,
    DeactivateUser,
    RevokeKey,
    RotateKey,
)
from payrail.errors import LineDamaged
from payrail.runtime.actor import Moment
from tests.actors.gatewaydesk import Desk, answer

ADMIN = "m001admin"  # the demo's admin key of m_001
AT = "2026-02-09T12:00:00.000Z"


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    for record in demo_records(AT):
        desk.actor.apply(desk.state, record)
    return desk


def give(desk: Desk, kind: str, body: Any, merchant: str | None = "m_001") -> Any:
    """Give an order; result: (status, body, step)."""
    key = f"k{len(desk.steps)}"
    body.merchant_id, body.idempotency_key, body.request_hash = merchant, key, key
    body.user_id = "usr_m001_admin"
    step = desk.order((kind, body))
    return *answer(step), step


def refused(desk: Desk, kind: str, body: Any, merchant: str | None = "m_001") -> Any:
    body.merchant_id = merchant
    return desk.refused((kind, body))


def user(desk: Desk, merchant: str = "m_001") -> str:
    status, body, _ = give(desk, "user.add", AddUser(name="Ada"), merchant)
    assert status == 201
    return str(body["id"])


def key(desk: Desk, role: str = "viewer", of: str | None = None, **more: Any) -> str:
    status, body, _ = give(desk, "key.add", AddKey(user=of or user(desk), key_role=role, **more))
    assert status == 201
    return str(body["id"])


def test_a_key_is_a_fact_without_a_secret(desk: Desk) -> None:
    """One line, the answer and the file beside the book show the same key, and no text of it."""
    about = user(desk)
    status, body, step = give(desk, "key.add", AddKey(user=about, key_role="viewer"))
    assert (status, body["object"], body["user"], body["version"]) == (201, "key", about, 1)
    assert (body["merchant_id"], body["state"], body["rate_limit_per_s"]) == (
        "m_001",
        "active",
        2_000,
    )
    (post,) = step.posts
    assert (post.book, post.record.by) == ("access", "usr_m001_admin")
    shown = {show.path: show.data for show in step.shows}
    assert body in shown["data/access/keys.json"]["keys"]
    assert b"_test_" not in desk.everything()


def test_a_rotated_key_has_a_version_more_and_the_old_one_its_grace(desk: Desk) -> None:
    """Without a grace the old version is dead at once; with one it lives so long in business
    time, and only the version directly before."""
    about = key(desk)
    _, body, _ = give(desk, "key.rotate", RotateKey(id=about, grace_s=60))
    assert (body["version"], body["previous_until"]) == (2, "2026-02-09T12:01:00.000Z")
    known = desk.state.people.keys[about]
    assert known.versions(desk.business_ms) == (2, 1)
    assert known.versions(desk.business_ms + 60_000) == (2,)
    _, body, _ = give(desk, "key.rotate", RotateKey(id=about))
    assert (body["version"], body["previous_until"]) == (3, None)
    assert desk.state.people.keys[about].versions(desk.business_ms) == (3,)


def test_a_revoked_key_is_known_as_revoked_for_ever(desk: Desk) -> None:
    """No version of it is valid, not even one in its grace; it cannot be rotated back to life."""
    about = key(desk)
    give(desk, "key.rotate", RotateKey(id=about, grace_s=60))
    status, body, step = give(desk, "key.revoke", RevokeKey(id=about))
    assert (status, body["state"], body["previous_until"]) == (200, "revoked", None)
    assert desk.state.people.keys[about].versions(desk.business_ms) == ()
    kept = {show.path: show.data for show in step.shows}["data/access/keys.json"]["keys"]
    assert about not in [one["id"] for one in kept]
    status, body, step = give(desk, "key.rotate", RotateKey(id=about))
    assert (status, body["code"], step.posts) == (409, "illegal-transition", [])
    status, _, step = give(desk, "key.revoke", RevokeKey(id=about))
    assert (status, step.posts) == (200, [])


def test_a_deactivated_user_takes_all_their_keys_along(desk: Desk) -> None:
    about = user(desk)
    own = [key(desk, role, about) for role in ("viewer", "operator")]
    status, body, step = give(desk, "user.deactivate", DeactivateUser(id=about))
    assert (status, body["state"]) == (200, "deactivated")
    assert [post.record.user_id for post in step.posts] == [about]
    assert all(desk.state.people.live_key(one) is None for one in own)
    refusal = refused(desk, "key.add", AddKey(user=about, key_role="viewer"))
    assert (refusal.status, refusal.errors[0]["field"]) == (422, "user")
    assert give(desk, "user.deactivate", DeactivateUser(id=about))[2].posts == []


def test_a_merchant_keeps_one_key_of_an_admin(desk: Desk) -> None:
    """The last one cannot be revoked by the merchant, nor its user deactivated; the house may."""
    for kind, order in (
        ("key.revoke", RevokeKey(id=ADMIN)),
        ("user.deactivate", DeactivateUser(id="usr_m001_admin")),
    ):
        status, body, step = give(desk, kind, order)
        assert (status, body["code"], step.posts) == (409, "last-admin-key", [])
        assert "make another" in body["detail"]
    key(desk, "admin")
    assert give(desk, "key.revoke", RevokeKey(id=ADMIN))[0] == 200
    assert give(desk, "key.revoke", RevokeKey(id="m002admin"), None)[0] == 200


@pytest.mark.parametrize(
    ("kind", "order", "anothers"),
    [
        ("key.rotate", RotateKey(id=""), "m002admin"),
        ("key.revoke", RevokeKey(id=""), "m002admin"),
        ("user.deactivate", DeactivateUser(id=""), "usr_m002_admin"),
    ],
)
def test_anothers_is_as_unknown_as_none(desk: Desk, kind: str, order: Any, anothers: str) -> None:
    """Another merchant's id and one that never was get the same refusal."""
    told = []
    for about in (anothers, "none"):
        refusal = refused(desk, kind, msgspec.structs.replace(order, id=about))
        told.append((refusal.status, refusal.code, refusal.detail))
    assert told == [(404, "not-found", told[0][2])] * 2


def test_a_key_for_anothers_user_is_refused_as_for_none(desk: Desk) -> None:
    told = []
    for about in ("usr_m002_viewer", "usr_none"):
        refusal = refused(desk, "key.add", AddKey(user=about, key_role="viewer"))
        told.append((refusal.status, refusal.code, refusal.detail, refusal.errors))
    assert told[0] == told[1]
    assert told[0][0] == 422


def test_only_the_house_adds_merchants(desk: Desk) -> None:
    """A merchant that is added has no users; its first user and key are made for it."""
    order = AddMerchant(name="Lighthouse Lamps", mcc="5719")
    assert refused(desk, "merchant.add", order).code == "forbidden"
    status, body, step = give(desk, "merchant.add", order, None)
    assert (status, body["object"], body["name"]) == (201, "merchant", "Lighthouse Lamps")
    assert len(step.posts) == 1
    user(desk, body["id"])
    assert refused(desk, "user.add", AddUser(name="Nobody"), "m_none").status == 404


def test_every_list_has_a_written_end(desk: Desk) -> None:
    """One more than the bound is 422 with the remedy; revoked keys and gone users do not count."""
    about = user(desk)
    while (
        len([u for u in desk.state.people.users.values() if u.merchant_id == "m_001"]) < USERS_MAX
    ):
        user(desk)
    while len(desk.state.people.live_keys_of("m_001")) < KEYS_MAX:
        last = key(desk, "viewer", about)
    assert refused(desk, "user.add", AddUser(name="One")).status == 422
    more = AddKey(user=about, key_role="viewer")
    assert "revoke one first" in refused(desk, "key.add", more).detail
    give(desk, "key.revoke", RevokeKey(id=last))
    key(desk, "viewer", about)


def test_the_journal_alone_gives_the_same_people(desk: Desk) -> None:
    """Folding the lines again makes the same state; a snapshot does so too."""
    desk = Desk()
    _, body, _ = give(desk, "merchant.add", AddMerchant(name="Lamps", mcc="5719"), None)
    merchant = str(body["id"])
    about = user(desk, merchant)
    _, body, _ = give(desk, "key.add", AddKey(user=about, key_role="viewer"), merchant)
    give(desk, "key.rotate", RotateKey(id=body["id"], grace_s=9), merchant)
    give(desk, "user.deactivate", DeactivateUser(id=about), merchant)
    whole = msgspec.json.encode(desk.state)
    assert msgspec.json.encode(desk.replayed()) == whole
    files = {
        path: msgspec.json.encode(content)
        for path, content in snapshots.documents(desk.state).items()
    }
    assert msgspec.json.encode(snapshots.load(files)) == whole


def test_a_snapshot_from_before_people_is_not_used(desk: Desk) -> None:
    """Then the journal is folded, which knows them."""
    desk.state.people.merchants.clear()
    desk.state.people.users.clear()
    files = {
        path: msgspec.json.encode(content)
        for path, content in snapshots.documents(desk.state).items()
    }
    with pytest.raises(LineDamaged):
        snapshots.load(files)


def test_a_new_house_shows_its_people(desk: Desk) -> None:
    """The demo's merchants, users and keys are in the files at once, and booked once."""
    moment = Moment(0, 0, "gateway", 1, 0)
    assert people.first(desk.state, True, moment) == []
    gateway = Gateway(Rules(demo=True))
    step = gateway.opened(gateway.fresh(), moment)
    shown = {show.path: show.data for show in step.shows}
    assert len(step.posts) == len(demo_records(AT))
    assert [m["id"] for m in shown["data/access/merchants.json"]["merchants"]] == ["m_001", "m_002"]
    assert len(shown["data/access/keys.json"]["keys"]) == 12

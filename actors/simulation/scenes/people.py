"""A key is made once, rotated once and revoked once, whoever dies at whatever effect."""

from typing import Any

import msgspec

from actors.simulation.crashes import Act, Scene
from actors.simulation.house import SimHouse
from actors.simulation.orders import Order
from payrail.domain.access import read_record
from payrail.domain.people import People, PeopleRecord, render_key, render_merchant, render_user
from payrail.domain.words.access import (
    AddKey,
    AddMerchant,
    AddUser,
    DeactivateUser,
    RevokeKey,
    RotateKey,
)

BOOK = "data/access/changes.jsonl"


def order(kind: str, body: Any, key: str, merchant: str | None) -> Order:
    body.merchant_id, body.user_id, body.role = merchant, "usr_admin", "admin"
    body.idempotency_key, body.request_hash = key, f"{kind}/{key}"
    return kind, body


def put(house: SimHouse, kind: str, body: Any, merchant: str | None = None) -> None:
    """Ask, and let the house work on it."""
    house.put(order(kind, body, f"k_{kind}", merchant), f"q_{kind}")
    house.run()


def ident(house: SimHouse, fact: str, name: str) -> str:
    return next(str(line[name]) for line in house.lines(BOOK) if line["type"] == fact)


def merchant_made(house: SimHouse) -> None:
    put(house, "merchant.add", AddMerchant(name="Lamps", mcc="5719"))


def a_merchant(house: SimHouse) -> None:
    merchant_made(house)
    merchant = ident(house, "merchant.added", "merchant_id")
    put(house, "user.add", AddUser(name="Ada"), merchant)


def a_key(house: SimHouse) -> None:
    a_merchant(house)
    put(house, "key.add", AddKey(user=ident(house, "user.added", "user_id"), key_role="admin"))


def add(house: SimHouse) -> None:
    about = ident(house, "user.added", "user_id")
    put(house, "key.add", AddKey(user=about, key_role="operator", rate_limit_per_s=7))


def rotate(house: SimHouse) -> None:
    put(house, "key.rotate", RotateKey(id=ident(house, "key.added", "key_id"), grace_s=60))


def revoke(house: SimHouse) -> None:
    put(house, "key.revoke", RevokeKey(id=ident(house, "key.added", "key_id")))


def deactivate(house: SimHouse) -> None:
    put(house, "user.deactivate", DeactivateUser(id=ident(house, "user.added", "user_id")))


def snapshot(house: SimHouse) -> None:
    """An incarnation that begins with a snapshot, while two orders lie in its mailbox."""
    about = ident(house, "key.added", "key_id")
    for kind, body in (("key.rotate", RotateKey(id=about)), ("key.revoke", RevokeKey(id=about))):
        house.put(order(kind, body, f"k_{kind}", None), f"q_{kind}")
    house.at_work = "gateway"
    house.drivers["gateway"].write_documents()
    house.start("gateway")
    house.run()


def ends(*facts: str) -> Act:
    """These facts stand in the book, once each, and gateway and files tell what they make."""

    def expect(house: SimHouse) -> None:
        lines = house.lines(BOOK)
        assert [line["type"] for line in lines] == list(facts)
        people = People()
        for line in lines:
            record = read_record(msgspec.json.encode(line))
            assert isinstance(record, PeopleRecord)
            people.fold_people(record)
        assert house.state.people == people
        _files_tell(house, people)

    return expect


def _files_tell(house: SimHouse, people: People) -> None:
    def shown(name: str) -> Any:
        return msgspec.json.decode(house.bytes_of(f"data/access/{name}.json"))[name]

    live = [key for key in people.keys.values() if key.revoked_at is None]
    assert shown("keys") == [render_key(key) for key in live]
    assert shown("users") == [render_user(user) for user in people.users.values()]
    assert shown("merchants") == [render_merchant(one) for one in people.merchants.values()]


HERE = ("merchant.added", "user.added")
KEYED = (*HERE, "key.added")

SCENES = (
    Scene("merchant made", lambda _house: None, merchant_made, ends("merchant.added")),
    Scene("key made", a_merchant, add, ends(*KEYED)),
    Scene("key rotated", a_key, rotate, ends(*KEYED, "key.rotated")),
    Scene("key revoked", a_key, revoke, ends(*KEYED, "key.revoked")),
    Scene("user deactivated", a_key, deactivate, ends(*KEYED, "user.deactivated")),
    Scene("snapshot", a_key, snapshot, ends(*KEYED, "key.rotated", "key.revoked")),
)

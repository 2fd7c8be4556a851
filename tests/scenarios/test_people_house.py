"""Merchants, users and keys in a real house: made over HTTP, used at both doors, ended at once."""

import json
from functools import partial
from typing import Any

import pytest

from actors.cli.chaos.house import House
from tests.auditor.audit import audit
from tests.scenarios.living import files
from tests.scenarios.shop import CARD, Answer, Shop

pytestmark = pytest.mark.scenario

CARDS = {"number": "4242424242424242", **CARD}


class Holder(Shop):
    """Whoever holds this one key."""

    def __init__(self, house: House, key: str, **headers: str) -> None:
        self.house, self.keys, self._headers = house, {"admin": key}, headers

    def send(self, method: str, path: str, data: Any, headers: Any, *more: Any) -> Answer:
        return super().send(method, path, data, {**headers, **self._headers}, *more)


def made(shop: Shop, role: str, user: str | None = None, **more: Any) -> dict[str, Any]:
    """A new key, of a new user unless told."""
    about = user or shop.post("/users", {"name": f"A new {role}"}).body["id"]
    answer = shop.post("/keys", {"user": about, "role": role, **more})
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


@pytest.fixture(scope="module")
def service(house: House) -> Holder:
    return Holder(house, (house.home / "data/secrets/service").read_text().strip())


def test_a_key_works_at_once_and_not_at_all_once_it_is_revoked(house: House, shop: Shop) -> None:
    """At both doors: the first request after the 201 is served, the first after the revocation
    is 401."""
    reads, takes = made(shop, "viewer"), made(shop, "publishable")
    reader, taker = Holder(house, reads["key"]), Holder(house, takes["key"])
    for new, ask, good in (
        (reads, partial(reader.get, "/payment-intents"), 200),
        (takes, partial(taker.post, "/tokenize", CARDS, url=house.vault), 201),
    ):
        assert ask().status == good
        gone = shop.post(f"/keys/{new['id']}/revoke", {})
        assert (gone.status, gone.body["state"], "key" in gone.body) == (200, "revoked", False)
        refused = ask()
        assert (refused.status, refused.body["code"]) == (401, "unauthenticated")


def test_a_rotated_key_ends_the_old_one_at_once_or_after_its_grace(
    house: House, shop: Shop
) -> None:
    """The new text is another and works; without a grace the old one is dead, with one it lives
    until business time has passed it."""
    first = made(shop, "viewer")
    path = f"/keys/{first['id']}/rotate"
    second = shop.post(path, {})
    assert (second.status, second.body["version"]) == (200, 2)
    assert second.body["key"] != first["key"]
    assert Holder(house, first["key"]).get("/payment-intents").status == 401
    third = shop.post(path, {"grace_s": 3_600})
    for text in (second.body["key"], third.body["key"]):
        assert Holder(house, text).get("/payment-intents").status == 200
    assert house.cli("clock", "advance", "2h").returncode == 0
    assert Holder(house, second.body["key"]).get("/payment-intents").status == 401
    assert Holder(house, third.body["key"]).get("/payment-intents").status == 200


def test_a_key_is_shown_once_and_the_repeated_request_shows_the_same_bytes(
    house: House, shop: Shop
) -> None:
    """Whoever lost the answer asks again with the same Idempotency-Key; no file and no other
    answer ever has the text."""
    user = shop.post("/users", {"name": "Ada"}).body["id"]
    order = {"user": user, "role": "operator"}
    first = shop.post("/keys", order, key="once")
    again = shop.post("/keys", order, key="once")
    assert (first.status, again.bytes) == (201, first.bytes)
    assert again.headers["Idempotent-Replayed"] == "true"
    about = f"/keys/{first.body['id']}"
    turned = shop.post(f"{about}/rotate", {}, key="turn")
    assert shop.post(f"{about}/rotate", {}, key="turn").bytes == turned.bytes
    other = shop.post("/keys", {"user": user, "role": "viewer"}, key="once")
    assert (other.status, other.body["code"]) == (422, "idempotency-key-reused")
    for text in (first.body["key"], turned.body["key"]):
        for path in (about, "/keys?limit=100", "/users?limit=100"):
            assert text.encode() not in shop.get(path).bytes
        mac = text.rpartition("_")[2].encode()
        assert [path for path in files(house.home) if mac in path.read_bytes()] == []


def test_a_deactivated_user_has_no_key_any_more(house: House, shop: Shop) -> None:
    first = made(shop, "viewer")
    second = made(shop, "operator", first["user"])
    ended = shop.post(f"/users/{first['user']}/deactivate", {})
    assert (ended.status, ended.body["state"]) == (200, "deactivated")
    for key in (first, second):
        assert Holder(house, key["key"]).get("/payment-intents").status == 401
        assert shop.get(f"/keys/{key['id']}").body["state"] == "revoked"


def test_the_last_admin_key_stays(house: House, service: Holder) -> None:
    """A merchant cannot lock itself out; it is told to make another key first."""
    merchant = service.post("/merchants", {"name": "Lamps", "mcc": "5719"}).body["id"]
    held = Holder(house, service.keys["admin"], **{"X-Merchant-Id": merchant})
    admin = made(held, "admin")
    own = Holder(house, admin["key"])
    kept = own.post(f"/keys/{admin['id']}/revoke", {})
    assert (kept.status, kept.body["code"]) == (409, "last-admin-key")
    assert "POST /keys" in kept.body["detail"]
    made(own, "admin")
    assert own.post(f"/keys/{admin['id']}/revoke", {}).status == 200
    assert own.get("/users").status == 401


def test_a_new_merchant_takes_payments(house: House, service: Holder) -> None:
    """The service key makes the merchant, its first user and key; from there it is on its own."""
    merchant = service.post("/merchants", {"name": "Lamps", "mcc": "5719"})
    assert (merchant.status, merchant.body["object"]) == (201, "merchant")
    about = merchant.body["id"]
    held = Holder(house, service.keys["admin"], **{"X-Merchant-Id": about})
    own = Holder(house, made(held, "admin")["key"])
    token = own.post("/tokenize", CARDS, url=house.vault).body["token"]
    paid = own.create(token, confirm=True)
    assert (paid.status, paid.body["state"], paid.body["merchant_id"]) == (201, "authorized", about)
    assert [one["id"] for one in own.get("/merchants").body["data"]] == [about]
    assert own.post("/merchants", {"name": "Mine", "mcc": "5719"}).status == 403


def test_one_user_with_two_keys_is_one_user(house: House, shop: Shop) -> None:
    """Who asked for a refund cannot approve it with another key of theirs; another user can."""
    token = shop.tokenize()
    payment = shop.create(token, 900, confirm=True, capture_method="automatic").body["id"]
    asks = made(shop, "operator")
    checks = made(shop, "approver", asks["user"])
    order = {"payment_intent": payment, "amount": 300, "reason": "sent back"}
    refund = Holder(house, asks["key"]).post("/refunds", order).body
    assert refund["requested_by"] == asks["user"]
    own = Holder(house, checks["key"]).post(f"/refunds/{refund['id']}/approve", {})
    assert (own.status, own.body["code"]) == (403, "four-eyes")
    other = Holder(house, made(shop, "approver")["key"])
    assert other.post(f"/refunds/{refund['id']}/approve", {}).status == 200


def test_each_key_may_ask_so_often(house: House, shop: Shop) -> None:
    """A key with a rate of its own is refused with the time to wait, at each door for itself, and
    served again after it; other keys do not notice."""
    slow = made(shop, "operator", rate_limit_per_s=1)
    assert slow["rate_limit_per_s"] == 1
    held = Holder(house, slow["key"])
    for ask in (
        lambda: held.get("/payment-intents"),
        lambda: held.post("/tokenize", CARDS, url=house.vault),
    ):
        answers = [ask() for _ in range(6)]
        passed = [one for one in answers if one.status != 429]
        assert 2 <= len(passed) < 6
        refused = next(one for one in answers if one.status == 429)
        assert (refused.body["code"], refused.body["retryable"]) == ("rate-limited", True)
        assert refused.headers["Content-Type"].startswith("application/problem+json")
        assert refused.headers["RateLimit-Limit"] == "1"
        assert (refused.headers["Retry-After"], refused.headers["RateLimit-Remaining"]) == (
            "1",
            "0",
        )
    assert shop.get("/payment-intents").status == 200


def test_the_files_beside_the_book_tell_who_is_there(house: House, shop: Shop) -> None:
    """merchants.json, users.json and keys.json show what the API shows; verify and the auditor
    find the house whole."""
    new = made(shop, "auditor")
    shown = {
        name: json.loads((house.home / f"data/access/{name}.json").read_text())[name]
        for name in ("merchants", "users", "keys")
    }
    assert {"m_001", "m_002"} <= {one["id"] for one in shown["merchants"]}
    assert shop.get(f"/users/{new['user']}").body in shown["users"]
    assert shop.get(f"/keys/{new['id']}").body in shown["keys"]
    verified = house.cli("verify")
    assert verified.returncode == 0, verified.stdout
    assert audit(house.home).findings == []

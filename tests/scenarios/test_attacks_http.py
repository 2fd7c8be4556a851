"""What somebody with a socket tries on a whole house, one test for each kind of attempt: keys,
roles, other merchants' ids, own approvals, bodies, idempotency keys, amounts, races, skipped steps.

Every route for every role is asked in test_tenants_house; here is what each attempt gets.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from actors.cli.chaos.house import House
from tests.auditor.audit import audit
from tests.scenarios.living import lines, raw_request, until
from tests.scenarios.shop import Answer, Shop

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(120)]

LEDGERS = ("payments", "refunds")
#: Clients that ask at the same moment.
RACERS = 100
#: Amounts as they may stand in a body, none of which is a whole number of minor units.
NO_AMOUNTS = (
    *("0", "-1", "1.5", '"1"', "true", "null", "1e400", "NaN", "Infinity", "[1]", "{}"),
    *("9223372036854775808", "100000000", '"\\u0661\\u0660"', "1" * 5_000, "-0", "1e2"),
)
#: Bodies that are no JSON of ours, and how far the reading of each would have to go.
NO_JSON = {
    "a depth of 2,000": b"[" * 2_000,
    "a number of 5,000 digits": b'{"amount":' + b"1" * 5_000 + b"}",
    "a name twice": b'{"amount":1,"amount":2}',
    "a byte order mark": b'\xef\xbb\xbf{"amount":1}',
    "UTF-16": '{"amount":1}'.encode("utf-16"),
    "bytes behind the end": b'{"amount":1}{"amount":2}',
    "a lone surrogate": b'{"currency":"\\ud800"}',
    "bytes that are no UTF-8": b'{"currency":"\xff"}',
    "no end": b'{"amount":',
}


@pytest.fixture(scope="module")
def token(shop: Shop) -> str:
    return shop.tokenize()


@pytest.fixture(scope="module")
def other(house: House) -> Shop:
    return Shop(house, "m_002")


def held(shop: Shop, token: str, amount: int = 1_000) -> str:
    """A payment whose money is held."""
    return str(shop.create(token, amount, confirm=True).body["id"])


def paid(shop: Shop, token: str, amount: int = 1_000) -> str:
    made = shop.create(token, amount, confirm=True, capture_method="automatic")
    return str(made.body["id"])


def refund(shop: Shop, payment: str, amount: int, **more: Any) -> Answer:
    order = {"payment_intent": payment, "amount": amount, "reason": "sent back", **more}
    return shop.post("/refunds", order, role="operator")


def said(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["code"]


def at_once(ask: Any) -> list[Answer]:
    """What all racers are answered."""
    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(ask, range(RACERS)))


def ledger(house: House) -> int:
    return sum(len(lines(house.home / f"data/ledger/{name}.jsonl")) for name in LEDGERS)


def test_1_a_key_that_is_none_opens_nothing(house: House, shop: Shop) -> None:
    """None, malformed, wrong, revoked, of the wrong kind, twice, or in the query: 401 in the same
    words for each that looks like a key, with WWW-Authenticate."""
    good = shop.keys["admin"]
    made = shop.post("/keys", {"user": "usr_m001_viewer", "role": "viewer"}).body
    shop.post(f"/keys/{made['id']}/revoke", {})
    wrong = good[:-1] + ("0" if good[-1] != "0" else "1")
    told = set()
    for text in (wrong, made["key"], good.replace("sk_", "pk_"), good.replace("m001", "m009")):
        answer = shop.send("GET", "/payment-intents", None, {"Authorization": f"Bearer {text}"})
        assert said(answer) == (401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert text.encode() not in answer.bytes
        told.add(answer.body["detail"])
    assert len(told) == 1
    port = house.ports["API"]
    for head in (
        b"",
        b"Authorization: Bearer\r\n",
        b"Authorization: Basic dTpw\r\n",
        b"Authorization: Bearer %s %s\r\n" % (good.encode(), good.encode()),
        b"Authorization: Bearer %s\r\n" % good.encode() * 2,
        b"Authorization: Bearer \xff\xfe\r\n",
    ):
        for query in (b"", b"?api_key=%s&key=%s" % (good.encode(), good.encode())):
            request = b"GET /payment-intents%s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (query, head)
            status, headers, body = raw_request(port, request)
            assert (status, json.loads(body)["code"]) == (401, "unauthenticated")
            assert "www-authenticate" in headers


def refused_lines(house: House, user: str) -> set[tuple[str, str]]:
    """(route, code) of what this user was refused, as the log tells it."""
    told = lines(house.home / "data/logs/frontdoor.jsonl")
    refused = [line for line in told if line["event"] == "access.refused"]
    return {(one["route"], one["code"]) for one in refused if one["user"] == user}


def test_2_another_merchants_id_is_no_id(house: House, shop: Shop, other: Shop, token: str) -> None:
    """Reading, moving and giving back another's money is 404, and nothing of it is touched; the
    log tells who tried."""
    payment = held(shop, token)
    before = shop.get(f"/ledger/{payment}").bytes
    for verb in ("authorize", "capture", "cancel"):
        assert said(other.post(f"/payment-intents/{payment}/{verb}", {})) == (404, "not-found")
    assert said(other.get(f"/payment-intents/{payment}")) == (404, "not-found")
    assert said(refund(other, payment, 1)) == (404, "not-found")
    assert said(other.create(token)) == (422, "unknown-token")
    forged = {"X-Merchant-Id": "m_001", "X-Role": "admin", "X-User": "usr_m001_admin"}
    for name, text in forged.items():
        answer = other.send("GET", f"/payment-intents/{payment}", None, {name: text})
        assert said(answer) == (403, "forbidden")
    assert shop.get(f"/ledger/{payment}").bytes == before
    wanted = {("/payment-intents/{id}", code) for code in ("not-found", "forbidden")}
    wanted |= {("/payment-intents/{id}/capture", "not-found")}
    until(lambda: wanted <= refused_lines(house, "usr_m002_admin"), "the lines about it")


def test_3_a_role_does_its_own_part_alone(house: House, shop: Shop, token: str) -> None:
    """A viewer gives nothing back, an operator approves nothing and rotates no key, an approver
    charges nobody, a publishable key reads nothing; nor does anyone raise their own role."""
    payment = paid(shop, token)
    waiting = refund(shop, payment, 100).body["id"]
    order = {"payment_intent": payment, "amount": 1, "reason": "x"}
    key = {"user": "usr_m001_operator", "role": "admin"}
    for role, path, body in (
        ("viewer", "/refunds", order),
        ("auditor", "/refunds", order),
        ("approver", f"/payment-intents/{payment}/cancel", {}),
        ("operator", f"/refunds/{waiting}/approve", {}),
        ("operator", "/keys", key),
        ("operator", "/keys/m001operator/rotate", {}),
        ("operator", "/actors/gateway/kill", {}),
        ("operator", "/clock", {"advance": "1s"}),
        ("publishable", "/payment-intents", {}),
        ("admin", "/merchants", {"name": "Mine", "mcc": "5942"}),
    ):
        assert said(shop.post(path, body, role=role)) == (403, "forbidden"), (role, path)
    assert said(shop.get(f"/payment-intents/{payment}", "publishable")) == (403, "forbidden")
    wanted = {("/keys/{id}/rotate", "forbidden"), ("/refunds/{id}/approve", "forbidden")}
    until(lambda: wanted <= refused_lines(house, "usr_m001_operator"), "the lines about it")


def test_4_nobody_approves_their_own_refund(house: House, shop: Shop, token: str) -> None:
    """Not by the key that asked, not by a second key of the same user; and what was asked for
    cannot be another amount by the time that it is approved."""
    payment = paid(shop, token)
    asked = shop.post(
        "/refunds", {"payment_intent": payment, "amount": 100, "reason": "x"}, role="admin"
    ).body
    path = f"/refunds/{asked['id']}/approve"
    assert said(shop.post(path, {})) == (403, "four-eyes")
    second = shop.post("/keys", {"user": asked["requested_by"], "role": "approver"}).body
    shop.keys["second"] = second["key"]
    assert said(shop.post(path, {}, role="second")) == (403, "four-eyes")
    raised = shop.post(path, {"amount": 900}, role="approver")
    assert said(raised) == (422, "validation-error")
    assert shop.post(path, {}, role="approver").body["amount"] == 100


def test_5_a_field_that_is_ours_cannot_be_sent(shop: Shop, token: str) -> None:
    """state, merchant, id, amounts and approvals in a body are 422 with the field named."""
    payment = paid(shop, token)
    order = {"amount": 1, "currency": "USD", "payment_method": token}
    gift = {"payment_intent": payment, "amount": 1, "reason": "x"}
    key = {"user": "usr_m001_viewer", "role": "viewer"}
    for path, body, fields in (
        ("/payment-intents", order, ("state", "merchant_id", "id", "amount_captured", "provider")),
        ("/refunds", gift, ("state", "merchant_id", "id", "approved_by", "approval")),
        ("/keys", key, ("id", "key", "version", "merchant_id", "publishable")),
        ("/users", {"name": "Ada"}, ("id", "merchant_id", "state")),
        (f"/payment-intents/{payment}/capture", {}, ("state", "user_id", "role", "id")),
    ):
        for field in fields:
            answer = shop.post(path, {**body, field: "x"})
            assert said(answer) == (422, "validation-error"), (path, field)
            assert answer.body["errors"][0]["field"] == field


def test_6_an_idempotency_key_is_one_request(house: House, shop: Shop, token: str) -> None:
    """Missing, too long or unprintable: 400. With another body: 422 with what differs. A hundred
    twins at once: one payment, and everybody else is told to wait or gets the same bytes."""
    order = {"amount": 100, "currency": "USD", "payment_method": token}
    data = json.dumps(order).encode()
    for key, code in (
        ("", "idempotency-key-missing"),
        ("k" * 256, "idempotency-key-invalid"),
        ("k\x01", "idempotency-key-invalid"),
        ("k\xe9", "idempotency-key-invalid"),
    ):
        answer = shop.send("POST", "/payment-intents", data, {"Idempotency-Key": key})
        assert said(answer)[0] == 400
        assert answer.body["code"] in (code, "bad-request")
    first = shop.post("/payment-intents", order, key="mine")
    again = shop.post("/payment-intents", {**order, "amount": 101}, key="mine")
    assert said(again) == (422, "idempotency-key-reused")
    assert again.body["diff"] == [{"field": "amount", "first": 100, "now": 101}]
    assert shop.post("/payment-intents", order, key="mine").bytes == first.bytes
    before = ledger(house)
    answers = at_once(lambda _: shop.post("/payment-intents", order, key="twin"))
    made = {answer.bytes for answer in answers if answer.status == 201}
    rest = {said(answer) for answer in answers if answer.status != 201}
    assert len(made) == 1
    assert rest <= {(409, "idempotency-in-flight")}
    assert ledger(house) == before + 1


@pytest.mark.parametrize("amount", NO_AMOUNTS)
def test_7_an_amount_that_is_none_is_refused_by_name(
    house: House, shop: Shop, token: str, amount: str
) -> None:
    """Nothing is rounded, cut or understood otherwise: 422 with the field, or 400 for what is no
    number at all; and nothing is booked."""
    body = b'{"amount":%s,"currency":"USD","payment_method":"%s"}' % (
        amount.encode(),
        token.encode(),
    )
    before = ledger(house)
    answer = shop.send("POST", "/payment-intents", body, {"Idempotency-Key": os.urandom(8).hex()})
    if answer.status == 422:
        assert answer.body["errors"][0]["field"] == "amount"
    else:
        assert said(answer) == (400, "malformed-json")
    assert ledger(house) == before


def test_8_no_race_takes_or_gives_more_than_there_is(house: House, shop: Shop, token: str) -> None:
    """More than was held is not captured, more than was captured not given back; of a hundred
    captures at once one succeeds, and of a hundred refunds of a third, three."""
    payment = held(shop, token, 900)
    much = shop.post(f"/payment-intents/{payment}/capture", {"amount": 901})
    assert said(much) == (422, "amount-exceeds")
    path = f"/payment-intents/{payment}/capture"
    answers = at_once(lambda _: shop.post(path, {}))
    assert [answer.status for answer in answers].count(200) == 1
    assert {said(a)[1] for a in answers if a.status != 200} <= {
        "illegal-transition",
        "operation-in-doubt",
    }
    assert shop.get(f"/payment-intents/{payment}").body["amount_captured"] == 900
    assert said(refund(shop, payment, 901)) == (422, "amount-exceeds")
    answers = at_once(lambda _: refund(shop, payment, 300))
    assert [answer.status for answer in answers].count(201) == 3
    assert {said(a) for a in answers if a.status != 201} == {(422, "amount-exceeds")}
    assert audit(house.home).findings == []


def test_9_no_step_is_skipped_and_none_taken_twice(house: House, shop: Shop, token: str) -> None:
    """Before its time or after its end, an order is 409 with what is legal; nothing is booked."""
    fresh = str(shop.create(token, 500).body["id"])
    done = held(shop, token, 500)
    assert shop.post(f"/payment-intents/{done}/cancel", {}).status == 200
    taken = paid(shop, token, 500)
    before = ledger(house)
    for payment, verb in (
        (fresh, "capture"),
        (done, "authorize"),
        (done, "capture"),
        (done, "cancel"),
        (taken, "authorize"),
        (taken, "capture"),
    ):
        answer = shop.post(f"/payment-intents/{payment}/{verb}", {})
        assert said(answer) == (409, "illegal-transition"), (payment, verb)
        assert verb not in answer.body["legal"]
    assert said(refund(shop, fresh, 1))[0] == 409
    assert ledger(house) == before


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
def test_16_json_that_others_might_read_otherwise_is_refused(
    house: House, shop: Shop, body: bytes
) -> None:
    """400 malformed-json at both doors, whatever a parser would raise; the house serves on."""
    for url in (f"{house.api}", house.vault):
        path = "/payment-intents" if url == house.api else "/tokenize"
        answer = shop.send("POST", path, body, {"Idempotency-Key": "x"}, url=url)
        assert said(answer) == (400, "malformed-json")
        assert len(answer.bytes) < 1_000
    assert shop.get("/payment-intents?limit=1").status == 200


def test_16_a_million_names_are_too_many(house: House, shop: Shop) -> None:
    """413 by their length alone, before any of them is read."""
    body = b"{%s}" % b",".join(b'"k%d":0' % number for number in range(1_000_000))
    head = (
        f"POST /payment-intents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shop.keys['admin']}"
        f"\r\nIdempotency-Key: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    assert raw_request(house.ports["API"], head.encode() + body)[0] == 413

"""A long advance in a real house: from timer to timer, in seconds; told when it cannot go on."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.cli.chaos.house import House
from payrail.domain.timestamps import parse_iso
from tests.auditor.audit import audit
from tests.scenarios.living import journal, until
from tests.scenarios.shop import Shop

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(240)]

DAY_MS = 86_400_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    house.start()
    try:
        yield house
    finally:
        house.kill_supervisor()


def shown(shop: Shop) -> dict:
    return shop.get("/clock").body


def refunded(shop: Shop) -> str:
    """A captured payment, and a refund of it that nobody approves; result: the refund's id."""
    made = shop.create(shop.tokenize(), confirm=True, capture_method="automatic").body
    order = {"payment_intent": made["id"], "amount": 400, "reason": "returned"}
    refund = shop.post("/refunds", order)
    assert refund.status == 201, refund.body
    return str(refund.body["id"])


def fired(house: House, actor: str) -> list[tuple[int, int]]:
    """(due, business time at which it was decided) of each timer of business time."""
    dues: dict[str, int] = {}
    found: list[tuple[int, int]] = []
    for line in journal(house.home, actor):
        at_ms = parse_iso(line["at"]) + line.get("ahead_ms", 0)
        taken = line["in"]
        if taken["from"] == "timer" and taken["id"] in dues:
            found.append((dues.pop(taken["id"]), at_ms))
        for timer in line.get("timers", ()):
            if timer.get("business"):
                dues[timer["set"]] = parse_iso(timer["due"])
    return found


def test_three_weeks_pass_in_seconds_and_in_order(house: House):
    """A refund expires after 72 h, batches close at their cut-offs and are reconciled an hour
    later: each happens at its time, before anything that is due later. Wire time does not move."""
    shop = Shop(house)
    refund = refunded(shop)
    before = shown(shop)
    began = time.monotonic()
    ran = house.cli("clock", "advance", "21d", "--json", seconds_max=200)
    took_s = time.monotonic() - began

    assert ran.returncode == 0, ran.stderr
    after = json.loads(ran.stdout)
    print(f"21 d in {took_s:.1f} s")
    moved_ms = parse_iso(after["business_time"]) - parse_iso(before["business_time"])
    assert 21 * DAY_MS <= moved_ms < 21 * DAY_MS + 200_000
    assert (after["hopping"], after["stopped"]) == (None, None)
    assert parse_iso(after["wire_time"]) - parse_iso(before["wire_time"]) < 200_000
    assert shop.get(f"/refunds/{refund}").body["state"] == "expired"
    all_fired = [
        one for name in ("gateway", "provider-a", "reconciler") for one in fired(house, name)
    ]
    assert len(all_fired) > 21
    for due_ms, at_ms in all_fired:
        assert 0 <= at_ms - due_ms < 60_000, "a hop went past a timer"
    (payout,) = shop.get("/payouts").body["data"]
    assert (payout["state"], payout["created_by"]) == ("paid", None)
    rows = shop.get("/balances").body["data"]
    owed = {row["account"]: row["amount"] for row in rows}
    assert owed["liability:m_001:available"] == owed["liability:m_001:payout_in_transit"] == 0
    (path,) = (house.home / "data/settlement").glob("payouts_*.csv")
    assert payout["id"] in path.read_text()
    assert house.cli("verify").returncode == 0
    assert audit(house.home).findings == []
    for format in ("hledger", "beancount"):
        assert house.cli("ledger", "export", "--format", format).returncode == 0


def test_freezing_ends_an_advance_where_it_is(house: House):
    """The clock says where it was to go and why it stands."""
    shop = Shop(house)
    refunded(shop)
    order = json.dumps({"advance": "300d"}).encode()
    started = shop.send("POST", "/clock", order, {})
    assert started.status == 202
    assert started.body["hopping"]["hops"] >= 1
    frozen = shop.send("POST", "/clock", b'{"mode":"freeze"}', {})

    assert (frozen.status, frozen.body["hopping"], frozen.body["mode"]) == (200, None, "freeze")
    stopped = frozen.body["stopped"]
    assert stopped["why"].endswith("let the clock freeze")
    assert stopped["at"] < stopped["to"]
    assert shown(shop)["business_time"] == frozen.body["business_time"]


def test_an_actor_that_is_paused_stops_the_clock_and_is_named(house: House):
    """Nothing that is due there is passed over; with it back, the next advance goes on."""
    shop = Shop(house)
    refunded(shop)
    assert house.cli("pause", "provider-b").returncode == 0
    until(lambda: (house.row("provider-b") or {})["state"] == "paused", "it is paused")
    ran = house.cli("clock", "advance", "2d")

    assert ran.returncode == 75, ran.stdout
    assert "provider-b (paused)" in ran.stderr
    assert house.cli("resume", "provider-b").returncode == 0
    assert house.cli("clock", "advance", "2d").returncode == 0


def test_an_advance_that_is_asked_for_twice_is_one_also_after_a_kill(house: House):
    """The house dies on the way: the clock stays where it is; the same key goes on to the same
    end, and asked once more it moves nothing."""
    shop = Shop(house)
    refunded(shop)
    order, key = json.dumps({"advance": "40d"}).encode(), os.urandom(8).hex()
    before = shown(shop)
    assert shop.send("POST", "/clock", order, {"Idempotency-Key": key}).status == 202
    house.kill_supervisor()
    house.start()
    stands = shown(shop)
    assert stands["hopping"] is None
    assert 0 < stands["ahead_ms"] < 40 * DAY_MS
    assert shop.send("POST", "/clock", order, {"Idempotency-Key": key}).status == 202
    until(lambda: shown(shop)["hopping"] is None, "it arrived", 200)
    again = shop.send("POST", "/clock", order, {"Idempotency-Key": key})

    assert again.status == 200
    moved_ms = parse_iso(again.body["business_time"]) - parse_iso(before["business_time"])
    assert 40 * DAY_MS <= moved_ms < 41 * DAY_MS
    other = shop.send("POST", "/clock", b'{"advance":"1d"}', {"Idempotency-Key": key})
    assert (other.status, other.body["code"]) == (422, "idempotency-key-reused")

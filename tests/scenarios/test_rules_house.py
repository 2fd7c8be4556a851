"""People edit rule files of a running house: good, bad, good again."""

import time
from typing import Any

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.living import WAIT_S_MAX, logged, until
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario

ROUTING, FEES = "data/rules/routing.toml", "data/rules/fees.toml"
TO_B = """\
order = ["providerA", "providerB"]

[[rules]]
name = "small-ones"
amount_max = 2000
order = ["providerB"]
"""
BAD = TO_B.replace('["providerB"]', '["providerC"]')


def row(shop: Shop, name: str = "routing") -> dict[str, Any]:
    """One file in GET /rules."""
    rows = {one["id"]: one for one in shop.get("/rules").body["data"]}
    found: dict[str, Any] = rows[name]
    return found


def write(house: House, shop: Shop, path: str, text: str, state: str) -> dict[str, Any]:
    """Save a file, and wait until the gateway has judged it. Result: its row."""
    name = path.removeprefix("data/rules/").removesuffix(".toml")
    before = row(shop, name)
    began = time.monotonic()
    (house.home / path).write_text(text)
    wanted = "in_force" if state == "in_force" else "refused"

    def judged() -> dict[str, Any] | None:
        now = row(shop, name)
        return now if now != before and now["state"] == wanted else None

    found = until(judged, f"{path} is {wanted}", WAIT_S_MAX)
    print(f"{path} {wanted} after {time.monotonic() - began:.2f} s")
    return found


def went_to(shop: Shop, **more: Any) -> tuple[str, str]:
    """(provider, rule) of one more payment."""
    payment = shop.create(shop.tokenize(), confirm=True, **more).body
    (attempt,) = shop.get(f"/payment-intents/{payment['id']}/routing").body["attempts"]
    return attempt["provider"], attempt["rule"]


def test_rules_are_edited_while_the_house_runs(house: House, shop: Shop):
    """A good file routes the next charge, a bad one changes nothing and is told everywhere, and a
    good one after it is taken again; no restart, no lost payment."""
    assert went_to(shop) == ("providerA", "default")
    taken = write(house, shop, ROUTING, TO_B, "in_force")
    assert (taken["file"], taken["errors"]) == (ROUTING, [])
    assert went_to(shop) == ("providerB", "small-ones")
    assert went_to(shop, amount=2001) == ("providerA", "default")

    refused = write(house, shop, ROUTING, BAD, "refused")
    told = "must name a provider; there are providerA, providerB"
    assert refused["sha256"] == taken["sha256"]
    assert refused["errors"] == [{"line": 6, "field": "rules[1].order[1]", "message": told}]
    assert went_to(shop) == ("providerB", "small-ones")
    (line,) = [one for one in logged(house.home, "gateway") if one["event"] == "rules.refused"]
    assert (line["file"], line["line"], line["error"]) == (ROUTING, 6, told)
    doctor = house.cli("doctor")
    assert f"{ROUTING}: line 6: rules[1].order[1]: {told}" in doctor.stdout
    assert "what was in force before stays" in doctor.stdout

    assert house.cli("restart", "gateway").returncode == 0
    assert went_to(shop) == ("providerB", "small-ones")

    write(house, shop, ROUTING, 'order = ["providerA"]\n', "in_force")
    assert went_to(shop) == ("providerA", "default")
    assert house.cli("verify").returncode == 0


def test_a_price_that_changes_is_booked_from_then_on(house: House, shop: Shop):
    """And costs that are not what the provider charges are its statement's affair, not ours."""
    default = (house.home / FEES).read_text()
    dearer = default.replace("basis_points = 340", "basis_points = 1000")
    write(house, shop, FEES, dearer, "in_force")
    payment = shop.create(shop.tokenize(), 5000, confirm=True, capture_method="automatic").body
    entries = shop.get(f"/ledger/{payment['id']}").body["entries"]
    (fee,) = [entry["data"] for entry in entries if entry["type"] == "fee.charged"]

    assert fee["merchant_fee"] == 530

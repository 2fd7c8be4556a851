"""Faults by header and by name, in a house of real processes: real seals, logs and sockets."""

import http.client
import json
import os
from typing import Any

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.living import lines, until
from tests.scenarios.shop import CARD, Answer, Shop

pytestmark = pytest.mark.scenario


def pay(shop: Shop, token: str, fault: dict[str, Any], key: str) -> Answer:
    order = {"amount": 1099, "currency": "USD", "payment_method": token, "confirm": True}
    head = {
        "PayRail-Fault": json.dumps(fault),
        "Idempotency-Key": key,
        "X-Correlation-Id": f"c-{key}",
    }
    return shop.send("POST", "/payment-intents", json.dumps(order).encode(), head)


def injected(house: House, actor: str, about: str) -> list[dict[str, Any]]:
    """Lines of the provider's log about faults of one request."""
    found = lines(house.home / f"data/logs/{actor}.jsonl")
    mine = [one for one in found if one["event"] == "fault.injected"]
    return [one for one in mine if one["correlation_id"] == about]


def test_a_header_declines_one_charge(house: House, shop: Shop) -> None:
    """402 with its code, the same bytes for the same key, one line in the log; the next is paid."""
    token = shop.tokenize()
    fault = {"do": "decline:insufficient_funds"}
    first = pay(shop, token, fault, "declined")
    again = pay(shop, token, {"do": "down"}, "declined")
    assert (first.status, first.body["decline_code"]) == (402, "insufficient_funds")
    assert again.bytes == first.bytes
    (line,) = until(lambda: injected(house, "provider-a", "c-declined"), "the line of the log")
    payment_id = first.body["payment_intent"]["id"]
    told = {name: line[name] for name in ("door", "rule", "do", "operation", "reference")}
    assert told == {
        "door": "header",
        "rule": None,
        "do": "decline:insufficient_funds",
        "operation": "authorize",
        "reference": f"{payment_id}.1",
    }
    assert shop.create(token, confirm=True).body["state"] == "authorized"


def test_a_header_fails_over_and_its_second_attempt_is_untouched(house: House, shop: Shop) -> None:
    """At B as always: and there a name decides, out of a real seal."""
    card = {"number": "4242424242424242", **CARD, "name": "REFERRAL"}
    token = shop.post("/tokenize", card, role="publishable", url=house.vault).body["token"]
    answer = pay(shop, str(token), {"do": "error"}, "elsewhere")
    assert (answer.status, answer.body["decline_code"]) == (402, "call_issuer")
    attempts = answer.body["payment_intent"]["attempts"]
    assert [one["provider"] for one in attempts] == ["providerA", "providerB"]
    (at_a,) = until(lambda: injected(house, "provider-a", "c-elsewhere"), "A's line")
    (at_b,) = until(lambda: injected(house, "provider-b", "c-elsewhere"), "B's line")
    assert (at_a["door"], at_a["do"]) == ("header", "error")
    assert (at_b["door"], at_b["do"]) == ("name", "name:REFERRAL")


def test_what_has_an_effect_is_named_in_the_truth(house: House, shop: Shop) -> None:
    """A slow charge is made, and its line says what made it slow."""
    answer = pay(shop, shop.tokenize(), {"do": "slow:200"}, "slow")
    assert answer.status == 201
    truth = lines(house.home / "data/providers/providerA_truth.jsonl")
    assert [
        line.get("fault") for line in truth if line["reference"] == f"{answer.body['id']}.1"
    ] == ["slow:200"]


def test_a_header_that_is_none_is_refused_before_anything(shop: Shop) -> None:
    """422 with its field; a viewer is refused for its role, as without."""
    answer = pay(shop, shop.tokenize(), {"do": "explode"}, "wrong")
    assert (answer.status, answer.body["errors"][0]["field"]) == (422, "PayRail-Fault.do")


def test_a_reset_at_the_inner_door_is_a_dropped_connection(house: House, shop: Shop) -> None:
    """The socket is closed without a byte."""
    secret = (house.home / "data/secrets/internal").read_text().strip()
    head = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    token, reference = shop.tokenize(), f"pi_reset{os.getpid()}.1"
    asked = {"token": token, "provider": "providerA", "payment_id": "pi_reset"}
    asked |= {"operation_id": reference, "purpose": "charge.authorize"}
    sealed = shop.send("POST", "/charge-token", json.dumps(asked).encode(), head, url=house.vault)
    order = {"reference": reference, "amount": 1, "currency": "USD", **sealed.body}
    url = f"http://127.0.0.1:{house.ports['PROVIDER']}"
    path, data = "/providers/providerA/authorize", json.dumps(order).encode()
    fault = {"PayRail-Fault": '{"do":"reset"}'}
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        shop.send("POST", path, data, {**head, **fault}, url=url)
    assert shop.send("POST", path, data, head, url=url).status == 200

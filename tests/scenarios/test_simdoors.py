"""The real doors in the simulated house: HTTP over memory, in virtual time, the same each time."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from payrail.runtime.sim import SimCrash
from payrail.runtime.simfaults import Call, Fault
from payrail.web.simnet import Fate
from tests.scenarios.opendoors import OpenHouse

NOTICES = "/webhooks/provider"


@pytest.fixture
def house() -> Iterator[OpenHouse]:
    house = OpenHouse().start()
    yield house
    house.end()
    assert [fault for loop in house.loops for fault in loop.faults] == []
    gc.collect()


def _order(token: str, **more: Any) -> dict[str, Any]:
    return {"amount": 1099, "currency": "USD", "payment_method": token, "confirm": True, **more}


def a_day(seed: int) -> tuple[Any, ...]:
    """A little of everything; result: every answer, every byte on the disk, every line logged."""
    house = OpenHouse(seed).start()
    house.http("POST", "/webhook-endpoints", {"url": "https://shop.example/hooks"})
    token = house.card()
    for number in range(3):
        house.http("POST", "/payment-intents", _order(token), key=f"k{number}")
    house.start("frontdoor")
    _, listed = house.http("GET", "/payment-intents")
    path = f"/payment-intents/{listed['data'][0]['id']}/capture"
    house.http("POST", path, {"amount": 500}, key="c")
    house.http("GET", "/openapi.json")
    house.http("POST", path, {"amount": 500}, key="d", role="viewer")
    house.send("POST", "/payment-intents", _order(token), key="last")
    house.wait(60_000)
    house.end()
    files = {path: bytes(node.content) for path, node in house.disk.names.items()}
    return house.trace, files, [log.lines for log in house.logs.values()]


def test_a_payment_comes_in_by_the_doors(house):
    """Tokenized at the vault, created, captured, read back and listed: each over HTTP, by the
    routes of the product."""
    token = house.card()
    status, made = house.http("POST", "/payment-intents", _order(token), key="k1", role="operator")
    assert (status, made["state"]) == (201, "authorized")
    path = f"/payment-intents/{made['id']}"
    status, captured = house.http("POST", f"{path}/capture", {"amount": 1000}, key="k2")
    assert (status, captured["amount_captured"]) == (200, 1000)
    assert house.http("GET", path, role="viewer") == (200, captured)
    assert house.http("GET", "/payment-intents")[1]["data"] == [captured]
    assert house.http("GET", path, merchant="m_002")[0] == 404
    assert house.http("GET", "/ready") == (200, {"status": "ready"})
    assert "payment.captured" in house.types(made["id"])


def test_the_doors_refuse_as_they_do_in_life(house):
    """Access, keys and bodies are judged by the product's own rooms."""
    token = house.card()
    assert house.http("POST", "/payment-intents", _order(token))[1]["code"] == (
        "idempotency-key-missing"
    )
    status, answer = house.http("POST", "/payment-intents", _order(token), key="k", role="viewer")
    assert (status, answer["code"]) == (403, "forbidden")
    status, answer = house.http("POST", "/payment-intents", {"amount": "x"}, key="k")
    assert (status, answer["code"]) == (422, "validation-error")
    card = {"number": "4242424242424243", "exp_month": 1, "exp_year": 2030}
    assert house.http("POST", "/tokenize", card, host="vault")[0] == 422
    assert house.http("GET", "/openapi.json")[0] == 200


def test_a_killed_front_door_leaves_the_order_to_its_key(house):
    """Its askers hear that the connection broke; the order goes on without it, and the next front
    door tells under the same key what became of it."""
    token = house.card()
    came = house.send("POST", "/payment-intents", _order(token), key="k1")
    while not house.fs.size("mailboxes/gateway/frontdoor.jsonl"):
        house.net.turn()
        house.turn_door()
    house.kill("frontdoor")
    house.run()
    assert [one.word for one in came] == ["disconnected"]
    assert house.refused("GET", "/health")
    house.start("frontdoor")
    status, made = house.http("POST", "/payment-intents", _order(token), key="k1")
    assert (status, made["state"]) == (201, "authorized")
    assert len(house.truths) == 1
    assert house.http("GET", "/health")[1]["actors"][-1]["epoch"] == 2


def test_a_front_door_that_crashes_at_a_write_is_gone(house):
    """The crash of its files is the end of its process; nothing of it answers afterwards."""
    token = house.card()
    house.faults = lambda name: _at_mailbox if name == "frontdoor" else ()
    house.start("frontdoor")
    came = house.send("POST", "/payment-intents", _order(token), key="k1")
    with pytest.raises(SimCrash):
        house.run()
    assert house.processes["frontdoor"].fired
    house.faults = lambda _name: ()
    house.kill("frontdoor")
    house.run()
    assert [one.word for one in came] == ["disconnected"]
    assert house.start("frontdoor").http("POST", "/payment-intents", _order(token), key="k1")[
        0
    ] == (201)


def _at_mailbox(call: Call) -> Fault | None:
    if call.path != "mailboxes/gateway/frontdoor.jsonl" or call.op != "pwrite":
        return None
    return Fault(call.n, "torn", kept_bytes=10)


def test_a_front_door_that_is_told_to_stop_answers_whoever_waits(house):
    """Nobody is left with a broken connection: it may still happen, and the key will tell."""
    token = house.card()
    came = house.send("POST", "/payment-intents", _order(token), key="k1")
    house.run(without=("gateway",))
    assert came == []
    house.door.leave()
    house.run()
    assert [(one.status, one.json()["code"]) for one in came] == [(504, "actor-restarting")]
    house.start("frontdoor")
    assert house.http("POST", "/payment-intents", _order(token), key="k1")[0] == 201
    assert len(house.truths) == 1


def test_a_paused_front_door_says_so(house):
    """It takes no order and writes nothing; reads go on."""
    token = house.card()
    house.door.inside.asking.paused = True
    status, answer = house.http("POST", "/payment-intents", _order(token), key="k1")
    assert (status, answer["code"]) == (503, "actor-restarting")
    assert house.http("GET", "/payment-intents")[0] == 200
    house.door.inside.asking.paused = False
    assert house.http("POST", "/payment-intents", _order(token), key="k1")[0] == 201


def test_a_reply_that_died_with_the_gateway_is_asked_for_again(house):
    """It was decided and journaled, and the gateway died before it replied. The front door sees a
    new epoch in its cell and repeats the question."""
    token = house.card()
    house.faults = lambda name: _at_reply if name == "gateway" else ()
    house.start("gateway")
    came = house.send("POST", "/payment-intents", _order(token), key="k1")
    with pytest.raises(SimCrash):
        house.run()
    assert house.at_work == "gateway"
    house.faults = lambda _name: ()
    house.start("gateway")
    house.run()
    asked = house.lines("mailboxes/gateway/frontdoor.jsonl")
    house.wait(100)
    again = house.lines("mailboxes/gateway/frontdoor.jsonl")[len(asked) :]
    assert [one["kind"] for one in again] == ["payment.create"]
    assert [one.status for one in came] == [201]
    assert len(house.truths) == 1


def _at_reply(call: Call) -> Fault | None:
    is_reply = call.path == "mailboxes/frontdoor/gateway.jsonl" and call.op in ("create", "pwrite")
    return Fault(call.n, "crash_before") if is_reply else None


def test_a_reborn_gateway_goes_on_with_the_order(house):
    """It dies between its entry and its provider's answer; there is one answer all the same."""
    token = house.card()
    came = house.send("POST", "/payment-intents", _order(token), key="k1")
    while not house.lines("data/ledger/payments.jsonl"):
        house.net.turn()
        house.turn_door()
        house.turn("gateway")
    house.kill("gateway")
    house.run()
    house.wait(100)
    assert came == []
    house.start("gateway")
    house.run()
    house.wait(100)
    assert [one.status for one in came] == [201]
    assert len(house.truths) == 1


def test_ten_seconds_of_silence_pass_in_no_time(house):
    """A provider that does not answer: the client has its 202 after five simulated seconds."""
    token = house.card()
    came = house.send("POST", "/payment-intents", _order(token), key="k1")
    house.run(without=("provider-a",))
    assert came == []
    house.wait(5_000, without=("provider-a",))
    assert [(one.status, one.json()["state"]) for one in came] == [(202, "unknown")]


def test_a_vault_that_does_not_turn_is_waited_for(house):
    """The door lives in the vault's process: while that stands still, a card waits."""
    came = house.send("GET", f"/tokens/tok_{0:032}", host="vault")
    house.net.turn()
    house.run(without=("vault",))
    assert came == []
    house.run()
    assert [one.status for one in came] == [404]


def test_a_killed_vault_takes_its_door_along(house):
    """Nobody listens until it is back."""
    house.kill("vault")
    assert house.refused("POST", "/tokenize", host="vault")
    assert house.http("GET", "/ready")[1]["waiting_for"] == {"vault": "down"}
    house.start("vault")
    assert house.card().startswith("tok_")


def test_an_order_that_comes_twice_is_one_payment(house):
    """The network delivers it twice, on two connections; the key makes it one."""
    token = house.card()
    house.net.fate = lambda _asked: Fate(twice=True)
    status, made = house.http("POST", "/payment-intents", _order(token), key="k1")
    house.net.fate = lambda _asked: Fate()
    assert status in (201, 409)
    status, made = house.http("POST", "/payment-intents", _order(token), key="k1")
    assert (status, len(house.truths)) == (201, 1)
    assert [one["id"] for one in house.http("GET", "/payment-intents")[1]["data"]] == [made["id"]]


def _arrived(house: OpenHouse, path: str) -> int:
    return [(what, at) for what, _method, at, _came in house.trace].count(("arrived", path))


def test_a_providers_notice_comes_in_by_the_front_door(house):
    """Signed by the provider's own room, posted over the net, judged by the door's own route."""
    token = house.card()
    house.http("POST", "/payment-intents", _order(token), key="k1")
    answers = [came for what, _, path, came in house.trace if (what, path) == ("heard", NOTICES)]
    assert [status for status, *_ in answers] == [200]
    assert house.drivers["provider-a"].loop.state.notices == {}


def test_a_notice_waits_for_a_front_door(house):
    """Nobody listens: the provider's real workshop tries again, later each time, until it is
    taken."""
    token = house.card()
    house.send("POST", "/payment-intents", _order(token), key="k1")
    while not house.truths:
        house.run(without=("provider-a",))
        house.turn("provider-a")
    house.kill("frontdoor")
    house.run()
    house.wait(1_000)
    assert len(house.drivers["provider-a"].loop.state.notices) == 1
    house.start("frontdoor")
    house.wait(60_000)
    assert house.drivers["provider-a"].loop.state.notices == {}
    assert _arrived(house, NOTICES) == 1


def test_a_webhook_goes_out_to_a_shop(house):
    """The endpoint is registered at the door, the event is signed and sent by the dispatcher's own
    works, and the shop hears the line that stands in the outbox."""
    url = {"url": "https://shop.example/hooks"}
    assert house.http("POST", "/webhook-endpoints", url)[0] == 201
    token = house.card()
    house.http("POST", "/payment-intents", _order(token), key="k1")
    house.wait(1_000)
    events = {event["id"] for event in house.events}
    assert {asked.headers["webhook-id"] for asked in house.webhooks} == events
    assert {asked.path for asked in house.webhooks} == {"/hooks"}
    assert all("webhook-signature" in asked.headers for asked in house.webhooks)


def test_a_shop_that_does_not_answer_is_told_again(house):
    """Its silence costs fifteen simulated seconds; the next try finds it well."""
    house.net.sink("shop.example", lambda _asked: None)
    assert house.http("POST", "/webhook-endpoints", {"url": "https://shop.example/hooks"})[0] == 201
    token = house.card()
    house.http("POST", "/payment-intents", _order(token), key="k1")
    house.wait(15_000)
    house.net.sink("shop.example", house.hear)
    house.wait(60_000)
    assert {asked.headers["webhook-id"] for asked in house.webhooks} == {
        event["id"] for event in house.events
    }


def test_an_endpoint_inside_is_refused(house):
    """Addresses are judged by the guard of the product, in simulation too."""
    status, answer = house.http("POST", "/webhook-endpoints", {"url": "https://127.0.0.1/hooks"})
    assert (status, answer["code"]) == (422, "endpoint-not-allowed")


def test_an_order_to_a_supervisor_is_written(house):
    """The front door's own hand writes it, to the file that a supervisor reads."""
    assert house.http("POST", "/actors/gateway/restart")[0] == 202
    assert [one["verb"] for one in house.lines("mailboxes/gateway/control.jsonl")] == ["restart"]


def test_the_same_run_gives_the_same_bytes():
    """Every answer, every file and every logged line: only the seed tells two runs apart."""
    first, again, other = a_day(1), a_day(1), a_day(2)
    assert first == again
    assert first != other
    gc.collect()


def test_no_order_of_a_hash_is_seen():
    """Processes that hash differently live the same day."""
    code = "import hashlib; from tests.scenarios.test_simdoors import a_day;"
    code += "print(hashlib.sha256(repr(a_day(1)).encode()).hexdigest())"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(seen) == 1

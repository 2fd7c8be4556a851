"""The doors in the processes of a simulated machine: supervised, paused, stopped, told to leave."""

from collections.abc import Iterator

import pytest

from actors.simulation.residents import NAMES
from tests.scenarios.manned import Machine, manned


@pytest.fixture
def house() -> Iterator[Machine]:
    with manned() as house:
        yield house


def test_everybody_serves_and_a_killed_door_is_back(house):
    """The supervisor starts the doors as it starts all, and again when they die."""
    assert house.http("GET", "/ready") == (200, {"status": "ready"})
    house.machine.kill("frontdoor")
    house.machine.kill("vault")
    house.bury()
    house.live(2_000)
    status, shown = house.http("GET", "/health")
    epochs = {row["name"]: (row["epoch"], row["restarts"]) for row in shown["actors"]}
    assert (status, shown["status"]) == (200, "ok")
    assert epochs == dict.fromkeys(NAMES, (1, 0)) | {"frontdoor": (2, 1), "vault": (2, 1)}
    came = house.pays("k1")
    house.live(1_000)
    assert [one.status for one in came] == [201]


def test_a_paused_front_door_refuses_in_words(house):
    """It takes no order and says so; resumed, it takes the same one."""
    came = house.pays("k1")
    house.live(1_000)
    house.machine.order("frontdoor", "pause")
    house.live(500)
    status, answer = house.http("POST", "/payment-intents", {}, "k2")
    assert (status, answer["code"]) == (422, "validation-error")  # read before it is refused
    again = house.send("POST", f"/payment-intents/{came[0].json()['id']}/capture", {}, "k3")
    house.live(1_000)
    assert [(one.status, one.json()["code"]) for one in again] == [(503, "actor-restarting")]
    assert house.http("GET", "/payment-intents")[0] == 200
    house.machine.order("frontdoor", "resume")
    house.live(500)
    path = f"/payment-intents/{came[0].json()['id']}/capture"
    assert house.http("POST", path, {}, "k3")[0] == 200


def test_a_house_that_goes_down_answers_whoever_waits(house):
    """The front door leaves first, and tells that it may still happen."""
    house.machine.stop("gateway")
    came = house.pays("k1")
    house.live(1_000)
    assert came == []
    house.machine.shut_down()
    house.live(1_000)
    assert [(one.status, one.json()["code"]) for one in came] == [(504, "actor-restarting")]


def test_a_stopped_front_door_is_replaced(house):
    """It beats no more: its supervisor kills it, its askers hear the connection break, and the
    next one listens."""
    house.machine.stop("frontdoor")
    came = house.send("GET", "/payment-intents")
    house.live(10_000)
    assert [one.word for one in came] == ["disconnected"]
    assert house.http("GET", "/payment-intents")[0] == 200


def test_days_pass_by_the_front_doors_hand(house):
    """`POST /clock` hops from timer to timer through the real cells; days take no time here."""
    came = house.pays("k1")
    house.live(1_000)
    moved = house.send("POST", "/clock", {"advance": "8d"})
    house.live(60_000)
    assert [one.status for one in moved] == [202]  # a long way: it is told where it leads
    path = f"/payment-intents/{came[0].json()['id']}"
    shown = house.http("GET", path)[1]
    assert (shown["state"], shown["reversal_reason"]) == ("reversed", "expired")
    assert house.http("GET", "/clock")[1]["hopping"] is None


def test_an_actor_whose_clock_is_behind_holds_no_advance_up(house):
    """The machine's clock stood for two minutes, and who was started since knows of none of them:
    an advance takes it along, and does not wait for it to be as late by itself."""
    house.machine.time.is_frozen = True
    house.live(120_000)
    house.machine.time.is_frozen = False
    house.machine.kill("gateway")
    house.bury()
    house.live(2_000)
    moved = house.send("POST", "/clock", {"advance": "1h"})
    house.live(20_000)
    shown = house.http("GET", "/clock")[1]
    assert [one.status for one in moved] == [200]
    assert (shown["ahead_ms"], shown["hopping"], shown["stopped"]) == (3_600_000, None, None)


def test_an_advance_that_has_arrived_is_not_waited_for_again(house):
    """Its key says 200 however busy the house is now: what was due on that way is done."""
    order = "POST", "/clock", {"advance": "1s"}, "k1"
    first = house.send(*order)
    house.live(3_000)
    house.machine.stop("gateway")
    again = house.send(*order)
    house.live(3_000)
    assert [one.status for one in (*first, *again)] == [200, 200]
    shown = again[0].json()
    assert (shown["ahead_ms"], shown["hopping"]) == (1_000, None)

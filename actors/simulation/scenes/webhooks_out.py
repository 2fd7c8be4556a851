"""No moment to die in loses a webhook: every effect of its way out is broken, as in
`test_crash_points`; the endpoint then has every event at least once, each under one id."""

from collections import Counter

import msgspec

from actors.dispatcher.errands import Deliver
from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Scene, card
from actors.simulation.hooked import PROCESSED, HookedHouse, add_endpoint
from actors.simulation.house import GOOD, SimHouse
from payrail.domain.words.endpoints import RotateEndpointSecret, SwitchEndpoint


def hooked(house: SimHouse) -> HookedHouse:
    assert isinstance(house, HookedHouse)
    return house


def endpoint_id(house: SimHouse) -> str:
    return str(house.lines("data/access/changes.jsonl")[0]["endpoint_id"])


def registered(house: SimHouse) -> None:
    house.tokenize(GOOD, "card")
    house.run()
    assert house.say(add_endpoint(), "endpoint")[0] == 201


def disabled(house: SimHouse) -> None:
    """The endpoint slept while a payment was made."""
    registered(house)
    switch(house, enabled=False)
    house.say(orders.create(TOKEN, "k_missed"), "missed")


def switch(house: SimHouse, *, enabled: bool) -> None:
    key = f"k_switch_{enabled}"
    order = SwitchEndpoint(
        id=endpoint_id(house),
        enabled=enabled,
        merchant_id="m_001",
        idempotency_key=key,
        request_hash=key,
    )
    house.put(("endpoint.switch", order), f"switch{enabled}")
    house.run()


def fails_at_first(order: Deliver) -> int:
    """Every other event fails once; it is the event's number that says which."""
    return 500 if order.attempt == 1 and order.seq % 2 else 204


def buy(house: SimHouse) -> None:
    """A payment with several events; some of them fail at first."""
    hooked(house).sink.status = fails_at_first
    house.put(orders.create(TOKEN, "k", confirm=True), "q")
    house.run()
    house.wait(1_000)


def first_steps(house: SimHouse) -> None:
    """The endpoint is added, and a payment follows at once."""
    house.put(add_endpoint(), "endpoint")
    house.put(orders.create(TOKEN, "k"), "q")
    house.run()


def enable(house: SimHouse) -> None:
    """What was missed is read again, while more comes."""
    house.put(orders.create(TOKEN, "k"), "q")
    switch(house, enabled=True)
    house.run()


def is_gone(house: SimHouse) -> None:
    """The endpoint answers 410 and is disabled; the merchant enables it when it is there again."""
    sink = hooked(house).sink
    sink.status = lambda _order: 410
    house.put(orders.create(TOKEN, "k"), "q")
    house.run()


def rotate(house: SimHouse) -> None:
    order = RotateEndpointSecret(
        id=endpoint_id(house), merchant_id="m_001", idempotency_key="k_r", request_hash="k_r"
    )
    house.put(("endpoint.rotate", order), "rotate")
    house.put(orders.create(TOKEN, "k"), "q")
    house.run()


def snapshot(house: SimHouse) -> None:
    """A snapshot while a retry waits, and an incarnation that begins with it."""
    hooked(house).sink.status = fails_at_first
    house.put(orders.create(TOKEN, "k", confirm=True), "q")
    house.run()
    house.at_work = "dispatcher"
    house.drivers["dispatcher"].write_documents()
    house.start("dispatcher")
    house.wait(1_000)


def everything_arrived(house: SimHouse) -> None:
    """Each event at least once, each time the same bytes under its own id; nothing left open."""
    house = hooked(house)
    house.sink.status = lambda _order: 204
    house.wait(10_000)
    heard: dict[str, set[bytes]] = {}
    for webhook_id, body in house.sink.heard:
        heard.setdefault(webhook_id, set()).add(body)
    assert {name: [msgspec.json.decode(b) for b in bodies] for name, bodies in heard.items()} == {
        event["id"]: [event] for event in house.events
    }
    state = house.drivers["dispatcher"].loop.state
    assert all(route.pending == {} for route in state.routes.values())
    last = house.lines("data/outbox/events.jsonl")[-1]["seq"]
    about = endpoint_id(house)
    shown = msgspec.json.decode(house.bytes_of(PROCESSED))
    assert shown == {about: {"through_seq": last, "above": []}}
    _each_attempt_stands_once(house)
    assert house.bytes_of("mailboxes/dlq/dispatcher.jsonl") == b""


def disabled_once(house: SimHouse) -> None:
    """Nothing was lost: when the endpoint is enabled again, all of it arrives."""
    facts = [line["type"] for line in house.lines("data/access/changes.jsonl")]
    assert facts == ["endpoint.added", "endpoint.disabled"]
    hooked(house).sink.status = lambda _order: 204
    switch(house, enabled=True)
    everything_arrived(house)


def _each_attempt_stands_once(house: HookedHouse) -> None:
    lines = house.lines("data/outbox/deliveries.jsonl")
    counts = Counter((line["event_id"], line["attempt"]) for line in lines)
    assert all(n == 1 for n in counts.values()), counts
    ended = {line["event_id"] for line in lines if line["status"] == 204}
    assert ended == {event["id"] for event in house.events}


SCENES = tuple(
    Scene(name, setup, story, expect, house=HookedHouse)
    for name, setup, story, expect in (
        ("delivered at the second try", registered, buy, everything_arrived),
        (
            "an endpoint's first event",
            card,
            first_steps,
            everything_arrived,
        ),
        ("enabled again", disabled, enable, everything_arrived),
        ("gone", registered, is_gone, disabled_once),
        ("rotated", registered, rotate, everything_arrived),
        ("snapshot", registered, snapshot, everything_arrived),
    )
)

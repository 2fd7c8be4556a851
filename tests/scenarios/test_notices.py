"""Webhooks of providers in the simulated house: twice, late, early, out of order, or not taken;
the payment ends as it would have without any."""

import pytest

from actors.simulation.house import SimHouse, authorized, open_house
from actors.simulation.orders import authorize, cancel, capture, create, drill
from actors.simulation.sound import must_be_sound

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
DRILLS = (
    "duplicate_webhook",
    "late_webhook:3",
    "late_webhook:259200",
    "early_webhook",
    "reorder_webhooks",
)


def heard(house: SimHouse) -> list[tuple[str, str]]:
    """(reference, what the gateway made of it) of each notice, in the order of their coming."""
    found = []
    for step in house.lines("data/actors/gateway/journal.jsonl"):
        if step["in"]["kind"] == "provider.notice":
            outcome = step["replies"][-1]["body"]["outcome"]
            found.append((step["in"]["line"]["body"]["reference"], outcome))
    return found


def bought(house: SimHouse, token: str, name: str) -> str:
    """A payment that was charged and captured; result: its id."""
    order = create(token, name, confirm=True, capture_method="automatic")
    house.put(order, name)
    house.run()
    for _ in range(3):
        house.wait(400)
    status, body = house.answer(name)
    assert (status, body["state"]) == (201, "captured")
    return str(body["id"])


def ended(house: SimHouse, payment_id: str) -> tuple[list[str], list[tuple[str, int]]]:
    """What the ledger and the providers say of a payment."""
    about = [(t["operation"], t["amount"]) for t in house.truths if payment_id in t["reference"]]
    return house.types(payment_id), about


@pytest.mark.parametrize("do", DRILLS)
def test_a_drill_of_webhooks_changes_no_payment(do: str):
    """Sent twice, late, early or out of order: the same entries, the same truth."""
    plain, token = open_house()
    expected = ended(plain, bought(plain, token, "p"))
    house, token = open_house()
    house.drill(drill(do, "webhook", count=2))
    payment_id = bought(house, token, "p")
    house.clock.advance_business_ms(3 * DAY_MS)
    for _ in range(4):
        house.wait(5_000)

    assert ended(house, payment_id) == expected
    came = [reference for reference, _ in heard(house)]
    twice = 2 if do == "duplicate_webhook" else 1
    assert sorted(came) == sorted([f"{payment_id}.1", f"{payment_id}.2"] * twice)
    must_be_sound(house)


def test_early_notices_are_applied_and_their_replies_are_duplicates():
    """The webhook moved the payment; the reply 300 ms later moved nothing."""
    house, token = open_house()
    house.drill(drill("early_webhook", "webhook", count=2))
    payment_id = bought(house, token, "p")
    assert heard(house) == [(f"{payment_id}.1", "applied"), (f"{payment_id}.2", "applied")]
    must_be_sound(house)


def test_reordered_notices_come_the_other_way_round():
    """The second first."""
    house, token = open_house()
    house.drill(drill("reorder_webhooks", "webhook"))
    payment_id = bought(house, token, "p")
    assert [reference for reference, _ in heard(house)] == [f"{payment_id}.2", f"{payment_id}.1"]


def test_nobody_at_the_door_costs_a_payment_nothing():
    """Notices wait while nobody takes them, through kills, and come when somebody does."""
    house, token = open_house()
    house.doors_closed = True
    payment_id = bought(house, token, "p")
    assert heard(house) == []
    for _ in range(3):
        house.start("provider-a")
        house.wait(10_000)
    house.doors_closed = False
    house.wait(60_000)
    assert sorted(heard(house)) == [
        (f"{payment_id}.1", "duplicate"),
        (f"{payment_id}.2", "duplicate"),
    ]
    assert len({notice.notice_id for notice in house.posted}) == 2
    must_be_sound(house)


def test_a_webhook_resolves_a_timed_out_charge_before_the_provider_is_asked():
    """The provider's reply comes too late; its webhook says what happened."""
    house, token = open_house()
    _, payment = house.say(create(token, "c"), "c")
    house.drill(drill("slow:5200", fence=False))
    house.drill(drill("hang", "status", count=None))
    house.put(authorize(payment["id"], "a"), "a")
    house.run()
    house.wait(5_000)
    assert house.answer("a")[0] == 202
    house.drill(drill("early_webhook", "webhook"))
    house.wait(201)
    assert heard(house)[-1] == (f"{payment['id']}.1", "applied")
    assert house.types(payment["id"])[-2:] == ["payment.unknown", "payment.authorized"]


def test_a_late_approval_is_given_back_once_whoever_tells_of_it():
    """Fenced and closed, then approved behind our back: told by webhook first, by reply after."""
    house, token = open_house()
    _, payment = house.say(create(token, "c"), "c")
    house.drill(drill("slow:20000", fence=False))
    house.drill(drill("early_webhook", "webhook", count=None))
    house.put(authorize(payment["id"], "a"), "a")
    house.run()
    for wait_ms in (5_000, 15_000, 400, 400, 5_000):
        house.wait(wait_ms)

    assert house.types(payment["id"])[-2:] == [
        "payment.declined",
        "payment.late_approval_reversed",
    ]
    assert [t["operation"] for t in house.truths] == ["authorize", "reverse"]
    assert heard(house) == [
        (f"{payment['id']}.1", "applied"),
        (f"{payment['id']}.2", "applied"),
    ]
    must_be_sound(house)


@pytest.mark.parametrize("verb", [capture, cancel])
def test_approve_then_hang_sends_no_webhook(verb):
    """Neither reply nor webhook, until somebody asks."""
    house, token = open_house()
    payment_id = authorized(house, token)
    operation = "capture" if verb is capture else "reverse"
    house.drill(drill("approve_then_hang", operation))
    house.put(verb(payment_id), "v")
    house.run()
    assert [reference for reference, _ in heard(house)] == [f"{payment_id}.1"]
    house.wait(5_000)
    assert house.answer("v")[0] == 200
    assert [reference for reference, _ in heard(house)] == [f"{payment_id}.1"]
    must_be_sound(house)

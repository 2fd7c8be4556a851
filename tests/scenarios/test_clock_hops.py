"""Three weeks of business time in the simulated house, from timer to timer: the order of the ledger
is the order in which things are due."""

from typing import Any

from actors.simulation import orders
from actors.simulation.house import authorized
from actors.simulation.settled import DAY_MS, SettledHouse
from payrail.domain.timestamps import parse_iso
from payrail.runtime.hopping import Seen, next_stop
from payrail.runtime.rests import Rested

HOUR_MS = 3_600_000


def hop(house: SettledHouse, ms: int) -> list[int]:
    """Advance as the front door does; result: the stops. Wire time does not move."""
    now = house.clock.now()
    wire_ms, to_ms, stops = now.wire_ms, now.business_ms + ms, []
    house.run()
    while (at_ms := house.clock.now().business_ms) < to_ms:
        seen = {name: _seen(driver) for name, driver in house.drivers.items()}
        stop_ms = next_stop(seen, to_ms)
        assert stop_ms > at_ms, "something that is due was not done"
        house.clock.advance_business_ms(stop_ms - at_ms)
        house.run()
        stops.append(stop_ms)
    assert house.clock.now().wire_ms == wire_ms
    return stops


def _seen(driver: Any) -> Seen:
    due_ms = driver.loop.alarms.next_business_ms()
    assert driver.is_at_rest
    return Seen(1, "serving", Rested(busy=False, due_ms=due_ms))


def booked_at(house: SettledHouse) -> list[tuple[int, str]]:
    """(business time, type) of each entry, in the ledger's order."""
    found: dict[int, tuple[int, str]] = {}
    for line in house.lines("data/actors/gateway/journal.jsonl"):
        at_ms = parse_iso(line["at"]) + line.get("ahead_ms", 0)
        for posted in line.get("books", ()):
            entry = posted["line"]
            if "causation_id" in entry and "seq" in entry and "postings" in entry:
                found[entry["seq"]] = at_ms, entry["type"]
    return [found[seq] for seq in sorted(found)]


def test_three_weeks_happen_in_the_order_in_which_they_are_due():
    """A refund that nobody approves expires after 72 h, a hold after 7 d; cut-offs close batches,
    what they settle is paid out the morning after and arrives on a working day."""
    house = SettledHouse()
    house.start()
    token = house.card()
    house.captured(token, "early", 5000)
    began_ms = house.clock.now().business_ms
    paid = house.captured(token, "refunded", 3000)
    assert house.say(orders.refund(paid, 400, "r1"), "r1")[0] == 201
    authorized(house, token, "held", amount=700)
    stops = hop(house, 21 * DAY_MS)

    assert stops == sorted(set(stops))
    happened = booked_at(house)
    times = [at_ms for at_ms, _ in happened]
    assert times == sorted(times)
    first = {kind: at_ms - began_ms for at_ms, kind in reversed(happened)}
    assert 72 * HOUR_MS <= first["refund.expired"] < 73 * HOUR_MS
    assert 7 * DAY_MS <= first["payment.reversed"] < 7 * DAY_MS + HOUR_MS
    assert first["payment.settled"] == 13 * HOUR_MS  # midnight, and the job of an hour later
    assert first["payout.created"] == 18 * HOUR_MS  # at six
    assert first["payout.paid"] == 48 * HOUR_MS  # noon of the next working day
    made = [e for e in house.entries if e["type"] == "payout.created"]
    assert len(made) == 1
    assert house.balance("liability:m_001:available") == 0
    assert {stop % HOUR_MS for stop in stops if stop % HOUR_MS} <= {
        stop % HOUR_MS for stop in (began_ms + 72 * HOUR_MS, began_ms + 7 * DAY_MS, stops[-1])
    }


def test_a_sale_of_each_day_is_paid_out_each_morning():
    """Every day's captures are settled, and one payout a day takes what they left, not more."""
    house = SettledHouse()
    house.start()
    token = house.card()
    for day in range(5):
        house.captured(token, f"day{day}", 5000)
        hop(house, DAY_MS)

    made = [e for e in house.entries if e["type"] == "payout.created"]
    assert len(made) == 5
    assert [e["data"]["date"] for e in made] == [f"2026-02-{day}" for day in range(10, 15)]
    settled = sum(e["amount"] for e in house.entries if e["type"] == "payment.settled")
    assert settled == 5 * 5000
    assert house.balance("liability:m_001:available") == 0

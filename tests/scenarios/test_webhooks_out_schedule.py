"""Days of an endpoint in moments: the whole standard schedule on a simulated clock."""

from itertools import pairwise

import pytest

from actors.simulation import orders
from actors.simulation.crashes import TOKEN
from actors.simulation.hooked import HookedHouse, add_endpoint
from actors.simulation.house import GOOD
from payrail.domain.messages import ReplayDeadLetter
from payrail.domain.timestamps import parse_iso
from payrail.domain.webhooks import SCHEDULES
from payrail.runtime.deadletters import book_path

HOUR_MS = 3_600_000


class PatientHouse(HookedHouse):
    schedule = "standard"


@pytest.fixture
def house() -> PatientHouse:
    """An endpoint that answers nothing but 500, and one event for it."""
    house = PatientHouse()
    house.start()
    house.tokenize(GOOD, "card")
    house.run()
    assert house.say(add_endpoint(), "endpoint")[0] == 201
    house.sink.status = lambda _order: 500
    assert house.say(orders.create(TOKEN, "k"), "q")[0] == 201
    return house


def tried(house: HookedHouse) -> list[int]:
    """When each attempt was made."""
    return [parse_iso(line["at"]) for line in house.lines("data/outbox/deliveries.jsonl")]


def test_an_endpoint_that_is_down_for_three_days_loses_nothing(house: PatientHouse):
    """The tenth attempt, after 75 hours and some jitter, delivers the same bytes as the first;
    meanwhile the dispatcher dies each day."""
    hours = 0
    while len(tried(house)) < 9:
        house.wait(HOUR_MS)
        hours += 1
        if hours % 24 == 0:
            house.start("dispatcher")
    house.sink.status = lambda _order: 204
    while len(tried(house)) < 10:
        house.wait(HOUR_MS)

    waits_ms = [later - sooner for sooner, later in pairwise(tried(house))]
    planned = SCHEDULES["standard"].waits_ms
    slack_ms = (
        HOUR_MS + 1
    )  # The clock is moved by the hour, and a timer fires when it is looked at.
    assert all(
        plain <= wait <= plain * 1.2 + slack_ms
        for plain, wait in zip(planned, waits_ms, strict=True)
    )
    assert 75 * HOUR_MS < tried(house)[-1] - tried(house)[0] < 100 * HOUR_MS
    assert len({body for _, body in house.sink.heard}) == 1
    assert house.bytes_of(book_path("dispatcher")) == b""


def test_an_endpoint_that_stays_down_ends_in_one_letter_that_can_be_replayed(house: PatientHouse):
    """After ten attempts it is given up; a replay once, and once more, delivers it once."""
    while len(tried(house)) < 10:
        house.wait(HOUR_MS)
    (letter,) = house.lines(book_path("dispatcher"))
    assert (letter["why"], letter["error"]["message"]) == (
        "exhausted",
        "10 attempts, the last one: status 500",
    )
    house.wait(100 * HOUR_MS)
    assert len(tried(house)) == 10

    house.sink.status = lambda _order: 204
    for re in ("again", "and again"):
        house.ask("dlq.replay", ReplayDeadLetter(letter["id"]), re, "dispatcher")
        house.run()
    assert len(tried(house)) == 11
    assert len({(name, body) for name, body in house.sink.heard}) == 1

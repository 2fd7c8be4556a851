"""A dead letter that is replayed has its effect under the key that its merchant gave."""

from typing import Any

from actors.simulation import orders
from actors.simulation.crashes import TOKEN, card
from actors.simulation.disputed import later
from actors.simulation.scenes.hand_lines import (
    LETTERS,
    POISONED,
    FragileHouse,
    fragile,
    set_aside,
    twice,
)
from actors.simulation.settled import DAY_MS
from payrail.domain.messages import ReplayDeadLetter

HOUR_MS = 3_600_000


def with_a_letter() -> tuple[FragileHouse, str]:
    """A payment failed by a rule and the rule was mended; result: also the id of its letter."""
    house = FragileHouse()
    house.start()
    set_aside(house)
    (letter,) = house.lines(LETTERS)
    return house, letter["id"]


def replay(house: FragileHouse, letter: str, name: str = "replay") -> tuple[int, dict[str, Any]]:
    """What is told to whoever replays it."""
    return house.say(("dlq.replay", ReplayDeadLetter(letter)), name)


def replayed() -> FragileHouse:
    """A payment failed by a rule; the rule was mended, and people replayed the letter."""
    house, _ = with_a_letter()
    twice("dlq.replay")(house)
    return house


def test_a_key_whose_letter_was_replayed_gives_that_payment() -> None:
    """The merchant was told to use its key again: it gets what the replay made, not another."""
    house = replayed()
    (made,) = house.entries

    status, body = house.say(orders.create(TOKEN, POISONED), "again")

    assert (status, body["id"]) == (201, made["ref"])
    assert len(house.entries) == 1


def test_another_body_under_a_replayed_key_is_told_what_differs() -> None:
    """As under any key that was used: nothing is made, and the difference is named."""
    house = replayed()

    status, body = house.say(orders.create(TOKEN, POISONED, amount=5), "again")

    assert (status, body["code"]) == (422, "idempotency-key-reused")
    assert [one["field"] for one in body["diff"]] == ["amount"]
    assert len(house.entries) == 1


def test_a_letter_that_is_older_than_its_key_makes_no_second_payment() -> None:
    """The merchant used its key again and it was forgotten since: nobody could tell by the key. The
    replay is refused, says what to do instead, and the letter stays open."""
    house, letter = with_a_letter()
    assert house.say(orders.create(TOKEN, POISONED), "again")[0] == 201
    later(house, DAY_MS)

    status, body = replay(house, letter)

    assert (status, body["code"], body["legal"]) == (409, "illegal-transition", ["drop"])
    assert "a new key" in body["detail"]
    assert len(house.entries) == 1
    assert set(house.drivers["gateway"].loop.head.dead) == {letter}
    house.start("gateway")
    assert replay(house, letter, "later")[0] == 409
    assert len(house.entries) == 1


def test_a_letter_is_replayed_until_its_key_may_have_been_forgotten() -> None:
    """A moment before the day is over whatever its key did since is still known."""
    house, letter = with_a_letter()
    later(house, DAY_MS - 60_000)

    assert replay(house, letter)[0] == 200
    assert [entry["type"] for entry in house.entries] == ["payment.created"]


def test_a_key_that_was_used_after_its_letter_makes_nothing_by_a_replay() -> None:
    """Within the day the key is known: the replay finds what it has done."""
    house, letter = with_a_letter()
    assert house.say(orders.create(TOKEN, POISONED), "again")[0] == 201
    fragile(house, is_fragile=False)

    assert replay(house, letter)[0] == 200
    assert len(house.entries) == 1


def test_a_letter_about_a_known_key_makes_no_second_payment_once_the_key_is_old() -> None:
    """The merchant asked twice under one key and the rule failed for the second time of asking: a
    replay finds what the first has made, though the key has expired and others were taken since."""
    house = FragileHouse()
    house.start()
    card(house)
    assert house.say(orders.create(TOKEN, POISONED), "first")[0] == 201
    later(house, DAY_MS - HOUR_MS)
    fragile(house, is_fragile=True)
    assert house.say(orders.create(TOKEN, POISONED), "twin")[0] == 500
    fragile(house, is_fragile=False)
    (letter,) = house.lines(LETTERS)
    later(house, 2 * HOUR_MS)
    assert house.say(orders.create(TOKEN, "k_other"), "other")[0] == 201

    assert replay(house, letter["id"])[0] == 200
    assert [entry["type"] for entry in house.entries] == ["payment.created"] * 2

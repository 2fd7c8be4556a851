"""A dead letter that is replayed has its effect under the key that its merchant gave."""

from actors.simulation import orders
from actors.simulation.crashes import TOKEN
from actors.simulation.scenes.hand_lines import POISONED, FragileHouse, set_aside, twice


def replayed() -> FragileHouse:
    """A payment failed by a rule; the rule was mended, and people replayed the letter."""
    house = FragileHouse()
    house.start()
    set_aside(house)
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

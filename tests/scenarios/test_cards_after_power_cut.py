"""A power cut takes what the vault had sent: nobody is told that a good token is unknown."""

from actors.simulation import orders
from actors.simulation.house import GOOD, SimHouse
from payrail.runtime.sim import Dropped


def test_a_token_is_not_unknown_before_the_vault_has_told_all():
    """The gateway is back before the vault: 503 with the same key to try again, and then a
    payment."""
    house = SimHouse()
    house.start()
    token = house.tokenize(GOOD, "card")
    while "card" not in house.replies:  # the vault has said yes, and the gateway has not looked
        house.turn("vault")
        house.collect()
    house = house.cut_power(Dropped())
    house.start("gateway", "provider-a", "provider-b")

    status, body = house.say(orders.create(token, "k"), "early")
    house.start("vault").run()
    later, made = house.say(orders.create(token, "k"), "later")

    assert (status, body["code"], body["retryable"]) == (503, "actor-restarting", True)
    assert (later, made["state"]) == (201, "created")


def test_a_token_that_nobody_knows_is_refused_for_good():
    """Once the vault has told, what is unknown is unknown."""
    house = SimHouse()
    house.start()
    house.run()

    status, body = house.say(orders.create("tok_nobody", "k"), "q")

    assert (status, body["code"]) == (422, "unknown-token")

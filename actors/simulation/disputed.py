"""The simulated house with disputes: test cards, days that pass, answers and their texts."""

from actors.simulation import orders
from actors.simulation.house import SimHouse, authorized
from actors.simulation.settled import SettledHouse

#: Documented to be disputed, to be warned of, and to send its refunds back.
FRAUDULENT, WARNED_OF = "4000000000000259", "4000000000005423"
SENT_BACK = "4000000000005126"
MINUTE_MS = 60_000


def pays(house: SimHouse, card: str = FRAUDULENT) -> str:
    """A captured payment of 50.00 with this card; result: its id."""
    token = house.tokenize(card, "card")
    house.run()
    payment_id = authorized(house, token, amount=5000)
    assert house.say(orders.capture(payment_id), "captured")[0] == 200
    return payment_id


def a_house(card: str = FRAUDULENT) -> tuple[SettledHouse, str]:
    """A house with one captured payment of such a card."""
    house = SettledHouse()
    house.start()
    return house, pays(house, card)


def later(house: SimHouse, ms: int) -> None:
    """Business time passes."""
    house.clock.advance_business_ms(ms)
    house.run()


def disputed(house: SimHouse) -> str:
    """The cardholder has disputed; result: our name for it."""
    later(house, MINUTE_MS)
    (ident,) = house.state.disputes.open
    return str(ident)


def answered(house: SimHouse, text: str) -> str:
    """It is disputed, and answered with this text; result: our name for it."""
    ident = disputed(house)
    assert house.say(orders.evidence(ident, order_details=text), "e")[0] == 200
    assert house.say(orders.submit(ident), "s")[0] == 200
    return ident

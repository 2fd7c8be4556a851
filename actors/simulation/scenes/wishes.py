"""What a request, a name or an amount asks to go wrong does so once, whoever dies at whatever
effect; what was approved is true, and what was fenced never is."""

from msgspec import structs

from actors.gateway.settings import Rules
from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Act, Scene
from actors.simulation.house import GOOD, SimHouse, authorized
from actors.simulation.scenes.payments import (
    ELSEWHERE,
    HELD,
    created,
    ends,
    made_unless_fenced,
    order,
    the_payment,
)
from payrail.domain.cards import luhn_digit
from payrail.domain.fault_wishes import parse_wish
from payrail.domain.routing import RoutingTable

GENERATED = "400012345678901" + luhn_digit("400012345678901")
#: Authorized, and its settlement declined.
SETTLES_NEVER = 400_100
REFUSED = (*HELD, "payment.capture_requested", "payment.operation_failed")


def b_first() -> SimHouse:
    """Names and amounts are looked at by one provider."""
    return SimHouse(rules=Rules(routing=RoutingTable(order=("providerB", "providerA"))))


def wished(do: str, *waits_ms: int) -> Act:
    """The one payment is authorized, with a fault in the request's header."""

    def story(house: SimHouse) -> None:
        kind, body = orders.authorize(the_payment(house), "k")
        fault = parse_wish({"do": do}, "authorize")
        house.put((kind, structs.replace(body, fault=fault)), "q")
        house.run()
        for wait_ms in waits_ms:
            house.wait(wait_ms)

    return story


def called_pending(house: SimHouse) -> None:
    """A payment with a card whose holder is called PENDING."""
    house.tokenize(GOOD, "card", holder="PENDING")
    house.run()
    assert house.say(orders.create(TOKEN, "k_c"), "c")[0] == 201


def settles_never(house: SimHouse) -> None:
    """A hold whose amount asks that no capture of it is accepted."""
    house.tokenize(GENERATED, "card")
    house.run()
    authorized(house, TOKEN, amount=SETTLES_NEVER)


SCENES = (
    Scene("safe refusal by header", created, wished("down"), ends(200, *ELSEWHERE)),
    Scene(
        "doubt by header",
        created,
        wished("approve_then_hang", 5_000),
        made_unless_fenced,
    ),
    Scene(
        "pending by name",
        called_pending,
        order(orders.authorize, 5_000, 55_000, 60_000),
        made_unless_fenced,
        house=b_first,
    ),
    Scene(
        "settlement declined by amount",
        settles_never,
        order(orders.capture),
        ends(402, *REFUSED),
        house=b_first,
    ),
)

"""Holds expire once and cases close once, whoever dies at whatever effect."""

from collections import Counter

from actors.gateway.settings import HOLD_MS
from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Act, Scene, card
from actors.simulation.house import SimHouse, authorized

HELD = ("payment.created", "payment.attempt_started", "payment.authorized")
TAKEN = ("payment.capture_requested", "payment.captured", "fee.charged")
LAST_MS = 60_000
DAY_MS = 24 * 3_600_000
#: When the asks about a silent provider come: after the time of the call, and after each wait.
ASKS_MS = (5_000, 5_000, 30_000, 300_000, 3_600_000, DAY_MS, DAY_MS)


def held(house: SimHouse) -> None:
    """A hold that ends within a minute: the daily jobs of the week before are not the story."""
    card(house)
    authorized(house, TOKEN)
    house.clock.advance_business_ms(HOLD_MS - LAST_MS)
    house.run()


def partly_captured(house: SimHouse) -> None:
    held(house)
    order = orders.capture(the_payment(house), amount=400, final_capture=False)
    assert house.say(order, "captured")[0] == 200


def partly_captured_and_lost(house: SimHouse) -> None:
    """What was captured of a hold is charged back; the rest is still held."""
    partly_captured(house)
    assert house.say(orders.dispute(the_payment(house)), "disputed")[0] == 201
    ident = next(str(e["ref"]) for e in house.entries if e["type"] == "dispute.opened")
    assert house.say(orders.accept(ident), "given up")[0] == 200


def the_payment(house: SimHouse) -> str:
    return str(house.entries[0]["ref"])


def the_last_minute(house: SimHouse) -> None:
    house.clock.advance_business_ms(LAST_MS)
    house.run()


def capture_in_doubt_over_the_end(house: SimHouse) -> None:
    """The capture is done and not told; the hold's time ends before the first ask."""
    house.put(orders.capture(the_payment(house), "k"), "q")
    house.run()
    the_last_minute(house)
    house.wait(5_000)


def silent(house: SimHouse) -> None:
    """A capture that the provider says nothing about for two days."""
    card(house)
    authorized(house, TOKEN)
    house.put(orders.capture(the_payment(house), "k_silent"), "silent")
    for wait_ms in ASKS_MS:
        house.run(without=("provider-a",))
        house.wait(wait_ms, without=("provider-a",))
    assert len(house.state.cases) == 1


def held_and_drilled(house: SimHouse) -> None:
    held(house)
    house.drill(orders.drill("approve_then_hang", "capture"))


def mismatched(house: SimHouse) -> None:
    """A charge of another amount than was asked for: a case, beside the payment that is held."""
    card(house)
    authorized(house, TOKEN)
    house.drill(orders.drill("wrong_amount", "authorize"))
    order = orders.create(TOKEN, "k_wrong", confirm=True)
    assert house.say(order, "wrong")[0] == 402
    assert len(house.state.cases) == 1


def people_close(house: SimHouse) -> None:
    ident = next(str(e["ref"]) for e in house.entries if e["type"] == "case.opened")
    house.put(orders.case_closed(ident, "looked into", "k"), "q")
    house.run()


def ends(*types: str, cases: int = 0) -> Act:
    """The payment has these entries beside doubt; so many cases were opened and closed."""

    def expect(house: SimHouse) -> None:
        found = [t for t in house.types(the_payment(house)) if t != "payment.unknown"]
        assert found == list(types), found
        counts = Counter(e["type"] for e in house.entries)
        assert (counts["case.opened"], counts["case.closed"]) == (cases, cases)
        assert house.state.cases == {}

    return expect


SCENES = (
    Scene(
        "hold expires",
        held,
        the_last_minute,
        ends(*HELD, "payment.reversal_requested", "payment.reversed"),
    ),
    Scene(
        "rest of a hold expires",
        partly_captured,
        the_last_minute,
        ends(*HELD, *TAKEN, "payment.reversal_requested", "payment.released"),
    ),
    Scene(
        "rest of a hold expires after a lost dispute",
        partly_captured_and_lost,
        the_last_minute,
        ends(
            *HELD,
            *TAKEN,
            "payment.charged_back",
            "payment.reversal_requested",
            "payment.released",
        ),
    ),
    Scene(
        "hold ends while a capture is in doubt",
        held_and_drilled,
        capture_in_doubt_over_the_end,
        ends(*HELD, *TAKEN),
    ),
    Scene("case closed by its outcome", silent, SimHouse.run, ends(*HELD, *TAKEN, cases=1)),
    Scene("case closed by people", mismatched, people_close, ends(*HELD, cases=1)),
)

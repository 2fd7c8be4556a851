"""No moment to die in is a bad one: every effect of every scene of the whole house is broken.

A kill takes the one actor whose effect it was, or all of them; a power cut takes everything and
what was not synced; a disk fails once. Then the merchant repeats what it does not know.
"""

from collections.abc import Callable
from typing import Any

from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Act, Scene, card
from actors.simulation.house import ACTORS, GOOD, SimHouse, authorized
from actors.simulation.orders import Order


def created(house: SimHouse) -> None:
    card(house)
    assert house.say(orders.create(TOKEN, "k_c"), "c")[0] == 201


def drilled(do: str, operation: str = "authorize", **more: Any) -> Act:
    def setup(house: SimHouse) -> None:
        created(house)
        house.drill(orders.drill(do, operation, **more))

    return setup


def card_and_drill(do: str, operation: str) -> Act:
    def setup(house: SimHouse) -> None:
        card(house)
        house.drill(orders.drill(do, operation))

    return setup


def held(house: SimHouse) -> None:
    card(house)
    authorized(house, TOKEN)


def nearly_open(house: SimHouse) -> None:
    """One payment waits for its turn; for four others the first provider refused the charge."""
    created(house)
    house.drill(orders.drill("down", count=5))
    for number in range(4):
        authorized(house, TOKEN, f"other{number}")


def opened(house: SimHouse) -> None:
    nearly_open(house)
    order(orders.authorize)(house)


def pause_over(house: SimHouse) -> None:
    """The thirty seconds of an open breaker pass."""
    house.wait(30_000)


def held_and_drilled(do: str, operation: str) -> Act:
    def setup(house: SimHouse) -> None:
        held(house)
        house.drill(orders.drill(do, operation))

    return setup


def the_payment(house: SimHouse) -> str:
    return str(house.entries[0]["ref"])


def order(make: Callable[..., Order], *waits_ms: int, **fields: Any) -> Act:
    """One order about the one payment, and then some time."""

    def story(house: SimHouse) -> None:
        house.put(make(the_payment(house), "k", **fields), "q")
        house.run()
        for wait_ms in waits_ms:
            house.wait(wait_ms)

    return story


def create(house: SimHouse) -> None:
    house.put(orders.create(TOKEN, "k"), "q")
    house.run()


def buy(house: SimHouse) -> None:
    """Created, authorized and captured by one order."""
    house.put(orders.create(TOKEN, "k", confirm=True, capture_method="automatic"), "q")
    house.run()


def birth(house: SimHouse) -> None:
    """The first start of all, and the first card."""
    house.tokenize(GOOD, "card")
    house.start()
    house.run()


def snapshot(house: SimHouse) -> None:
    """A charge, a snapshot of everybody, and an incarnation that begins with it."""
    order(orders.authorize)(house)
    for name in ACTORS:
        house.at_work = name
        house.drivers[name].write_documents()
    house.start()


def nobody_at_the_door(house: SimHouse) -> None:
    """A charge whose notice finds nobody at first."""
    house.doors_closed = True
    order(orders.authorize)(house)
    house.doors_closed = False
    house.wait(600)


def ends(status: int, *types: str) -> Act:
    """The order is answered so, and the payment has these entries, whatever happened between."""

    def expect(house: SimHouse) -> None:
        finals = {
            reply.status
            for re, question in house.witness.questions.items()
            if re.partition("~")[0] == "q"
            for reply in house.replies.get(re, ())
            if reply.status not in (202, 409)
        }
        assert finals == {status}
        (payment_id,) = {e["ref"] for e in house.entries if e["type"].startswith("payment.")}
        found = [t for t in house.types(payment_id) if t != "payment.unknown"]
        assert found == list(types), found

    return expect


def made_unless_fenced(house: SimHouse) -> None:
    """The ask finds the charge that was made, or fences one that is still to come: which of them,
    is also decided by a disk that has kept the one or the other back."""
    if house.truths:
        ends(200, *HELD)(house)
    else:
        ends(402, *TRIED, "payment.declined")(house)


def given_back_if_late(house: SimHouse) -> None:
    """A charge that comes after its payment was closed is given back. One that a stuck spool has
    let come before the ask is found, and one that it has kept too long is never made."""
    is_late = any(entry["type"] == LATE[-1] for entry in house.entries)
    (ends(402, *LATE) if is_late else made_unless_fenced)(house)


def opened_once(house: SimHouse) -> None:
    """The fifth refusal opened the breaker, and after its pause it is half open."""
    moves = [e["type"] for e in house.entries if e["ref"] == "providerA"]
    assert moves == ["provider.breaker_opened", "provider.half_opened"]
    assert house.types(the_payment(house)) == list(ELSEWHERE)
    assert len(house.truth_of("providerB")) == 5
    assert house.truth_of("providerA") == []


def is_known(house: SimHouse) -> None:
    assert TOKEN in house.state.cards


CREATED = ("payment.created",)
TRIED = (*CREATED, "payment.attempt_started")
ELSEWHERE = (*TRIED, "payment.attempt_started", "payment.authorized")
HELD = (*TRIED, "payment.authorized")
TAKEN = (*HELD, "payment.capture_requested", "payment.captured", "fee.charged")
LATE = (*TRIED, "payment.declined", "payment.late_approval_reversed")

SCENES = (
    Scene("birth", lambda _house: None, birth, is_known, from_nothing=True),
    Scene("create", card, create, ends(201, *CREATED)),
    Scene("authorize", created, order(orders.authorize), ends(200, *HELD)),
    Scene("snapshot", created, snapshot, ends(200, *HELD)),
    Scene("buy", card, buy, ends(201, *TAKEN)),
    Scene(
        "decline",
        drilled("decline:do_not_honor"),
        order(orders.authorize),
        ends(402, *TRIED, "payment.declined"),
    ),
    Scene("failover", drilled("down"), order(orders.authorize), ends(200, *ELSEWHERE)),
    Scene("breaker opens", nearly_open, order(orders.authorize), opened_once),
    Scene("breaker half opens", opened, pause_over, opened_once),
    Scene("capture", held, order(orders.capture), ends(200, *TAKEN)),
    Scene(
        "capture in part",
        held,
        order(orders.capture, amount=1000),
        ends(200, *TAKEN, "payment.released"),
    ),
    Scene(
        "cancel",
        held,
        order(orders.cancel),
        ends(200, *HELD, "payment.reversal_requested", "payment.reversed"),
    ),
    Scene(
        "found by asking",
        drilled("approve_then_hang"),
        order(orders.authorize, 5_000),
        made_unless_fenced,
    ),
    Scene(
        "fenced",
        drilled("slow:20000"),
        order(orders.authorize, 5_000, 15_000),
        made_unless_fenced,
    ),
    Scene(
        "late approval",
        drilled("slow:20000", fence=False),
        order(orders.authorize, 5_000, 15_000),
        given_back_if_late,
    ),
    Scene(
        "capture in doubt",
        held_and_drilled("approve_then_hang", "capture"),
        order(orders.capture, 5_000),
        ends(200, *TAKEN),
    ),
    Scene(
        "early webhook",
        drilled("early_webhook", "webhook"),
        order(orders.authorize, 300),
        ends(200, *HELD),
    ),
    Scene(
        "webhook sent twice",
        drilled("duplicate_webhook", "webhook"),
        order(orders.authorize),
        ends(200, *HELD),
    ),
    Scene(
        "webhooks out of order",
        card_and_drill("reorder_webhooks", "webhook"),
        buy,
        ends(201, *TAKEN),
    ),
    Scene("webhook that nobody took", created, nobody_at_the_door, ends(200, *HELD)),
    Scene(
        "wrong amount",
        drilled("wrong_amount"),
        order(orders.authorize),
        ends(402, *LATE),
    ),
)

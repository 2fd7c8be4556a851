"""An order about a dispute is carried out once and answered once, whoever dies at whatever effect.

What a provider does by itself is in `test_provider_dispute_crash`.
"""

from collections import Counter
from collections.abc import Callable

from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Act, Scene, card
from actors.simulation.house import SimHouse, authorized
from actors.simulation.orders import Order

AMOUNT = 1099
LOST = ("dispute.lost", "payment.charged_back")
ANSWERED = ("dispute.opened", "dispute.evidence_added", "dispute.submitted")


def paid(house: SimHouse) -> None:
    card(house)
    assert house.say(orders.capture(authorized(house, TOKEN)), "captured")[0] == 200


def disputed(house: SimHouse) -> None:
    """The cardholder disputes a captured payment."""
    paid(house)
    assert house.say(orders.dispute(the_payment(house)), "disputed")[0] == 201


def with_evidence(text: str) -> Act:
    def setup(house: SimHouse) -> None:
        disputed(house)
        order = orders.evidence(the_dispute(house), usage_log=text)
        assert house.say(order, "evidence")[0] == 200

    return setup


def answered(text: str) -> Act:
    def setup(house: SimHouse) -> None:
        with_evidence(text)(house)
        assert house.say(orders.submit(the_dispute(house)), "submitted")[0] == 200

    return setup


def the_payment(house: SimHouse) -> str:
    return str(house.entries[0]["ref"])


def the_dispute(house: SimHouse) -> str:
    return next(str(e["ref"]) for e in house.entries if e["type"] == "dispute.opened")


def ask_for(order: Callable[[SimHouse], Order]) -> Act:
    """One order, and all that follows from it."""

    def story(house: SimHouse) -> None:
        house.put(order(house), "q")
        house.run()

    return story


def open_it(house: SimHouse) -> Order:
    return orders.dispute(the_payment(house), "k")


def add_evidence(house: SimHouse) -> Order:
    return orders.evidence(the_dispute(house), "k", usage_log="winning_evidence")


def submit_it(house: SimHouse) -> Order:
    return orders.submit(the_dispute(house), "k")


def give_in(house: SimHouse) -> Order:
    return orders.accept(the_dispute(house), "k")


def have_it_ruled(house: SimHouse) -> Order:
    return orders.resolve(the_dispute(house), "won", "k")


def ends(*types: str) -> Act:
    """The dispute has these entries; the provider's truth and our books agree on the money."""

    def expect(house: SimHouse) -> None:
        about = [e for e in house.entries if e["type"].startswith(("dispute.", "payment.charged"))]
        assert [e["type"] for e in about] == list(types)
        assert len({e["ref"] for e in about if e["type"].startswith("dispute.")}) == 1
        done = Counter(t["operation"] for t in house.truths if t["operation"] in _MONEY)
        assert done == Counter(_MOVED_BY[name] for name in types if name in _MOVED_BY)
        view = house.state.payments[the_payment(house)]
        is_open, is_lost = types[-1] not in (*LOST, "dispute.won"), types[-1] in LOST
        claimed = (view.amount_disputed, view.amount_charged_back)
        assert claimed == (AMOUNT * is_open, AMOUNT * is_lost)
        assert not [e for e in house.entries if e["type"] == "case.opened"]

    return expect


_MOVED_BY = {
    "dispute.opened": "chargeback",
    "dispute.submitted": "dispute_fee",
    "dispute.won": "chargeback_reversed",
}
_MONEY = frozenset(_MOVED_BY.values())

SCENES = (
    Scene("opened by order", paid, ask_for(open_it), ends("dispute.opened")),
    Scene(
        "evidence",
        disputed,
        ask_for(add_evidence),
        ends("dispute.opened", "dispute.evidence_added"),
    ),
    Scene("submitted", with_evidence("x"), ask_for(submit_it), ends(*ANSWERED)),
    Scene(
        "won by order",
        answered("x"),
        ask_for(have_it_ruled),
        ends(*ANSWERED, "dispute.won"),
    ),
    Scene("given up", disputed, ask_for(give_in), ends("dispute.opened", *LOST)),
)

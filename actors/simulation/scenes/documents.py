"""Snapshots at every moment: an actor that saves itself after each of its turns, and dies of it.

The stories are those of other rooms; here somebody writes all its documents in the middle of them.
"""

from actors.simulation import orders
from actors.simulation.crashes import Act, Scene
from actors.simulation.hooked import HookedHouse
from actors.simulation.house import SimHouse
from actors.simulation.scenes import payments, refunds, settlement, webhooks_out
from actors.simulation.settled import SettledHouse


def saved(story: Act, *names: str) -> Act:
    """The same story, while these actors save themselves after each of their turns."""

    def told(house: SimHouse) -> None:
        def save(name: str) -> None:
            if name in names:
                house.drivers[name].write_documents()

        house.after_turn = save
        story(house)

    return told


def reborn(story: Act, *names: str) -> Act:
    """The same, and then they begin anew with what they saved, while work waits for them."""

    def told(house: SimHouse) -> None:
        saved(story, *names)(house)
        for name in names:
            house.at_work = name
            house.drivers[name].write_documents()
        house.start(*names)

    return told


SCENES = (
    Scene(
        "gateway saves while it charges",
        payments.created,
        saved(payments.order(orders.authorize), "gateway"),
        payments.ends(200, *payments.HELD),
    ),
    Scene(
        "vault and provider save while a card is charged",
        payments.created,
        saved(payments.order(orders.authorize), "vault", "provider-a"),
        payments.ends(200, *payments.HELD),
    ),
    Scene(
        "gateway saves while it is in doubt",
        payments.drilled("approve_then_hang"),
        saved(payments.order(orders.authorize, 5_000), "gateway"),
        payments.made_unless_fenced,
    ),
    Scene(
        "gateway is reborn from what it saved of a refund",
        refunds.waiting,
        reborn(refunds.approve(), "gateway"),
        refunds.ends(*refunds.SENT, "refund.succeeded", refunded=400),
    ),
    Scene(
        "reconciler saves while it reconciles",
        settlement.closed,
        saved(settlement.reconcile, "reconciler"),
        settlement.settled_once,
        house=SettledHouse,
    ),
    Scene(
        "dispatcher saves while it delivers",
        webhooks_out.registered,
        saved(webhooks_out.buy, "dispatcher"),
        webhooks_out.everything_arrived,
        house=HookedHouse,
    ),
)

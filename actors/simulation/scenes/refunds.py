"""A refund is made once, approved once and paid back once, whoever dies at whatever effect."""

from collections import Counter

from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Act, Scene, card
from actors.simulation.house import SimHouse, authorized
from actors.simulation.scenes.settlement import reconcile
from actors.simulation.settled import SettledHouse, settlement

DAYS_MS = 24 * 3_600_000
MADE = ("refund.requested",)
SENT = (*MADE, "refund.approved", "refund.submitted")


def paid(house: SimHouse) -> None:
    card(house)
    payment_id = authorized(house, TOKEN)
    assert house.say(orders.capture(payment_id), "captured")[0] == 200


def waiting(house: SimHouse) -> None:
    """A refund waits for its second person."""
    paid(house)
    assert house.say(orders.refund(the_payment(house), 400), "made")[0] == 201


def waiting_and_drilled(do: str) -> Act:
    def setup(house: SimHouse) -> None:
        waiting(house)
        house.drill(orders.drill(do, "refund"))

    return setup


def the_payment(house: SimHouse) -> str:
    return str(house.entries[0]["ref"])


def the_refund(house: SimHouse) -> str:
    return next(str(e["ref"]) for e in house.entries if e["type"] == "refund.requested")


def make(house: SimHouse) -> None:
    house.put(orders.refund(the_payment(house), 400, "k"), "q")
    house.run()


def approve(*waits_ms: int) -> Act:
    def story(house: SimHouse) -> None:
        house.put(orders.approve(the_refund(house), "k"), "q")
        house.run()
        for wait_ms in waits_ms:
            house.wait(wait_ms)

    return story


def reject(house: SimHouse) -> None:
    house.put(orders.reject(the_refund(house), "k"), "q")
    house.run()


def nobody_approves(house: SimHouse) -> None:
    house.wait(3 * DAYS_MS)


def stated(house: SimHouse) -> None:
    """A refund has succeeded, and the day's settlement file is written."""
    waiting(house)
    assert house.say(orders.approve(the_refund(house)), "approved")[0] == 200
    assert house.say(settlement(), "settled", "reconciler")[0] == 200


def netted_once(house: SimHouse) -> None:
    """Capture and refund are settled once each, and nothing is left between the accounts."""
    settled = [e["data"] for e in house.entries if e["type"] == "payment.settled"]
    assert len(settled) == 2
    assert [data["refund_id"] for data in settled if "refund_id" in data] == [the_refund(house)]
    sums: Counter[str] = Counter()
    for entry in house.entries:
        for posting in entry["postings"]:
            sums[posting["account"]] += posting["amount"]
    for account in ("receivable", "payout_in_transit"):
        assert sums[f"asset:providerA:{account}"] == 0
    assert sums["liability:refunds:in_transit"] == 0


def ends(*types: str, refunded: int = 0) -> Act:
    """The refund has these entries, and so much went back, at the provider as in our books."""

    def expect(house: SimHouse) -> None:
        assert house.types(the_refund(house)) == list(types)
        truths = [t for t in house.truths if t["operation"] == "refund"]
        assert [t["amount"] for t in truths] == ([refunded] if refunded else [])
        view = house.state.payments[the_payment(house)]
        reserved = 400 if types == MADE else 0
        assert (view.amount_refunded, view.amount_refunding) == (refunded, reserved)

    return expect


SCENES = (
    Scene("refund made", paid, make, ends(*MADE)),
    Scene("refund approved", waiting, approve(), ends(*SENT, "refund.succeeded", refunded=400)),
    Scene("refund rejected", waiting, reject, ends(*MADE, "refund.rejected")),
    Scene("refund expires", waiting, nobody_approves, ends(*MADE, "refund.expired")),
    Scene(
        "refund in doubt",
        waiting_and_drilled("approve_then_hang"),
        approve(5_000),
        ends(*SENT, "refund.succeeded", refunded=400),
    ),
    Scene(
        "refund refused safely",
        waiting_and_drilled("down"),
        approve(),
        ends(*SENT, "refund.failed"),
    ),
    Scene("refund settled", stated, reconcile, netted_once, house=SettledHouse),
)

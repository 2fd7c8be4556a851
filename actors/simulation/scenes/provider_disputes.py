"""A dispute that its provider moves by itself is opened, told and ruled on once, whoever dies. A
warning of fraud is told once too, and is one case."""

from collections import Counter

from actors.simulation import orders
from actors.simulation.crashes import Act, Scene
from actors.simulation.disputed import (
    MINUTE_MS,
    SENT_BACK,
    WARNED_OF,
    answered,
    disputed,
    later,
    pays,
)
from actors.simulation.house import SimHouse
from actors.simulation.orders import Order
from actors.simulation.scenes.settlement import reconcile
from actors.simulation.settled import DAY_MS, SettledHouse, settlement

#: So long before its time a timer is still left alone: what else those days bring is done by then.
SHORT_MS = 1_000


def paid(house: SimHouse) -> None:
    pays(house)


def suspected(house: SimHouse) -> None:
    pays(house, WARNED_OF)


def nearly_over(house: SimHouse) -> None:
    """Disputed, and not answered until a moment before the last day ends."""
    pays(house)
    disputed(house)
    later(house, 18 * DAY_MS - SHORT_MS)


def nearly_ruled(text: str) -> Act:
    """Answered with this text, and the issuer has had all but a moment of its time."""

    def setup(house: SimHouse) -> None:
        pays(house)
        answered(house, text)
        later(house, 75 * DAY_MS - SHORT_MS)

    return setup


def paid_back(*drills: Order) -> Act:
    """A refund has succeeded, under these drills, that the cardholder's bank will not take."""

    def setup(house: SimHouse) -> None:
        payment_id = pays(house, SENT_BACK)
        _, made = house.say(orders.refund(payment_id, 2000), "r")
        for drill in drills:
            house.drill(drill)
        assert house.say(orders.approve(made["id"]), "a")[0] == 200

    return setup


def stated(house: SimHouse) -> None:
    """A dispute was answered and won, and the day's settlement file is written."""
    pays(house)
    ident = answered(house, "x")
    assert house.say(orders.resolve(ident, "won"), "w")[0] == 200
    assert house.say(settlement(), "settled", "reconciler")[0] == 200


def time_comes(house: SimHouse) -> None:
    later(house, MINUTE_MS)


def ends(*types: str, truth: tuple[str, ...], state: str = "captured") -> Act:
    """The dispute or the refund has these entries, and so much is true, once."""

    def expect(house: SimHouse) -> None:
        found = [e["type"] for e in house.entries if e["type"].startswith(("dispute.", "refund."))]
        assert found == list(types)
        operations = [t["operation"] for t in house.truths]
        beside = ("authorize", "capture", "payout")  # A night may pass, and a batch be paid.
        assert [one for one in operations if one not in beside] == list(truth)
        (payment,) = house.state.payments.values()
        assert payment.state == state

    return expect


def warned_once(house: SimHouse) -> None:
    """One warning is true, and people have one case of it; nothing moved."""
    (case,) = [entry for entry in house.entries if entry["type"] == "case.opened"]
    (warning,) = [truth for truth in house.truths if truth["operation"] == "fraud_warning"]
    data = case["data"]
    assert (data["reason"], data["exposure"], case["postings"]) == ("early_fraud_warning", 5000, [])
    assert data["references"] == [warning["reference"], warning["operation_id"]]
    ends(truth=("fraud_warning",))(house)


def netted_once(house: SimHouse) -> None:
    """Each movement is settled once, and nothing is left between the accounts."""
    settled = [e["data"] for e in house.entries if e["type"] == "payment.settled"]
    effects = sorted(data.get("effect", "capture") for data in settled)
    assert effects == ["capture", "chargeback", "chargeback_reversed", "dispute_fee"]
    sums: Counter[str] = Counter()
    for entry in house.entries:
        for posting in entry["postings"]:
            sums[posting["account"]] += posting["amount"]
    for account in ("receivable", "payout_in_transit", "disputed"):
        assert sums[f"asset:providerA:{account}"] == 0


OPENED = ("dispute.opened",)
ANSWERED = (*OPENED, "dispute.evidence_added", "dispute.submitted")
REFUNDED = ("refund.requested", "refund.approved", "refund.submitted", "refund.succeeded")

SCENES = (
    Scene("disputed by its card", paid, time_comes, ends(*OPENED, truth=("chargeback",))),
    Scene(
        "not answered in time",
        nearly_over,
        time_comes,
        ends(*OPENED, "dispute.lost", truth=("chargeback", "dispute_closed"), state="chargeback"),
    ),
    Scene(
        "won by its evidence",
        nearly_ruled("winning_evidence"),
        time_comes,
        ends(*ANSWERED, "dispute.won", truth=("chargeback", "dispute_fee", "chargeback_reversed")),
    ),
    Scene(
        "refund sent back",
        paid_back(),
        time_comes,
        ends(*REFUNDED, "refund.failed", truth=("refund", "refund_failed")),
    ),
    Scene(
        "refund sent back before its success is told",
        paid_back(orders.drill("approve_then_hang", "refund")),
        time_comes,
        ends(*REFUNDED, "refund.failed", truth=("refund", "refund_failed")),
    ),
    Scene("warned of fraud", suspected, time_comes, warned_once),
    Scene("dispute settled", stated, reconcile, netted_once, house=SettledHouse),
)

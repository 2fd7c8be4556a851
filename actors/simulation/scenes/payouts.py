"""A payout is made once, paid once and given back once, whoever dies at whatever effect."""

from collections import Counter

from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Act, Scene, card
from actors.simulation.house import SimHouse, authorized
from actors.simulation.settled import SettledHouse, reconciliation, settlement
from payrail.domain.timestamps import parse_iso

AMOUNT = 5000
MADE, PAID, FAILED = "payout.created", "payout.paid", "payout.failed"


def settled(house: SimHouse) -> None:
    """A capture is settled: what its fee left is available."""
    card(house)
    payment_id = authorized(house, TOKEN, amount=AMOUNT)
    assert house.say(orders.capture(payment_id), "captured")[0] == 200
    assert house.say(settlement(), "settled", "reconciler")[0] == 200
    assert house.say(reconciliation(), "reconciled", "reconciler")[0] == 200


def before_the_run(house: SimHouse) -> None:
    settled(house)
    house.wait(parse_iso("2026-02-10T05:59:59.000Z") - house.clock.now().business_ms)


def made(house: SimHouse) -> None:
    settled(house)
    assert house.say(orders.payout(), "made")[0] == 201


def before_noon(house: SimHouse) -> None:
    """The payout is with the bank since yesterday."""
    made(house)
    house.wait(parse_iso("2026-02-10T11:59:59.000Z") - house.clock.now().business_ms)


def paid(house: SimHouse) -> None:
    made(house)
    assert house.say(orders.bank_says(the_payout(house), "paid", "k_paid"), "paid")[0] == 200


def a_second_passes(house: SimHouse) -> None:
    house.wait(1_000)


def ask(house: SimHouse) -> None:
    house.put(orders.payout(key="k"), "q")
    house.run()


def send_back(house: SimHouse) -> None:
    house.put(orders.bank_says(the_payout(house), "failed", "k", code="account_closed"), "q")
    house.run()


def the_payout(house: SimHouse) -> str:
    return next(str(e["ref"]) for e in house.entries if e["type"] == MADE)


def ends(*types: str, cases: int = 0) -> Act:
    """The payout has these entries, its money is where they say, and its file tells the same."""

    def expect(house: SimHouse) -> None:
        payout_id = the_payout(house)
        assert house.types(payout_id) == list(types)
        assert sum(entry["type"] == "case.opened" for entry in house.entries) == cases
        sums: Counter[str] = Counter()
        for entry in house.entries:
            for posting in entry["postings"]:
                sums[posting["account"]] += posting["amount"]
        amount = next(e["amount"] for e in house.entries if e["type"] == MADE)
        last = types[-1]
        assert sums["liability:m_001:available"] == (-amount if last == FAILED else 0)
        assert sums["liability:m_001:payout_in_transit"] == (-amount if last == MADE else 0)
        assert sums["asset:bank"] >= (0 if last == PAID else amount)
        state = {MADE: "in_transit", PAID: "paid", FAILED: "failed"}[last]
        view = house.state.paying.payouts[payout_id]
        (row,) = house.bytes_of(f"data/settlement/payouts_{view.date}.csv").decode().split()[1:]
        assert row.split(",")[:5] == [payout_id, "m_001", "USD", str(amount), state]

    return expect


SCENES = (
    Scene("payout by the run", before_the_run, a_second_passes, ends(MADE), house=SettledHouse),
    Scene("payout asked for", settled, ask, ends(MADE), house=SettledHouse),
    Scene("payout paid", before_noon, a_second_passes, ends(MADE, PAID), house=SettledHouse),
    Scene(
        "payout failed after paid",
        paid,
        send_back,
        ends(MADE, PAID, FAILED, cases=1),
        house=SettledHouse,
    ),
)

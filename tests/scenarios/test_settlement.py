"""Settlement and reconciliation in the simulated house: what is paid is found, what is not is told.

Statements come from the providers' own truth, the report from statements, bank and ledger.
"""

import csv
import io

import pytest

from actors.simulation import orders
from actors.simulation.house import GOOD, authorized
from actors.simulation.settled import (
    DAY_MS,
    NEWEST,
    TODAY,
    SettledHouse,
    a_house,
    approve,
    mismatch,
    propose,
    reconciliation,
    settlement,
)
from actors.simulation.sound import must_be_sound
from payrail.domain.settlement.breaks import CLASSES
from payrail.domain.words.settlement import RunSettlement
from tests.scenarios.audited import audited

SETTLEMENT = f"data/settlement/settlement_{TODAY}.csv"


def rows(house: SettledHouse, path: str = SETTLEMENT) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(house.bytes_of(path).decode())))


def test_settle_and_reconcile_settles_what_was_captured() -> None:
    """Every capture is in the file once, matched, settled, and its money on the way to the bank."""
    house, payments = a_house(3)
    status, body = house.settle()
    assert (status, [one["date"] for one in body["files"]]) == (200, [TODAY])
    assert [row["payment_id"] for row in rows(house)] == sorted(
        payments, key=lambda ident: house.state.payments[ident].captures[0].provider_reference
    )

    report = house.reconcile()

    assert report["counts"] == {
        "matched": 3,
        "mismatched": 0,
        "missing_ours": 0,
        "missing_theirs": 0,
        "expected": 0,
    }
    net = 3 * (5000 - 175)
    assert report["totals"] == {
        "USD": {"ledger": net, "statement": net, "bank": net, "explained": 0, "unexplained": 0}
    }
    assert {house.state_of(ident) for ident in payments} == {"settled"}
    assert house.balance("asset:bank") == net
    assert house.balance("asset:providerA:receivable") == 0
    assert house.balance("asset:providerA:payout_in_transit") == 0
    assert house.balance("liability:m_001:pending") == 0
    assert house.balance("liability:m_001:available") == -3 * (5000 - 200)
    must_be_sound(house)


def test_the_mismatch_story() -> None:
    """Nine matched, one not; the posting of two people settles it; the same bytes again."""
    house, payments = a_house(10)
    house.drill(mismatch("amount"))
    house.settle()
    report = house.reconcile()
    before = house.bytes_of(NEWEST)

    assert (report["counts"]["matched"], report["counts"]["mismatched"]) == (9, 1)
    (found,) = report["breaks"]
    assert (found["class"], found["difference"]) == ("amount", -10)
    assert found["ours"]["file"] == "data/ledger/payments.jsonl"
    assert found["theirs"]["file"].startswith("data/providers/statements/providerA/")
    states = sorted(house.state_of(ident) for ident in payments)
    assert states == ["captured"] + ["settled"] * 9
    assert house.state_of(found["payment_id"]) == "captured"

    assert house.say(approve(), "early", "reconciler")[0] == 409
    assert house.say(propose(), "propose", "reconciler")[0] == 200
    status, body = house.say(approve(user="usr_operator"), "own", "reconciler")
    assert (status, body["code"]) == (403, "four-eyes")
    status, body = house.say(approve(), "approve", "reconciler")
    assert (status, body["status"], body["approved_by"]) == (200, "booked", "usr_approver")

    assert house.state_of(found["payment_id"]) == "settled"
    assert house.balance("asset:suspense:recon:providerA") == 10
    assert house.balance("asset:providerA:payout_in_transit") == 0
    last = [e for e in house.entries if e["type"] == "payment.settled"][-1]
    assert last["data"]["adjusted"] is True
    assert report["totals"]["USD"]["unexplained"] == 0

    house.settle("again")
    house.reconcile("again2")
    assert house.bytes_of(NEWEST) == before


def test_every_mismatch_of_two_days_is_found_and_nothing_else() -> None:
    """All twelve kinds at both providers; what was injected is what the reports name."""
    house = SettledHouse()
    house.start()
    token = house.card()
    for number in range(14):
        house.captured(token, f"a{number}", 4000 + 100 * number)
    house.drill(orders.drill("down", "*", count=20))
    for number in range(14):
        house.captured(token, f"b{number}", 5000 + 100 * number)
    house.say(orders.clear(), "clear", "provider-a")
    for provider in ("provider-a", "provider-b"):
        for kind in CLASSES:
            house.drill(mismatch(kind), provider)
    later(house, DAY_MS)
    later(house, DAY_MS)
    house.say(reconciliation(), "reconcile", "reconciler")

    found = sorted(one["class"] for date in dates(house) for one in house.report(date)["breaks"])
    assert house.injected() == sorted([*CLASSES, *CLASSES])
    assert found == house.injected()
    for date in dates(house):
        totals = house.report(date)["totals"]
        assert all(sums["unexplained"] == 0 for sums in totals.values())


def later(house: SettledHouse, ms: int) -> None:
    house.clock.advance_business_ms(ms)
    house.run()


def dates(house: SettledHouse) -> list[str]:
    names = house.fs.listdir("data/reconciliation")
    return sorted(name[22:32] for name in names if name.startswith("reconciliation_report_"))


def test_three_days_at_once_make_three_days_files() -> None:
    """Time jumps: each cut-off closes its own batch, and each date has its files and report."""
    house, payments = a_house(2)
    later(house, 3 * DAY_MS)

    files = house.fs.listdir("data/settlement")
    wanted = [f"settlement_2026-02-{day:02d}.csv" for day in (9, 10, 11)]
    assert set(wanted) <= set(files)
    assert len(house.closed_at("provider-a")) == 3
    assert len(house.closed_at("provider-b")) == 3
    assert dates(house)[:3] == ["2026-02-09", "2026-02-10", "2026-02-11"]
    assert {house.state_of(ident) for ident in payments} == {"settled"}
    assert all(house.report(date)["breaks"] == [] for date in dates(house))
    must_be_sound(house)


def test_an_amount_that_was_changed_in_the_truth_by_hand_is_a_break() -> None:
    """Statements are read off the truth's file as it lies there."""
    house, payments = a_house(3)
    path = "data/providers/providerA_truth.jsonl"
    lines = house.bytes_of(path).split(b"\n")
    place = next(
        n for n, line in enumerate(lines) if payments[1].encode() in line and b'"capture"' in line
    )
    lines[place] = lines[place].replace(b'"amount":5000', b'"amount":4100')
    file = house.fs.open(path)
    file.pwrite(0, b"\n".join(lines))
    house.settle()
    report = house.reconcile()

    (found,) = report["breaks"]
    assert (found["class"], found["payment_id"], found["difference"]) == (
        "amount",
        payments[1],
        -900,
    )
    assert report["totals"]["USD"]["unexplained"] == 0


def test_more_payments_and_approvals_leave_a_report_as_it_was() -> None:
    """A report is about the moment of its last closing."""
    house, _ = a_house(3)
    house.drill(mismatch("fee"))
    house.settle()
    house.reconcile()
    before = house.bytes_of(NEWEST)

    token = house.card()
    house.captured(token, "more")
    house.say(propose(), "propose", "reconciler")
    house.say(approve(), "approve", "reconciler")
    house.reconcile("again", TODAY)
    assert house.bytes_of(NEWEST) == before

    later(house, 2 * DAY_MS)
    assert house.report(TODAY)["counts"]["matched"] == 3  # one more, one less: its own break
    first = house.bytes_of(f"data/reconciliation/reconciliation_report_{TODAY}.json")
    house.reconcile("third", TODAY)
    assert house.bytes_of(f"data/reconciliation/reconciliation_report_{TODAY}.json") == first


def test_a_partial_capture_is_settled_and_the_payment_stays_captured() -> None:
    """Until the rest is captured or released."""
    house = SettledHouse()
    house.start()
    payment_id = authorized(house, house.card(), amount=5000)
    house.say(orders.capture(payment_id, "k1", amount=2000, final_capture=False), "q1")
    house.settle()
    house.reconcile()
    view = house.state.payments[payment_id]
    assert (view.state, view.amount_settled, view.amount_capturable) == ("captured", 2000, 3000)
    house.say(orders.cancel(payment_id, "k2"), "q2")
    assert house.state_of(payment_id) == "settled"


def test_a_damaged_statement_is_refused_with_its_line_and_nothing_is_booked() -> None:
    """Never half applied: the file is named, the payments stay as they were."""
    house, payments = a_house(2)
    house.settle()
    (path,) = [b.path for b in house.closed_at("provider-a").values()]
    good = house.bytes_of(path)
    house.fs.replace(path, good.replace(b"50.00", b"5e1", 1))
    status, body = house.say(reconciliation(), "broken", "reconciler")
    assert (status, body["code"]) == (409, "statement-damaged")
    assert f"{path}:2: " in body["detail"]
    assert {house.state_of(ident) for ident in payments} == {"captured"}

    house.fs.replace(path, good)
    house.reconcile("mended")
    assert {house.state_of(ident) for ident in payments} == {"settled"}


@pytest.mark.parametrize("kind", CLASSES)
def test_an_approved_break_of_each_class_settles_its_payment(kind: str) -> None:
    """Whatever the class: after two people nothing is left in transit that the bank has."""
    house, _ = a_house(2)
    house.drill(mismatch(kind))
    house.wait(1)
    house.settle()
    if kind in ("late", "missing_theirs"):
        later(house, 2 * DAY_MS)
    else:
        house.reconcile()
    (date,) = [d for d in dates(house) if house.report(d)["breaks"]]
    (found,) = house.report(date)["breaks"]
    assert found["class"] == kind

    house.say(propose(date=date), "propose", "reconciler")
    status, body = house.say(approve(date=date), "approve", "reconciler")
    assert (status, body["status"]) == (200, "booked")

    assert {str(view.state) for view in house.state.payments.values()} == {"settled"}
    assert house.balance("asset:providerA:payout_in_transit") == 0
    assert house.balance("asset:providerA:receivable") == 0
    assert house.balance("liability:m_001:pending") == 0
    must_be_sound(house)


def test_a_silent_provider_holds_up_nobody_and_is_named() -> None:
    """After six seconds the other is settled; the silent one's batch comes by itself."""
    house, payments = a_house(1)
    house.put(settlement(), "q", "reconciler")
    house.run(without=["provider-b"])
    assert "q" not in house.replies
    house.wait(6_000, without=["provider-b"])
    status, body = house.answer("q")
    assert (status, body["silent"]) == (200, ["provider-b"])
    house.reconcile()
    assert house.state_of(payments[0]) == "settled"
    must_be_sound(house)


def test_a_statement_that_was_under_way_is_finished_by_the_next_provider() -> None:
    """It died between closing the batch and writing its file: nobody asks it a second time."""
    house, payments = a_house(2)
    house.put(settlement(), "q", "reconciler")
    queue = house.drivers["provider-a"].loop.state.batching.queue
    for name in [*house.drivers] * 10:
        if queue:
            break
        house.turn(name)
    assert queue
    house.start("provider-a")
    house.run()
    house.wait(1_000)

    assert house.answer("q")[0] in (200, 201)
    assert not house.drivers["provider-a"].loop.state.batching.queue
    assert {house.state_of(ident) for ident in payments} <= {"captured", "settled"}


def test_the_same_key_waits_for_the_same_run() -> None:
    """Asked again while it runs, or after it: one batch and one answer."""
    house, _ = a_house(1)
    kind, body = settlement()
    body = RunSettlement(None, "cli", "key-1")
    for name in ("one", "two"):
        house.put((kind, body), name, "reconciler")
    house.run()
    assert house.answer("one") == house.answer("two")
    assert house.say((kind, body), "three", "reconciler") == house.answer("one")
    assert house.say((kind, RunSettlement(None, "other", "key-1")), "four", "reconciler")[0] == 200
    assert len(house.closed_at("provider-a")) == 1


def test_a_key_that_joined_the_run_of_another_keeps_its_answer() -> None:
    """An order that waited for the run of another key is answered the same again, and closes no
    batch, whatever was captured since; also when the reconciler was reborn."""
    house, _ = a_house(1)
    kind, _body = settlement()
    for name in ("one", "two", "three"):
        house.put((kind, RunSettlement(None, "cli", f"key-{name}")), name, "reconciler")
    house.run()
    joined = house.answer("three")
    house.captured(house.tokenize(GOOD, "more"), "later")
    house.start("reconciler")

    again = house.say((kind, RunSettlement(None, "cli", "key-three")), "again", "reconciler")

    assert again == joined
    assert len(house.closed_at("provider-a")) == 1


def test_the_auditor_finds_nothing_in_a_settled_house(tmp_path) -> None:
    """Its own fold of the entries, its own sums, and the settlement files agree."""
    house, payments = a_house(3)
    house.drill(mismatch("amount"))
    part = authorized(house, house.tokenize(GOOD, "more"), "part", amount=5000)
    house.say(orders.capture(part, "k1", amount=2000, final_capture=False), "q1")
    house.settle()
    house.reconcile()
    house.say(propose(), "propose", "reconciler")
    house.say(approve(), "approve", "reconciler")

    found = audited(house, tmp_path)
    assert found.findings == []
    assert found.looked_at["settled"] == len(payments) + 1

"""News of a claim that comes after its line in a statement: a break, and the money moves once.

Two people may post the break before the news comes, or after it, or never: in the end the line is
in transit once, what we booked has left receivable once, and nothing is left in suspense.
"""

from pathlib import Path

import pytest

from actors.simulation import orders
from actors.simulation.disputed import a_house, later
from actors.simulation.house import GOOD
from actors.simulation.settled import (
    DAY_MS,
    TODAY,
    SettledHouse,
    approve,
    propose,
)
from actors.simulation.sound import must_be_sound
from tests.scenarios.audited import audited

FEE = 1500
LATE_S, MINUTES_10 = 2 * 86_400, 600


def charged_back_silently(late_s: int = LATE_S) -> tuple[SettledHouse, str]:
    """A house whose cardholder disputes, and whose provider tells it only two days later: the
    chargeback is a break of the day's report."""
    house, payment_id = a_house()
    house.drill(orders.drill(f"late_webhook:{late_s}", "webhook", match={"payment": payment_id}))
    later(house, 60_000)
    assert not house.state.disputes.open
    house.settle("s1")
    report = house.reconcile("r1")
    assert [one["class"] for one in report["breaks"]] == ["chargeback"]
    return house, payment_id


def post_it(house: SettledHouse, name: str = "") -> int:
    """Two people post the break; result: what the second is told."""
    assert house.say(propose(), f"p{name}", "reconciler")[0] == 200
    return house.say(approve(), f"a{name}", "reconciler")[0]


def news_comes(house: SettledHouse, late_s: int = LATE_S) -> None:
    later(house, late_s * 1000)
    assert len(house.state.disputes.open) == 1


def next_batch(house: SettledHouse, after_ms: int = DAY_MS) -> None:
    """Another payment, so that there is a batch, and the report of its date."""
    later(house, after_ms)
    token = house.tokenize(GOOD, "good")
    house.run()
    house.captured(token, "next")
    house.settle("s2")
    house.reconcile("r2")


def must_be_once(house: SettledHouse) -> None:
    """Nothing is left between us and the provider but the dispute that is open."""
    left = {
        account: house.balance(f"asset:providerA:{account}")
        for account in ("receivable", "payout_in_transit", "disputed")
    }
    assert left == {"receivable": 0, "payout_in_transit": 0, "disputed": 5000}
    assert house.balance("asset:suspense:recon:providerA") == 0
    must_be_sound(house)


def test_news_after_the_posting_of_its_break_takes_the_money_out_of_suspense(
    tmp_path: Path,
) -> None:
    """Two people posted the line; the entry that comes then offsets what they put aside."""
    house, _ = charged_back_silently()
    assert post_it(house) == 200
    assert house.balance("asset:suspense:recon:providerA") == 5000 + FEE
    news_comes(house)
    next_batch(house)
    must_be_once(house)
    assert audited(house, tmp_path).findings == []


def test_a_break_whose_news_has_come_and_is_settled_cannot_be_posted_any_more(
    tmp_path: Path,
) -> None:
    """The second person learns that nothing was posted; what the break held back is settled."""
    house, payment_id = charged_back_silently()
    later(house, DAY_MS)  # the date is over: its last report has the break
    news_comes(house)
    next_batch(house)
    assert house.state.payments[payment_id].captures[0].settled_at is None
    assert post_it(house) == 409
    assert house.balance("asset:suspense:recon:providerA") == 0
    assert house.state.payments[payment_id].captures[0].settled_at is not None
    (document,) = house.json("data/reconciliation/approvals.json")
    assert [one["status"] for one in document["postings"]] == ["already_booked"]
    assert post_it(house, "again") == 409
    must_be_once(house)
    assert audited(house, tmp_path).findings == []


@pytest.mark.parametrize("is_posted", [True, False])
def test_the_report_of_the_day_made_once_more_books_nothing_twice(is_posted: bool) -> None:
    """A later batch of the same date makes its report anew, with the entry in its prefix: the line
    that was a break is matched there."""
    house, _ = charged_back_silently(MINUTES_10)
    if is_posted:
        assert post_it(house) == 200
    else:
        assert house.say(propose(), "p", "reconciler")[0] == 200
    news_comes(house, MINUTES_10)
    next_batch(house, 0)
    assert house.report(TODAY)["breaks"] == []
    must_be_once(house)
    if not is_posted:
        assert house.say(approve(), "a", "reconciler")[0] == 404, "there is no such break any more"

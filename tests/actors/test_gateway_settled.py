"""The gateway books what was settled: once, with its money, and says when it stands there."""

from typing import Any

import pytest
from msgspec import structs

from actors.simulation.orders import capture
from payrail.domain.ledger import Posting
from payrail.domain.words.settlement import BankRow, PaymentsSettled, SettledRow
from tests.actors.gatewaydesk import Desk, booked

BATCH = "providerA-2026-02-09-01"
SUSPENSE = [Posting("asset:suspense:recon:providerA", 10, "USD"), Posting("x", -10, "USD")]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def captured(desk: Desk, amount: int = 1099, **fields: Any) -> SettledRow:
    """A captured payment; result: the row that settles it."""
    payment_id = desk.authorized()
    desk.order(capture(payment_id, f"cap_{payment_id}", amount=amount, **fields))
    desk.says(f"{payment_id}.2", operation="capture", provider_reference="pc_1", amount=amount)
    (one,) = desk.state.payments[payment_id].captures
    return SettledRow(payment_id, one.id, "providerA", BATCH)


def settle(desk: Desk, *rows: SettledRow, payouts: tuple[BankRow, ...] = ()) -> Any:
    page = PaymentsSettled("2026-02-09:1", list(rows), list(payouts), "providerA")
    return desk.tell("payments.settled", page, sender="reconciler")


def broken(row: SettledRow, ident: str = "brk_1", **more: Any) -> SettledRow:
    fields = {"capture_id": row.capture_id, **more}
    return SettledRow(
        row.payment_id,
        provider="providerA",
        batch_id=BATCH,
        break_id=ident,
        break_class="amount",
        proposed_by="usr_a",
        approved_by="usr_b",
        postings=SUSPENSE,
        **fields,
    )


def accounts(*steps: Any) -> dict[str, int]:
    """What these steps have moved, account by account."""
    sums: dict[str, int] = {}
    for post in (post for step in steps for post in step.posts):
        for posting in getattr(post.record, "postings", ()):
            sums[posting.account] = sums.get(posting.account, 0) + posting.amount
    return sums


def test_a_settled_capture_moves_what_is_owed_into_transit(desk: Desk):
    """1099 less 62 of cost comes, 1099 less 67 is the merchant's; the reconciler is told."""
    row = captured(desk)
    step = settle(desk, row)

    assert booked(step) == ["payment.settled"]
    assert accounts(step) == {
        "asset:providerA:payout_in_transit": 1037,
        "asset:providerA:receivable": -1037,
        "liability:m_001:pending": 1032,
        "liability:m_001:available": -1032,
    }
    assert desk.state.payments[row.payment_id].state == "settled"
    (told,) = step.out
    assert (told.to, told.kind, told.body.name) == ("reconciler", "settled.booked", "2026-02-09:1")


def test_whatever_is_said_again_is_booked_once(desk: Desk):
    """A page may come twice, and a row may stand in it twice."""
    row = captured(desk)
    payout = BankRow("2026-02-09", 1037, "USD", BATCH)
    first = settle(desk, row, row, payouts=(payout, payout))
    again = settle(desk, row, payouts=(payout,))

    assert booked(first) == ["payment.settled", "provider.payout_received"]
    assert (booked(again), len(again.out)) == ([], 1)
    assert accounts(first)["asset:providerA:payout_in_transit"] == 0
    assert accounts(first)["asset:bank"] == 1037
    assert desk.replayed() == desk.state


def test_several_payments_of_one_page_have_ids_of_their_own(desk: Desk):
    """Every entry of a step is another one."""
    rows = [captured(desk) for _ in range(3)]
    step = settle(desk, *rows, payouts=(BankRow("2026-02-09", 1, "USD", BATCH),))
    ids = {post.record.event_id for post in step.posts if post.book == "payments"}
    assert len(ids) == 4


def test_what_is_no_capture_of_ours_is_refused_and_the_rest_booked(desk: Desk):
    """An unknown payment and an unknown capture harm nobody."""
    row = captured(desk)
    stray = SettledRow("pi_none", "cap_none", "providerA", BATCH)
    other = SettledRow(row.payment_id, "cap_none", "providerA", BATCH)
    step = settle(desk, stray, other, row)
    assert (booked(step), step.out[0].body.refused) == (["payment.settled"], 2)


def test_an_approved_break_settles_its_capture_as_adjusted(desk: Desk):
    """The entry says who proposed and who approved; said again, it is booked once."""
    row = captured(desk)
    step = settle(desk, broken(row))
    (fact,) = [post.record for post in step.posts if post.book == "payments"]

    assert (fact.amount, fact.data.adjusted, fact.postings) == (1099, True, SUSPENSE)
    assert (fact.data.proposed_by, fact.data.approved_by) == ("usr_a", "usr_b")
    assert desk.state.payments[row.payment_id].state == "settled"
    assert booked(settle(desk, broken(row))) == []


def test_a_break_beside_a_settled_capture_is_posted_about_the_payment(desk: Desk):
    """A line that was paid twice: the payment stays settled, the posting stands."""
    row = captured(desk)
    settle(desk, row)
    step = settle(desk, broken(row, capture_id=None))
    (fact,) = [post.record for post in step.posts if post.book == "payments"]
    assert (fact.amount, fact.data.capture_id) == (0, None)
    assert desk.state.payments[row.payment_id].amount_settled == 1099


def test_a_break_about_no_payment_is_posted_about_its_provider(desk: Desk):
    """A line that the provider invented: of no merchant."""
    invented = SettledRow("pi_invented", None, "providerA", BATCH)
    step = settle(desk, broken(invented))
    (fact,) = [post.record for post in step.posts if post.book == "payments"]
    assert (fact.type, fact.ref, fact.merchant_id) == (
        "provider.break_adjusted",
        "providerA",
        None,
    )
    assert booked(settle(desk, broken(invented))) == []
    assert desk.replayed() == desk.state


def test_a_part_that_is_settled_leaves_the_payment_captured(desk: Desk):
    """What is still held may be captured."""
    row = captured(desk, 500, final_capture=False)
    settle(desk, row)
    view = desk.state.payments[row.payment_id]
    assert (view.state, view.amount_settled, view.amount_capturable) == ("captured", 500, 599)


def test_what_a_dispute_moved_is_settled_once_for_each_movement(desk: Desk):
    """A chargeback with its fee nets the payout; what is given back is a movement of its own."""
    row = captured(desk)
    taken = SettledRow(row.payment_id, None, "providerA", BATCH, claim_id="dp_1", net=-6500)
    taken.effect = "chargeback"
    given = SettledRow(row.payment_id, None, "providerA", BATCH, claim_id="dp_1", net=5000)
    given.effect = "chargeback_reversed"
    step = settle(desk, taken, given, taken)
    assert accounts(step) == {
        "asset:providerA:payout_in_transit": -1500,
        "asset:providerA:receivable": 1500,
    }
    assert accounts(settle(desk, given)) == {}
    assert desk.state.payments[row.payment_id or ""].state == "captured"


LINE = "data/providers/statements/providerA/x.csv:7"
TRANSIT, RECEIVABLE = "asset:providerA:payout_in_transit", "asset:providerA:receivable"
PUT_ASIDE = "asset:suspense:recon:providerA"


def posting(**amounts: int) -> list[Posting]:
    """What two approve, by short names of accounts."""
    names = {
        "transit": TRANSIT,
        "receivable": RECEIVABLE,
        "pending": "liability:m_001:pending",
        "available": "liability:m_001:available",
        "suspense": PUT_ASIDE,
    }
    return [Posting(names[name], amount, "USD") for name, amount in amounts.items()]


def test_a_capture_that_two_breaks_are_about_leaves_receivable_once(desk: Desk):
    """Missing one day, and late the next: what the second would book again is left out of it, and
    suspense gets back what the first took."""
    row = captured(desk)
    missing = broken(row, "brk_missing")
    missing.postings = posting(receivable=-1037, pending=1032, available=-1032, suspense=1037)
    late = broken(row, "brk_late")
    late.postings = posting(transit=1037, receivable=-1037, pending=1032, available=-1032)
    late.line = LINE
    settle(desk, missing)
    step = settle(desk, late)
    assert accounts(step) == {TRANSIT: 1037, PUT_ASIDE: -1037}
    assert step.out[0].body.already == []
    assert desk.replayed() == desk.state


def test_a_line_that_is_in_transit_is_not_posted_by_another_break(desk: Desk):
    """Its report was made anew, and calls the line by another class: nothing of it is left."""
    row = captured(desk)
    for number, ident in enumerate(("brk_1", "brk_2")):
        one = broken(row, ident, capture_id=None, line=LINE)
        one.postings = posting(transit=-500, suspense=500)
        step = settle(desk, one)
        assert accounts(step) == ({} if number else {TRANSIT: -500, PUT_ASIDE: 500})
    assert step.out[0].body.already == ["brk_2"]
    invented = broken(SettledRow("pi_x", None, "providerA", BATCH), "brk_3", line=LINE)
    invented.postings = posting(transit=-500, suspense=500)
    assert accounts(settle(desk, invented)) == {}
    assert desk.replayed() == desk.state


@pytest.mark.parametrize("is_posted_first", [True, False])
def test_a_line_and_its_late_entry_move_the_money_once(desk: Desk, is_posted_first: bool):
    """Whichever is first, the posting of two or the match: transit has it once. After a posting,
    the match gives suspense back what it gave; after a match, nothing is left to be posted."""
    row = captured(desk)
    claim = SettledRow(row.payment_id, None, "providerA", BATCH, claim_id="dp_1", net=-6500)
    claim.effect, claim.line = "chargeback", LINE
    posted = broken(row, capture_id=None, line=LINE)
    posted.postings = posting(transit=-6500, suspense=6500)
    steps = [settle(desk, one) for one in ((posted, claim) if is_posted_first else (claim, posted))]
    assert {name: n for name, n in accounts(*steps).items() if n} == {
        TRANSIT: -6500,
        RECEIVABLE: 6500,
    }
    assert steps[1].out[0].body.already == ([] if is_posted_first else ["brk_1"])
    same_page = Desk()
    again = captured(same_page)
    twins = [structs.replace(one, payment_id=again.payment_id) for one in (claim, posted)]
    assert settle(same_page, *twins).out[0].body.already == ["brk_1"]
    assert desk.replayed() == desk.state

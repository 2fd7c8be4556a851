"""Matching: every kind of mismatch is found as what it is, and nothing else is."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from payrail.domain.ledger import must_balance
from payrail.domain.settlement import report as reports
from payrail.domain.settlement.bank import rows_of
from payrail.domain.settlement.breaks import CLASSES
from payrail.domain.settlement.matching import Matcher, Window
from payrail.domain.settlement.ours import Booked
from payrail.domain.settlement.report import Report
from tests.rules.recon_world import (
    ADDED,
    CHANGED,
    DATE,
    FIRST,
    MIDNIGHT_MS,
    SECOND,
    Lines,
    booked,
    first_day,
    second_day,
    stated,
    world,
)

AMOUNTS = st.lists(st.integers(200, 90_000), min_size=1, max_size=12)


def classes(made: Report) -> list[str]:
    return [one.class_ for one in made.breaks]


def must_explain(made: Report) -> None:
    """What the sides differ by is named by breaks, and every suggested posting balances."""
    assert set(made.unexplained.values()) <= {0}
    for one in made.breaks:
        must_balance(one.suggested_posting)


@given(AMOUNTS)
def test_a_statement_that_fits_has_no_break(amounts: list[int]) -> None:
    """No false alarm: whatever the amounts, everything is matched and nothing is left over."""
    made = first_day(*world(amounts))
    assert made.counts == {
        "matched": len(amounts),
        "mismatched": 0,
        "missing_ours": 0,
        "missing_theirs": 0,
        "expected": 0,
    }
    assert classes(made) == []
    must_explain(made)


@pytest.mark.parametrize("class_", [*CHANGED, *ADDED])
@settings(max_examples=25)
@given(AMOUNTS, st.randoms(use_true_random=False))
def test_one_spoiled_line_is_one_break_of_its_class(
    class_: str, amounts: list[int], luck: random.Random
) -> None:
    """One mutation, exactly that break, and every other payment is matched."""
    captures, lines = world(amounts)
    place = luck.randrange(len(lines))
    spoiled = lines[place]
    if class_ in CHANGED:
        lines[place] = CHANGED[class_](spoiled)
    else:
        lines.append(structs.replace(ADDED[class_](spoiled), line=len(lines) + 2))

    made = first_day(captures, lines)

    assert classes(made) == [class_]
    assert made.breaks[0].theirs is not None
    untouched = len(amounts) - (class_ in CHANGED)
    assert made.counts["matched"] == untouched
    must_explain(made)


@given(AMOUNTS, st.randoms(use_true_random=False))
def test_what_no_statement_has_is_expected_and_a_day_later_missing(
    amounts: list[int], luck: random.Random
) -> None:
    """Until its cut-off and a day more nobody is alarmed; then it is missed, once."""
    captures, lines = world(amounts)
    del lines[luck.randrange(len(lines))]

    on_time, later = first_day(captures, lines), second_day(captures, lines, [])

    assert (classes(on_time), on_time.counts["expected"]) == ([], 1)
    assert (classes(later), later.counts["expected"]) == (["missing_theirs"], 0)
    assert later.breaks[0].theirs is None
    must_explain(later)


def test_a_line_of_the_next_batch_is_late() -> None:
    """It was expected; now it is there, in a batch that it does not belong to."""
    captures, lines = world([5000, 6000])
    late = lines.pop()
    moved = structs.replace(late, file=SECOND.path, line=2, batch_id=SECOND.id)

    assert first_day(captures, lines).counts["expected"] == 1
    made = second_day(captures, lines, [moved])
    assert (classes(made), made.counts["missing_theirs"]) == (["late"], 0)
    must_explain(made)


def test_a_capture_in_doubt_is_no_alarm_and_is_matched_the_next_day() -> None:
    """The provider has it, we have asked and not heard: neither missing nor wrong; then booked."""
    captures, lines = world([5000, 6000])
    unheard = captures.pop(("providerA", "pc_0002", "capture"))
    matcher = Matcher(Window(DATE, MIDNIGHT_MS, 0, {DATE: 1}), captures)
    matcher.today(FIRST, lines)
    matcher.missing()
    matcher.resolve({unheard.reference: (7, ["payment.capture_requested", "payment.unknown"])})
    made = reports.made(DATE, [], matcher.found, [])
    assert (classes(made), made.counts["matched"]) == ([], 1)

    captures["providerA", "pc_0002", "capture"] = unheard
    after = second_day(captures, lines, [], known_then=1)
    assert (classes(after), after.counts["matched"]) == ([], 1)


def in_doubt_first(captures: Booked, lines: Lines) -> tuple[Report, Report, Report]:
    """The reports of two days, where the last capture was in doubt on the first of them, and of
    the second day once more, had all of it been known when an earlier report was made."""
    known = dict(captures)
    unheard = known.pop(list(known)[-1])
    matcher = Matcher(Window(DATE, MIDNIGHT_MS, 0, {DATE: unheard.seq - 1}), known)
    matcher.today(FIRST, lines)
    matcher.resolve({unheard.reference: (7, ["payment.capture_requested", "payment.unknown"])})
    first = reports.made(DATE, [], matcher.found, rows_of(lines, FIRST.id, DATE))
    second = second_day(captures, lines, [], known_then=unheard.seq - 1)
    return first, second, second_day(captures, lines, [], known_then=unheard.seq)


@pytest.mark.parametrize("class_", [name for name in CHANGED if name != "wrong_state"])
def test_what_was_in_doubt_is_compared_once_it_is_known(class_: str) -> None:
    """A spoiled line about a capture in doubt is a break of the first report that knows of it, and
    of no other: it is never settled as if the provider had paid what we booked."""
    captures, lines = world([5000, 6000])
    lines[1] = CHANGED[class_](lines[1])

    first, second, later = in_doubt_first(captures, lines)

    assert (classes(first), classes(second), classes(later)) == ([], [class_], [])
    assert (first.counts["matched"], second.counts["matched"]) == (1, 0)
    for made in (first, second, later):
        must_explain(made)


def test_the_second_line_of_a_capture_that_was_in_doubt_is_a_duplicate() -> None:
    """Both lines were in doubt; once the capture is known one of them is it, the other a break."""
    captures, lines = world([5000, 6000])
    lines.append(structs.replace(lines[1], line=9))

    first, second, later = in_doubt_first(captures, lines)

    assert (classes(first), classes(second), classes(later)) == ([], ["duplicate"], [])
    assert second.breaks[0].theirs is not None
    assert (second.breaks[0].theirs.line, second.counts["matched"]) == (9, 1)
    must_explain(second)


def test_a_line_about_a_call_that_failed_here_is_a_wrong_state() -> None:
    """We know that reference, and not as a capture."""
    captures, lines = world([5000])
    captures.clear()
    matcher = Matcher(Window(DATE, MIDNIGHT_MS, 0, {DATE: 1}), captures)
    matcher.today(FIRST, lines)
    matcher.resolve({lines[0].reference: (3, ["payment.operation_failed"])})
    (found,) = matcher.found.breaks
    assert found[0].class_ == "wrong_state"


def test_every_class_is_found_among_a_thousand_payments_and_nothing_else() -> None:
    """Two days, each mismatch once, no false alarm; what differs is explained to the last cent."""
    captures, lines = world([1000 + number for number in range(1000)])
    first: Lines = list(lines)
    places = iter(range(10, 1000, 40))
    for spoil in CHANGED.values():
        place = next(places)
        first[place] = spoil(first[place])
    for number, add in enumerate(ADDED.values()):
        first.append(structs.replace(add(first[next(places)]), line=2_000 + number))
    dropped, late = first[next(places)], first[next(places)]
    first = [line for line in first if line.reference not in (dropped.reference, late.reference)]
    second = [structs.replace(late, file=SECOND.path, line=2, batch_id=SECOND.id)]

    one, two = first_day(captures, first), second_day(captures, first, second)

    assert sorted(classes(one) + classes(two)) == sorted(CLASSES)
    assert one.counts["matched"] == 1000 - len(CHANGED) - 2
    assert two.counts["matched"] == 0
    must_explain(one)
    must_explain(two)


def test_partial_captures_are_rolled_up_by_payment() -> None:
    """Two parts of one payment pair with their own lines; a break about one holds both back."""
    parts = [booked(1, 3000, payment=7), booked(2, 2000, payment=7), booked(3)]
    captures = {one.key: one for one in parts}
    lines = [stated(one, line) for line, one in enumerate(parts, 2)]

    made = first_day(captures, lines)
    assert [(row.payment_id, row.captures) for row in made.payments] == [
        ("pi_0003", 1),
        ("pi_0007", 2),
    ]

    matcher = Matcher(Window(DATE, MIDNIGHT_MS, 0, {DATE: 9}), captures)
    matcher.today(FIRST, [CHANGED["amount"](lines[0]), *lines[1:]])
    rows = reports.to_settle(matcher.found)
    assert [row.payment_id for row in rows] == ["pi_0003"]


@given(AMOUNTS, st.randoms(use_true_random=False))
def test_the_same_facts_make_the_same_bytes(amounts: list[int], luck: random.Random) -> None:
    """Neither the order of our captures nor the day of the rerun is in the report."""
    captures, lines = world(amounts)
    lines[0] = CHANGED["amount"](lines[0])
    shuffled = list(captures.items())
    luck.shuffle(shuffled)
    assert reports.rendered(first_day(captures, lines)) == reports.rendered(
        first_day(dict(shuffled), lines)
    )


def test_the_posting_of_a_wrong_amount_puts_the_difference_into_suspense() -> None:
    """Ten cents too little: ten cents in suspense, and the merchant gets what was captured."""
    captures, lines = world([5000])
    made = first_day(captures, [CHANGED["amount"](lines[0])])
    (broken,) = made.breaks
    posted = {posting.account: posting.amount for posting in broken.suggested_posting}
    ours = captures["providerA", "pc_0001", "capture"]
    assert broken.difference == -10
    assert posted == {
        "asset:providerA:payout_in_transit": ours.net - 10,
        "asset:providerA:receivable": -ours.net,
        "liability:m_001:pending": ours.due,
        "liability:m_001:available": -ours.due,
        "asset:suspense:recon:providerA": 10,
    }


def test_a_break_that_was_posted_keeps_its_posting_when_its_report_is_made_once_more() -> None:
    """A later batch of the same date sees the adjusted capture: the break says the same as before,
    while another break about that capture leaves receivable alone."""
    captures, lines = world([5000])
    spoiled = [CHANGED["amount"](lines[0])]
    (broken,) = first_day(captures, spoiled).breaks
    captures["providerA", "pc_0001", "capture"].adjusted_by = broken.id
    again = first_day(captures, spoiled)
    assert again.breaks == [broken]
    must_explain(again)

    captures["providerA", "pc_0001", "capture"].adjusted_by = "brk_another"
    (other,) = first_day(captures, spoiled).breaks
    accounts = {posting.account for posting in other.suggested_posting}
    assert accounts == {"asset:providerA:payout_in_transit", "asset:suspense:recon:providerA"}

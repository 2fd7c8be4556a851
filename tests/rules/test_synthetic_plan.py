"""A plan of any size: in order of time, the same by key in every size, and every state is left."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import islice

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from actors.cli.seed_dry import as_world, line_of
from payrail.domain.cards import find_pans
from payrail.domain.dispute_view import DisputeState
from payrail.domain.money import check_amount
from payrail.domain.payment_view import PaymentState
from payrail.domain.payouts import PayoutState
from payrail.domain.refunds import RefundState
from payrail.domain.synthetic import Plan, SeededPayment, outlook, seed_plan, seed_stream
from payrail.domain.synthetic.happenings import BREAK_KINDS, sure_captures
from payrail.domain.testcards import outcome_for

#: A plan that is wrong is wrong for most seeds: shrinking one takes minutes and tells no more.
few = settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate])
seeds = st.integers(0, 2**64 - 1)
#: States that nothing stays in: they are passed.
PASSED = {("payment", "processing"), ("refund", "approved")}
PRINT = """
import resource, sys
from actors.cli.seed_dry import line_of
from payrail.domain.synthetic import seed_stream
import hashlib
found = hashlib.sha256()
for one in seed_stream(42, payments=int(sys.argv[1])):
    found.update(line_of(one))
unit = 1024 if sys.platform == "darwin" else 1
print(found.hexdigest(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit)
"""


def printed(payments: int, hash_seed: str = "0") -> tuple[str, int]:
    """Digest and peak memory, in KiB, of a plan made in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", PRINT, str(payments)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    digest, peak_kib = ran.stdout.split()
    return digest, int(peak_kib)


def content(one: SeededPayment) -> SeededPayment:
    """A payment without its place in the calendar."""
    later = tuple(replace(order, day=order.day - one.day) for order in one.later)
    return replace(one, day=0, later=later)


def test_seed_42_plans_these_ten_thousand():
    """The first ten thousand payments of the default seed are a fixed point, to the byte."""
    found = hashlib.sha256()
    for one in islice(seed_stream(42, payments=10_000), 10_000):
        found.update(line_of(one))
    assert found.hexdigest()[:16] == "94571206e5c29d33"


def test_a_plan_is_the_same_under_every_hash_seed_and_its_memory_is_flat():
    """Ten times as many payments take no more memory, and no order hangs on hashes."""
    small, large = printed(2_000, "1"), printed(20_000)
    assert printed(2_000, "2")[0] == small[0]
    assert large[1] - small[1] < 4_000


@few
@given(seeds, st.integers(1, 700), st.integers(0, 45))
def test_a_plan_is_in_order_of_time_and_each_day_is_a_part_of_it(seed, payments, days):
    """Every payment stands once, on its day, behind the ones before."""
    plan = Plan(seed, payments, days=days)
    made = list(plan.stream())
    assert len(made) == payments == len({one.key for one in made})
    assert made == sorted(made, key=lambda one: (one.day, one.at_ms))
    assert [one for day in range(max(1, days)) for one in plan.on(day)] == made
    assert all(0 <= one.at_ms < 86_400_000 and one.day < max(1, days) for one in made)


@few
@given(seeds, st.data())
def test_a_plan_goes_on_anywhere(seed, data):
    """From payment k on it is what it would have been."""
    start = data.draw(st.integers(0, 400))
    plan = Plan(seed, 400, days=20)
    assert list(plan.stream(start)) == list(plan.stream())[start:]
    assert list(seed_stream(seed, payments=400, days=20, start=start)) == list(plan.stream(start))


@few
@given(seeds)
def test_a_key_means_the_same_payment_in_every_plan_of_its_world(seed):
    """More payments, or fewer days: what both plans have is the same, but for the calendar."""
    sparse = {one.key: content(one) for one in Plan(seed, 300, days=60).stream()}
    for other in (Plan(seed, 900, days=60), Plan(seed, 300, days=90)):
        dense = {one.key: content(one) for one in other.stream()}
        both = sparse.keys() & dense.keys()
        assert len(both) > 200
        for key in both - {one.key for one in seed_plan(seed)}:
            # What comes after the last day is left out of each.
            many, fewer = dense[key], sparse[key]
            count = min(len(many.later), len(fewer.later))
            assert many.later[:count] == fewer.later[:count]
            assert replace(many, later=()) == replace(fewer, later=())


@few
@given(seeds, st.integers(1, 80))
def test_the_fifty_scenes_are_those_of_the_short_plan(seed, payments):
    """A stream plays the same scenes as `seed_plan`, each with its own day."""
    short = {one.key: one for one in seed_plan(seed, min(payments, 50))}
    for one in Plan(seed, payments).stream():
        if one.key in short:
            assert replace(one, day=0, at_ms=0, later=()) == short.pop(one.key)
    assert not short


@few
@given(seeds)
def test_the_default_plan_leaves_every_state(seed):
    """Fifty payments over thirty days: payments, refunds, disputes and payouts end in each state
    in which they can stay, and pass through the others."""
    plan = Plan(seed)
    found = [outlook(one, plan.days) for one in plan.stream()]
    left = {("payment", one.payment) for one in found}
    left |= {("refund", state) for one in found for state in one.refunds}
    left |= {("dispute", state) for one in found for state in one.disputes}
    states = {
        *(("payment", state.value) for state in PaymentState),
        *(("refund", state.value) for state in RefundState),
        *(("dispute", state.value) for state in DisputeState),
    }
    assert states - left == PASSED
    assert set().union(*(one.passed for one in found)) >= PASSED
    said = [one.outcome for day in range(plan.days) for one in plan.payouts(day)]
    assert {"paid", "failed", "returned", "none"} == set(said)
    assert len(PayoutState) == 3  # paid, failed, and on its way when nobody has said so


@few
@given(seeds, st.integers(50, 1_500), st.integers(1, 60))
def test_no_plan_asks_for_an_illegal_move(seed, payments, days):
    """Every order of every life has its row in the tables, whatever is cut off at the end."""
    for one in Plan(seed, payments, days=days).stream():
        outlook(one, days)
        assert list(one.later) == sorted(one.later, key=lambda order: order.day)
        assert all(one.day <= order.day < days for order in one.later)
        check_amount(one.amount_minor)


@few
@given(seeds, st.sampled_from((12, 50, 600)))
def test_what_is_due_is_what_was_planned(seed, payments):
    """Asked day by day, a plan names every order of every payment on its day, once."""
    plan = Plan(seed, payments)
    planned = Counter((one.key, order) for one in plan.stream() for order in one.later)
    due: Counter[object] = Counter()
    for day in range(plan.days):
        for payment, orders in plan.due(day):
            assert {order.day for order in orders} == {day}
            due.update((payment.key, order) for order in orders)
    assert due == planned


def test_every_life_is_lived_in_a_large_plan():
    """Refunds of each kind, disputes of each kind, late captures and cancels, in some shop."""
    verbs: Counter[str] = Counter()
    for one in Plan(42, 12_000).stream():
        verbs[" ".join(f"{order.verb}{order.stage}{order.detail}" for order in one.later)] += 1
    assert len(verbs) > 20
    assert any("second_chargeback" in life for life in verbs)
    assert any("reject" in life for life in verbs)


@few
@given(seeds)
def test_breaks_are_planned_where_a_line_is_sure_to_be(seed):
    """A month has breaks of several kinds, none on its last day, some of them judged."""
    plan = Plan(seed)
    breaks = [one for day in range(plan.days) for one in plan.breaks(day)]
    sure = sure_captures(plan.stream())
    assert {(one.day, one.provider) for one in breaks} <= {(one.day, one.provider) for one in sure}
    assert len({one.kind for one in breaks}) >= 4
    assert {one.judged for one in breaks} == {True, False}
    assert not plan.breaks(plan.days - 1)
    busy = Plan(seed, 30_000)
    kinds = {one.kind for day in range(busy.days) for one in busy.breaks(day)}
    assert len(kinds) >= 10
    assert kinds <= set(BREAK_KINDS)


def test_a_day_is_sorted_in_rounds_and_comes_out_the_same(monkeypatch):
    """A day with very many payments is made in several rounds, in the same order."""
    whole = list(Plan(42, 900, days=2).stream())
    monkeypatch.setattr("payrail.domain.synthetic.plan.SORTED_MAX", 100)
    assert list(Plan(42, 900, days=2).stream()) == whole


def test_a_dry_run_shows_no_card_number():
    """Neither a line nor the world has a number, a CVC, or anything that looks like one."""
    plan = Plan(2**64 - 1, 1_500, customers=1_000_000)
    numbers = set()
    for one in plan.stream():
        text = line_of(one).decode()
        assert not find_pans(text)
        assert not find_pans(" ".join(one.metadata.values()) + f" {one.key}-refund-2")
        assert one.card.number not in text
        numbers.add(one.card.number)
    shown = repr(as_world(plan))
    assert not any(number in shown for number in numbers)
    assert set(as_world(Plan(42))) >= {"seed", "merchants", "customers", "cards", "payments"}


def test_with_two_merchants_only_those_of_the_demo_house_sell():
    """A house that knows two merchants can play a plan, under keys of its own."""
    plan = Plan(42, 400, merchants=2)
    assert {one.merchant_id for one in plan.stream()} == {"m_001", "m_002"}
    keys = {one.key for one in plan.stream()} & {one.key for one in Plan(42, 400).stream()}
    assert keys == {one.key for one in seed_plan(42)}


def test_declines_have_their_code():
    """A card that is known to be declined says why, in every pattern."""
    for one in Plan(42, 2_000).stream():
        card = outcome_for(one.card.number)
        if card and card.outcome == "declined" and not card.challenge:
            assert one.decline_code == card.decline_code
            assert one.scene.ends == "declined"

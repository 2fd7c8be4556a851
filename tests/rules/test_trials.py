"""Answers of issuers at each provider, and when a canary must end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.domain.routing import Charge, RoutingRule, RoutingTable, order_for
from payrail.domain.trials import RECENT_MAX, Canary, Tally, best_first, noted, shown, tally_of

A, B = "providerA", "providerB"


def canary(own: tuple[int, int], others: tuple[int, int], points: int = 5) -> Canary:
    """(answered, authorized) of each side, after at least 20 answers."""
    return Canary(B, 10, 20, points, Tally(*own), Tally(*others))


@pytest.mark.parametrize(
    ("own", "others", "ends"),
    [
        ((20, 18), (20, 20), True),  # 90 % against 100 %
        ((20, 19), (20, 20), False),  # 95 %: five points below is allowed
        ((19, 0), (20, 20), False),  # too few of its own to tell
        ((20, 0), (19, 19), False),  # too few of the others
        ((200, 179), (200, 190), True),  # 89.5 % against 95 %
        ((20, 20), (20, 0), False),  # it does better
    ],
)
def test_a_canary_ends_when_it_does_so_much_worse(own, others, ends: bool):
    """More than the points that people allowed, and only when both sides have enough answers."""
    assert canary(own, others).must_end is ends


def test_a_canary_ends_once():
    """What has ended cannot end again."""
    ended = canary((20, 0), (20, 20))
    ended.rolled_back_ms = 1

    assert not ended.must_end
    assert shown(ended, B) == {
        "percent": 0,
        "percent_asked": 10,
        "answers_min": 20,
        "points_max": 5,
        "rolled_back_at": "1970-01-01T00:00:00.001Z",
    }
    assert shown(ended, A) is None


@given(st.lists(st.booleans(), max_size=2 * RECENT_MAX))
def test_the_last_answers_are_remembered_and_no_more(answers: list[bool]):
    """The newest 125, in their order."""
    recent = ""
    for authorized in answers:
        recent = noted(recent, authorized=authorized)
    kept = answers[-RECENT_MAX:]

    assert recent == "".join("1" if one else "0" for one in kept)
    assert tally_of(recent) == Tally(len(kept), sum(kept))


def test_the_best_goes_first_once_enough_is_known_of_all():
    """With fewer than 20 answers of one, the order stays as it is written."""
    assert best_first((A, B), {A: "0" * 20, B: "1" * 19}) == (A, B)
    assert best_first((A, B), {A: "0" * 20, B: "1" * 20}) == (B, A)
    assert best_first((A, B), {A: "1" * 20, B: "1" * 20}) == (A, B)


def test_success_reorders_by_a_rule_only():
    """`best_first` is the one word that makes it count."""
    charge = Charge("pi_1", "m_001", 1099, "USD", "424242", "US")
    known = {A: "0" * 20, B: "1" * 20}
    best = RoutingTable(rules=(RoutingRule("best", (A, B), best_first=True),))

    assert order_for(best, charge, known).providers == (B, A)
    assert order_for(RoutingTable(), charge, known).providers == (A, B)


@given(st.integers(0, 99), st.integers(0, 2**32))
def test_exploration_is_drawn_again_by_seed_and_payment(number: int, seed: int):
    """The same two give the same draw, bit for bit."""
    charge = Charge(f"pi_{number:016d}", "m_001", 1099, "USD", "424242", "US")
    table = RoutingTable(exploration_percent=50, seed=seed)

    assert order_for(table, charge) == order_for(table, charge)
    (draw,) = order_for(table, charge).draws
    assert (draw.drawn < 50) == (order_for(table, charge).drawn == "exploration")


def test_another_seed_explores_other_payments():
    """Of a hundred payments, two seeds pick different ones."""
    charges = [Charge(f"pi_{n:016d}", "m_001", 1, "USD", "", None) for n in range(100)]
    picked = [
        [order_for(RoutingTable(exploration_percent=50, seed=seed), one).drawn for one in charges]
        for seed in (1, 2)
    ]

    assert picked[0] != picked[1]

"""The breaker: five in a row, or half of twenty; pauses that double; five good ones to close."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.domain.breaker import (
    BREAKER_TRANSITIONS,
    CLOSED,
    HALF_OPENED,
    OPENED,
    PAUSE_MS_MAX,
    WINDOW_S,
    Breaker,
    BreakerState,
    copied,
    move,
    note,
    offer,
    shown,
    verdict,
)

NOON_MS = 1_770_638_400_000
#: (milliseconds since the call before, whether it failed)
CALLS = st.lists(st.tuples(st.integers(0, 30_000), st.booleans()), max_size=150)


def called(breaker: Breaker, failed: bool, now_ms: int = NOON_MS) -> str | None:
    """One call ends; what follows is folded. Result: the move, or None."""
    note(breaker, now_ms, failed=failed)
    moved = verdict(breaker, now_ms)
    if moved is not None:
        move(breaker, moved, at_ms=now_ms, probe_ms=now_ms + breaker.pause_ms)
    return moved


def opened(times: int = 1) -> Breaker:
    """A breaker that opened so often without closing."""
    breaker = Breaker()
    for number in range(times):
        if number:
            move(breaker, HALF_OPENED)
        move(breaker, OPENED, at_ms=NOON_MS, probe_ms=NOON_MS + breaker.pause_ms)
    return breaker


def half_open() -> Breaker:
    breaker = opened()
    move(breaker, HALF_OPENED)
    return breaker


def test_five_failures_in_a_row_open_it():
    """Four and a good one do not."""
    breaker = Breaker()
    assert [called(breaker, failed) for failed in (True,) * 4 + (False,) + (True,) * 4] == [
        None
    ] * 9
    assert called(breaker, failed=True) == OPENED
    assert (breaker.state, breaker.opened_ms) == (BreakerState.OPEN, NOON_MS)
    assert breaker.probe_ms == NOON_MS + 30_000


def test_half_of_twenty_calls_within_a_minute_open_it():
    """Nineteen are too few to tell; over more than a minute they are no twenty."""
    every_other = [n % 2 == 1 for n in range(20)]
    quick, slow = Breaker(), Breaker()
    moves = [called(quick, failed, NOON_MS + n * 1000) for n, failed in enumerate(every_other)]
    slowly = [called(slow, failed, NOON_MS + n * 3_500) for n, failed in enumerate(every_other)]

    assert moves == [None] * 19 + [OPENED]
    assert slowly == [None] * 20


def test_pauses_double_up_to_ten_minutes():
    """30 s, 1, 2, 4, 8, 10 and 10 minutes; after it closed, 30 s again."""
    pauses_s = [opened(times).probe_ms for times in range(1, 8)]
    assert [(at - NOON_MS) // 1000 for at in pauses_s if at] == [30, 60, 120, 240, 480, 600, 600]

    breaker = opened(6)
    move(breaker, HALF_OPENED)
    move(breaker, CLOSED)
    assert breaker.pause_ms == 30_000


def test_half_open_lets_the_first_of_ten_through():
    """And the eleventh."""
    breaker, let_through = half_open(), []
    for number in range(1, 22):
        if breaker.lets_through:
            let_through.append(number)
        offer(breaker)

    assert let_through == [1, 11, 21]


def test_five_good_calls_close_it():
    """And it starts anew."""
    breaker = half_open()
    assert [called(breaker, failed=False) for _ in range(5)] == [None] * 4 + [CLOSED]
    assert breaker == Breaker(moves=3)


def test_one_failure_opens_a_half_open_one_for_longer():
    """However many were good before."""
    breaker = half_open()
    assert [called(breaker, failed) for failed in (False, False, True)] == [None, None, OPENED]
    assert breaker.probe_ms == NOON_MS + 60_000


def test_an_open_one_learns_nothing_from_calls_that_were_on_their_way():
    """They neither close it nor make the pause longer."""
    breaker = opened()
    before = copied(breaker)
    assert [called(breaker, failed) for failed in (True, False) * 10] == [None] * 20
    assert breaker == before


def test_what_people_see_has_all_that_the_pages_name():
    """State, when it opened, the window, and when it is tried again."""
    assert shown(opened(), NOON_MS) == {
        "state": "OPEN",
        "opened_at": "2026-02-09T12:00:00.000Z",
        "window": {"seconds": 60, "calls": 0, "failures": 0, "failures_in_a_row": 0},
        "next_probe_at": "2026-02-09T12:00:30.000Z",
    }


@pytest.mark.parametrize("state", BreakerState)
@pytest.mark.parametrize("entry", [OPENED, HALF_OPENED, CLOSED])
def test_a_move_that_is_not_in_the_table_is_damage(state: BreakerState, entry: str):
    """A breaker goes nowhere by another way."""
    breaker = Breaker(state)
    if (state, entry) in BREAKER_TRANSITIONS:
        move(breaker, entry)
        assert breaker.state is BREAKER_TRANSITIONS[state, entry]
        return
    with pytest.raises(ValueError, match="cannot follow"):
        move(breaker, entry)


@given(CALLS)
def test_it_opens_exactly_when_the_rule_says(calls: list[tuple[int, bool]]):
    """Against the rule as one would write it down from the page, over all calls so far."""
    breaker, now_ms, seen = Breaker(), NOON_MS, []
    for pause_ms, failed in calls:
        now_ms += pause_ms
        seen.append((now_ms // 1000, failed))
        in_a_row = len(seen) >= 5 and all(bad for _, bad in seen[-5:])
        recent = [bad for at_s, bad in seen if at_s > now_ms // 1000 - WINDOW_S]
        share = len(recent) >= 20 and 2 * sum(recent) >= len(recent)
        moved = called(breaker, failed, now_ms)
        assert (moved == OPENED) == (failed and (in_a_row or share))
        if moved:
            return


@given(CALLS)
def test_it_remembers_a_minute_at_most_whatever_comes(calls: list[tuple[int, bool]]):
    """Memory is bounded, a pause too, and a copy is not touched by what happens after."""
    breaker, now_ms = Breaker(), NOON_MS
    for pause_ms, failed in calls:
        now_ms += pause_ms
        before = copied(breaker)
        kept = copied(before)
        called(breaker, failed, now_ms)
        assert before == kept
        if breaker.state is BreakerState.OPEN:
            move(breaker, HALF_OPENED)
        assert len(breaker.window) <= WINDOW_S
        assert 30_000 <= breaker.pause_ms <= PAUSE_MS_MAX

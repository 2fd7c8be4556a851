"""The rules of restarts."""

import signal
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.runtime.supervision import (
    DEGRADED_RETRY_MS,
    HELD_CODES,
    Death,
    History,
    Verdict,
    is_poisoned,
    judge,
)
from payrail.runtime.wards import Ward

NEVER_SERVED = Death(code=1, at_ms=100_000, served_ms=0, steps=0)


def after(deaths: list[Death]) -> tuple[History, list[Verdict]]:
    history, verdicts = History(), []
    for death in deaths:
        history, verdict = judge(history, death)
        verdicts.append(verdict)
    return history, verdicts


def test_random_kills_restart_at_once():
    """An actor that is killed from outside again and again, while it serves, never waits."""
    kills = [
        Death(-signal.SIGKILL, at_ms=at, served_ms=at - 80, steps=0)
        for at in range(1_000, 60_000, 200)
    ]

    assert set(after(kills)[1]) == {Verdict("up")}


def test_fruitless_deaths_wait_longer_each_time_and_then_degrade():
    """Five pauses that double from 50 ms; the sixth death in 30 s is answered slowly."""
    deaths = [replace(NEVER_SERVED, at_ms=1_000 * n) for n in range(1, 8)]

    verdicts = after(deaths)[1]

    assert [verdict.wait_ms for verdict in verdicts[:5]] == [50, 100, 200, 400, 800]
    assert verdicts[5:] == [Verdict("degraded", DEGRADED_RETRY_MS)] * 2


def test_slow_deaths_wait_five_seconds_at_most():
    """Deaths that are far apart back off to the cap and do not degrade."""
    deaths = [replace(NEVER_SERVED, at_ms=10_000 * n) for n in range(1, 12)]

    verdicts = after(deaths)[1]

    assert verdicts[-1] == Verdict("backoff", 5_000)


def test_degraded_lasts_until_something_is_done():
    """A degraded actor is tried twice a minute until an incarnation bears fruit."""
    deaths = [replace(NEVER_SERVED, at_ms=n) for n in range(6)]
    late = replace(NEVER_SERVED, at_ms=500_000)
    fruitful = Death(1, at_ms=600_000, served_ms=590_000, steps=1)

    assert after([*deaths, late])[1][-1].state == "degraded"
    assert after([*deaths, late, fruitful])[0] == History()


@pytest.mark.parametrize("code", sorted(HELD_CODES))
def test_what_restarting_cannot_mend_is_held(code):
    """Damage, a living predecessor, failed I/O and bad settings wait for people."""
    assert judge(History(), replace(NEVER_SERVED, code=code, steps=9))[1] == Verdict("held")


@pytest.mark.parametrize(
    ("death", "fruitful"),
    [
        (Death(1, 5_000, served_ms=0, steps=9), False),
        (Death(1, 5_000, served_ms=4_900, steps=0), False),
        (Death(1, 5_000, served_ms=4_900, steps=1), True),
        (Death(1, 5_000, served_ms=4_000, steps=0), True),
        (Death(-signal.SIGSEGV, 5_000, served_ms=4_900, steps=0), False),
        (Death(-signal.SIGKILL, 5_000, served_ms=4_900, steps=0), True),
        (Death(-signal.SIGKILL, 5_000, served_ms=4_900, steps=0, hung=True), False),
    ],
)
def test_what_counts_as_fruit(death, fruitful):
    """Serving and taking a message, or serving a while; being killed for silence is no excuse."""
    assert death.fruitful is fruitful


def test_a_poison_is_to_blame_for_three_deaths_only():
    """Deaths in one message are the message's until it must have been set aside."""
    assert is_poisoned("a:1", None, 0)
    assert is_poisoned("a:1", "a:1", 2)
    assert not is_poisoned("a:1", "a:1", 3)
    assert is_poisoned("a:2", "a:1", 3)
    assert not is_poisoned(None, "a:1", 1)
    assert judge(History(), replace(NEVER_SERVED, poisoned=True)) == (History(), Verdict("up"))


@given(st.lists(st.tuples(st.integers(0, 40_000), st.integers(0, 2), st.booleans()), max_size=60))
def test_memory_and_pauses_are_bounded(falls):
    """Whatever an actor dies of, and however often: few numbers are kept, and it is tried again."""
    history, now_ms = History(), 0
    for pause_ms, steps, served in falls:
        now_ms += pause_ms
        death = Death(1, now_ms, served_ms=now_ms * served, steps=steps)
        history, verdict = judge(history, death)

        assert len(history.recent_ms) <= 6
        assert 0 <= verdict.wait_ms <= DEGRADED_RETRY_MS
        assert verdict.state in ("up", "backoff", "degraded")


def test_a_sealed_actor_is_neither_waited_for_nor_held():
    """It lives and waits for people: it is not on its way, the front door's first start does not
    wait for it, and a release is for it as a restart is."""
    sealed = Ward("vault", _NoOrders(), process=_Living(), due_ms=None, sealed=True)

    assert not sealed.is_starting
    assert not sealed.is_held
    assert sealed.is_settled
    assert sealed.is_released_by("release")
    assert not replace(sealed, sealed=False).is_settled
    assert not replace(sealed, sealed=False).is_released_by("release")


class _NoOrders:
    def unread(self) -> list[Any]:
        return []


class _Living:
    pid = 1

    def code(self) -> int | None:
        return None

    def become(self, actor: str) -> None: ...

    def tell(self, line: Any) -> None: ...

    def kill(self) -> None: ...

    def end(self) -> None: ...

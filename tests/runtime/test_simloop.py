"""The event loop of a simulated process: coroutines in virtual time, and their end."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from payrail.runtime.sim import SimClock, SimCrash, SimFs
from payrail.runtime.simfaults import Fault
from payrail.runtime.simloop import VirtualLoop


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def loop(clock) -> Iterator[VirtualLoop]:
    loop = VirtualLoop(clock)
    yield loop
    loop.end()
    gc.collect()


def _run(loop: VirtualLoop) -> None:
    while loop.run_ready():
        pass


def test_time_passes_only_by_the_clock(loop, clock):
    """A sleeper of five seconds wakes when the clock stands there, and not a millisecond before."""
    woke: list[float] = []

    async def sleeper() -> None:
        await asyncio.sleep(5)
        woke.append(loop.time())

    loop.create_task(sleeper())
    _run(loop)
    assert loop.next_due_ms() == 5_000
    clock.advance_ms(4_999)
    _run(loop)
    assert woke == []
    clock.advance_ms(1)
    _run(loop)
    assert woke == [5.0]
    assert loop.next_due_ms() is None


def test_one_turn_runs_what_is_ready_and_not_what_follows(loop):
    """What a call makes ready waits for the next turn, so that others may have theirs between."""
    seen: list[str] = []

    def first() -> None:
        seen.append("first")
        loop.call_soon(seen.append, "second")

    loop.call_soon(first)
    assert loop.next_due_ms() == 0
    assert loop.run_ready()
    assert seen == ["first"]
    assert loop.run_ready()
    assert seen == ["first", "second"]
    assert not loop.run_ready()


def test_timers_of_one_moment_run_in_the_order_of_their_setting(loop, clock):
    """Nothing about the order of timers is left to chance."""
    seen: list[int] = []
    for number in range(20):
        loop.call_later(0.1, seen.append, number)
    clock.advance_ms(100)
    _run(loop)
    assert seen == list(range(20))


def test_a_timeout_ends_a_wait(loop, clock):
    """`asyncio.timeout` works on virtual time."""
    ended: list[str] = []

    async def waits() -> None:
        try:
            async with asyncio.timeout(2):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            ended.append("timeout")

    loop.create_task(waits())
    _run(loop)
    clock.advance_ms(2_000)
    _run(loop)
    assert ended == ["timeout"]


def test_a_semaphore_and_a_gather_work(loop, clock):
    """Three at a time through a gate for two take two waits."""
    gate = asyncio.Semaphore(2)

    async def through(number: int) -> int:
        async with gate:
            await asyncio.sleep(1)
        return number

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*map(through, range(3)))

    task = loop.create_task(all_of_them())
    for _ in range(2):
        _run(loop)
        assert not task.done()
        clock.advance_ms(1_000)
    _run(loop)
    assert task.result() == [0, 1, 2]


def test_a_thread_is_done_at_once(loop):
    """There are no threads: `to_thread` runs where it stands, and hands on what it raises."""

    async def asks() -> int:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return await asyncio.to_thread(lambda: 7)

    assert loop.finish(asks()) == 7


def test_cancelled_timers_do_not_pile_up(loop):
    """A request sets a timer and cancels it; thousands of them leave nothing behind."""
    for _ in range(10_000):
        loop.call_later(60, print).cancel()
    assert len(loop._timers) < 1_000
    assert loop.next_due_ms() is None


def test_an_error_of_a_task_is_kept(loop):
    """Nobody waits for a task that fails: its error lies in `faults`, and nothing is printed."""

    async def fails() -> None:
        raise ValueError("so it is")

    loop.create_task(fails())
    _run(loop)
    gc.collect()
    assert [str(fault) for fault in loop.faults] == ["so it is"]


def test_a_killed_process_runs_no_more(clock):
    """Whatever it was about to do is not done, whoever waited is closed, and no warning is left."""
    loop = VirtualLoop(clock)
    seen: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(1)
            seen.append("woke")
        finally:
            await asyncio.sleep(0)
            seen.append("went on")

    loop.create_task(waits())
    _run(loop)
    loop.create_task(waits())  # one that never began
    loop.call_soon(seen.append, "ready")
    loop.end()
    clock.advance_ms(1_000)
    loop.call_soon(seen.append, "late")
    assert not loop.run_ready()
    assert loop.next_due_ms() is None
    del loop
    gc.collect()
    assert seen == []


def test_a_process_that_dies_of_a_call_dies_there(clock):
    """After the crash not even what was ready in the same turn is run."""
    fs = SimFs(faults=[Fault(1, "crash_before")])
    loop = VirtualLoop(clock, lambda: fs.is_dead)
    seen: list[str] = []

    async def writes() -> None:
        fs.replace("a/file", b"x")

    loop.create_task(writes())
    loop.call_soon(seen.append, "after")
    with pytest.raises(SimCrash):
        loop.run_ready()
    loop.end()
    gc.collect()
    assert (seen, len(fs.fired)) == ([], 1)


def test_work_that_needs_time_cannot_be_finished_at_once(loop):
    """`finish` is for work between two moments; anything else is told at once."""
    with pytest.raises(RuntimeError, match="without time"):
        loop.finish(asyncio.sleep(1))

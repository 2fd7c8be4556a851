"""Errands and followed books: work beside the loop, begun after the fsync and never forgotten."""

import asyncio
from collections import Counter

import pytest

from payrail.domain.messages import AskAgain
from payrail.errors import JournalLost
from payrail.logs import make_logger
from payrail.runtime import errands
from payrail.runtime.actor import Errand
from payrail.runtime.driver import Driver
from payrail.runtime.errands import NoErrands, SimErrands, Workshop
from payrail.runtime.intake import World
from payrail.runtime.recovery import journal_path
from payrail.runtime.sim import Dropped, Fault, NoBell, NoCell, SimClock, SimFs
from payrail.storage.journal import read_steps, verify_chain
from tests.runtime import courier
from tests.runtime.courier import NEWS, Courier, Parcel, publish, settle, words_in_world
from tests.runtime.crashpoints import (
    Files,
    Scenario,
    errors,
    kills,
    power_cuts,
    steps,
    survive_all,
)

WORDS = ("one", "two", "three", "four")
JOURNAL = journal_path("gateway")


def lives(fs: SimFs) -> courier.State:
    driver = courier.drive(fs, SimClock())
    settle(driver)
    return driver.loop.state


def test_each_line_of_a_followed_book_is_carried_once():
    """New lines come in their order, also those written while the actor was away."""
    fs = SimFs()
    publish(fs, "one", "two")
    assert lives(fs).carried == ["one", "two"]
    publish(fs, "three")
    assert lives(fs).carried == ["one", "two", "three"]
    assert words_in_world(fs) == ["one", "two", "three"]


def test_the_way_through_a_book_survives_a_snapshot():
    """The position stands in the head's document as well as in the journal."""
    fs = SimFs()
    publish(fs, *WORDS)
    driver = courier.drive(fs, SimClock())
    settle(driver)
    driver.write_documents()
    again = courier.drive(fs, SimClock())
    settle(again)
    assert again.found.from_documents
    assert again.loop.state.carried == list(WORDS)
    assert words_in_world(fs) == list(WORDS)


def test_a_long_book_is_taken_in_pieces():
    """One turn takes a bounded number of lines, and the next turn the next."""
    fs = SimFs()
    words = [f"word{n}" for n in range(300)]
    publish(fs, *words)
    state = lives(fs)
    assert state.carried == words
    read = [line.in_ for *_, line in read_steps(fs.read(JOURNAL)) if "book:" in line.in_.id]
    assert [taken.n for taken in read] == [128, 256, 300]


def test_a_torn_tail_waits_for_its_writer():
    """Half a line is not taken, and not damage either."""
    fs = SimFs()
    publish(fs, "one")
    more = courier.news("two", after=fs.read(NEWS))
    fs.open(NEWS).append(more[:20])
    driver = courier.drive(fs, SimClock())
    settle(driver)
    assert driver.loop.state.carried == ["one"]
    fs.open(NEWS).append(more[20:])
    settle(driver)
    assert driver.loop.state.carried == ["one", "two"]
    assert driver.notes == []


def test_a_damaged_book_is_told_once_and_everything_else_goes_on():
    """What stands above the damage is taken; below it nothing is, for people to see why."""
    fs = SimFs()
    publish(fs, "one", "two", "three")
    data = fs.read(NEWS).replace(b'"word":"two"', b'"word":"owt"')
    fs.open(NEWS).pwrite(0, data)
    driver = courier.drive(fs, SimClock())
    for _ in range(3):
        settle(driver)
    assert driver.loop.state.carried == ["one"]
    assert [event for event, _ in driver.notes] == ["book.damaged"]


def test_a_book_that_its_owner_mends_is_read_on():
    """Whoever starts before the owner meets what a power cut has torn, and goes on once it is
    mended, also where the file has not grown. Found by a schedule of `payrail simulate`, whose
    merchant got no webhooks until the next restart."""
    fs = SimFs()
    publish(fs, "one", "two", "three")
    good = fs.read(NEWS)
    fs.open(NEWS).pwrite(0, good.replace(b'"word":"two"', b'"word":"\0\0\0"'))
    driver = courier.drive(fs, SimClock())
    settle(driver)
    assert not driver.intake.anything_new()
    fs.open(NEWS).pwrite(0, good)
    assert driver.intake.anything_new()
    settle(driver)
    assert driver.loop.state.carried == ["one", "two", "three"]


def test_an_errand_begins_only_when_its_intent_is_durable():
    """Whatever was carried into the world has its intent in the journal on the disk."""
    fs = SimFs()
    publish(fs, *WORDS)
    driver = courier.drive(fs, SimClock())
    driver.turn()
    driver.turn()
    assert words_in_world(fs) == list(WORDS)
    durable = SimFs(fs.disk.after_crash(Dropped()))
    assert durable.read(JOURNAL).count(b'"intended"') == len(WORDS)


def test_no_errand_begins_when_its_intent_did_not_become_durable():
    """An fsync that fails ends the incarnation before anything of the turn went into the world."""
    fs, begun = SimFs(), list[Errand]()

    class Begun(NoErrands):
        def start(self, errand: Errand) -> None:
            begun.append(errand)

    driver = Driver(Courier(), World(fs, SimClock(), NoBell(), NoCell(), errands=Begun()))
    publish(fs, *WORDS)
    fs.faults = [Fault(fs.calls + 1, "error", forever=True, ops=frozenset({"sync"}))]

    with pytest.raises(JournalLost):
        driver.turn()

    assert [call.path for call in fs.fired] == [JOURNAL]
    assert begun == []


def live(fs: SimFs, clock: SimClock) -> None:
    publish(fs, *WORDS[:2])
    driver = courier.drive(fs, clock)
    settle(driver)
    driver.write_documents()
    publish(fs, *WORDS[2:])
    settle(driver)


def revive(fs: SimFs, clock: SimClock) -> None:
    """The book's owner writes again what was lost; the courier goes on from its journal."""
    there = fs.read(NEWS) if fs.exists(NEWS) else b""
    whole = courier.news(*WORDS)
    file = fs.open(NEWS, create=True)
    if not whole.startswith(there):
        file.truncate(0)
        there = b""
    file.append(whole[len(there) :])
    file.sync()
    settle(courier.drive(fs, clock))


def check(seen: Files, fs: SimFs) -> None:
    """Everything was carried at least once and counted exactly once; the journal is whole."""
    driver = courier.drive(fs, SimClock())
    settle(driver)
    assert driver.loop.state.carried == list(WORDS)
    assert driver.loop.state.open == []
    assert set(Counter(words_in_world(fs))) == set(WORDS)
    verify_chain(JOURNAL, fs.read(JOURNAL))


CARRYING = Scenario(live, revive, check)


@pytest.fixture(scope="module")
def calls():
    """Every effect of the courier's life."""
    return steps(CARRYING)


def test_no_errand_is_lost_when_the_process_dies(calls):
    """Killed before, after and in the middle of every effect, its own and its work's."""
    assert len(calls) > 25
    survive_all(CARRYING, kills(calls))


def test_no_errand_is_lost_when_the_power_goes(calls):
    survive_all(CARRYING, power_cuts(calls, 1))


def test_no_errand_is_lost_when_the_disk_fails_once(calls):
    survive_all(CARRYING, errors(calls))


class _Lines:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def flush(self) -> None: ...


def workshop(work) -> tuple[Workshop, _Lines, asyncio.Event]:
    lines, woken = _Lines(), asyncio.Event()
    return Workshop({"carry": work}, woken.set, make_logger("gateway", lines)), lines, woken


async def test_what_came_of_an_errand_wakes_its_actor():
    """The outcome keeps the errand's id and correlation id."""

    async def work(body):
        return "ask.again", AskAgain("pi_1", body.word, 1)

    shop, _, woken = workshop(work)
    shop.start(Errand("e1", "carry", Parcel("one"), "cor_9"))
    await woken.wait()
    (done,) = shop.finished(10)
    assert (done.errand_id, done.kind, done.correlation_id) == ("e1", "ask.again", "cor_9")
    assert shop.finished(10) == []
    assert shop.running == 0


async def test_an_errand_that_raises_is_told_and_tried_again(monkeypatch):
    """A bug in a work costs time, never the errand."""
    monkeypatch.setattr(errands, "AGAIN_S", 0.001)
    tries = []

    async def work(body):
        tries.append(body.word)
        if len(tries) < 3:
            raise ZeroDivisionError
        return "ask.again", AskAgain("pi_1", body.word, 1)

    shop, lines, woken = workshop(work)
    shop.start(Errand("e1", "carry", Parcel("one"), "cor_1"))
    await asyncio.wait_for(woken.wait(), 5)
    assert tries == ["one"] * 3
    assert sum(b"errand.failed" in line for line in lines.written) == 2


async def test_an_errand_runs_once_at_a_time_and_ends_with_its_actor():
    """Started twice under one id it runs once; closed, it is cancelled without an outcome."""
    began = []

    async def work(body):
        began.append(body.word)
        await asyncio.sleep(3600)
        return "ask.again", AskAgain("pi_1", body.word, 1)

    shop, _, _ = workshop(work)
    for _ in range(2):
        shop.start(Errand("e1", "carry", Parcel("one"), "cor_1"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await shop.close()
    assert began == ["one"]
    assert shop.finished(10) == []


def test_work_that_nobody_does_is_no_errand():
    """A name without a work is a bug of the house, not something to wait for."""
    with pytest.raises(LookupError):
        SimErrands({}).start(Errand("e1", "carry", Parcel("one"), "cor_1"))

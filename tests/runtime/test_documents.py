"""Documents are a quick start when they are exactly what the journal names, and nothing else."""

import errno
from collections.abc import Callable

import msgspec
import pytest

from payrail.errors import JournalLost
from payrail.runtime.driver import Driver
from payrail.runtime.recovery import head_path, journal_path
from payrail.runtime.sim import Dropped, Fault, SimClock, SimDisk, SimFs
from tests.runtime.toy import State, Toy, deposit_line, drive, feed, settle

HEAD = head_path("gateway")
STATE = "data/actors/gateway/toy.json"
BOOK = Toy.books["deposits"].path


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def fs(clock: SimClock) -> SimFs:
    """A house with two snapshots in its past and steps behind the second."""
    fs = SimFs()
    driver = drive(fs, clock)
    for n in (1, 2, 3):
        feed(fs, "vault", deposit_line(n, f"tok_{n}"))
        settle(driver)
        if n < 3:
            driver.write_documents()
    return fs


def facts(driver: Driver[State]) -> tuple[State, object]:
    """What an incarnation knows, apart from its own first step."""
    return driver.loop.state, msgspec.json.encode(driver.loop.head)


def full_fold(fs: SimFs, clock: SimClock) -> tuple[State, object]:
    """The same from the journal alone, on a disk that never had documents."""
    bare = SimFs()
    for path, node in fs.disk.names.items():
        if not node.is_folder and path not in (HEAD, STATE):
            bare.replace(path, bytes(node.content))
    driver = drive(bare, clock)
    assert not driver.found.from_documents
    return facts(driver)


def test_a_snapshot_saves_the_fold_and_changes_nothing(fs: SimFs, clock: SimClock):
    """From documents or from the first line: the same state, head, timers."""
    expected = full_fold(fs, clock)

    driver = drive(fs, clock)

    assert driver.found.from_documents
    assert driver.found.found.lines == 2
    assert facts(driver) == expected


def edited(fs: SimFs) -> None:
    fs.replace(STATE, fs.read(STATE).replace(b'"total": 2', b'"total": 3'))


def missing(fs: SimFs) -> None:
    fs.unlink(HEAD)


def torn(fs: SimFs) -> None:
    fs.replace(STATE, fs.read(STATE)[:-20])


def of_another_step(fs: SimFs) -> None:
    """The state as an earlier snapshot held it, whole and named by the journal."""
    other, clock = SimFs(), SimClock()
    driver = drive(other, clock)
    feed(other, "vault", deposit_line(1, "tok_1"))
    settle(driver)
    driver.write_documents()
    fs.replace(STATE, other.read(STATE))


def of_another_house(fs: SimFs) -> None:
    """A set that agrees with itself, but that no line of our journal names."""
    other, clock = SimFs(), SimClock()
    driver = drive(other, clock)
    feed(other, "vault", deposit_line(1, "tok_9"), deposit_line(2, "tok_8"))
    settle(driver)
    driver.write_documents()
    for path in (HEAD, STATE):
        fs.replace(path, other.read(path))


def restamped(fs: SimFs) -> None:
    """Every document edited in the same way."""
    for path in (HEAD, STATE):
        fs.replace(path, fs.read(path).replace(b'"step": 4', b'"step": 3', 1))


@pytest.mark.parametrize(
    "harm", [edited, missing, torn, of_another_step, of_another_house, restamped]
)
def test_documents_that_the_journal_does_not_name_are_not_used(
    harm: Callable[[SimFs], None], fs: SimFs, clock: SimClock
):
    """The journal is folded instead, and says the same."""
    expected = full_fold(fs, clock)
    before = fs.read(STATE), fs.read(HEAD)
    harm(fs)
    assert (fs.read(STATE), fs.exists(HEAD) and fs.read(HEAD)) != before

    driver = drive(fs, clock)

    assert not driver.found.from_documents
    assert facts(driver) == expected


def test_a_snapshot_is_of_no_use_when_its_name_was_cut(clock: SimClock):
    """Documents that reached the disk before the line that names them are not yet documents."""
    fs = SimFs()
    driver = drive(fs, clock)
    feed(fs, "vault", deposit_line(1, "tok_1"))
    settle(driver)
    driver.write_documents()
    lines = fs.read(journal_path("gateway")).splitlines(True)
    file = fs.open(journal_path("gateway"))
    file.truncate(len(b"".join(lines[:-1])))

    reborn = drive(fs, clock)

    assert not reborn.found.from_documents
    assert reborn.loop.state.tokens == ["tok_1"]


def test_open_timers_are_part_of_a_snapshot(fs: SimFs, clock: SimClock):
    """A timer that was set before the snapshot still rings, once, after a start from it."""
    driver = drive(fs, clock)
    assert driver.found.from_documents
    clock.advance_ms(1000)
    settle(driver)

    assert driver.loop.state.rung == ["tok_1", "tok_2", "tok_3"]
    assert all(line.count(b"\n") == 0 for line in fs.read(journal_path("gateway")).splitlines())


def test_nothing_is_snapshot_while_a_book_cannot_be_written(clock: SimClock):
    """A snapshot says that the books hold everything up to its step: then they must."""
    fs = SimFs()
    driver = drive(fs, clock)
    feed(fs, "vault", deposit_line(1, "tok_1"))
    fs.faults = [
        Fault(fs.calls + 3, "error", errno.ENOSPC, forever=True, ops=frozenset({"pwrite"}))
    ]
    settle(driver)
    assert fs.fired[0].path == BOOK

    driver.write_documents()

    assert not fs.exists(STATE)
    fs.faults = []
    driver.write_documents()
    assert not driver.blocked
    reborn = drive(fs.after_crash(Dropped()), clock)
    assert reborn.found.from_documents
    assert reborn.loop.state.total == 1


@pytest.mark.parametrize("drops", [False, True], ids=["read on", "read no more"])
def test_a_book_whose_sync_failed_is_written_again_before_it_is_believed(
    clock: SimClock, drops: bool
):
    """The next sync succeeds and means nothing: without a second write a power cut would take
    lines that the snapshot calls durable. Its writer ends, since what it reads there may be the old
    bytes: the next one has the journal to compare them with."""
    fs = SimFs(SimDisk(drops=drops))
    driver = drive(fs, clock)
    feed(fs, "vault", deposit_line(1, "tok_1"))
    settle(driver)
    fs.faults = lambda call: (
        Fault(call.n, "error") if (call.op, call.path) == ("sync", BOOK) else None
    )
    with pytest.raises(JournalLost):
        driver.write_documents()
    assert fs.fired
    after = fs.reopen()
    drive(after, clock).write_documents()

    reborn = drive(after.after_crash(Dropped()), clock)

    assert reborn.found.from_documents
    assert len(reborn.world.fs.read(BOOK).splitlines()) == 1

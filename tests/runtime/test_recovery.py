"""What an actor makes of the files that a dead one left: mended, or refused without a write."""

import errno
from typing import TypeVar

import pytest

from payrail.errors import Behind, Corrupt, JournalLost
from payrail.runtime.recovery import journal_path
from payrail.runtime.sim import Dropped, Fault, SimClock, SimCrash, SimFs
from payrail.storage.journal import verify_chain
from payrail.storage.lines import complete_lines
from payrail.storage.spool import spool_path
from tests.runtime.crashpoints import files
from tests.runtime.toy import Toy, deposit_line, drive, feed, settle

JOURNAL = journal_path("gateway")
BOOK = Toy.books["deposits"].path
TO_VAULT = spool_path("vault", "gateway")

E = TypeVar("E", Corrupt, Behind)


@pytest.fixture
def fs() -> SimFs:
    return SimFs()


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


def lived(fs: SimFs, clock: SimClock, *, first: int = 1, last: int = 4, each: bool = False) -> None:
    """One incarnation that takes deposits, in one batch or `each` in a turn of its own."""
    driver = drive(fs, clock)
    for n in range(first, last + 1):
        feed(fs, "vault", deposit_line(n, f"tok_{n}"))
        if each:
            settle(driver)
    settle(driver)


def damage(fs: SimFs, path: str, line: int, *, by: bytes = b"#") -> None:
    """Change one byte in the middle of a line (from 1)."""
    lines = complete_lines(fs.read(path))[0]
    offset = sum(len(one) + 1 for one in lines[: line - 1]) + len(lines[line - 1]) // 2
    put(fs, path, offset, by)


def put(fs: SimFs, path: str, offset: int, data: bytes) -> None:
    file = fs.open(path)
    file.pwrite(offset, data)
    file.sync()
    file.close()


def cut(fs: SimFs, path: str, size: int) -> None:
    file = fs.open(path)
    file.truncate(size)
    file.sync()
    file.close()


def refuses(fs: SimFs, clock: SimClock, error: type[E]) -> E:
    """The refusal of the next incarnation, which must not have written a byte."""
    before, steps = files(fs), fs.calls
    with pytest.raises(error) as refusal:
        drive(fs, clock)
    assert fs.calls == steps
    assert files(fs) == before
    return refusal.value


def test_a_line_that_was_never_promised_is_cut_with_all_behind_it(fs: SimFs, clock: SimClock):
    """Of one batch the disk may keep a later line and lose an earlier one: innocent, and noted."""
    driver = drive(fs, clock)
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 5)))
    fs.faults = [Fault(fs.calls + 2, "crash_before")]
    with pytest.raises(SimCrash):
        settle(driver)
    assert [(call.op, call.path) for call in fs.fired] == [("sync", JOURNAL)]
    fs = fs.reopen()
    cut_bytes = sum(map(len, fs.read(JOURNAL).splitlines(True)[2:]))
    damage(fs, JOURNAL, 3)

    driver = drive(fs, clock)

    assert ("journal.cut", {"cut_bytes": cut_bytes}) in driver.notes
    settle(driver)
    assert driver.loop.state.tokens == ["tok_1", "tok_2", "tok_3", "tok_4"]
    verify_chain(JOURNAL, fs.read(JOURNAL))


def test_damage_in_what_was_durable_is_refused_by_line(fs: SimFs, clock: SimClock):
    """A bad line at or below a step that a later line calls durable is corruption."""
    lived(fs, clock, each=True)
    damage(fs, JOURNAL, 2)

    refusal = refuses(fs, clock, Corrupt)

    assert (refusal.path, refusal.line) == (JOURNAL, 2)


def test_damage_in_the_last_durable_step_is_refused(fs: SimFs, clock: SimClock):
    """The line that the last one calls durable may not be bad; the last one itself may."""
    lived(fs, clock, each=True)
    last = len(complete_lines(fs.read(JOURNAL))[0])
    damage(fs, JOURNAL, last - 1)

    assert refuses(fs, clock, Corrupt).line == last - 1


@pytest.mark.parametrize("lines", [1, 2])
def test_a_tail_cut_at_any_byte_loses_only_what_was_not_promised(lines: int, clock: SimClock):
    """Both of the last two lines may end anywhere: the run before them stands, the rest heals."""
    first = SimFs()
    lived(first, clock)
    data = first.read(JOURNAL)
    tail = b"".join(data.splitlines(True)[-lines:])
    for size in range(len(data) - len(tail), len(data)):
        fs = _copy(first)
        # Neither the book nor the vault can hold what was never durable.
        for path in (BOOK, TO_VAULT):
            kept = complete_lines(fs.read(path))[0][:-lines]
            cut(fs, path, sum(len(line) + 1 for line in kept))
        cut(fs, JOURNAL, size)
        driver = drive(fs, clock)
        settle(driver)
        assert driver.loop.state.tokens == ["tok_1", "tok_2", "tok_3", "tok_4"]


def _copy(fs: SimFs) -> SimFs:
    """Another disk with the same files."""
    new = SimFs()
    for path, data in files(SimFs(fs.disk)).items():
        new.replace(path, data)
    return new


def test_a_tail_of_zeros_is_cut(fs: SimFs, clock: SimClock):
    """A power cut may leave a longer file whose last part was never written."""
    lived(fs, clock)
    put(fs, JOURNAL, fs.size(JOURNAL), bytes(5000))

    driver = drive(fs, clock)

    assert ("journal.cut", {"cut_bytes": 5000}) in driver.notes
    assert b"\0" not in fs.read(JOURNAL)


def test_a_failed_fsync_ends_the_incarnation_and_is_not_trusted_later(clock: SimClock):
    """After a failed fsync the page cache shows lines that are on no disk: they are written again
    in place before anybody is told, so that a power cut after the restart takes nothing back."""
    fs = SimFs()
    driver = drive(fs, clock)
    feed(fs, "vault", deposit_line(1, "tok_1"))
    fs.faults = [Fault(fs.calls + 2, "error", errno.EIO, ops=frozenset({"sync"}))]

    with pytest.raises(JournalLost) as lost:
        settle(driver)

    assert lost.value.trust_lost
    assert fs.fired
    assert not complete_lines(fs.read(BOOK))[0]
    after = fs.reopen()
    reborn = drive(after, clock)
    assert reborn.loop.state.tokens == ["tok_1"]
    assert fs.disk.names[JOURNAL].durable == fs.disk.names[JOURNAL].content
    once_more = drive(after.after_crash(Dropped()), clock)
    assert once_more.loop.state.tokens == ["tok_1"]


def test_a_full_disk_ends_the_incarnation_without_doubt(fs: SimFs, clock: SimClock):
    """A journal that cannot be written is tried again; nothing was said, nothing is doubted."""
    driver = drive(fs, clock)
    feed(fs, "vault", deposit_line(1, "tok_1"))
    fs.faults = [Fault(fs.calls + 1, "error", errno.ENOSPC, kept_bytes=100)]

    with pytest.raises(JournalLost) as lost:
        settle(driver)

    assert not lost.value.trust_lost
    reborn = drive(fs.reopen(), clock)
    settle(reborn)
    assert reborn.loop.state.tokens == ["tok_1"]


def test_a_restored_journal_is_behind_its_book(fs: SimFs, clock: SimClock):
    """An old copy of the journal knows less than the book that others have read."""
    lived(fs, clock, last=2, each=True)
    old = fs.read(JOURNAL)
    lived(fs, clock, first=3, each=True)
    fs.replace(JOURNAL, old)
    fs.unlink(TO_VAULT)

    assert refuses(fs, clock, Behind).path == BOOK


def test_a_restored_journal_is_behind_its_receiver(fs: SimFs, clock: SimClock):
    """Also when its books were restored with it: the vault's mailbox tells."""
    lived(fs, clock, last=2, each=True)
    old = {path: fs.read(path) for path in (JOURNAL, BOOK)}
    lived(fs, clock, first=3, each=True)
    for path, data in old.items():
        fs.replace(path, data)

    assert refuses(fs, clock, Behind).path == "mailboxes/vault"


def test_a_lost_journal_is_behind_its_book(fs: SimFs, clock: SimClock):
    """Without its journal an actor does not begin anew beside a book of its past."""
    lived(fs, clock)
    fs.unlink(JOURNAL)
    fs.unlink(TO_VAULT)

    assert refuses(fs, clock, Behind).path == BOOK
    assert not fs.exists(JOURNAL)


def test_a_book_that_goes_on_behind_a_torn_line_is_still_ahead(fs: SimFs, clock: SimClock):
    """A bad line in a book does not hide the good one behind it, which we know nothing of."""
    lived(fs, clock, last=2, each=True)
    old = fs.read(JOURNAL)
    lived(fs, clock, first=3, each=True)
    fs.replace(JOURNAL, old)
    fs.unlink(TO_VAULT)
    damage(fs, BOOK, 3)

    assert refuses(fs, clock, Behind).path == BOOK


def test_a_book_line_that_says_something_else_is_not_overwritten(fs: SimFs, clock: SimClock):
    """A whole line where the journal has another one is no torn tail: somebody wrote it."""
    lived(fs, clock)
    other = SimFs()
    driver = drive(other, clock)
    feed(other, "vault", deposit_line(1, "tok_9"), deposit_line(2, "tok_8"))
    settle(driver)
    fs.replace(BOOK, other.read(BOOK))

    assert "line 1" in str(refuses(fs, clock, Behind))


def test_a_damaged_line_in_the_tail_of_a_book_is_mended_and_told(fs: SimFs, clock: SimClock):
    """The journal holds the same bytes: they are written again in place."""
    lived(fs, clock)
    whole = fs.read(BOOK)
    damage(fs, BOOK, 3)

    driver = drive(fs, clock)

    assert fs.read(BOOK) == whole
    assert ("book.mended", {"path": BOOK, "line": 3}) in driver.notes


@pytest.mark.parametrize("harm", ["line", "last", "cut", "gone"])
def test_a_book_damaged_below_the_snapshot_is_refused_by_line(
    harm: str, fs: SimFs, clock: SimClock
):
    """What was durable when the snapshot was written is not mended in silence, but named."""
    lived(fs, clock)
    driver = drive(fs, clock)
    driver.write_documents()
    lived(fs, clock, first=5, last=6)
    if harm in ("line", "last"):
        damage(fs, BOOK, 4)
    elif harm == "cut":
        cut(fs, BOOK, fs.size(BOOK) // 2)
    else:
        fs.unlink(BOOK)

    refusal = refuses(fs, clock, Corrupt)

    assert (refusal.path, refusal.line) == (BOOK, 4)


@pytest.mark.parametrize("with_documents", [False, True])
@pytest.mark.parametrize("harm", ["gone", "cut", "torn", "hole", "zeros"])
def test_a_damaged_mailbox_of_a_receiver_is_filled_again(
    harm: str, with_documents: bool, fs: SimFs, clock: SimClock
):
    """The vault finds each line in order, whatever became of its mailbox, snapshot or not."""
    lived(fs, clock)
    if with_documents:
        drive(fs, clock).write_documents()
    sent = complete_lines(fs.read(TO_VAULT))[0]
    match harm:
        case "gone":
            fs.unlink(TO_VAULT)
        case "cut":
            cut(fs, TO_VAULT, len(sent[0]) + 1)
        case "torn":
            cut(fs, TO_VAULT, fs.size(TO_VAULT) - 10)
        case "hole":
            damage(fs, TO_VAULT, 1)
        case "zeros":
            put(fs, TO_VAULT, len(sent[0]) + 1, bytes(fs.size(TO_VAULT) - len(sent[0]) - 1))

    drive(fs, clock)

    found: list[bytes] = []
    for line in complete_lines(fs.read(TO_VAULT))[0]:
        if len(found) < len(sent) and line == sent[len(found)]:
            found.append(line)
    assert found == sent


def test_a_stray_line_in_the_journal_is_no_step(fs: SimFs, clock: SimClock):
    """A whole line of another file, copied here by mistake, is cut like any other."""
    lived(fs, clock)
    put(fs, JOURNAL, fs.size(JOURNAL), deposit_line(1, "tok_1"))

    driver = drive(fs, clock)

    assert any(event == "journal.cut" for event, _ in driver.notes)


def test_epochs_rise_with_every_incarnation(fs: SimFs, clock: SimClock):
    """Each start takes the next epoch, also when the one before did nothing."""
    assert [drive(fs, clock).loop.head.epoch for _ in range(3)] == [1, 2, 3]

"""The simulated disk loses what a real one may lose, and nothing more."""

import errno
from random import Random
from typing import Literal

import pytest

from payrail.runtime.sim import (
    Chance,
    Dropped,
    Fault,
    Kept,
    Lost,
    SimClock,
    SimCrash,
    SimFs,
    SimRng,
    Survival,
    Torn,
)

SECTOR = 512


@pytest.fixture
def fs() -> SimFs:
    return SimFs()


def test_a_power_cut_drops_what_was_not_synced(fs: SimFs):
    """Synced bytes stay, later ones may all be gone."""
    file = fs.open("book", create=True)
    file.append(b"durable\n")
    file.sync()
    file.append(b"not yet\n")

    assert fs.read("book") == b"durable\nnot yet\n"
    assert fs.after_crash(Dropped()).read("book") == b"durable\n"


def test_a_power_cut_may_keep_everything(fs: SimFs):
    """Un-synced bytes may be found afterwards, so recovery may not count on their loss."""
    fs.open("book", create=True).append(b"lucky\n")

    assert fs.after_crash(Kept()).read("book") == b"lucky\n"


@pytest.mark.parametrize("kept_bytes", range(5))
def test_the_last_write_may_be_torn_at_any_byte(fs: SimFs, kept_bytes: int):
    """Of the last write any first part may be found."""
    file = fs.open("book", create=True)
    file.append(b"one\n")
    file.append(b"two\n")

    found = fs.after_crash(Torn(kept_bytes=kept_bytes)).read("book")
    assert found == b"one\n" + b"two\n"[:kept_bytes]


def test_a_later_write_may_outlive_an_earlier_one(fs: SimFs):
    """Pages reach the disk in any order: a hole of zeros, then whole bytes."""
    file = fs.open("book", create=True)
    file.append(b"a" * SECTOR)
    file.append(b"b" * SECTOR)

    assert fs.after_crash(Lost(index=0)).read("book") == bytes(SECTOR) + b"b" * SECTOR


def test_a_lost_overwrite_leaves_the_old_bytes(fs: SimFs):
    """Where a file was only overwritten, a cut brings back what was there."""
    file = fs.open("book", create=True)
    file.append(b"old old")
    file.sync()
    file.pwrite(4, b"new")

    assert fs.after_crash(Dropped()).read("book") == b"old old"


def test_chance_loses_sectors_of_their_own(fs: SimFs):
    """Over many cuts: all, nothing, torn, a hole before whole bytes; never a byte from nowhere."""
    file = fs.open("book", create=True)
    file.sync()
    file.append(b"a" * SECTOR * 2)
    file.append(b"b" * SECTOR * 2)
    whole = fs.read("book")
    found = set()
    for seed in range(200):
        rng = Random(seed)
        content = Chance(rng).content(b"", [*file._open_node.pending])
        found.add(content)
        assert all(was in (0, now) for was, now in zip(content, whole, strict=False))

    assert {b"", whole} < found
    assert any(content.startswith(bytes(SECTOR)) and b"b" in content for content in found)
    assert any(content and len(content) % SECTOR for content in found)


def test_the_same_seed_gives_the_same_disk(fs: SimFs):
    """A failing crash is found again by its seed."""
    file = fs.open("book", create=True)
    for n in range(9):
        file.append(b"%d" % n * 300)
    pending = list(file._open_node.pending)

    first, again = (Chance(Random(7)).content(b"", pending) for _ in range(2))
    assert first == again


def test_files_are_lost_apart_from_each_other(fs: SimFs):
    """A cut may keep one file's bytes and drop another's."""
    for name in ("a", "b"):
        fs.open(name, create=True).append(b"x")
    pending = {name: list(fs.disk.names[name].pending) for name in ("a", "b")}
    pairs = set()
    for seed in range(50):
        chance = Chance(Random(seed))
        pairs.add(tuple(chance.content(b"", pending[name]) for name in ("a", "b")))

    assert {(b"x", b""), (b"", b"x")} < pairs


def test_a_new_name_may_be_lost_although_its_bytes_were_synced():
    """Without a sync of the folder a new file is not there, whatever was synced inside."""
    fs = _killed_before_it_synced("book").reopen()
    file = fs.open("book")
    file.append(b"x")
    file.sync()

    assert fs.after_crash(Dropped()).listdir("") == []


def test_everything_below_a_lost_folder_is_lost():
    """A folder whose name did not reach the disk takes its files with it, although a later sync
    said that all was well."""
    fs = _killed_before_it_synced("folder/book").reopen()
    fs.disk.forget_folder("")  # what a failed sync does
    fs.open("folder/book", create=True).sync()

    assert fs.listdir("folder") == ["book"]
    found = fs.after_crash(Dropped())
    assert (found.listdir(""), found.listdir("folder")) == ([], [])


def _killed_before_it_synced(path: str) -> SimFs:
    """A process that died between a new name and the sync of its folder."""
    steps = SimFs()
    steps.open(path, create=True)
    made = next(call.n for call in steps.log if call.op in ("create", "mkdir"))
    fs = SimFs(faults=[Fault(at=made, kind="crash_after")])
    with pytest.raises(SimCrash):
        fs.open(path, create=True)
    return fs


def test_an_unsynced_rename_may_be_undone():
    """Between the rename and the sync of the folder the old name may come back."""
    fs = SimFs()
    fs.replace("d", b"old")
    fs = fs.reopen(faults=[Fault(at=4, kind="crash_after")])
    with pytest.raises(SimCrash):
        fs.replace("d", b"new")

    assert fs.fired[0].op == "rename"
    assert fs.reopen().read("d") == b"new"
    undone = fs.after_crash(Kept(lost_names=("d",)))
    assert (undone.read("d"), undone.listdir("")) == (b"old", [".d.tmp", "d"])


def test_a_kill_keeps_what_was_written_and_it_is_still_not_durable(fs: SimFs):
    """After kill -9 the page cache is there, and a power cut right then still takes it."""
    fs.open("book", create=True).append(b"cached")
    successor = fs.reopen()

    assert successor.read("book") == b"cached"
    assert successor.after_crash(Dropped()).read("book") == b""


def test_a_failed_sync_loses_bytes_that_a_later_sync_seems_to_save():
    """The kernel marks them clean: readable, the next sync succeeds, and a power cut takes them."""
    fs = SimFs(faults=[Fault(at=4, kind="error")])
    file = fs.open("book", create=True)
    file.append(b"first\n")
    with pytest.raises(OSError, match="Input/output"):
        file.sync()
    file.append(b"second\n")
    file.sync()

    assert [call.op for call in fs.fired] == ["sync"]
    assert fs.read("book") == b"first\nsecond\n"
    assert fs.after_crash(Kept()).read("book") == bytes(6) + b"second\n"


@pytest.mark.parametrize("name", ["book", "a/b/book"])
def test_a_name_made_again_after_a_failed_sync_of_its_folder_is_durable(name: str):
    """The first try took the name back, so the second has a new one to sync."""
    for at in range(1, 12):
        fs = SimFs(faults=[Fault(at, "error", ops=frozenset({"sync_folder"}))])
        try:
            fs.open(name, create=True)
        except OSError:
            fs.open(name, create=True)
        assert fs.after_crash(Dropped()).exists(name)


def test_bytes_written_again_after_a_failed_sync_are_durable():
    """Writing the same bytes in place again is what makes the next sync true."""
    fs = SimFs(faults=[Fault(at=4, kind="error")])
    file = fs.open("book", create=True)
    file.append(b"first\n")
    with pytest.raises(OSError, match="Input/output"):
        file.sync()
    file.pwrite(0, b"first\n")
    file.sync()

    assert fs.after_crash(Dropped()).read("book") == b"first\n"


def test_a_process_dies_in_the_middle_of_a_write():
    """A torn write leaves its first bytes, and a dead process can do nothing more."""
    fs = SimFs(faults=[Fault(at=3, kind="torn", kept_bytes=2)])
    file = fs.open("book", create=True)
    with pytest.raises(SimCrash):
        file.append(b"12345")

    for act in (file.size, file.sync, lambda: fs.read("book"), lambda: file.append(b"x")):
        with pytest.raises(SimCrash):
            act()
    assert fs.reopen().read("book") == b"12"


def test_a_full_disk_stays_full():
    """An error for ever hits each later step of its kind, and a short write leaves its part."""
    full = Fault(3, "error", errno.ENOSPC, kept_bytes=1, forever=True, ops=frozenset({"append"}))
    fs = SimFs(faults=[full])
    file = fs.open("book", create=True)
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            file.append(b"xy")
    file.truncate(0)

    assert (len(fs.fired), file.size()) == (2, 0)


def test_the_lock_of_a_dead_process_is_free(fs: SimFs):
    """A killed owner leaves no lock; a living one on the same disk keeps it."""
    neighbour = SimFs(fs.disk)
    assert fs.open("lock", create=True).lock()
    assert not neighbour.open("lock").lock()
    fs.kill()

    assert neighbour.open("lock").lock()


@pytest.mark.parametrize("kind", ["crash_before", "crash_after", "torn"])
def test_a_replaced_document_is_old_or_new_at_every_crash(kind: Literal["crash_before", "torn"]):
    """Whatever step dies, and whatever the disk then loses, a document is whole."""
    survivals: list[Random | Survival] = [Dropped(), Kept(), Torn()]
    survivals += [Random(seed) for seed in range(8)]
    found, at = set(), 1
    while _replaced(Fault(at, kind, kept_bytes=1)).fired:
        for survival in survivals:
            # A cut ends its disk, so each has one of its own; the same steps make the same disk.
            fs = _replaced(Fault(at, kind, kept_bytes=1)).after_crash(survival)
            found.add(fs.read("data/d"))
        at += 1

    assert at > 6
    assert found == {b"old", b"new"}
    assert _replaced(Fault(at, kind)).after_crash(Dropped()).read("data/d") == b"new"


def _replaced(fault: Fault) -> SimFs:
    fs = SimFs()
    fs.replace("data/d", b"old")
    fs = fs.reopen(faults=[fault])
    try:
        fs.replace("data/d", b"new")
    except SimCrash:
        pass
    return fs


def test_people_move_business_time_alone():
    """Moving the clock by hand leaves wire time and the beat of the machine as they are."""
    clock = SimClock(wire_ms=1000)
    clock.advance_ms(5)
    clock.advance_business_ms(86_400_000)

    assert (clock.now().wire_ms, clock.monotonic_ms()) == (1005, 5)
    assert clock.now().business_ms == 86_401_005


def test_simulated_chance_comes_from_its_seed():
    """The same seed draws the same tokens, of the length asked for."""
    assert SimRng(1).token_hex(16) == SimRng(1).token_hex(16) != SimRng(2).token_hex(16)
    assert len(SimRng(1).token_hex(16)) == 32


@pytest.mark.parametrize("seed", range(20))
def test_a_listing_follows_every_change_of_names(seed: int):
    """Whatever is made, renamed and removed between two looks, a folder lists what lies there."""
    chance, fs = Random(seed), SimFs()
    paths = [f"{folder}/{name}" for folder in ("a", "a/old", "b") for name in ("x", "y", "z")]
    for _ in range(60):
        path, other = chance.choice(paths), chance.choice(paths)
        if not fs.exists(path):
            fs.replace(path, b"new")
        elif chance.random() < 0.5:
            fs.rename(path, other)
        else:
            fs.unlink(path)
        folder = chance.choice(("", "a", "a/old", "b"))

        below = [one.removeprefix(folder).lstrip("/") for one in fs.disk.names if _in(one, folder)]
        assert fs.listdir(folder) == sorted(below)


def _in(path: str, folder: str) -> bool:
    return path.rpartition("/")[0] == folder

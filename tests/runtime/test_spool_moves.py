"""Drained spools are moved away: nothing is moved unread, lost or doubled by it."""

import errno

import pytest

from payrail.runtime.sim import Fault, SimFs
from payrail.storage.spool import (
    OLD_KEPT,
    last_sent,
)
from tests.runtime.spools import OLD, PATH, ROTATE_BYTES, Receiver, numbered, writer


def test_a_drained_spool_is_moved_and_reading_goes_on():
    """Past its size it lies in old/, named by its last epoch and number; the reader follows."""
    fs = SimFs()
    receiver = Receiver(fs)
    sender = writer(fs, receiver)
    for n in range(1, 21):
        sender.append(numbered(n))
        receiver.read()

    assert receiver.taken == list(range(1, 21))
    moved = fs.listdir(OLD)
    assert len(moved) >= 2
    assert moved[0].startswith("vault.000001.0000000000")
    assert fs.size(PATH) <= ROTATE_BYTES + len(numbered(20))
    assert last_sent(fs, "gateway", "vault") == 20


def test_an_unread_spool_is_never_moved():
    """However large it grows: its reader has not seen it."""
    fs = SimFs()
    receiver = Receiver(fs)
    sender = writer(fs, receiver)
    for n in range(1, 21):
        sender.append(numbered(n))

    assert fs.listdir(OLD) == []
    receiver.read()
    sender.append(numbered(21))
    assert len(fs.listdir(OLD)) == 1
    receiver.read()
    assert receiver.taken == list(range(1, 22))


def test_a_file_of_the_size_of_the_moved_one_is_not_taken_for_read():
    """Its reader still stands at the end of the moved file: what it has not seen stays there."""
    fs = SimFs()
    receiver = Receiver(fs, last=9)
    sender = writer(fs, receiver)
    sender.append(b"".join(numbered(n) for n in range(10, 15)))
    receiver.read()
    sender.append(b"".join(numbered(n) for n in range(15, 20)))
    assert len(fs.listdir(OLD)) == 1
    assert fs.size(PATH) == receiver.reader.offset
    sender.append(numbered(20))

    assert len(fs.listdir(OLD)) == 1
    receiver.read()
    assert receiver.taken == list(range(10, 21))


def test_a_reader_sees_at_once_that_there_is_more_after_a_move():
    """The new file is shorter than what was read of the old one; it is news all the same."""
    fs = SimFs()
    receiver = Receiver(fs)
    sender = writer(fs, receiver)
    for n in range(1, 6):
        sender.append(numbered(n))
        receiver.read()
    sender.append(numbered(6))
    assert fs.listdir(OLD)

    assert receiver.reader.waiting_bytes() == len(numbered(6))


def test_numbers_go_on_after_a_move_and_a_new_sender():
    """A sender that begins right after a move knows from the moved file what was sent."""
    fs = SimFs()
    receiver = Receiver(fs)
    sender = writer(fs, receiver)
    for n in range(1, 6):
        sender.append(numbered(n))
        receiver.read()
    sender.append(b"")
    assert fs.listdir(OLD)
    assert fs.size(PATH) == 0

    assert last_sent(fs, "gateway", "vault") == 5


def test_old_files_are_kept_for_a_while_only():
    """The newest of them; another sender's are not touched."""
    fs = SimFs()
    fs.replace(f"{OLD}/vault.http.000001.000000000007.jsonl", b"")
    receiver = Receiver(fs)
    sender = writer(fs, receiver)
    for n in range(1, 101):
        sender.append(numbered(n))
        receiver.read()

    names = [name for name in fs.listdir(OLD) if not name.startswith("vault.http")]
    assert len(names) == OLD_KEPT
    assert fs.exists(f"{OLD}/vault.http.000001.000000000007.jsonl")
    assert last_sent(fs, "gateway", "vault") == 100


def test_another_senders_old_files_say_nothing_of_ours():
    """`vault` and `vault.http` begin alike and are two."""
    fs = SimFs()
    fs.replace(f"{OLD}/vault.http.000001.000000000007.jsonl", b"")

    assert last_sent(fs, "gateway", "vault") == 0


@pytest.mark.parametrize("step", range(1, 28))
def test_a_move_that_fails_doubles_no_line(step: int):
    """An error at any step of a rotation: trying again writes each line once."""
    fs = SimFs()
    receiver = Receiver(fs)
    sender = writer(fs, receiver)
    fs.faults = [Fault(fs.calls + step, "error", errno.ENOSPC)]
    for n in range(1, 16):
        try:
            sender.append(numbered(n))
        except OSError:
            sender.append(numbered(n))
        receiver.read()

    assert fs.fired
    assert receiver.taken == list(range(1, 16))
    lines = [fs.read(f"{OLD}/{name}") for name in fs.listdir(OLD)] + [fs.read(PATH)]
    assert b"".join(lines) == b"".join(numbered(n) for n in range(1, 16))


def test_a_spool_with_half_a_line_is_not_moved_away_from_its_reader():
    """The reader has seen the half and waits for the rest: it comes where the half stands."""
    fs = SimFs()
    receiver = Receiver(fs)
    sender, last = writer(fs, receiver), ROTATE_BYTES // len(numbered(1)) + 1
    for n in range(1, last + 1):
        receiver.read()
        sender.append(numbered(n))
    fs.faults = [Fault(fs.calls + 1, "error", kept_bytes=40, ops=frozenset({"pwrite"}))]
    with pytest.raises(OSError, match="Input/output"):
        sender.append(numbered(last + 1))
    receiver.read()
    sender.append(numbered(last + 1))
    receiver.read()

    assert fs.fired
    assert receiver.taken == list(range(1, last + 2))

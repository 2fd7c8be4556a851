"""Drained spools are moved away: nothing is moved unread, lost or doubled by it."""

import errno

import pytest

from payrail.runtime.sim import Dropped, Fault, SimCrash, SimFs
from payrail.storage.lines import encode, sealed
from payrail.storage.spool import (
    OLD_KEPT,
    ReadSoFar,
    SpoolReader,
    SpoolWriter,
    last_sent,
)
from tests.runtime.spools import (
    OLD,
    PATH,
    ROTATE_BYTES,
    Receiver,
    numbered,
    send_and_read,
    writer,
)


def test_a_drained_spool_is_moved_and_reading_goes_on():
    """Past its size it lies in old/, named by its last epoch and number; the reader follows."""
    fs = SimFs()
    receiver = Receiver(fs)
    sender = writer(fs, receiver)
    send_and_read(receiver, sender, 20)

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
    send_and_read(receiver, sender, 5)
    sender.append(numbered(6))
    assert fs.listdir(OLD)

    assert receiver.reader.waiting_bytes() == len(numbered(6))


def test_numbers_go_on_after_a_move_and_a_new_sender():
    """A sender that begins right after a move knows from the moved file what was sent."""
    fs = SimFs()
    receiver = Receiver(fs)
    sender = writer(fs, receiver)
    send_and_read(receiver, sender, 5)
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
    send_and_read(receiver, sender, 100)

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


def _lines(epoch: int, *numbers: int) -> bytes:
    return b"".join(numbered(n, epoch) for n in numbers)


def test_lines_of_an_edges_next_life_are_not_taken_for_those_of_its_last():
    """An edge was killed between a move and its next line. Its numbers begin anew, and its new
    file comes to the length and the number where its reader stood in the moved one: unread."""
    fs = SimFs()
    stands = ReadSoFar(5, len(_lines(1, 1, 2, 3, 4, 5)), epoch=1)
    first = SpoolWriter(fs, "vault", "gateway", lambda *_: stands, rotate_bytes=ROTATE_BYTES)
    first.append(_lines(1, 1, 2, 3, 4, 5))
    fs.faults = lambda call: Fault(call.n, "crash_after") if call.op == "rename" else None
    with pytest.raises(SimCrash):
        first.append(_lines(1, 6))
    fs = fs.reopen()
    assert not fs.exists(PATH)

    second = SpoolWriter(fs, "vault", "gateway", lambda *_: stands, rotate_bytes=ROTATE_BYTES)
    second.append(_lines(2, 1, 2, 3, 4, 5))
    second.append(_lines(2, 6))

    assert fs.read(PATH) == _lines(2, 1, 2, 3, 4, 5, 6)


def test_replies_that_nobody_has_read_are_not_moved_by_their_length():
    """Replies have no number: a file is drained if it is the very one that was read to its end."""
    fs = SimFs()
    reader = SpoolReader(fs, "gateway", "vault")
    told = [ReadSoFar()]
    sender = SpoolWriter(fs, "vault", "gateway", lambda *_: told[0], rotate_bytes=ROTATE_BYTES)
    replies = [sealed(encode({"id": f"re:1.{n}", "re": f"1.{n}"})) + b"\n" for n in range(10, 40)]
    sender.append(b"".join(replies[:10]))
    found = reader.read(4096)
    told[0] = reader.place_among_replies
    sender.append(b"".join(replies[10:20]))
    assert len(fs.listdir(OLD)) == 1
    assert fs.size(PATH) == told[0].offset

    sender.append(b"".join(replies[20:]))
    while lines := reader.read(4096):
        found += lines

    assert [line + b"\n" for line in found] == replies
    told[0] = reader.place_among_replies
    sender.append(replies[0])
    assert fs.read(PATH) == replies[0]


def test_all_of_a_longer_file_waits_behind_a_moved_one():
    """Its reader still stands in the moved file: where it stood there says nothing about what is
    unread here. An order was decided before the line of the card that it named: 422."""
    fs = SimFs()
    receiver = Receiver(fs)
    sender = writer(fs, receiver)
    sender.append(_lines(1, 1, 2, 3, 4, 5))
    receiver.read()
    assert receiver.reader.waiting_bytes() == 0

    sender.append(_lines(1, 6, 7, 8))
    sender.append(_lines(1, 9, 10, 11, 12))

    assert len(fs.listdir(OLD)) == 1
    assert receiver.reader.waiting_bytes() == len(_lines(1, 6, 7, 8, 9, 10, 11, 12))


def test_what_a_moved_file_holds_survives_a_power_cut():
    """Nobody writes it again, so it is durable before it has its new name."""
    fs = SimFs()
    receiver = Receiver(fs)
    sender = writer(fs, receiver)
    send_and_read(receiver, sender, 20)
    moved = [f"{OLD}/{name}" for name in fs.listdir(OLD)]
    held = [fs.read(path) for path in moved]

    after = fs.after_crash(Dropped())

    assert moved
    assert [after.read(path) for path in moved] == held

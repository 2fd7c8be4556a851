"""Spools: one writer, one reader, no line lost or doubled, whatever is torn or reborn."""

import errno
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.runtime.sim import Chance, Fault, SimCrash, SimFs
from payrail.storage.lines import encode, sealed
from payrail.storage.spool import (
    LINE_BYTES_MAX,
    SpoolReader,
    SpoolWriter,
    last_sent,
)
from tests.runtime.spools import PATH, Receiver, numbered, writer


def test_a_line_that_was_given_up_on_a_full_disk_joins_no_later_one():
    """The piece that landed of it stays a line of its own, although there was not even room for its
    newline when the next line was tried."""
    fs = SimFs()
    sender, writes = writer(fs), frozenset({"pwrite"})
    sender.append(numbered(1))
    for number, kept_bytes in ((2, 40), (3, 0), (4, 0)):
        fs.faults = [
            Fault(fs.calls, "error", errno.ENOSPC, kept_bytes=kept_bytes, forever=True, ops=writes)
        ]
        with pytest.raises(OSError, match="No space"):
            sender.append(numbered(number))
    fs.faults = []
    sender.append(numbered(5))

    assert fs.read(PATH) == numbered(1) + numbered(2)[:40] + b"\n" + numbered(5)


def test_a_hole_is_filled_from_where_it_begins():
    """Good lines behind a bad one are of no use to a receiver that takes them in order."""
    fs = SimFs()
    bad = numbered(2).replace(b"2", b"3", 1)
    fs.replace(PATH, numbered(1) + bad + numbered(3) + numbered(4))
    assert last_sent(fs, "gateway", "vault") == 1

    fs.replace(PATH, bad + numbered(3) + numbered(4))
    assert last_sent(fs, "gateway", "vault") == 0

    writer(fs).append(numbered(1) + numbered(2) + numbered(3) + numbered(4))
    receiver = Receiver(fs)
    receiver.read()
    assert receiver.taken == [1, 2, 3, 4]


def test_replies_have_no_number_and_hide_none():
    """A reply between messages is passed by when numbers are counted, and as a place to begin."""
    fs = SimFs()
    reply = sealed(encode({"id": "vault>gateway:re:1.1", "kind": "reply", "re": "1.1"})) + b"\n"
    fs.replace(PATH, numbered(1) + reply + numbered(2) + reply)

    assert last_sent(fs, "gateway", "vault") == 2
    reader = SpoolReader(fs, "gateway", "vault")
    reader.start_behind(2, 1, fs.size(PATH))
    assert reader.offset == 0


def test_a_torn_line_of_a_dead_sender_is_closed():
    """The next sender's first line begins on its own."""
    fs = SimFs()
    fs.replace(PATH, numbered(1) + numbered(2)[:40])
    writer(fs).append(numbered(2))
    receiver = Receiver(fs)
    receiver.read()

    assert receiver.taken == [1, 2]


def test_zeros_longer_than_any_line_are_passed_over():
    """A power cut may leave more zeros than the reader would ever wait for."""
    fs = SimFs()
    fs.replace(PATH, numbered(1) + bytes(3 * LINE_BYTES_MAX + 17))
    writer(fs).append(numbered(2))
    receiver = Receiver(fs)
    for _ in range(3):
        receiver.read()

    assert receiver.taken == [1, 2]


@pytest.mark.parametrize(("last", "epoch", "begins"), [(2, 1, True), (1, 1, False), (2, 2, False)])
def test_a_position_is_believed_only_if_its_line_is_the_one(last: int, epoch: int, begins: bool):
    """A hint that does not end with the last consumed line is no hint: read from the beginning."""
    fs = SimFs()
    fs.replace(PATH, numbered(1) + numbered(2) + numbered(3))
    size = len(numbered(1) + numbered(2))
    reader = SpoolReader(fs, "gateway", "vault")
    reader.start_behind(last, epoch, size)

    assert reader.offset == (size if begins else 0)


def test_a_position_in_a_file_that_was_moved_is_not_believed_of_the_next():
    """The next file ends with the very line that was consumed last, and is shorter: who began
    behind its end would never see the line that comes there."""
    fs = SimFs()
    fs.replace(PATH, numbered(3))
    reader = SpoolReader(fs, "gateway", "vault")
    reader.start_behind(3, 1, len(numbered(3)) + 6)
    writer(fs).append(numbered(4))

    assert numbered(4)[:-1] in reader.read(4096)


@pytest.mark.parametrize("offset", [1, 5, 100_000])
def test_a_position_that_is_nowhere_is_the_beginning(offset: int):
    """In the middle of a line, or behind the end of the file."""
    fs = SimFs()
    fs.replace(PATH, numbered(1) + numbered(2))
    reader = SpoolReader(fs, "gateway", "vault")
    reader.start_behind(1, 1, offset)

    assert len(reader.read(4096)) == 2


def test_half_a_line_is_no_news():
    """What was seen and has no end yet does not keep anybody awake; its end does."""
    fs = SimFs()
    file = fs.open(PATH, create=True)
    file.append(numbered(1)[:10])
    reader = SpoolReader(fs, "gateway", "vault")
    assert reader.waiting_bytes() == 10
    assert reader.read(4096) == []
    assert reader.waiting_bytes() == 0
    file.append(numbered(1)[10:])

    assert reader.waiting_bytes() > 0
    assert len(reader.read(4096)) == 1


ACTIONS = st.lists(
    st.sampled_from(["send", "send", "read", "read a little", "new sender", "new receiver", "cut"]),
    max_size=60,
)


@given(actions=ACTIONS, seed=st.integers(0, 2**16))
def test_no_line_is_lost_or_doubled(actions: list[str], seed: int):
    """Senders and receivers that die, files that are moved, a power cut: every number once."""
    fs = SimFs()
    receiver = Receiver(fs)
    sender = writer(fs, receiver)
    sent, taken = 0, []
    for action in actions:
        match action:
            case "send":
                sent += 1
                sender.append(numbered(sent))
            case "read":
                receiver.read()
            case "read a little":
                receiver.read(50)
            case "new sender":
                sender = _reborn(fs, receiver, sent)
            case "new receiver":
                taken += receiver.taken
                receiver = Receiver(fs, receiver.last, receiver.reader.offset)
                sender = _reborn(fs, receiver, sent)
            case "cut":
                taken += receiver.taken
                fs = fs.after_crash(Chance(Random(seed)))
                receiver = Receiver(fs, receiver.last, receiver.reader.offset)
                sender = _reborn(fs, receiver, sent)
    sender = _reborn(fs, receiver, sent)
    for _ in range(3):
        receiver.read(2**20)

    assert taken + receiver.taken == list(range(1, sent + 1))


def _reborn(fs: SimFs, receiver: Receiver, sent: int) -> SpoolWriter:
    """A new sender, which writes again what its journal knows and the spool lacks."""
    there = last_sent(fs, "gateway", "vault")
    assert there <= sent
    sender = writer(fs, receiver)
    sender.append(b"".join(numbered(n) for n in range(there + 1, sent + 1)))
    return sender


@given(data=st.data())
def test_a_rotation_survives_a_kill_at_any_step(data: st.DataObject):
    """The sender dies in the middle of moving a file: the next one goes on."""
    step = data.draw(st.integers(1, 40))
    fs = SimFs(faults=[Fault(step, "crash_after")])
    sent, last = 0, 0
    try:
        receiver = Receiver(fs)
        sender = writer(fs, receiver)
        for _ in range(12):
            sent += 1
            sender.append(numbered(sent))
            receiver.read()
            last = receiver.last
    except SimCrash:
        pass
    fs = fs.reopen()
    receiver = Receiver(fs, last)
    _reborn(fs, receiver, sent)
    receiver.read(2**20)

    assert receiver.last == sent

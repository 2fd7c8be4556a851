"""Spools: one writer, one reader, no line lost or doubled, whatever is moved, torn or reborn."""

import errno
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.runtime.sim import Chance, Fault, SimCrash, SimFs
from payrail.storage.lines import encode, sealed
from payrail.storage.spool import (
    LINE_BYTES_MAX,
    OLD_KEPT,
    SpoolReader,
    SpoolWriter,
    last_sent,
    nowhere,
    spool_path,
)

PATH = spool_path("gateway", "vault")
OLD = "mailboxes/gateway/old"
ROTATE_BYTES = 500


def numbered(n: int, epoch: int = 1) -> bytes:
    return sealed(encode({"id": f"vault>gateway:{n}", "n": n, "epoch": epoch})) + b"\n"


class Receiver:
    """Takes each number once, in order; tells where it stands, as its cell would."""

    def __init__(self, fs: SimFs, last: int = 0, hint: int = 0) -> None:
        self.reader = SpoolReader(fs, "gateway", "vault")
        self.reader.start_behind(last, 1, hint)
        self.last = last
        self.taken: list[int] = []

    def read(self, limit: int = 4096) -> None:
        for line in self.reader.read(limit):
            if line + b"\n" == numbered(self.last + 1):
                self.last += 1
                self.taken.append(self.last)

    def read_to(self, receiver: str, sender: str) -> tuple[int, int]:
        return self.last, self.reader.offset


def writer(fs: SimFs, receiver: Receiver | None = None) -> SpoolWriter:
    read_to = receiver.read_to if receiver else nowhere
    return SpoolWriter(fs, "vault", "gateway", read_to, rotate_bytes=ROTATE_BYTES)


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

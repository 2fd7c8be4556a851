"""What people append by hand: good lines once, bad lines kept, half lines awaited."""

import errno
import json

import pytest

from payrail.domain.messages import HAND
from payrail.runtime.driver import Driver
from payrail.runtime.recovery import journal_path
from payrail.runtime.sim import Dropped, Fault, SimClock, SimFs
from payrail.storage.handfile import GIVE_UP_BYTES
from payrail.storage.journal import JournalLine, read_steps
from payrail.storage.lines import complete_lines
from tests.runtime.toy import State, drive, settle

HAND_FILE = "mailboxes/gateway/hand.jsonl"
DLQ = "mailboxes/dlq/gateway.jsonl"


@pytest.fixture
def fs() -> SimFs:
    return SimFs()


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def driver(fs: SimFs, clock: SimClock) -> Driver[State]:
    return drive(fs, clock)


def ping(note: str) -> bytes:
    return b'{"kind":"ping","body":{"note":"%b"}}\n' % note.encode()


def write(fs: SimFs, *pieces: bytes) -> None:
    """As `echo >>` does, once for each piece."""
    file = fs.open(HAND_FILE, create=True)
    for piece in pieces:
        file.append(piece)
    file.close()


def handled(fs: SimFs) -> list[JournalLine]:
    steps = [line for _, _, line in read_steps(fs.read(journal_path("gateway")))]
    return [step for step in steps if step.in_.from_ == HAND]


def notes(fs: SimFs) -> list[str]:
    """The notes of the pings that were handled, in order."""
    lines = [bytes(step.in_.line) for step in handled(fs)]
    return [json.loads(line)["body"]["note"] for line in lines if line != b"null"]


def letters(fs: SimFs) -> list[tuple[str, bytes]]:
    """(why, the bytes that were kept) of each dead letter."""
    found = [json.loads(line) for line in complete_lines(fs.read(DLQ))[0]]
    return [(letter["why"], fs.read(letter["raw"])) for letter in found]


BAD = [
    (b"garbage", "unparseable"),
    (b"\x00\x00\x00", "unparseable"),
    (b"\xff\xfe{}", "unparseable"),
    (b'{"kind":"ping","kind":"ping"}', "unparseable"),
    (b'{"kind":"ping","body":{"note":NaN}}', "unparseable"),
    (b'{"kind":"ping","body":{"note":"\\ud800"}}', "unparseable"),
    (b"[" * 5000, "unparseable"),
    (b"5", "schema"),
    (b'{"body":{}}', "schema"),
    (b'{"kind":"ping","extra":1}', "schema"),
    (b'{"kind":"ping","body":{"note":5}}', "schema"),
    (b'{"kind":"ping","body":[]}', "schema"),
    (b'{"kind":"dlq.drop","body":{"id":%b}}' % (b"9" * 4000), "schema"),
    (b'{"kind":"no.such","body":{}}', "unknown_kind"),
    (b'{"kind":"outcome","body":{}}', "sender"),
    (b'{"kind":"payout.approve","body":{}}', "unknown_kind"),
    (b'{"kind":"refund.approve","body":{}}', "sender"),
    (b'{"kind":"card.known","body":{}}', "sender"),
    (b'{"kind":"ask.again","body":{}}', "sender"),
    (b"x" * 100_000, "too_large"),
]


@pytest.mark.parametrize(("line", "why"), BAD, ids=[f"{why}-{n}" for n, (_, why) in enumerate(BAD)])
def test_a_bad_line_becomes_a_dead_letter_and_stops_nobody(
    line: bytes, why: str, fs: SimFs, driver: Driver[State]
):
    """Its bytes are kept as they were, and the good line behind it is handled."""
    write(fs, ping("before"), line + b"\n", ping("after"))

    settle(driver)

    assert letters(fs) == [(why, line)]
    assert notes(fs) == ["before", "after"]


def test_half_a_line_waits_for_its_end(fs: SimFs, driver: Driver[State]):
    """Bytes without a newline are nobody's line yet, and nothing to stay awake for."""
    write(fs, ping("half")[:10])
    settle(driver)
    assert handled(fs) == []
    assert not driver.intake.anything_new()

    write(fs, ping("half")[10:])

    assert driver.intake.anything_new()
    settle(driver)
    assert notes(fs) == ["half"]


def test_a_line_without_newline_waits_over_a_restart(
    fs: SimFs, driver: Driver[State], clock: SimClock
):
    """`printf` without `\\n` at the end: it becomes a line when somebody ends it."""
    write(fs, ping("whole"), ping("open").rstrip(b"\n"))
    settle(driver)

    reborn = drive(fs.reopen(), clock)
    settle(reborn)
    assert notes(reborn.world.fs) == ["whole"]  # type: ignore[arg-type]
    write(reborn.world.fs, b"\n")  # type: ignore[arg-type]
    settle(reborn)

    assert notes(reborn.world.fs) == ["whole", "open"]  # type: ignore[arg-type]


def test_a_line_in_two_writes_is_one_line(fs: SimFs, driver: Driver[State]):
    """A shell splits what is longer than 4 KiB."""
    line = ping("n" * 5000)
    write(fs, line[:4096])
    settle(driver)
    write(fs, line[4096:])
    settle(driver)

    assert notes(fs) == ["n" * 5000]


def test_blank_lines_are_nothing(fs: SimFs, driver: Driver[State]):
    """Empty lines are neither handled nor dead letters."""
    write(fs, b"\n  \n\r\n", ping("one"), b"\n")
    settle(driver)

    assert notes(fs) == ["one"]
    assert fs.read(DLQ) == b""


def test_a_line_that_never_ends_is_given_up(fs: SimFs, driver: Driver[State]):
    """After a megabyte without newline what there is becomes a dead letter; the rest is another."""
    write(fs, b"x" * GIVE_UP_BYTES, b"yy\n", ping("after"))
    settle(driver)

    assert [(why, len(raw)) for why, raw in letters(fs)] == [
        ("too_large", GIVE_UP_BYTES),
        ("unparseable", 2),
    ]
    assert notes(fs) == ["after"]


def test_an_editor_that_keeps_the_beginning_goes_on(fs: SimFs, driver: Driver[State]):
    """A new file under the name, with the same bytes first: only what follows is new."""
    write(fs, ping("one"), ping("two"))
    settle(driver)
    fs.replace(HAND_FILE, ping("one") + ping("two") + ping("three"))
    settle(driver)

    assert notes(fs) == ["one", "two", "three"]
    assert {step.in_.generation for step in handled(fs)} == {0}


@pytest.mark.parametrize("content", [ping("new"), ping("much longer than the one before it")])
def test_another_content_is_a_new_generation(content: bytes, fs: SimFs, driver: Driver[State]):
    """A replaced file is read from its beginning, be it shorter or longer."""
    write(fs, ping("the first"))
    settle(driver)
    fs.replace(HAND_FILE, content)
    settle(driver)
    settle(driver)

    assert [(s.in_.generation, s.in_.offset) for s in handled(fs)] == [
        (0, len(ping("the first"))),
        (1, len(content)),
    ]


def test_a_file_of_equal_size_is_noticed_when_it_is_another_file(fs: SimFs, driver: Driver[State]):
    """An editor's new file counts, even when it is exactly as long."""
    write(fs, ping("one"))
    settle(driver)
    fs.replace(HAND_FILE, ping("two"))
    settle(driver)

    assert notes(fs) == ["one", "two"]


@pytest.mark.parametrize("poll_between", [True, False])
def test_a_removed_file_that_comes_back_longer_is_read_from_its_beginning(
    poll_between: bool, fs: SimFs, driver: Driver[State]
):
    """Whether or not anybody looked while there was none."""
    write(fs, ping("one"))
    settle(driver)
    fs.unlink(HAND_FILE)
    if poll_between:
        settle(driver)
    write(fs, ping("two"), ping("three"))
    settle(driver)

    assert notes(fs) == ["one", "two", "three"]


@pytest.mark.parametrize("poll_between", [True, False])
def test_a_file_cut_in_place_and_written_anew_is_read(
    poll_between: bool, fs: SimFs, driver: Driver[State]
):
    """`echo > hand.jsonl`, then more: the same inode, other bytes."""
    write(fs, ping("one"))
    settle(driver)
    file = fs.open(HAND_FILE)
    file.truncate(0)
    if poll_between:
        settle(driver)
    file.append(ping("two") + ping("three"))
    settle(driver)

    assert notes(fs) == ["one", "two", "three"]


def test_a_restart_between_lines_handles_each_once(clock: SimClock, fs: SimFs):
    """The position is in the journal, and the file's digest with it."""
    for number in range(4):
        driver = drive(fs, clock)
        write(fs, ping(f"{number}"), b"bad %d\n" % number)
        settle(driver)
        fs = fs.reopen()

    assert notes(fs) == ["0", "1", "2", "3"]
    assert [raw for _, raw in letters(fs)] == [b"bad 0", b"bad 1", b"bad 2", b"bad 3"]


@pytest.mark.parametrize("content", [b"", ping("other"), ping("one") + ping("new")])
def test_a_file_replaced_while_nobody_ran(content: bytes, clock: SimClock, fs: SimFs):
    """What lies there at the start counts: the same beginning goes on, another begins anew."""
    write(fs, ping("one"))
    settle(drive(fs, clock))
    fs.replace(HAND_FILE, content)

    settle(drive(fs, clock))

    assert notes(fs) == ["one", *{b"": [], ping("other"): ["other"]}.get(content, ["new"])]


def test_what_was_handled_cannot_be_taken_back_by_a_power_cut(
    fs: SimFs, driver: Driver[State], clock: SimClock
):
    """The file is durable before its lines are journaled: the offset never lies behind its end."""
    write(fs, ping("one"), ping("two"))
    settle(driver)

    after = fs.after_crash(Dropped())
    reborn = drive(after, clock)
    write(after, ping("three"))
    settle(reborn)

    assert after.read(HAND_FILE) == ping("one") + ping("two") + ping("three")
    assert notes(after) == ["one", "two", "three"]


def test_a_hand_file_that_cannot_be_synced_is_tried_again(fs: SimFs, driver: Driver[State]):
    """Nothing of it is handled meanwhile, nothing is skipped, and nobody else waits."""
    write(fs, ping("one"))
    fs.faults = [Fault(fs.calls + 1, "error", errno.EIO)]
    settle(driver)
    assert [call.path for call in fs.fired] == [HAND_FILE]
    assert notes(fs) == []
    assert [event for event, _ in driver.notes] == ["hand.held"]

    settle(driver)

    assert notes(fs) == ["one"]


def test_a_line_whose_sync_failed_outlives_the_power_once_it_was_handled(
    fs: SimFs, driver: Driver[State], clock: SimClock
):
    """A sync that succeeds later says nothing of it: it is written again, and not handled twice."""
    write(fs, ping("once"))
    fs.faults = [Fault(fs.calls + 1, "error", ops=frozenset({"sync"}))]
    settle(driver)
    settle(driver)

    found = fs.after_crash(Dropped())
    settle(drive(found, clock))

    assert notes(found) == ["once"]
    assert found.read(HAND_FILE) == ping("once")

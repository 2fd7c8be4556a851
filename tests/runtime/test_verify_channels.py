"""`verify` names file and line of every damage in a mailbox, and is silent about what a crash
leaves behind there."""

import pytest

from payrail.audit.findings import NOTE
from payrail.audit.journals import Facts, read_journal
from payrail.audit.reading import Part
from payrail.audit.spools import check_channel, open_channels
from payrail.runtime.edge import open_epoch
from payrail.runtime.sim import SimClock, SimFs
from payrail.storage.lines import sealed
from tests.runtime.ruled import REPLIES
from tests.runtime.spoilt import (
    BOOK,
    EDGE_SPOOL,
    JOURNAL,
    SPOOL,
    check,
    damage,
    lines_of,
    put,
    whole_house,
)
from tests.runtime.toy import create_line, feed


@pytest.fixture
def house() -> SimFs:
    return whole_house(SimClock())


@pytest.mark.parametrize("is_resealed", [False, True])
def test_changed_mailbox_line_is_named(house: SimFs, is_resealed: bool):
    """A message with another amount is named, also when its hash was recomputed."""
    lines = lines_of(house, SPOOL)
    body = lines[2].replace(b'"amount":1', b'"amount":9')
    lines[2] = sealed(body[: body.rindex(b',"hash":"')] + b"}") if is_resealed else body
    put(house, SPOOL, lines)

    assert damage(house)[0] == (SPOOL, 3)


def test_changed_question_is_named_by_what_its_receiver_took(house: SimFs):
    """A front door's line with a hash that fits is compared with the receiver's journal."""
    lines = lines_of(house, EDGE_SPOOL)
    body = lines[1].replace(b'"amount":6', b'"amount":9')
    lines[1] = sealed(body[: body.rindex(b',"hash":"')] + b"}")
    put(house, EDGE_SPOOL, lines)

    assert damage(house) == [(EDGE_SPOOL, 2)]


@pytest.mark.parametrize("path", [SPOOL, EDGE_SPOOL])
def test_removed_mailbox_line_is_named(house: SimFs, path: str):
    """A message that was there is missed before the line that followed it."""
    lines = lines_of(house, path)
    del lines[1]
    put(house, path, lines)

    assert damage(house) == [(path, 2)]


@pytest.mark.parametrize(("taken", "named"), [(1, []), (0, [(SPOOL, 1)])])
def test_lines_lost_with_a_moved_file_are_no_damage(house: SimFs, taken: int, named: list):
    """A file is moved away once all of it was taken, and nobody syncs it: a power cut may empty it.
    What was not taken is missed all the same."""
    put(house, SPOOL.replace("/gateway.jsonl", "/old/gateway.000001.000000000001.jsonl"), [])
    put(house, SPOOL, lines_of(house, SPOOL)[1:])
    sender = read_journal("gateway", Part(house, JOURNAL), house.size(JOURNAL))
    sender.told = sender.steps
    facts = {"gateway": sender, "vault": Facts("vault", "", inner={"gateway": taken})}
    channels = {(one.sender, one.receiver): one for one in open_channels(house)}
    channel = channels["gateway", "vault"]

    assert [(one.path, one.line) for one in check_channel(channel, facts)] == named


def test_torn_line_of_a_dead_writer_is_only_noted(house: SimFs):
    """A writer that died in the middle of a line is no damage: its next life went on behind it."""
    feed(house, "frontdoor", create_line(4, 8)[:50] + b"\n", create_line(1, 8, epoch=2))
    open_epoch(house, SimClock(), "frontdoor")
    found = check(house)

    assert [(f.path, f.line, f.severity) for f in found] == [(EDGE_SPOOL, 4, NOTE)]


@pytest.mark.parametrize("end", [b"", b"\0", b"\0\0"])
def test_line_that_was_torn_and_sent_again_is_only_noted(house: SimFs, end: bytes):
    """A power cut may leave its beginning, or that and zeros; the whole line stands behind it."""
    lines = lines_of(house, SPOOL)
    put(house, SPOOL, [*lines[:1], lines[1][:40] + end, *lines[1:]])
    found = check(house)

    assert [(f.path, f.line, f.severity) for f in found] == [(SPOOL, 2, NOTE)]


def test_lines_that_a_power_cut_took_are_sent_again_before_a_torn_one(house: SimFs):
    """A hole above a torn line is filled first: the line behind the torn one is not its own."""
    lines = lines_of(house, SPOOL)
    hole, torn = lines[1][:30] + bytes(60), lines[2][:200]
    put(house, SPOOL, [lines[0], hole, torn, *lines[1:]])
    found = check(house)

    assert [(f.path, f.line, f.severity) for f in found] == [(SPOOL, 2, NOTE), (SPOOL, 3, NOTE)]


@pytest.mark.parametrize("before", [b"", b'{"id":"gateway>vault:2","fr'])
def test_byte_that_a_power_cut_took_before_a_line_is_only_noted(house: SimFs, before: bytes):
    """A write may begin in the last byte of a sector: no single bit makes a zero of a line's brace,
    or of the newline that closed a torn one before it."""
    lines = lines_of(house, SPOOL)
    hurt = before + b"\0" + (lines[1] if before else lines[1][1:])
    put(house, SPOOL, [lines[0], hurt, *lines[1:]])
    found = check(house)

    assert [(f.path, f.line, f.severity) for f in found] == [(SPOOL, 2, NOTE)]


@pytest.mark.parametrize("at", [3, 10, 150])
def test_flipped_bit_in_a_torn_line_is_named(house: SimFs, at: int):
    """A torn line of an inner sender stands there once more, so that it can be compared, also the
    very first one; one that begins like no line of that sender was not torn by it."""
    lines = lines_of(house, SPOOL)
    torn = bytearray(lines[0][:200])
    torn[at] ^= 1
    put(house, SPOOL, [bytes(torn), *lines])

    assert damage(house) == [(SPOOL, 1)]


def test_message_cut_short_and_not_sent_again_is_named_where_it_stands(house: SimFs):
    """It is missing; its rest tells where."""
    lines = lines_of(house, SPOOL)
    put(house, SPOOL, [lines[0], lines[1][:200], *lines[2:]])

    assert damage(house) == [(SPOOL, 2)]


@pytest.mark.parametrize("size", [1, 20, 27, 30, 60])
def test_torn_reply_is_only_noted(house: SimFs, size: int):
    """A reply has no number and is not sent again: its asker asks again."""
    lines = lines_of(house, REPLIES)
    put(house, REPLIES, [lines[0][:size], *lines])
    found = check(house)

    assert [(f.path, f.line, f.severity) for f in found] == [(REPLIES, 1, NOTE)]


def test_line_that_an_edge_gave_up_on_a_full_disk_is_only_noted(house: SimFs):
    """It went on behind the piece that had landed, in the same life; nobody took the piece."""
    feed(house, "frontdoor", create_line(4, 8)[:50] + b"\n", create_line(5, 8))
    found = check(house)

    assert [(f.path, f.line, f.severity) for f in found] == [(EDGE_SPOOL, 4, NOTE)]


def test_line_cut_short_in_the_middle_is_damage(house: SimFs):
    """Within one life of a writer no line is torn."""
    lines = lines_of(house, EDGE_SPOOL)
    lines[1] = lines[1][:60]
    put(house, EDGE_SPOOL, lines)

    assert (EDGE_SPOOL, 2) in damage(house)


@pytest.mark.parametrize("path", [JOURNAL, BOOK, SPOOL, EDGE_SPOOL])
def test_unfinished_line_at_the_end_is_innocent(house: SimFs, path: str):
    """What a writer has begun and not ended is nobody's business yet."""
    file = house.open(path)
    file.append(b'{"begun":')

    assert check(house) == []

"""`verify` names file and line of every damage, and is silent about what a crash or a busy house
leaves behind."""

import msgspec
import pytest

from payrail.audit.findings import NOTE
from payrail.audit.journals import Facts, read_journal
from payrail.audit.reading import Part
from payrail.audit.spools import check_channel, open_channels
from payrail.runtime.edge import open_epoch
from payrail.runtime.effects import Write
from payrail.runtime.sim import Fault, SimClock, SimCrash, SimFs
from payrail.storage.journal import JournalLine, decode_line, journal_bytes
from payrail.storage.lines import sealed
from tests.runtime.spoilt import (
    BOOK,
    DOCUMENT,
    EDGE_JOURNAL,
    EDGE_SPOOL,
    JOURNAL,
    SPOOL,
    check,
    damage,
    flip,
    lines_of,
    put,
    rechained,
)
from tests.runtime.toy import create_line, deposit_line, drive, feed, settle


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def house(clock: SimClock) -> SimFs:
    """A toy that took eight deposits and two questions, left a snapshot, and went on."""
    fs = SimFs()
    open_epoch(fs, clock, "frontdoor")
    driver = drive(fs, clock)
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 7)))
    feed(fs, "frontdoor", create_line(1, 5), create_line(2, 6), create_line(3, 7))
    settle(driver)
    driver.write_documents()
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(7, 9)))
    settle(driver)
    clock.advance_ms(2000)
    settle(driver)
    driver.write_documents()
    driver.flush()
    return fs


def test_clean_house_has_no_findings(house: SimFs):
    """A house at rest is clean, to the last note."""
    assert check(house) == []


@pytest.mark.parametrize("path", [JOURNAL, BOOK, SPOOL, EDGE_SPOOL])
def test_flipped_bit_is_named(house: SimFs, path: str):
    """One flipped bit in the third line of a journal, a book or a mailbox is named there."""
    flip(house, path, 3)

    assert (path, 3) in damage(house)


@pytest.mark.parametrize("path", [JOURNAL, BOOK, SPOOL, EDGE_SPOOL, EDGE_JOURNAL])
def test_flipped_bit_in_last_line_is_named(house: SimFs, path: str):
    """Also in the last line, wherever in it."""
    last = len(lines_of(house, path))
    whole = house.read(path)
    for at in (0, 20, -1, -2, -10, -70, -75):
        flip(house, path, last, at)
        assert (path, last) in damage(house), at
        house.replace(path, whole)


@pytest.mark.parametrize("path", [JOURNAL, BOOK, SPOOL, EDGE_SPOOL])
def test_flipped_newline_is_named(house: SimFs, path: str):
    """A newline is a byte like any other, the last one too."""
    data = house.read(path)
    house.replace(path, data[:-1] + b"\x0b")

    assert (path, len(data.split(b"\n")) - 1) in damage(house)


def test_every_bit_of_a_book_line_counts(house: SimFs):
    """Whichever byte of a book line is changed, its line is named and nothing else."""
    whole = house.read(BOOK)
    for at in range(0, len(lines_of(house, BOOK)[1]), 7):
        flip(house, BOOK, 2, at)
        assert damage(house) == [(BOOK, 2)]
        house.replace(BOOK, whole)


@pytest.mark.parametrize("is_rechained", [False, True])
def test_removed_book_line_is_named(house: SimFs, is_rechained: bool):
    """A removed line is missed where it stood, also when the chain was recomputed."""
    lines = lines_of(house, BOOK)
    del lines[3]
    put(house, BOOK, rechained(lines) if is_rechained else lines)

    assert (BOOK, 4) in damage(house)


def test_removed_last_book_line_is_named(house: SimFs):
    """The end of a book may not be cut either."""
    put(house, BOOK, lines_of(house, BOOK)[:-1])

    assert damage(house) == [(BOOK, 8)]


@pytest.mark.parametrize("is_rechained", [False, True])
def test_swapped_book_lines_are_named(house: SimFs, is_rechained: bool):
    """Two swapped lines are named at the first of them."""
    lines = lines_of(house, BOOK)
    lines[2], lines[3] = lines[3], lines[2]
    put(house, BOOK, rechained(lines) if is_rechained else lines)

    assert damage(house)[0] == (BOOK, 3)


@pytest.mark.parametrize("is_rechained", [False, True])
def test_duplicated_book_line_is_named(house: SimFs, is_rechained: bool):
    """A repeated line is named at its second place."""
    lines = lines_of(house, BOOK)
    lines.insert(4, lines[3])
    put(house, BOOK, rechained(lines) if is_rechained else lines)

    assert damage(house) == [(BOOK, 5)]


@pytest.mark.parametrize("at", [2, 8])
def test_added_book_line_is_named(house: SimFs, at: int):
    """A line that no journal line holds is named, in the middle and at the end of the book."""
    lines = lines_of(house, BOOK)
    lines.insert(at, b'{"seq":9,"token":"tok_x","total":99,"prev":"","hash":""}')
    put(house, BOOK, rechained(lines))

    assert damage(house) == [(BOOK, at + 1)]


def test_changed_amount_with_new_chain_is_named(house: SimFs):
    """A book with one changed number and a chain that fits is compared with the journal."""
    lines = [line.replace(b'"total":5', b'"total":6') for line in lines_of(house, BOOK)]
    put(house, BOOK, rechained(lines))

    assert damage(house) == [(BOOK, 5)]


def test_old_journal_is_found_by_what_others_know(house: SimFs, clock: SimClock):
    """A journal that was restored from yesterday is named: its mailboxes and books know more."""
    put(house, JOURNAL, lines_of(house, JOURNAL)[:6])
    found = check(house)

    assert any(f.path == JOURNAL and f.line == 6 and "old" in f.what for f in found)
    assert any(f.path == BOOK and f"{JOURNAL}:6" in f.what for f in found)


def test_lost_journal_is_found(house: SimFs):
    """No journal at all is one that was cut at its beginning."""
    house.unlink(JOURNAL)

    assert (JOURNAL, 0) in damage(house)


def test_rewritten_journal_is_found_by_its_peers(house: SimFs, clock: SimClock):
    """A peer remembers the head it saw: a journal whose chain was made anew no longer fits."""
    lines = [decode_line(raw) for raw in lines_of(house, JOURNAL)]
    peer = JournalLine(
        s=1, epoch=1, at=lines[0].at, dur=0,
        in_=msgspec.convert(
            {"from": "gateway", "id": "gateway>vault:3", "kind": "card.charge", "n": 1,
             "epoch": 1, "step": 4, "chain": "ab" * 32},
            type=type(lines[0].in_),
        ),
        events=[], books=[], out=[], timers=[], replies=[], prev="0" * 64, hash="",
    )  # fmt: skip
    house.replace("data/actors/vault/journal.jsonl", journal_bytes(peer) + b"\n")

    assert (JOURNAL, 4) in damage(house)


def test_edge_journal_behind_its_lines_is_named(house: SimFs, clock: SimClock):
    """An edge whose mailbox lines are of a later epoch than its journal has lost some of it."""
    feed(house, "frontdoor", create_line(1, 5, epoch=3))

    assert (EDGE_JOURNAL, 1) in damage(house)


def test_edited_document_is_named_with_its_line(house: SimFs):
    """A document is made again from the journal, and the first line that differs is named."""
    lines = lines_of(house, DOCUMENT)
    line = next(i for i, text in enumerate(lines) if b'"total"' in text)
    lines[line] = lines[line].replace(b"8", b"9")
    put(house, DOCUMENT, lines)

    assert damage(house) == [(DOCUMENT, line + 1)]


@pytest.mark.parametrize("path", [DOCUMENT, "data/actors/gateway/head.json"])
def test_every_byte_of_a_document_counts(house: SimFs, path: str):
    """One flipped bit anywhere in a document is named there, its stamp included."""
    whole = house.read(path)
    for at in range(0, len(whole), 5):
        raw = bytearray(whole)
        raw[at] ^= 1
        house.replace(path, bytes(raw))
        assert (path, whole[:at].count(b"\n") + 1) in damage(house), at


def test_old_document_is_named(house: SimFs, clock: SimClock):
    """A document from before the newest snapshot was put back by somebody."""
    old = house.read(DOCUMENT)
    driver = drive(house, clock)
    feed(house, "vault", deposit_line(9, "tok_9"))
    settle(driver)
    driver.write_documents()
    house.replace(DOCUMENT, old)

    assert damage(house) == [(DOCUMENT, 2)]


def test_missing_document_is_named(house: SimFs):
    """A document that the journal names may not be gone."""
    house.unlink(DOCUMENT)

    assert damage(house) == [(DOCUMENT, 0)]


def test_document_whose_writer_died_before_naming_it_is_clean(house: SimFs, clock: SimClock):
    """A snapshot is replaced before the journal names it; a kill in between is innocent."""
    driver = drive(house, clock)
    named = house.read(JOURNAL)
    driver.write_documents()
    house.replace(JOURNAL, named)

    assert check(house) == []


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


def test_house_in_the_middle_of_a_turn_is_clean(house: SimFs, clock: SimClock):
    """Between the fsync of a journal and each of the writes that follow, nothing is wrong."""
    driver = drive(house, clock)
    feed(house, "vault", deposit_line(9, "tok_9"), deposit_line(10, "tok_10"))
    feed(house, "frontdoor", create_line(4, 8))
    effects = driver.loop.take(driver.intake.collect(), clock.now())
    assert any(isinstance(effect, Write) for effect in effects)
    assert check(house) == []
    driver._durable(effects)
    assert check(house) == []
    for effect in driver.loop.synced():
        driver._carry_out(effect)
        assert check(house) == []


def test_every_kill_leaves_a_clean_house(clock: SimClock):
    """Killed before any write at all, the house is clean before and after the next start."""

    def live(fs: SimFs) -> None:
        driver = drive(fs, clock)
        settle(driver)
        driver.write_documents()

    def fed() -> SimFs:
        fs = SimFs()
        feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 4)))
        feed(fs, "frontdoor", create_line(1, 5))
        return fs

    calm = fed()
    before = calm.calls
    live(calm)
    for call in range(1, calm.calls - before + 1):
        fs = fed().reopen(faults=[Fault(at=call, kind="torn", kept_bytes=40)])
        with pytest.raises(SimCrash):
            live(fs)
        next_life = fs.reopen()
        assert [str(f) for f in check(next_life)] == [], call
        live(next_life)
        assert damage(next_life) == [], call
